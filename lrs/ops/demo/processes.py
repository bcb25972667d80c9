"""The processes of the demonstration: the store's server and the matching service. Knows no story."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from lrs.kernel.processes import running

PATIENCE = 30
SETTINGS = {"LRS_OUTBOUND_ALLOW": '["127.0.0.1/32"]', "LRS_AUDIT_LOG_EVERY": "60"}
"""Allows calls to the matching service on this machine, and keeps log lines out of the story."""


def awaited(base: str) -> str:
    """*base*, as soon as a server answers there. Raises ``RuntimeError`` after half a minute."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{base}/health", trust_env=False).status_code == 200:
                return base
        time.sleep(0.2)
    raise RuntimeError(f"no server answers at {base}")


class MatchingService:
    """The process of the service, as the demonstration uses it."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address

    def introduce(self, known: dict[str, Any]) -> None:
        """Gives it its credentials. It serves from then on."""
        assert self._process.stdin is not None  # noqa: S101 (asked for in running)
        self._process.stdin.write(json.dumps(known) + "\n")
        self._process.stdin.flush()


@contextlib.contextmanager
def matching_service(folder: Path) -> Iterator[MatchingService]:
    """The matching service on a free port. It keeps in *folder* what it is sent."""
    folder.mkdir(parents=True, exist_ok=True)
    with running([sys.executable, "-m", "lrs.ops.demo.service", str(folder)]) as process:
        assert process.stdout is not None  # noqa: S101 (asked for in running)
        yield MatchingService(process, process.stdout.readline().strip())
