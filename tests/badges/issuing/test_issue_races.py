"""The step "issue" while others change what it works on."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from badges.credentials import lists, records
from badges.credentials.status import bits_of
from badges.issuing import issue as step
from lrs.kernel.times import HOUR
from lrs.storage import Owed, Record, Stale, Store, Tx, each
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from tests.badges.made import (
    AWARD,
    BODY,
    MAIL,
    PERSON,
    again,
    badge_in,
    list_in,
    put_award,
    run_issue,
    run_publish,
    tenant_in,
)
from tests.round_trips import Beside, Heard

MOST = 47
"""Round trips for 24 badges, with the claim: 18, or 26 where the writer takes them in two parts. It was 13 for each."""


def owed(tenant: Tenant) -> dict[str, int]:
    return {backlog.step: backlog.waiting for backlog in tenant.store.backlog() if backlog.waiting}


def test_an_award_that_is_deleted_while_its_badge_is_made_gets_none(tenant):
    put_award(tenant)
    claims = tenant.store.claim(["issue"], limit=1, lease=HOUR)
    tenant.store.write(lambda tx: tx.delete("award", AWARD)).result()

    with pytest.raises(Stale):
        step.issue(tenant, claims, identifiers_of=lambda _reader, _person: [MAIL])

    assert tenant.store.count("credential") == 0


def test_an_award_that_changes_while_its_badge_is_signed_is_done_anew(tenant):
    put_award(tenant)
    claims = tenant.store.claim(["issue"], limit=1, lease=HOUR)
    asked: list[str] = []

    def identifiers_of(_reader: Any, person: str) -> list[dict[str, Any]]:
        if not asked:
            other = json.dumps({**BODY, "valid_until": "2027-02-28"}).encode()
            old = tenant.store.get("award", AWARD)
            tenant.store.write(lambda tx: tx.replace(Record("award", AWARD, other, rev=old.rev))).result()
        asked.append(person)
        return [MAIL]

    step.issue(tenant, claims, identifiers_of=identifiers_of)

    assert asked == [PERSON, PERSON]
    assert badge_in(tenant)[1]["validUntil"] == "2027-02-28T23:59:59+00:00"


def test_a_badge_whose_lease_was_lost_is_not_signed_again(tenant, monkeypatch):
    put_award(tenant)
    (claim,) = tenant.store.claim(["issue"], limit=1, lease=HOUR)
    tenant.store.defer(claim, due=0, error=None)
    signed: list[str] = []
    sign = records.sign

    def counted(credential: Any, *given: Any) -> Any:
        signed.append(credential["type"][-1])
        return sign(credential, *given)

    for module in (records, lists):
        monkeypatch.setattr(module, "sign", counted)

    with pytest.raises(Stale):
        step.issue(tenant, [claim], identifiers_of=lambda _reader, _person: [MAIL])

    assert sorted(signed) == ["BitstringStatusListCredential", "OpenBadgeCredential"]


class Overtaken:
    """A store on which somebody else takes place 7 right before the first commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._overtaken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def settle(self, claims: Any, decide: Any, **more: Any) -> Any:
        if not self._overtaken:
            self._overtaken = True
            self._store.write(lambda tx: tx.insert(Record("status", "status:revocation-1:7"))).result()
        return self._store.settle(claims, decide, **more)


def test_a_place_that_somebody_else_took_meanwhile_stays_theirs(tenant):
    put_award(tenant)
    draws = iter([7] * 16 + [7] * 15 + [8])

    run_issue(replace(tenant, store=Overtaken(tenant.store)), draw=lambda _bound: next(draws))

    assert badge_in(tenant)[1]["credentialStatus"]["statusListIndex"] == "8"
    assert tenant.store.get("status", "status:revocation-1:7").meta == {}
    assert next(draws, None) is None


def test_many_badges_revoked_at_once_by_two_workers_all_end_up_in_the_list(tenant):
    names = [f"{n:08d}-0c64-5b3e-8a52-2f4f6f1d0a01" for n in range(12)]

    def put(state: str) -> None:
        def decide(tx: Tx) -> None:
            body = json.dumps({**BODY, "state": state}).encode()
            for name in names:
                tx.put(Record("award", name, body, owed=(Owed("issue"),)))

        tenant.store.write(decide).result()

    put("held")
    while run_issue(tenant):
        pass
    put("withdrawn")
    with ThreadPoolExecutor(2) as workers:
        done = [workers.submit(work_off, tenant) for _ in range(2)]
        assert sum(future.result() for future in done) == 12
    assert run_publish(tenant) == 1

    assert tenant.store.count("credential") == 12
    assert sum(byte.bit_count() for byte in bits_of(list_in(tenant), "revocation")) == 12


def work_off(tenant: Tenant) -> int:
    """One worker: a claim at a time until nothing is owed; work lost to the other worker stays owed."""
    settled = 0
    while claims := tenant.store.claim(["issue"], limit=1, lease=HOUR):
        try:
            step.issue(tenant, claims, identifiers_of=lambda _reader, _person: [MAIL])
            settled += 1
        except Stale:
            tenant.store.defer(claims[0], due=0, error=None)
    return settled


def test_a_lost_lease_is_stale_and_leaves_nothing(tenant):
    put_award(tenant)
    claims = tenant.store.claim(["issue"], limit=1, lease=HOUR)
    again(tenant)

    with pytest.raises(Stale):
        step.issue(tenant, claims, identifiers_of=lambda _reader, _person: [MAIL])

    assert tenant.store.count("credential") == 0
    assert owed(tenant) == {"issue": 1}


@pytest.mark.parametrize("which", ["the same award", "another award"])
def test_another_worker_that_issues_between_any_two_reads_leaves_one_badge_for_each_award(
    tmp_path: Path, which: str
) -> None:
    tenant = tenant_in(tmp_path)
    badges = 0
    for number in itertools.count(1):
        mine, other = (f"6d2f3c1a-0c64-5b3e-8a52-{end}{number:011d}" for end in "12")
        put_award(tenant, mine)
        claims = tenant.store.claim(["issue"], limit=10, lease=HOUR)

        def beside(mine: str = mine, other: str = other) -> None:
            put_award(tenant, mine if which == "the same award" else other, valid_until="2028-02-28")
            run_issue(tenant)

        store = Beside(tenant.store, number, beside)
        with suppress(Stale):  # the lease was lost to the other worker
            step.issue(replace(tenant, store=store), claims, identifiers_of=lambda _reader, _person: [MAIL])
        while run_issue(tenant):
            pass

        badges += 1 if which == "the same award" or store.left > 0 else 2
        found = list(each(tenant.store, "credential"))
        assert len(found) == badges, number
        assert owed(tenant) == {}, number
        assert len({record.meta["index"] for record in found}) == badges
        assert tenant.store.count("status") == badges
        if store.left > 0:
            break  # so many reads there never are
    assert number > 5
    assert Counter(entry.action for entry in audit.newest(tenant.store, 1_000)) == {
        "badge.issued": sum(record.rev for record in found)
    }
    tenant.store.close()


def test_many_badges_take_few_round_trips(heard: Heard, tenant: Tenant, store_url: str) -> None:
    put_award(tenant)
    run_issue(tenant)
    for number in range(24):
        put_award(tenant, f"6d2f3c1a-0c64-5b3e-8a52-{number:012d}")

    with heard.listens():
        claims = tenant.store.claim(["issue"], limit=24, lease=HOUR)
        step.issue(tenant, claims)

    assert len(claims) == 24
    assert tenant.store.count("credential") == 25
    if store_url.startswith("mongo"):
        assert len(heard.commands) <= MOST, Counter(name for name, _ in heard.commands)
