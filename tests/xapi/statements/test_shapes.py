"""The three formats of a statement, looked at on the very statement; the numbers are those of the xAPI checklist."""

import json

import pytest

from tests.rows import each_of
from tests.served import VERB, new_id, somebody, something, statement

TWO = {"en-GB": "colour", "de-AT": "Farbe"}
NAMED = {"objectType": "Agent", "name": "Ada", "account": {"homePage": "https://school.example", "name": "ada"}}
NAMELESS = {"objectType": "Agent", "account": {"homePage": "https://school.example", "name": "ada"}}
TEAM = {"objectType": "Group", "name": "Team", "mbox": "mailto:team@example.org", "member": [NAMED]}
CROWD = {"objectType": "Group", "name": "Crowd", "member": [NAMED, {"mbox": "mailto:b@example.org"}]}


def activity(id):
    return {
        "objectType": "Activity",
        "id": id,
        "definition": {
            "name": TWO,
            "description": {"fr": "seul"},
            "interactionType": "choice",
            "choices": [{"id": "a", "description": TWO}, {"id": "b"}],
            "extensions": {"https://example.org/ext": TWO},
        },
    }


def rich(**parts):
    """A statement with an agent, verb or activity at every place."""
    context = {
        "instructor": NAMED,
        "team": TEAM,
        "contextActivities": {kind: [activity(something())] for kind in ("parent", "grouping", "category", "other")},
    }
    verb = {"id": VERB, "display": TWO}
    inner = {
        "objectType": "SubStatement",
        "actor": CROWD,
        "verb": verb,
        "object": activity(something()),
        "context": context,
    }
    return {"actor": NAMED, "verb": verb, "object": inner, "context": context, "authority": NAMED} | parts


def in_2_0(context):
    """*context* with what only 2.0 has."""
    return context | {
        "contextAgents": [{"objectType": "contextAgent", "agent": NAMED, "relevantTypes": ["https://example.org/t"]}],
        "contextGroups": [{"objectType": "contextGroup", "group": TEAM}],
    }


def ids_of_contexts(context):
    return {kind: [{"id": one["id"]} for one in listed] for kind, listed in context["contextActivities"].items()}


@pytest.mark.parametrize("given", [{}, {"format": "exact"}])
def test_45_exact_is_as_received_and_not_merged(each_lrs, given):
    each_lrs = each_lrs.as_key("all", "import")  # which keeps the authority that is sent
    id = something()
    older = {"id": id, "definition": {"name": {"en": "old"}}}
    newer = {"id": id, "definition": {"name": {"de": "neu"}, "type": "https://example.org/type"}}
    sent = rich()
    ids = each_lrs.store([sent, statement(object=older), statement(object=newer)])

    answer = each_lrs.one(ids[0], **given, headers={"Accept-Language": "de-AT"})

    assert {name: answer[name] for name in sent} == sent
    assert [each_lrs.one(one, **given)["object"] for one in ids[1:]] == [older, newer]
    assert [one["object"] for one in each_lrs.get(activity=id, **given).json()["statements"]] == [newer, older]


@pytest.mark.mongo_in_soak
def test_45_ids_leaves_only_what_identifies(each_lrs):
    each_lrs = each_lrs.as_key("all", "import")
    sent = rich()
    statement_id = each_lrs.store(sent)[0]

    answer = each_lrs.one(statement_id, format="ids")

    assert answer["actor"] == answer["authority"] == answer["context"]["instructor"] == NAMELESS
    assert answer["context"]["team"] == {"objectType": "Group", "mbox": "mailto:team@example.org"}
    assert answer["verb"] == answer["object"]["verb"] == {"id": VERB}
    assert answer["context"]["contextActivities"] == ids_of_contexts(sent["context"])
    inner = answer["object"]
    assert inner["object"] == {"id": sent["object"]["object"]["id"]}
    assert inner["context"]["contextActivities"] == ids_of_contexts(sent["object"]["context"])
    assert inner["actor"] == {
        "objectType": "Group",
        "member": [NAMELESS, {"objectType": "Agent", "mbox": "mailto:b@example.org"}],
    }


@each_of("target, identified", [(NAMED, NAMELESS), (TEAM, {"objectType": "Group", "mbox": "mailto:team@example.org"})])
def test_45_ids_leaves_of_an_agent_or_group_that_is_the_object_only_what_identifies_it(lrs, target, identified):
    (id,) = lrs.store(statement(object=target))

    assert lrs.one(id, format="ids")["object"] == identified
    assert lrs.one(id, format="exact")["object"] == target


def test_45_ids_in_2_0_reaches_context_agents_and_groups(lrs):
    sent = statement(context=in_2_0({}))
    statement_id = lrs.store(sent, version="2.0.0")[0]

    context = lrs.one(statement_id, format="ids", version="2.0.0")["context"]

    assert context["contextAgents"][0] | {"relevantTypes": []} == {
        "objectType": "contextAgent",
        "agent": NAMELESS,
        "relevantTypes": [],
    }
    assert context["contextGroups"] == [
        {"objectType": "contextGroup", "group": {"objectType": "Group", "mbox": "mailto:team@example.org"}}
    ]


@each_of(
    ("accepted", "tag"),
    [
        ("en-GB", "en-GB"),
        ("de-AT", "de-AT"),
        ("fr, de-AT;q=0.5, en-GB;q=0.9", "en-GB"),
        ("en-GB;q=0, de-at", "de-AT"),
        ("de", "de-AT"),
        ("en-GB-oxendict", "en-GB"),
        ("fr", "en-GB"),
        ("*", "en-GB"),
        ("", "en-GB"),
        (";;q=x,,", "en-GB"),
    ],
)
def test_46_canonical_has_one_language_in_each_map(lrs, accepted, tag):
    lrs = lrs.as_key("all", "import")
    sent = rich()
    statement_id = lrs.store(sent)[0]
    one = {tag: TWO[tag]}

    answer = lrs.one(statement_id, format="canonical", headers={"Accept-Language": accepted})

    expected = json.loads(json.dumps(sent))
    for part in (expected, expected["object"]):
        part["verb"]["display"] = one
        activities = [a for listed in part["context"]["contextActivities"].values() for a in listed]
        for definition in [a["definition"] for a in activities]:
            definition["name"] = definition["choices"][0]["description"] = one
    inner = expected["object"]["object"]["definition"]
    inner["name"] = inner["choices"][0]["description"] = one
    assert {name: answer[name] for name in sent} == expected


def test_46_canonical_chooses_per_map(lrs):
    display = {"en": "did", "fr": "fait"}
    name = {"de": "Kurs", "fr": "cours"}
    statement_id = lrs.store(
        statement(verb={"id": VERB, "display": display}, object={"id": something(), "definition": {"name": name}})
    )[0]

    answer = lrs.one(statement_id, format="canonical", headers={"Accept-Language": "de, en;q=0.5"})

    assert answer["verb"]["display"] == {"en": "did"}
    assert answer["object"]["definition"]["name"] == {"de": "Kurs"}


@pytest.mark.mongo_in_soak
def test_46_canonical_has_what_is_known_of_each_activity(each_lrs):
    """xAPI 1.0.3 Communication 2.1.3: populated with the canonical definition, as determined by the LRS."""
    activity, actor = something(), somebody()
    told = [
        {"id": activity, "definition": {"name": {"en": "Course"}, "type": "https://example.org/t"}},
        {"id": activity, "definition": {"name": {"de": "Kurs"}}},
    ]
    each_lrs.store([statement(object=one) for one in told])
    bare = statement(actor=actor, object={"id": activity}, context={"contextActivities": {"other": [{"id": activity}]}})
    statement_id = each_lrs.store(bare)[0]
    german = {"Accept-Language": "de"}

    single = each_lrs.one(statement_id, format="canonical", headers=german)
    listed = each_lrs.get(agent=actor, format="canonical", headers=german).json()["statements"]

    whole = {"id": activity, "definition": {"name": {"de": "Kurs"}, "type": "https://example.org/t"}}
    assert (single["object"], single["context"]["contextActivities"]["other"]) == (whole, [whole])
    assert listed == [single]
    assert each_lrs.one(statement_id)["object"] == {"id": activity}


def test_46_the_header_alone_has_no_effect_on_a_list(lrs):
    actor = somebody()
    lrs.store(statement(actor=actor, verb={"id": VERB, "display": TWO}))

    listed = lrs.get(agent=actor, headers={"Accept-Language": "de-AT"}).json()["statements"]

    assert listed[0]["verb"]["display"] == TWO


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("format", ["ids", "canonical"])
def test_45_46_a_list_has_the_same_statements_as_one_by_one(each_lrs, format):
    actor = somebody()
    ids = each_lrs.store([rich(actor=actor), rich(actor=actor, id=new_id())])

    listed = each_lrs.get(agent=actor, format=format).json()["statements"]

    assert listed == [each_lrs.one(one, format=format) for one in ids[::-1]]


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("format", ["exact", "ids", "canonical"])
def test_45_46_numbers_keep_their_text_in_every_format(each_lrs, format):
    told = b'{"raw":0.10,"min":1e-2,"max":1E+2}'
    body = json.dumps(statement(result={"score": {}})).encode().replace(b'"score": {}', b'"score":' + told)
    statement_id = each_lrs.store(body)[0]

    answer = each_lrs.get(statementId=statement_id, format=format)

    assert told in answer.content


@pytest.mark.parametrize("format", ["", "Exact", "id", "canonical ", "json"])
def test_45_there_are_three_formats(lrs, format):
    answer = lrs.get(format=format)

    assert answer.status_code == 400
    assert answer.json()["message"] == "parameter 'format' must be one of exact, ids, canonical"


@pytest.mark.parametrize("number", ["12345678901234567890123", "-0", "1e2", "0.10", "1E-400", "1.7976931348623157e308"])
def test_45_46_numbers_of_any_size_can_be_read_in_every_format(lrs, number):
    body = json.dumps(rich(result={"extensions": {"https://example.org/n": "N"}})).replace('"N"', number)
    statement_id = lrs.store(body.encode())[0]

    for format in ("exact", "ids", "canonical"):
        answer = lrs.get(statementId=statement_id, format=format)
        assert answer.status_code == 200
        assert answer.json()["result"]["extensions"] == {"https://example.org/n": json.loads(number)}
