"""``python -m tests.bench.peers``: the product beside other learning record stores, with the same load, in one run.

Each round asks one server after the other, so that a noisy minute hits all. Every server stores to the same disk, by
the settings it comes with. Ralph keeps statements in a file here, which it reads through at each request, so its
figures fall as it fills: they are of few statements. SQL LRS (Java) is measured where the folder of a release is given.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.load import HOST, Load, run, within
from tests.bench.rows import BATCH, body, busy_pairs, faults, query_path
from tests.bench.server import STOP, create_key, free_port, serving
from tests.bench.statements import Made, statements

KEY, SECRET = "bench", "bench-secret"
START = 120.0
WARM = 20
"""Statements sent before anything is measured."""
ROWS = ("single c16", "batch c4", "query c1", "by id c16")


@dataclass(frozen=True, slots=True)
class Size:
    """*rounds*, each with so many *singles* and *batches* of 100, and *seconds* of each kind of reading."""

    rounds: int = 3
    singles: int = 300
    batches: int = 4
    seconds: float = 2.0


@dataclass(slots=True)
class Peer:
    """A running server: its port, where its statements are, its headers, the *rows* it can answer and their *rates*."""

    name: str
    port: int
    path: str
    headers: bytes
    rows: Sequence[str] = ROWS
    rates: dict[str, list[float]] = field(default_factory=dict)
    wrong: str = ""

    def get(self, query: str) -> bytes:
        """A GET of statements."""
        return b"GET %s?%s HTTP/1.1\r\n%s\r\n" % (self.path.encode(), query.encode(), self.headers)

    def post(self, content: bytes) -> bytes:
        """A POST of statements."""
        head = b"POST %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % (self.path.encode(), self.headers, len(content)) + content

    def note(self, row: str, load: Load, each: int = 1) -> None:
        """Adds a round of *row*, of which each answer stands for *each* statements or queries."""
        self.wrong = self.wrong or faults([load])
        self.rates.setdefault(row, []).append(load.rate * each)


def main(given: Sequence[str]) -> int:
    """Runs as *given* says; 1 if a server did not answer as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--ralph", type=Path, help="the Python of an environment with ralph-malph[lrs]")
    parser.add_argument("--sql-lrs", type=Path, help="the folder of a release of SQL LRS, with lrsql.jar")
    parser.add_argument("--small", action="store_true", help="tiny counts: shows that it works, not how fast it is")
    options = parser.parse_args(given)
    for option, file in ((options.ralph, options.ralph), (options.sql_lrs, (options.sql_lrs or Path()) / "lrsql.jar")):
        if option is not None and not file.is_file():
            parser.error(f"{file} is not there")
    size = Size(1, 30, 1, 0.2) if options.small else Size()
    with tempfile.TemporaryDirectory(prefix="engraft-peers-", dir=Path.cwd()) as name, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(product(Path(name)))]
        if options.ralph is not None:
            peers += [stack.enter_context(ralph(Path(name), options.ralph, keeps=keeps)) for keeps in (False, True)]
        if options.sql_lrs is not None:
            peers.append(stack.enter_context(sql_lrs(Path(name), options.sql_lrs)))
        measure(peers, size)
    sys.stdout.write(table(peers) + "\n")
    return 1 if any(peer.wrong for peer in peers) else 0


def measure(peers: Sequence[Peer], size: Size) -> None:
    """All rounds: in each, one row after the other, and in each row one server after the other."""
    made = list(statements(WARM + size.rounds * (size.singles + size.batches * BATCH)))
    for peer in peers:  # also for the slow hash of the key, which each looks at once
        peer.wrong = faults([run(peer.port, [peer.post(one.raw) for one in made[:WARM]], 1)])
    at = WARM
    for turn in range(size.rounds):
        singles = made[at : at + size.singles]
        at += size.singles
        batches = [made[at + place * BATCH :][:BATCH] for place in range(size.batches)]
        at += size.batches * BATCH
        order = peers if turn % 2 == 0 else peers[::-1]
        for peer in order:
            peer.note("single c16", run(peer.port, [peer.post(one.raw) for one in singles], 16))
        for peer in order:
            peer.note("batch c4", run(peer.port, [peer.post(body(group)) for group in batches], 4), BATCH)
        for peer in order:
            if peer.rows == ROWS:
                _read(peer, made[:at], size.seconds)


def _read(peer: Peer, stored: Sequence[Made], seconds: float) -> None:
    queries = itertools.cycle([peer.get(query_path(pair).partition("?")[2]) for pair in busy_pairs()])
    peer.note("query c1", run(peer.port, within(seconds, queries), 1))
    chosen = random.Random(5).sample(stored, min(1_000, len(stored)))
    ids = itertools.cycle([peer.get(f"statementId={one.id}") for one in chosen])
    peer.note("by id c16", run(peer.port, within(seconds, ids), 16))


def table(peers: Sequence[Peer]) -> str:
    """The medians a second of each row, with the lowest and the highest, and how often the first's has the peer's."""
    ours, *_ = peers
    lines = [f"{'':38}" + "".join(f"{row:>26}" for row in ROWS)]
    for peer in peers:
        lines.append(f"{peer.name:38}" + "".join(f"{_rate(peer.rates.get(row, ())):>26}" for row in ROWS))
        if peer is not ours:
            ratios = "".join(f"{_ratio(ours.rates[row], peer.rates.get(row, ())):>26}" for row in ROWS)
            lines.append(f"{f'  {ours.name} ÷ {peer.name}':38}{ratios}")
        if peer.wrong:
            lines.append(f"  INVALID: {peer.wrong}")
    return "\n".join(lines)


def _rate(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})" if rates else "-"


def _ratio(ours: Sequence[float], rates: Sequence[float]) -> str:
    return f"{statistics.median(ours) / statistics.median(rates):.1f}" if rates and min(rates) else "-"


# -- the servers ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def product(folder: Path) -> Iterator[Peer]:
    """``lrs serve`` with the settings it comes with."""
    headers = create_key(folder / "product")
    with serving(folder / "product", headers) as server:
        yield Peer("Engraft", server.port, "/xapi/statements", headers)


@contextlib.contextmanager
def ralph(folder: Path, python: Path, *, keeps: bool) -> Iterator[Peer]:
    """Ralph on its file backend; or, unless it *keeps* statements, its HTTP and validation alone."""
    home, port = folder / ("ralph" if keeps else "ralph-alone"), free_port()
    home.mkdir()
    settings = {
        "RALPH_APP_DIR": str(home),
        "RALPH_AUTH_FILE": str(home / "auth.json"),
        "RALPH_RUNSERVER_BACKEND": "fs",
        "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(home),
    }
    hashing = "import bcrypt, sys; print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt()).decode())"
    hashed = subprocess.run([str(python), "-c", hashing, SECRET], check=True, capture_output=True, text=True).stdout
    user = {"agent": {"mbox": "mailto:bench@example.org"}, "scopes": ["all"], "username": KEY, "hash": hashed.strip()}
    (home / "auth.json").write_text(json.dumps([user]))
    (home / "fs_lrs.jsonl").touch()
    start = f"uvicorn.run(app, host={HOST!r}, port={port}, log_level='error')"
    program = _RALPH + ("" if keeps else _RALPH_ALONE) + start
    with _running([str(python.absolute()), "-c", program], settings, port, home):
        name = "Ralph, file backend" if keeps else "Ralph, HTTP and validation"
        yield Peer(name, port, "/xAPI/statements/", _headers(), ROWS if keeps else ROWS[:2])


_RALPH = """
import uvicorn
from ralph.api import app
from ralph.backends.data.base import BaseOperationType
from ralph.backends.lrs.fs import FSLRSBackend
FSLRSBackend.default_operation_type = BaseOperationType.APPEND
"""
"""The file backend creates a file for each write, as it comes, so it refuses the second one: here it appends."""
_RALPH_ALONE = """
FSLRSBackend.write = lambda self, data, *_, **__: len(list(data))
FSLRSBackend.query_statements_by_ids = lambda *_, **__: []
"""


@contextlib.contextmanager
def sql_lrs(folder: Path, release: Path) -> Iterator[Peer]:
    """SQL LRS on SQLite."""
    home, port = folder / "sql-lrs", free_port()
    home.mkdir()
    settings = {
        "LRSQL_HTTP_HOST": HOST,
        "LRSQL_HTTP_PORT": str(port),
        "LRSQL_DB_NAME": str(home / "lrsql.sqlite.db"),
        "LRSQL_ADMIN_USER_DEFAULT": KEY,
        "LRSQL_ADMIN_PASS_DEFAULT": SECRET,
        "LRSQL_API_KEY_DEFAULT": KEY,
        "LRSQL_API_SECRET_DEFAULT": SECRET,
    }
    java = shutil.which("java") or str(release / "runtimes" / "linux" / "bin" / "java")
    with _running(
        [java, "-server", "-cp", str(release.resolve() / "lrsql.jar"), "lrsql.sqlite.main"], settings, port, home
    ):
        yield Peer("SQL LRS, SQLite", port, "/xapi/statements", _headers())


def _headers() -> bytes:
    credentials = base64.b64encode(f"{KEY}:{SECRET}".encode())
    return b"Host: %s\r\nX-Experience-API-Version: 1.0.3\r\nAuthorization: Basic %s\r\n" % (HOST.encode(), credentials)


@contextlib.contextmanager
def _running(command: Sequence[str], settings: Mapping[str, str], port: int, home: Path) -> Iterator[None]:
    """A process that answers anything on *port*; its output goes to ``log`` in *home*. It and its group end here."""
    log = home / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=os.environ | settings, cwd=home, stdout=output, stderr=output, process_group=0
        )
    try:
        end = time.monotonic() + START
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} did not come up:\n{log.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.05)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        return connection.recv(16).startswith(b"HTTP/1.")
    return False


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    sys.exit(main(sys.argv[1:]))
