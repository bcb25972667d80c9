"""The way from a statement to an award on each engine: a merge, an unmerge, a void, a change of rules, a rebuild."""

from dataclasses import replace

import msgspec
import pytest

from lrs.competency.rebuild import compare, put_right, rebuild
from lrs.competency.scratch import worked_out
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.people.joins import merge, unmerge
from lrs.storage import Walk
from tests.competency.world import ANN, ANN_ACCOUNT, RULES, World, statement


@pytest.fixture
def world(store_url, tmp_path):
    world = World(tmp_path, url=store_url)
    yield world
    world.close()


def held(world):
    world.work()
    return sorted((award["person"], len(award["evidence"])) for award in world.awards())


def test_a_learner_s_way_ends_the_same_on_each_engine(world):
    first = world.send(statement("one"))
    world.work()
    world.send(statement("two", timestamp="2026-11-19T10:00:00Z"))
    world.send(statement("three", ANN_ACCOUNT, timestamp="2026-11-18T10:00:00Z"))
    world.send(statement("untrusted", ANN_ACCOUNT), source="browser")
    world.work()
    ann, account = world.person(ANN), world.person(ANN_ACCOUNT)
    assert held(world) == sorted([(ann, 2), (account, 1)])

    world.write(lambda tx: merge(tx, ann, account, "test"))
    assert held(world) == [(ann, 3)]
    world.void(first)
    assert held(world) == [(ann, 2)]
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []
    world.write(lambda tx: unmerge(tx, account, "test"))
    assert held(world) == sorted([(ann, 1), (account, 1)])
    world.apply(RULES.replace(",80,", ",95,"))
    assert held(world) == []

    assert rebuild(world.tenant, TENANT, apply=True).lines() == []
    assert {one.step for one in world.store.backlog()} == {"issue", "sync"}


class Meanwhile:
    """A store on which somebody else does something just before the write with the number *at* of whoever has it."""

    def __init__(self, store, at, act):
        self._store, self._left, self._act = store, at, act

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, decide, **more):
        self._left -= 1
        if self._left == 0:
            self._act()
        return self._store.write(decide, **more)


def tampered(world):
    """A world with an award that says something else than its evidence; the award as it should be."""
    world.send(statement("one"))
    world.work()
    (right,) = world.store.find(Walk("award")).records
    world.write(lambda tx: tx.replace(msgspec.structs.replace(right, body=b'{"wrong": 1}', rev=1)))
    return right


def rebuild_while(world, act):
    """Rebuilds; *act* comes between the comparing and the putting right."""
    return rebuild(replace(world.tenant, store=Meanwhile(world.store, 1, act)), TENANT, apply=True)


def test_a_level_that_changes_between_the_comparing_and_the_swap_is_worked_out_again_and_not_lost(world):
    right = tampered(world)

    def learn():
        world.send(statement("two", timestamp="2026-11-19T10:00:00Z"))
        world.work()

    rebuild_while(world, learn)

    (award,) = world.awards()
    assert len(award["evidence"]) == 2
    assert world.store.get("award", right.id).keys == right.keys
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


def test_what_is_deleted_and_what_appears_between_the_comparing_and_the_swap_is_worked_out_again(world):
    right = tampered(world)
    (profile,) = world.store.find(Walk("profile")).records
    world.write(lambda tx: tx.delete("profile", profile.id))
    appeared = []

    def go_and_come():
        world.write(lambda tx: tx.delete("award", right.id))
        made_up = msgspec.structs.replace(profile, body=b"{}", seq=0, rev=0)
        appeared.append(world.write(lambda tx: tx.insert(made_up)))

    diff = rebuild_while(world, go_and_come)

    assert world.store.get("award", right.id).body == right.body
    assert world.store.get("profile", profile.id).body == profile.body
    assert world.store.get("profile", profile.id).rev == appeared[0].rev + 1
    assert sorted(diff.lines()) == sorted(
        [f"~ award {right.id}", f"+ profile {profile.id}", f"+ award {right.id}", f"~ profile {profile.id}"]
    )


def test_a_record_that_was_deleted_and_made_again_with_the_same_revision_is_not_what_was_compared(world):
    right = tampered(world)
    wrong = world.store.get("award", right.id)
    with worked_out(world.tenant, TENANT) as scratch:
        diff = compare(world.store, scratch, TENANT)
        world.write(lambda tx: tx.delete("award", right.id))
        world.write(lambda tx: tx.insert(msgspec.structs.replace(wrong, body=b'{"newer": 1}', rev=0)))
        world.write(lambda tx: tx.replace(msgspec.structs.replace(wrong, body=b'{"newer": 2}', rev=1)))
        assert world.store.get("award", right.id).rev == wrong.rev

        left = put_right(world.store, scratch, diff)

    assert left == [("award", right.id)]
    assert world.store.get("award", right.id).body == b'{"newer": 2}'


def test_persons_that_are_merged_while_a_rebuild_compares_stay_merged(world):
    tampered(world)
    world.send(statement("two", ANN_ACCOUNT, timestamp="2026-11-18T10:00:00Z"))
    world.work()
    ann, account = world.person(ANN), world.person(ANN_ACCOUNT)

    def join():
        world.write(lambda tx: merge(tx, ann, account, "test"))
        world.work()

    rebuild_while(world, join)

    assert held(world) == [(ann, 2)]
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


def test_a_rebuild_gives_up_with_a_reason_when_something_changes_every_time(world):
    tampered(world)

    class Restless(Meanwhile):
        def write(self, decide, **more):
            award = world.store.find(Walk("award")).records[0]
            world.write(lambda tx: tx.replace(msgspec.structs.replace(award, body=award.body + b" ")))
            return self._store.write(decide, **more)

    with pytest.raises(Refused, match="changed during each of 5 attempts") as refused:
        rebuild(replace(world.tenant, store=Restless(world.store, 0, None)), TENANT, apply=True)

    assert refused.value.status == 409
