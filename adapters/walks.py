"""A file being worked through in a thread that runs only while somebody waits for it, and stops at each commit.

A step of owed work must be short, so that others have their turn, and what reads a file is one long walk. So the walk
has a thread of its own, goes on while the step waits for what it asks next, and rests at the next row once the step has
gone. Nothing of it need survive: a job that is broken off is walked through again. Knows no job and no store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Dropped(BaseException):
    """Raised in the thread of a walk that nobody waits for any more: it ends there."""


class Walk(Generic[Asked, Answer]):
    """``run(ask, breathe)`` in a thread: *ask* waits for an answer, *breathe* rests while nobody waits.

    What *run* returns or raises is the last thing that ``next`` gives. *owner* is whose it is.
    """

    def __init__(
        self, run: Callable[[Callable[[Asked], Answer], Callable[[], None]], Asked], name: str, owner: object = None
    ) -> None:
        self._run = run
        self.owner = owner
        self._asked: SimpleQueue[Asked | BaseException] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._waiting: Asked | BaseException | None = None
        self._go = threading.Event()
        self._dropped = False
        self.touched = time.monotonic()
        threading.Thread(target=self._walk, name=f"import-{name}", daemon=True).start()

    def next(self, seconds: float) -> Asked | None:
        """What the walk asks next, or ``None`` if it does not get there in that time; the same until it is answered.

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

    def answer(self, answer: Answer) -> None:
        """Answers what was asked."""
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
        except BaseException as error:  # noqa: BLE001 (who waits for the walk raises it)
            self._asked.put(error)

    def _ask(self, asked: Asked) -> Answer:
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


class Walks(Generic[Asked, Answer]):
    """The walks of a process, by job: at most *each* of a tenant and *most* in all; those left alone make room."""

    def __init__(self, *, each: int, most: int, patience: float) -> None:
        self._each = each
        self._most = most
        self._patience = patience
        self._walks: dict[tuple[str, str], Walk[Asked, Answer]] = {}
        self._lock = threading.Lock()

    def get(self, tenant: str, job: str, owner: object) -> Walk[Asked, Answer] | None:
        """The walk of *job*, if it is under way here; one of another *owner*, such as a store that was closed, ends."""
        walk = self._walks.get((tenant, job))
        if walk is not None and walk.owner is not owner:
            self.drop(tenant, job)
            return None
        return walk

    def has_room(self, tenant: str) -> bool:
        """Whether another walk of *tenant* may begin; drops those that nobody has waited for lately."""
        old = time.monotonic() - self._patience
        for place, walk in list(self._walks.items()):
            if walk.touched < old:
                self.drop(*place)
        return len(self._walks) < self._most and sum(place[0] == tenant for place in self._walks) < self._each

    def begin(self, tenant: str, job: str, walk: Walk[Asked, Answer]) -> None:
        """Keeps a new walk."""
        with self._lock:
            self._walks[tenant, job] = walk

    def drop(self, tenant: str, job: str) -> None:
        """Ends the walk of *job*, if there is one."""
        with self._lock:
            walk = self._walks.pop((tenant, job), None)
        if walk is not None:
            walk.drop()
