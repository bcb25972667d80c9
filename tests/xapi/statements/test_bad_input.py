"""Bad input by name: each with its exact status and message, alone and in a batch, of which nothing is stored."""

import json

import pytest

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.xapi.statements.prepare import Terms, prepare
from tests.rows import each_of
from tests.served import new_id, statement

GOOD = json.dumps(statement())
IRI_WANTED = "an IRI with a scheme, such as https://example.com/thing"
TIME_WANTED = "an ISO 8601 date and time such as 2026-11-21T10:00:00.000Z"
DURATION_WANTED = "an ISO 8601 duration such as PT1H30M5.25S or P4W"


def extended(value):
    """A statement's text with *value* in an extension, in which key /result/extensions/x:y/0 is the place."""
    return json.dumps(statement(result={"extensions": {"x:y": ["VALUE"]}})).replace('"VALUE"', value).encode()


def replaced(old, new):
    return GOOD.replace(old, new, 1).encode()


BAD_JSON = {
    "not closed": (
        GOOD[:-1].encode(),
        None,
        f"The body is not valid JSON: Expecting ',' delimiter (line 1, column {len(GOOD)}).",
    ),
    "a trailing comma": (b'{"actor":1,}', None, None),
    "single quotes": (b"{'actor':1}", None, None),
    "two values": (b"{}{}", None, "The body is not valid JSON: Extra data (line 1, column 3)."),
    "nothing": (b"", None, "The body is empty; JSON was expected."),
    "blanks": (b" \r\n ", None, "The body is empty; JSON was expected."),
    "NaN": (
        extended("NaN"),
        "/result/extensions/x:y/0",
        "NaN is not JSON; leave the member out or send a number.",
    ),
    "Infinity": (
        extended("-Infinity"),
        "/result/extensions/x:y/0",
        "-Infinity is not JSON; leave the member out or send a number.",
    ),
    "too large a number": (
        extended("1e400"),
        "/result/extensions/x:y/0",
        "This number is outside the range of a double (about ±1.8e308).",
    ),
    "a lone surrogate": (
        extended(r'"\ud83d"'),
        "/result/extensions/x:y/0",
        "Half of a surrogate pair stands alone in this text.",
    ),
    "a lone surrogate in a key": (
        extended(r'{"\udc00":1}'),
        "/result/extensions/x:y/0",
        "Half of a surrogate pair stands alone in a key of this object.",
    ),
    "a byte order mark": (
        b"\xef\xbb\xbf" + GOOD.encode(),
        None,
        "The body starts with a byte order mark; send UTF-8 without one.",
    ),
    "UTF-16": (GOOD.encode("utf-16-le"), None, "The body is not UTF-8; it looks like UTF-16 or UTF-32."),
    "Latin-1": (b'{"a":"\xe9"}', None, "The body is not UTF-8: byte 6 cannot be decoded."),
    "a bare control character": (extended('"\x01"'), None, None),
    "a key twice": (
        replaced('{"actor"', '{"verb":{"id":"x:a"},"actor"'),
        "",
        'The key "verb" stands more than once in this object.',
    ),
    "a key twice, escaped": (
        extended(r'{"a":1,"\u0061":2}'),
        "/result/extensions/x:y/0",
        'The key "a" stands more than once in this object.',
    ),
    "too deep": (extended("[" * 100 + "]" * 100), None, "The JSON is nested deeper than 100 levels."),
    "bottomless": (b"[" * 100_000, None, None),
    "bottomless objects": (b'{"a":' * 100_000, None, None),
}
BAD_STATEMENTS = {
    "an IRI": (
        {"verb": {"id": "experienced"}},
        "/verb/id",
        f'The verb\'s id must be {IRI_WANTED}; "experienced" is not.',
    ),
    "a timestamp": (
        {"timestamp": "21.11.2026"},
        "/timestamp",
        f'The timestamp must be {TIME_WANTED}; "21.11.2026" is not.',
    ),
    "a duration": (
        {"result": {"duration": "P4W1D"}},
        "/result/duration",
        f'The result\'s duration must be {DURATION_WANTED}; "P4W1D" is not.',
    ),
    "a language tag": (
        {"verb": {"id": "x:v", "display": {"something": "x"}}},
        "/verb/display/something",
        'The verb\'s display has the key "something"; it must be a language tag such as en or de-AT.',
    ),
    "a language": (
        {"context": {"language": "a12345678"}},
        "/context/language",
        'The context\'s language must be a language tag such as en or de-AT; "a12345678" is not.',
    ),
    "null": (
        {"result": None},
        "/result",
        "The result is null; leave it out instead. It must be an object.",
    ),
    "an unknown key": (
        {"foo": 1},
        "/foo",
        (
            'A statement must not have "foo"; allowed are actor, verb, object, result, context, timestamp, attachments,'
            " id, stored, authority, version."
        ),
    ),
    "a key in the wrong case": (
        {"Timestamp": "2026-11-21T10:00:00Z"},
        "/Timestamp",
        'Write "timestamp", not "Timestamp": keys are case-sensitive.',
    ),
    "a number as text": (
        {"result": {"score": {"raw": "100"}}},
        "/result/score/raw",
        "The score's raw must be a number (without quotes), not a text.",
    ),
    "an address of a person": (
        {"actor": {"mbox": "ada@example.org"}},
        "/actor/mbox",
        "The mbox must be mailto: and an e-mail address, as in mailto:name@example.com.",
    ),
}


def refused(lrs, body, batch_of=None):
    """The refusal of *body*; if it stands second in a batch, the first one must not be stored."""
    if batch_of is None:
        answer = lrs.post(body)
    else:
        first = statement(id=new_id())
        answer = lrs.post(b"[%s,%s]" % (json.dumps(first).encode(), body))
        assert lrs.get(statementId=first["id"]).status_code == 404
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    return answer.json()


@each_of("name", BAD_JSON)
def test_bad_json_is_refused_with_its_place(lrs, name):
    body, pointer, message = BAD_JSON[name]

    said = refused(lrs, body)

    assert said["error"] == "invalid_json"
    assert pointer is None or said["pointer"] == pointer
    assert message is None or said["message"] == message


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_in_a_batch_stores_nothing(each_lrs, name):
    body, pointer, _ = BAD_JSON[name]
    if name in ("nothing", "blanks"):
        body = b" "

    said = refused(each_lrs, body, batch_of=2)

    assert said["error"] == "invalid_json"
    assert pointer is None or (said["pointer"], said["index"]) == (f"/1{pointer}", 1)


@each_of("name", BAD_STATEMENTS)
def test_a_bad_statement_is_refused_with_its_place_and_rule(lrs, name):
    parts, pointer, message = BAD_STATEMENTS[name]
    body = json.dumps(statement(**parts)).encode()

    said = refused(lrs, body)

    assert (said["error"], said["pointer"], said["message"]) == ("invalid_statement", pointer, message)
    assert said["rule"].startswith("xAPI 1.0.3 Data ")


@each_of("name", BAD_STATEMENTS)
def test_a_bad_statement_in_a_batch_is_named_and_nothing_is_stored(lrs, name):
    parts, pointer, message = BAD_STATEMENTS[name]

    said = refused(lrs, json.dumps(statement(**parts)).encode(), batch_of=2)

    assert (said["pointer"], said["index"], said["message"]) == (f"/1{pointer}", 1, message)


@pytest.mark.parametrize("body", [b"5", b'"x"', b"null", b"true"])
def test_a_body_that_is_neither_statement_nor_list_is_refused(lrs, body):
    said = refused(lrs, body)

    assert (said["pointer"], said["message"]) == (
        "",
        "the body must be a statement or an array of statements",
    )


def test_an_item_that_is_no_object_is_named(lrs):
    said = refused(lrs, b"[]", batch_of=2)

    assert (said["pointer"], said["index"]) == ("/1", 1)
    assert said["message"] == "A statement must be an object, not a list."


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0"),
        ("0.95", "X-Experience-API-Version '0.95' is not supported: send 1.0.x or 2.0.x"),
        ("x" * 500, f"X-Experience-API-Version '{'x' * 20}' is not supported: send 1.0.x or 2.0.x"),
    ],
)
def test_a_wrong_or_missing_version_is_refused(lrs, version, message):
    answer = lrs.post(one := statement(id=new_id()), version=version)

    assert (answer.status_code, answer.json()["message"]) == (400, message)
    assert answer.json()["rule"] == "xAPI 1.0.3 Communication 3.3"
    assert lrs.get(statementId=one["id"]).status_code == 404


def test_an_unknown_key_and_a_wrong_scope_are_refused(lrs):
    one, reader = statement(id=new_id()), lrs.as_key("statements/read")

    unknown = lrs.post(one, auth=("default.0123456789abcdef", "secret"))
    forbidden = reader.post(one)

    assert (unknown.status_code, unknown.json()["message"]) == (
        401,
        "the credentials are wrong: send HTTP Basic with an API key and its secret",
    )
    assert (forbidden.status_code, forbidden.json()["message"]) == (
        403,
        "this key may not POST statements: it needs the scope all or statements/write",
    )
    assert (unknown.json()["error"], forbidden.json()["error"]) == ("unauthorized", "forbidden")
    assert lrs.get(statementId=one["id"]).status_code == 404


def test_bad_json_outside_a_list_has_no_index(lrs):
    said = refused(lrs, b'{"7":NaN}')

    assert said["pointer"] == "/7"
    assert "index" not in said


RULES = {
    "an unknown parameter": ({"foo": "1"}, "Communication 3.2", "4.1.5"),
    "statementId beside a filter": ({"statementId": new_id(), "limit": "1"}, "Communication 2.1.3", "4.1.6.1"),
}


@pytest.mark.parametrize("name", RULES)
def test_a_refused_query_names_the_rule_of_the_caller_s_version(lrs, name):
    params, old, new = RULES[name]

    assert lrs.get(**params).json()["rule"] == f"xAPI 1.0.3 {old}"
    assert lrs.get(version="2.0.0", **params).json()["rule"] == f"IEEE 9274.1.1 {new}"


@pytest.mark.parametrize(
    ("type", "old", "new"),
    [
        ("text/plain", "Communication 1.5", "4.1.3"),
        ("multipart/mixed", "Communication 1.5.2", "4.1.3"),
        ("multipart/mixed; boundary=b", "Communication 1.5.2", "4.1.3"),
    ],
)
def test_a_refused_body_names_the_rule_of_the_caller_s_version(lrs, type, old, new):
    body = b"--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n--b--\r\n"

    assert lrs.post(body, type=type).json()["rule"] == f"xAPI 1.0.3 {old}"
    assert lrs.post(body, type=type, version="2.0.0").json()["rule"] == f"IEEE 9274.1.1 {new}"


@pytest.mark.parametrize(
    ("version", "several", "one"),
    [
        ("1.0.3", "xAPI 1.0.3 Communication 2.1.2", "xAPI 1.0.3 Communication 2.1.1"),
        ("2.0.0", "IEEE 9274.1.1 4.1.6.1", "IEEE 9274.1.1 4.1.6.1"),
    ],
)
def test_a_body_that_is_no_statement_or_several_in_a_put_names_its_rule(lrs, version, several, one):
    assert lrs.post(b"5", version=version).json()["rule"] == several
    assert lrs.put([statement()], new_id(), version=version).json()["rule"] == one


def test_a_missing_or_repeated_parameter_names_its_rule(lrs):
    missing = lrs.ask("PUT", "statements", content=b"{}", headers={"Content-Type": "application/json"})
    repeated = lrs.ask("GET", "statements?limit=1&limit=1", version="2.0.0")

    assert missing.json()["rule"] == "xAPI 1.0.3 Communication 3.2"
    assert repeated.json()["rule"] == "IEEE 9274.1.1 4.1.5"


def test_no_refusal_repeats_whose_statement_it_was(lrs):
    for wrong in (
        statement(actor={"mbox": "mailto:ada lovelace@example.org"}),
        statement(actor={"mbox": "mailto:ada@example.org", "openid": "https://ada.example"}),
        statement(actor={"account": {"homePage": "ada@example", "name": "ada"}}),
        statement(actor={"ada@example.org": 1}),
        statement(context={"ada@example.org": 1}),
    ):
        refused = lrs.post(wrong)
        assert "ada" not in refused.text.replace(refused.json()["requestId"], "")  # which is random


@pytest.mark.parametrize("body", [b"{", b"[{]", b'{"actor":1}', b'[{"actor":1}]'])
def test_a_refusal_keeps_nothing_alive_that_it_has_passed_through(body):
    caller = Caller("key tests", "tests", b"{}", rights_of_key({"all"}), "default", KEY)

    with pytest.raises(Refused) as caught:
        prepare(caller, "1.0.3", body, Terms(Settings(), {}))

    causes = [caught.value]
    while causes[-1].__cause__ is not None and len(causes) < 10:
        causes.append(causes[-1].__cause__)
    assert len({id(one) for one in causes}) == len(causes) < 10
