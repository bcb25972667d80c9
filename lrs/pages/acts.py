"""What an administrator does on the pages, each act with its entry in the audit chain. Knows no form and no page."""

from __future__ import annotations

from lrs.kernel.errors import Refused
from lrs.matching import consent
from lrs.pages.facts import Neighbours, subjects
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


def withdraw(tenant: Tenant, person: str, *, service: str | None, scope: str | None, by: str) -> int:
    """Withdraws what *person* (and all who are one with it) gave, of *service* and *scope* if named; how many.

    Raises ``Refused`` (404) if nobody is known as *person*.
    """

    def decide(tx: Tx) -> int:
        members = members_of(tx, person)
        if not members:
            raise Refused("There is no such learner.", status=404, error="not_found")
        meant = subjects({member: identifiers_in(tx, [member]) for member in members})
        return len(consent.withdraw(tx, meant, by=by, service=service, scope=scope))

    return tenant.store.write(decide).result()


def retry(tenant: Tenant, *, step: str, kind: str, id: str, by: str) -> int:
    """Makes one entry that was put aside due again, with all tries before it; 0 if it is no longer aside."""
    count = tenant.store.retry(step, kind=kind, id=id)
    if count:
        _note(tenant, by, "work.retried", {"step": step, "kind": kind, "id": id})
    return count


def resend(tenant: Tenant, neighbours: Neighbours, *, id: str, by: str) -> int:
    """Sends one delivery again. Raises ``Refused`` (404) if there is none of this *id*."""
    count = neighbours.resend(tenant, id)
    _note(tenant, by, "delivery.resent", {"delivery": id})
    return count


def _note(tenant: Tenant, by: str, action: str, about: dict[str, str]) -> None:
    tenant.store.write(lambda tx: audit.append(tx, by, action, about)).result()
