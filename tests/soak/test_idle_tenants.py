"""A thousand tenants that nobody uses cost next to nothing, and one of them that wakes is served and worked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lrs.access.keys import NewKey, create_key
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.storage import Owed, Record
from lrs.tenancy.control import open_control
from lrs.tenancy.due import LINGER
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import open_tenant
from tests.builders import operator_in
from tests.programs import children, programs, until
from tests.served import new_id, statement

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]
TENANTS = int(os.environ.get("IDLE_TENANTS", "1000"))
SECONDS = 180
REST = 100
"""Seconds after which what was used is closed, what was noted is at rest, and looks are rarer."""
VERSION = {"X-Experience-API-Version": "1.0.3"}


def files_of(*pids: int) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


def computed_by(pid: int) -> float:
    """Seconds of computing since it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(pids: tuple[int, ...]) -> tuple[list[float], int]:
    """The share of a core in per cent that each of *pids* uses for ``SECONDS``, and the most files open at a time."""
    before = [computed_by(pid) for pid in pids]
    begun, most = time.monotonic(), 0
    while time.monotonic() < begun + SECONDS:
        most = max(most, files_of(*pids))
        time.sleep(0.5)
    took = time.monotonic() - begun
    return [100 * (computed_by(pid) - was) / took for pid, was in zip(pids, before, strict=True)], most


def made(data: Path) -> dict[str, NewKey]:
    """A key of each of so many new tenants, whose stores nobody has open."""
    settings, keys = Settings(data=data), {}
    control = open_control(settings)
    for number in range(TENANTS):
        name = f"t{number}"
        control.add(name)
        tenant = open_tenant(settings, name)
        keys[name] = create_key(tenant, "k", ["all"])
        tenant.store.close()
    control.close()
    return keys


def test_a_thousand_idle_tenants_cost_at_most_one_hundredth_of_a_core_and_a_hundred_files(
    tmp_path: Path, row: Callable[..., None]
) -> None:
    with programs(tmp_path) as held:
        keys = made(held.data)
        begun = time.monotonic()
        server, address = held.serve()
        row("server answers after its start", time.monotonic() - begun, "s", at_most=5)
        row("computed by the server until then", computed_by(server.pid), "s")
        until(lambda: children(server.pid), "the worker")
        pids = (server.pid, *children(server.pid))
        tenants = Tenants(Settings(data=held.data))
        until(tenants.control.workers, "the worker's first sign", 300)
        tenants.close()
        time.sleep(REST)

        shares, files = idle(pids)
        row("idle server", shares[0], "% of a core")
        row("idle worker", sum(shares[1:]), "% of a core")
        row("idle server and worker", sum(shares), "% of a core", at_most=1.0)
        row("open files, nobody used", files, "files", at_most=100)

        most = 0
        with httpx.Client(trust_env=False, timeout=60, headers=VERSION) as client:
            for name, key in keys.items():
                sent = client.post(
                    f"{address}/t/{name}/xapi/statements", auth=(key.key, key.secret), json=statement(id=new_id())
                )
                assert sent.status_code == 200, sent.text
                most = max(most, files_of(*pids))
            begun = time.monotonic()
            metrics = client.get(f"{address}/metrics", auth=operator_in(held.data))
            row("first scrape of the metrics", time.monotonic() - begun, "s", at_most=10)
            assert metrics.status_code == 200
        row("open files while each is used once", most, "files")
        until(lambda: owed(held.data, keys) == [], "the work of all", 600)
        time.sleep(REST)
        shares, files = idle(pids)
        row("idle server and worker, each was used once", sum(shares), "% of a core", at_most=1.0)
        row("open files, each was used once", files, "files", at_most=100)

        tenants = Tenants(Settings(data=held.data))
        with tenants.hold(f"t{TENANTS // 2}") as tenant:
            begun = time.monotonic()
            tenant.store.write(lambda tx: tx.insert(Record("statement", "a", owed=(Owed("refs"),)))).result()
            until(lambda: tenant.store.backlog() == [], "the work of the one that woke")
        woke = time.monotonic() - begun
        tenants.close()

    row("work of one that wakes", woke, "s", at_most=LINGER / SECOND)


def owed(data: Path, names: dict[str, NewKey]) -> list[str]:
    """Tenants for which something is still due, as the register has it."""
    control = open_control(Settings(data=data))
    try:
        return [name for name in control.due.tenants() if name in names]
    finally:
        control.close()
        time.sleep(1)
