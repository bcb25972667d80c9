"""Keeps what is costly to work out as long as that from which it follows is as it was. Knows no store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
MOST = 50


@dataclass(slots=True)
class _Kept(Generic[_Value]):
    """What is kept under a name; *making* is held by whoever works it out, and others wait for that."""

    making: Lock = field(default_factory=Lock)
    made: tuple[Hashable, _Value] | None = None


class Memo(Generic[_Value]):
    """A value with its version for each of the *most* names that were asked for last. For use from many threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[_Value]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: Hashable, version: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of *name* at *version*; *make* works it out, once, if none of that version is kept."""
        with self._lock:
            kept = self._kept.setdefault(name, _Kept())
            self._kept.move_to_end(name)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        with kept.making:
            if kept.made is None or kept.made[0] != version:
                kept.made = version, make()
            return kept.made[1]
