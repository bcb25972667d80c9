"""The step ``abandon``: ends sessions whose content fell silent (cmi5 9.3.6). Each launch owes it for a day later."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from adapters.lms.launching.launching import IDLE
from adapters.lms.sessions.acts import abandon_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import SESSION, STEP, session_in
from lrs.kernel.times import SECOND
from lrs.storage import ROWS, Claim, Owed, Tx
from lrs.tenancy.tenants import Tenant
from lrs.work.step import Step
from lrs.xapi.statements.subscriptions import Subscriptions


def abandon_step(subscriptions: Subscriptions) -> Step:
    """The step; the statements that it makes owe what *subscriptions* say."""

    def run(tenant: Tenant, claims: Sequence[Claim]) -> None:
        place = LmsPlace(tenant, subscriptions, "")
        for claim in claims:
            decide = partial(_end, place=place, session=claim.record.id)
            tenant.store.settle([claim], decide, weight=4 * ROWS).result()

    return Step(run, batch=50, planned=2 * IDLE // SECOND, undone={"": "a launch that broke off stays open"})


def _end(tx: Tx, *, place: LmsPlace, session: str) -> None:
    """Abandons the session if it is open and nothing came for ``IDLE``; else looks again when that will be so."""
    found = session_in(tx, session)
    due = found.last + IDLE
    if found.left:
        abandon_in(tx, place, found, "left")
    elif found.is_open and due > place.tenant.clock():
        tx.owe(SESSION, session, Owed(STEP, due))
    elif found.is_open:
        abandon_in(tx, place, found, "timeout")
