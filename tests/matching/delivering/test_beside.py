"""What is read ahead is old by the time it is written: nothing is told twice, taken back or lost beside others."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lrs.matching import changes
from lrs.matching.notices import read
from lrs.matching.sync import sync
from lrs.people import joins
from lrs.storage import Store, Walk
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    LEASE,
    agree,
    held,
    put_badge,
    put_person,
    put_profile,
    put_service,
    run_sync,
    settings_in,
    take_back,
)
from tests.round_trips import Beside, Heard

HOOK = "https://service.invalid/hook"
LEARNERS = 30
MOST = 59
"""Round trips for 30 learners, with the claim: 20 (28 for 100), more where the writer takes them in two parts."""


def told(tenant: Tenant) -> Counter[str]:
    """The deliveries that are there, by event."""
    return Counter(read(record).event for record in tenant.store.find(Walk("delivery", limit=10_000)).records)


def tell_more(tenant: Tenant, person: str, _older: str) -> dict[str, int]:
    """Another worker tells of a badge, another scope and the rest, before this one comes to it."""
    agree(tenant, person, scopes=("profiles:read", "gap:read"))
    put_badge(tenant, person, f"new {person}")
    return {"consent.given": 1, "badge.issued": 1, "profile.updated": 1}


def join(tenant: Tenant, person: str, older: str) -> dict[str, int]:
    """The learner turns out to be one with an older person, who has a badge."""
    tenant.store.write(lambda tx: joins.merge(tx, older, person, "test")).result()
    put_profile(tenant, older, held("gown", 4))
    return {"badge.issued": 1, "profile.updated": 1}


def withdraw(tenant: Tenant, person: str, _older: str) -> dict[str, int]:
    """The learner takes everything back."""
    take_back(tenant, person)
    return {"consent.withdrawn": 1}


@pytest.mark.parametrize("act", [tell_more, join, withdraw])
def test_another_worker_that_tells_something_between_any_two_reads_is_neither_contradicted_nor_repeated(
    tenant: Tenant, act: Callable[[Tenant, str, str], dict[str, int]]
) -> None:
    put_service(tenant, HOOK)
    for number in itertools.count(1):
        older, person = (put_person(tenant, f"mailto:{who}{number}@example.org") for who in ("older", "ana"))
        for one in (older, person):
            put_profile(tenant, one, held("gown"))
        put_badge(tenant, older, f"old {number}")
        agree(tenant, person)
        run_sync(tenant)
        before, expected = told(tenant), {"profile.updated": 1}  # what is due if nobody acts
        put_profile(tenant, person, held("gown", 4))
        claims = tenant.store.claim(["sync"], limit=100, lease=LEASE)

        def beside(expected: dict[str, int] = expected, person: str = person, older: str = older) -> None:
            expected.clear()
            expected.update(act(tenant, person, older))
            run_sync(tenant)

        store = Beside(tenant.store, number, beside)
        sync(dataclasses.replace(tenant, store=store), claims)
        run_sync(tenant)

        assert told(tenant) - before == expected, number
        assert "sync" not in {one.step for one in tenant.store.backlog()}
        if store.left > 0:
            break  # so many reads there never are
    assert number > 5


def test_what_is_too_large_to_be_read_ahead_is_read_for_each_by_itself(tenant: Tenant, monkeypatch: Any) -> None:
    monkeypatch.setattr("lrs.storage.sizes.MOST_AT_ONCE", 8_000)
    put_service(tenant, HOOK)
    for number in range(30):
        person = put_person(tenant, f"mailto:{number}@example.org")
        put_profile(tenant, person, held("gown"))
        agree(tenant, person)

    sync(tenant, tenant.store.claim(["sync"], limit=100, lease=LEASE))

    assert told(tenant) == {"consent.given": 30, "profile.updated": 30}
    assert "sync" not in {one.step for one in tenant.store.backlog()}


def test_of_many_learners_a_service_is_told_in_few_round_trips(
    heard: Heard, store_url: str, store: Store, tmp_path: Path, clock: Any
) -> None:
    tenant = Tenant("default", store, settings_in(tmp_path), Secrets(bytes(32)), clock)
    put_service(tenant, HOOK)

    def learner(number: int) -> None:
        person = put_person(tenant, f"mailto:learner{number}@example.org")
        agree(tenant, person)
        put_profile(tenant, person, held("gown"))
        put_badge(tenant, person, f"b{number}")

    with ThreadPoolExecutor(16) as threads:  # the store commits together what comes at once
        list(threads.map(learner, range(LEARNERS)))
    run_sync(tenant)
    first = told(tenant)
    for record in tenant.store.find(Walk("profile", limit=LEARNERS)).records:
        put_profile(tenant, record.id, held("gown", 4))

    with heard.listens():
        claims = tenant.store.claim(["sync"], limit=LEARNERS, lease=LEASE)
        sync(tenant, claims)

    assert len(claims) == LEARNERS
    assert first == {"consent.given": LEARNERS, "profile.updated": LEARNERS}
    assert told(tenant) == {"consent.given": LEARNERS, "profile.updated": 2 * LEARNERS}
    assert tenant.store.count(changes.KIND) == LEARNERS
    if store_url.startswith("mongo"):
        assert len(heard.commands) <= MOST, Counter(name for name, _ in heard.commands)
