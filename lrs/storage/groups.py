"""Group commit: many callers' decisions are put into one commit. Knows no engine.

Decisions queue up during a commit. The writer's thread then takes as many as fit and passes them to the engine's
``commit(jobs)``, which must give every decision its outcome. Where all that waits is brief, a caller may do so instead.
Callers get a future. A full or old queue refuses at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from lrs.kernel.admission import CLOSING, Overloaded, QueueLimit
from lrs.storage.records import ROWS, Committed, Load

GROUP_WEIGHT = 256 * ROWS
"""Rows of one commit. A decision that is heavier than this has a commit of its own."""
HERE_WEIGHT = 32 * ROWS
"""The most rows that wait while a caller commits them itself."""


@dataclass(slots=True)
class QueuedDecision:
    """One decision waiting for its commit, also by a caller if *brief*. The engine sets one of *result* and *error*."""

    decide: Callable[[Any], Any]
    weight: int
    since: float
    reads: Sequence[tuple[str, str]] = ()
    brief: bool = False
    future: Future[Any] = field(default_factory=Future)
    running: bool = False
    result: Any = None
    error: BaseException | None = None

    def start(self) -> bool:
        """Whether it is to be decided: its caller has not cancelled it. It may be started again, from the beginning."""
        self.running = self.running or self.future.set_running_or_notify_cancel()
        self.result = self.error = None
        return self.running

    def answer(self) -> None:
        """Completes the caller's future. Called once, after the commit."""
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


Committing = Callable[[Sequence[QueuedDecision]], Collection[str]]
"""Gives every decision its outcome. Gives the steps that are owed at once because of it."""


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
        except (broken, TooLong):
            raise
        except Exception as error:  # noqa: BLE001 (the caller gets it: it is the decision's answer)
            job.error = error
            if not tx.undo(mark):
                return False
    tx.finish()
    return True


class TooLong(Exception):
    """Decisions cannot be committed by a caller that must not wait. Nothing was stored; the writer's thread does it."""


class ByCaller(NamedTuple):
    """What an engine gives if callers that must not wait may commit by themselves.

    *commit* is as the thread's, but does not wait: it raises ``TooLong``. *is_quick* says whether commits are so quick
    now that it is worth it. *is_left* says whether the thread has other work to do, between commits.
    """

    commit: Committing
    is_quick: Callable[[], bool]
    is_left: Callable[[], bool]


class GroupCommit:
    """The queue in front of an engine's commit, and the thread that empties it.

    *commit* gives the steps that are owed at once because of it. *committed* is called with them by who commits, after
    each commit that stored something. It must not wait and not raise. *between* is called after each commit of the
    thread, with a function that says whether that one is wanted: it does the engine's own work, and must not raise.
    With *here*, a caller may commit what is brief instead of the thread (``commit_here``), never both at once.
    """

    def __init__(
        self,
        commit: Committing,
        *,
        name: str,
        queue: QueueLimit,
        committed: Committed = lambda _: None,
        between: Callable[[Callable[[], bool]], object] = lambda _: None,
        here: ByCaller | None = None,
    ) -> None:
        self._commit = commit
        self._here = here
        self._freed: deque[Callable[[], object]] = deque()
        self._is_called = False
        self._writing = threading.Lock()
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

    def submit(
        self, decide: Callable[[Any], Any], weight: int, reads: Sequence[tuple[str, str]] = (), *, brief: bool = False
    ) -> Future[Any]:
        """Queues *decide*. Raises ``Overloaded`` if too much waits, or if the first has waited too long.

        If *brief*, the thread is not called for it: the caller has to call ``commit_here`` soon.
        """
        now = time.monotonic()
        with self._lock:
            if self._closing:
                raise Overloaded(CLOSING)
            if self._jobs:
                self._check(weight, now - self._jobs[0].since)
            job = QueuedDecision(decide, weight, now, reads, brief)
            self._jobs.append(job)
            self._weight += weight
            if not brief or self._here is None:
                self._call()
        return job.future

    def commit_here(self, freed: Callable[[], object]) -> None:
        """Commits what waits, in the thread of the caller, who must not wait.

        If not all of it is brief, or it could take long, the writer's thread is called. While that one is at work
        nothing is done, and it calls *freed* at its end: then call this again.
        """
        here = self._here
        if here is not None and self._weight <= HERE_WEIGHT and here.is_quick():
            if not self._take_writing(freed):
                return
            try:
                self._answer(self._take_brief(), here.commit)
            finally:
                self._writing.release()
        if self._jobs or (here is not None and here.is_left()):
            with self._lock:
                self._call()

    def _call(self) -> None:
        self._is_called = True
        self._work.notify()

    def _check(self, weight: int, age: float) -> None:
        """Refuses more *weight* if too much waits. Calls the thread, because who was to commit it may be gone."""
        try:
            self._limit.check(self._weight + weight, age)
        except Overloaded:
            self._call()
            raise

    def _take_writing(self, freed: Callable[[], object]) -> bool:
        """Whether nobody writes, so that the caller now does. If somebody does, *freed* will be called."""
        if self._writing.acquire(blocking=False):
            return True
        self._freed.append(freed)
        if not self._writing.acquire(blocking=False):
            return False
        with suppress(ValueError):
            self._freed.remove(freed)  # the thread gave it back before it could know of us
        return True

    def load(self) -> Load:
        """What waits, and what was passed to the engine so far."""
        return Load(len(self._jobs), self._weight, self._commits, self._decisions)

    def close(self) -> None:
        """Ends the thread, then writes what was accepted and still waits."""
        with self._lock:
            self._closing = True
            self._work.notify()
        self._thread.join()
        with self._writing:  # a caller may still commit, and put back what takes too long
            while self._jobs:
                self._answer(self._take(), self._commit)

    def _run(self) -> None:
        while self._wait():
            with self._writing:
                # a call of its own, so that no group stays in memory while the thread waits
                self._answer(self._take(), self._commit)
                self._between(self._is_wanted)
            self._tell_freed()

    def _tell_freed(self) -> None:
        """Calls those who found the thread at work, unless they took themselves off meanwhile."""
        with suppress(IndexError):
            while True:
                freed = self._freed.popleft()
                freed()

    def _answer(self, group: Sequence[QueuedDecision], commit: Committing) -> None:
        """Commits a group and completes its futures, or puts it back if that takes too long for its caller."""
        running = [job for job in group if job.start()]
        if not running:
            return
        self._commits += 1
        self._decisions += len(running)
        owed: Collection[str] = ()
        try:
            owed = commit(running)
        except TooLong:
            self._put_back(running)
            return
        except BaseException as error:  # noqa: BLE001 (a caller must not wait for ever, whatever went wrong)
            for job in running:
                job.error = error
        try:
            if any(job.error is None for job in running):
                self._committed(owed)
        finally:
            for job in running:
                job.answer()

    def _is_wanted(self) -> bool:
        return bool(self._jobs) or self._closing

    def _wait(self) -> bool:
        """Waits for a call. ``False`` if the queue is closing."""
        with self._lock:
            while not (self._is_called or self._closing):
                self._work.wait()
            self._is_called = False
            return not self._closing

    def _put_back(self, group: Sequence[QueuedDecision]) -> None:
        self._commits -= 1
        self._decisions -= len(group)
        for job in group:
            job.brief = False
        with self._lock:
            self._jobs.extendleft(reversed(group))
            self._weight += sum(job.weight for job in group)

    def _take_brief(self) -> list[QueuedDecision]:
        """All that waits, if it is little and every decision is brief; else nothing."""
        with self._lock:
            if self._weight > HERE_WEIGHT or not all(job.brief for job in self._jobs):
                return []
            group, self._weight = list(self._jobs), 0
            self._jobs.clear()
            return group

    def _take(self) -> list[QueuedDecision]:
        with self._lock:
            group: list[QueuedDecision] = []
            weight = 0
            while self._jobs and (not group or weight + self._jobs[0].weight <= GROUP_WEIGHT):
                job = self._jobs.popleft()
                weight += job.weight
                group.append(job)
            self._weight -= weight
            self._is_called = self._is_called or bool(self._jobs)
            return group
