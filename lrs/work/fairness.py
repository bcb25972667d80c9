"""Fair turns among those who share one thread, by the time each has used. Pure: knows no clock and no work."""

from __future__ import annotations

from math import inf


class Rota:
    """Those who have work. Whoever has used the least time is next, however much work the others have."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}
        self._ready: dict[str, float] = {}

    def wake(self, name: str) -> None:
        """*name* may have work now. Time during which it had none does not count in its favour."""
        if name not in self._ready:
            self._used[name] = min(self._used.values(), default=0.0)
            self._ready[name] = -inf

    def sleep(self, name: str) -> None:
        """*name* has no work."""
        del self._used[name], self._ready[name]

    def spend(self, name: str, seconds: float, ready: float = -inf) -> None:
        """*name* had its turn, which took *seconds*. Its next turn is not before the time *ready*."""
        self._used[name] += seconds
        self._ready[name] = ready

    def next(self, now: float) -> str | None:
        """Who is next at the time *now*; ``None`` if nobody is ready."""
        ready = [name for name, at in self._ready.items() if at <= now]
        return min(ready, key=self._used.__getitem__, default=None)

    def earliest(self) -> float:
        """When the first of them is ready; infinite if nobody has work."""
        return min(self._ready.values(), default=inf)
