"""The way from a statement to an award on each engine: a merge, an unmerge, a void, a change of rules, a rebuild."""

import pytest

from lrs.competencies.rebuild import rebuild
from lrs.learners.joins import merge, unmerge
from tests.competencies.world import ANN, ANN_ACCOUNT, RULES, World, statement


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
    assert rebuild(world.tenant, apply=True).lines() == []
    world.write(lambda tx: unmerge(tx, account, "test"))
    assert held(world) == sorted([(ann, 1), (account, 1)])
    world.apply(RULES.replace(",80,", ",95,"))
    assert held(world) == []

    assert rebuild(world.tenant, apply=True).lines() == []
    assert {one.step for one in world.store.backlog()} == {"issue", "sync"}
