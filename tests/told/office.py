"""An office to which files are sent: a tenant whose clock stands at noon of 21 November 2026."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from adapters.imports.run import Order, run_file
from adapters.ledger.ledger import Ledger
from adapters.reports.report import Report
from lrs.kernel.settings import Settings
from lrs.outbox import deliveries
from lrs.outbox.mail import CHANNEL
from lrs.storage import Clock, each
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.adapters.conftest import LONGEST, NOON, Kept, storing
from tests.told.story import Statements


class Office:
    """Takes files in, one after the other."""

    def __init__(self, tenant: Tenant, folder: Path) -> None:
        self.tenant, self.folder = tenant, folder
        self.kept, self.statements = Kept(tenant), Statements(tenant.store)
        self._jobs = count(1)

    def bring(self, adapter: str, content: str | bytes, **more: Any) -> Report:
        """Runs text or bytes through an adapter; its job is over when this ends."""
        path = self.folder / more.pop("file", "file.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        job = f"{next(self._jobs):032x}"
        order = Order(adapter, more.pop("provider", "north"), path, path.name, **more)
        ledger = Ledger(self.tenant.store, order.adapter, order.provider, job)
        return run_file(order, ledger, now=NOON, apply=storing(self.tenant, order, job))

    def mails(self) -> Iterator[dict[str, Any]]:
        """The mails that are owed, with what they say."""
        for record in each(self.tenant.store, deliveries.KIND):
            told = json.loads(record.body)
            if record.meta.get("channel") == CHANNEL:
                yield told


@contextmanager
def opened(folder: Path, clock: Clock = lambda: NOON, **settings: Any) -> Iterator[Office]:
    """An office with a store in *folder*."""
    tenant = open_tenant(Settings(data=folder / "store", max_statement=LONGEST, **settings), clock=clock)
    try:
        yield Office(tenant, folder)
    finally:
        tenant.store.close()
