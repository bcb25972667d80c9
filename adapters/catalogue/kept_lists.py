"""The catalogue's list, kept for a few seconds for each tenant: everybody may ask for it, and it is costly to make."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from adapters.catalogue.entries import CatalogueList
from lrs.kernel.times import SECOND

KEPT_FOR = 5 * SECOND
MOST_KEPT = 100
"""Tenants whose list is kept: those who were asked last."""


@dataclass(slots=True)
class _Kept:
    """The list of a tenant, and when it was made; *making* is held by whoever makes it, and others wait for that."""

    making: Lock = field(default_factory=Lock)
    made: tuple[int, CatalogueList] | None = None


class KeptLists:
    """The lists of tenants, each no older than ``KEPT_FOR``. For use from many threads."""

    def __init__(self) -> None:
        self._lists: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._lists)

    def get(self, tenant: str, now: int, make: Callable[[int], CatalogueList]) -> CatalogueList:
        """The list of *tenant* at *now*; *make* works it out if none is kept that is young enough."""
        with self._lock:
            kept = self._lists.setdefault(tenant, _Kept())
            self._lists.move_to_end(tenant)
            if len(self._lists) > MOST_KEPT:
                self._lists.popitem(last=False)
        with kept.making:
            if kept.made is None or not 0 <= now - kept.made[0] < KEPT_FOR:
                kept.made = (now, make(now))
            return kept.made[1]
