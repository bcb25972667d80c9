"""What the step "deliver" reads ahead: how often it asks a MongoDB, and how old what it sends may be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import STEPS
from lrs.matching import services
from lrs.outbox import fate, foreseen
from lrs.outbox.deliveries import DELIVERED
from lrs.outbox.fate import Settled
from lrs.outbox.foreseen import Foreseen
from lrs.storage import Claim, Store
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from lrs.work.worker import drain
from tests.matching.world import (
    LEASE,
    Receiver,
    agree,
    listed,
    put_person,
    put_service,
    run_sync,
    settings_in,
    take_back,
)
from tests.round_trips import Heard

LEARNERS = 32
MOST = 300
"""Round trips for 64 deliveries: 150, or more where the writer settles them in smaller parts. They were 910."""


def owed(tenant: Tenant, url: str, learners: int) -> list[str]:
    """Each learner agrees, so that the service is owed two deliveries of each; the persons."""
    put_service(tenant, url)
    people = [put_person(tenant, f"mailto:learner{number}@example.org") for number in range(learners)]
    for person in people:
        agree(tenant, person)
    run_sync(tenant)
    return people


def states(tenant: Tenant) -> Counter[str]:
    return Counter(one["state"] for one in listed(tenant))


def claimed(tenant: Tenant) -> list[Claim]:
    return tenant.store.claim(["deliver"], limit=10, lease=LEASE, oldest=True)


def test_64_deliveries_take_few_round_trips(
    heard: Heard, store_url: str, store: Store, tmp_path: Path, clock: Any, receiving: Receiver
) -> None:
    tenant = Tenant("default", store, settings_in(tmp_path), Secrets(bytes(32)), clock)
    owed(tenant, receiving.url, LEARNERS)

    with heard.listens():
        drain(tenant, {"deliver": STEPS["deliver"]})

    assert states(tenant) == {"delivered": 2 * LEARNERS}
    assert len(receiving.events) == 2 * LEARNERS
    if store_url.startswith("mongo"):
        assert len(heard.commands) <= MOST, Counter(name for name, _ in heard.commands)


@pytest.mark.parametrize(("fresh", "sent"), [(0.0, 1), (60.0, 2)])
def test_a_consent_that_ends_during_a_call_stops_the_next_one_once_what_was_read_ahead_is_old(
    tenant: Tenant, receiving: Receiver, monkeypatch: pytest.MonkeyPatch, fresh: float, sent: int
) -> None:
    monkeypatch.setattr(foreseen, "FRESH", fresh)
    people = owed(tenant, receiving.url, 2)

    def withdraw(_: Any) -> tuple[int, dict[str, str]]:
        if len(receiving.got) == 1:
            for person in people:
                take_back(tenant, person)
        return 204, {}

    receiving.answers = withdraw
    drain(tenant, {"deliver": STEPS["deliver"]})

    assert receiving.events.count("consent.given") == sent
    assert "queued" not in states(tenant)


def test_a_service_that_is_shut_out_during_a_call_that_fails_gets_no_other_call(
    tenant: Tenant, receiving: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreseen, "FRESH", 60.0)
    owed(tenant, receiving.url, 3)

    def shut_out(_: Any) -> tuple[int, dict[str, str]]:
        tenant.store.write(lambda tx: services.disable(tx, "career-converter", "test", by="test")).result()
        return 503, {}

    receiving.answers = shut_out
    drain(tenant, {"deliver": STEPS["deliver"]})

    assert len(receiving.got) == 1


def test_what_is_composed_from_records_read_ahead_asks_the_store_for_none(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed(tenant, "https://service.invalid/hook", 5)
    claims = claimed(tenant)
    ahead = Foreseen(tenant, claims, claims, CHANNELS)
    kinds: list[str] = []
    for name in ("get", "get_many", "get_all", "find", "find_any"):
        monkeypatch.setattr(tenant.store, name, lambda *given, **_: kinds.append(str(given)))

    begun = [fate.begin(tenant, claim, CHANNELS, fresh=False, seen=ahead.tenant) for claim in claims]

    assert [type(one).__name__ for one in begun] == ["Outgoing"] * 5
    assert kinds == []


def test_of_deliveries_that_are_settled_together_one_whose_lease_was_lost_is_left_and_the_others_are_settled(
    tenant: Tenant,
) -> None:
    owed(tenant, "https://service.invalid/hook", 3)
    claims = claimed(tenant)
    tenant.store.release([claims[1]])
    (other,) = claimed(tenant)

    failures = fate.settle(tenant, [Settled(claim, {"state": DELIVERED}) for claim in claims]).finish()

    found = tenant.store.get_many("delivery", [claim.record.id for claim in claims])
    assert failures == []
    assert [found[claim.record.id].meta["state"] for claim in claims] == ["delivered", "queued", "delivered"]
    assert tenant.store.holds(other)
