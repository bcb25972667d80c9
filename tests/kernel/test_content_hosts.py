"""Which hosts serve uploaded content, and which address is proposed to whoever runs the server."""

from __future__ import annotations

import pytest

from lrs.kernel.content_hosts import as_example, beside, is_content_host, origin_for, settings_for
from tests.rows import each_of

EACH = "https://{tenant}.content.example.org"


@each_of(
    "url, host, serves",
    [
        ("https://content.example.org", "content.example.org", True),
        ("https://Content.example.org:8443", "content.example.org", True),
        ("https://content.example.org", "a.content.example.org", False),
        ("https://content.example.org", "example.org", False),
        (EACH, "north.content.example.org", True),
        (EACH, "7-up.content.example.org", True),
        (EACH, "content.example.org", False),
        (EACH, ".content.example.org", False),
        (EACH, "a.b.content.example.org", False),
        (EACH, "-a.content.example.org", False),
        (EACH, "north.content.example.org.evil.example", False),
    ],
)
def test_a_host_serves_content_if_it_is_the_one_or_one_label_before_it(url, host, serves):
    assert is_content_host(url, host) is serves


@each_of(
    "pages, told",
    [
        ("http://127.0.0.1:8000", "http://localhost:8000"),
        ("http://localhost:8000/engraft", "http://127.0.0.1:8000"),
        ("https://lrs.example.org/engraft", "https://content.lrs.example.org"),
        ("https://lrs.example.org:8443", "https://content.lrs.example.org:8443"),
    ],
)
def test_content_is_proposed_on_another_host_beside_the_pages(pages, told):
    own = pages.removesuffix("/engraft")

    assert beside(pages) == told
    assert settings_for(pages, is_set=True) == [f"LRS_CONTENT_URL={told}"]
    assert settings_for(pages, is_set=False) == [f"LRS_PAGES_URL={own}", f"LRS_CONTENT_URL={told}"]


def test_the_tenant_stands_at_the_beginning_of_the_host_and_nowhere_else():
    assert origin_for(EACH, "north") == "https://north.content.example.org"
    assert as_example(EACH) == "https://tenant.content.example.org"
    for wrong in ("https://content.example.org/{tenant}", "https://a.{tenant}.example.org", EACH + "/{tenant}"):
        with pytest.raises(ValueError, match="must be the first part of the host"):
            as_example(wrong)
