"""What statements teach about activities and agents: records to insert, and how they are merged."""

import msgspec

from lrs.kernel.keys import key
from lrs.xapi.statements.definitions import merged_definition, side_records
from tests.rows import each_of

ADA = {"name": "Ada", "mbox": "mailto:ada@example.org"}
BOB = {"name": "Bob", "account": {"homePage": "https://h.example", "name": "bob"}}
EVE = {"name": "Eve", "openid": "https://eve.example/"}
VERB = {"id": "https://v.example/did"}


def activity(number, **definition):
    return {"id": f"https://a.example/{number}", **({"definition": definition} if definition else {})}


def taught(statement):
    return sorted((record.kind, record.body.decode()) for record in side_records(statement))


def test_a_definition_and_a_name_become_records_found_by_activity_and_agent():
    statement = {"actor": ADA, "verb": VERB, "object": activity(1, name={"en": "One"})}

    definition, name = side_records(statement)

    assert (definition.kind, definition.body) == ("definition", b'{"name":{"en":"One"}}')
    assert definition.keys == (key("definition", "https://a.example/1"),)
    assert (name.kind, name.body) == ("agent_name", b'{"agent":{"mbox":"mailto:ada@example.org"},"name":"Ada"}')
    assert name.keys == (key("agent_name", "mbox:mailto:ada@example.org"),)


def test_the_same_content_has_the_same_id_and_other_content_or_activity_another():
    def id_of(thing):
        return side_records({"actor": {"mbox": "mailto:x@y.example"}, "verb": VERB, "object": thing})[0].id

    assert id_of(activity(1, name={"en": "A"})) == id_of(activity(1, name={"en": "A"}))
    assert id_of(activity(1, name={"en": "A"})) != id_of(activity(1, name={"en": "B"}))
    assert id_of(activity(1, name={"en": "A"})) != id_of(activity(2, name={"en": "A"}))


def test_nothing_is_learned_where_nothing_is_said():
    statement = {"actor": {"mbox": "mailto:a@b.example"}, "verb": VERB, "object": activity(1)}

    assert side_records(statement) == ()


def test_activities_of_every_place_are_learned():
    statement = {
        "actor": {"mbox": "mailto:a@b.example"},
        "verb": VERB,
        "context": {"contextActivities": {"category": activity(1, name={"en": "1"}), "other": [activity(2)]}},
        "object": {
            "objectType": "SubStatement",
            "actor": {"mbox": "mailto:a@b.example"},
            "verb": VERB,
            "object": activity(3, name={"en": "3"}),
            "context": {
                "contextActivities": {"parent": [activity(4, name={"en": "4"}), activity(5, type="https://t")]}
            },
        },
    }

    assert [body for _, body in taught(statement)] == [
        '{"name":{"en":"1"}}',
        '{"name":{"en":"3"}}',
        '{"name":{"en":"4"}}',
        '{"type":"https://t"}',
    ]


@each_of(
    "place",
    [
        {"actor": EVE},
        {"actor": {"objectType": "Group", "member": [EVE]}},
        {"object": {"objectType": "Agent", **EVE}},
        {"object": {"objectType": "Group", "member": [EVE]}},
        {"object": {"objectType": "SubStatement", "actor": EVE, "verb": VERB, "object": activity(1)}},
        {"authority": EVE},
        {"context": {"instructor": EVE}},
        {"context": {"team": {"objectType": "Group", "member": [EVE]}}},
        {"context": {"contextAgents": [{"objectType": "contextAgent", "agent": EVE}]}},
        {
            "context": {
                "contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", "member": [EVE]}}]
            }
        },
    ],
    ids=str,
)
def test_a_name_is_learned_wherever_an_agent_may_stand(place):
    statement = {"actor": {"mbox": "mailto:x@y.example"}, "verb": VERB, "object": activity(1), **place}

    assert taught(statement) == [("agent_name", '{"agent":{"openid":"https://eve.example/"},"name":"Eve"}')]


def test_the_same_agent_named_twice_is_one_record():
    statement = {"actor": BOB, "verb": VERB, "object": activity(1), "context": {"instructor": BOB}}

    assert len(side_records(statement)) == 1


def test_a_large_definition_is_learned_too():
    text = "x" * 10_000
    statement = {"actor": {"mbox": "mailto:x@y.example"}, "verb": VERB, "object": activity(1, name={"en": text})}

    assert msgspec.json.decode(side_records(statement)[0].body) == {"name": {"en": text}}


def test_60_languages_are_merged_and_the_later_one_wins_in_each():
    merged = merged_definition([{"name": {"en": "old", "fr": "vieux"}}, {"name": {"en": "new", "de": "neu"}}])

    assert merged == {"name": {"en": "new", "fr": "vieux", "de": "neu"}}


def test_60_other_fields_are_the_latest_and_extensions_are_merged():
    merged = merged_definition(
        [
            {"type": "https://t/1", "extensions": {"https://e/a": 1, "https://e/b": [1]}, "moreInfo": "https://m"},
            {"type": "https://t/2", "extensions": {"https://e/b": [2]}},
        ]
    )

    assert merged == {
        "type": "https://t/2",
        "extensions": {"https://e/a": 1, "https://e/b": [2]},
        "moreInfo": "https://m",
    }


def test_60_components_are_the_latest_list_with_the_languages_of_both():
    merged = merged_definition(
        [
            {"choices": [{"id": "a", "description": {"en": "A"}}, {"id": "gone"}]},
            {"choices": [{"id": "b"}, {"id": "a", "description": {"fr": "Ah"}}]},
        ]
    )

    assert merged == {"choices": [{"id": "b"}, {"id": "a", "description": {"en": "A", "fr": "Ah"}}]}


def test_60_no_definition_is_changed_by_merging():
    first = {"name": {"en": "A"}}

    merged_definition([first, {"name": {"fr": "B"}}])

    assert first == {"name": {"en": "A"}}
