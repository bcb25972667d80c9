"""Runs a long walk in a thread that only works while a step waits for it, and that stops at each commit.

A step of owed work must be short, so that other steps have their turn, but reading a file is one long walk. So the walk
has a thread of its own. It works while the step waits for its next request, and pauses at the next row when the step
has ended. Nothing of it must survive: an interrupted job is run again. Knows no job and no store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")


class Dropped(BaseException):
    """Raised in the thread of a walk that nobody waits for any more, which ends it."""


class FileWalk(Generic[_Request, _Answer]):
    """``run(ask, breathe)`` in a thread. *ask* waits for an answer, *breathe* pauses while nobody waits.

    The last result of ``next`` is what *run* returns or raises. *owner* is what the walk belongs to.
    """

    def __init__(
        self,
        run: Callable[[Callable[[_Request], _Answer], Callable[[], None]], _Request],
        name: str,
        owner: object = None,
    ) -> None:
        self._run = run
        self.owner = owner
        self._asked: SimpleQueue[_Request | BaseException] = SimpleQueue()
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._waiting: _Request | BaseException | None = None
        self._go = threading.Event()
        self._dropped = False
        self.touched = time.monotonic()
        threading.Thread(target=self._walk, name=f"import-{name}", daemon=True).start()

    def next(self, seconds: float) -> _Request | None:
        """The next request of the walk, the same one until it is answered; ``None`` after *seconds* without one.

        Raises what ended the walk.
        """
        self.touched = time.monotonic()
        if self._waiting is None:
            self._go.set()
            try:
                self._waiting = self._asked.get(timeout=seconds)
            except Empty:
                return None
            finally:
                self._go.clear()
        if isinstance(self._waiting, BaseException):
            raise self._waiting
        return self._waiting

    def answer(self, answer: _Answer) -> None:
        """Answers the last request."""
        self._waiting = None
        self._answers.put(answer)

    def drop(self) -> None:
        """Ends the walk, at its next row at the latest."""
        self._dropped = True
        self._go.set()
        self._answers.put(None)  # type: ignore[arg-type]  # it is not looked at

    def _walk(self) -> None:
        try:
            self._breathe()
            self._asked.put(self._run(self._ask, self._breathe))
        except Dropped:
            return
        except BaseException as error:  # noqa: BLE001 (``next`` raises it)
            self._asked.put(error)

    def _ask(self, asked: _Request) -> _Answer:
        self._asked.put(asked)
        answer = self._answers.get()
        if self._dropped:
            raise Dropped
        return answer

    def _breathe(self) -> None:
        if not self._go.is_set():
            self._go.wait()
        if self._dropped:
            raise Dropped


class FileWalks(Generic[_Request, _Answer]):
    """The walks of a process, by job: at most *each* for one tenant and *most* in all.

    Unused ones are dropped for new ones.
    """

    def __init__(self, *, each: int, most: int, patience: float) -> None:
        self._each = each
        self._most = most
        self._patience = patience
        self._walks: dict[tuple[str, str], FileWalk[_Request, _Answer]] = {}
        self._lock = threading.Lock()

    def get(self, tenant: str, job: str, owner: object) -> FileWalk[_Request, _Answer] | None:
        """The walk of *job*, if this process has one.

        A walk of another *owner*, such as a store that was closed, is dropped.
        """
        walk = self._walks.get((tenant, job))
        if walk is not None and walk.owner is not owner:
            self.drop(tenant, job)
            return None
        return walk

    def has_room(self, tenant: str) -> bool:
        """Whether another walk of *tenant* may begin. Drops those that were not used lately."""
        old = time.monotonic() - self._patience
        for place, walk in list(self._walks.items()):
            if walk.touched < old:
                self.drop(*place)
        return len(self._walks) < self._most and sum(place[0] == tenant for place in self._walks) < self._each

    def begin(self, tenant: str, job: str, walk: FileWalk[_Request, _Answer]) -> None:
        """Adds a new walk."""
        with self._lock:
            self._walks[tenant, job] = walk

    def drop(self, tenant: str, job: str) -> None:
        """Ends the walk of *job*, if there is one."""
        with self._lock:
            walk = self._walks.pop((tenant, job), None)
        if walk is not None:
            walk.drop()
