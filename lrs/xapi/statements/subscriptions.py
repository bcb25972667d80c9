"""Which steps a statement owes in the commit that stores it, and in the one that voids it. Knows no step.

The table is in ``lrs.composition.subscriptions`` and is passed in. So a step of a room above can be owed by statements
although this room does not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from lrs.storage import Owed, Record, Tx


class Subscription(msgspec.Struct, frozen=True):
    """For which statements one step is owed.

    *wants* is called inside the writer with each statement that is about to be stored, and says whether the step is
    owed; ``None`` means always. It may read nothing but the transaction and the record. *reads* are the records (kind,
    id) that it reads; they are fetched for a whole group at once. If *voided*, the step is owed again when a stored
    statement is voided.
    """

    wants: Callable[[Tx, Record], bool] | None = None
    reads: tuple[tuple[str, str], ...] = ()
    voided: bool = False


Subscriptions = Mapping[str, Subscription]
"""Subscriptions by the name of the step."""


def those_voided(subscriptions: Subscriptions) -> Subscriptions:
    """The subscriptions of steps that are owed when a stored statement is voided."""
    return {step: one for step, one in subscriptions.items() if one.voided}


def owed_always(subscriptions: Subscriptions) -> tuple[Owed, ...]:
    """What every statement owes."""
    return tuple([Owed(step) for step, one in subscriptions.items() if one.wants is None])


def those_who_choose(subscriptions: Subscriptions) -> Subscriptions:
    """The subscriptions that want only some statements."""
    return {step: one for step, one in subscriptions.items() if one.wants is not None}


def with_asked(tx: Tx, record: Record, choosers: Subscriptions) -> Record:
    """*record*, a statement about to be stored, with the steps that *choosers* want for it."""
    asked = [Owed(step) for step, one in choosers.items() if one.wants is not None and one.wants(tx, record)]
    return msgspec.structs.replace(record, owed=(*record.owed, *asked)) if asked else record
