"""The page at ``/``: what a browser is shown, and what a program gets."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.served import serving

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def ask(lrs, path, **headers):
    return lrs.clients[0].get(lrs.address + path, headers=headers)


def test_a_browser_is_told_what_this_is_and_where_to_go(lrs):
    page = ask(lrs, "/", **BROWSER)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "learning record store" in page.text
    for address in ("/xapi", "/sign-in", "/connect", "/operator", "/me", "/docs", "/openapi.json"):
        assert lrs.address + address in page.text
    assert page.headers["vary"] == "accept"


def test_every_address_on_the_page_leads_somewhere(lrs):
    told = ask(lrs, "/").json()

    for name in ("pages", "me", "docs", "openapi"):
        assert lrs.clients[0].get(told[name], follow_redirects=True).status_code == 200, name
    assert lrs.clients[0].get(f"{told['xapi']}/about").status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/json, text/html;q=0.9"])
def test_a_program_gets_the_addresses_as_json(lrs, accept):
    answer = ask(lrs, "/t/default/", Accept=accept)

    assert answer.json() == {
        "name": "engraft-lrs",
        "version": version("engraft-lrs"),
        "xapi": f"{lrs.address}/t/default/xapi",
        "pages": f"{lrs.address}/t/default/pages",
        "me": f"{lrs.address}/t/default/me",
        "developers": f"{lrs.address}/t/default/developers",
        "docs": f"{lrs.address}/docs",
        "openapi": f"{lrs.address}/openapi.json",
    }


def test_the_page_names_the_address_that_others_know(tmp_path):
    with serving(tmp_path, public_url="https://example.org/engraft") as lrs:
        page = ask(lrs, "/", **BROWSER)

    assert "https://example.org/engraft/xapi" in page.text
    assert lrs.address not in page.text


def test_a_tenant_that_is_not_there_has_no_page(lrs):
    assert ask(lrs, "/t/nobody/", **BROWSER).status_code == 404
