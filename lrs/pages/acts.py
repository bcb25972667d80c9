"""What an administrator does on the pages. Each act has its entry in the record of actions.

Knows no form and no page.
"""

from __future__ import annotations

from lrs.kernel.errors import Refused
from lrs.matching.withdrawal import withdraw as withdraw_in
from lrs.pages.facts import Neighbours, subjects
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


def withdraw(tenant: Tenant, person: str, *, service: str | None, scope: str | None, by: str) -> int:
    """Withdraws the consents of *person* and all joined persons, of *service* and *scope* if named. Gives their number.

    A consent that waits for a guardian counts as well. Raises ``Refused`` (404) for an unknown *person*.
    """

    def decide(tx: Tx) -> int:
        members = members_of(tx, person)
        if not members:
            raise Refused("There is no such learner.", status=404, error="not_found")
        meant = subjects({member: identifiers_in(tx, [member]) for member in members})
        return len(withdraw_in(tx, meant, by=by, service=service, scope=scope))

    return tenant.store.write(decide).result()


def retry(tenant: Tenant, neighbours: Neighbours, *, step: str, kind: str, id: str, by: str) -> bool:
    """Makes one entry due that was put aside, with no tries; ``False`` if it is no longer aside."""

    def decide(tx: Tx) -> bool:
        is_aside = neighbours.retry(tx, step, kind, id)
        if is_aside:
            audit.append(tx, by, "work.retried", {"step": step, "kind": kind, "id": id})
        return is_aside

    return tenant.store.write(decide).result()
