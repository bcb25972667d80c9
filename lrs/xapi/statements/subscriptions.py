"""Which steps a statement owes in the commit that stores it, and in the one that voids it. Knows no step.

The table is in ``lrs.composition.subscriptions`` and is passed in. So a step of a room above can be owed by statements
although this room does not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from lrs.storage import Owed, Record, RecordName, Tx
from lrs.tenancy.tenants import Tenant


class StatementToStore(Protocol):
    """A valid statement that will be stored, as whoever subscribes sees it (``Prepared``)."""

    @property
    def id(self) -> str:
        """Its id in lower case."""

    @property
    def tree(self) -> Mapping[str, Any]:
        """The statement as it was received, decoded."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """What its record will have as ``meta``."""

    @property
    def refers(self) -> str | None:
        """The statement that it refers to."""


class StepQuestion(NamedTuple):
    """What is asked in the commit about some statements: which of them owe a step.

    *wants* is called inside the writer with those that are about to be stored, and gives the ids of those that owe the
    step. It may read nothing but the transaction and the records. *reads* are the records (kind, id) that it will look
    at; they are fetched for a whole group at once. *wants* may be called several times, and what it finds may be rolled
    back: *learn* is called once after the commit and may remember what the last call found.
    """

    wants: Callable[[Tx, Sequence[Record]], Collection[str]]
    reads: Sequence[RecordName] = ()
    learn: Callable[[], None] | None = None


class Subscription(msgspec.Struct, frozen=True):
    """For which statements one step is owed.

    *asks* is called outside the writer with statements that will be stored together, and with their tenant, or ``None``
    if whoever stores them has not said for whom. It gives the question about them; without it they all owe the step. If
    *voided*, the step is owed again when a stored statement is voided.
    """

    asks: Callable[[Sequence[StatementToStore], Tenant | None], StepQuestion] | None = None
    voided: bool = False


Subscriptions = Mapping[str, Subscription]
"""Subscriptions by the name of the step."""
StepQuestions = Mapping[str, StepQuestion | None]
"""For each step what is asked about the same statements; ``None`` if all of them owe it."""


def questions_of(
    subscriptions: Subscriptions, statements: Sequence[StatementToStore], tenant: Tenant | None
) -> StepQuestions:
    """What is asked about *statements*, which will be stored together."""
    return {step: one.asks and one.asks(statements, tenant) for step, one in subscriptions.items()}


def owing(tx: Tx, records: Sequence[Record], questions: StepQuestions) -> Sequence[Record]:
    """*records*, statements that are about to be stored, with the steps that they owe."""
    told = [(Owed(step), one and one.wants(tx, records)) for step, one in questions.items()]
    told = [(owed, ids) for owed, ids in told if ids is None or ids]
    if not told:
        return records
    return [
        msgspec.structs.replace(record, owed=tuple([owed for owed, ids in told if ids is None or record.id in ids]))
        for record in records
    ]


def learn_answers(questions: StepQuestions) -> None:
    """After the commit: lets whoever asked remember what was found in it."""
    for one in questions.values():
        if one and one.learn:
            one.learn()


def owed_when_voided(subscriptions: Subscriptions) -> tuple[Owed, ...]:
    """What a statement owes that is voided."""
    return tuple([Owed(step) for step, one in subscriptions.items() if one.voided])
