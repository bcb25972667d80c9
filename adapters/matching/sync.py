"""The step "sync": brings what services are told of a learner to what holds now. Sends nothing.

claim (a profile or a consent) -> who is meant -> per consent and service: what it was told, what holds -> the events
that are due -> one commit: deliveries that owe ``deliver``, the feed's entry, the claim cleared. All of it is decided
inside the writer, so it may run twice, late and in any order.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import Future

from adapters.matching import deliveries
from lrs.learners import consent, persons
from lrs.learners.consent import Consent, Subject
from lrs.profiles import changes, services
from lrs.storage import Claim, Owed, Reader, Stale, Tx
from lrs.tenants import Tenant


def sync(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim on a ``profile`` or ``consent`` record, each for itself.

    A claim whose lease was lost meanwhile is left to whoever has it. Raises the first other failure, after all
    others were settled; what failed stays owed.
    """
    pending = [_settled(tenant, claim) for claim in claims]
    failures = [error for error in [future.exception() for future in pending] if error and not isinstance(error, Stale)]
    if failures:
        raise failures[0]


def _settled(tenant: Tenant, claim: Claim) -> Future[None]:
    now = tenant.clock()
    decide = _about_profile if claim.record.kind == "profile" else _about_consent
    return tenant.store.settle([claim], functools.partial(decide, tenant=tenant, id=claim.record.id, now=now))


def _about_profile(tx: Tx, *, tenant: Tenant, id: str, now: int) -> None:
    """Everybody who is one with the profile's person, towards every service they ever gave anything."""
    for member in persons.members_of(tx, id) or (id,):
        consent.bind(tx, member, [one.id for one in persons.identifiers_in(tx, [member])])
        given = consent.of_subject(tx, Subject(person=member))
        for service in sorted({one.service for one in given}):
            _tell(tx, tenant, service, member, now)


def _about_consent(tx: Tx, *, tenant: Tenant, id: str, now: int) -> None:
    """One learner towards one service; a consent that waits for its learner is bound if there is one by now."""
    record = tx.get(consent.KIND, id)
    if record is None:
        return
    given = consent.read(record)
    person = given.subject.person or _person_of(tx, given)
    if person is None:
        return
    if given.subject.identifier:
        consent.bind(tx, person, [given.subject.identifier])
    elif given.expires is not None and given.holds(now):
        tx.owe(consent.KIND, id, Owed(consent.STEP, due=given.expires))
    _tell(tx, tenant, given.service, person, now)


def _person_of(reader: Reader, given: Consent) -> str | None:
    record = reader.get("identifier", given.subject.identifier or "")
    return record.meta["person"] if record else None


def _tell(tx: Tx, tenant: Tenant, service_id: str, person: str, now: int) -> None:
    service = services.get(tx, service_id)
    if service is None or not service.active:
        return
    before, record = changes.told_before(tenant, tx, service_id, person)
    told, events = changes.due(before, changes.current(tenant, tx, service, person, now))
    if not events:
        return
    known = changes.record_of(told, record)
    if record:
        tx.replace(known)
    else:
        tx.insert(known)
    if service.webhook:
        for event in events:
            deliveries.queue(tx, told, event, now)
