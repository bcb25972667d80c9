"""One learner, one quiz, five passes: whatever the order, with a merge and an unmerge in between."""

import itertools
import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.competency.rebuild import rebuild
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.people.joins import merge, unmerge
from lrs.storage import Walk
from tests.competency.world import ANN, ANN_ACCOUNT, World, statement, statement_id

DAYS = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"]
NAMES = ["a", "b", "c", "d", "e"]


EVERY = list(itertools.permutations(range(5)))
TURNED = [
    order
    for start in range(5)
    for order in (EVERY[0][start:] + EVERY[0][:start], EVERY[-1][start:] + EVERY[-1][:start])
]
"""Each pass in each turn, before and after each of its neighbours."""
orders = pytest.mark.parametrize(
    "orders", [TURNED, pytest.param(EVERY, marks=pytest.mark.soak)], ids=["turned", "each of the 120"]
)


def passed(n, actor):
    return statement(NAMES[n], actor, timestamp=f"{DAYS[n]}T10:00:00Z")


@orders
def test_five_passes_in_whatever_order_are_one_award_with_five_pieces_of_evidence(world, orders):
    bodies, ids = set(), set()
    learners = [{"mbox": f"mailto:{n}@example.org"} for n in range(len(orders))]
    for learner, order in zip(learners, orders, strict=True):
        for n in order:
            one = passed(n, learner)
            world.send({**one, "id": statement_id(f"{learner['mbox']} {n}")})
            world.work()
        (record,) = world.store.find(Walk("award", [holder_key(world, learner)])).records
        body = json.loads(record.body)
        assert [proof["timestamp"][:10] for proof in body["evidence"]] == DAYS
        ids.add(record.id)
        bodies.add((body["held_from"], body["state"], len(body["evidence"])))

    assert bodies == {("2026-11-16", "held", 5)}
    assert len(ids) == len(orders)


def holder_key(world, actor):
    return key("award", world.person(actor))


@pytest.mark.parametrize("first", [ANN, ANN_ACCOUNT], ids=["mailbox older", "account older"])
def test_across_a_merge_and_an_unmerge_there_is_one_award_one_name_and_five_pieces_of_evidence(world, first):
    second = ANN_ACCOUNT if first is ANN else ANN
    seen = set()

    def look(count):
        world.work()
        held = [record for record in world.store.find(Walk("award")).records if record.meta["state"] == "held"]
        assert [len(json.loads(record.body)["evidence"]) for record in held] == [count]
        seen.add(held[0].id)

    world.send(statement("hello", second, activity="https://vle.example/welcome"))
    world.work()
    world.send(passed(3, first))
    look(1)
    world.send(passed(1, first))
    look(2)
    one, other = world.person(first), world.person(second)
    world.write(lambda tx: merge(tx, one, other, "test"))
    look(2)
    world.send(passed(4, second))
    look(3)
    world.send(passed(0, first))
    look(4)
    world.write(lambda tx: unmerge(tx, one, "test"))
    world.work()
    world.write(lambda tx: merge(tx, other, one, "test"))
    look(4)
    world.send(passed(2, second))
    look(5)

    assert len(seen) == 1


@orders
def test_whatever_order_across_merges_and_an_unmerge_ends_with_the_award_it_began_with(world, orders):
    pairs = [
        ({"mbox": f"mailto:one{n}@example.org"}, {"mbox": f"mailto:two{n}@example.org"}) for n in range(len(orders))
    ]
    for n, (one, two) in enumerate(pairs):  # so that the older of the two is now this one, now that one
        world.send({**statement("hello", (one, two)[n % 2], activity="urn:welcome"), "id": statement_id(f"hello {n}")})
    world.work()

    def pass_the_quiz(turn, who):
        for n, order in enumerate(orders):
            world.send({**passed(order[turn], pairs[n][who]), "id": statement_id(f"{n} {turn}")})
        world.work()

    def for_every_pair(change):
        for one, two in pairs:
            world.write(lambda tx, one=one, two=two: change(tx, world.person(one), world.person(two)))
        world.work()

    def held():
        awards = [
            record for record in world.store.find(Walk("award", limit=1_000)).records if record.meta["state"] == "held"
        ]
        return {record.id: len(json.loads(record.body)["evidence"]) for record in awards}

    pass_the_quiz(0, 0)
    begun = held()
    pass_the_quiz(1, 1)
    for_every_pair(lambda tx, one, two: merge(tx, one, two, "test"))
    merged = held()
    pass_the_quiz(2, 1)
    for_every_pair(lambda tx, _, two: unmerge(tx, two, "test"))
    apart = held()
    pass_the_quiz(3, 0)
    for_every_pair(lambda tx, one, two: merge(tx, two, one, "test"))
    pass_the_quiz(4, 1)

    assert (len(begun), set(begun.values())) == (len(orders), {1})
    assert merged == dict.fromkeys(begun, 2)
    assert (len(apart), begun.keys() <= apart.keys()) == (2 * len(orders), True)
    assert held() == dict.fromkeys(begun, 5)


def test_after_an_unmerge_each_holds_what_its_own_evidence_proves(world):
    world.send(passed(0, ANN))
    world.work()
    world.send(passed(1, ANN_ACCOUNT))
    world.work()
    before = {award["person"]: award for award in world.awards()}
    one, other = world.person(ANN), world.person(ANN_ACCOUNT)
    world.write(lambda tx: merge(tx, one, other, "test"))
    world.work()
    assert [(award["person"], len(award["evidence"])) for award in world.awards()] == [(one, 2)]
    assert {profile["person"]: profile["merged_into"] for profile in world.all("profile")} == {one: None, other: one}

    world.write(lambda tx: unmerge(tx, other, "test"))
    world.work()

    assert {award["person"]: award for award in world.awards()} == before


@pytest.mark.parametrize("examples", [12, pytest.param(200, marks=pytest.mark.soak)])
def test_any_order_of_passes_merges_and_work_ends_with_one_award_for_the_merged_learner(examples):
    @settings(max_examples=examples, deadline=None)
    @given(
        actions=st.permutations(["0", "1", "2", "3", "4", "merge", "unmerge"]),
        owners=st.lists(st.booleans(), min_size=5, max_size=5),
        working=st.lists(st.booleans(), min_size=7, max_size=7),
    )
    def holds(actions, owners, working):
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder))
            for actor in (ANN, ANN_ACCOUNT):
                world.send(statement(f"hello {actor}", actor, activity="https://vle.example/welcome"))
                world.work()
            one, other = world.person(ANN), world.person(ANN_ACCOUNT)
            for action, work in zip(actions, working, strict=True):
                act(world, action, owners, one, other)
                if work:
                    world.work()
            world.write(lambda tx: merge(tx, one, other, "test"))
            world.work()

            assert rebuild(world.tenant, TENANT, apply=False).lines() == []
            (award,) = world.awards()
            profiles = {profile["person"]: profile["competencies"] for profile in world.all("profile")}
            world.close()

        assert [proof["timestamp"][:10] for proof in award["evidence"]] == DAYS
        assert (award["person"], award["held_from"]) == (one, "2026-11-16")
        assert [entry["evidence_count"] for entry in profiles[one]] == [5]
        assert profiles.get(other, []) == []

    holds()


def act(world, action, owners, one, other):
    if action == "merge":
        world.write(lambda tx: merge(tx, one, other, "test"))
    elif action == "unmerge":
        with suppress(Refused):
            world.write(lambda tx: unmerge(tx, one, "test"))
    else:
        n = int(action)
        world.send(passed(n, ANN if owners[n] else ANN_ACCOUNT))
