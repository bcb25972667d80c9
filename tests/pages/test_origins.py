"""Where forms may come from, on which host pages are, and what no header of a request can change."""

import re

import msgspec
import pytest

from lrs.kernel.settings import Settings
from lrs.matching.consent import links
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import Wish
from lrs.outbox.deliveries import KIND
from lrs.outbox.mail import Mail
from lrs.serving.server import hosts_of_demo
from lrs.storage import each
from lrs.tenancy.pages import pages_address
from lrs.web.origins import is_on_content_host, is_on_content_host_of
from tests.matching.world import put_person, put_service
from tests.pages.conftest import Browser, Site, text_of

FORGED = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
FORGED |= {"X-Forwarded-For": "10.0.0.1", "Forwarded": "host=evil.example;proto=https", "X-Forwarded-Prefix": "/evil"}


def settings(**given):
    return Settings(data="nowhere", **given)


# -- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://lrs.test"}, False),
        ({"Origin": "http://lrs.test"}, True),
        ({"Origin": "null"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://lrs.test.evil.example"}, False),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/learner", "/pages/sign-in", "/invitation/x", "/sign-out"])
def test_a_form_is_taken_from_our_own_pages_only(quiet, path, headers, is_taken):
    answer = quiet.browser.ask("POST", path, data={"form": "x"}, headers=headers)

    assert ("This form was sent by a page that is not ours." in text_of(answer)) is not is_taken


def test_behind_a_proxy_that_changes_the_host_the_configured_address_is_ours(tmp_path):
    site = Site(tmp_path, public_url="https://lrs.example.org")

    ours = site.browser.ask("POST", "/sign-in", headers={"Origin": "https://lrs.example.org", "Host": "127.0.0.1:8080"})
    others = site.browser.ask("POST", "/sign-in", headers={"Origin": "http://lrs.example.org", "Host": "127.0.0.1"})
    site.close()

    assert "a page that is not ours" not in text_of(ours)
    assert "a page that is not ours" in text_of(others)


# -- forged headers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("public_url", [None, "https://lrs.example.org/engraft"])
def test_forged_headers_change_no_link_no_redirect_and_no_cookie(tmp_path, public_url):
    site = Site(tmp_path, public_url=public_url)
    put_person(site.tenant, "mailto:ann@example.org")
    page = site.browser.ask("GET", "/sign-in/learner", headers=FORGED)
    plain = Browser(site.app).get("/sign-in/learner")
    cookie = page.headers["set-cookie"].partition(";")[0]
    form = re.search(r'name="form" value="([^"]+)"', page.text)[1]
    given = {"form": form, "email": "ann@example.org"}
    site.browser.ask("POST", "/sign-in/learner", data=given, headers=FORGED | {"Cookie": cookie})
    led = site.browser.ask("GET", "/pages/work", headers=FORGED)
    site.tenant.store.write(lambda _: None).result()
    links = [mail.values["link"] for mail in mails(site)]
    site.close()

    parts = [re.sub(r"=[^;]+", "", answer.headers["set-cookie"], count=1) for answer in (page, plain)]
    assert parts[0] == parts[1]
    assert [link.partition("/sign-in/")[0] for link in links] == [public_url or "http://127.0.0.1:8080"]
    prefix = "/engraft" if public_url else ""
    assert led.headers["location"] == f"{prefix}/sign-in?then={prefix}/pages/work"
    assert "evil" not in page.text


def mails(site):
    return [msgspec.json.decode(one.body, type=Mail) for one in each(site.tenant.store, KIND)]


def test_behind_https_a_cookie_is_one_that_no_other_host_can_set(tmp_path):
    site = Site(tmp_path, public_url="https://lrs.example.org/engraft")
    wish = Wish(Subject(identifier="somebody"))
    link = links.mint(site.tenant, put_service(site.tenant).service, wish, id="a-link", by="service test")

    told = site.browser.get("/sign-in").headers["set-cookie"]
    of_consent = site.browser.get(links.address(site.tenant, link, "")).headers["set-cookie"]
    site.close()

    name, *parts = [part.strip() for part in told.split(";")]
    assert name.startswith("__Host-engraft.default.form=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=lax"} <= set(parts)
    assert not any(part.lower().startswith("domain") for part in parts)
    assert of_consent.startswith("consent=")
    assert of_consent.endswith("; Secure")


# -- hosts ------------------------------------------------------------------------------------------------------------

TWO = {"pages_url": "http://127.0.0.1:8080", "content_url": "http://localhost:8080"}


def test_pages_are_not_on_the_host_of_content_and_a_browser_is_led_to_them(tmp_path):
    site = Site(tmp_path, **TWO)

    led = site.browser.ask("GET", "/sign-in", headers={"Host": "localhost:8080"})
    sent = site.browser.ask("POST", "/sign-in", headers={"Host": "LOCALHOST"})
    there = site.browser.ask("GET", "/sign-in", headers={"Host": "127.0.0.1:8080"})
    front = site.browser.ask("GET", "/", headers={"Host": "localhost:8080"})
    xapi = site.browser.ask("GET", "/xapi/about", headers={"Host": "localhost:8080"})
    site.close()

    assert (led.status_code, led.headers["location"]) == (307, "http://127.0.0.1:8080/sign-in")
    assert "set-cookie" not in led.headers
    assert (sent.status_code, there.status_code, front.status_code, xapi.status_code) == (421, 200, 200, 200)


@pytest.mark.parametrize(
    "given",
    [
        {"pages_url": "https://lrs.example.org", "content_url": "https://lrs.example.org"},
        {"pages_url": "https://lrs.example.org", "content_url": "https://LRS.example.org:8443"},
        {"public_url": "https://lrs.example.org/engraft", "content_url": "https://lrs.example.org"},
    ],
)
def test_one_host_for_pages_and_content_refuses_the_start(given):
    with pytest.raises(ValueError, match="has the host of the pages"):
        settings(**given)


@pytest.mark.parametrize("name", ["pages_url", "content_url"])
@pytest.mark.parametrize(
    "url", ["lrs.example.org", "https://a.example/path", "https://a.example?x", "ftp://a", "https://a@b"]
)
def test_an_address_of_pages_or_content_is_scheme_host_and_port(name, url):
    with pytest.raises(ValueError, match=r"no address of a server|has a path"):
        settings(**{name: url})


@pytest.mark.parametrize(
    ("given", "tenant", "root"),
    [
        ({}, "default", "http://127.0.0.1:8080"),
        ({}, "acme", "http://127.0.0.1:8080/t/acme"),
        ({"public_url": "https://a.example/engraft/"}, "acme", "https://a.example/engraft/t/acme"),
        (
            {"public_url": "https://a.example/engraft", "pages_url": "https://b.example/"},
            "default",
            "https://b.example/engraft",
        ),
    ],
)
def test_the_pages_are_at_the_configured_address_or_on_this_machine(given, tenant, root):
    assert pages_address(settings(**given), tenant) == root


def test_the_demonstration_keeps_pages_and_content_apart_unless_it_is_told_where_they_are():
    assert hosts_of_demo("127.0.0.1", 8080, {}) == {
        "LRS_PAGES_URL": "http://127.0.0.1:8080",
        "LRS_CONTENT_URL": "http://localhost:8080",
    }
    assert hosts_of_demo("127.0.0.1", 8080, {"LRS_PUBLIC_URL": "https://a.example"}) == {}
    assert hosts_of_demo("0.0.0.0", 8080, {}) == hosts_of_demo("127.0.0.1", 0, {}) == {}


# -- a host for each tenant -------------------------------------------------------------------------------------------

OF_EACH = "https://{tenant}.content.example.org:8443"


@pytest.mark.parametrize(
    ("host", "is_any", "is_norths"),
    [
        ("north.content.example.org", True, True),
        ("NORTH.content.example.org:8443", True, True),
        ("south.content.example.org", True, False),
        ("a.north.content.example.org", False, False),
        ("content.example.org", False, False),
        (".content.example.org", False, False),
        ("northcontent.example.org", False, False),
        ("lrs.example.org", False, False),
    ],
)
def test_the_content_of_each_tenant_has_a_host_of_its_own(host, is_any, is_norths):
    given = settings(pages_url="https://lrs.example.org", content_url=OF_EACH)

    assert given.content_origin("north") == "https://north.content.example.org:8443"
    assert is_on_content_host({"host": host}, given) is is_any
    assert is_on_content_host_of("north", {"host": host}, given) is is_norths


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"content_url": "https://content.{tenant}.example.org"}, "must be the first part"),
        ({"content_url": "https://a{tenant}.example.org"}, "must be the first part"),
        ({"content_url": "https://{tenant}"}, "must be the first part"),
        ({"pages_url": "https://{tenant}.example.org"}, "LRS_CONTENT_URL only"),
        (
            {"pages_url": "https://lrs.example.org", "content_url": "https://{tenant}.example.org"},
            "the host of the pages",
        ),
    ],
)
def test_the_name_of_the_tenant_stands_in_front_and_never_makes_the_host_of_the_pages(given, why):
    with pytest.raises(ValueError, match=why):
        settings(**given)
