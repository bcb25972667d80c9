"""A training programme with rules, brought into a store by the real commands, and the wait for what follows from it.

Each of the first so many activities is proof of one capability at one tier. Knows no row.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.bench.server import lrs, make_store
from tests.bench.statements import activity_id

RULES = 200
CAPABILITIES = 40
TIERS = 3
DOMAINS = 8
EVALUATION = ("refs", "match", "evaluate")
PATIENCE = 120.0
LOOK = 0.01
URI = "https://example.org/frameworks/bench"


def framework() -> str:
    """The sheet of a framework with ``CAPABILITIES`` of ``TIERS`` tiers each."""
    lines = [
        f"D{domain},Domain {domain},C{number:02},Capability {number},C{number:02}.{tier},Does {number} at {tier},{tier}"
        for domain in range(DOMAINS)
        for number in range(domain, CAPABILITIES, DOMAINS)
        for tier in range(1, TIERS + 1)
    ]
    return "\n".join(["domain code,domain,capability code,capability,statement code,statement,tier", *lines, ""])


def mapping(rules: int) -> str:
    """A mapping table by which passing or completing one of the first *rules* activities, as ``bench`` says, counts."""
    lines = [
        f"{activity_id(n)},passed|completed,C{n % CAPABILITIES:02},{1 + n // CAPABILITIES % TIERS},60,,bench"
        for n in range(rules)
    ]
    return "\n".join(["activity,verb,competency,level,threshold,valid for,trusted source", *lines, ""])


def prepared(folder: Path, rules: int = RULES) -> Path:
    """A store under *folder*, to be copied, with the framework published and *rules* rules in force; made once."""
    data = folder / f"programme-{rules}"
    if not data.exists():
        _bring_in(data, rules)
    return data


def _bring_in(data: Path, rules: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        sheet, table = Path(name, "framework.csv"), Path(name, "rules.csv")
        sheet.write_text(framework(), "utf-8")
        table.write_text(mapping(rules), "utf-8")
        make_store(data)
        lrs(data, "framework", "import", str(sheet), "--id", URI, "--title", "Bench")
        lrs(data, "framework", "publish", URI)
        said = lrs(data, "rules", "apply", str(table))
    if f"with {rules} rules" not in said:
        raise RuntimeError(f"not all of the rules were put in force: {said}")


@contextmanager
def looking(data: Path) -> Iterator[Tenant]:
    """A look into the store under *data* from this process."""
    tenant = open_tenant(Settings(data=data))
    try:
        yield tenant
    finally:
        tenant.store.close()


def wait_for(tenant: Tenant, steps: Sequence[str] = EVALUATION) -> None:
    """Returns once nothing of *steps* waits. Raises ``RuntimeError`` if that takes too long, or if any was given up."""
    end = time.monotonic() + PATIENCE
    while waiting := {one.step: one.waiting for one in tenant.store.backlog() if one.waiting and one.step in steps}:
        if time.monotonic() > end:
            raise RuntimeError(f"still owed after {PATIENCE:.0f} s: {waiting}")
        time.sleep(LOOK)
    if aside := tenant.store.parked():
        raise RuntimeError(f"the worker gave up on {aside[0][1]}")
