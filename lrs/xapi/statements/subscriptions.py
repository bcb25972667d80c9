"""Which steps a statement owes in the commit that stores it, and in the one that voids it. Knows no step.

The table itself stands where the rooms are put together (``lrs.subscriptions``) and is handed in: a step of a room
above is told of statements without being known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lrs.storage import Owed, Record, Tx


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one step is told of.

    *wants* is asked, inside the writer, whether the step is owed of a statement as it is about to be stored; ``None``
    is all of them. It may look at nothing but the transaction and the record, and *reads* are the records (kind, id)
    it looks at, found for a whole group at once. *voided*: the step is owed again when a stored statement is voided.
    """

    wants: Callable[[Tx, Record], bool] | None = None
    reads: tuple[tuple[str, str], ...] = ()
    voided: bool = False


Subscriptions = Mapping[str, Subscription]
"""By the name of the step."""


def owed_when_stored(tx: Tx, record: Record, subscriptions: Subscriptions) -> tuple[Owed, ...]:
    """What *record*, a statement, owes with the commit that stores it, also if it is voided by then."""
    return tuple([Owed(step) for step, one in subscriptions.items() if one.wants is None or one.wants(tx, record)])


def owed_when_voided(tx: Tx, record: Record, subscriptions: Subscriptions) -> tuple[Owed, ...]:
    """What *record*, a statement stored before, owes with the commit that voids it."""
    return owed_when_stored(tx, record, {step: one for step, one in subscriptions.items() if one.voided})
