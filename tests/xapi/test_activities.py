"""The Activities resource answers with the merged definition (xapi.md 60)."""

import pytest

from lrs.xapi.activities import HANDLERS
from lrs.xapi.statements.definitions import side_records
from tests.builders import answer_of, request_to, tenant_in

MEETING = {
    "objectType": "Activity",
    "id": "https://a.example/meeting",
    "definition": {
        "name": {"en-US": "example meeting"},
        "description": {"en-US": "An example meeting"},
        "type": "http://adlnet.gov/expapi/activities/meeting",
        "moreInfo": "https://more.example/345256",
        "extensions": {"https://e.example/location": {"a.b": [1, None]}},
    },
}


@pytest.fixture
def tenant(tmp_path, store, clock):
    return tenant_in(tmp_path, store, clock)


def learn(tenant, activity):
    statement = {"actor": {"mbox": "mailto:a@b.example"}, "verb": {"id": "https://v"}, "object": activity}
    for record in side_records(statement):
        tenant.store.write(lambda tx: tx.insert(record)).result()  # noqa: B023 (runs before the next turn)


def ask(tenant, query):
    return answer_of(HANDLERS, request_to(tenant, "GET", "activities", query))


def test_60_one_definition_comes_back_equal_to_the_activity_that_was_sent(tenant):
    learn(tenant, MEETING)

    assert ask(tenant, {"activityId": "https://a.example/meeting"}).json == MEETING


def test_60_the_definitions_of_several_statements_are_merged(tenant):
    learn(tenant, MEETING)
    learn(tenant, {"id": MEETING["id"], "definition": {"name": {"fr-FR": "réunion"}, "type": "https://t.example/2"}})
    learn(tenant, {"id": "https://a.example/other", "definition": {"name": {"en-US": "other"}}})

    seen = ask(tenant, {"activityId": MEETING["id"]})

    assert seen.json["definition"]["name"] == {"en-US": "example meeting", "fr-FR": "réunion"}
    assert seen.json["definition"]["type"] == "https://t.example/2"
    assert seen.json["definition"]["moreInfo"] == "https://more.example/345256"


def test_60_an_unknown_activity_is_an_activity_with_its_id(tenant):
    seen = ask(tenant, {"activityId": "urn:x:never-seen"})

    assert (seen.status, seen.json) == (200, {"objectType": "Activity", "id": "urn:x:never-seen"})


@pytest.mark.parametrize(
    "query", [{}, {"activityId": "true"}, {"activityId": ""}, {"activityid": "https://a"}, {"activityId": "a b:c"}]
)
def test_60_a_missing_or_malformed_activity_id_is_400(tmp_path, clock, query):
    assert ask(tenant_in(tmp_path, None, clock), query).status == 400
