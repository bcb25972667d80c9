"""One worker process: started, restarted when it dies, ended with the process that started it. Knows no step.

After repeated deaths it is restarted after longer pauses, up to ``LRS_WORKER_PAUSE`` seconds. Each death is counted,
and kept in the control store with its reason for ``lrs doctor``, until a run has lasted ``GOOD_RUN`` seconds.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Protocol

import structlog

from lrs.kernel.settings import Settings

AGAIN_AFTER = 1.0
"""Seconds before a dead process is restarted; doubled with each death."""
GOOD_RUN = 300.0
"""Seconds after which a running process counts as healthy, and earlier deaths are forgotten."""
LAST_STEP = 20.0
"""Seconds that a process has to finish its current step; the service manager's time to stop counts on it."""
LAST_WORDS = 300
"""Characters of the last line that a process wrote, kept as the reason of its death."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

_log = structlog.get_logger()


class Deaths:
    """How often worker processes died since this server started, and how many run. ``/metrics`` shows it."""

    def __init__(self) -> None:
        self.count = 0
        self.running = 0
        self._lock = threading.Lock()

    def began(self) -> None:
        """Counts a process that was started."""
        with self._lock:
            self.running += 1

    def ended(self) -> None:
        """Counts one that runs no more."""
        with self._lock:
            self.running -= 1

    def died(self) -> None:
        """Counts a death, or a start that failed."""
        with self._lock:
            self.count += 1


class Register(Protocol):
    """Where deaths are stored."""

    def died(self, server: str, count: int, reason: str, again: float) -> None:
        """Stores that the worker of *server* died *count* times in a row, and is restarted in *again* seconds."""

    def recovered(self, server: str) -> None:
        """Stores that the worker is healthy, or that its server ended."""


def work_command(settings: Settings, place: int = 0, *, celery: bool = False) -> list[str]:
    """``lrs work`` as the process at *place* (from 0) of those that this process starts."""
    words = ["--data", str(settings.data), "--parent", str(os.getpid()), str(place)]
    return [sys.executable, "-m", "lrs", "work", *words, *(["--celery"] if celery else [])]


class Child:
    """A worker as a child process that runs *command*, watched by a thread.

    It is in a process group of its own: Ctrl-C in a terminal reaches only the process that started it, which ends it.
    *place* tells its deaths from those of others of the same server.
    """

    def __init__(
        self, settings: Settings, register: Register, deaths: Deaths, command: list[str], place: int = 0
    ) -> None:
        self._command = command
        self._longest = settings.worker_pause
        self._register = register
        self._deaths = deaths
        self._server = f"{os.uname().nodename}-{os.getpid()}" + (f"-{place}" if place else "")
        self._in_a_row = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._said = ""
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch, name="work-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tells the process to end after its current step. Forgets deaths while the control store is still open."""
        with self._lock:
            is_first = not self._stop.is_set()
            self._stop.set()
        self._process.terminate()
        if is_first:
            self._tell(lambda: self._register.recovered(self._server))

    def close(self, end: float | None = None) -> None:
        """Ends the process after its current step, and waits for it.

        At *end* (``time.monotonic``), or after ``LAST_STEP`` seconds, it is killed.
        """
        end = time.monotonic() + LAST_STEP if end is None else end
        self.stop()
        try:
            self._process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        """Starts the process.

        Raises ``OSError``, for example without memory, or while its program is being replaced.
        """
        self._said = ""
        process = subprocess.Popen(  # noqa: S603 (our own program)
            self._command, stderr=subprocess.PIPE, process_group=0
        )
        assert process.stderr is not None  # noqa: S101 (asked for above)
        self._hearing = threading.Thread(target=self._hear, args=(process.stderr,), name="work-log", daemon=True)
        self._hearing.start()
        self._deaths.began()
        return process

    def _hear(self, log: IO[bytes]) -> None:
        """Passes on what the process writes, and keeps its last line."""
        with log:
            for line in log:
                if line.strip():
                    self._said = line.decode(errors="replace").strip()
                with suppress(OSError, ValueError):  # our own stderr may be closed; go on reading the process's
                    sys.stderr.buffer.write(line)
                    sys.stderr.buffer.flush()

    def _watch(self) -> None:
        while True:
            status = self._ended()
            self._deaths.ended()
            if self._stop.is_set():
                return
            self._hearing.join(AGAIN_AFTER)
            again = self._died(reason_of(status, self._said))
            while not self._stop.wait(again):
                try:
                    if self._start_again():
                        break
                except OSError as error:
                    again = self._died(f"cannot be started: {error.strerror}")
            else:
                return

    def _start_again(self) -> bool:
        """Restarts the process, unless *stop* was called meanwhile. ``False`` if it was.

        *stop* ends the process that it finds; nothing would end one that is started later.
        """
        with self._lock:
            if self._stop.is_set():
                return False
            self._process = self._start()
            return True

    def _died(self, reason: str) -> float:
        """Counts, stores and logs a death. Gives the seconds until the restart."""
        self._deaths.died()
        self._in_a_row += 1
        again: float = min(AGAIN_AFTER * 2 ** (min(self._in_a_row, 32) - 1), self._longest)
        _log.warning("the worker process ended and is started again", reason=reason, again_in=again)
        with self._lock:
            if not self._stop.is_set():
                self._tell(lambda: self._register.died(self._server, self._in_a_row, reason, again))
        return again

    def _ended(self) -> int:
        """Waits for the end of the process. After ``GOOD_RUN`` seconds it counts as healthy."""
        if self._in_a_row:
            try:
                return self._process.wait(GOOD_RUN)
            except subprocess.TimeoutExpired:
                self._in_a_row = 0
                self._tell(lambda: self._register.recovered(self._server))
        return self._process.wait()

    def _tell(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 (the worker is started again, whether that can be put down or not)
            _log.warning("cannot put down how the worker is", error=type(error).__name__)


def reason_of(status: int, said: str) -> str:
    """Why a process ended, from its *status* and the last line it wrote."""
    if status < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
        return f"killed by signal {-status}"
    plain = "".join(letter for letter in _COLOURS.sub("", said) if letter.isprintable())[:LAST_WORDS]
    return f"ended with status {status}" + (f": {plain}" if plain else "")
