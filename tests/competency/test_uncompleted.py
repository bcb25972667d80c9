"""A completion mark that is taken off takes back what it proved, on each engine; set again, it counts from then on."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.competency.completion import UNCOMPLETED
from lrs.competency.explain import explain
from lrs.competency.rebuild import rebuild
from lrs.competency.rules.losses import Changed, look_at, swings, unchanged
from lrs.competency.rules.rules import index_rules
from lrs.competency.rules.rulesets import current
from lrs.competency.rules.unmatched import legible, unmatched
from lrs.competency.seen import look
from lrs.competency.uncompletions import uncompletions_in
from lrs.competency.uncounted import uncounted
from lrs.composition.kinds import TENANT
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.people.joins import merge, unmerge
from lrs.storage import Owed, Record, Walk, first_seq
from tests.competency.test_tallies import make_former
from tests.competency.world import (
    ANN,
    ANN_ACCOUNT,
    DERIVED,
    GOWNING,
    NOON,
    RULES,
    World,
    micros,
    statement,
    statement_id,
)
from tests.rows import each_of

pytestmark = pytest.mark.mongo_in_soak
OLDER, TODAY = sorted(UNCOMPLETED)
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
BOB = {"mbox": "mailto:bob@example.org"}
TABLE = RULES.splitlines()[0] + "\nhttps://vle.example/gowning,completed|passed,GOWN,1,,,vle|centre\n"
NINE, TEN, ELEVEN = (f"2026-11-20T{hour:02}:00:00Z" for hour in (9, 10, 11))


@pytest.fixture
def world(store_url, tmp_path):
    world = World(tmp_path, TABLE, url=store_url)
    yield world
    world.close()


def done(name, timestamp, actor=None, **parts):
    return statement(name, actor, verb=COMPLETED, timestamp=timestamp, score={}, **parts)


def undone(name, timestamp, actor=None, **parts):
    return statement(name, actor, verb=parts.pop("verb", TODAY), timestamp=timestamp, score={}, **parts)


def held(world):
    """The ids of the statements that awards in force rest on."""
    world.work()
    assert rebuild(world.tenant, TENANT, apply=False).lines() == []
    return [proof["statement"] for award in world.awards() for proof in award["evidence"]]


def ids(*names):
    return [statement_id(name) for name in names]


@pytest.mark.parametrize("verb", [OLDER, TODAY])
def test_it_takes_back_every_completion_before_it_and_a_later_one_counts_again(world, verb):
    world.send(done("early", NINE))
    world.send(done("late", "2026-11-20T10:30:00Z"))
    assert held(world) == ids("early", "late")

    world.send(undone("off", ELEVEN, verb=verb))
    assert held(world) == []
    assert [award["state"] for award in world.all("award")] == ["withdrawn"]

    world.send(done("again", "2026-11-21T11:00:00Z"))
    assert held(world) == ids("again")
    assert [award["held_from"] for award in world.awards()] == ["2026-11-21"]


def test_of_one_moment_what_was_stored_later_counts(world):
    world.send_all([done("a", TEN), undone("a off", TEN)])
    assert held(world) == []

    world.send_all([undone("b off", TEN, BOB), done("b", TEN, BOB)])
    assert held(world) == ids("b")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: (undone("off", ELEVEN, BOB), "vle"), id="another learner"),
        pytest.param(lambda: (undone("off", ELEVEN, activity="https://vle.example/other"), "vle"), id="other activity"),
        pytest.param(lambda: (undone("off", ELEVEN), "centre"), id="another source"),
        pytest.param(lambda: (undone("off", "2027-11-20T11:00:00Z"), "vle"), id="a year in the future"),
        pytest.param(lambda: (undone("off", ELEVEN, {"objectType": "Group", "member": [ANN]}), "vle"), id="a group"),
    ],
)
def test_a_mark_of_another_source_learner_or_activity_takes_nothing_back(world, other):
    world.send(done("on", TEN))
    world.send(*other())

    assert held(world) == ids("on")


MARKS = [
    ({}, {}, 1),
    ({"trial": "staff"}, {}, 0),
    ({"outside": [GOWNING]}, {}, 0),
    ({"outside": ["https://vle.example/other"]}, {}, 1),
    ({}, {"timestamp": "2026-11-22T11:59:59Z"}, 1),
    ({}, {"timestamp": "2026-11-22T12:00:01Z"}, 0),
    ({}, {"actor": {"objectType": "Group", "member": [ANN]}}, 0),
    ({}, {"object": {"objectType": "Agent", **ANN}}, 0),
]


@each_of("meta, parts, taken", MARKS)
def test_only_a_mark_that_could_prove_something_takes_something_back(meta, parts, taken):
    body = json.dumps(undone("off", TEN) | parts).encode()
    record = Record("statement", statement_id("off"), body, {"source": "vle", **meta}, seq=first_seq(micros(NOON)))

    assert len(list(uncompletions_in(record, look(record), str))) == taken


def test_a_pass_of_the_same_activity_stays(world):
    world.send(statement("pass", timestamp=NINE))
    world.send(done("on", TEN))
    world.send(undone("off", ELEVEN))

    assert held(world) == ids("pass")


def test_an_attempt_is_an_activity_of_its_own_and_stays(world):
    world.apply("activity,match,verb,competency,level,trusted source\n" + f"{GOWNING},parent,completed,GOWN,1,vle\n")
    parent = {"contextActivities": {"parent": [{"id": GOWNING}]}}
    world.send(done("attempt", TEN, activity=f"{GOWNING}/attempt/1", context=parent))
    world.send(undone("off", ELEVEN))
    assert held(world) == ids("attempt")

    world.send(undone("of the attempt", ELEVEN, activity=f"{GOWNING}/attempt/1", context=parent))

    assert held(world) == []


def test_when_it_is_voided_the_completion_counts_again(world):
    world.send(done("on", TEN))
    off = world.send(undone("off", ELEVEN))
    assert held(world) == []

    world.void(off)

    assert held(world) == ids("on")
    assert world.all("uncompletion") == []


def test_it_takes_back_what_another_identifier_of_the_person_completed_for_as_long_as_they_are_one(world):
    world.send(done("on", TEN))
    world.send(undone("off", ELEVEN, ANN_ACCOUNT))
    assert held(world) == ids("on")
    one, other = world.person(ANN), world.person(ANN_ACCOUNT)

    world.write(lambda tx: merge(tx, one, other, "test"))
    assert held(world) == []
    world.write(lambda tx: unmerge(tx, other, "test"))

    assert held(world) == ids("on")


def test_rules_that_come_later_count_only_what_was_not_taken_back(world):
    world.apply(TABLE.replace("gowning", "other"))
    world.send(done("on", TEN))
    world.send(undone("off", ELEVEN))
    world.send(done("bob", TEN, BOB))
    world.void(world.send(undone("bob off", ELEVEN, BOB)))
    world.work()

    found = swings(world.store, look_at(world.tenant, world.ruleset(TABLE)))
    world.apply(TABLE)

    assert held(world) == ids("bob")
    assert [(swing.person, swing.gained) for swing in found] == [(world.person(BOB), True)]


def test_what_is_in_review_goes_at_once(world):
    world.send(done("on", TEN))
    world.work()
    world.apply(TABLE.replace("gowning", "other"), review=24)
    assert held(world) == ids("on")

    world.send(undone("off", ELEVEN))

    assert held(world) == []


def test_no_rules_are_put_in_force_on_a_look_that_a_mark_taken_off_came_after(world):
    world.send(done("on", TEN))
    world.work()
    seen = look_at(world.tenant, world.ruleset(TABLE.replace("gowning", "other")))
    world.send(undone("off", ELEVEN))

    with pytest.raises(Changed):
        unchanged(world.store, seen, seen.today)


def test_it_is_explained_by_the_statement_that_took_it_back_and_when(world):
    world.send(done("on", TEN))
    world.send(undone("off", ELEVEN))
    world.send(done("again", "2026-11-21T09:00:00Z"))
    world.work()

    (answer,) = explain(world.tenant, "ann@example.org").answers

    assert [(one.statement, one.counted, one.reason) for one in answer.evidence] == [
        (statement_id("on"), False, f"taken back by statement {statement_id('off')} on {ELEVEN}"),
        (statement_id("again"), True, None),
    ]
    assert uncounted(world.store, world.person(ANN), ids("on", "again")) == set(ids("on"))


def test_of_many_completions_on_one_day_those_after_it_are_named_and_counted(world):
    world.send_all([done(f"{n:02}", f"2026-11-20T10:{n:02}:00Z") for n in range(60)])
    world.send(statement("pass", timestamp=NINE))
    world.send(undone("off", "2026-11-20T10:29:30Z"))
    world.work()

    (award,) = world.awards()

    assert [one["statement"] for one in award["evidence"]] == ids("pass", *(f"{n:02}" for n in range(30, 49)))
    assert award["evidence_count"] == 31
    assert [one["count"] for one in world.all("tally")] == [61]
    assert rebuild(world.tenant, TENANT, apply=False).lines() == []


def test_a_completion_below_the_threshold_is_not_counted_off_those_that_count(store_url, tmp_path):
    world = World(tmp_path, TABLE.replace(",1,,,", ",1,80,,"), url=store_url)
    world.send(statement("low", verb=COMPLETED, timestamp=NINE, score={"raw": 30, "min": 0, "max": 100}))
    world.send_all([statement(f"{n:02}", verb=COMPLETED, timestamp=f"2026-11-20T11:{n:02}:00Z") for n in range(30)])
    world.send(undone("off", TEN))
    world.work()

    assert [award["evidence_count"] for award in world.awards()] == [30]
    assert rebuild(world.tenant, TENANT, apply=False).lines() == []
    world.close()


def test_a_rule_that_names_the_verb_counts_it_no_more_than_before(world):
    world.apply(TABLE.replace("completed|passed", f"completed|{TODAY}"))
    world.send(undone("off", ELEVEN))

    assert held(world) == []
    assert [one["reason"] for one in world.all("evidence")] == ["not completed"]


def test_it_is_not_among_what_waits_for_a_rule(world):
    world.send(undone("off", ELEVEN, activity="https://vle.example/other"))

    records = world.store.find(Walk("statement")).records

    assert unmatched(legible(records), index_rules(current(world.store))) == []


def test_it_takes_back_what_a_store_from_before_it_was_told_apart_has(world):
    world.send(done("on", TEN))
    world.send(statement("pass", ANN_ACCOUNT, timestamp=NINE))
    world.work()
    one, other = world.person(ANN), world.person(ANN_ACCOUNT)
    world.write(lambda tx: merge(tx, one, other, "test"))
    world.work()
    make_former(world)

    world.send(undone("off", ELEVEN, ANN_ACCOUNT))

    assert held(world) == ids("pass")


def test_a_rebuild_leaves_what_was_taken_off_before_it_was_known_to_the_steps_which_tell_others(world):
    world.send(done("on", TEN))
    world.work()
    world.send(undone("off", ELEVEN))
    (claim,) = world.store.claim(["match"], limit=1, lease=60_000_000)
    world.store.settle([claim], lambda _: None).result()

    for _ in range(2):
        with pytest.raises(Refused, match="match is still owed; let lrs work finish first"):
            rebuild(world.tenant, TENANT, apply=True)
    assert [award["state"] for award in world.all("award")] == ["held"]
    world.work()

    assert rebuild(world.tenant, TENANT, apply=True).lines() == []
    assert [award["state"] for award in world.all("award")] == ["withdrawn"]
    assert "issue" in {one.step for one in world.store.backlog() if one.waiting}


def test_what_was_taken_off_before_it_was_known_is_taken_back_by_the_first_work_and_looked_for_once(world):
    world.send(done("on", TEN))
    world.send(undone("off", ELEVEN))
    world.work()
    world.write(lambda tx: [tx.delete("uncompletion", one.id) for one in tx.find(Walk("uncompletion")).records])
    world.write(lambda tx: tx.owe("person", world.person(ANN), Owed("evaluate")))
    world.work()
    assert [award["state"] for award in world.all("award")] == ["held"]

    drain(world.tenant, ["match", "evaluate"])

    assert held(world) == []
    assert drain(world.tenant, ["match", "evaluate"]) == 0


def test_where_no_mark_was_ever_taken_off_the_first_work_writes_nothing(world):
    world.send(done("on", TEN))
    world.work()

    assert drain(world.tenant, ["match", "evaluate"]) == 0

    assert [world.store.count(kind) for kind in ("read-again", "rematch")] == [0, 0]


# -- in any order -----------------------------------------------------------------------------------------------------

HISTORY = {
    "on": done("on", "2026-11-18T10:00:00Z"),
    "off": undone("off", "2026-11-18T12:00:00Z", ANN_ACCOUNT),
    "on again": done("on again", "2026-11-19T10:00:00Z", ANN_ACCOUNT),
    "wrongly off": undone("wrongly off", "2026-11-20T09:00:00Z"),
    "pass": statement("pass", ANN_ACCOUNT, timestamp="2026-11-19T11:00:00Z"),
}


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations([*HISTORY, "merge", "rules", "void"]),
    working=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_any_order_of_marks_merge_void_rules_and_work_ends_with_the_same(order, working):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), TABLE.replace("completed|", ""))
        for actor in (ANN, ANN_ACCOUNT):
            world.send(statement(f"hello {actor}", actor, activity="https://vle.example/welcome"))
            world.work()
        for action, work in zip(order, working, strict=True):
            act(world, action, order)
            if work:
                world.work()
        drain(world.tenant, ["match", "evaluate"])
        assert held(world) == ids("on again", "pass")
        before = everything(world)
        for kind in DERIVED:
            world.write(
                lambda tx, kind=kind: [tx.delete(kind, one.id) for one in tx.find(Walk(kind, limit=100)).records]
            )
        rebuild(world.tenant, TENANT, apply=True)
        assert everything(world) == before
        world.close()


def act(world, action, order):
    if action == "merge":
        world.write(lambda tx: merge(tx, world.person(ANN), world.person(ANN_ACCOUNT), "test"))
    elif action == "rules":
        world.apply(TABLE)
    elif action != "void":
        world.send(HISTORY[action])
    come = order[: order.index(action) + 1]
    if action in {"void", "wrongly off"} and {"void", "wrongly off"} <= set(come):
        world.void(statement_id("wrongly off"))


def everything(world):
    return {
        (kind, record.id): (record.body, json.dumps(record.meta), set(record.keys))
        for kind in DERIVED
        for record in world.store.find(Walk(kind, limit=100)).records
    }
