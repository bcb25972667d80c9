"""The product's own programs as processes: started, killed, ended, and looked at from outside.

Each is stopped by its process id, and what it said is in a log beside the data.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
from pymongo import MongoClient

from tests.prepared import NAME

PATIENCE = 120
HOST = "127.0.0.1"


def until(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Asks again and again, by and by less often; other processes give no other sign."""
    end, pause = time.monotonic() + patience, 0.01
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s for {what}")
        time.sleep(pause)
        pause = min(1.5 * pause, 0.1)


@dataclass
class Programs:
    """Programs on one data folder, with the same settings; all are gone at the end.

    One worker process runs beside a server, however many cores there are, unless a test names another number.
    """

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str, **settings: str) -> subprocess.Popen[str]:
        """``lrs`` with *words*; *settings* are ``LRS_*`` without the prefix."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
        ours = {f"LRS_{name.upper()}": value for name, value in (self.settings | settings).items()}
        with (self.data.parent / "programs.log").open("a") as log:
            program = subprocess.Popen(
                [sys.executable, "-m", "lrs", *words, "--data", str(self.data)],
                env=kept | {"LRS_WORKER_PROCESSES": "1"} | ours,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.running.append(program)
        return program

    def serve(self, **settings: str) -> tuple[subprocess.Popen[str], str]:
        """A server that answers, and its address."""
        server = self.start("serve", "--port", "0", **settings)
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("xAPI endpoint: "), (line, self.log())
        address = line.split()[2].removesuffix("/xapi")
        until(lambda: answers(address) or server.poll() is not None, "the server")
        assert server.poll() is None, self.log()
        return server, address

    def workers(self, count: int, **settings: str) -> list[subprocess.Popen[str]]:
        """Celery workers."""
        return [self.start("work", "--celery", **settings) for _ in range(count)]

    def log(self) -> str:
        """What they said so far."""
        return (self.data.parent / "programs.log").read_text()[-5_000:]

    def end(self) -> None:
        """Kills what is left, and what it started."""
        for program in self.running:
            for pid in (*children(program.pid), program.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            program.wait(PATIENCE)
            if program.stdout:
                program.stdout.close()


@contextlib.contextmanager
def programs(folder: Path, **settings: str) -> Iterator[Programs]:
    """Programs on ``folder/data``."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    held = Programs(data, settings)
    try:
        yield held
    finally:
        held.end()


def answers(address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{address}/health", trust_env=False, timeout=5).status_code == 200
    return False


def children(pid: int) -> list[int]:
    """The processes that *pid* started and that still run, but for one that is only there to fork them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split() if works(int(child))]
    return found


def works(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return runs(pid) and Path(f"/proc/{pid}/comm").read_text() != f"{NAME}\n"
    return False


def runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def peak_memory(pid: int) -> float:
    """The most that *pid* ever had in memory, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1_024


class Behind(Protocol):
    """The owed entries as they stand in the store, past everything that is ours."""

    def sees_lease(self, step: str, seconds: float) -> bool:
        """Whether within *seconds* somebody has an entry of *step* in hand; it may be for less than a millisecond."""

    def let_leases_run_out(self) -> None:
        """What a minute of waiting would do, also to those of workers that live: they then find their lease lost."""

    def due(self) -> int:
        """How many entries are due by now or in hand."""

    def failures(self) -> list[tuple[str, str]]:
        """The steps that failed, and why."""

    def make_due(self) -> None:
        """What the wait after a failure would do."""

    def close(self) -> None:
        """Lets go of the store."""


class BehindSqlite:
    """In the file of the embedded store of a tenant."""

    def __init__(self, data: Path, tenant: str = "default") -> None:
        path = data / "tenants" / tenant / "store.db"
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)

    def sees_lease(self, step: str, seconds: float) -> bool:
        query = "SELECT 1 FROM owed WHERE step = ? AND token IS NOT NULL LIMIT 1"
        end = time.monotonic() + seconds
        while self._connection.execute(query, (step,)).fetchone() is None:
            if time.monotonic() > end:
                return False
        return True

    def let_leases_run_out(self) -> None:
        self._connection.execute("UPDATE owed SET at = 1 WHERE token IS NOT NULL")
        turns = "(SELECT number FROM kind WHERE name = 'delivery-turn')"
        self._connection.execute(f"DELETE FROM record WHERE kind = {turns}")

    def due(self) -> int:
        now = time.time_ns() // 1_000
        query = "SELECT count(*) FROM owed WHERE at <= ? OR token IS NOT NULL"
        count: int = self._connection.execute(query, (now,)).fetchone()[0]
        return count

    def failures(self) -> list[tuple[str, str]]:
        return self._connection.execute("SELECT step, error FROM owed WHERE error IS NOT NULL").fetchall()

    def make_due(self) -> None:
        self._connection.execute("UPDATE owed SET at = 1 WHERE error IS NOT NULL")

    def close(self) -> None:
        self._connection.close()


class BehindMongo:
    """In the database of a tenant on MongoDB."""

    def __init__(self, url: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(url)
        self._records = self._client.get_default_database().record

    def sees_lease(self, step: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        leased = {"due": {"$exists": True}, "owed": {"$elemMatch": {"step": step, "token": {"$ne": None}}}}
        while self._records.find_one(leased, {"_id": 1}) is None:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def let_leases_run_out(self) -> None:
        # The transactions of the dead would hold their documents for a minute too; those of the living are run again.
        self._client.admin.command({"killAllSessions": []})
        self._records.delete_many({"kind": "delivery-turn"})
        self._set_due(lambda entry: entry["token"] is not None)

    def due(self) -> int:
        time.sleep(0.2)  # the stand-in shares the machine with those who are waited for
        now = time.time_ns() // 1_000
        return sum(entry["at"] <= now or entry["token"] is not None for entry in self._entries())

    def failures(self) -> list[tuple[str, str]]:
        return [(entry["step"], entry["error"]) for entry in self._entries() if entry["error"] is not None]

    def make_due(self) -> None:
        self._set_due(lambda entry: entry["error"] is not None)

    def close(self) -> None:
        self._client.close()

    def _entries(self) -> list[dict[str, Any]]:
        return [entry for record in self._owing() for entry in record["owed"]]

    def _owing(self) -> list[dict[str, Any]]:
        return list(self._records.find({"due": {"$exists": True}}, {"owed": 1, "owed_rev": 1}))

    def _set_due(self, chosen: Callable[[dict[str, Any]], bool]) -> None:
        """Workers that live change the same records meanwhile: once more for each that had changed."""
        missed = True
        while missed:
            missed = False
            for record in self._owing():
                if not any(chosen(entry) and entry["at"] != 1 for entry in record["owed"]):
                    continue
                owed = [entry | {"at": 1} if chosen(entry) else entry for entry in record["owed"]]
                done = self._records.update_one(
                    {"_id": record["_id"], "owed_rev": record["owed_rev"]},
                    {"$set": {"owed": owed, "due": 1}, "$inc": {"owed_rev": 1}},
                )
                missed = missed or not done.modified_count


class Forwarder:
    """A broker that comes and goes: from ``start`` to ``close``, ``port`` leads to the real one's."""

    def __init__(self, port: int) -> None:
        self._to = port
        with socket.create_server((HOST, 0)) as free:
            self.port: int = free.getsockname()[1]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._stop.clear()
        listener = socket.create_server((HOST, self.port))
        listener.settimeout(0.1)
        self._run(self._accept, listener)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    self._run(self._lead, listener.accept()[0])

    def _lead(self, near: socket.socket) -> None:
        with near, socket.create_connection((HOST, self._to)) as far, contextlib.suppress(OSError):
            while not self._stop.is_set():
                for ready in select.select([near, far], [], [], 0.1)[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    (far if ready is near else near).sendall(data)
