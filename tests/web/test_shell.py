"""The shell: what a path leads to, and that no route answers whom its line of the table of rights did not let in."""

import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse

from lrs.access.policy.lines import PUBLIC, PolicyLine
from lrs.access.policy.table import TABLE
from lrs.tenancy import states
from lrs.web.addresses import Addresses, check
from lrs.web.framework import _Guarded, guarded
from lrs.web.late import Router
from lrs.web.refusals import newest
from tests.programs import until
from tests.served import add_route, serving, statement, take_in


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("shell")) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "tenant", "base", "route", "counted"),
    [
        ("/pages/work", "default", "", "/pages/work", "/pages/work"),
        ("/t/one/pages/work", "one", "/t/one", "/pages/work", "/pages/work"),
        ("/t/one/", "one", "/t/one", "/", "/"),
        ("/t/one", "one", "/t/one", "", "other"),
        ("/t/one/pages/", "one", "/t/one", "", "other"),
        ("/t/one/did.json", "one", "", "/t/{tenant}/did.json", "/t/{tenant}/did.json"),
        ("/did.json", "default", "", "", "other"),
        ("/health", "default", "", "/health", "/health"),
        ("/t/one/health", "one", "", "", "other"),
        ("/t/one/t/two/did.json", "one", "", "", "other"),
        ("/t/ONE/pages/work", "default", "", "", "other"),
        ("/staff/learners/", "default", "", "", "other"),
        ("/staff/learners/a/b", "default", "", "", "other"),
        ("/pages/work\n", "default", "", "", "other"),
        ("/staff/learners/a\n", "default", "", "", "other"),
        ("/t/one/pages/work\n", "default", "", "", "other"),
    ],
)
def test_a_path_leads_to_one_line_at_one_place(path, tenant, base, route, counted):
    place = Addresses(TABLE).place(path)

    assert (place.tenant, place.base, place.route, place.counted) == (tenant, base, route, counted)


def test_named_parts_of_a_path_are_told():
    place = Addresses(TABLE).place("/t/one/api/profiles/17/badges/b%2Fc")

    assert (place.route, place.named) == ("/api/profiles/{subject}/badges/{badge}", {"subject": "17", "badge": "b%2Fc"})


def test_a_route_without_a_line_and_a_line_without_a_route_stop_the_start():
    table = {("GET", "/a"): PolicyLine(PUBLIC), ("GET", "/b"): PolicyLine(PUBLIC)}

    check(table, [("GET", "/a"), ("GET", "/b")])

    with pytest.raises(LookupError, match=r"no line in the table of rights for \[\('POST', '/a'\)\]"):
        check(table, [("GET", "/a"), ("GET", "/b"), ("POST", "/a")])
    with pytest.raises(LookupError, match=r"but no route: \[\('GET', '/b'\)\]"):
        check(table, [("GET", "/a")])


def test_a_route_that_the_framework_finds_by_itself_answers_nothing(lrs):
    take_in(lrs.app, "GET", "/unlisted", lambda: "secret")

    answer = lrs.clients[0].get(f"{lrs.address}/unlisted")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("tenant", ["A", "\u00e4", "%2e", "%0A", "a%0A", "a_b", "-a", "a" * 41, "{tenant}", "nobody"])
@pytest.mark.parametrize(
    "rest", ["did.json", "status/1", "achievements/a", "credentials/a", "pages/work", "links/a", ""]
)
def test_a_tenant_name_that_can_be_none_leads_nowhere(lrs, tenant, rest):
    assert lrs.clients[0].get(f"{lrs.address}/t/{tenant}/{rest}").status_code == 404


ODD = ("a", "A", "\u00e4", "%2e", "%0A", "a%0A", "%2F", "%00")
ENDS = ("/", "%0A", "/%0A", "%0A/", "%2F")


def test_no_odd_path_makes_the_server_fail(lrs):
    patterns = sorted({pattern for _, pattern in TABLE})
    paths = sorted({re.sub(r"\{\w+\}", ODD[n % len(ODD)], pattern) for n, pattern in enumerate(patterns)})
    asked = [
        (method, f"{'' if n % 3 else '/t/default'}{path}{end}")
        for n, path in enumerate(paths)
        for method, end in (("GET", ""), ("GET", ENDS[n % len(ENDS)]), ("POST", ENDS[(n + 2) % len(ENDS)]))
    ]

    answers = {one: lrs.clients[0].request(one[0], lrs.address + one[1]).status_code for one in asked}

    assert {one: status for one, status in answers.items() if status >= 500} == {}


def test_whatever_was_asked_nothing_stays_inside_and_no_tenant_is_held(lrs):
    states.create(lrs.tenant.settings, lrs.app.tenants.control, "visited", "")
    asked = [
        ("POST", "/xapi/statements", {"json": statement(), "auth": lrs.auth}),
        ("POST", "/xapi/statements", {"content": b"{"}),
        ("GET", "/xapi/about", {}),
        ("POST", "/oauth/token", {"data": {"grant_type": "client_credentials"}}),
        ("POST", "/pages/sign-in", {"data": {"key": "k", "secret": "s"}}),
        ("POST", "/api/imports?adapter=training-centre", {"content": b"a,b"}),
        ("GET", "/nothing", {}),
    ]

    for base in ("", "/t/visited"):
        for method, path, more in asked:
            lrs.clients[0].request(method, f"{lrs.address}{base}{path}", **more)

    limits = (lrs.app.admission.memory, lrs.app.admission.work, lrs.app.admission.files, lrs.app.admission.answers)
    until(lambda: not any(limit.inside for limit in limits), "all to be given back")
    assert lrs.app.tenants.opened("visited")
    until(lambda: lrs.app.tenants.trim(idle=0.0) or not lrs.app.tenants.opened("visited"), "the tenant to be closed")


def test_a_route_answers_nobody_who_was_let_in_by_the_line_of_another(lrs):
    add_route(lrs.app, "GET", "/things/{id}", lambda: "secret", PolicyLine(PUBLIC))
    add_route(lrs.app, "GET", "/things/mine", lambda: "mine", PolicyLine(PUBLIC))

    answer = lrs.clients[0].get(f"{lrs.address}/things/mine")

    assert (answer.status_code, "secret" in answer.text) == (500, False)


def test_every_route_of_the_application_is_guarded_so_that_what_the_table_leaves_out_answers_nothing(lrs):
    assert {type(route.app) for route in lrs.app.api.routes} == {_Guarded}


def test_a_router_in_a_room_s_router_is_refused_at_the_start():
    room, inner = Router(), Router()
    inner.add_api_route("/things", lambda: "things")
    room.include_router(inner)

    with pytest.raises(TypeError, match="is no route"):
        list(guarded(room.routes))


@pytest.mark.parametrize(
    ("path", "to"), [("/t/default", "/t/default/"), ("/pages/", "/pages"), ("/t/default/pages/", "/t/default/pages")]
)
def test_with_a_slash_more_or_less_a_page_is_found_where_it_is(lrs, path, to):
    answer = lrs.clients[0].get(lrs.address + path)

    assert (answer.status_code, answer.headers["location"]) == (307, lrs.address + to)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/t/nobody/pages/work", "text/html; charset=utf-8"),
        ("/t/nobody/", "text/html; charset=utf-8"),
        ("/links/none", "text/html; charset=utf-8"),
        ("/t/nobody/links/none", "text/html; charset=utf-8"),
        ("/t/nobody/api/roles", "application/json"),
    ],
)
def test_a_refusal_before_the_route_is_a_page_where_the_route_is_one(lrs, path, kind):
    answer = lrs.clients[0].get(lrs.address + path, headers={"Accept": "text/html"})

    assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
    assert answer.headers["x-request-id"]


def test_at_an_address_for_everybody_a_program_is_refused_in_json(lrs):
    answer = lrs.clients[0].get(f"{lrs.address}/t/nobody/", headers={"Accept": "*/*"})

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_an_answer_that_fails_after_its_head_is_broken_off_and_logged(lrs):
    def half():
        yield b"one half"
        raise RuntimeError("the other half is lost")

    add_route(lrs.app, "GET", "/half", lambda: StreamingResponse(half()), PolicyLine(PUBLIC))

    with pytest.raises(httpx.RemoteProtocolError):
        lrs.clients[0].get(f"{lrs.address}/half")


def test_a_body_that_is_broken_off_is_a_refusal_and_no_fault_of_the_server(tmp_path, capfd):
    async def reading(request: Request):
        return len(await request.body())

    with serving(tmp_path) as lrs:
        add_route(lrs.app, "POST", "/reading", reading, PolicyLine(PUBLIC))
        parts = urlsplit(lrs.address)

        with socket.create_connection((parts.hostname, parts.port)) as raw:
            raw.sendall(b"POST /reading HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")

        until(lambda: newest(tmp_path, 9), "the refusal")
        assert [(one.status, one.error) for one in newest(tmp_path, 9)] == [(400, "broken_off")]
    assert "request failed" not in "".join(capfd.readouterr())
