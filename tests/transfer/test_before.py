"""Forwards that were records of a kind of their own become destinations."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lrs.composition.steps import drain
from lrs.kernel.sealed import hide
from lrs.outbox import destinations
from lrs.storage import Owed, Record, Walk
from lrs.transfer.forwards import IDLE, RESTING, forward_of
from tests.dying import Dying, Killed
from tests.transfer import forwarding
from tests.transfer.test_forward import number, statement, store


def put_former(tenant, other, name, state="active", **place):
    body = {
        "id": name,
        "url": other.endpoint,
        "access": hide(tenant.secret("forward"), ["key", "s3cret"]),
        "filter": {"verbs": [], "activities": [], "sources": [], "without": []},
        "since": 0,
        "position": 0,
        "suspect": 0,
        "refused": 0,
        "state": state,
        "reason": None if state == "active" else "by command",
        "v": 1,
        **place,
    }
    is_idle = bool(place)
    record = Record(
        "forward",
        name,
        json.dumps(body).encode(),
        {"channel": "xapi"},
        (IDLE,) if is_idle else (),
        () if is_idle or state != "active" else (Owed("deliver"),),
    )
    tenant.store.write(lambda tx: tx.insert(record)).result()


def test_one_that_rested_before_that_was_noted_is_looked_at_once(tenant, other):
    """What was stored meanwhile owes nothing, because nothing said that a forward rests."""
    store(tenant, statement(0))
    forwarding.add(tenant, "national", other.endpoint)
    drain(tenant, ["match", "list", "deliver"])
    tenant.store.write(lambda tx: tx.delete(*RESTING)).result()
    body = json.dumps(statement(1)).encode()
    meta = {"source": "vle", "version": "1.0.3"}
    tenant.store.write(lambda tx: tx.insert(Record("statement", number(1), body, meta))).result()
    drain(tenant, ["match", "deliver"])

    assert other.posts == [[number(0)], [number(1)]]


def test_each_goes_on_where_it_was_with_its_key_and_its_state(tenant, other):
    store(tenant, statement(0))
    position = tenant.store.get("statement", number(0)).seq
    put_former(tenant, other, "behind")
    put_former(tenant, other, "idle", position=position)
    put_former(tenant, other, "stopped", "paused")
    store(tenant, statement(1))
    drain(tenant, ["match", "deliver"])
    forwarding.resume(tenant, "stopped")
    drain(tenant, ["match", "deliver"])

    assert sorted(other.posts) == [[number(0), number(1)], [number(0), number(1)], [number(1)]]
    assert {sent["authorization"] for sent in other.headers} == {"Basic a2V5OnMzY3JldA=="}
    found = [forwarding.find(tenant, name) for name in ("behind", "idle", "stopped")]
    assert [(one.address, one.state) for one in found] == [(other.endpoint, "active")] * 3
    assert len({forward_of(one).position for one in found}) == 1
    assert tenant.store.find(Walk("forward")).records == ()


def test_one_that_is_stopped_stays_so_with_the_reason(tenant, other):
    put_former(tenant, other, "stopped", "paused")
    drain(tenant, ["match", "deliver"])

    found = forwarding.find(tenant, "stopped")
    assert (found.state, found.reason) == ("paused", "by command")


def test_one_whose_key_cannot_be_read_is_there_to_be_removed(tenant, other):
    put_former(tenant, other, "spoilt", access="none")
    drain(tenant, ["deliver"])

    assert forwarding.find(tenant, "spoilt").address == other.endpoint


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number_of_write", range(1, 5))
def test_a_kill_at_any_write_leaves_each_once(tenant, other, clock, number_of_write, after):
    store(tenant, statement(0))
    for name in ("one", "two"):
        put_former(tenant, other, name)
    dying = Dying(tenant.store, number_of_write, after=after)
    with pytest.raises(Killed):
        drain(replace(tenant, store=dying), ["deliver"])
    clock.now += 200_000_000  # its leases run out
    drain(tenant, ["deliver"])

    assert {tuple(ids) for ids in other.posts} == {(number(0),)}
    assert [record.id for record in tenant.store.find(Walk(destinations.KIND)).records] == ["xapi/one", "xapi/two"]
    assert tenant.store.find(Walk("forward")).records == ()
