"""Keeps what is costly to work out as long as that from which it follows is as it was. Knows no store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
MOST = 50


class Memo(Generic[_Value]):
    """A value with its version for each of the *most* names that were asked for last. For use from many threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[Hashable, _Value]] = OrderedDict()
        self._lock = Lock()

    def get(self, name: Hashable, version: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of *name* at *version*; *make* works it out if none of that version is kept.

        Two threads that find none work it out both.
        """
        with self._lock:
            kept = self._kept.get(name)
        value = make() if kept is None or kept[0] != version else kept[1]
        with self._lock:
            self._kept[name] = version, value
            self._kept.move_to_end(name)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value
