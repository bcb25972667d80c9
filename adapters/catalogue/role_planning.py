"""Plans for a role from the catalogue: joins what matching plans with what is offered here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.catalogue.entries import CatalogueEntry, entries
from adapters.catalogue.leads import asked_for
from lrs.competency.frameworks.frameworks import published
from lrs.competency.shapes import ProfileEntry
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Requirement, Role
from lrs.matching.roles.role_plan import NeededFirst, Offered, RolePlan, plan_for
from lrs.tenancy.tenants import Tenant


def plan_here(tenant: Tenant, role: Role, held: Iterable[ProfileEntry]) -> RolePlan:
    """What of the catalogue of *tenant* to take for *role*, for who holds *held*."""
    frameworks = published(tenant.store)
    (labelled,) = roles.labelled(tenant.store, [role])

    def item_of(requirement: Requirement) -> str | None:
        item = asked_for(requirement, frameworks).item
        return item.id if item else None

    offered = [_offered(one) for one in entries(tenant.store, tenant.clock())]
    return plan_for(labelled, held, offered, item_of)


def _offered(one: CatalogueEntry) -> Offered:
    needs = tuple(NeededFirst(need.label, need.ids, need.level) for need in one.needed)
    return Offered(one.id, one.title, one.hours, tuple(_levels(one)), needs)


def _levels(one: CatalogueEntry) -> Iterator[tuple[str, int | None]]:
    for given in one.given:
        for id in given.ids:
            yield id, given.level
