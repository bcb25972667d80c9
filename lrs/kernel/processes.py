"""Programs of ours as child processes that end with the block that needs them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lrs.kernel.errors import Misconfigured

ENDPOINT = "xAPI endpoint: "
LAST_WORDS = 30
"""Seconds that a program is given to end by itself."""


@contextlib.contextmanager
def serving(data: Path) -> Iterator[str]:
    """Runs ``lrs serve`` on a free port and gives its address. Raises ``Misconfigured`` if it does not start."""
    command = [sys.executable, "-m", "lrs", "serve", "--port", "0", "--data", str(data)]
    with running(command) as process:
        assert process.stdout is not None  # noqa: S101 (asked for in running)
        said = process.stdout.readline()
        if not said.startswith(ENDPOINT):
            raise Misconfigured(f"the server did not start: {said}{process.stdout.read()}")
        yield said.removeprefix(ENDPOINT).strip().removesuffix("/xapi")


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Runs *command* as long as the block lasts. Its standard input and output are pipes."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (ours)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
