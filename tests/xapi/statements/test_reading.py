"""Reading statements over HTTP: filters, order, pages, formats.

The numbers are those of the project's xAPI checklist, section 2.
"""

import json

import pytest

from tests.rows import each_of
from tests.served import VERB, new_id, serving, somebody, something, statement

FILTERS = {
    "agent": json.dumps({"mbox": "mailto:a@example.org"}),
    "verb": VERB,
    "activity": "https://example.org/a",
    "registration": new_id(),
    "related_activities": "false",
    "related_agents": "false",
    "since": "2026-01-01T00:00:00Z",
    "until": "2026-01-01T00:00:00Z",
    "limit": "1",
    "ascending": "false",
}


@each_of("single", ["statementId", "voidedStatementId"])
@each_of("other", FILTERS)
def test_39_one_statement_is_asked_for_without_filters_which_is_said_before_it_is_looked_up(lrs, single, other):
    answer = lrs.get(**{single: new_id(), other: FILTERS[other]})

    assert answer.status_code == 400
    assert (
        answer.json()["message"] == "beside statementId or voidedStatementId only 'format' and 'attachments' may stand"
    )


@pytest.mark.parametrize("single", ["statementId", "voidedStatementId"])
def test_39_format_and_attachments_may_stand_beside_an_id(lrs, single):
    assert lrs.get(**{single: new_id(), "format": "ids", "attachments": "true"}).status_code == 404
    assert lrs.get(**{single: "no-uuid"}).json()["message"] == f"parameter '{single}' must be a UUID"


def test_39_both_ids_at_once_are_400(lrs):
    statement_id = lrs.store(statement())[0]

    assert lrs.get(statementId=statement_id, voidedStatementId=statement_id).status_code == 400


@pytest.mark.mongo_in_soak
def test_40_a_list_always_has_statements_and_more(each_lrs):
    actor = somebody()
    each_lrs.store([statement(actor=actor) for _ in range(3)])

    first = each_lrs.get(agent=actor, limit=2).json()
    second = each_lrs.follow(first["more"]).json()
    whole = each_lrs.get(agent=actor).json()

    assert first.keys() == second.keys() == whole.keys() == {"statements", "more"}
    assert (len(first["statements"]), len(second["statements"]), len(whole["statements"])) == (2, 1, 3)
    assert first["more"] != ""
    assert (second["more"], whole["more"]) == ("", "")


@pytest.mark.parametrize("ascending", ["false", "true"])
def test_41_more_leads_through_all_of_it_once_in_order_with_the_same_filters(each_lrs, ascending):
    actor = somebody()
    ids = each_lrs.store([statement(actor=actor) for _ in range(7)])
    each_lrs.store(statement())

    for limit in (1, 2, 3, 7, 8):
        assert (
            each_lrs.listed(agent=actor, limit=limit, ascending=ascending) == ids[:: 1 if ascending == "true" else -1]
        )


def test_41_what_is_stored_while_paging_is_neither_missed_nor_doubled(each_lrs):
    actor = somebody()
    ids = each_lrs.store([statement(actor=actor) for _ in range(4)])
    page = each_lrs.get(agent=actor, limit=2, ascending="true").json()
    late = each_lrs.store(statement(actor=actor))[0]

    seen = [one["id"] for one in page["statements"]]
    while page["more"]:
        page = each_lrs.follow(page["more"]).json()
        seen += [one["id"] for one in page["statements"]]

    assert seen == [*ids, late]


def test_41_a_page_ends_early_where_its_statements_are_large(each_lrs, monkeypatch):
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 30_000)
    actor, about = somebody(), {"id": something()}
    large = {"https://example.org/x": "x" * 2_000}
    ids = each_lrs.store([statement(actor=actor, object=about, context={"extensions": large}) for _ in range(50)])

    page = each_lrs.get(agent=actor, limit=50, ascending="true").json()

    assert 10 < len(page["statements"]) < 40
    assert each_lrs.listed(agent=actor, limit=50, ascending="true") == ids
    assert each_lrs.listed(verb=VERB, activity=about["id"], related_activities="true", limit=50) == ids[::-1]


def test_41_more_keeps_the_format(lrs):
    actor = somebody()
    lrs.store([statement(actor=actor, verb={"id": VERB, "display": {"en": "did", "de": "tat"}}) for _ in range(2)])

    ids = lrs.follow(lrs.get(agent=actor, limit=1, format="ids").json()["more"]).json()
    canonical = lrs.follow(
        lrs.get(agent=actor, limit=1, format="canonical").json()["more"], headers={"Accept-Language": "de"}
    ).json()
    mixed = lrs.follow(lrs.get(agent=actor, limit=1).json()["more"], version="2.0.0")

    assert ids["statements"][0]["verb"] == {"id": VERB}
    assert canonical["statements"][0]["verb"]["display"] == {"de": "tat"}
    assert mixed.headers["x-experience-api-version"] == "2.0.0"


@pytest.mark.mongo_in_soak
def test_42_no_match_is_an_empty_list(each_lrs):
    answer = each_lrs.get(agent=somebody())

    assert (answer.status_code, answer.json()) == (200, {"statements": [], "more": ""})


def test_42_the_newest_come_first_and_since_excludes_until_includes(each_lrs):
    actor = somebody()
    ids = [each_lrs.store(statement(actor=actor))[0] for _ in range(4)]
    times = [each_lrs.one(one)["stored"] for one in ids]

    assert each_lrs.listed(agent=actor) == ids[::-1]
    assert each_lrs.listed(agent=actor, ascending="true") == ids
    assert each_lrs.listed(agent=actor, since=times[1]) == ids[:1:-1]
    assert each_lrs.listed(agent=actor, until=times[1]) == ids[1::-1]
    assert each_lrs.listed(agent=actor, since=times[0], until=times[2], ascending="true") == ids[1:3]
    assert each_lrs.listed(agent=actor, since=times[2], until=times[0]) == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("since", "0001-01-01T00:00:00Z", True),
        ("since", "1960-01-01T00:00:00.5+01:00", True),
        ("until", "9999-12-31T23:59:59.999999Z", True),
        ("since", "9999-12-31T23:59:59.999999Z", False),
        ("until", "1969-12-31T23:59:59Z", False),
        ("until", "2999-01-01T00:00:00", True),
        ("since", "2025-01-01 00:00:00Z", True),
        ("since", "2025-01-01T00:00:00+01:00", True),
    ],
)
def test_42_any_instant_may_bound_a_list(each_lrs, name, value, found):
    actor = somebody()
    ids = each_lrs.store(statement(actor=actor))

    assert each_lrs.listed(agent=actor, **{name: value}) == (ids if found else [])


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "1960-06-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_54_any_instant_may_bound_a_list_of_documents(lrs, since):
    answer = lrs.ask("GET", "activities/profile", params={"activityId": something(), "since": since})

    assert (answer.status_code, answer.json()) == (200, [])


def test_42_a_plus_that_was_not_encoded_is_an_offset(lrs):
    actor = somebody()
    ids = lrs.store(statement(actor=actor))

    answer = lrs.ask("GET", f"statements?agent={json.dumps(actor)}&since=2025-01-01T00:00:00+01:00")

    assert [one["id"] for one in answer.json()["statements"]] == ids


def test_42_limit_zero_and_a_huge_one_are_the_servers_maximum(tmp_path):
    with serving(tmp_path, max_page=3, default_page=2) as lrs:
        lrs.store([statement() for _ in range(5)])

        counts = [
            len(lrs.get(**given).json()["statements"])
            for given in (
                {},
                {"limit": 0},
                {"limit": 1},
                {"limit": 3},
                {"limit": 99},
                {"limit": "99999999999999999999"},
            )
        ]

        assert counts == [2, 3, 1, 3, 3, 3]


IDENTIFIERS = [
    {"mbox": "mailto:{}@example.org"},
    {"mbox_sha1sum": "{:0>40}"},
    {"openid": "https://openid.example/{}"},
    {"account": {"homePage": "https://school.example", "name": "{}"}},
]


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("form", IDENTIFIERS, ids=lambda form: next(iter(form)))
@pytest.mark.parametrize("kind", ["Agent", "Group"])
def test_43_agents_and_identified_groups_are_found_by_their_identifier(each_lrs, form, kind):
    agent = json.loads(json.dumps(form).replace("{}", new_id()).replace("{:0>40}", f"{new_id().replace('-', ''):0>40}"))
    named = {"objectType": kind, "name": "What they are called", **agent}
    as_actor, as_object = each_lrs.store([statement(actor=named), statement(object=named)])

    assert each_lrs.listed(agent={"objectType": kind, **agent}) == [as_object, as_actor]
    assert each_lrs.listed(agent={"objectType": kind, "name": "Another name", **agent}) == [as_object, as_actor]


@pytest.mark.mongo_in_soak
def test_43_a_group_is_found_by_its_members(each_lrs):
    """xAPI 1.0.3 Communication 2.1.3: "Groups that have members which match the specified Agent [...] are considered
    a match"."""
    member, team = somebody(), {"objectType": "Group", "mbox": f"mailto:{new_id()}@example.org"}
    anonymous = {"objectType": "Group", "member": [somebody(), member]}
    ids = each_lrs.store([statement(actor=anonymous), statement(object=team | {"member": [member]})])

    assert each_lrs.listed(agent=member) == ids[::-1]
    assert each_lrs.listed(agent=member, verb=VERB) == ids[::-1]
    assert each_lrs.listed(agent=team) == ids[1:]


@each_of(
    "agent",
    [
        "",
        "{",
        "true",
        "[]",
        "mailto:a@example.org",
        '{"mbox":"mailto:a@example.org"}}',
        '{"mbox":"a@example.org"}',
        '{"name":"Ada"}',
        '{"mbox":"mailto:a@example.org","openid":"https://o.example"}',
        '{"objectType":"agent","mbox":"mailto:a@example.org"}',
        '{"objectType":"Group","member":[{"mbox":"mailto:a@example.org"}]}',
        '{"mbox":"mailto:a@example.org","mbox":"mailto:b@example.org"}',
        '{"mbox":"mailto:a@example.org","foo":1}',
        '{"mbox":NaN}',
        "{%22mbox%22:%22mailto:a@example.org%22}",
    ],
)
def test_43_an_agent_that_is_none_or_has_no_identifier_is_400(lrs, agent):
    answer = lrs.get(agent=agent)

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("parameter 'agent'")


def parts_with(activity=None, agent=None):
    """Every statement in which *activity*, or *agent*, stands at one place outside actor and object."""
    contexts = []
    if activity:
        contexts += [
            {"contextActivities": {kind: [{"id": activity}]}} for kind in ("parent", "grouping", "category", "other")
        ]
    if agent:
        contexts += [{"instructor": agent}, {"team": {"objectType": "Group", "member": [agent]}}]
    for context in contexts:
        yield statement(context=context)
        yield statement(object={"objectType": "SubStatement", **statement(context=context)})
    if activity:
        yield statement(object={"objectType": "SubStatement", **statement(object={"id": activity})})
    if agent:
        yield statement(authority=agent)
        yield statement(object={"objectType": "SubStatement", **statement(actor=agent)})
        yield statement(object={"objectType": "SubStatement", **statement(object=agent)})


@pytest.mark.mongo_in_soak
def test_44_related_activities_searches_object_contexts_and_substatements(each_lrs):
    activity = something()
    own = each_lrs.store(statement(object={"id": activity}))
    related = each_lrs.store(list(parts_with(activity=activity)))

    assert len(related) == 9
    assert each_lrs.listed(activity=activity) == own
    assert each_lrs.listed(activity=activity, related_activities="true") == [*related[::-1], *own]
    assert each_lrs.listed(activity=activity, related_activities="true", verb=VERB) == [*related[::-1], *own]


@pytest.mark.mongo_in_soak
def test_44_related_agents_searches_actor_object_authority_context_and_substatements(each_lrs):
    agent = somebody()
    own = each_lrs.store([statement(actor=agent), statement(object=agent)])
    related = each_lrs.as_key("all", "import").store(list(parts_with(agent=agent)))

    assert len(related) == 7
    assert each_lrs.listed(agent=agent) == own[::-1]
    assert each_lrs.listed(agent=agent, related_agents="true") == [*related[::-1], *own[::-1]]
    assert each_lrs.listed(agent=agent, related_agents="true", verb=VERB) == [*related[::-1], *own[::-1]]


def test_44_the_authority_we_set_is_a_related_agent(lrs):
    other = lrs.as_key("all", name="an authority")
    ids = other.store(statement())

    assert other.listed(agent=other.one(ids[0])["authority"], related_agents="true") == ids


@pytest.mark.mongo_in_soak
def test_44_filters_meet_as_and_in_every_pairing(each_lrs):
    actor, verb, activity, registration = somebody(), something(), something(), new_id()
    whole = statement(actor=actor, verb={"id": verb}, object={"id": activity}, context={"registration": registration})
    near = [whole | {"actor": somebody()}, whole | {"verb": {"id": VERB}}, whole | {"object": {"id": something()}}]
    found = each_lrs.store([whole, *near, whole | {"context": {"registration": new_id()}}])[0]
    given = {"agent": actor, "verb": verb, "activity": activity, "registration": registration}

    assert each_lrs.listed(**given) == [found]
    for left_out in given:
        fewer = {name: value for name, value in given.items() if name != left_out}
        listed = each_lrs.listed(**fewer)
        assert len(listed) == 2
        assert found in listed


def test_a_short_page_of_large_statements_is_the_same_page(each_lrs):
    """It is given up on the event loop and read in a thread."""
    verb = something()
    large = {something(): "x" * 100_000}
    ids = [each_lrs.store(statement(verb={"id": verb}, result={"extensions": large}))[0] for _ in range(5)]
    ids += each_lrs.store([statement(verb={"id": verb}) for _ in range(3)])

    page = each_lrs.get(verb=verb, limit=7).json()

    assert [one["id"] for one in page["statements"]] == ids[:0:-1]
    assert [one["id"] for one in each_lrs.follow(page["more"]).json()["statements"]] == ids[:1]
