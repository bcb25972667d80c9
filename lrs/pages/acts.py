"""What an administrator does on the pages. Each act has its entry in the record of actions.

Knows no form and no page.
"""

from __future__ import annotations

from contextlib import suppress

from lrs.kernel.errors import Refused
from lrs.matching.consent.withdrawal import withdraw as withdraw_in
from lrs.outbox import deliveries, listing
from lrs.pages.facts import LISTED, Neighbours, subjects
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Owed, Reader, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


def withdraw(tenant: Tenant, person: str, *, service: str | None, scope: str | None, by: str) -> int:
    """Withdraws the consents of *person* and all joined persons, of *service* and *scope* if named. Gives their number.

    A consent that waits for a guardian counts as well. Raises ``Refused`` (404) for an unknown *person*.
    """

    def decide(tx: Tx) -> int:
        members = known_learner(tx, person)
        meant = subjects({member: identifiers_in(tx, [member]) for member in members})
        return len(withdraw_in(tx, meant, by=by, service=service, scope=scope))

    return tenant.store.write(decide).result()


def known_learner(reader: Reader, person: str) -> tuple[str, ...]:
    """The persons who are one with *person*, oldest first. Raises ``Refused`` (404)."""
    members = members_of(reader, person)
    if not members:
        raise Refused("There is no such learner.", status=404, error="not_found")
    return members


def retry(tenant: Tenant, neighbours: Neighbours, *, step: str, kind: str, id: str, by: str) -> bool:
    """Makes one entry that was put aside, or that fails, due now, with no tries.

    ``False`` if it is neither any more. Raises ``Refused`` (409) for a delivery that waits for another.
    """
    now, failing = tenant.clock(), tenant.store.failing(step, limit=LISTED)
    fails = any((one.kind, one.id) == (kind, id) and owed.due > now for one, owed in failing)

    def decide(tx: Tx) -> bool:
        is_due = neighbours.retry(tx, step, kind, id)
        if not is_due and fails:
            _hasten(tx, step, kind, id)
            is_due = True
        if is_due:
            audit.append(tx, by, "work.retried", {"step": step, "kind": kind, "id": id})
        return is_due

    return tenant.store.write(decide).result()


def resend_to(tenant: Tenant, neighbours: Neighbours, to: str, *, by: str) -> int:
    """Sends again what was given up on for the destination *to*, at most ``LISTED`` deliveries; gives their number.

    What waits for another of them is sent after it, and not counted.
    """
    sent = 0
    for one in neighbours.failed(tenant):
        if one["to"] == to:
            with suppress(Refused):
                listing.resend(tenant, str(one["id"]), by=by)
                sent += 1
    return sent


def _hasten(tx: Tx, step: str, kind: str, id: str) -> None:
    if kind == deliveries.KIND:
        deliveries.again(tx, id)
    else:
        tx.owe(kind, id, Owed(step))
