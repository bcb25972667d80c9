"""The page of staff about the keys that sign badges."""

from __future__ import annotations

import pytest

from badges.keys.ring import ring_of
from lrs.composition.steps import drain
from tests.pages.conftest import Site, forms_of, text_of

PLACE = "/staff/badge-keys"


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("public"), public_url="https://lrs.example.org", pages_url="http://lrs.test")
    assert made.browser.sign_in(made.operator).status_code == 303
    yield made
    made.close()


def states(site):
    return [(one["key"], one["state"]) for one in site.browser.get(f"{PLACE}.json").json()]


def test_a_new_key_is_made_and_another_is_given_up_and_each_is_put_down(public):
    browser = public.browser
    page = browser.get(PLACE)

    made = browser.send(page, PLACE, algorithm="Ed25519")
    told = browser.get(made.headers["location"].removeprefix("http://lrs.test"))
    waiting = states(public)
    browser.send(page, f"{PLACE}/compromised", key="badge-signing-key/1", sure="yes")
    drain(public.tenant)

    assert made.status_code == 303
    assert "The new key is published." in text_of(told)
    assert dict(waiting)["badge-signing-key/2"] == "next"
    assert states(public) == [
        ("badge-signing-key/2", "active"),
        ("badge-jwt-key/1", "active"),
        ("badge-signing-key/1", "compromised"),
    ]
    assert [action for action, _ in public.audit() if action.startswith("badge-key.")] == [
        "badge-key.made",
        "badge-key.compromised",
    ]


@pytest.mark.parametrize(
    ("path", "fields", "status", "why"),
    [
        (PLACE, {"algorithm": "DSA"}, 400, "There is no algorithm"),
        (
            f"{PLACE}/compromised",
            {"key": "badge-jwt-key/1", "sure": ""},
            400,
            "Tick that what the key signed is to be invalid",
        ),
        (f"{PLACE}/compromised", {"key": "badge-signing-key/99", "sure": "yes"}, 404, "There is no key"),
    ],
)
def test_what_cannot_be_done_is_a_page_that_says_why(public, path, fields, status, why):
    before = ring_of(public.tenant)

    answer = public.browser.send(public.browser.get(PLACE), path, **fields)

    assert answer.status_code == status
    assert why in text_of(answer)
    assert ring_of(public.tenant) == before


def test_a_demonstration_offers_nothing_and_says_why(browser):
    page = browser.get(PLACE)

    assert "This issuer is a demonstration" in text_of(page)
    assert "Make a new key" not in page.text
    sent = {"form": forms_of(page.text)[0]["fields"]["form"], "algorithm": "Ed25519"}
    assert browser.ask("POST", PLACE, data=sent).status_code == 409
