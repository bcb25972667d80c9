"""``lrs`` as processes of the tests, without the second that loading it takes: one that has loaded it forks for each.

``Popen`` stands in for ``subprocess.Popen``. Each process it gives is a real one and its child: it is waited for,
killed and looked at like any other. What is to run is told over a Unix socket, with its files. The prepared process
forks twice, so that an orphan goes to who asked, as that one has told the kernel to. A process that starts others, as
``lrs serve`` starts its workers, makes itself such a prepared process first.

Cold starts are what ``tests/docker/test_processes.py`` and ``tests/test_bench.py`` try, by the installed program.
"""

from __future__ import annotations

import ctypes
import gc
import inspect
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NAME = "prepared"
"""What ``/proc/PID/comm`` calls such a process."""
OURS = re.compile(r"(lrs|tests)\b")
"""Modules that may be run so."""
STARTING = {"serve", "work"}
"""Commands that start processes of their own."""
LATER = ("lrs.app", "lrs.work.broker", "lrs.storage.sqlite.store", "lrs.storage.mongo.store", "pyld.jsonld", "uvloop")
"""Modules that are loaded where they are used."""
_PARAMETERS = inspect.signature(subprocess.Popen._execute_child).parameters  # noqa: SLF001 (where a process is made)
_ENDS = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
_USUAL = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
_SET_NAME, _TAKE_ORPHANS_IN = 15, 36
_asking: list[socket.socket] = []
"""Leads to the prepared process, if there is one."""
_lock = threading.Lock()
_prctl = ctypes.CDLL(None).prctl


class Popen(subprocess.Popen):  # type: ignore[type-arg] # of str and of bytes
    """As ``subprocess.Popen``, but ``python -m`` with a module of ours is forked by the prepared process."""

    def _execute_child(self, *given: Any) -> None:
        call = dict(zip(_PARAMETERS, (self, *given), strict=True))
        args = call["args"]
        is_ours = isinstance(args, list | tuple) and list(args[:2]) == [sys.executable, "-m"] and OURS.match(args[2])
        if not is_ours or call["preexec_fn"] or call["pass_fds"]:
            super()._execute_child(*given)  # type: ignore[misc] # not public
            return
        self.pid = _started(call)
        self._child_created = True
        self._close_pipe_fds(*(call[end] for end in _ENDS))  # type: ignore[attr-defined] # not public


def _started(call: dict[str, Any]) -> int:
    """The id of the process that *call* asks for. Raises ``ValueError`` if the prepared process has ended."""
    env = os.environ if call["env"] is None else call["env"]
    order = {
        "words": [os.fsdecode(word) for word in call["args"][2:]],
        "env": {os.fsdecode(name): os.fsdecode(value) for name, value in env.items()},
        "folder": os.fsdecode(call["cwd"] or Path.cwd()),
        "group": call["process_group"],
        "ignored": [number for number in _USUAL if signal.getsignal(number) is signal.SIG_IGN],
    }
    ends = (call["p2cread"], call["c2pwrite"], call["errwrite"])
    files = [place if end == -1 else end for place, end in enumerate(ends)]
    with _lock:
        socket.send_fds(_asking[0], [json.dumps(order).encode()], files)
        return int(_asking[0].recv(20))


@contextmanager
def prepared() -> Iterator[None]:
    """In this block ``lrs`` is started by a prepared process."""
    theirs = _ask()
    words = [sys.executable, "-m", "tests.prepared", str(theirs.fileno())]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    process = subprocess.Popen(words, cwd=ROOT, env=kept, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    try:
        yield
    finally:
        _ask_no_more()
        process.wait()


def _ask() -> socket.socket:
    """Lets this process ask for others, whose parent it becomes. Gives the other end, for the prepared process."""
    _prctl(_TAKE_ORPHANS_IN, 1, 0, 0, 0)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    _asking.append(ours)
    subprocess.Popen = Popen  # type: ignore[misc]
    return theirs


def _ask_no_more() -> None:
    subprocess.Popen = Popen.__base__  # type: ignore[misc, assignment]
    _asking.pop().close()


def fork_for_each(asking: socket.socket) -> list[str]:
    """Forks for each that is asked for, until nobody can ask any more; in each that was made, gives its words."""
    _prctl(_SET_NAME, NAME.encode(), 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    while True:
        told, files, *_ = socket.recv_fds(asking, 1_000_000, 3)
        if not told:
            os._exit(0)
        if not (between := os.fork()):
            parent = os.getpid()
            if os.fork():
                os._exit(0)
            while os.getppid() == parent:
                time.sleep(0.001)
            asking.send(str(os.getpid()).encode())
            asking.close()
            return _become(files, **json.loads(told))
        for file in files:
            os.close(file)
        os.waitpid(between, 0)


def _become(
    files: list[int], *, words: list[str], env: dict[str, str], folder: str, group: int, ignored: list[int]
) -> list[str]:
    """Makes this process as it would have been started; the words that it is to run."""
    _prctl(_SET_NAME, b"python", 0, 0, 0)
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    if group != -1:
        os.setpgid(0, group)
    for number, handler in _USUAL.items():
        signal.signal(number, signal.SIG_IGN if number in ignored else handler)
    if STARTING.intersection(words[1:2]):
        theirs = _ask()
        if not os.fork():
            _ask_no_more()
            return fork_for_each(theirs)
        theirs.close()
    return words


def main(number: str) -> None:
    """Loads the program, forks, and in each process that was made runs what was asked for."""
    from lrs.cli import COMMANDS  # noqa: PLC0415 (the tests' own process need not load it)

    for name in (*(place.partition(":")[0] for place in COMMANDS.values()), *LATER):
        import_module(name)
    sys.modules["lrs.composition.site"].common_routes()
    gc.collect()
    gc.freeze()
    sys.argv = fork_for_each(socket.socket(fileno=int(number)))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
