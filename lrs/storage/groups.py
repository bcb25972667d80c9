"""Group commit: one writer thread puts many callers' decisions into one commit. Knows no engine.

Decisions queue up during a commit. The thread then takes as many as fit and passes them to the engine's
``commit(jobs)``, which must give every decision its outcome. Callers get a future. A full or old queue refuses at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from lrs.kernel.admission import CLOSING, Overloaded, QueueLimit
from lrs.storage.records import ROWS, Committed, Load

GROUP_WEIGHT = 256 * ROWS
"""Rows of one commit. A decision that is heavier than this has a commit of its own."""


@dataclass(slots=True)
class QueuedDecision:
    """One decision waiting for its commit. The engine sets exactly one of *result* and *error*."""

    decide: Callable[[Any], Any]
    weight: int
    since: float
    reads: Sequence[tuple[str, str]] = ()
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def answer(self) -> None:
        """Completes the caller's future. Called once, after the commit."""
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Undoable(Protocol):
    """A transaction that can undo the latest decision as long as nothing of it was sent to the database."""

    def load(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Looks up the records (kind, id) that the decisions will ask for."""

    def mark(self) -> Any:
        """The present state, for ``undo``."""

    def undo(self, mark: Any) -> bool:
        """Undoes everything since *mark*. ``False`` if it is too late."""

    def finish(self) -> None:
        """Writes the rest, before the commit."""


def decide_all(tx: Undoable, jobs: Sequence[QueuedDecision], broken: type[Exception]) -> bool:
    """Runs every decision. ``False`` if one failed and its writes cannot be undone alone.

    *broken* is the engine's exception for a lost transaction; it is passed on.
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
    """The queue in front of an engine's commit, and the thread that empties it.

    *commit* gives the steps that are owed at once because of it. *committed* is called with them in that thread, after
    each commit that stored something. It must not wait and not raise. *between* is called after each commit, with a
    function that says whether the thread is wanted: it does the engine's own work, and must not raise.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[QueuedDecision]], Collection[str]],
        *,
        name: str,
        queue: QueueLimit,
        committed: Committed = lambda _: None,
        between: Callable[[Callable[[], bool]], object] = lambda _: None,
    ) -> None:
        self._commit = commit
        self._between = between
        self._committed = committed
        self._limit = queue
        self._jobs: deque[QueuedDecision] = deque()
        self._weight = 0
        self._commits = self._decisions = 0
        self._closing = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, decide: Callable[[Any], Any], weight: int, reads: Sequence[tuple[str, str]] = ()) -> Future[Any]:
        """Queues *decide*. Raises ``Overloaded`` if too much waits, or if the first has waited too long."""
        now = time.monotonic()
        with self._lock:
            if self._closing:
                raise Overloaded(CLOSING)
            if self._jobs:
                self._limit.check(self._weight + weight, now - self._jobs[0].since)
            job = QueuedDecision(decide, weight, now, reads)
            self._jobs.append(job)
            self._weight += weight
            self._work.notify()
        return job.future

    def load(self) -> Load:
        """What waits, and what was passed to the engine so far."""
        return Load(len(self._jobs), self._weight, self._commits, self._decisions)

    def close(self) -> None:
        """Writes what was accepted, then ends the thread."""
        with self._lock:
            self._closing = True
            self._work.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait():
            self._answer(self._take())  # a call of its own, so that no group stays in memory while the thread waits
            self._between(self._is_wanted)

    def _answer(self, group: Sequence[QueuedDecision]) -> None:
        """Commits a group and completes its futures."""
        running = [job for job in group if job.future.set_running_or_notify_cancel()]
        if not running:
            return
        self._commits += 1
        self._decisions += len(running)
        owed: Collection[str] = ()
        try:
            owed = self._commit(running)
        except BaseException as error:  # noqa: BLE001 (a caller must not wait for ever, whatever went wrong)
            for job in running:
                job.error = error
        if any(job.error is None for job in running):
            self._committed(owed)
        for job in running:
            job.answer()

    def _is_wanted(self) -> bool:
        return bool(self._jobs) or self._closing

    def _wait(self) -> bool:
        """Waits for a decision. ``False`` if none will come."""
        with self._lock:
            while not self._jobs and not self._closing:
                self._work.wait()
            return bool(self._jobs)

    def _take(self) -> list[QueuedDecision]:
        with self._lock:
            group: list[QueuedDecision] = []
            weight = 0
            while self._jobs and (not group or weight + self._jobs[0].weight <= GROUP_WEIGHT):
                job = self._jobs.popleft()
                weight += job.weight
                group.append(job)
            self._weight -= weight
            return group
