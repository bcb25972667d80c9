"""Which type a client gets, and in which language, is what it says it would rather have."""

import pytest
from starlette.requests import Request

from lrs.web.accept import preferred
from lrs.web.language import language_of

HTML, JSON = "text/html", "application/json"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/html", HTML),
        ("TEXT/HTML", HTML),
        ("text/*", HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        ("application/json, text/html;q=0.1", JSON),
        ("text/html;q=0.1, application/json", JSON),
        ("text/html;q=0.5, application/json;q=0.4", HTML),
        ("text/html; q=0.5 , */*; q=0.4", HTML),
        ("text/html;q=0, */*", JSON),
        ("text/html;q=0", JSON),
        ("text/html;q=0.9, application/json;q=0.5, text/html;q=0.1", HTML),
        ("text/html;level=1;q=0.3, application/json;q=0.4", JSON),
        ("text/html, application/json", JSON),
        ("text/html, */*", HTML),
        ("application/json, text/plain, */*", JSON),
        ("application/ld+json", JSON),
        ("application/xml", JSON),
        ("text/html;q=high", JSON),
        ("text/html;q=1.5, application/json;q=0.1", JSON),
        ("text/html;q=-1", JSON),
        (";;;,,,q=1", JSON),
        ("x/y;q=0.1," * 100_000 + "text/html", JSON),
    ],
)
def test_the_type_of_the_highest_quality_is_chosen(accept, chosen):
    assert preferred(accept, (JSON, HTML)) == chosen


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [("cy", "cy"), ("en;q=0.5, cy-GB; q=0.9", "cy"), ("cy;q=0, de", "en"), ("cy;q=much, de", "en"), ("de", "en")],
)
def test_the_language_of_the_highest_quality_is_chosen_and_never_one_that_is_not_wanted(accept, chosen):
    asked = {"type": "http", "headers": [(b"accept-language", accept.encode())], "query_string": b""}

    assert language_of(Request(asked)) == chosen
