"""What the resources of xAPI answer, told whole, headers too: documents, statements, agents and activities, and what they refuse."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.told.asking import ABOUT, ANN, BEN, COURSE, OTHER, PROFILE, STATE, Client, ids, multipart, of, void
from tests.xapi.statements.examples import GROUP, REGISTRATION, VERB


@pytest.fixture
def client(tmp_path: Path, draws: Any) -> Iterable[Client]:
    assert draws
    made = Client(tmp_path)
    yield made
    made.app.tenants.close()


def test_documents(client: Client, told: Any) -> None:
    ask = client.ask
    for path, query in (("activities/state", STATE), ("activities/profile", PROFILE), ("agents/profile", ABOUT)):
        name = "stateId" if "stateId" in query else "profileId"
        context = {key: value for key, value in query.items() if key != name}
        ask("GET", path, query)
        for body in (b'{"a": 1.0, "b": {"c": 1}}', b"text"):
            ask("PUT", path, query, body)
            ask("PUT", path, query, body, If_None_Match="*")
        ask("PUT", path, query, b"text", version="2.0.0")
        etag = ask("GET", path, query).headers["etag"]
        ask("PUT", path, query, b"other", If_Match='"wrong"')
        ask("PUT", path, query, b"plain", If_Match=f'"wrong", W/{etag}', Content_Type="Text/Plain; a=b")
        ask("POST", path, query, {"b": 2})
        ask("PUT", path, query, {"a": 1.0, "b": {"c": 1}}, If_Match="*")
        ask("POST", path, query, {"b": {"d": 2}, "e": [1]})
        ask("POST", path, query, [1])
        ask("POST", path, query, {"b": 2}, Content_Type="text/plain")
        ask("POST", path, query, {"f": "x" * 500})
        ask("POST", path, query, {"f": "x" * 900})
        ask("GET", path, query, If_None_Match="*")
        ask("HEAD", path, query)
        ask(
            "PUT",
            path,
            query | {name: "second"},
            b"\x00\xff",
            If_None_Match="*",
            Content_Type="application/octet-stream",
        )
        ask("GET", path, query | {name: "second"}, Origin="https://b.example")
        ask("GET", path, context)
        ask("GET", path, context | {"since": "2026-11-20T00:00:00Z"})
        ask("GET", path, context | {"since": "2027-11-20T00:00:00Z"})
        ask("GET", path, query | {"since": "2026-11-20T00:00:00Z"})
        ask("GET", path, {name: "x"})
        ask("GET", path, query | {name: ""})
        ask("GET", path, context | {"StateID": "x"})
        ask("GET", path, query | {"other": "x"})
        ask("PUT", path, context, b"x")
        ask("DELETE", path, query, If_Match='"wrong"')
        ask("DELETE", path, query)
        ask("DELETE", path, query)
        ask("DELETE", path, context, If_Match="*")
        ask("DELETE", path, context)
        ask("GET", path, context)
        ask("PATCH", path, query)
    told(str(client.story))


def test_documents_of_registrations_and_what_parameters_may_be(client: Client, told: Any) -> None:
    ask, path = client.ask, "activities/state"
    registered = STATE | {"registration": REGISTRATION.upper()}
    ask("PUT", path, STATE, b"without")
    ask("PUT", path, registered, b"with")
    ask("PUT", path, registered | {"stateId": "more"}, b"with")
    context = {"activityId": COURSE, "agent": ANN}
    ask("GET", path, STATE)
    ask("GET", path, registered)
    ask("GET", path, context)
    ask("GET", path, context | {"registration": REGISTRATION})
    ask("DELETE", path, context | {"registration": REGISTRATION})
    ask("GET", path, context)
    for wrong in (
        {"registration": "x"},
        {"agent": "x"},
        {"agent": "{}"},
        {"agent": json.dumps(GROUP)},
        {"activityId": "x"},
        {"since": "x"},
    ):
        ask("GET", path, context | wrong)
    ask("GET", "activities/profile", PROFILE | {"registration": REGISTRATION})
    ask("PUT", path, STATE, b"x", Content_Type="a" * 1_025)
    ask("PUT", path, STATE, b"x" * 901)
    ask("PUT", path, STATE, b"{", Content_Type="application/json")
    ask("PUT", path, STATE, b"x", by="vle")
    ask("GET", path, STATE, by="state")
    ask("GET", "activities/profile", PROFILE, by="state")
    ledger = {"activityId": "https://w3id.org/engraft/ledgers/centre", "profileId": "x"}
    ask("PUT", "activities/profile", ledger, b"x")
    ask("GET", "activities/profile", ledger)
    ask("GET", "activities/profile", ledger, by="state")
    told(str(client.story))


def test_statements(client: Client, told: Any) -> None:
    ask = client.ask
    ask("POST", "statements", (), of(1))
    ask("POST", "statements", (), [of(2, object={"id": OTHER}), of(3, actor=json.loads(BEN))], by="vle")
    ask("PUT", "statements", {"statementId": ids(4)}, of(4, context={"registration": REGISTRATION}))
    ask("PUT", "statements", {"statementId": ids(4)}, of(4, context={"registration": REGISTRATION}))
    ask("PUT", "statements", {"statementId": ids(4)}, of(4))
    ask("PUT", "statements", {"statementId": ids(5)}, of(4))
    ask("PUT", "statements", (), of(5))
    ask("POST", "statements", (), of(1, verb=VERB | {"id": OTHER}))
    for body in (
        [],
        [of(6), of(6)],
        [of(7), {}],
        [of(number) for number in range(20, 25)],
        b"",
        b"x",
        b'{"a":1,"a":2}',
        7,
    ):
        ask("POST", "statements", (), body)
    ask("POST", "statements", (), void(8, 2))
    ask("POST", "statements", (), void(9, 2))
    ask("POST", "statements", (), void(10, 8))
    ask("POST", "statements", (), void(11, 1), by="vle")
    for number in (12, 13):
        ask("POST", "statements", (), void(number, 3), by="vle")
    kept = client.tenant.store.get("statement", ids(3))
    client.story.say(f"the first who voided it stays: {kept.meta['voided']}, its {len(kept.meta['held'])} keys, too")
    for query in (
        {"statementId": ids(1)},
        {"statementId": ids(2)},
        {"voidedStatementId": ids(3)},
        {"voidedStatementId": ids(1)},
        {"statementId": ids(1), "format": "ids"},
        {"statementId": ids(1), "limit": "1"},
        {"statementId": ids(1), "voidedStatementId": ids(2)},
        {"statementId": "x"},
        {"format": "whole"},
        {"limit": "-1"},
        {"limit": "x"},
        {"since": "yesterday"},
        {"verb": "x"},
        {"ascending": "yes"},
        {"agent": BEN},
        {"activity": OTHER},
        {"registration": REGISTRATION},
        {"registration": "x"},
        {"StatementId": ids(1)},
        {"limit": "9", "ascending": "true", "format": "ids"},
        {"limit": "0", "format": "ids"},
        *("limit=1&limit=2", "%FF=1"),
    ):
        ask("GET", "statements", query)
    ask("GET", "statements", {"limit": "9"}, by="mine")
    ask("GET", "statements", {"statementId": ids(3)}, by="mine")
    ask("HEAD", "statements", {"statementId": ids(1)})
    ask("DELETE", "statements", {"statementId": ids(1)})
    told(str(client.story))


def test_pages_of_statements(client: Client, told: Any) -> None:
    ask = client.ask
    ask("POST", "statements", (), [of(number) for number in range(1, 5)])
    ask("POST", "statements", (), [of(number, object={"id": OTHER}) for number in range(5, 8)])
    for query in (
        {"format": "ids"},
        {"ascending": "true", "format": "ids"},
        {"activity": COURSE, "limit": "3", "format": "ids"},
    ):
        more = ask("GET", "statements", query).json()["more"]
        while more:
            more = ask("GET", more.removeprefix("/xapi/")).json().get("more", "")
    ask("GET", "statements", {"more": "x"})
    ask("GET", "statements/more/x")
    told(str(client.story))


def test_what_stands_beside_statements(client: Client, told: Any) -> None:
    ask = client.ask
    named = json.loads(ANN) | {"name": "Ann"}
    definition = {"name": {"en": "Course"}, "type": "https://a.example/type"}
    ask("POST", "statements", (), [of(1, actor=named, object={"id": COURSE, "definition": definition})])
    ask(
        "POST",
        "statements",
        (),
        [of(2, actor=named | {"name": "Ann Lee"}, object={"id": COURSE, "definition": {"name": {"cy": "Cwrs"}}})],
    )
    for path, query in (
        *(("activities", {"activityId": one}) for one in (COURSE, OTHER, "x")),
        *(("agents", {"agent": one}) for one in (ANN, BEN, "x", "{}", '{"name":"x"}')),
        *((one, {}) for one in ("activities", "agents", "about", "", "nothing", "statements/", "activities/state/x")),
    ):
        ask("GET", path, query)
    for version in ("", "0.95", "1.0", "1.0.9", "1.1.0", "2.0.0", "2.0", "2.1.0", "x"):
        ask("GET", "about", version=version)
        ask("GET", "activities", {"activityId": COURSE}, version=version)
    ask("GET", "about", by="nobody")
    ask("GET", "agents", {"agent": ANN}, by="nobody")
    ask("GET", "agents", {"agent": ANN}, by="nobody", Authorization="Basic eDp5")
    ask("GET", "agents", {"agent": ANN}, by="nobody", Authorization="Bearer x")
    ask("GET", "agents", {"agent": ANN}, by="vle")
    ask("OPTIONS", "statements", by="nobody", Origin="https://b.example", Access_Control_Request_Method="PUT")
    ask("OPTIONS", "statements", by="nobody")
    ask("GET", "statements", {"limit": "1", "format": "canonical"}, Accept_Language="cy")
    told(str(client.story))


def test_forms_in_the_place_of_headers(client: Client, told: Any) -> None:
    ask, form = client.ask, {"Content-Type": "application/x-www-form-urlencoded"}

    for method, fields in (
        ("PUT", {"statementId": ids(1), "content": json.dumps(of(1))}),
        ("GET", {"statementId": ids(1)}),
        ("GET", {"statementId": ids(1), "Authorization": ""}),
        ("DELETE", {}),
        ("POST", {"content": json.dumps(of(2))}),
        ("PUT", {"statementId": ids(3)}),
        ("PUT", {"statementId": ids(3), "content": "x", "Content-Type": "application/json"}),
        ("nothing", {}),
    ):
        told_of = {"X-Experience-API-Version": "1.0.3"} | fields
        body = "&".join(f"{name}={quote(value)}" for name, value in told_of.items())
        ask("POST", "statements", {"method": method}, body.encode(), **form)
    ask("GET", "statements", {"method": "PUT"})
    ask("POST", "statements", {"method": "GET", "x": "1"}, b"a=b", **form)
    ask("POST", "statements", {"method": "GET"}, b"\xff=b", **form)
    told(str(client.story))


def test_limits_of_requests(client: Client, told: Any) -> None:
    brief, state = client.brief, "activities/state"
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    padded = json.dumps(of(1)).encode()
    for size in (900, 901):
        brief(f"a document of {size}", "PUT", state, STATE, b"x" * size, Content_Type="text/plain")
        brief(f"of {size}, packed", "PUT", state, STATE, gzip.compress(b"x" * size), Content_Encoding="gzip")
        brief(f"merged of {size}", "POST", state, STATE | {"stateId": str(size)}, {"a": "x" * (size - 9)})
        for value in ({"a": "x" * (size - 14)}, {"b": 1}):
            brief(f"merged to {size}", "POST", state, STATE | {"stateId": f"to {size}"}, value)
        held = urlencode(STATE | {"content": "{}"}).encode()
        brief(f"in a form of {size}", "POST", state, {"method": "PUT"}, held + b" " * (size - len(held)), **form)
    for size in (2_000, 2_001):
        brief(f"a body of {size}", "POST", "statements", (), padded.ljust(size))
        brief(
            f"of {size}, deflated",
            "POST",
            "statements",
            (),
            zlib.compress(padded.ljust(size)),
            Content_Encoding="deflate",
        )
        brief(f"{size - 1_996} statements", "POST", "statements", (), [of(100 + n) for n in range(size - 1_996)])
    for coding, body in (
        *(
            ("gzip", b"x"),
            ("gzip", gzip.compress(b"x")[:-4]),
            ("br", b"x"),
            ("gzip, gzip", b"x"),
            ("identity", b"x"),
            ("X-GZIP", gzip.compress(b"x")),
        ),
        *(
            ("deflate", zlib.compress(b"x")[2:-4]),
            ("gzip", gzip.compress(b"x") + b"more"),
            ("gzip", gzip.compress(b"x") * 2),
        ),
    ):
        brief(
            f"{coding}, {len(body)} bytes",
            "PUT",
            state,
            STATE,
            body,
            Content_Encoding=coding,
            Content_Type="text/plain",
        )
    for count in (99, 100, 101):
        brief(f"{count} parameters", "GET", "about", "&".join(f"p{number}=1" for number in range(count)))
    for size in (2_000, 2_600):
        brief(f"a header of {size}", "GET", "about", X_Long="x" * size)
    for count, length in ((2, 100), (3, 100), (2, 1_100)):
        body, headers = multipart(count, length)
        brief(f"{count} attachments of {length}", "POST", "statements", (), body, **headers)
    for version in ("1.0.3", "2.0.0"):
        brief(f"a lone one by {version}", "POST", "statements", (), of(90, id=ids(90 + len(version))), version=version)
    told(str(client.story))
