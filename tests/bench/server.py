"""The processes that are measured: the product through its real command, and an application that does nothing.

Each is started as its own process and stopped by its process id. Knows no row and no statement.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.load import HOST

LRS = Path(sys.executable).with_name("lrs")
AS_INSTALLED = Path(__file__).with_name("installed")
"""What the product's processes find first when they import: it hides what comes only with the packages of the tests."""
START = 120.0
STOP = 40.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, what it needs to be told, how long it took until it answered."""

    port: int
    pid: int
    headers: bytes
    started: float

    def cpu(self) -> float:
        """Seconds of CPU the server's process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def written(self) -> int:
        """Bytes that the server's process and those it started had written to the disk, so far."""
        return sum(_written(pid) for pid in (self.pid, *_children(self.pid)))

    def peak(self) -> dict[int, float]:
        """Peak resident memory in MB of the server's process and of those it started, by process id."""
        return {pid: _peak(pid) for pid in (self.pid, *_children(self.pid))}

    def get(self, path: str) -> bytes:
        """A GET under the xAPI path, as bytes."""
        return b"GET /xapi/%s HTTP/1.1\r\n%s\r\n" % (path.encode(), self.headers)

    def post(self, body: bytes) -> bytes:
        """A POST of statements, as bytes."""
        return b"POST /xapi/statements HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            self.headers,
            len(body),
            body,
        )


def create_key(data: Path, scope: str = "all", name: str = "bench") -> bytes:
    """Headers with a new key for the store under *data*, made by the real command."""
    make_store(data)
    made = json.loads(lrs(data, "keys", "create", "--name", name, "--scope", scope, "--json"))
    credentials = base64.b64encode(f"{made['key']}:{made['secret']}".encode())
    return b"Host: %s\r\nX-Experience-API-Version: 1.0.3\r\nAuthorization: Basic %s\r\n" % (HOST.encode(), credentials)


def credentials_in(headers: bytes) -> tuple[str, str]:
    """The key and its secret in *headers* of ``create_key``."""
    encoded = headers.partition(b"Basic ")[2].split()[0]
    key, _, secret = base64.b64decode(encoded).decode().partition(":")
    return key, secret


def make_store(data: Path) -> None:
    """Makes the store under *data*, if there is none."""
    if not (data / "tenants" / "default").exists():
        lrs(data, "tenants", "create", "default")


def lrs(data: Path, *words: str, settings: Mapping[str, str] | None = None) -> str:
    """What ``lrs`` with *words* printed, for the store under *data*. Raises ``RuntimeError`` if it failed."""
    command = [str(LRS), *words, "--data", str(data)]
    done = subprocess.run(
        command, env=_environment(settings), check=False, capture_output=True, text=True, timeout=START
    )
    if done.returncode:
        raise RuntimeError(f"lrs {' '.join(words[:2])} failed:\n{done.stdout[-1_000:]}{done.stderr[-2_000:]}")
    return done.stdout


@contextlib.contextmanager
def serving(data: Path, headers: bytes, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """``lrs serve`` on *data* with default settings; its output goes to ``server.log`` beside the store."""
    port = free_port()
    command = [str(LRS), "serve", "--host", HOST, "--port", str(port), "--data", str(data)]
    log = data.with_name(f"{data.name}.log")
    with running(command, _environment(environment), port, log) as (pid, started):
        yield Server(port, pid, headers, started)


@contextlib.contextmanager
def doing_nothing(folder: Path) -> Iterator[Server]:
    """``tests.bench.nothing`` on the same kind of server, with the same options."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.nothing", str(port)]
    with running(command, dict(os.environ), port, folder / "nothing.log") as (pid, started):
        yield Server(port, pid, b"Host: %s\r\n" % HOST.encode(), started)


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], port: int, log: Path) -> Iterator[tuple[int, float]]:
    """A process that answers ``/health`` on *port*: its id, and the seconds until then. Always stopped."""
    with log.open("ab") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _await_health(process, port, log)
        yield process.pid, time.perf_counter() - begun
    finally:
        _stop(process)


def _environment(settings: Mapping[str, str] | None) -> dict[str, str]:
    """That of this process, with no settings of ours but these, and without packages of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    return {**kept, "PYTHONPATH": str(AS_INSTALLED), **(settings or {})}


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _await_health(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=10) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            if b" 200 " in connection.recv(64):
                return
        time.sleep(0.005)
    raise RuntimeError(f"the server did not come up:\n{log.read_text(errors='replace')[-2_000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process, and waits for what it had started: those still write into the folder that goes next."""
    started = _children(process.pid) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    end = time.monotonic() + STOP
    while started := [pid for pid in started if _runs(pid)]:
        if time.monotonic() > end:
            for pid in started:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has just ended
            for child in task.read_text().split():
                found.extend([int(child), *_children(int(child))])
    return found


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1_024
    return 0.0


def _written(pid: int) -> int:
    """Bytes sent to the disk, by ``/proc/PID/io`` (proc(5)): a page counts when it is changed in the page cache."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0
