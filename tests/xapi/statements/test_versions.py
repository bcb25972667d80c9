"""What differs between 1.0.3 and 2.0 on the one endpoint: each row of the project's xAPI checklist, section 1."""

import json
from email.utils import parsedate_to_datetime
from hashlib import sha1
from urllib.parse import urlencode

import pytest

from tests.rows import each_of
from tests.served import new_id, serving, somebody, something, statement
from tests.xapi.statements.multipart import first, mixed, send

OLD, NEW = "1.0.3", "2.0.0"
both = pytest.mark.parametrize("version", [OLD, NEW])
JSON = {"Content-Type": "application/json"}


def document(resource):
    """A resource and the parameters of a document nobody has written."""
    own = {
        "activities/state": {"activityId": something(), "agent": json.dumps(somebody()), "stateId": "s"},
        "activities/profile": {"activityId": something(), "profileId": "p"},
        "agents/profile": {"agent": json.dumps(somebody()), "profileId": "p"},
    }
    return own[resource]


each_document = pytest.mark.parametrize("resource", ["activities/state", "activities/profile", "agents/profile"])
profiles = pytest.mark.parametrize("resource", ["activities/profile", "agents/profile"])


def ask(lrs, method, resource, params, version, body=b"", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | JSON
    return lrs.ask(method, resource, params=params, version=version, content=body, headers=headers)


@each_of(
    ("sent", "told"),
    [
        ("1.0.3", OLD),
        ("1.0", OLD),
        ("1.0.0", OLD),
        ("1.0.2", OLD),
        ("1.0.9", OLD),
        ("2.0", NEW),
        ("2.0.0", NEW),
        ("2.0.7", NEW),
    ],
)
def test_row_version_header_the_answer_says_by_which_rules_it_was_made(lrs, sent, told):
    assert lrs.get(version=sent, limit=1).headers["x-experience-api-version"] == told
    assert lrs.get(version=sent, foo=1).headers["x-experience-api-version"] == told


@pytest.mark.parametrize("fallback", [OLD, NEW])
def test_row_missing_version_header_the_fallback_is_a_setting(tmp_path, fallback):
    with serving(tmp_path, xapi_fallback_version=fallback) as lrs:
        answer = lrs.get(version=None)
        about = lrs.ask("GET", "about", version=None, auth=None)

    assert (answer.status_code, answer.headers["x-experience-api-version"]) == (400, fallback)
    assert (about.status_code, about.headers["x-experience-api-version"]) == (200, fallback)


@pytest.mark.parametrize(("version", "status"), [(OLD, 200), (NEW, 400)])
def test_row_alternate_syntax_is_1_0_3_only(lrs, version, status):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = lrs.ask("POST", "statements?method=GET", version=version, content=urlencode({"limit": "1"}), headers=form)

    assert answer.status_code == status


@profiles
@pytest.mark.parametrize(("version", "status"), [(OLD, 400), (NEW, 204)])
def test_row_put_of_a_new_profile_without_headers(lrs, resource, version, status):
    params = document(resource)

    assert ask(lrs, "PUT", resource, params, version, b"{}").status_code == status
    assert lrs.ask("GET", resource, params=params).status_code == (404 if status == 400 else 200)


@pytest.mark.parametrize(("version", "status", "kept"), [(OLD, 204, b'{"b":2}'), (NEW, 409, b'{"a":1}')])
def test_row_put_over_a_state_without_headers(lrs, version, status, kept):
    params = document("activities/state")
    assert ask(lrs, "PUT", "activities/state", params, version, b'{"a":1}').status_code == 204

    assert ask(lrs, "PUT", "activities/state", params, version, b'{"b":2}').status_code == status
    assert lrs.ask("GET", "activities/state", params=params).content == kept


@each_document
@both
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_row_if_match_is_held_for_every_method(lrs, resource, version, method):
    params = document(resource)
    assert ask(lrs, "PUT", resource, params, version, b'{"a":1}', If_None_Match="*").status_code == 204

    wrong = ask(lrs, method, resource, params, version, b'{"b":2}', If_Match=f'"{"0" * 40}"')

    assert wrong.status_code == 412
    assert lrs.ask("GET", resource, params=params).content == b'{"a":1}'
    tag = lrs.ask("GET", resource, params=params).headers["etag"]
    assert ask(lrs, method, resource, params, version, b'{"b":2}', If_Match=tag).status_code == 204


@each_document
@both
def test_row_etag_is_the_quoted_sha_1_of_the_content(lrs, resource, version):
    params, body = document(resource), b'{"text": "\xc3\xbc" }'
    ask(lrs, "PUT", resource, params, version, body, If_None_Match="*")

    tag = lrs.ask("GET", resource, params=params, version=version).headers["etag"]

    assert tag == f'"{sha1(body, usedforsecurity=False).hexdigest()}"'
    assert (len(tag), tag[41]) == (42, '"')


@both
def test_row_an_unknown_activity_is_answered(lrs, version):
    answer = lrs.ask("GET", "activities", version=version, params={"activityId": (id := something())})

    assert (answer.status_code, answer.json()) == (200, {"objectType": "Activity", "id": id})


@both
def test_row_format_ids_leaves_the_verb_its_id_only(lrs, version):
    verb = {"id": something(), "display": {"en": "did"}}
    statement_id = lrs.store(statement(verb=verb), version=version)[0]

    assert lrs.one(statement_id, version=version, format="ids")["verb"] == {"id": verb["id"]}


@both
def test_row_the_same_id_twice_in_a_batch_is_400(lrs, version):
    one = statement(id=new_id())

    assert lrs.post([one, one], version=version).status_code == 400
    assert lrs.get(statementId=one["id"]).status_code == 404


@both
def test_row_last_modified_of_a_statement_is_stored_to_the_second(each_lrs, version):
    answer = each_lrs.get(statementId=each_lrs.store(statement(), version=version)[0], version=version)

    modified = parsedate_to_datetime(answer.headers["last-modified"])

    assert modified.isoformat()[:19] == answer.json()["stored"][:19]


CONTEXTS = {
    "contextAgents": [{"objectType": "contextAgent", "agent": {"mbox": "mailto:c@example.org"}}],
    "contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", "mbox": "mailto:g@example.org"}}],
}


@pytest.mark.parametrize("name", CONTEXTS)
def test_row_context_agents_and_groups_are_2_0_only_also_in_a_substatement(lrs, name):
    context = {name: CONTEXTS[name]}
    for one in (
        statement(context=context),
        statement(object={"objectType": "SubStatement"} | statement(context=context)),
    ):
        refused = lrs.post(one)

        assert refused.status_code == 400
        assert f'must not have "{name}"' in refused.json()["message"]
        assert lrs.post(one, version=NEW).status_code == 200


@both
def test_row_durations_come_back_as_sent(lrs, version):
    statement_id = lrs.store(statement(result={"duration": "PT4H35M59.123456789S"}), version=version)[0]

    assert lrs.one(statement_id, version=version)["result"]["duration"] == "PT4H35M59.123456789S"


@both
def test_row_multipart_without_data_is_accepted(lrs, version):
    assert send(lrs, mixed(first(statement())), version=version).status_code == 200


@pytest.mark.parametrize(("wrote", "reads", "own"), [(OLD, NEW, "1.0.0"), (NEW, OLD, "2.0.0")])
def test_what_was_stored_by_one_version_is_read_by_the_other(each_lrs, wrote, reads, own):
    actor = somebody()
    statement_id = each_lrs.store(statement(actor=actor), version=wrote)[0]

    kept = each_lrs.one(statement_id, version=reads)

    assert kept["version"] == own
    assert each_lrs.listed(agent=actor, version=reads) == [statement_id]
