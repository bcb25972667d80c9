"""A thousand tenants that nobody uses cost next to nothing, and one of them that wakes is served and worked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lrs.kernel.settings import Settings
from lrs.storage import Owed, Record
from lrs.tenancy.control import open_control
from lrs.tenancy.due import LINGER
from lrs.tenancy.open_tenants import Tenants
from tests.programs import children, programs, until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_800)]
TENANTS = int(os.environ.get("IDLE_TENANTS", "1000"))
SECONDS = 120
SECOND = 1_000_000


def files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def computed_by(pid: int) -> float:
    """Seconds of computing since it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_thousand_idle_tenants_cost_at_most_one_hundredth_of_a_core_and_a_hundred_files(
    tmp_path: Path, row: Callable[..., None]
) -> None:
    with programs(tmp_path) as held:
        settings = Settings(data=held.data)
        control = open_control(settings)
        for number in range(TENANTS):
            control.add(f"t{number}")
        control.close()
        tenants = Tenants(settings)
        tenants.start()  # makes their stores
        begun = time.monotonic()
        server, _ = held.serve()
        row("server starts", time.monotonic() - begun, "s")
        until(lambda: children(server.pid), "the worker")
        (worker,) = children(server.pid)
        until(tenants.control.workers, "the worker's first sign", 300)
        time.sleep(90)  # what the start left open and due is over

        before = computed_by(server.pid), computed_by(worker)
        begun, most = time.monotonic(), [0, 0]
        while time.monotonic() < begun + SECONDS:
            most = [max(most[0], files_of(server.pid)), max(most[1], files_of(worker))]
            time.sleep(0.5)
        took = time.monotonic() - begun
        shares = [100 * (computed_by(pid) - was) / took for pid, was in zip((server.pid, worker), before, strict=True)]

        row("open files of the server", most[0], "files", at_most=100)
        row("open files of the worker", most[1], "files", at_most=100)
        row("idle server", shares[0], "% of a core")
        row("idle worker", shares[1], "% of a core")
        row("idle server and worker", sum(shares), "% of a core", at_most=1.0)

        with tenants.hold(f"t{TENANTS // 2}") as tenant:
            begun = time.monotonic()
            tenant.store.write(lambda tx: tx.insert(Record("statement", "a", owed=(Owed("refs"),)))).result()
            until(lambda: tenant.store.backlog() == [], "the work of the one that woke")
        woke = time.monotonic() - begun
        tenants.close()

    row("work of one that wakes", woke, "s", at_most=LINGER / SECOND)
