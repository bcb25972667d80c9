"""A worker that is killed at any of its writes: every event arrives, consent first, and none is listed twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lrs.composition.steps import drain
from tests.dying import Dying, Killed
from tests.matching.world import SECOND, agree, held, listed, only, put_badge, put_person, put_profile, put_service


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 19))
def test_a_worker_that_is_killed_at_a_write_loses_no_event_and_keeps_the_order(tenant, receiving, clock, number, after):
    put_service(tenant, receiving.url, scopes=("profiles:read",))
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown"))
    put_badge(tenant, person, "b1")
    agree(tenant, person)
    receiving.answers = only("consent.given", 503)
    dying = replace(tenant, store=Dying(tenant.store, number, after=after))
    try:
        drain(dying, ["sync", "deliver"])
        clock.now += 6 * SECOND
        receiving.answers = lambda _: (204, {})
        drain(dying, ["sync", "deliver"])
    except Killed:
        tenant.store.write(lambda _: None).result()  # what it had handed to the writer is on disk by now
        receiving.answers = lambda _: (204, {})
    for _ in range(4):
        clock.now += 400 * SECOND  # leases and waits run out
        drain(tenant, ["sync", "deliver"])

    found = {one["event"]: one["state"] for one in listed(tenant)}
    assert found == {"consent.given": "delivered", "profile.updated": "delivered"}
    assert len(list(listed(tenant))) == 2
    first = receiving.events.index("profile.updated")
    assert set(receiving.events[:first]) == {"consent.given"}
    assert len({one.headers["webhook-id"] for one in receiving.got}) == 2
    assert [(one.step, one.waiting, one.parked) for one in tenant.store.backlog() if one.waiting or one.parked] == []
