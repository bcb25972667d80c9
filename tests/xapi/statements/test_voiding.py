"""Voiding, and statements about statements, over HTTP on both engines.

The numbers are those of the project's xAPI checklist, section 2.
"""

import tracemalloc
from itertools import pairwise

import pytest

from lrs.composition.steps import drain
from lrs.storage import Record
from lrs.xapi.statements import references
from lrs.xapi.statements.plan import AWAITED
from lrs.xapi.statements.voiding import voider_of
from tests.served import VERB, VOIDED, new_id, referring, somebody, something, statement, voiding


@pytest.mark.parametrize(
    "target",
    [{"id": "https://example.org/a"}, {"objectType": "Agent", "mbox": "mailto:a@example.org"}],
    ids=["activity", "agent"],
)
def test_36_a_voiding_statement_without_a_reference_is_400(lrs, target):
    answer = lrs.post(statement(verb={"id": VOIDED}, object=target))

    assert answer.status_code == 400
    assert answer.json()["message"] == "A voiding statement must have a StatementRef as its object."


@pytest.mark.mongo_in_soak
def test_36_voiding_what_nobody_has_seen_is_accepted(each_lrs):
    voider = each_lrs.store(voiding(new_id()))[0]

    assert each_lrs.one(voider)["id"] == voider


def is_voided(lrs, statement_id, activity):
    """Whether it is, by all that can be asked; a contradiction fails."""
    statuses = (
        lrs.get(statementId=statement_id).status_code,
        lrs.get(voidedStatementId=statement_id).status_code,
        statement_id in lrs.listed(activity=activity),
    )
    assert statuses in {(404, 200, False), (200, 404, True)}
    return statuses[0] == 404


@pytest.mark.mongo_in_soak
def test_37_a_voided_statement_is_found_by_voided_statement_id_only(each_lrs):
    activity = something()
    target, other = each_lrs.store([statement(object={"id": activity}), statement(object={"id": activity})])
    assert not is_voided(each_lrs, target, activity)

    voider = each_lrs.store(voiding(target))[0]

    assert is_voided(each_lrs, target, activity)
    assert not is_voided(each_lrs, other, activity)
    assert each_lrs.one(voider)["object"] == {"objectType": "StatementRef", "id": target}
    assert each_lrs.get(voidedStatementId=target).json()["id"] == target
    assert each_lrs.get(voidedStatementId=voider).status_code == 404


def test_37_a_target_that_arrives_after_its_voiding_is_voided(each_lrs):
    activity, target = something(), new_id()
    each_lrs.store(voiding(target.upper()))

    each_lrs.store(statement(id=target, object={"id": activity}))

    assert is_voided(each_lrs, target, activity)


def test_37_of_those_who_voided_before_a_target_came_only_who_may_counts(each_lrs):
    own, other = (each_lrs.as_key("statements/write", name=name) for name in ("own", "other"))
    of_any = each_lrs.as_key("statements/write", "void/any", name="of-any")
    by_nobody, by_own, by_any = new_id(), new_id(), new_id()
    for target in (by_nobody, by_own, by_any):
        other.store(voiding(target))
    (first, _), (first_of_any, _) = [
        (who.store(voiding(target))[0], who.store(voiding(target))[0])
        for who, target in ((own, by_own), (of_any, by_any))
    ]
    late = each_lrs.as_key("statements/write", name="late")
    for target in (by_own, by_any):
        late.store(voiding(target))

    own.store([statement(id=one) for one in (by_nobody, by_own, by_any)])

    assert [each_lrs.get(voidedStatementId=one).status_code for one in (by_nobody, by_own, by_any)] == [404, 200, 200]
    by = [each_lrs.tenant.store.get("statement", one).meta["voided"] for one in (by_own, by_any)]
    assert by == [first, first_of_any]


def test_37_a_target_that_was_awaited_before_voiders_were_noted_is_voided(each_lrs):
    target = new_id()
    each_lrs.store(voiding(target))
    store = each_lrs.tenant.store
    store.write(lambda tx: tx.put(Record(AWAITED, target))).result(60)

    each_lrs.store(statement(id=target))

    assert each_lrs.get(voidedStatementId=target).status_code == 200


def test_37_a_target_that_was_awaited_before_voiders_were_noted_is_not_voided_by_another_source(each_lrs):
    target = new_id()
    each_lrs.as_key("statements/write", name="stranger").store(voiding(target))
    store = each_lrs.tenant.store
    store.write(lambda tx: tx.put(Record(AWAITED, target))).result(60)

    each_lrs.store(statement(id=target))

    assert each_lrs.get(statementId=target).status_code == 200
    assert "voided" not in store.get("statement", target).meta


def test_37_what_voided_a_target_before_it_came_and_is_gone_since_voids_it_no_more(each_lrs):
    target, voider = new_id(), new_id()
    each_lrs.store(voiding(target, id=voider))
    each_lrs.tenant.store.write(lambda tx: tx.delete("statement", voider)).result(60)

    each_lrs.store(statement(id=target))

    assert each_lrs.get(statementId=target).status_code == 200


def test_37_those_of_others_who_voided_a_target_before_it_came_are_not_read(lrs):
    other, target = lrs.as_key("statements/write", name="many"), new_id()
    for _ in range(5):
        other.store([{**voiding(target), "result": {"response": "x" * 100_000}} for _ in range(20)])

    def look(tx):
        tracemalloc.start()
        try:
            return voider_of(tx, target, {"source": "own"}, tx.get(AWAITED, target)), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    voider, peak = lrs.tenant.store.write(look).result(60)

    assert voider is None
    assert peak < 50_000


def test_37_target_and_voiding_may_come_in_one_batch_in_either_order(each_lrs):
    activity = something()
    for turn in (1, -1):
        target = statement(id=new_id(), object={"id": activity})
        each_lrs.store([target, voiding(target["id"])][::turn])

        assert is_voided(each_lrs, target["id"], activity)


@pytest.mark.mongo_in_soak
def test_37_a_voiding_statement_cannot_be_voided(each_lrs):
    target = each_lrs.store(statement())[0]
    voider = each_lrs.store(voiding(target))[0]

    answer = each_lrs.post([statement(), voiding(voider)])

    assert answer.status_code == 400
    assert answer.json()["message"] == f"statement {voider} is a voiding statement: it cannot be voided itself"
    assert (answer.json()["pointer"], answer.json()["index"]) == ("/1/object/id", 1)
    assert answer.json()["rule"] == "xAPI 1.0.3 Data 2.3.2"
    assert each_lrs.post(voiding(voider), version="2.0.0").json()["rule"] == "IEEE 9274.1.1 4.2.5"
    assert each_lrs.one(voider)["id"] == voider


def test_37_a_voiding_statement_that_arrives_after_its_own_voiding_stays_readable(each_lrs):
    target, voider = each_lrs.store(statement())[0], new_id()
    each_lrs.store(voiding(voider))

    each_lrs.store(voiding(target, id=voider))

    assert each_lrs.one(voider)["id"] == voider
    assert each_lrs.get(statementId=target).status_code == 404


def test_37_voiding_twice_and_resending_either_changes_nothing(lrs):
    activity = something()
    target = statement(id=new_id(), object={"id": activity}, timestamp="2026-01-01T00:00:00Z")
    lrs.store([target, first := voiding(target["id"], id=new_id()), voiding(target["id"])])

    assert lrs.store([first, target]) == [first["id"], target["id"]]
    assert is_voided(lrs, target["id"], activity)


def test_38_filters_find_what_refers_to_a_match_newest_first_also_when_that_is_voided(each_lrs):
    verb = something()
    target = each_lrs.store(statement(verb={"id": verb}))[0]
    reference = referring(target)
    voider = each_lrs.store(voiding(target))[0]
    reference = each_lrs.store(reference)[0]

    assert each_lrs.listed(verb=verb) == [reference, voider]


def test_38_a_voided_reference_to_what_comes_later_stays_voided_and_leads_on(each_lrs):
    verb, target, middle, outer = something(), new_id(), new_id(), new_id()
    each_lrs.store([referring(target, id=middle), referring(middle, id=outer)])
    each_lrs.store(voiding(middle))

    each_lrs.store(statement(id=target, verb={"id": verb}))
    drain(each_lrs.tenant, ("refs",))

    found = each_lrs.listed(verb=verb)
    assert (found[:1], middle in found, outer in found) == ([target], False, True)
    assert each_lrs.get(voidedStatementId=middle).status_code == 200


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("turn", [1, -1], ids=["oldest first", "newest first"])
def test_38_references_are_followed_through_any_number_of_steps_whatever_came_first(each_lrs, turn):
    actor, activity, registration = somebody(), something(), new_id()
    ids = [new_id() for _ in range(5)]
    target = statement(id=ids[0], actor=actor, object={"id": activity}, context={"registration": registration})
    chain = [target, *(referring(before, id=one) for before, one in pairwise(ids))]

    for one in chain[::turn]:
        each_lrs.store(one)

    expected = ids[::-1][::turn]
    assert each_lrs.listed(agent=actor) == expected
    assert each_lrs.listed(activity=activity) == expected
    assert each_lrs.listed(registration=registration) == expected
    assert each_lrs.listed(agent=actor, activity=activity, verb=VERB, registration=registration) == expected


@pytest.mark.mongo_in_soak
def test_38_what_one_commit_cannot_update_is_owed_and_then_found(each_lrs, monkeypatch):
    monkeypatch.setattr(references, "IN_COMMIT", 3)
    monkeypatch.setattr(references, "_AT_ONCE", 1)
    verb, target = something(), new_id()
    first = [referring(target, id=new_id()) for _ in range(5)]
    second = [referring(one["id"], id=new_id()) for one in first]
    ids = [target, *each_lrs.store([*first, *second])]

    each_lrs.store(statement(id=target, verb={"id": verb}))
    at_once = each_lrs.listed(verb=verb)
    drain(each_lrs.tenant, ("refs",))

    assert len(at_once) == 2
    assert sorted(each_lrs.listed(verb=verb)) == sorted(ids)


@pytest.mark.mongo_in_soak
def test_38_all_filters_must_hold_on_one_statement_of_the_chain(each_lrs):
    verb, actor, other = something(), somebody(), somebody()
    target = each_lrs.store(statement(verb={"id": verb}, actor=actor))[0]
    reference = each_lrs.store(referring(target, actor=other))[0]

    assert each_lrs.listed(verb=verb, agent=actor) == [reference, target]
    assert each_lrs.listed(verb=verb, agent=other) == []
    assert each_lrs.listed(agent=other) == [reference]


def test_38_references_in_a_circle_end(lrs):
    one, two, verb = new_id(), new_id(), something()

    lrs.store([referring(two, id=one, verb={"id": verb}), referring(one, id=two)])

    assert sorted(lrs.listed(verb=verb)) == sorted([one, two])
    own = new_id()
    lrs.store(referring(own, id=own, verb={"id": (lone := something())}))
    assert lrs.listed(verb=lone) == [own]


@pytest.mark.mongo_in_soak
def test_38_since_until_and_limit_apply_to_the_referring_statement(each_lrs):
    verb = something()
    target = each_lrs.store(statement(verb={"id": verb}))[0]
    stored = each_lrs.one(target)["stored"]
    reference = each_lrs.store(referring(target))[0]

    assert each_lrs.listed(verb=verb, since=stored) == [reference]
    assert each_lrs.listed(verb=verb, until=stored) == [target]
    page = each_lrs.get(verb=verb, limit=1).json()
    assert [one["id"] for one in page["statements"]] == [reference]
    assert page["more"]


def test_38_references_inside_a_substatement_or_context_are_not_followed(lrs):
    verb = something()
    target = lrs.store(statement(verb={"id": verb}))[0]
    reference = {"objectType": "StatementRef", "id": target}
    inner = {"objectType": "SubStatement", "actor": somebody(), "verb": {"id": VERB}, "object": reference}

    lrs.store([statement(context={"statement": reference}), statement(object=inner)])

    assert lrs.listed(verb=verb) == [target]
