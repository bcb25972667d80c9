"""Derived state is what the facts say: dropped and worked out again, byte for byte, and nothing is sent."""

from dataclasses import replace

import msgspec
import pytest

from lrs.competency.rebuild import rebuild
from lrs.competency.rules.losses import Swing, look_at, swings
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.people.joins import merge, trust
from lrs.storage import Owed, Record, Walk
from lrs.xapi.statements.identity import SAME_PERSON
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, DERIVED, RULES, statement

BOB = {"mbox": "mailto:bob@example.org"}


@pytest.fixture
def lived(world):
    """A history: two learners, a merge, a void, a lapse, an untrusted pass; and effects nobody may touch."""
    world.send(statement("a1"))
    voided = world.send(statement("a2", timestamp="2026-01-01T10:00:00Z"))
    world.work()
    world.send(statement("a3", ANN_ACCOUNT, activity=ASEPTIC, timestamp="2024-01-10T10:00:00Z"))
    world.send(statement("a4", activity=ASEPTIC, timestamp="2026-10-10T10:00:00Z"))
    world.send(statement("b1", BOB), source="browser")
    world.work()
    one, other = world.person(ANN), world.person(ANN_ACCOUNT)
    world.write(lambda tx: merge(tx, one, other, "test"))
    world.void(voided)
    world.work()
    return world


def everything(world):
    return {
        (kind, record.id): (record.body, dict(record.meta), set(record.keys))
        for kind in DERIVED
        for record in world.store.find(Walk(kind, limit=1000)).records
    }


def test_a_rebuild_right_after_the_work_finds_nothing_different(lived):
    assert rebuild(lived.tenant, TENANT, apply=True).lines() == []


def test_a_rebuild_joins_no_persons_without_a_fact_that_joins_them(lived):
    claimed = {"extensions": {SAME_PERSON: [ANN]}}
    lived.send(statement("b2", BOB, context=claimed))
    lived.work()
    lived.write(lambda tx: trust(tx, "vle", "test"))

    assert rebuild(lived.tenant, TENANT, apply=True).lines() == []


def test_derived_state_that_was_dropped_comes_back_byte_for_byte_and_owes_only_the_list(lived):
    before = everything(lived)
    drop(lived, before)
    owed = lived.store.backlog()

    diff = rebuild(lived.tenant, TENANT, apply=True)

    assert everything(lived) == before
    assert sorted(diff.added) == sorted(before)
    assert (diff.removed, diff.changed) == ([], [])
    assert [one for one in lived.store.backlog() if one.step != "list"] == [
        one
        for one in owed
        if one.step in {"evaluate", "sync"}  # by the join, which is no derived state
    ]
    listed = lived.store.claim(["list"], limit=9, lease=60_000_000)
    assert {claim.record.id for claim in listed} == {id for kind, id in before if kind == "profile"}


def drop(world, records):
    def decide(tx):
        for kind, id in records:
            tx.delete(kind, id)

    world.write(decide)


def test_state_that_was_tampered_with_is_shown_and_put_right(lived):
    before = everything(lived)
    record = lived.store.find(Walk("award")).records[0]
    lived.write(lambda tx: tx.replace(msgspec.structs.replace(record, body=b"{}")))
    lived.write(lambda tx: tx.insert(msgspec.structs.replace(record, id="made-up", rev=0)))

    shown = rebuild(lived.tenant, TENANT, apply=False)
    assert shown.lines() == ["- award made-up", f"~ award {record.id}"]
    assert lived.store.get("award", "made-up")
    rebuild(lived.tenant, TENANT, apply=True)

    assert everything(lived) == before


def test_an_award_that_says_something_else_owes_its_badge_a_look_and_one_with_more_evidence_does_not(lived):
    def waiting():
        return sum(one.waiting for one in lived.store.backlog() if one.step == "issue")

    for claim in lived.store.claim(["issue"], limit=100, lease=60_000_000):
        lived.store.settle([claim], lambda _: None).result()
    first, *_ = records = lived.store.find(Walk("award")).records
    body = msgspec.json.decode(first.body)
    for other in ({"evidence_count": 7}, {"held_from": "2020-01-01"}):
        told = msgspec.structs.replace(first, rev=lived.store.get("award", first.id).rev)
        told = msgspec.structs.replace(told, body=msgspec.json.encode(body | other))
        lived.write(lambda tx, told=told: tx.replace(told))
        assert waiting() == 0

        assert rebuild(lived.tenant, TENANT, apply=True).lines() == [f"~ award {first.id}"]

        assert waiting() == ("held_from" in other)
    assert [one.body for one in lived.store.find(Walk("award")).records] == [one.body for one in records]


def test_a_rebuild_waits_for_work_that_would_otherwise_owe_nothing(lived):
    lived.send(statement("new"))

    with pytest.raises(Refused, match="match is still owed"):
        rebuild(lived.tenant, TENANT, apply=True)


def test_effects_are_neither_read_nor_written(lived):
    effects = [Record(kind, "one", b"effect") for kind in ("credential", "delivery", "consent")]
    kept = [lived.write(lambda tx, effect=effect: tx.insert(effect)) for effect in effects]
    audit = lived.store.find(Walk("audit")).records
    drop(lived, everything(lived))

    rebuild(lived.tenant, TENANT, apply=True)

    assert [lived.store.get(effect.kind, "one") for effect in effects] == kept
    assert lived.store.find(Walk("audit")).records == audit


def test_a_dry_run_of_other_rules_says_who_gains_and_who_loses_and_changes_nothing(lived):
    before = everything(lived)
    ann, bob = lived.person(ANN), lived.person(BOB)
    other = "activity,verb,competency,level,trusted source\nhttps://vle.example/gowning,passed,GOWN,1,browser\n"

    found = swings(lived.store, look_at(lived.tenant, lived.ruleset(other)))

    assert sorted(found, key=str) == sorted(
        [
            Swing(ann, "ASEP", "Aseptic technique", 2, gained=False, competency=""),
            Swing(ann, "GOWN", "Gowning", 1, gained=False, competency=""),
            Swing(bob, "GOWN", "Gowning", 1, gained=True, competency=""),
        ],
        key=str,
    )
    assert swings(lived.store, look_at(lived.tenant, lived.ruleset(RULES))) == []
    assert everything(lived) == before


def test_a_rebuild_waits_for_a_match_that_failed_and_will_be_tried_again(lived):
    drop(lived, everything(lived))
    lived.send(statement("new"))
    (claim,) = lived.store.claim(["match"], limit=1, lease=60_000_000)
    lived.store.defer(claim, due=lived.clock() + 3_600_000_000, error="the store was away")

    with pytest.raises(Refused, match="match is still owed"):
        rebuild(lived.tenant, TENANT, apply=True)

    assert everything(lived) == {}


@pytest.mark.parametrize(("step", "parked"), [("evaluate", False), ("evaluate", True), ("match", True)])
def test_a_rebuild_does_not_do_what_a_step_that_failed_would_still_owe_a_badge_for(lived, step, parked):
    lived.send(statement("c1", {"mbox": "mailto:cid@example.org"}))
    if step == "evaluate":
        lived.work("match")
    (claim,) = lived.store.claim([step], limit=1, lease=60_000_000)
    lived.store.defer(claim, due=lived.clock() + 3_600_000_000, error="its worker ended", parked=parked)

    with pytest.raises(Refused, match=f"{step} failed: lrs work status says why"):
        rebuild(lived.tenant, TENANT, apply=True)


def test_a_statement_that_nobody_can_read_does_not_keep_a_rebuild_waiting(lived):
    broken = Record("statement", "broken", b"{}", {"source": "vle", "version": "2.0.0"}, owed=(Owed("match"),))
    lived.write(lambda tx: tx.insert(broken))
    lived.work()
    assert [record.id for record, _ in lived.store.parked("match")] == ["broken"]

    assert rebuild(lived.tenant, TENANT, apply=True).lines() == []


@pytest.mark.parametrize("zone", ["Europe/London", "UTC", "Asia/Tokyo"])
def test_a_statement_of_the_year_one_is_judged_like_any_other_and_holds_up_nobody(world, zone):
    world.tenant = replace(world.tenant, settings=world.tenant.settings.model_copy(update={"zone": zone}))
    world.send(statement("first day of all", activity=ASEPTIC, timestamp="0001-01-01T00:00:00Z"))
    world.send(statement("other", BOB, timestamp="0001-01-01T00:00:00Z"))
    world.work()
    rules = RULES.replace("P12M", "P10D") + "https://vle.example/other,passed,ASEP,1,,,vle\n"

    look_at(world.tenant, world.ruleset(rules))
    world.apply(rules)
    world.work()

    assert [one["held_from"] for one in world.awards("expired")] == ["0001-01-01"]
    assert [one["held_from"] for one in world.awards()] == ["0001-01-01"]
    assert list(world.store.parked()) == []
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []
