"""What tests of adapters share: a store that files are brought into, seen as the statements and entries it holds."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from adapters.imports.here import job_here
from adapters.imports.job import Job, find
from adapters.imports.run import Order, run_file
from adapters.ledger.apply import ImportChunk, ImportTarget, RefusedRows, chunks, named, prepared, store
from adapters.ledger.ledger import KIND, Ledger
from adapters.ledger.pipeline import Apply, FactWrite, FileNames
from adapters.reading.profile import MappingProfile, read_profile
from adapters.reports.report import Report
from lrs.access import Caller
from lrs.composition.steps import drain, steps_of
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.storage import Tx, each
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.work.worker import Crew
from lrs.xapi.documents.change import DocumentChange, put
from lrs.xapi.documents.concurrency import Conditions
from lrs.xapi.documents.content import keep
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, Address

GOLDEN = Path(__file__).parent.parent / "golden" / "adapters"
NOON = 1_795_262_400_000_000
"""2026-11-21 12:00 UTC in microseconds."""
OURS = {"stored", "authority"}
"""What the store adds to a statement of an adapter."""
LONGEST = 16_384
"""Bytes of a statement that the store takes: a longer one is refused, whatever the adapter thinks of it."""
REFUSED = "x" * LONGEST
"""A title with which a statement is too long."""


class Kept:
    """A tenant's store, as tests look at it."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    @property
    def statements(self) -> dict[str, dict[str, Any]]:
        """All statements by id, as they were sent, in the order in which they were stored."""
        found = {record.id: json.loads(record.body) for record in each(self.tenant.store, "statement")}
        return {id: {name: one[name] for name in one if name not in OURS} for id, one in found.items()}

    @property
    def voided(self) -> set[str]:
        """The ids of those that were voided."""
        return {record.id for record in each(self.tenant.store, "statement") if "voided" in record.meta}

    @property
    def entries(self) -> dict[str, bytes]:
        """What is remembered of the files that came in, by id."""
        return {record.id: record.body for record in each(self.tenant.store, KIND)}

    def valid(self) -> list[dict[str, Any]]:
        """Statements that stand: neither voided nor voiding."""
        voided = self.voided
        return [
            one for id, one in self.statements.items() if id not in voided and not one["verb"]["id"].endswith("/voided")
        ]

    def is_empty(self) -> bool:
        return not self.statements and not self.entries


def put_document(tenant: Tenant, activity: str, name: str, body: bytes) -> None:
    """An Activity Profile document as an import of version 0.1 or 0.2 wrote it."""
    address = Address(ACTIVITY_PROFILE.kind, activity, "", document=name)
    change = DocumentChange(address, Conditions(), "2.0.0", keep(tenant.store, "application/json", body), "north")
    tenant.store.write(partial(put, change=change)).result()


def by_job(tenant: Tenant, order: Order, steps: Sequence[str] = ("import",)) -> Job:
    """The job of a file that *order*'s provider sends, once it is over."""
    made = job_here(tenant, order)
    drain(tenant, steps)
    return find(tenant.store, made.id)


@contextmanager
def importing(tenants: Tenants) -> Iterator[None]:
    """Works at imports for as long as the block lasts, as the worker beside a server does."""
    crew = Crew([steps_of(["import", "import-files"])], tenants)
    try:
        yield
    finally:
        crew.close()


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    opened = open_tenant(Settings(data=tmp_path / "store", max_statement=LONGEST))
    yield opened
    opened.store.close()


@pytest.fixture
def endpoint(tenant: Tenant) -> Kept:
    return Kept(tenant)


def sender(provider: str) -> Caller:
    """A key of *provider*, as it sends statements."""
    agent = {"objectType": "Agent", "name": provider, "account": {"homePage": "https://lrs.example", "name": provider}}
    return Caller(
        f"key {provider}", provider, json.dumps(agent).encode(), {"statements.write": "all"}, "default", "key"
    )


def storing(tenant: Tenant, order: Order, job: str) -> Apply:
    """Stores what is due of some rows at once, as the step does in turns."""
    source = f"{order.adapter}/{order.provider}"
    target = ImportTarget(tenant, sender(order.provider), SUBSCRIPTIONS, source, job)

    def commit(decide: Callable[[Tx], None], one: ImportChunk) -> None:
        tenant.store.write(decide, weight=one.weight, reads=one.reads(target)).result()

    def apply(names: FileNames, _: int, due: Sequence[FactWrite]) -> RefusedRows:
        refused: RefusedRows = {}
        for rows in chunks(due):
            chunk, wrong = prepared(target, rows)
            refused |= wrong
            refused |= store(target, chunk, commit)
        for chunk in named(target, names):
            store(target, chunk, commit)
        return refused

    return apply


@pytest.fixture
def bring(tenant: Tenant, tmp_path: Path) -> Callable[..., Report]:
    """Runs text, bytes or a path through an adapter, at noon of 21 November 2026."""

    def run(adapter: str, content: str | bytes | Path, **more: Any) -> Report:
        path = content if isinstance(content, Path) else tmp_path / more.pop("file", "file.csv")
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        job = more.pop("job", "") or secrets.token_hex(8)
        order = Order(adapter, more.pop("provider", "north"), path, path.name, **more)
        ledger = Ledger(tenant.store, order.adapter, order.provider, job)
        return run_file(order, ledger, now=NOON, apply=storing(tenant, order, job))

    return run


class Killed(Exception):
    """The process ended here."""


@contextmanager
def dying(tenant, commit: int) -> Iterator[None]:
    """Ends before the commit of that number."""
    left = [commit]
    write = tenant.store.write

    def counting(*given, **more):
        left[0] -= 1
        if not left[0]:
            raise Killed
        return write(*given, **more)

    with patch.object(tenant.store, "write", counting):
        yield


@pytest.fixture
def portfolio_profile() -> MappingProfile:
    return read_profile(GOLDEN / "portfolio-profile.json")
