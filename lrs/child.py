"""The worker process beside a server: started, started again when it dies, ended with the server. Knows no step."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import structlog

AGAIN_AFTER = 1.0
"""Seconds before a process that died is started again."""
LAST_STEP = 20.0
"""Seconds a process gets to finish the step at hand."""

_log = structlog.get_logger()


class Child:
    """``lrs work`` as a child process, watched by a thread."""

    def __init__(self, data: Path) -> None:
        self._command = [sys.executable, "-m", "lrs", "work", "--data", str(data), "--parent", str(os.getpid())]
        self._stop = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch, name="work-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tells the process to end after the step at hand."""
        self._stop.set()
        self._process.terminate()

    def close(self) -> None:
        """Ends the process after the step at hand, and waits for it."""
        self.stop()
        try:
            self._process.wait(LAST_STEP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command)  # noqa: S603 (our own program)

    def _watch(self) -> None:
        while not self._stop.is_set():
            status = self._process.wait()
            if self._stop.wait(AGAIN_AFTER):
                return
            _log.warning("the worker process ended and is started again", status=status)
            self._process = self._start()
