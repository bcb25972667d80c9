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
    weight: int = 0
    made: tuple[Hashable, _Value] | None = None


class Memo(Generic[_Value]):
    """A value with its version for each name that was asked for lately. For use from many threads.

    What was asked for last is kept: so many values that their weights are *most* together. *weigh* gives the weight of
    a value, 1 if nothing is said. One value is kept whatever it weighs.
    """

    def __init__(self, most: int = MOST, weigh: Callable[[_Value], int] = lambda _: 1) -> None:
        self._most, self._weigh = most, weigh
        self._kept: OrderedDict[Hashable, _Kept[_Value]] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: Hashable, version: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of *name* at *version*; *make* works it out, once, if none of that version is kept."""
        with self._lock:
            kept = self._kept.setdefault(name, _Kept())
            self._kept.move_to_end(name)
        with kept.making:
            if kept.made is None or kept.made[0] != version:
                try:
                    kept.made = made = version, make()
                except BaseException:
                    self._drop(name, kept)
                    raise
                self._keep(name, kept, self._weigh(made[1]))
            return kept.made[1]

    def find(self, name: Hashable, version: Hashable) -> _Value | None:
        """The value of *name* if that of *version* is kept; waits for nobody who works it out."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.made is None or kept.made[0] != version:
                return None
            self._kept.move_to_end(name)
            return kept.made[1]

    def _drop(self, name: Hashable, kept: _Kept[_Value]) -> None:
        """Forgets the name of a value that could not be worked out, unless one of before is kept."""
        with self._lock:
            if kept.made is None and self._kept.get(name) is kept:
                del self._kept[name]

    def _keep(self, name: Hashable, kept: _Kept[_Value], weight: int) -> None:
        """Keeps what was made, also if its name was forgotten meanwhile, and forgets what is too much."""
        with self._lock:
            if self._kept.setdefault(name, kept) is not kept:
                return
            self._weight += weight - kept.weight
            kept.weight = weight
            while self._weight > self._most and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._weight -= gone.weight
                gone.weight = 0
