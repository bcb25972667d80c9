"""A worker that is killed at any of its writes: what was forwarded and what was set apart is the same in the end."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.outbox import listing
from lrs.storage import Owed, Record
from tests.dying import Dying, Killed
from tests.matching.world import SECOND
from tests.transfer import forwarding

COUNT, BAD = 6, "s-3"


def keep(tenant):
    def decide(tx):
        for count in range(COUNT):
            one = {
                "id": f"s-{count}",
                "actor": {"mbox": "mailto:ana@example.org"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
                "object": {"id": "https://vle.example/gowning"},
            }
            meta = {"source": "vle", "version": "1.0.3"}
            tx.insert(Record("statement", one["id"], json.dumps(one).encode(), meta, owed=(Owed("match"),)))

    tenant.store.write(decide).result()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 26))
def test_a_worker_that_is_killed_at_a_write_loses_nothing_and_sets_nothing_apart_twice(
    tenant, other, clock, number, after
):
    other.answers = lambda statements: (400, {}, b"no") if any(one["id"] == BAD for one in statements) else None
    forwarding.add(tenant, "national", other.endpoint)
    keep(tenant)
    try:
        drain(replace(tenant, store=Dying(tenant.store, number, after=after)), ["match", "deliver"])
    except Killed:
        tenant.store.write(lambda _: None).result()  # what it had handed to the writer is on disk by now
        clock.now += 400 * SECOND  # its leases and its turn run out
    drain(tenant, ["match", "list", "deliver"])

    assert sorted(other.kept) == [f"s-{count}" for count in range(COUNT) if f"s-{count}" != BAD]
    dead = [(one["what"], one["state"]) for one in listing.listed(tenant, CHANNELS)]
    assert dead == [(BAD, "dead")]
    assert [one.since for one in listing.destinations(tenant, CHANNELS)] == [None]
    assert [one.waiting for one in tenant.store.backlog()] == [0]
