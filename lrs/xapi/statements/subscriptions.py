"""Which steps a statement owes in the commit that stores it, and in the one that voids it. Knows no step.

The table itself stands where the rooms are put together (``lrs.subscriptions``) and is handed in: a step of a room
above is told of statements without being known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

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


def those_voided(subscriptions: Subscriptions) -> Subscriptions:
    """Who is told that a statement stored before was voided."""
    return {step: one for step, one in subscriptions.items() if one.voided}


def owed_always(subscriptions: Subscriptions) -> tuple[Owed, ...]:
    """What every statement owes, whatever it says."""
    return tuple([Owed(step) for step, one in subscriptions.items() if one.wants is None])


def those_who_choose(subscriptions: Subscriptions) -> Subscriptions:
    """Who wants some statements and not others."""
    return {step: one for step, one in subscriptions.items() if one.wants is not None}


def with_asked(tx: Tx, record: Record, choosers: Subscriptions) -> Record:
    """*record*, a statement as it is about to be stored, owing what those want of it who choose."""
    asked = [Owed(step) for step, one in choosers.items() if one.wants is not None and one.wants(tx, record)]
    return msgspec.structs.replace(record, owed=(*record.owed, *asked)) if asked else record
