"""How often the step ``match`` asks a MongoDB: the network is what it waits for, and the head is held meanwhile."""

from __future__ import annotations

import pytest

from lrs.competency.evaluate import match
from tests.competency.world import World, statement

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


def passes(learners, day):
    accounts = [{"account": {"homePage": "https://vle.example", "name": f"n{n}"}} for n in range(learners)]
    when = f"2026-11-{day}T10:00:00Z"
    return [statement(f"{day}-{n}", accounts[n % learners], timestamp=when) for n in range(100)]


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
