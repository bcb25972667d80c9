"""What the pages show of rooms that they do not import: imports, deliveries, badges, and owed work."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from adapters.imports.history import recent_runs
from adapters.imports.senders import arrived_from
from adapters.pages.provider import to_repair
from adapters.planning.missing import to_plan
from adapters.training_centre.centre_sessions import unclosed
from adapters.training_centre.unsigned import unsigned
from badges.content.awards import credential_uuid
from badges.held import stops
from lrs.access import Caller
from lrs.composition.channels import CHANNELS
from lrs.composition.entries import entry_names
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.outbox import listing
from lrs.pages.facts import Neighbours
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant


def neighbours() -> Neighbours:
    """All of them."""
    return Neighbours(
        imports=recent_runs,
        deliveries=lambda tenant, persons: listing.about(tenant, CHANNELS, persons),
        subscriptions=SUBSCRIPTIONS,
        sent=lambda tenant, to: listing.sent_to(tenant, CHANNELS, to),
        failed=partial(listing.failed, channels=CHANNELS),
        badge=credential_uuid,
        destinations=partial(listing.destinations, channels=CHANNELS),
        retry=_retry,
        undone=_undone,
        names=entry_names,
        stopped=stops.states,
        unclosed=_unclosed,
        to_repair=to_repair,
        unsigned=_unsigned,
        to_plan=to_plan,
        by_file=arrived_from,
    )


SESSIONS = 1_000
"""The newest training sessions that are looked at."""


def _unclosed(tenant: Tenant, centres: Collection[str] | None) -> int:
    return len(unclosed(tenant.store, centres, tenant.clock(), SESSIONS))


def _unsigned(tenant: Tenant, caller: Caller, centres: Collection[str] | None) -> int:
    return sum(one.many for one in unsigned(tenant.store, caller, centres))


def _retry(tx: Tx, step: str, kind: str, id: str) -> bool:
    from lrs.composition.steps import retry_one  # noqa: PLC0415 (loads all steps, so only where they are used)

    return retry_one(tx, step, kind, id)


def _undone(step: str, kind: str) -> str:
    from lrs.composition.steps import undone  # noqa: PLC0415 (as above)

    return undone(step, kind)
