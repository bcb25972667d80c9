"""Several worker processes that end together: those beside a server, or those of one ``lrs work``. Knows no step."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from lrs.kernel.settings import Settings
from lrs.kernel.signals import on_ending
from lrs.ops.child import LAST_STEP, Child, Deaths, Register, work_command
from lrs.tenancy.control import check_made, open_control

MOST = 4
"""Processes that are started unless a number is named: more of them mostly wait for their turn to write."""
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""How much of the cores a container may use (cgroup v2): microseconds, or ``max``, and of how many microseconds."""
PARENT_LOOK = 1.0
"""Seconds between two checks whether the process that this one works for still runs."""


def usual() -> int:
    """Processes if no number is named: one less than this process may use cores, at least 1 and at most ``MOST``."""
    return max(1, min(MOST, _cores() - 1))


def _cores() -> int:
    """Whole cores that this process may use, also by the limit of its container."""
    mine = len(os.sched_getaffinity(0))
    with suppress(OSError), CPU_LIMIT.open("rb") as file:
        if found := re.fullmatch(rb"([0-9]{1,12}) ([1-9][0-9]{0,11})\n?", file.read(64)):
            return min(mine, int(found[1]) // int(found[2]))
    return mine


def number_of(settings: Settings) -> int:
    """How many processes ``LRS_WORKER_PROCESSES`` asks for, or ``usual``."""
    return settings.worker_processes or usual()


class Team:
    """*count* worker processes. Each is restarted when it dies, whatever the others do."""

    def __init__(self, settings: Settings, register: Register, deaths: Deaths, count: int, *, celery: bool) -> None:
        self._children: list[Child] = []
        try:
            for place in range(count):
                command = work_command(settings, place, celery=celery)
                self._children.append(Child(settings, register, deaths, command, place))
        except BaseException:
            self.close()
            raise

    def stop(self) -> None:
        """Tells all of them to end after their current step."""
        for child in self._children:
            child.stop()

    def close(self) -> None:
        """Ends all of them after their current step, and waits for that: ``LAST_STEP`` seconds for all together."""
        end = time.monotonic() + LAST_STEP
        self.stop()
        for child in self._children:
            child.close(end)


def run_team(settings: Settings, count: int, *, celery: bool) -> None:
    """Keeps *count* worker processes running until SIGTERM, SIGINT or SIGHUP."""
    stop = threading.Event()
    on_ending(stop.set)
    check_made(settings)
    with (
        closing(open_control(settings)) as control,
        closing(Team(settings, control, Deaths(), count, celery=celery)),
    ):
        stop.wait()


def until_told(stop: threading.Event, parent: int | None) -> None:
    """Waits for *stop*, or for the end of the process *parent*."""
    while not stop.wait(PARENT_LOOK):
        if parent is not None and os.getppid() != parent:
            return
