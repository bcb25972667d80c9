"""When two statements say the same: what a resend may differ in (xAPI 1.0.3 Data 2.3.1), and what it may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi.statements.equality import same
from lrs.xapi.statements.validate import check
from tests.rows import each_of
from tests.xapi.statements.examples import (
    ATTACHMENT,
    GROUP,
    ID,
    IRI,
    REF,
    REGISTRATION,
    changed,
    statement,
    substatement,
)

OTHER = {"objectType": "Agent", "mbox": "mailto:other@example.com"}


def result(**parts):
    return statement(result=parts)


def extended(value):
    return statement(result={"extensions": {IRI: value}})


def context(**parts):
    return statement(context=parts)


SAME = {
    "whole numbers": (extended(1), extended(1.0)),
    "large whole numbers": (extended(1e22), extended(10**22)),
    "timestamps in another offset": (
        statement(object=substatement(timestamp="2026-11-21T12:00:00Z")),
        statement(object=substatement(timestamp="2026-11-21T14:00:00.000+02:00")),
    ),
    "one activity or a list of it": (
        context(contextActivities={"parent": {"id": IRI}}),
        context(contextActivities={"parent": [{"id": IRI, "objectType": "Activity"}]}),
    ),
    "an activity without its type": (
        statement(object={"id": IRI}),
        statement(object={"objectType": "Activity", "id": IRI}),
    ),
    "an agent without its type": (
        statement(actor={"mbox": "mailto:a@example.com"}),
        statement(actor={"objectType": "Agent", "mbox": "mailto:a@example.com"}),
    ),
    "members in another order": (
        statement(actor=GROUP | {"member": [OTHER, {"mbox": "mailto:a@example.com"}]}),
        statement(actor=GROUP | {"member": [{"mbox": "mailto:a@example.com"}, OTHER]}),
    ),
    "another definition": (
        statement(object={"id": IRI, "definition": {"name": {"en": "Old"}}}),
        statement(object={"id": IRI, "definition": {"name": {"en": "New"}, "type": IRI}}),
    ),
    "no definition in the context": (
        context(contextActivities={"other": [{"id": IRI, "definition": {"type": IRI}}]}),
        context(contextActivities={"other": [{"id": IRI}]}),
    ),
    "another verb display": (
        statement(verb={"id": IRI, "display": {"en": "did"}}),
        statement(verb={"id": IRI}),
    ),
    "a registration in capitals": (context(registration=REGISTRATION), context(registration=REGISTRATION.upper())),
    "a reference in capitals": (statement(object=REF), statement(object=REF | {"id": ID.upper()})),
    "a mail domain in capitals": (
        statement(actor={"mbox": "mailto:Anna@Example.COM"}),
        statement(actor={"mbox": "mailto:Anna@example.com"}),
    ),
    "a digest in capitals": (
        statement(attachments=[ATTACHMENT]),
        statement(attachments=[ATTACHMENT | {"sha2": ATTACHMENT["sha2"].upper()}]),
    ),
    "a language in capitals": (context(language="de-AT"), context(language="de-at")),
    "a duration beyond hundredths": (result(duration="PT0.1237S"), result(duration="PT0.12S")),
}
ANNA, IN_CAPITALS = (
    {"objectType": "Agent", "mbox": f"mailto:Anna@{domain}"} for domain in ("example.com", "EXAMPLE.Com")
)
PLACES = {
    "object": lambda agent: statement(object=agent),
    "instructor": lambda agent: context(instructor=agent),
    "team": lambda agent: context(team={"objectType": "Group", "member": [agent]}),
    "related agent": lambda agent: context(contextAgents=[{"objectType": "contextAgent", "agent": agent}]),
    "related group": lambda agent: context(
        contextGroups=[{"objectType": "contextGroup", "group": {"objectType": "Group", "member": [agent]}}]
    ),
    "actor of a SubStatement": lambda agent: statement(object=substatement(actor=agent)),
    "object of a SubStatement": lambda agent: statement(object=substatement(object=agent)),
    "instructor of a SubStatement": lambda agent: statement(object=substatement(context={"instructor": agent})),
}
SAME |= {f"a mail domain in capitals: {name}": (at(ANNA), at(IN_CAPITALS)) for name, at in PLACES.items()}
SAME |= {
    "a hashed mailbox in capitals": (
        statement(actor={"objectType": "Agent", "mbox_sha1sum": "ab" * 20}),
        statement(actor={"objectType": "Agent", "mbox_sha1sum": "AB" * 20}),
    ),
    "a reference of the context in capitals": (
        context(statement=REF),
        context(statement=REF | {"id": ID.upper()}),
    ),
    **{
        f"no definition in the {name}": (
            context(contextActivities={name: [{"id": IRI, "definition": {"type": IRI}}]}),
            context(contextActivities={name: {"id": IRI}}),
        )
        for name in ("parent", "grouping", "category")
    },
}
DIFFERENT = {
    "true and one": (extended(True), extended(1)),
    "false and zero": (extended(False), extended(0)),
    "null and nothing": (extended(None), result(extensions={})),
    "one and its text": (extended(1), extended("1")),
    "neighbours beyond a double's integers": (extended(2**53), extended(2**53 + 1)),
    "very large numbers": (extended(10**400), extended(10**401)),
    "lists in another order": (extended([1, 2]), extended([2, 1])),
    "another actor": (statement(), statement(actor=OTHER)),
    "an address in capitals": (
        statement(actor={"mbox": "mailto:Anna@example.com"}),
        statement(actor={"mbox": "mailto:anna@example.com"}),
    ),
    "an actor's other name": (statement(actor=OTHER), statement(actor=OTHER | {"name": "x"})),
    "another verb": (statement(), statement(verb={"id": IRI})),
    "another object": (statement(), statement(object={"id": IRI})),
    "an IRI's capitals": (statement(object={"id": "http://a.example"}), statement(object={"id": "HTTP://a.example"})),
    "the same member twice": (
        statement(actor=GROUP | {"member": [OTHER]}),
        statement(actor=GROUP | {"member": [OTHER, OTHER]}),
    ),
    "minutes and seconds": (result(duration="PT60S"), result(duration="PT1M")),
    "a hundredth": (result(duration="PT0.12S"), result(duration="PT0.13S")),
    "a result and none": (statement(), result()),
    "success": (result(success=True), result(success=False)),
    "a score": (result(score={"raw": 1}), result(score={"raw": 1.5})),
    "parents in another order": (
        context(contextActivities={"parent": [{"id": "urn:x:1"}, {"id": "urn:x:2"}]}),
        context(contextActivities={"parent": [{"id": "urn:x:2"}, {"id": "urn:x:1"}]}),
    ),
    "a parent that is a grouping": (
        context(contextActivities={"parent": [{"id": IRI}]}),
        context(contextActivities={"grouping": [{"id": IRI}]}),
    ),
    "an attachment's words": (
        statement(attachments=[ATTACHMENT]),
        statement(attachments=[ATTACHMENT | {"display": {"en-US": "Another"}}]),
    ),
    "attachments and none": (statement(attachments=[ATTACHMENT]), statement()),
    "a SubStatement's instant": (
        statement(object=substatement(timestamp="2026-11-21T12:00:00Z")),
        statement(object=substatement(timestamp="2026-11-21T12:00:00.000001Z")),
    ),
    "a SubStatement's timestamp and none": (
        statement(object=substatement(timestamp="2026-11-21T12:00:00Z")),
        statement(object=substatement()),
    ),
    "related agents": (
        context(contextAgents=[{"objectType": "contextAgent", "agent": OTHER}]),
        context(contextAgents=[{"objectType": "contextAgent", "agent": OTHER, "relevantTypes": [IRI]}]),
    ),
}


@each_of(("one", "other"), SAME.values(), ids=SAME.keys())
def test_what_only_is_written_differently_is_the_same(one, other):
    check(one, "2.0.0")
    check(other, "2.0.0")

    assert same(one, other)
    assert same(other, one)


@each_of(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_what_says_something_else_is_different(one, other):
    assert not same(one, other)
    assert not same(other, one)


def test_the_same_holds_within_a_substatement():
    for one, other in SAME.values():
        inner, outer = ({"objectType": "SubStatement"} | part for part in (one, other))
        assert same(statement(object=inner), statement(object=outer))


ASSIGNED = {
    "id": (ID, "00000000-0000-4000-8000-000000000000"),
    "stored": ("2020-01-01T00:00:00Z", "2026-11-21T12:00:00Z"),
    "authority": (OTHER, {"mbox": "mailto:third@example.com"}),
    "version": ("1.0.3", "2.0.0"),
}
NOON, NOON_ELSEWHERE, LATER = "2026-11-21T12:00:00Z", "2026-11-21T13:00:00.000+01:00", "2026-11-21T12:00:01Z"


@pytest.mark.parametrize(("name", "values"), ASSIGNED.items(), ids=ASSIGNED.keys())
def test_what_the_lrs_sets_never_counts(name, values):
    value, other_value = values

    assert same(statement(), statement(**{name: value}))
    assert same(statement(**{name: value}), statement())
    assert same(statement(**{name: value}), statement(**{name: other_value}))


def test_a_timestamp_counts_where_both_have_one_and_the_stored_one_is_its_senders():
    assert same(statement(), statement(timestamp=NOON))
    assert same(statement(timestamp=NOON), statement())
    assert same(statement(timestamp=NOON), statement(timestamp=NOON_ELSEWHERE))
    assert not same(statement(timestamp=LATER), statement(timestamp=NOON))
    assert same(statement(timestamp=LATER), statement(timestamp=NOON), stamped=True)


def test_all_that_the_lrs_sets_may_be_there():
    full = statement(timestamp=NOON, **{name: values[0] for name, values in ASSIGNED.items()})

    assert same(full, statement())
    assert same(statement(), full)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def as_floats(value):
    if isinstance(value, dict):
        return {key: as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_floats(item) for item in value]
    return float(value) if type(value) is int and abs(value) < 2**53 else value


def exactly(value):
    """Tells apart what Python's == does not: True and 1."""
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    return [exactly(item) for item in value] if isinstance(value, list) else (isinstance(value, bool), value)


@given(any_json)
def test_the_order_of_keys_and_the_writing_of_numbers_never_count(value):
    one = extended(value)
    other = reordered(as_floats(one))

    assert same(one, other)


@given(any_json, any_json)
def test_extensions_are_the_same_exactly_when_their_values_are_equal(one, other):
    assert same(extended(one), extended(other)) == (exactly(one) == exactly(other))


@given(st.permutations([OTHER, {"mbox": "mailto:a@example.com"}, {"openid": IRI}, {"mbox": "mailto:a@example.com"}]))
def test_no_order_of_members_counts(members):
    one = statement(object=substatement(actor=GROUP | {"member": members}))
    other = statement(object=substatement(actor=GROUP | {"member": members[::-1]}))

    assert same(one, other)


IGNORED = ("/id", "/stored", "/authority", "/object/definition")
PLACES = [
    *("/actor", "/verb", "/object", "/result", "/context", "/attachments", "/timestamp"),
    *("/actor/mbox", "/actor/member", "/object/id", "/object/objectType", "/result/duration", "/verb/id"),
    *("/context/contextActivities", "/context/contextActivities/parent", "/context/contextAgents", *IGNORED),
]


@each_of("pointer", PLACES)
def test_malformed_parts_are_compared_as_they_stand(pointer):
    assert same(changed(statement(), pointer, 5), changed(statement(), pointer, 5.0))
    assert same(changed(statement(), pointer, 5), changed(statement(), pointer, 6)) == (pointer in IGNORED)


@given(st.sampled_from(PLACES), any_json)
def test_any_json_can_be_compared_and_is_the_same_as_itself(pointer, value):
    one = changed(statement(), pointer, value)

    assert same(one, reordered(one))
