"""Who gets in: a key with the scope admin, through our own form, for eight hours, until session or key is ended."""

from __future__ import annotations

import re

import pytest

from lrs.access.keys import create_key, revoke_key
from lrs.access.sessions import end_session, list_sessions
from lrs.kernel.sealed import seal
from lrs.kernel.times import HOUR
from tests.pages.conftest import Browser, Site, text_of
from tests.served import routes_of


@pytest.mark.parametrize("place", ["/pages/work", "/staff/learners", "/staff/learners/5de02d94-0090"])
def test_without_a_session_a_page_leads_to_the_sign_in_and_back(quiet, place):
    stranger = Browser(quiet.app)
    answer = stranger.get(place)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?then={place}"

    entered = stranger.sign_in(quiet.operator, then=place)

    assert entered.status_code == 303
    assert entered.headers["location"] == place


def test_nothing_but_the_sign_in_answers_without_a_session(quiet):
    places = {
        (method, f"{prefix}{path}")
        for method, path in routes_of(quiet.app)
        for prefix in ("", "/t/default")
        if path.startswith("/pages")
    }
    assert len(places) == 18

    answers = {place: Browser(quiet.app).ask(*place) for place in places}

    open_ones = {place for place, answer in answers.items() if answer.status_code != 303}
    assert {place for place in places if "learners" in place[1]}.isdisjoint(open_ones)
    assert open_ones == {
        (method, f"{prefix}/pages/sign-in") for method in ("GET", "POST") for prefix in ("", "/t/default")
    }
    assert answers["POST", "/pages/sign-in"].status_code == 403


def test_the_session_cookie_is_kept_from_scripts_and_other_sites_for_eight_hours(site):
    answer = site.browser.sign_in(site.operator)

    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("engraft.default="))
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "max-age=28800", "path=/", "samesite=lax"}


def test_behind_https_the_cookies_never_go_over_http(tmp_path):
    site = Site(tmp_path, public_url="https://skills.example.org")

    answer = site.browser.get("/pages/sign-in")
    site.close()

    assert [cookie.endswith("; Secure") for cookie in answer.headers.get_list("set-cookie")] == [True]


@pytest.mark.parametrize("secret", ["wrong", "", "ü\ud800".encode("utf-8", "replace").decode()])
def test_a_wrong_secret_opens_nothing(quiet, secret):
    stranger = Browser(quiet.app)
    page = stranger.get("/pages/sign-in")

    answer = stranger.send(page, "/pages/sign-in", key=quiet.operator.key, secret=secret)

    assert answer.status_code == 401
    assert "The key or its secret is wrong." in text_of(answer)
    assert "engraft.default" not in stranger.cookies
    assert stranger.get("/pages/work").status_code == 303


def test_a_key_without_admin_is_told_so(site):
    other = create_key(site.tenant, "moodle", ["all", "import", "void/any"])

    answer = site.browser.sign_in(other)

    assert answer.status_code == 403
    assert "it lacks the scope admin" in text_of(answer)
    assert "engraft.default" not in site.browser.cookies


def test_guesses_are_slowed_down_and_the_right_secret_is_still_served(site):
    page = site.browser.get("/pages/sign-in")
    for _ in range(100):
        site.browser.send(page, "/pages/sign-in", key=site.operator.key, secret="guess")

    slowed = site.browser.send(page, "/pages/sign-in", key=site.operator.key, secret="guess")
    right = site.browser.sign_in(site.operator)

    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["retry-after"]) <= 61
    assert right.status_code == 303


def test_revoking_the_key_ends_the_session_at_once(site, browser):
    before = browser.get("/pages/work").status_code

    revoke_key(site.tenant, site.operator.key)

    assert before == 200
    assert browser.get("/pages/work").headers["location"] == "/sign-in?then=/pages/work&done=over"


def test_a_session_that_is_used_ends_after_eight_hours(site, browser):
    statuses = []
    for _ in range(8):
        statuses.append(browser.get("/pages/work").status_code)
        site.tenant.store.write(lambda _: None).result()  # so that the use is noted, for which no request waits
        site.world.clock.now += HOUR

    assert statuses == [200] * 8
    assert browser.get("/pages/work").status_code == 303


def test_a_session_that_is_not_used_ends_after_two_hours(site, browser):
    site.world.clock.now += 2 * HOUR - 1_000_000
    before = browser.get("/pages/work").status_code

    site.world.clock.now += 2 * HOUR

    assert before == 200
    assert browser.get("/pages/work").status_code == 303


def test_a_session_that_was_ended_elsewhere_is_over_at_the_next_request(site, browser):
    [session] = list_sessions(site.tenant.store, site.tenant.clock())

    end_session(site.tenant, session.id, by="operator")

    assert browser.get("/pages/work").headers["location"] == "/sign-in?then=/pages/work&done=over"


def test_a_cookie_that_was_copied_is_worth_nothing_after_signing_out(site, browser):
    thief = Browser(site.app)
    thief.cookies.set("engraft.default", browser.cookies["engraft.default"])
    before = thief.get("/pages/work").status_code

    browser.send(browser.get("/pages/work"), "/sign-out")

    assert before == 200
    assert thief.get("/pages/work").status_code == 303


def test_the_cookie_of_an_earlier_release_signs_nobody_in(site):
    told = ("default.0123456789abcdef", site.tenant.clock() + HOUR, "n" * 24)
    stranger = Browser(site.app)
    stranger.cookies.set("engraft.default", seal(site.tenant.secret("pages-session"), told))

    assert stranger.get("/pages/work").status_code == 303


def test_a_cookie_that_was_changed_is_no_session(site, browser):
    cookie = browser.cookies["engraft.default"]
    stranger = Browser(site.app)
    stranger.cookies.set("engraft.default", cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB"))

    assert stranger.get("/pages/work").status_code == 303


def test_a_session_of_one_tenant_is_none_in_another(site, browser):
    stranger = Browser(site.app)
    stranger.cookies.set("engraft.default", browser.cookies["engraft.default"])

    assert stranger.get("/t/other/pages/work").headers["location"] == "/t/other/sign-in?then=/t/other/pages/work"
    assert stranger.get("/t/default/pages/work").status_code == 200


def test_a_key_of_one_tenant_does_not_sign_in_to_another(site):
    answer = site.browser.sign_in(site.operator, base="/t/other/pages")

    assert answer.status_code == 401


def test_each_tenant_has_pages_of_its_own(site):
    elsewhere = create_key(site.other, "operator", ["admin"])
    site.world.send({"id": "00000000-0000-4000-8000-000000000001"} | _statement())

    entered = site.browser.sign_in(elsewhere, base="/t/other/pages", then="/t/other/pages/work")
    page = site.browser.get("/t/other/pages/work")

    assert entered.headers["location"] == "/t/other/pages/work"
    assert "There are no rules, so nothing can be awarded." in text_of(page)
    assert 'href="/t/other/staff/learners"' in page.text


def _statement():
    return {
        "actor": {"mbox": "mailto:ann@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"id": "https://vle.example/gowning"},
    }


def test_a_tenant_that_does_not_exist_is_not_found(site):
    answer = site.browser.get("/t/nobody/pages/work")

    assert (answer.status_code, "There is no such tenant." in text_of(answer)) == (404, True)


@pytest.mark.parametrize(
    "then",
    [
        "//evil.example/pages/work",
        "https://evil.example/",
        "/\\evil.example",
        "/pages/../xapi/statements",
        "/staff/learners/../../xapi",
        "/pages/work\r\nSet-Cookie: a=b",
        "/pages/work?next=//evil.example",
        "/pages/work/",
        "/pages/sign-out",
        "/sign-in",
        "/xapi/statements",
        "/t/other/pages/work",
        "javascript:alert(1)",
        "/pages/wörk",
        "",
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(quiet, then):
    stranger = Browser(quiet.app)
    page = stranger.get("/pages/sign-in")

    answer = stranger.send(page, "/pages/sign-in", key=quiet.operator.key, secret=quiet.operator.secret, then=then)

    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/learners")


def test_signing_in_needs_the_form_that_was_shown_to_this_browser(site):
    shown_elsewhere = Browser(site.app).get("/pages/sign-in")
    site.browser.get("/pages/sign-in")

    answer = site.browser.send(shown_elsewhere, "/pages/sign-in", key=site.operator.key, secret=site.operator.secret)

    assert answer.status_code == 403
    assert "engraft.default" not in site.browser.cookies


@pytest.mark.parametrize(
    "place",
    ["sign-out", "staff/learners", "staff/learners/anybody/withdraw", "pages/work/retry", "pages/work/resend"],
)
@pytest.mark.parametrize("form", ["", "form=", "form=AAAA", "form=%FF", "who=ann&form=x&" + "a=1&" * 20])
def test_a_form_without_our_token_does_nothing(quiet, place, form):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    before = len(quiet.audit())

    answer = quiet.browser.ask("POST", f"/{place}", content=form, headers=headers)

    assert answer.status_code == 403
    assert "This form did not come from a page shown to you" in text_of(answer)
    assert len(quiet.audit()) == before
    assert quiet.browser.get("/pages/work").status_code == 200


def test_a_token_of_another_session_is_not_taken(site, browser):
    second = Browser(site.app)
    second.sign_in(site.operator)

    answer = second.send(browser.get("/staff/learners"), "/staff/learners", who="ann@example.org")

    assert answer.status_code == 403
    assert "Open the page again This form did not come from" in text_of(answer)
    assert "If you should be allowed to" not in text_of(answer)


def test_signing_out_takes_the_cookie_away(browser):
    answer = browser.send(browser.get("/pages/work"), "/sign-out")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?done=signed_out")
    assert "engraft.default" not in browser.cookies
    assert browser.get("/pages/work").status_code == 303


def test_signing_in_stands_in_the_audit_chain_with_the_key_and_no_secret(site, browser):
    entry = next(entry for entry in site.world.all("audit") if entry["action"] == "session.opened")

    assert (entry["by"], entry["about"]) == (f"key {site.operator.key}", {"key": site.operator.key})
    assert browser.get("/pages").headers["location"] == "/staff/learners"


@pytest.mark.parametrize("place", ["pages/sign-in", "staff/learners", "pages/work", "staff/learners/nobody", "staff"])
def test_every_page_forbids_others_scripts_frames_and_keeping(quiet, place):
    answer = quiet.browser.get(f"/{place}")

    nonce = re.search(r'rel="stylesheet"[^>]* nonce="([\w-]{24})">', answer.text)[1]
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text
