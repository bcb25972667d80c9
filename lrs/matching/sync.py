"""The step "sync": brings what services are told of a learner to what holds now. Sends nothing.

claim (a profile or a consent) -> who is meant -> per consent and service: what it was told, what holds -> the events
that are due. That is worked out outside the writer, for it reads and compares all that somebody holds. Then one commit:
deliveries that owe ``deliver``, the feed's entry, the claim cleared. The commit looks whether what was read is still
what is stored, and otherwise everything is worked out anew; so it may run twice, late and in any order.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from lrs.matching import changes, consent, notices, services
from lrs.matching.changes import Event, Told
from lrs.matching.consent import Consent, Subject
from lrs.people import persons
from lrs.storage import ROWS, Claim, Owed, Reader, Record, Stale, Tx
from lrs.tenancy.tenants import Tenant

ATTEMPTS = 8
Read = tuple[str, str, int]
"""Kind and id of a record that was read, and its revision; 0 for one that was not there."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one service is owed: the ``change`` record as it will be, and the events, which only a webhook gets."""

    record: Record
    told: Told
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one commit writes, what it was worked out from, and until when a consent's entry is put off.

    *bind* is the person that a consent's identifier turned out to be of; what is bound owes this step by itself.
    """

    words: tuple[Word, ...] = ()
    read: tuple[Read, ...] = ()
    expires: int | None = None
    bind: tuple[str, str] | None = None


def sync(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim on a ``profile`` or ``consent`` record, each for itself.

    A claim whose lease was lost meanwhile is left to whoever has it. Raises the first other failure, after all
    others were settled; what failed stays owed.
    """
    failures: list[Exception] = []
    begun: list[tuple[Claim, Future[None]]] = []
    for claim in claims:
        try:
            begun.append((claim, _settle(tenant, claim)))
        except Exception as error:  # noqa: BLE001 (raised below, once the others are settled)
            failures.append(error)
    for claim, settled in begun:
        try:
            _end(tenant, claim, settled)
        except Exception as error:  # noqa: BLE001 (see above)
            failures.append(error)
    if failures:
        raise failures[0]


def _settle(tenant: Tenant, claim: Claim) -> Future[None]:
    now = tenant.clock()
    plan = _about_profile if claim.record.kind == "profile" else _about_consent
    made = plan(tenant, claim.record.id, now)
    weight = ROWS * (1 + sum(1 + len(word.events) for word in made.words))
    decide = functools.partial(_write, plan=made, claim=claim, now=now)
    return tenant.store.settle([claim], decide, weight=weight)


def _end(tenant: Tenant, claim: Claim, settled: Future[None]) -> None:
    """Tries until nothing changed in between. Raises ``Stale`` if that was never so and the lease is still ours."""
    for attempt in range(ATTEMPTS):
        try:
            return settled.result()
        except Stale:
            if not tenant.store.holds(claim):
                return None
            if attempt == ATTEMPTS - 1:
                raise
            settled = _settle(tenant, claim)
    return None


def _write(tx: Tx, *, plan: Plan, claim: Claim, now: int) -> None:
    """The decision: if all is as it was when it was worked out, it is written. Raises ``Stale``."""
    for kind, id, rev in plan.read:
        record = tx.get(kind, id)
        if (record.rev if record else 0) != rev:
            raise Stale(f"{kind} {id} was changed")
    if plan.bind:
        consent.bind(tx, plan.bind[0], plan.bind[1:])
    if plan.expires is not None:
        tx.owe(consent.KIND, claim.record.id, Owed(consent.STEP, due=plan.expires))
    for word in plan.words:
        tx.put(word.record)
        for event in word.events:
            notices.queue(tx, word.told, event, now)


def _about_profile(tenant: Tenant, id: str, now: int) -> Plan:
    """Everybody who is one with the profile's person, towards every service they ever gave anything."""
    words: list[Word] = []
    read: list[Read] = []
    for member in persons.members_of(tenant.store, id) or (id,):
        _bind(tenant, member, [one.id for one in persons.identifiers_in(tenant.store, [member])])
        given = consent.of_subject(tenant.store, Subject(person=member))
        for service in sorted({one.service for one in given}):
            found, seen = _word(tenant, service, member, now)
            words += found
            read += seen
    return Plan(tuple(words), tuple(read))


def _about_consent(tenant: Tenant, id: str, now: int) -> Plan:
    """One learner towards one service; a consent that waits for its learner is bound if there is one by now."""
    record = tenant.store.get(consent.KIND, id)
    if record is None:
        return Plan()
    given = consent.read(record)
    person = given.subject.person or _person_of(tenant.store, given)
    if person is None:
        return Plan(read=(_read(consent.KIND, id, record),))
    if given.subject.identifier:
        return Plan(bind=(person, given.subject.identifier))
    words, read = _word(tenant, given.service, person, now)
    return Plan(tuple(words), tuple(read), given.expires if given.holds(now) else None)


def _bind(tenant: Tenant, person: str, identifiers: Sequence[str]) -> None:
    """In a commit of its own, where something waits at all: what is bound owes this step by itself."""
    waiting = [id for id in identifiers if consent.of_subject(tenant.store, Subject(identifier=id))]
    if waiting:
        tenant.store.write(functools.partial(consent.bind, person=person, identifiers=waiting)).result()


def _person_of(reader: Reader, given: Consent) -> str | None:
    record = reader.get("identifier", given.subject.identifier or "")
    return record.meta["person"] if record else None


def _word(tenant: Tenant, service_id: str, person: str, now: int) -> tuple[list[Word], list[Read]]:
    """What *service_id* is owed of *person*, if anything, and the records that this follows from.

    They are read before what follows from them: a change in between is found at the commit.
    """
    store = tenant.store
    read = list(_followed(tenant, service_id, person))
    service = services.get(store, service_id)
    if service is None or not service.active:
        return [], []
    before, record = changes.told_before(tenant, store, service_id, person)
    reference = functools.partial(services.badge_reference, tenant, service_id)
    told, events = changes.due(before, changes.current(tenant, store, service, person, now), reference)
    if not events:
        return [], []
    known = changes.record_of(told, record)
    read.append((changes.KIND, known.id, known.rev))
    return [Word(known, told, tuple(events) if service.webhook else ())], read


def _followed(tenant: Tenant, service_id: str, person: str) -> Iterator[Read]:
    """The service, the profile and the consents. A badge that changes owes this step on the profile."""
    store = tenant.store
    yield _read(services.KIND, service_id, store.get(services.KIND, service_id))
    holder = (persons.members_of(store, person) or (person,))[0]
    yield _read("profile", holder, store.get("profile", holder))
    for one in consent.of_subject(store, Subject(person=person)):
        if one.service == service_id:
            yield _read(consent.KIND, one.id, store.get(consent.KIND, one.id))


def _read(kind: str, id: str, record: Record | None) -> Read:
    return kind, id, record.rev if record else 0
