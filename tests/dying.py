"""A process that ends at any of its writes, in the same process: what a kill leaves is what the store has by then."""

from __future__ import annotations

from concurrent.futures import Future

from lrs.kernel.admission import OutcomeUnknown

WRITES = {"write", "settle", "defer", "claim", "claim_lost", "release"}


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A store whose process ends at its *number*th write: before it, or *after* it is on disk."""

    def __init__(self, store, number, *, after):
        self._store = store
        self._left = number
        self._after = after

    def __getattr__(self, name):
        found = getattr(self._store, name)
        return found if name not in WRITES else lambda *args, **named: self._counted(found, *args, **named)

    def _counted(self, act, *args, **named):
        self._left -= 1
        if self._left < 0:
            raise Killed
        if self._left == 0 and not self._after:
            raise Killed
        done = act(*args, **named)
        if self._left == 0:
            if hasattr(done, "result"):
                done.result()
            raise Killed
        return done


class Unsure:
    """A store whose *number*th ``write`` or ``settle`` ends without telling whether it was *kept*."""

    def __init__(self, store, number, *, kept):
        self._store = store
        self._left = number
        self._kept = kept

    def __getattr__(self, name):
        found = getattr(self._store, name)
        return found if name not in {"write", "settle"} else lambda *args, **named: self._counted(found, *args, **named)

    @property
    def was_asked(self):
        """Whether there were so many."""
        return self._left <= 0

    def _counted(self, act, *args, **named):
        self._left -= 1
        if self._left:
            return act(*args, **named)
        if self._kept:
            act(*args, **named).result()
        unknown = Future()
        unknown.set_exception(OutcomeUnknown())
        return unknown
