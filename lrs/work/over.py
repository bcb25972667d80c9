"""Deletes records whose time is over, such as links that nobody used: a task of upkeep. Knows no kind by name.

The oldest of a kind come first. Where all records of a kind last equally long, all that are over are deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from lrs.storage import ROWS, Record, Tx, Walk
from lrs.storage.kinds import Kinds
from lrs.tenancy.tenants import Tenant
from lrs.work.upkeep import Interrupted, Rest

AT_ONCE = 100
"""Records in one commit."""
_REST = 0.002


def clear_over(kinds: Kinds, tenant: Tenant, rest: Rest = lambda _: False, *, begun: Callable[[], object] = int) -> int:
    """Deletes what is over, of every kind that says when its records are. Gives how many.

    *begun* is called before the first commit. Raises ``Interrupted`` when *rest* says so.
    """
    gone = 0
    for kind in kinds.values():
        while kind.ends is not None and (over := _over(tenant, kind.name, kind.ends)):
            begun()
            gone += tenant.store.write(partial(_delete, over=over), weight=ROWS * len(over)).result()
            if rest(_REST):
                raise Interrupted
    return gone


def _over(tenant: Tenant, kind: str, ends: Callable[[Record], int]) -> list[Record]:
    now = tenant.clock()
    return [one for one in tenant.store.find(Walk(kind, limit=AT_ONCE)).records if ends(one) <= now]


def _delete(tx: Tx, over: Sequence[Record]) -> int:
    """Deletes those that nobody changed since they were read."""
    gone = 0
    for one in over:
        now = tx.get(one.kind, one.id)
        if now is None or now.rev == one.rev:
            gone += tx.delete(one.kind, one.id)
    return gone
