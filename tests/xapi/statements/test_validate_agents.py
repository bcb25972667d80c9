"""Statements against the rules of xAPI: Agents and Groups, at each of the seven places.

The numbers are those of the project's xAPI checklist, section 2.
"""

import pytest

from lrs.kernel.errors import Refused
from lrs.xapi.statements.validate import check_agent
from tests.rows import each_of
from tests.xapi.statements.examples import (
    AGENT,
    AGENT_PLACES,
    GROUP,
    IDENTIFIERS,
    IRI,
    POINTER_OF_PLACE,
    accepted,
    both_versions,
    refused,
    statement,
    substatement,
)

at_each_place = each_of("place", AGENT_PLACES)
where_agents_may_be = each_of("place", [place for place in AGENT_PLACES if place != "team"])
where_any_group_may_be = each_of("place", [place for place in AGENT_PLACES if place != "authority"])


@where_agents_may_be
@each_of("identifier", IDENTIFIERS)
def test_line_22_agent_has_one_identifier(place, identifier):
    accepted(AGENT_PLACES[place]({"objectType": "Agent", "name": "x", identifier: IDENTIFIERS[identifier]}))


@where_agents_may_be
def test_line_22_agent_without_identifier_is_refused(place):
    refused(AGENT_PLACES[place]({"objectType": "Agent", "name": "x"}), POINTER_OF_PLACE[place])


@where_agents_may_be
@each_of("first", IDENTIFIERS)
@each_of("second", IDENTIFIERS)
def test_line_22_agent_has_exactly_one_identifier(place, first, second):
    agent = {"objectType": "Agent", first: IDENTIFIERS[first], second: IDENTIFIERS[second]}
    if first == second:
        accepted(AGENT_PLACES[place](agent))
    else:
        refused(AGENT_PLACES[place](agent), POINTER_OF_PLACE[place])


@where_any_group_may_be
@each_of("first", IDENTIFIERS)
@each_of("second", IDENTIFIERS)
def test_line_22_identified_group_has_exactly_one_identifier(place, first, second):
    group = {"objectType": "Group", first: IDENTIFIERS[first], second: IDENTIFIERS[second]}
    for members in ({}, {"member": []}, {"member": [AGENT]}):
        if first == second:
            accepted(AGENT_PLACES[place](group | members))
        else:
            refused(AGENT_PLACES[place](group | members), POINTER_OF_PLACE[place])


@where_any_group_may_be
def test_line_22_anonymous_group_needs_members(place):
    accepted(AGENT_PLACES[place]({"objectType": "Group", "member": [AGENT]}))
    refused(AGENT_PLACES[place]({"objectType": "Group"}), POINTER_OF_PLACE[place])
    refused(AGENT_PLACES[place]({"objectType": "Group", "name": "x"}), POINTER_OF_PLACE[place])
    refused(AGENT_PLACES[place]({"objectType": "Group", "member": []}), POINTER_OF_PLACE[place])


@at_each_place
@each_of(
    ("member", "inside"),
    [
        ({"objectType": "Group", "member": [AGENT]}, "/objectType"),
        ({"objectType": "Group", "mbox": "mailto:g@example.com"}, "/objectType"),
        ({"name": "nobody"}, ""),
        ({"mbox": "should fail"}, "/mbox"),
        ("mailto:a@example.com", ""),
    ],
)
def test_line_22_members_are_agents_only(place, member, inside):
    group = {"objectType": "Group", "member": [AGENT, member]}
    refused(AGENT_PLACES[place](group), POINTER_OF_PLACE[place] + "/member/1" + inside)


@at_each_place
@each_of("members", [{}, "text", AGENT, None, 1])
def test_line_22_member_is_a_list(place, members):
    refused(AGENT_PLACES[place]({"objectType": "Group", "member": members}), POINTER_OF_PLACE[place] + "/member")


BROKEN_IDENTIFIERS = [
    ("mbox", "mailto:should.fail.com", ""),
    ("mbox", "learner@example.com", ""),
    ("mbox", "http://should.fail.com", ""),
    ("mbox", "", ""),
    ("mbox", 5, ""),
    ("mbox_sha1sum", "should fail", ""),
    ("mbox_sha1sum", "", ""),
    ("mbox_sha1sum", 5, ""),
    ("openid", "ab=c://should.fail.com", ""),
    ("openid", "", ""),
    ("openid", {}, ""),
    ("account", "should fail", ""),
    ("account", {}, ""),
    ("account", {"homePage": IRI}, ""),
    ("account", {"name": "x"}, ""),
    ("account", {"homePage": "ab=c://should.fail.com", "name": "x"}, "/homePage"),
    ("account", {"homePage": IRI, "name": 5}, "/name"),
    ("account", {"homePage": IRI, "name": {}}, "/name"),
    ("account", {"homePage": IRI, "name": "x", "more": "y"}, "/more"),
]


@at_each_place
@each_of(("name", "value", "inside"), BROKEN_IDENTIFIERS)
def test_line_21_and_22_identifiers_have_their_form(place, name, value, inside):
    group = {"objectType": "Group", "member": [AGENT, AGENT], name: value}
    refused(AGENT_PLACES[place](group), f"{POINTER_OF_PLACE[place]}/{name}{inside}")
    if place != "team":
        agent = {"objectType": "Agent", name: value}
        refused(AGENT_PLACES[place](agent), f"{POINTER_OF_PLACE[place]}/{name}{inside}")


@at_each_place
@each_of("value", ["agent", "group", "Statement", "Person", "", 1, None, []])
def test_line_23_object_types_of_actors_are_agent_or_group(place, value):
    actor = {"objectType": value, "mbox": "mailto:a@example.com"}
    refused(AGENT_PLACES[place](actor), POINTER_OF_PLACE[place] + "/objectType")


@where_agents_may_be
def test_line_23_an_actor_without_object_type_is_an_agent_but_an_object_must_say_so(place):
    actor = AGENT_PLACES[place]({"mbox": "mailto:a@example.com"})
    if place == "object":
        assert "objectType" in refused(actor, "/object").message
    else:
        accepted(actor)


def test_line_23_a_group_as_object_must_say_so():
    refused(statement(object={"mbox": "mailto:g@example.com", "member": [AGENT]}), "/object")
    refused(statement(object={"member": [AGENT]}), "/object/member")


def test_line_23_an_object_without_type_is_an_activity():
    accepted(statement(object={"id": IRI}))
    refused(statement(object={}), "/object")
    refused(statement(object={"objectType": "Person", "id": IRI}), "/object/objectType")


def test_line_23_a_team_is_a_group():
    refused(statement(context={"team": AGENT}), "/context/team/objectType")
    refused(statement(context={"team": {"member": [AGENT]}}), "/context/team")
    refused(statement(object=substatement(context={"team": AGENT})), "/object/context/team/objectType")


@each_of(
    ("authority", "right"),
    [
        ({"objectType": "Group", "member": [AGENT, AGENT]}, True),
        ({"objectType": "Group", "member": [AGENT]}, False),
        ({"objectType": "Group", "member": [AGENT, AGENT, AGENT]}, False),
        *(({"objectType": "Group", "member": [AGENT, AGENT], name: IDENTIFIERS[name]}, False) for name in IDENTIFIERS),
        *(({"objectType": "Group", name: IDENTIFIERS[name]}, False) for name in IDENTIFIERS),
    ],
)
def test_line_24_a_group_as_authority_is_anonymous_and_has_two_members(authority, right):
    if right:
        accepted(statement(authority=authority))
    else:
        refused(statement(authority=authority), "/authority")


@both_versions
def test_agents_and_groups_are_checked_alone(version):
    check_agent({"mbox": "mailto:a@example.com"}, version)
    check_agent(GROUP, version)
    for value, pointer in [({}, "/agent"), ([], "/agent"), ({"mbox": "x"}, "/agent/mbox"), ("x", "/agent")]:
        with pytest.raises(Refused) as caught:
            check_agent(value, version, pointer="/agent")
        assert caught.value.pointer == pointer


@both_versions
def test_line_43_an_agent_filter_needs_an_identifier(version):
    check_agent({"objectType": "Group", "mbox": "mailto:g@example.com"}, version, identified=True)
    check_agent({"mbox": "mailto:g@example.com"}, version, identified=True)
    for value in (GROUP, {"objectType": "Agent", "name": "x"}):
        with pytest.raises(Refused):
            check_agent(value, version, identified=True)


@both_versions
def test_groups_can_be_kept_out(version):
    check_agent(AGENT, version, groups=False)
    with pytest.raises(Refused):
        check_agent({"objectType": "Group", "mbox": "mailto:g@example.com"}, version, groups=False)
