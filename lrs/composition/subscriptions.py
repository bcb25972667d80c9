"""The table of subscriptions: which steps a stored statement owes.

To add a subscriber, add a line to the table, and a step of the same name to ``lrs.composition.steps``. For example, a
step that passes on what content sends::

    "passed-on": Subscription(asks=passing.asks),

``asks(statements, tenant)`` is given statements that will be stored in one decision, and gives a ``StepQuestion``: its
``wants(tx, records)`` is called in that decision (``record.meta``: source, version, and whether it ``voids``), and says
which of them owe the step. It reads the store only through ``tx``, and only the records that the question names. What
it finds is remembered by ``learn``, after the commit, never by ``wants``. Set
``voided=True`` if the step must also run when the statement is voided later. A step that passes on every statement does
not need this, because it runs for the voiding statement. Forwards to another LRS owe no entry for each statement: the
step ``match`` wakes them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from adapters.lms.lti import enrolments
from lrs.competency import untouched
from lrs.storage import Record, Tx
from lrs.tenancy.tenants import Tenant
from lrs.transfer import forwards
from lrs.xapi.statements.subscriptions import StatementToStore, StepQuestion, Subscription, Subscriptions


def _match(statements: Sequence[StatementToStore], tenant: Tenant | None) -> StepQuestion:
    """Asks for those from which something may follow; for all while a forward rests, because the step wakes it."""
    if tenant is None:
        return StepQuestion(_all)
    touched = untouched.asks(statements, tenant)

    def wants(tx: Tx, records: Sequence[Record]) -> Collection[str]:
        found = touched.wants(tx, records)  # also for those that rest, so that it is of this run what is learned
        return _all(tx, records) if tx.get(*forwards.RESTING) else found

    return touched._replace(wants=wants, reads=(forwards.RESTING, *touched.reads))


def _all(_: Tx, records: Sequence[Record]) -> set[str]:
    return {record.id for record in records}


SUBSCRIPTIONS: Subscriptions = {
    "match": Subscription(asks=_match, voided=True),
    enrolments.STEP: Subscription(asks=enrolments.asks),
}
