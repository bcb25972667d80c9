"""What a badge points to, as verifiers in browsers ask for it: HEAD, OPTIONS, and refusals that they may read."""

import pytest

from tests.badges.made import badge_in, put_award, run_issue
from tests.served import serving


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("public"), public_url="https://skills.example.org") as lrs:
        put_award(lrs.tenant)
        run_issue(lrs.tenant)
        badge, said = badge_in(lrs.tenant)
        listed = said["credentialStatus"]["statusListCredential"].rpartition("/")[2]
        achievement = said["credentialSubject"]["achievement"]["id"].rpartition("/")[2]
        lrs.there = ["did.json", f"status/{listed}", f"achievements/{achievement}"]
        lrs.badge = badge.id
        yield lrs


def ask(lrs, method, path, tenant="default", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lrs.clients[0].request(method, f"{lrs.address}/t/{tenant}/{path}", headers=named)


def test_head_is_answered_as_get_without_the_body(public):
    for path in public.there:
        got, head = ask(public, "GET", path), ask(public, "HEAD", path)

        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-length", "cache-control", "access-control-allow-origin"):
            assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/pages/sign-in"])
def test_head_is_answered_wherever_get_is(public, path):
    head = public.clients[0].head(public.address + path)

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_a_browser_that_asks_first_may_ask(public):
    for path in [*public.there, "status/none", "achievements/none"]:
        wanted = {"Origin": "https://verifier.example", "Access_Control_Request_Method": "GET"}
        answer = ask(public, "OPTIONS", path, **wanted, Access_Control_Request_Headers="x-trace")

        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
        assert answer.headers["access-control-allow-headers"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["status/none", "achievements/none"])
@pytest.mark.parametrize("tenant", ["default", "nobody"])
def test_a_refusal_may_be_read_by_any_origin_too(public, path, tenant):
    answer = ask(public, "GET", path, tenant, Origin="https://verifier.example")

    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405_and_may_be_read_too(public, method):
    for path in public.there:
        answer = ask(public, method, path)

        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.headers["access-control-allow-origin"] == "*"


def test_a_badge_itself_is_no_public_address(public):
    answer = ask(public, "GET", f"credentials/{public.badge}", Origin="https://verifier.example")

    assert answer.status_code == 401
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "type"),
    [
        ("application/json, text/html;q=0.1", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
def test_an_achievement_is_a_page_for_who_would_rather_have_one(public, accept, type):
    answer = ask(public, "GET", public.there[2], Accept=accept)

    assert answer.headers["content-type"] == type
    assert answer.headers["access-control-allow-origin"] == "*"
    is_page = type.startswith("text/html")
    assert answer.headers["vary"] == ("accept, accept-language, cookie" if is_page else "accept")
