"""Turns: which process sends to a destination now. Several processes send to one destination one at a time.

A process writes a turn before its first call to a destination, and deletes it when it has nothing more to send there.
If the process dies, the turn runs out. A process without the turn leaves the deliveries to the one that has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from secrets import token_hex

from lrs.kernel.admission import OutcomeUnknown
from lrs.kernel.times import HOUR, SECOND
from lrs.storage import Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = "delivery-turn"
MARGIN = 10
"""Seconds that a turn lasts longer than its call."""
_LONGEST = HOUR
"""A turn that ends later than this was written by a wrong clock and is ignored."""


class HeldTurns:
    """The turns of one process in the store of one tenant, by the names of the destinations' records."""

    def __init__(self) -> None:
        self._by = token_hex(8)
        self._until: dict[str, int] = {}

    def of_others(self, tenant: Tenant) -> list[str]:
        """The destinations to which another process sends."""
        now = tenant.clock()
        return [record.id for record in each(tenant.store, KIND) if self._is_of_another(record, now)]

    def take(self, tenant: Tenant, names: Iterable[str], longest: float) -> Collection[str]:
        """The destinations of *names* of which this process has the turn, for a call of *longest* seconds.

        All new turns are written in one commit.
        """
        now = tenant.clock()
        end = now + round(longest * SECOND)
        wanted = list(names)
        new = [name for name in wanted if self._until.get(name, 0) < end]
        if new:
            until = end + MARGIN * SECOND
            try:
                taken = tenant.store.write(partial(self._take, names=new, now=now, until=until)).result()
            except OutcomeUnknown:  # if it was stored, it is found the next time
                taken = ()
            self._until.update(dict.fromkeys(taken, until))
            return {name for name in wanted if name in taken or name not in new}
        return wanted

    def leave(self, tenant: Tenant, names: Iterable[str]) -> None:
        """Ends turns of this process. From this commit on another process may send there."""
        held = [name for name in names if self._until.pop(name, None) is not None]
        if held:
            tenant.store.write(partial(self._leave, names=held)).result()

    def _take(self, tx: Tx, *, names: Iterable[str], now: int, until: int) -> Collection[str]:
        there = tx.get_many(KIND, names)
        free = [name for name in names if name not in there or not self._is_of_another(there[name], now)]
        for name in free:
            rev = there[name].rev if name in there else 0
            tx.put(Record(KIND, name, meta={"by": self._by, "until": until}, rev=rev))
        return free

    def _leave(self, tx: Tx, *, names: Iterable[str]) -> None:
        for record in tx.get_many(KIND, names).values():
            if record.meta["by"] == self._by:
                tx.delete(KIND, record.id)

    def _is_of_another(self, record: Record, now: int) -> bool:
        return bool(record.meta["by"] != self._by and now < record.meta["until"] < now + _LONGEST)


KINDS = (Kind(KIND, "working", subjects=None, retention="operational", exported=False),)
