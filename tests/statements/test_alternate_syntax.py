"""The alternate request syntax of 1.0.3: requests as forms. The numbers are those of the project's xAPI checklist."""

import base64
import json
from urllib.parse import urlencode

import pytest

from tests.served import new_id, statement

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(lrs, fields, method="GET", *, query=None, resource="statements", auth=..., version="1.0.3", headers=None):
    """A request in the alternate syntax."""
    content = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return lrs.ask(
        "POST",
        f"{resource}?{query or urlencode({'method': method})}",
        auth=auth,
        version=version,
        content=content,
        headers=FORM if headers is None else headers,
    )


def test_08_the_alternate_syntax_gets_puts_and_posts(lrs):
    put, posted = new_id(), new_id()

    assert form(lrs, {"statementId": put, "content": json.dumps(statement())}, "PUT").status_code == 204
    assert form(lrs, {"content": json.dumps(statement(id=posted))}, "POST").json() == [posted]
    assert form(lrs, {"statementId": put}).json()["id"] == put
    assert form(lrs, {"limit": "1"}).json().keys() == {"statements", "more"}


def test_08_credentials_and_version_may_be_form_fields_only(lrs):
    token = base64.b64encode(":".join(lrs.auth).encode()).decode()
    fields = {
        "statementId": new_id(),
        "content": json.dumps(statement()),
        "Authorization": f"Basic {token}",
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }

    assert form(lrs, fields, "PUT", auth=None, version=None).status_code == 204
    assert lrs.one(fields["statementId"])["id"] == fields["statementId"]


def test_08_a_form_field_beats_the_header(lrs):
    assert form(lrs, {"X-Experience-API-Version": "0.8", "limit": "1"}).status_code == 400
    assert form(lrs, {"Authorization": "Basic eDp5", "limit": "1"}).status_code == 401


@pytest.mark.parametrize(
    ("query", "fields", "headers"),
    [
        ("method=GET&limit=1", {}, None),
        ("method=GET&foo=bar", {}, None),
        ("method=PATCH", {}, None),
        ("method=HEAD", {}, None),
        ("method=", {}, None),
        ("method=GET&method=PUT", {}, None),
        ("method=PUT", {"content": "{}"}, None),
        ("method=GET", {"foo": "bar"}, None),
        ("method=GET", b'{"limit":1}', {"Content-Type": "application/json"}),
        ("method=POST", b'{"actor":{}}', None),
        ("method=GET", b"limit=%ff", None),
    ],
)
def test_08_misuse_of_the_alternate_syntax_is_400(lrs, query, fields, headers):
    assert form(lrs, fields, query=query, headers=headers).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_08_only_post_can_carry_another_method(lrs, method):
    answer = lrs.ask(method, "statements?method=POST", content=b"limit=1", headers=FORM)

    assert answer.status_code == 400


def test_08_in_2_0_there_is_no_alternate_syntax(lrs):
    statement_id = new_id()
    fields = {"statementId": statement_id, "content": json.dumps(statement())}

    answer = form(lrs, fields, "PUT", version="2.0.0")

    assert (answer.status_code, answer.json()["message"]) == (400, "xAPI 2.0 has no alternate request syntax")
    assert answer.headers["x-experience-api-version"] == "2.0.0"
    assert lrs.get(statementId=statement_id).status_code == 404
