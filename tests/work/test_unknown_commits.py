"""The way from statements to badges while the MongoDB loses every second commit's answer, or the commit itself."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from itertools import count

import pytest
from pymongo.client_session import ClientSession

from lrs.composition.steps import drain
from lrs.kernel.admission import OutcomeUnknown
from tests.competency.world import World, statement
from tests.contract.faults import failing
from tests.contract.test_mongo_unknown import LOST, NOT_SENT

KINDS = ("statement", "identifier", "person", "evidence", "tally", "award", "profile", "credential", "status", "audit")
STEPS = ("match", "evaluate", "issue", "sync", "list")


@pytest.fixture
def world(mongo_url, tmp_path):
    made = World(tmp_path, url=mongo_url)
    drain(made.tenant, STEPS)
    yield made
    made.close()


@pytest.mark.parametrize("first", [1, 3])
def test_what_follows_from_statements_follows_once_whatever_became_of_the_commits(
    world, mongo_client, monkeypatch, first
):
    before = {kind: world.store.count(kind) for kind in KINDS}
    for learner in range(3):
        who = {"mbox": f"mailto:learner-{learner}@example.org"}
        world.send_all([statement(f"{learner}-{day}", who, timestamp=f"2026-11-1{day}T10:00:00Z") for day in range(2)])
    faults = (nullcontext, lambda: failing(mongo_client, "commitTransaction", times=20, **LOST))
    faults += (nullcontext, lambda: failing(mongo_client, "commitTransaction", times=20, **NOT_SENT))
    commits, commit = count(first), ClientSession.commit_transaction

    def unsure(session):
        with faults[next(commits) % 4]():
            commit(session)

    monkeypatch.setattr("lrs.storage.mongo.writer._PATIENCE_S", 0.0)
    monkeypatch.setattr(ClientSession, "commit_transaction", unsure)
    for _ in range(30):
        with suppress(OutcomeUnknown):  # as the worker does, which then waits
            drain(world.tenant, STEPS)
        if not world.store.backlog():
            break
        world.clock.now += 400_000_000  # leases and waits run out

    added = {kind: world.store.count(kind) - before[kind] for kind in KINDS}
    assert next(commits) > first + 8
    assert world.store.backlog() == []
    assert added == {
        "statement": 6,
        "identifier": 3,
        "person": 3,
        "evidence": 6,
        "tally": 6,
        "award": 3,
        "profile": 3,
        "credential": 3,
        "status": 3,
        "audit": 3,
    }
    assert {award["state"] for award in world.awards()} == {"held"}
