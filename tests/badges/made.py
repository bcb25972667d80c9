"""A tenant with a clock that stands still, an award, and a badge: made up, and the same in every test."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from badges.credentials.lists import publish
from badges.issuing.issue import issue
from badges.keys.issuer import Issuer
from badges.proofs.sign import sign
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verdict import Verdict
from badges.verifying.verify import verify
from lrs.kernel.settings import Settings
from lrs.storage import Clock as AnyClock
from lrs.storage import Owed, Record, Store, Tx, Walk, open_store
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant

NOON = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
AWARD = "6d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a01"
PERSON = "9b1f1b5e-55a4-4d43-9f8e-0d6e6a1c7b11"
STATEMENT = "12345678-1234-5678-1234-567812345678"
STATEMENT_2 = "22345678-1234-5678-1234-567812345678"
MAIL = {"mbox": "mailto:ada@example.org"}

BODY: dict[str, Any] = {
    "v": 1,
    "person": PERSON,
    "competency": {
        "id": "https://case.example.org/items/gowning",
        "label": "Aseptic gowning",
        "framework": "GMP skills",
        "version": 2,
        "code": "GMP-4.2",
    },
    "level": {"ordinal": 2, "code": "P", "label": "Practitioner"},
    "scale": {
        "id": "three-tiers",
        "name": "Three tiers",
        "levels": [
            {"ordinal": 1, "code": "A", "label": "Awareness"},
            {"ordinal": 2, "code": "P", "label": "Practitioner"},
            {"ordinal": 3, "code": "E", "label": "Expert"},
        ],
    },
    "held_from": "2026-06-01",
    "valid_until": "2027-05-31",
    "state": "held",
    "evidence": [{"statement": STATEMENT, "source": "centre-1", "timestamp": "2026-06-01T09:30:00Z"}],
    "rule": {"item": "gowning", "version": 3},
}


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now


def tenant_in(
    folder: Path,
    public_url: str | None = "https://skills.example.org",
    clock: AnyClock | None = None,
    store: Store | None = None,
) -> Tenant:
    settings = Settings(data=folder, public_url=public_url)
    clock = clock or Clock()
    opened = store or open_store(f"sqlite:///{folder}/store.db", clock=clock, secret=bytes(32))
    return Tenant("default", opened, settings, Secrets(b"\x07" * 32), clock)


def put_award(tenant: Tenant, id: str = AWARD, **changes: Any) -> None:
    """The award as a colleague's step would leave it: stored, and owing its badge."""
    body = json.dumps({**BODY, **changes}).encode()

    def decide(tx: Tx) -> None:
        old = tx.get("award", id)
        if old:
            tx.replace(msgspec.structs.replace(old, body=body, seq=0))
            tx.owe("award", id, Owed("issue"))
        else:
            tx.insert(Record("award", id, body, owed=(Owed("issue"),)))

    tenant.store.write(decide).result()


def run_issue(tenant: Tenant, identifiers: list[dict[str, Any]] | None = None, **given: Any) -> int:
    """Runs the step on whatever owes it, then publishes what was revoked; how many badges there were to look at."""
    claims = tenant.store.claim(["issue"], limit=10, lease=60_000_000)
    found = [MAIL] if identifiers is None else identifiers
    issue(tenant, claims, identifiers_of=lambda _reader, _person: found, **given)
    run_publish(tenant)
    return len(claims)


def run_publish(tenant: Tenant) -> int:
    """Publishes the lists that owe it; how many there were."""
    claims = tenant.store.claim(["publish"], limit=10, lease=60_000_000)
    publish(tenant, claims)
    return len(claims)


def issued_with_subject_id(tenant: Tenant) -> Record:
    """A badge whose holder has an id, as a form may need one: they are known by neither e-mail nor account."""
    put_award(tenant)
    run_issue(tenant, [{"openid": "https://id.example.org/ada"}])
    return badge_in(tenant)[0]


def again(tenant: Tenant) -> None:
    """Owes the badge once more, with nothing changed."""
    tenant.store.write(lambda tx: tx.owe("award", AWARD, Owed("issue"))).result()


def badge_in(tenant: Tenant) -> tuple[Record, dict[str, Any]]:
    """The one credential of the store, and what it says."""
    records = tenant.store.find(Walk("credential")).records
    assert len(records) == 1
    return records[0], json.loads(records[0].body)


def list_in(tenant: Tenant, name: str = "revocation-1") -> dict[str, Any]:
    record = tenant.store.get("status-list", name)
    assert record is not None
    listed: dict[str, Any] = json.loads(record.body)
    return listed


def signed_anew(issuer: Issuer, badge: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The badge with changes that the issuer itself signed; ``None`` takes a part out."""
    unsigned = {name: value for name, value in {**badge, **changes}.items() if name != "proof" and value is not None}
    return sign(unsigned, issuer.key, issuer.method, "2026-11-21T12:00:00Z")


def set_in(badge: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the badge with *value* at *path*, whose steps are names and numbers with dots between."""
    changed = deepcopy(badge)
    part: Any = changed
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        part = part[step]
    part[last] = value
    return changed


def verdict_on(tenant: Tenant, badge: dict[str, Any] | bytes, at: int | None = None, **given: Any) -> Verdict:
    """What our verifier says, with nothing to ask but the tenant's own store."""
    document = badge if isinstance(badge, bytes) else json.dumps(badge).encode()
    ways = {"resolve": resolver(tenant, None), "fetch": status_lists(tenant, None), **given}
    return verify(document, at=tenant.clock() if at is None else at, **ways)


def failed(verdict: Verdict) -> list[tuple[str, str]]:
    """The checks that did not pass, and why."""
    return [(check.name, check.why) for check in verdict.checks if not check.ok]
