"""How often the step ``match`` asks a MongoDB: the network is what it waits for, and the head is held meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from lrs.competency.evaluate import match
from tests.competency.storing import did, plan_of, write
from tests.competency.world import GOWNING, World, statement

EXPERIENCED = "http://adlnet.gov/expapi/verbs/experienced"

MOST = 12
"""Round trips, the claim among them, for 100 statements."""
MOST_HOLDING = 7
"""Of these, while the head is held."""


@pytest.fixture
def world(heard, mongo_url, tmp_path):  # noqa: ARG001 (listeners must be there before the client)
    made = World(tmp_path, url=mongo_url)
    made.work()
    yield made
    made.close()


def accounts(count):
    return [{"account": {"homePage": "https://vle.example", "name": f"n{n}"}} for n in range(count)]


def passes(learners, day):
    actors = accounts(learners)
    when = f"2026-11-{day}T10:00:00Z"
    return [statement(f"{day}-{n}", actors[n % learners], timestamp=when) for n in range(100)]


@pytest.mark.parametrize("learners", [pytest.param(1, marks=pytest.mark.soak), 100])
def test_100_statements_are_matched_in_few_round_trips_of_new_learners_and_of_known_ones(world, heard, learners):
    for day in (10, 11):
        world.send_all(passes(learners, day))
        with heard.listens():
            claims = world.store.claim(["match"], limit=100, lease=60_000_000)
            match(world.tenant, claims)

        assert len(claims) == 100
        assert len(heard.commands) <= MOST, heard.commands
        assert sum(holding for _, holding in heard.commands) <= MOST_HOLDING, heard.commands

    assert len(world.all("evidence")) == 200


def test_finding_out_that_nothing_follows_costs_a_commit_no_round_trip(world, heard):
    """Without asking, while nobody is known, as they are looked up, and once that is remembered."""
    sent = [[did(GOWNING, verb={"id": EXPERIENCED}, actor=account) for account in accounts(10)] for _ in range(4)]
    unasked = msgspec.structs.replace(plan_of(world.tenant, *sent[0]), questions={"match": None})
    trips, owed = [], []
    for plan in (unasked, *sent[1:]):
        made = plan if plan is unasked else plan_of(world.tenant, *plan)
        with heard.listens():
            write(world.tenant, made)
        trips.append(len(heard.commands))
        owed.append(sum(one.waiting for one in world.store.backlog() if one.step == "match"))
        if len(owed) == 2:
            world.work()

    assert owed == [10, 20, 0, 0]
    assert trips[1] <= trips[0]
    assert trips[2] == trips[3] <= trips[0]
