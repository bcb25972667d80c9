"""Any history of statements, voids, merges, rules applied and restored, and time that passes, and then a rebuild."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lrs.competency.rebuild import rebuild
from lrs.competency.rules.rulesets import current
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.people.joins import merge, unmerge
from lrs.storage import Owed, Walk
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, GOWNING, HOUR, RULES, World, statement

HEADER = RULES.splitlines()[0] + "\n"
GOWN = "https://vle.example/gowning,passed,GOWN,1,{},{},vle\n"
ASEP = "https://vle.example/aseptic,passed|completed,ASEP,2,,P12M,vle|centre\n"
TABLES = [
    RULES,
    HEADER,
    HEADER + ASEP,
    HEADER + GOWN.format(80, ""),
    HEADER + GOWN.format(95, "") + ASEP,
    HEADER + GOWN.format(50, "P1M"),
    HEADER + GOWN.format(50, "P3M") + ASEP.replace("P12M", "P6M"),
    HEADER + GOWN.format(80, "").replace(",1,", ",2,"),
]
PEOPLE = [ANN, ANN_ACCOUNT]

sends = st.tuples(
    st.just("send"),
    st.sampled_from(PEOPLE),
    st.sampled_from([GOWNING, ASEPTIC]),
    st.sampled_from([60, 90, 100]),
    st.sampled_from(["2025-12-01", "2026-08-20", "2026-11-19", "2026-11-20"]),
)
actions = st.one_of(
    sends,
    sends,
    st.tuples(st.just("void"), st.integers(0, 20)),
    st.tuples(st.just("apply"), st.sampled_from(TABLES), st.sampled_from([0, 12, 24])),
    st.tuples(st.just("restore"), st.integers(1, 6), st.sampled_from([0, 24])),
    st.tuples(st.just("wait"), st.sampled_from([1, 11, 24, 24 * 40])),
    st.sampled_from([("merge",), ("unmerge",), ("work",), ("work",)]),
)


def act(world, action, sent):
    match action:
        case ("send", who, activity, score, day):
            parts = {"activity": activity, "score": {"raw": score, "min": 0, "max": 100}}
            sent.append(world.send(statement(f"s{len(sent)}", who, timestamp=f"{day}T10:00:00Z", **parts)))
        case ("void", n) if sent:
            world.void(sent[n % len(sent)])
        case ("apply", table, review):
            world.apply(table, review)
        case ("restore", version, review) if version < current(world.store).version:
            world.restore(version, review)
        case ("wait", hours):
            world.clock.now += hours * HOUR
        case ("merge",):
            world.write(lambda tx: merge(tx, *map(world.person, PEOPLE), "test"))
        case ("unmerge",):
            with suppress(Refused):
                world.write(lambda tx: unmerge(tx, world.person(ANN), "test"))
        case ("work",):
            world.work()


def derived(world):
    return {
        (kind, record.id): (record.body, dict(record.meta), set(record.keys))
        for kind in ("evidence", "tally", "award", "profile")
        for record in world.store.find(Walk(kind, limit=1000)).records
    }


@pytest.mark.parametrize("examples", [25, pytest.param(300, marks=pytest.mark.soak)])
def test_after_any_history_a_rebuild_finds_no_difference_and_work_done_again_changes_nothing(examples):
    @settings(max_examples=examples, deadline=None)
    @given(history=st.lists(actions, min_size=3, max_size=16))
    def holds(history):
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder))
            for who in PEOPLE:
                world.send(statement(f"hello {who}", who, activity="https://vle.example/welcome"))
            world.work()
            sent = []
            for action in history:
                act(world, action, sent)
            world.work()
            before = derived(world)

            assert rebuild(world.tenant, TENANT, apply=False).lines() == []
            for person in map(world.person, PEOPLE):
                world.write(lambda tx, person=person: owe(tx, person))
            world.work()
            assert derived(world) == before
            world.close()

    holds()


def owe(tx, person):
    tx.owe("person", person, Owed("evaluate"))


@settings(max_examples=30, deadline=None)
@example(
    history=[("send", ANN, GOWNING, 60, "2026-11-19"), ("send", ANN, GOWNING, 90, "2026-11-20")],
    table=HEADER + GOWN.format(50, "P1M"),
    waits=0,
).via("the other table gives the same level a day earlier, so it is one award, in review")
@given(history=st.lists(sends, min_size=1, max_size=8), table=st.sampled_from(TABLES), waits=st.integers(0, 23))
def test_whatever_rules_take_away_and_bring_back_within_the_review_leaves_every_award_as_it_was(history, table, waits):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        sent = []
        for action in history:
            act(world, action, sent)
        world.work()
        before = held(world)

        world.apply(table, 24)
        world.work()
        world.clock.now += waits * HOUR
        world.work()
        during = held(world)
        world.restore(1, 24)
        world.work()
        restored = held(world)
        world.clock.now += 25 * HOUR  # until then, what the other table gave beyond this one is held, too
        world.work()

        assert during.keys() >= before.keys()
        assert restored.keys() >= before.keys()
        assert held(world) == before
        world.close()


def held(world):
    """The awards that are held, by name."""
    records = world.store.find(Walk("award", limit=1000)).records
    return {record.id: json.loads(record.body) for record in records if record.meta["state"] == "held"}
