"""Every page of the table of rights: it answers with its policy, refuses with a page, and has what every reader needs.

The addresses are those of the table, so that a new page is asked for too; what each policy is stands here by hand.
"""

import functools
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi import Request

from lrs.access.policy.lines import PUBLIC, PolicyLine
from lrs.access.policy.table import OF_SERVER, TABLE
from lrs.app import PAGES
from lrs.kernel.errors import Refused
from lrs.pages import front
from lrs.web.exchange import exchange_of
from lrs.web.framework import FastAPIMount
from lrs.web.page import TEMPLATES, page, policy_of
from lrs.web.page_policy import PagePolicy
from tests.served import add_route, let_in, serving
from tests.web.site import BROWSER, Site

AS_BROWSER = {"Accept": BROWSER}
CLOSED = {"frame-ancestors": "'none'", "x-frame-options": "DENY", "cross-origin-opener-policy": "same-origin"}
POLICIES = {
    "staff": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "account": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "operator": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "me": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "consent": CLOSED
    | {
        "form-action": "'self'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "unsafe-none",
    },
    "lti": CLOSED
    | {
        "form-action": "'self'",
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "unsafe-none",
    },
    "claim": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "no-referrer"},
    "shared": CLOSED | {"form-action": "'none'", "cache-control": "no-store", "referrer-policy": "no-referrer"},
    "verify": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "content": {
        "frame-ancestors": "*",
        "x-frame-options": None,
        "cross-origin-opener-policy": "same-origin",
        "form-action": "'none'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    },
    "public": CLOSED | {"form-action": "'none'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "embedded": {
        "frame-ancestors": "*",
        "x-frame-options": None,
        "cross-origin-opener-policy": "same-origin",
        "form-action": "'none'",
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
    },
    "roles": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "catalogue": CLOSED | {"form-action": "'self'", "cache-control": "no-store", "referrer-policy": "same-origin"},
    "achievement": CLOSED
    | {"form-action": "'none'", "cache-control": "public, max-age=300", "referrer-policy": "same-origin"},
}
LINES = sorted((method, pattern, line.pages) for (method, pattern), line in TABLE.items() if line.pages)
AT_NO_TENANT = set({line[2]: line[:2] for line in LINES if line[1] not in OF_SERVER}.values())
"""One line of each policy, for a tenant that is nowhere is refused alike at all of them; else those with no page."""


class Page(HTMLParser):
    """What every reader of a page needs of it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], {}
        self.feed(text)

    def handle_decl(self, decl):
        self.tags.append(decl)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag = next(tag for tag in reversed(self.tags) if tag != "bdi")  # which only says where a name begins and ends
        self.texts[tag] = self.texts.get(tag, "") + data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), public_url="https://skills.example.org") as lrs:
        yield Site(lrs)


@pytest.fixture(scope="module")
def answers(site):
    """What each line with pages answers a browser: to nobody, and an administrator, who is asked where nothing is, too.

    If it is not for everybody, also to a learner, a provider, and an operator. And at no tenant.
    """
    found = {}
    for method, pattern, _ in LINES:
        path = site.path(pattern)
        signed_in = (site.learner, site.provider, site.operator)
        ways = [(path, who) for who in ({}, site.cookie, *(() if TABLE[method, pattern].is_public else signed_in))]
        ways += [(re.sub(r"\{\w+\}", "none", pattern), site.cookie)] if "{" in pattern else []
        asked = found[method, pattern] = [ask(site, method, to, sent) for to, sent in ways]
        if (method, pattern) in AT_NO_TENANT or (pattern not in OF_SERVER and not any(map(is_page, asked))):
            asked.append(ask(site, method, f"/t/nobody{path.removeprefix('/t/default')}", {}))
    return found


def ask(site, method, path, sent):
    answer = site.client.request(method, site.lrs.address + path, headers=AS_BROWSER | sent, follow_redirects=False)
    site.client.cookies.clear()
    return answer


def hold(answers, rule):
    """*rule* is asked about each line, its policy and its answers; all lines that it fails at are told."""
    wrong = {}
    for method, pattern, name in LINES:
        try:
            rule(pattern, name, answers[method, pattern])
        except AssertionError as error:
            wrong[method, pattern] = str(error)
    assert not wrong, "\n".join(f"{method} {pattern}: {why}" for (method, pattern), why in wrong.items())


def is_page(answer):
    return answer.headers.get("content-type") == "text/html; charset=utf-8"


def parsed(answer):
    """The page that *answer* is. A large one, which all are answered alike but for the nonce, is read once."""
    nonce = re.search(r"'nonce-([\w-]{24})'", answer.headers["content-security-policy"])[1]
    return _parsed(answer.text.replace(nonce, ""))


_parsed = functools.cache(Page)


def told(answer):
    """The policy in the headers of *answer*."""
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    nonces = set(re.findall(r'<(?:script|link rel="stylesheet")[^>]* nonce="([\w-]{24})">', answer.text))
    assert len(nonces) == 1, nonces
    nonce = f"'nonce-{nonces.pop()}'"
    assert {name: rules.pop(name) for name in set(rules) - {"form-action", "frame-ancestors"}} == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "style-src": nonce,
        "script-src": nonce,
        "img-src": "'self'",
        "connect-src": "'self'",
    }
    named = ("x-frame-options", "cross-origin-opener-policy", "cache-control", "referrer-policy")
    return {name: rules[name] for name in ("form-action", "frame-ancestors")} | {
        name: answer.headers.get(name) for name in named
    }


LEADS_AWAY = {
    path: {"form-action": "'self' https://content.example"}
    for path in ("/staff/courses/{id}", "/staff/courses/{id}/learners/{registration}")
}
"""Pages with a form whose answer leads on to content, which has a host of its own."""


def test_every_page_answers_with_its_policy_and_every_refusal_with_that_one_but_nobody_keeps_it(answers):
    def rule(pattern, name, found):
        pages = [answer for answer in found if is_page(answer)]
        assert pages or (pattern in OF_SERVER and pattern.endswith((".csv", ".json"))), "no answer was a page"
        for answer in pages:
            more = {"cache-control": "no-store"} if answer.status_code >= 400 else LEADS_AWAY.get(pattern, {})
            assert told(answer) == POLICIES[name] | more
            assert answer.headers["x-content-type-options"] == "nosniff"

    hold(answers, rule)


def test_what_leads_on_from_a_page_is_kept_and_told_no_further_than_the_page(answers):
    def rule(_pattern, name, found):
        for answer in found:
            if answer.status_code == 303:
                assert answer.headers["cache-control"] == POLICIES[name]["cache-control"]
                assert answer.headers["referrer-policy"] == POLICIES[name]["referrer-policy"]

    hold(answers, rule)


def test_every_refusal_is_a_page_or_leads_to_the_sign_in(answers):
    def rule(_pattern, _name, found):
        for answer in found:
            if answer.status_code >= 400:
                assert is_page(answer), answer.text
                assert "alert" in {attributes.get("role") for _, attributes in parsed(answer).attributes}
                assert "www-authenticate" not in answer.headers
                assert answer.headers["x-request-id"] in answer.text

    hold(answers, rule)


def test_every_page_is_seen_by_some_answer(answers):
    """So that the tests above are of pages, and not of refusals only."""
    shown = {
        pattern for (_, pattern), found in answers.items() if any(is_page(one) and one.is_success for one in found)
    }

    assert shown >= {
        "/",
        "/docs",
        "/links/{token}",
        "/pages/sign-in",
        "/me",
        "/me/data",
        "/me/roles",
        "/me/sharing",
        "/account",
        "/provider",
        "/staff",
        "/staff/learners",
        "/staff/invitations",
        "/staff/learners/{person}",
        "/pages/work",
        "/t/{tenant}/achievements/{id}",
    }


def test_every_page_has_a_language_a_title_a_heading_and_fits_a_small_screen(answers):
    small = {"name": "viewport", "content": "width=device-width, initial-scale=1"}

    def rule(_pattern, _name, found):
        for answer in filter(is_page, found):
            page = parsed(answer)
            assert page.tags[0] == "doctype html"
            assert ("html", {"lang": "en"}) in page.attributes
            for tag in ("title", "h1", "main"):
                assert page.tags.count(tag) == 1, (tag, answer.text)
            assert page.texts["title"].strip()
            assert page.texts["h1"].strip()
            sizes = [told for tag, told in page.attributes if tag == "meta" and told.get("name") == "viewport"]
            assert sizes == [small]

    hold(answers, rule)


def test_no_other_address_answers_with_a_page(site):
    for (method, pattern), line in TABLE.items():
        if line.pages or pattern.startswith("/xapi") or (method, pattern) == ("POST", "/api/imports"):
            continue  # xAPI gives documents back as they came, as attachments
        for answer in site.answers(method, pattern):
            assert not is_page(answer), (method, pattern)


# -- refusals ---------------------------------------------------------------------------------------------------------


def text_of(answer):
    page = parsed(answer)
    return " ".join("".join(page.texts.values()).split())


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/staff/learners/none/none", 404, "There is nothing here"),
        ("/pages/work/retry", 405, "its buttons lead here"),
        ("/favicon.ico", 404, "There is nothing here"),
        ("/nowhere?lang=cy", 404, "Nid oes dim yma"),
        ("/nowhere?lang=cy", 404, "Nid oes dim yn y cyfeiriad hwn."),
        ("/xapi2/statements", 404, "the endpoint of xAPI is"),
        ("/nowhere?lang=cy", 404, "Dechreuwch ar y dudalen gyntaf"),
    ],
)
def test_a_browser_at_an_address_of_nothing_is_told_so_by_a_page(site, path, status, says):
    answer = site.client.get(site.lrs.address + path, headers=AS_BROWSER)

    assert (answer.status_code, is_page(answer)) == (status, True)
    assert says in text_of(answer)
    assert path.partition("?")[0] in text_of(answer)
    assert told(answer) == POLICIES["public"]
    assert answer.headers["vary"] == "accept"


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "text/html", "Authorization": "Basic eDp5"}])
def test_a_program_at_an_address_of_nothing_is_told_so_in_json(site, headers):
    answer = site.client.get(f"{site.lrs.address}/xapi2/statements", headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert "the endpoint of xAPI is" in answer.json()["message"]
    file = site.client.get(f"{site.lrs.address}/static/none.css", headers=headers)
    assert (file.status_code, file.json()["error"]) == (404, "not_found")


def test_a_refusal_says_what_happened_where_what_to_do_and_the_number_of_the_request(site):
    answer = site.client.get(f"{site.lrs.address}/t/default/achievements/none", headers=AS_BROWSER)

    text = text_of(answer)
    assert answer.status_code == 404
    assert "There is no such achievement." in text
    assert "/t/default/achievements/none" in text
    assert "Check the address" in text
    assert answer.headers["x-request-id"] in text
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_learner_is_shown_no_address_of_a_link_for_it_is_a_secret(site):
    answer = site.client.get(f"{site.lrs.address}/links/{site.named['token'][:-1]}", headers=AS_BROWSER)

    assert answer.status_code == 404
    assert site.named["token"][:-1] not in answer.text
    assert "Ask whoever sent you the link for a new one." in text_of(answer)


# -- policies ---------------------------------------------------------------------------------------------------------


def test_a_page_that_others_may_frame_names_them_and_says_nothing_that_forbids_it():
    headers = PagePolicy(framed_by=("https://moodle.example", "http://localhost:8081")).headers("n")

    assert headers == {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'nonce-n'; script-src 'nonce-n'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; "
            "frame-ancestors https://moodle.example http://localhost:8081; base-uri 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
    }


def test_who_may_frame_a_page_can_be_known_only_when_somebody_asks_and_its_refusals_are_framed_too(site):
    def framed(request: Request):
        exchange_of(request).policy = replace(policy_of(request), framed_by=("https://moodle.example",))
        raise Refused("not now", status=503)

    add_route(site.lrs.app, "GET", "/framed", framed, PolicyLine(PUBLIC, pages="public"))
    answer = site.client.get(f"{site.lrs.address}/framed", headers=AS_BROWSER)

    assert (answer.status_code, is_page(answer)) == (503, True)
    assert "frame-ancestors https://moodle.example;" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "'self'",
        "moodle.example",
        "https://",
        "https://moodle.example/",
        "https://a.example b.example",
        "https://a.example; script-src *",
        "https://a.example\r\nX: y",
        "https://a.example\n",
        "javascript:alert(1)",
    ],
)
def test_only_an_origin_may_frame_a_page(origin):
    with pytest.raises(ValueError, match="is no origin"):
        PagePolicy(framed_by=(origin,))


def test_pages_that_the_table_names_and_no_room_hands_in_stop_the_start():
    table = {("GET", "/a"): PolicyLine(PUBLIC, pages="public"), ("GET", "/b"): PolicyLine(PUBLIC, pages="guests")}

    with pytest.raises(LookupError, match="'guests', 'lti', 'me', 'operator', 'roles', 'shared', 'staff', 'verify'"):
        FastAPIMount(None, table, PAGES, None, PAGES["public"])


def test_the_page_for_who_adds_a_page_knows_every_audience_and_every_policy():
    rows = (Path(__file__).parents[2] / "docs" / "adding-a-page.md").read_text()

    audiences = re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)
    names = re.findall(r"^\|[^|]*\|[^|]*\| `(\w+)` \|", rows, re.MULTILINE)
    folders = {path.name for path in TEMPLATES.iterdir()} - {"shared"}
    assert (sorted(audiences), sorted(names)) == (sorted(folders), sorted(PAGES))


def test_where_the_table_names_no_pages_none_is_answered(site):
    def stray(request: Request):
        told = dict.fromkeys(("own", "operator", "product", "version"), "")
        return page(request, "public/front.html", places=front.places("", ""), **told)

    add_route(site.lrs.app, "GET", "/stray", stray, PolicyLine(PUBLIC))
    without = site.client.get(f"{site.lrs.address}/stray", headers=AS_BROWSER)
    let_in(site.lrs.app, "GET", "/stray", PolicyLine(PUBLIC, pages="public"))
    named = site.client.get(f"{site.lrs.address}/stray", headers=AS_BROWSER)

    assert (without.status_code, without.json()["error"]) == (500, "internal_error")
    assert (named.status_code, is_page(named)) == (200, True)
