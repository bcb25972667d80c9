"""Whom upkeep visits in a walk: tenants for which there was something to do, and a few of the others. Knows no store.

So what a walk costs does not grow with how many tenants there are: of 1,000 idle ones each is visited in 100 minutes.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator

QUIET = 10
"""How many are visited in a walk for which there was nothing to do."""


class Visits:
    """Whom there was something to do for since their last visit (*hear*), and when each was visited."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: set[str] = set()
        self._visited: dict[str, float] = {}
        self._walk = 0

    def hear(self, tenant: str) -> None:
        """Says that there was something to do for *tenant*."""
        with self._lock:
            self._heard.add(tenant)

    def walk(self, tenants: Iterable[str]) -> Iterator[str]:
        """Of *tenants* those that were heard of, and the ``QUIET`` others that were not visited for the longest time.

        Each counts as visited once it is given out: the walk may be broken off. Those that this process has visited
        never come in no order, so that none is always the last after many starts.
        """
        with self._lock:
            heard = set(self._heard)
            self._walk += 1
        known = self._visited
        self._visited = {name: known.get(name, -random.random()) for name in tenants}  # noqa: S311 (no secret)
        quiet = sorted(self._visited.keys() - heard, key=self._visited.__getitem__)[:QUIET]
        for name in [*(name for name in self._visited if name in heard), *quiet]:
            with self._lock:
                self._heard.discard(name)
            self._visited[name] = self._walk
            yield name
        with self._lock:  # those that are gone, or suspended
            self._heard -= heard - self._visited.keys()
