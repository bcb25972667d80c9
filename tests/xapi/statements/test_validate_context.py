"""Statements against the rules of xAPI: activities, context, SubStatements.

The numbers are those of the project's xAPI checklist, section 2.
"""

import pytest

from tests.rows import each_of
from tests.xapi.statements.examples import (
    ACTIVITY,
    AGENT,
    GROUP,
    ID,
    IRI,
    REF,
    accepted,
    in_both,
    refused,
    statement,
    substatement,
)

# --- activities ---

INTERACTIONS = (
    *("true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric"),
    "other",
)
LISTS = ("choices", "scale", "source", "target", "steps")


@each_of("kind", INTERACTIONS)
def test_line_25_the_ten_interaction_types(kind):
    definition = {"interactionType": kind, "correctResponsesPattern": ["a[,]b", ""], "type": IRI}
    for value, _ in in_both(statement(object=ACTIVITY | {"definition": definition})):
        accepted(value)


@pytest.mark.parametrize("name", [*LISTS, "correctResponsesPattern"])
def test_line_25_parts_of_interactions_need_an_interaction_type(name):
    for value, before in in_both(statement(object=ACTIVITY | {"definition": {name: []}})):
        assert "interactionType" in refused(value, f"{before}/object/definition").message


@pytest.mark.parametrize("name", LISTS)
def test_line_25_components_have_an_id_that_no_other_in_the_list_has(name):
    def using(components):
        return statement(object=ACTIVITY | {"definition": {"interactionType": "other", name: components}})

    place = f"/object/definition/{name}"
    accepted(using([]))
    accepted(using([{"id": "a", "description": {"sr-Latn-RS": "U redu je"}}, {"id": "A"}, {"id": ""}]))
    refused(using([{"id": "a"}, {"id": "b"}, {"id": "a"}]), f"{place}/2/id")
    refused(using([{"description": {"en": "x"}}]), f"{place}/0")
    refused(using([{"id": "a", "description": {"something": "x"}}]), f"{place}/0/description/something")
    refused(using([{"id": "a", "more": 1}]), f"{place}/0/more")


def test_line_25_the_same_id_may_stand_in_two_lists():
    definition = {"interactionType": "matching", "source": [{"id": "1"}], "target": [{"id": "1"}]}
    accepted(statement(object=ACTIVITY | {"definition": definition}))


# --- context ---

NO_ACTIVITIES = {"Agent": AGENT, "Group": GROUP, "StatementRef": REF}


@pytest.mark.parametrize("name", ["revision", "platform"])
@pytest.mark.parametrize("object_", NO_ACTIVITIES.values(), ids=NO_ACTIVITIES.keys())
def test_line_26_revision_and_platform_need_an_activity(name, object_):
    for value, before in in_both(statement(object=object_, context={name: "1"})):
        refused(value, f"{before}/context/{name}")
    refused(statement(object=substatement(), context={name: "1"}), f"/context/{name}")


@pytest.mark.parametrize("name", ["revision", "platform"])
def test_line_26_an_object_without_type_is_an_activity_for_revision_and_platform(name):
    for value, _ in in_both(statement(object={"id": IRI}, context={name: "1"})):
        accepted(value)


@pytest.mark.parametrize("kind", ["parent", "grouping", "category", "other"])
def test_line_27_context_activities_are_one_activity_or_a_list(kind):
    for activities in (ACTIVITY, [ACTIVITY], [ACTIVITY, ACTIVITY], []):
        for value, _ in in_both(statement(context={"contextActivities": {kind: activities}})):
            accepted(value)
    for value, before in in_both(statement(context={"contextActivities": {kind: [ACTIVITY, AGENT]}})):
        refused(value, f"{before}/context/contextActivities/{kind}/1/objectType")
    for value, before in in_both(statement(context={"contextActivities": {kind: {"id": "plain"}}})):
        refused(value, f"{before}/context/contextActivities/{kind}/id")


def test_line_27_context_activities_have_four_kinds():
    accepted(statement(context={"contextActivities": {}}))
    refused(statement(context={"contextActivities": {"consequences": []}}), "/context/contextActivities/consequences")


CONTEXT_PARTS = [
    ("contextAgents", "agent", "contextAgent", AGENT),
    ("contextGroups", "group", "contextGroup", GROUP),
]
with_context_parts = pytest.mark.parametrize(("name", "member", "kind", "who"), CONTEXT_PARTS)


@with_context_parts
def test_line_28_context_agents_and_groups_exist_in_2_0_only(name, member, kind, who):
    for types in ({}, {"relevantTypes": [IRI, "urn:x:1"]}):
        for value, before in in_both(statement(context={name: [{"objectType": kind, member: who} | types]})):
            accepted(value, "2.0.0")
            refused(value, f"{before}/context/{name}", "1.0.3")


@with_context_parts
def test_line_28_context_agents_and_groups_are_held_to_their_rules(name, member, kind, who):
    good = {"objectType": kind, member: who}
    for broken, inside in [
        (good | {"objectType": "Should fail"}, "/0/objectType"),
        (good | {"objectType": kind.lower()}, "/0/objectType"),
        ({member: who}, "/0"),
        ({"objectType": kind}, "/0"),
        (good | {member: {"key": "Should fail"}}, f"/0/{member}/key"),
        (good | {member: {"name": "nobody"}}, f"/0/{member}"),
        (good | {member: AGENT if member == "group" else GROUP}, f"/0/{member}/objectType"),
        (good | {"relevantTypes": []}, "/0/relevantTypes"),
        (good | {"relevantTypes": IRI}, "/0/relevantTypes"),
        (good | {"relevantTypes": [IRI, "abc"]}, "/0/relevantTypes/1"),
        (good | {"relevantTypes": [None]}, "/0/relevantTypes/0"),
        (good | {"more": 1}, "/0/more"),
    ]:
        for value, before in in_both(statement(context={name: [broken]})):
            refused(value, f"{before}/context/{name}{inside}", "2.0.0")
    refused(statement(context={name: good}), f"/context/{name}", "2.0.0")


def test_line_28_an_agent_without_object_type_may_be_a_context_agent():
    agent = {"mbox": "mailto:a@example.com"}
    accepted(statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": agent}]}), "2.0.0")


# --- SubStatements and references ---


@pytest.mark.parametrize("name", ["id", "stored", "version", "authority"])
def test_line_29_a_substatement_has_no_part_that_the_lrs_sets(name):
    part = {"id": ID, "stored": "2026-11-21T10:00:00Z", "version": "1.0.0", "authority": AGENT}[name]
    refused(statement(object=substatement(**{name: part})), f"/object/{name}")


def test_line_29_substatements_do_not_nest_and_must_say_what_they_are():
    refused(statement(object=substatement(object=substatement())), "/object/object/objectType")
    refused(statement(object=statement()), "/object/actor")
    refused(substatement(), "/objectType")


@pytest.mark.parametrize("reference", [{"objectType": "StatementRef"}, REF | {"more": 1}, REF | {"id": 5}])
def test_line_29_references_have_an_id_and_nothing_else(reference):
    inside = "/more" if "more" in reference else "/id" if "id" in reference else ""
    for value, before in in_both(statement(object=reference)):
        refused(value, f"{before}/object{inside}")
    for value, before in in_both(statement(context={"statement": reference})):
        refused(value, f"{before}/context/statement{inside}")


def test_line_29_the_reference_in_a_context_must_say_what_it_is():
    refused(statement(context={"statement": {"id": ID}}), "/context/statement")
    refused(statement(context={"statement": {"objectType": "statementref", "id": ID}}), "/context/statement/objectType")
