"""Thawed installations of the story (``tests.releases.story``), and processes of this program that bring them forward.

``python -m tests.releases.upgrading`` reads orders, a JSON array a line: the data folder, at which of its turns the
process is to be killed (0: never), and by how many seconds its clock is ahead. A turn is the moment before a
transaction begins on any of the files, and the moment before it is committed, in the order in which they come. So each
step of a migration is met before it, with all written and nothing kept, and after it. For each order it forks. The
child opens every tenant and does all that is owed; told is how the child ended, and how many turns there were.
"""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrs.kernel.times import SECOND

HERE = Path(__file__).parent / "story"
VERSION = "0.2.0"
TURNS = ("BEGIN", "COMMIT")
_NO_HOOK = "http://127.0.0.1:9/hook"


def story() -> dict[str, Any]:
    """What was frozen beside the store."""
    found: dict[str, Any] = json.loads(lzma.decompress((HERE / f"{VERSION}.json.xz").read_bytes()))
    return found


def thawed(folder: Path, hooks: dict[str, str] | None = None) -> Path:
    """The data folder in *folder* as the killed processes of the release left it, with logs that nobody has read back.

    What waits at the receivers of the story goes to *hooks* now: their ports were those of the day.
    """
    packed, data = folder / "packed", folder / "data"
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress((HERE / f"{VERSION}.tar.xz").read_bytes()))) as archive:
        archive.extractall(packed, filter="data")
    moved = {was: (hooks or {}).get(name, _NO_HOOK) for name, was in story()["hooks"].items()}
    with contextlib.ExitStack() as stack:
        for path in packed.glob("tenants/*/store.db"):
            store = stack.enter_context(contextlib.closing(sqlite3.connect(path, isolation_level=None)))
            store.execute("PRAGMA wal_autocheckpoint = 0")
            for was, now in moved.items():
                change = "UPDATE record SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB) WHERE instr(body, ?)"
                store.execute(change, (was, now, was.encode()))
        shutil.copytree(packed, data, ignore=shutil.ignore_patterns("*-shm"))  # while the logs are still there
    shutil.rmtree(packed)
    return data


def ahead_by(seconds: float) -> Callable[[], int]:
    """A clock that is so far ahead."""
    return lambda: time.time_ns() // 1_000 + round(seconds * SECOND)


# -- the process ----------------------------------------------------------------------------------------------------


def bring_forward(data: Path, ahead: float) -> None:
    """What a server and a worker do at their first start: open the register and every tenant, and do what is owed."""
    from lrs.composition.steps import drain  # noqa: PLC0415 (loaded once by whoever forks)
    from lrs.kernel.settings import Settings  # noqa: PLC0415 (as above)
    from lrs.tenancy.open_tenants import Tenants  # noqa: PLC0415 (as above)

    tenants = Tenants(
        Settings(data=data, outbound_allow=("127.0.0.0/8",), public_url="https://skills.example.org"),
        clock=ahead_by(ahead),
    )
    for one in tenants.start():
        raise SystemExit(one.reason)
    for tenant in tenants.each():
        drain(tenant)
    tenants.close()


class Turns:
    """Counts the turns of this process, and kills it at one of them."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def connect(self, *args: Any, **named: Any) -> sqlite3.Connection:
        made = _connect(*args, **named)
        made.set_trace_callback(self._look)
        return made

    def _look(self, text: str) -> None:
        if text.startswith(TURNS):
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


_connect = sqlite3.connect


def _forked(data: Path, last: int, ahead: float) -> tuple[int, int]:
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        turns = Turns(last)
        sqlite3.connect = turns.connect  # type: ignore[assignment]
        status = 1
        try:
            bring_forward(data, ahead)
            status = 0
        finally:
            os.write(write, str(turns.count).encode())
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as told:
        count = told.read()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), int(count or last)


def main() -> None:
    import adapters.imports.run  # noqa: PLC0415, F401 (loaded once, before the forks)
    import lrs.composition.steps  # noqa: PLC0415, F401 (as above)

    for line in sys.stdin:
        data, last, ahead = json.loads(line)
        sys.stdout.write(json.dumps(_forked(Path(data), last, ahead)) + "\n")
        sys.stdout.flush()


@dataclass
class Upgrader:
    """A process that does as it is told: see above."""

    process: subprocess.Popen[str]

    def begin(self, data: Path, last: int = 0, ahead: float = 0) -> None:
        """Gives the order; ``end`` tells what came of it."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps([str(data), last, ahead]) + "\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, int]:
        assert self.process.stdout
        status, count = json.loads(self.process.stdout.readline())
        return status, count

    def run(self, data: Path, last: int = 0, ahead: float = 0) -> tuple[int, int]:
        """The exit status (-9: killed) and the number of turns."""
        self.begin(data, last, ahead)
        return self.end()


@contextlib.contextmanager
def upgraders(count: int, log: Path) -> Iterator[list[Upgrader]]:
    """So many of them; what they say on standard error is in *log*."""
    with log.open("a") as said:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.releases.upgrading"],
                cwd=Path(__file__).parents[2],
                env={name: value for name, value in os.environ.items() if not name.startswith("LRS_")},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
            for _ in range(count)
        ]
    try:
        yield [Upgrader(process) for process in started]
    finally:
        for process in started:
            process.communicate()


if __name__ == "__main__":
    main()
