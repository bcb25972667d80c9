"""What a key may see, void and teach: `statements/read/mine`, `void/any`, `define`; on both engines."""

import json

import pytest

from tests.served import new_id, somebody, something, statement, voiding
from tests.xapi.statements.multipart import attached, fetched, first, mixed, part, send


@pytest.fixture
def mine(each_lrs):
    """A source that writes, and reads only what it sent itself."""
    return each_lrs.as_key("statements/write", "statements/read/mine", name=f"source {new_id()[:8]}")


def test_mine_shows_only_what_the_source_sent(each_lrs, mine):
    actor = somebody()
    foreign = each_lrs.store([statement(actor=actor) for _ in range(3)])
    own = [mine.store(statement(actor=actor))[0] for _ in range(3)]

    assert mine.listed(agent=actor) == own[::-1]
    assert mine.listed(agent=actor, limit=1) == own[::-1]
    assert mine.listed() == own[::-1]
    assert each_lrs.listed(agent=actor) == own[::-1] + foreign[::-1]
    assert mine.get(statementId=foreign[0]).status_code == 404
    assert mine.get(statementId=own[0]).status_code == 200


def test_mine_is_the_source_not_the_key(each_lrs, mine):
    name = f"source {new_id()[:8]}"
    before = each_lrs.as_key("statements/write", name=name).store(statement())[0]
    after = each_lrs.as_key("statements/read/mine", name=name)

    assert after.one(before)["id"] == before
    assert mine.get(statementId=before).status_code == 404


def test_mine_holds_through_more_also_of_anothers_link(each_lrs, mine):
    actor = somebody()
    each_lrs.store([statement(actor=actor) for _ in range(3)])
    own = mine.store([statement(actor=actor) for _ in range(2)])
    link = each_lrs.get(agent=actor, limit=1).json()["more"]

    seen = mine.follow(link).json()

    assert [one["id"] for one in seen["statements"]] == own[:1]


def test_mine_holds_for_voided_statements(each_lrs, mine):
    foreign, own = each_lrs.store(statement())[0], mine.store(statement())[0]
    each_lrs.store(voiding(foreign))
    mine.store(voiding(own))

    assert mine.get(voidedStatementId=foreign).status_code == 404
    assert mine.get(voidedStatementId=own).status_code == 200
    assert each_lrs.get(voidedStatementId=foreign).status_code == 200


def test_mine_tells_nothing_of_what_others_said_of_an_activity(each_lrs, mine):
    activity = something()
    each_lrs.store(statement(object={"id": activity, "definition": {"name": {"en": "Course"}}}))
    own = mine.store(statement(object={"id": activity}))[0]

    assert mine.one(own, format="canonical")["object"] == {"id": activity}
    assert mine.get(activity=activity, format="canonical").json()["statements"][0]["object"] == {"id": activity}
    assert each_lrs.one(own, format="canonical")["object"]["definition"] == {"name": {"en": "Course"}}


def test_mine_holds_for_attachments(lrs):
    mine = lrs.as_key("statements/write", "statements/read/mine", name=f"source {new_id()[:8]}")
    foreign, own = attached(b"of others"), attached(b"my own")
    send(lrs, mixed(first(foreign), part(b"of others")))
    send(mine, mixed(first(own), part(b"my own")))

    assert mine.get(statementId=foreign["id"], attachments="true").status_code == 404
    assert [data for _, data in fetched(mine)[1:]] == [b"my own"]


def test_resending_anothers_statement_is_no_way_to_read_it(each_lrs, mine):
    foreign = statement(id=new_id())
    each_lrs.store(foreign)

    assert mine.store(foreign) == [foreign["id"]]
    assert mine.get(statementId=foreign["id"]).status_code == 404
    assert mine.post(foreign | {"verb": {"id": something()}}).status_code == 409


def test_mine_does_not_open_agents_or_activities(lrs):
    mine = lrs.as_key("statements/read/mine", name="curious")

    for resource, params in (("agents", {"agent": "{}"}), ("activities", {"activityId": "https://example.org/a"})):
        assert mine.ask("GET", resource, params=params).status_code == 403


# -- voiding --------------------------------------------------------------------------------------------------------


def test_voiding_what_another_source_sent_needs_void_any(each_lrs, mine):
    target = each_lrs.store(statement())[0]
    fresh = statement(id=new_id())

    refused = mine.post([fresh, voiding(target)])

    assert refused.status_code == 403
    assert refused.json() | {"requestId": ""} == {
        "error": "forbidden",
        "message": f"statement {target} came from another source: voiding it needs the scope void/any",
        "pointer": "/1/object/id",
        "index": 1,
        "rule": "xAPI 1.0.3 Data 2.3.2",
        "requestId": "",
    }
    assert each_lrs.get(statementId=target).status_code == 200
    assert each_lrs.get(statementId=fresh["id"]).status_code == 404


def test_void_any_voids_what_another_source_sent(each_lrs):
    target = each_lrs.store(statement())[0]
    tidy = each_lrs.as_key("statements/write", "void/any", name="tidy")

    tidy.store(voiding(target))

    assert each_lrs.get(statementId=target).status_code == 404
    assert each_lrs.get(voidedStatementId=target).status_code == 200


@pytest.mark.parametrize(("scopes", "status"), [(("statements/write",), 200), (("statements/write", "void/any"), 404)])
def test_a_voiding_that_comes_before_its_target_counts_only_from_who_may(each_lrs, scopes, status):
    target = new_id()
    each_lrs.as_key(*scopes, name="early").store(voiding(target))

    each_lrs.store(statement(id=target))

    assert each_lrs.get(statementId=target).status_code == status


def test_of_several_early_voidings_one_that_may_is_enough(each_lrs, mine):
    target = new_id()
    mine.store(voiding(target))
    each_lrs.store(voiding(target))

    each_lrs.store(statement(id=target))

    assert each_lrs.get(statementId=target).status_code == 404


def test_the_authority_somebody_writes_gives_no_right(lrs):
    target = lrs.store(statement())[0]
    authority = lrs.one(target)["authority"]
    other = lrs.as_key("statements/write", name="pretender")

    assert other.post(voiding(target, authority=authority)).status_code == 403
    importer = lrs.as_key("statements/write", "import", name="importer")
    assert importer.post(voiding(target, authority=authority)).status_code == 403


# -- define ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "learns"), [(("statements/write",), False), (("statements/write", "define"), True), (("all",), True)]
)
def test_only_with_define_a_statement_teaches_names_and_definitions(each_lrs, scopes, learns):
    actor, id = somebody(), something()
    definition = {"name": {"en": "A course"}}
    writer = each_lrs.as_key(*scopes, name="teacher")

    statement_id = writer.store(statement(actor=actor | {"name": "Ada"}, object={"id": id, "definition": definition}))[
        0
    ]

    activity = each_lrs.ask("GET", "activities", params={"activityId": id}).json()
    agent = each_lrs.ask("GET", "agents", params={"agent": json.dumps(actor)}).json()
    assert activity.get("definition") == (definition if learns else None)
    assert agent.get("name") == (["Ada"] if learns else None)
    assert each_lrs.one(statement_id)["object"]["definition"] == definition


def test_scopes_add_up_and_are_told_in_the_refusal(lrs):
    both = lrs.as_key("statements/write", "state", name="two scopes")

    assert both.post(statement()).status_code == 200
    assert both.get().json()["message"] == (
        "this key may not GET statements: it needs the scope all or all/read or statements/read or statements/read/mine"
    )
