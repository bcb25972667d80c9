"""Wake-ups between the processes of one machine: a named pipe for each worker, in a folder beside the store.

A wake-up is a line of text that says where there may be work. It carries no work and may be lost: the pipe is full, its
worker dies before it reads, no worker runs, or only on another host that shares the folder. So whoever listens also
looks by itself from time to time. Knows no tenant and no step.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from lrs.storage.private import FILE, private_folder

AGAIN = 1.0
"""Seconds after which the folder is listed again although it seems unchanged: its time has steps of some milliseconds.
"""
BREATH = 0.005
"""Seconds between two reads of a pipe, so that a busy server wakes a worker at most 200 times a second."""
LEFT = 60.0
"""Seconds after which a pipe that is not in its place yet was left by a worker that was killed."""
_PIPE, _NEW = ".pipe", ".new"
_AT_ONCE = 64 * 1024
_log = structlog.get_logger()


def wakeups_in(data: Path) -> Path:
    """The folder of the pipes below *data* (LRS_DATA)."""
    return data / "wakeups"


class Wakeups:
    """Wakes one of the workers that listen in *folder*. Several threads may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._pipe: int | None = None
        self._seen = 0
        self._listed = -AGAIN

    def send(self, line: str) -> bool:
        """Sends *line* to one worker. ``False`` if none listens or its pipe is full. Neither waits nor raises."""
        text = f"{line}\n".encode()
        with self._lock:
            try:
                self._follow()
                return self._pipe is not None and os.write(self._pipe, text) == len(text)
            except BlockingIOError:  # it has much to read already
                return False
            except OSError:  # its worker ended; or the folder cannot be read, and workers look by themselves
                self._leave()
                self._listed = -AGAIN
                return False

    def close(self) -> None:
        """Closes the pipe."""
        with self._lock:
            self._leave()

    def _follow(self) -> None:
        """Opens the pipe of the first worker, if the folder has changed since it was listed."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        now = time.monotonic()
        if changed == self._seen and now < self._listed + AGAIN:
            return
        self._seen, self._listed = changed, now
        self._leave()
        for name in sorted(entry.name for entry in os.scandir(self._folder) if entry.name.endswith(_PIPE)):
            if (pipe := _open_to_write(self._folder / name)) is not None:
                self._pipe = pipe
                return

    def _leave(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


class Listener:
    """A pipe in *folder* and a thread that calls *heard* with each line sent to it, once for several that are equal.

    Removes pipes that dead workers of this host left. Without a folder that takes a pipe it hears nothing and says so
    in the log.
    """

    def __init__(self, folder: Path, heard: Callable[[str], object]) -> None:
        self._heard = heard
        self._path = folder / f"{_of_this_host()}{os.getpid()}-{secrets.token_hex(8)}{_PIPE}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="work-wake")
        try:
            self._ends: tuple[int, int] | None = _made(self._path)
        except OSError as error:
            self._ends = None
            _log.warning("workers cannot be woken, and look by themselves", folder=str(folder), error=str(error))
        else:
            self._thread.start()

    def close(self) -> None:
        """Removes the pipe and ends the thread."""
        self._over.set()
        if self._ends is None:
            return
        self._path.unlink(missing_ok=True)
        with suppress(BlockingIOError):  # a full pipe wakes the thread, too
            os.write(self._ends[1], b"\n")
        self._thread.join()
        for end in self._ends:
            os.close(end)

    def _run(self) -> None:
        assert self._ends is not None  # noqa: S101 (the thread runs only with a pipe)
        rest = b""
        while not self._over.wait(BREATH):
            *lines, rest = (rest + os.read(self._ends[0], _AT_ONCE)).split(b"\n")
            for line in dict.fromkeys(filter(None, lines)):
                self._heard(line.decode(errors="replace"))


def _of_this_host() -> str:
    """How the names of pipes of this host begin. Containers that share a folder may have workers of one process id."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", os.uname().nodename) + "~"


def _made(path: Path) -> tuple[int, int]:
    """A new pipe at *path*: its ends to read from, which waits, and to write to, which does not.

    It appears there only once it is open, so that nobody removes it. With a writer of its own it never reads an end.
    """
    private_folder(path.parent)
    _remove_left(path.parent)
    hidden = path.with_name(path.name.removesuffix(_PIPE) + _NEW)
    os.mkfifo(hidden, FILE)
    reading = os.open(hidden, os.O_RDONLY | os.O_NONBLOCK)
    try:
        writing = os.open(hidden, os.O_WRONLY | os.O_NONBLOCK)
        hidden.rename(path)
    except BaseException:
        os.close(reading)
        raise
    os.set_blocking(reading, True)
    return reading, writing


def _remove_left(folder: Path) -> None:
    """Removes what killed workers of this host left. Pipes of other hosts seem to have no reader, so they stay."""
    for entry in os.scandir(folder):
        if not entry.name.startswith(_of_this_host()):
            continue
        if entry.name.endswith(_PIPE) and (pipe := _open_to_write(Path(entry.path))) is not None:
            os.close(pipe)
        elif entry.name.endswith(_PIPE) or (entry.name.endswith(_NEW) and _is_left(Path(entry.path))):
            Path(entry.path).unlink(missing_ok=True)


def _is_left(hidden: Path) -> bool:
    """Whether a pipe that is about to be moved to its place is there for too long."""
    with suppress(FileNotFoundError):
        return time.time() - hidden.stat().st_mtime > LEFT
    return False


def _open_to_write(path: Path) -> int | None:
    """``None`` if nobody reads there."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.ENOENT}:
            return None
        raise
