"""A further tenant under /t/<tenant>/xapi: all of xAPI works there, and nothing of another tenant is within reach."""

import json

import pytest

from tests.served import neighbour_of, new_id, somebody, something, statement, voiding
from tests.xapi.statements.multipart import attached, fetched, first, mixed, part, send

HERE = "neighbour"
PROFILE = {"Content-Type": "text/plain", "If-None-Match": "*"}


@pytest.fixture
def other(each_lrs):
    return neighbour_of(each_lrs, HERE)


def test_statements_are_stored_read_and_followed_through_more(other):
    actor = somebody()
    ids = other.store([statement(actor=actor) for _ in range(5)])

    page = other.get(agent=actor, limit=2).json()

    assert page["more"].startswith(f"/t/{HERE}/xapi/statements?more=")
    assert other.listed(agent=actor, limit=2) == ids[::-1]
    assert other.one(ids[0])["authority"]["account"]["homePage"] == f"http://localhost/t/{HERE}"


def test_documents_agents_activities_and_about_are_there_too(other):
    activity, agent = something(), somebody()
    other.store(statement(actor=agent | {"name": "Ada"}, object={"id": activity, "definition": {"name": {"en": "A"}}}))
    params = {"activityId": activity, "profileId": "p"}

    assert other.ask("PUT", "activities/profile", params=params, content=b"x", headers=PROFILE).status_code == 204
    assert other.ask("GET", "activities/profile", params=params).content == b"x"
    person = other.ask("GET", "agents", params={"agent": json.dumps(agent)}).json()
    assert person["name"] == ["Ada"]
    found = other.ask("GET", "activities", params={"activityId": activity}).json()
    assert found["definition"] == {"name": {"en": "A"}}
    assert other.ask("GET", "about", auth=None).status_code == 200


def test_a_key_of_one_tenant_opens_nothing_of_another(each_lrs, other):
    for at, key in ((other, each_lrs.auth), (each_lrs, other.auth)):
        for resource in ("statements", "activities/state", "activities/profile", "agents/profile", "agents"):
            assert at.ask("GET", resource, auth=key).status_code == 401
        refused = statement(id=new_id())
        assert at.post(refused, auth=key).status_code == 401
        assert at.get(statementId=refused["id"]).status_code == 404


def test_what_one_tenant_stored_another_does_not_find(each_lrs, other):
    actor, activity, voided = somebody(), something(), new_id()
    one = statement(
        id=new_id(), actor=actor | {"name": "Ada"}, object={"id": activity, "definition": {"name": {"en": "A"}}}
    )
    each_lrs.store([one, statement(id=voided), voiding(voided)])
    params = {"activityId": activity, "profileId": "p"}
    each_lrs.ask("PUT", "activities/profile", params=params, content=b"x", headers=PROFILE)

    assert other.get(statementId=one["id"]).status_code == 404
    assert other.get(voidedStatementId=voided).status_code == 404
    assert other.listed(agent=actor, related_agents="true") == []
    assert other.listed(activity=activity) == []
    assert "name" not in other.ask("GET", "agents", params={"agent": json.dumps(actor)}).json()
    assert "definition" not in other.ask("GET", "activities", params={"activityId": activity}).json()
    assert other.ask("GET", "activities/profile", params=params).status_code == 404
    assert other.ask("GET", "activities/profile", params={"activityId": activity}).json() == []


def test_an_id_is_free_in_every_tenant_and_a_voiding_stays_in_its_own(each_lrs, other):
    one = statement(id=new_id())
    each_lrs.store(one)

    other.store(one | {"result": {"success": True}})
    other.store(voiding(one["id"]))

    assert other.get(statementId=one["id"]).status_code == 404
    assert "result" not in each_lrs.one(one["id"])


def test_data_of_an_attachment_must_be_sent_to_each_tenant(each_lrs, other):
    content = new_id().encode()
    one = attached(content)
    assert send(each_lrs, mixed(first(one), part(content))).status_code == 200

    assert send(other, mixed(first(one))).status_code == 400
    linked = {"attachments": [one["attachments"][0] | {"fileUrl": "https://example.org/f"}]}
    assert send(other, mixed(first(one | linked))).status_code == 200
    assert len(fetched(other, statementId=one["id"])) == 1


def test_a_more_link_of_one_tenant_leads_nowhere_in_another(each_lrs, other):
    actor = somebody()
    for at in (each_lrs, other):
        at.store([statement(actor=actor) for _ in range(2)])
    mine, theirs = (at.get(agent=actor, limit=1).json()["more"] for at in (each_lrs, other))

    for at, foreign in ((other, mine), (each_lrs, theirs)):
        answer = at.ask("GET", foreign[foreign.index("statements?") :])
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_more")
        client = at.clients[0]
        headers = {"X-Experience-API-Version": "1.0.3"}
        root = at.address.removesuffix(f"/t/{HERE}")
        assert client.get(root + foreign, auth=at.auth, headers=headers).status_code == 401
