"""What a badge costs, in one process: from the award to the stored badge, and to verify one without a network.

CPU of the whole process. The yardstick is one canonical form of such a badge by PyLD as it is, in the same run.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from pyld import jsonld

from badges.keys.issuer import issuer_of
from badges.proofs.contexts import load
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from lrs.storage import each
from lrs.tenancy.tenants import Tenant
from tests.badges.made import NOON, put_award, run_issue, tenant_in
from tests.bench.report import Row, row_of
from tests.bench.rows import Plan


def issued(folder: Path, plan: Plan) -> Row:
    """An award's badge: composed, signed, verified by ourselves, stored. Nothing else is done meanwhile."""
    tenant = tenant_in(_made(folder / "badges-issued"))
    try:
        _issue(tenant, plan.badges)
        pairs = []
        for _ in range(plan.rounds):
            spent = _issue(tenant, plan.badges)
            pairs.append((spent, _yardstick(tenant, plan.badges)))
    finally:
        tenant.store.close()
    return row_of("badge-issued", pairs, note="verified by ourselves before it is stored", less=True)


def verified(folder: Path, plan: Plan) -> Row:
    """Badges that the verifier did not see before, with the status list they name."""
    tenant = tenant_in(_made(folder / "badges-verified"))
    try:
        _issue(tenant, plan.badges)
        pairs = [(_verify(tenant, plan.badges), _yardstick(tenant, plan.badges)) for _ in range(plan.rounds)]
    finally:
        tenant.store.close()
    return row_of("badge-verified", pairs, note="keys and status list are at hand", less=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _issue(tenant: Tenant, count: int) -> float:
    """Milliseconds of CPU for each of *count* new badges."""
    for _ in range(count):
        put_award(tenant, str(uuid.uuid4()))
    begun, done = time.process_time(), 0
    while found := run_issue(tenant):
        done += found
    if done != count:
        raise RuntimeError(f"{done} badges were issued instead of {count}")
    return (time.process_time() - begun) / count * 1e3


def _verify(tenant: Tenant, count: int) -> float:
    issuer, lists = issuer_of(tenant), status_lists(tenant, None)
    listed = {name: lists(name) for name in {_list_of(record.body) for record in each(tenant.store, "credential")}}
    resolve = resolver(tenant, None)

    def one(badge: bytes) -> None:
        if not verify(badge, at=NOON, resolve=resolve, fetch=listed.__getitem__).valid:
            raise RuntimeError(f"a badge of {issuer.id} is not valid")

    return _cost(tenant, count, one)


def _list_of(badge: bytes) -> str:
    return str(json.loads(badge)["credentialStatus"]["statusListCredential"])


def _yardstick(tenant: Tenant, count: int) -> float:
    options = {"documentLoader": load, "algorithm": "URDNA2015", "format": "application/n-quads"}
    return _cost(tenant, max(1, count // 4), lambda badge: jsonld.normalize(_unsigned(badge), options))


def _unsigned(badge: bytes) -> dict[str, object]:
    return {name: value for name, value in json.loads(badge).items() if name != "proof"}


def _cost(tenant: Tenant, count: int, one: Callable[[bytes], object]) -> float:
    """Milliseconds of CPU of *one*, for each of the first *count* badges."""
    badges = [record.body for _, record in zip(range(count), each(tenant.store, "credential"), strict=False)]
    begun = time.process_time()
    for badge in badges:
        one(badge)
    return (time.process_time() - begun) / len(badges) * 1e3
