"""What is missing before planning says anything: for the start page of planners. Reads; changes nothing."""

from __future__ import annotations

from adapters.planning import demand, figures
from lrs.storage import each
from lrs.tenancy.tenants import Tenant


def to_plan(tenant: Tenant) -> int:
    """How many of the two are missing: what is wanted, and the counts."""
    kept = figures.now(tenant.store)
    has_demand = next(iter(each(tenant.store, demand.KIND)), None) is not None
    return (not has_demand) + (kept is None or not kept.at)
