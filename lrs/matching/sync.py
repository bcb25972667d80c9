"""The step "sync": works out what services must be told of a learner now, and queues it. Sends nothing.

claims (profiles, persons and consents) -> the learner -> for each consent and service: what was told, what holds -> the
events that are due. This is worked out outside the writer, because it reads and compares everything that a learner
holds. One commit then binds the consents that waited for an identifier of the learner, and stores the deliveries, which
owe ``deliver``, the entry of the feed, and that the claim is settled. The commit checks that the records it was worked
out from are unchanged; otherwise it is worked out again. So the step may run twice, late and in any order.

The records for many claims are read ahead, in a few round trips. Changes of a badge or of a join are not compared at
the commit: they owe this step again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import counted
from lrs.matching import changes, notices, services
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Consent, Subject
from lrs.outbox import deliveries
from lrs.outbox.deliveries import Delivery
from lrs.people import minors, persons
from lrs.storage import ROWS, Claim, Owed, Reader, Record, RecordName, Stale, Tx
from lrs.storage.ahead import ReadAhead
from lrs.tenancy.tenants import Tenant

ATTEMPTS = 8
AT_ONCE = 100
"""Claims whose records are read ahead together, and are in memory together."""
Read = tuple[str, str, int]
"""Kind and id of a record that was read, and its revision; 0 if it did not exist."""


class Word(msgspec.Struct, frozen=True):
    """What one service must be told: the new ``change`` record, and the deliveries if it has a webhook."""

    record: Record
    deliveries: tuple[Delivery, ...]


class SyncPlan(msgspec.Struct, frozen=True):
    """What one commit writes, the records it was worked out from, and until when a consent's entry waits.

    *binds* are persons and identifiers of theirs under which consents wait; binding owes this step by itself.
    """

    words: tuple[Word, ...] = ()
    read: tuple[Read, ...] = ()
    expires: int | None = None
    binds: tuple[tuple[str, tuple[str, ...]], ...] = ()


def sync(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Settles each claim on a ``profile``, ``person`` or ``consent`` record, each in its own commit.

    A claim whose lease was lost is left to its new owner. The first other failure is raised after all others are
    settled; what failed stays owed.
    """
    failures: list[Exception] = []
    left = list(claims)
    for _ in range(ATTEMPTS):
        parts = [left[at : at + AT_ONCE] for at in range(0, len(left), AT_ONCE)]
        left = [claim for part in parts for claim in _round(tenant, part, failures)]
    if left:
        failures.append(
            Stale(f"what {counted(len(left), 'claim follows', 'claims follow')} from was changed again and again")
        )
    if failures:
        raise failures[0]


def _round(tenant: Tenant, claims: Sequence[Claim], failures: list[Exception]) -> list[Claim]:
    """Works out each claim and settles it. Gives those that must be worked out again; adds to *failures*.

    If several claims give the same service an event of the same learner, only the first is settled now: its event is
    the one that the others have.
    """
    now, ahead = tenant.clock(), _read_ahead(tenant, claims)
    told: set[str] = set()
    again: list[Claim] = []
    begun: list[tuple[Claim, Future[None]]] = []
    for claim in claims:
        plan = _about_consent if claim.record.kind == consent.KIND else _about_person
        try:
            made = plan(tenant, ahead, claim.record.id, now)
            if told.isdisjoint(word.record.id for word in made.words):
                told.update(word.record.id for word in made.words)
                begun.append((claim, _settle(tenant, claim, made, now)))
            else:
                again.append(claim)
        except Exception as error:  # noqa: BLE001 (raised once the others are settled)
            failures.append(error)
    for claim, settled in begun:
        try:
            settled.result()
        except Stale:
            if tenant.store.holds(claim):
                again.append(claim)
        except Exception as error:  # noqa: BLE001 (see above)
            failures.append(error)
    return again


def _read_ahead(tenant: Tenant, claims: Sequence[Claim]) -> ReadAhead:
    """Reads what the plans of *claims* will ask for.

    First what services were told, then what it is compared with. In the other order, an event of another worker in
    between would look as if too much had been told, and would be taken back.
    """
    asked = [(consent.KIND, claim.record.id) for claim in claims if claim.record.kind == consent.KIND]
    others = [claim.record.id for claim in claims if claim.record.kind != consent.KIND]
    ahead = ReadAhead(tenant.store)
    try:
        _load(ahead, asked, *_foreseen(tenant, others, asked))
    except Refused:  # too much for the memory: each claim reads for itself
        return ReadAhead(tenant.store)
    return ahead


def _load(ahead: ReadAhead, asked: Sequence[RecordName], members: set[str], told: dict[str, list[RecordName]]) -> None:
    ahead.load([changes.FLOOR, *(name for names in told.values() for name in names)])
    named = [(services.KIND, service) for service in told]
    ahead.load([*asked, *named, *((kind, member) for member in members for kind in ("person", "profile", minors.KIND))])
    known = ahead.load_with("identifier", (key("identifier-person", member) for member in members))
    subjects = [*(Subject(person=one) for one in members), *(Subject(identifier=one.id) for one in known)]
    ahead.load_with(consent.KIND, (key(*one.parts) for one in subjects))
    ahead.load_with("credential", (key("credential.person", member) for member in members))


def _foreseen(
    tenant: Tenant, others: Sequence[str], asked: Sequence[RecordName]
) -> tuple[set[str], dict[str, list[RecordName]]]:
    """The persons that claims are about, and by service the names of the records of what it was told.

    This is only a guess, because it is read before everything else. Records that were not foreseen are read on demand.
    """
    hint = ReadAhead(tenant.store)
    hint.load([*asked, *(("person", id) for id in others)])
    given = _consents(record for name in asked if (record := hint.get(*name)))
    ids = {*others, *(one.subject.person for one in given if one.subject.person)}
    hint.load(("person", id) for id in ids)
    hint.load(("person", into) for into in persons.holders(hint, ids).values())
    members = {member for id in ids for member in persons.members_of(hint, id) or (id,)}
    told: dict[str, list[RecordName]] = {}
    for one in _consents(hint.load_with(consent.KIND, (key("person", member) for member in members))):
        name = _told_name(tenant, one.service, one.subject.person or "")
        told.setdefault(one.service, []).append(name)
    return members, told


def _told_name(tenant: Tenant, service: str, person: str) -> RecordName:
    return changes.KIND, changes.fresh(tenant, service, person).id


def _consents(records: Iterable[Record]) -> list[Consent]:
    """The consents that can be read. A claim on an unreadable one fails alone."""
    found = []
    for record in records:
        with suppress(msgspec.MsgspecError):
            found.append(consent.read(record))
    return found


def _settle(tenant: Tenant, claim: Claim, plan: SyncPlan, now: int) -> Future[None]:
    queued = [one for word in plan.words for one in word.deliveries]
    reads = [(kind, id) for kind, id, _ in plan.read]
    reads += [(deliveries.KIND, id) for one in queued for id in (one.id, one.after) if id]
    weight = ROWS * (1 + len(plan.words) + len(queued))
    return tenant.store.settle(
        [claim], functools.partial(_write, plan=plan, claim=claim, now=now), weight=weight, reads=reads
    )


def _write(tx: Tx, *, plan: SyncPlan, claim: Claim, now: int) -> None:
    """The decision. Raises ``Stale`` if a record that the plan was worked out from has changed."""
    for kind, id, rev in plan.read:
        record = tx.get(kind, id)
        if (record.rev if record else 0) != rev:
            raise Stale(f"{kind} {id} was changed")
    for person, identifiers in plan.binds:
        consent.bind(tx, person, identifiers)
    if plan.expires is not None:
        tx.owe(consent.KIND, claim.record.id, Owed(consent.STEP, due=plan.expires))
    for word in plan.words:
        tx.put(word.record)
        for delivery in word.deliveries:
            deliveries.queue(tx, delivery, now)


def _about_person(tenant: Tenant, ahead: ReadAhead, id: str, now: int) -> SyncPlan:
    """The plan for the person *id*: for all joined persons, and every service they ever gave a consent."""
    words: list[Word] = []
    read: list[Read] = []
    binds: list[tuple[str, tuple[str, ...]]] = []
    for member in persons.members_of(ahead, id) or (id,):
        if waiting := _waiting(ahead, member):
            binds.append((member, waiting))
        given = consent.of_subject(ahead, Subject(person=member))
        for service in sorted({one.service for one in given}):
            found, seen = _word(tenant, ahead, service, member, now)
            words += found
            read += seen
    return SyncPlan(tuple(words), tuple(read), binds=tuple(binds))


def _about_consent(tenant: Tenant, ahead: ReadAhead, id: str, now: int) -> SyncPlan:
    """The plan for one consent. If it waits for an identifier that has a person by now, it is bound to that person."""
    record = ahead.get(consent.KIND, id)
    if record is None:
        return SyncPlan()
    given = consent.read(record)
    person = given.subject.person or _person_of(ahead, given)
    if person is None:
        return SyncPlan(read=(_read(consent.KIND, id, record),))
    if given.subject.identifier:
        return SyncPlan(binds=((person, (given.subject.identifier,)),))
    words, read = _word(tenant, ahead, given.service, person, now)
    return SyncPlan(tuple(words), tuple(read), given.expires if given.holds(now) else None)


def _waiting(reader: Reader, person: str) -> tuple[str, ...]:
    """The identifiers of *person* under which consents wait."""
    known = persons.identifiers_in(reader, [person])
    return tuple(one.id for one in known if consent.of_subject(reader, Subject(identifier=one.id)))


def _person_of(reader: Reader, given: Consent) -> str | None:
    record = reader.get("identifier", given.subject.identifier or "")
    return record.meta["person"] if record else None


def _word(tenant: Tenant, ahead: ReadAhead, service_id: str, person: str, now: int) -> tuple[list[Word], list[Read]]:
    """What *service_id* must be told of *person*, if anything, and the records that this follows from."""
    foreseen = ahead.has(*_told_name(tenant, service_id, person))
    reader: Reader = ahead if foreseen else tenant.store  # otherwise what was told would be read after what holds
    before, record = changes.told_before(tenant, reader, service_id, person)
    read = list(_followed(reader, service_id, person))
    service = services.get(reader, service_id)
    if service is None or not service.active:
        return [], []
    reference = functools.partial(services.badge_reference, tenant, service_id)
    told, events = changes.due(before, changes.current(tenant, reader, service, person, now), reference)
    if not events:
        return [], []
    known = changes.record_of(told, record)
    read.append((changes.KIND, known.id, known.rev))
    queued = tuple(notices.delivery_of(told, event) for event in events) if service.webhook else ()
    return [Word(known, queued)], read


def _followed(reader: Reader, service_id: str, person: str) -> Iterator[Read]:
    """The service, the profile, the notes of age and the consents. A changed badge owes this step on the profile."""
    yield _read(services.KIND, service_id, reader.get(services.KIND, service_id))
    members = persons.members_of(reader, person) or (person,)
    yield _read("profile", members[0], reader.get("profile", members[0]))
    for member in members:
        yield _read(minors.KIND, member, reader.get(minors.KIND, member))
    for one in consent.of_subject(reader, Subject(person=person)):
        if one.service == service_id:
            yield _read(consent.KIND, one.id, reader.get(consent.KIND, one.id))


def _read(kind: str, id: str, record: Record | None) -> Read:
    return kind, id, record.rev if record else 0
