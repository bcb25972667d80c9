"""Group commit: one writer thread, many callers' decisions in one commit. Knows no engine.

Decisions queue up while a commit is under way; the thread then takes as many as fit and hands them to the engine's
``commit(jobs)``, which must give every job its outcome. Callers get a future; a full or aged queue refuses at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from lrs.kernel.errors import Overloaded
from lrs.storage import ROWS, Load, Queue

GROUP_WEIGHT = 256 * ROWS
"""Rows of one commit; a decision that is heavier by itself has one of its own."""


@dataclass(slots=True)
class Job:
    """One decision waiting for its commit; the engine sets exactly one of *result* and *error*."""

    decide: Callable[[Any], Any]
    weight: int
    since: float
    reads: Sequence[tuple[str, str]] = ()
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def answer(self) -> None:
        """Tells the caller; called once, after the commit."""
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Undoable(Protocol):
    """A transaction that can take back the latest decision as long as nothing of it reached the database."""

    def load(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Looks up the records (kind, id) that the decisions are going to ask for."""

    def mark(self) -> Any:
        """Where the transaction stands."""

    def undo(self, mark: Any) -> bool:
        """Takes back what was written since *mark*; ``False`` if that is too late."""

    def finish(self) -> None:
        """Writes what is left, before the commit."""


def decide_all(tx: Undoable, jobs: Sequence[Job], broken: type[Exception]) -> bool:
    """Runs every decision; ``False`` if one failed whose writes cannot be taken back by themselves.

    *broken* is what the engine raises when the transaction itself is lost; it passes through.
    """
    tx.load(pair for job in jobs for pair in job.reads)
    for job in jobs:
        mark = tx.mark()
        try:
            job.result = job.decide(tx)
        except broken:
            raise
        except Exception as error:  # noqa: BLE001 (the caller gets it: it is the decision's answer)
            job.error = error
            if not tx.undo(mark):
                return False
    tx.finish()
    return True


class GroupCommit:
    """The queue before an engine's commit, and the thread that empties it.

    *committed* is called after each commit that kept something, in that thread: it must not wait, and not raise.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Job]], None],
        *,
        name: str,
        queue: Queue,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._commit = commit
        self._committed = committed
        self._queue = queue
        self._jobs: deque[Job] = deque()
        self._weight = 0
        self._commits = self._decisions = 0
        self._closing = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, decide: Callable[[Any], Any], weight: int, reads: Sequence[tuple[str, str]] = ()) -> Future[Any]:
        """Queues *decide*. Raises ``Overloaded`` if too much waits, or the first in line has waited too long."""
        now = time.monotonic()
        with self._lock:
            if self._closing:
                raise Overloaded
            if self._jobs and (self._weight + weight > self._queue.rows or now - self._jobs[0].since > self._queue.age):
                raise Overloaded
            job = Job(decide, weight, now, reads)
            self._jobs.append(job)
            self._weight += weight
            self._work.notify()
        return job.future

    def load(self) -> Load:
        """What waits, and what was handed to the engine so far."""
        return Load(len(self._jobs), self._weight, self._commits, self._decisions)

    def close(self) -> None:
        """Writes what was accepted, then stops the thread."""
        with self._lock:
            self._closing = True
            self._work.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._take():
            running = [job for job in group if job.future.set_running_or_notify_cancel()]
            if not running:
                continue
            self._commits += 1
            self._decisions += len(running)
            try:
                self._commit(running)
            except BaseException as error:  # noqa: BLE001 (a caller must not wait for ever, whatever went wrong)
                for job in running:
                    job.error = error
            if any(job.error is None for job in running):
                self._committed()
            for job in running:
                job.answer()

    def _take(self) -> list[Job]:
        with self._lock:
            while not self._jobs and not self._closing:
                self._work.wait()
            group: list[Job] = []
            weight = 0
            while self._jobs and (not group or weight + self._jobs[0].weight <= GROUP_WEIGHT):
                job = self._jobs.popleft()
                weight += job.weight
                group.append(job)
            self._weight -= weight
            return group
