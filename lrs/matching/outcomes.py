"""Outcomes: what became of a learner who was matched, as a service told it. Knows no HTTP.

A service tells an outcome under a name of its own, so that telling it again changes nothing. It may do so only while
the learner agrees to that (``outcomes:write``), which is looked at in the commit. An outcome can be corrected, and
taken back; it is never deleted, so that a message that comes late does not bring it back.

Records: ``outcome`` (id: from the service and its name for it).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

import msgspec

from lrs.competency.dates import day_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.matching import changes, services
from lrs.matching.roles import roles
from lrs.matching.services import OUTCOMES
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "outcome"
SHORTLISTED, HIRED = "shortlisted", "hired"
OutcomeWord = Literal["shortlisted", "hired"]
MOST = 200
"""Outcomes that one service may tell of one learner."""


class WhatCameOfIt(msgspec.Struct, frozen=True):
    """What a service tells: *outcome*, the *day*, and the id of the *role*; ``None`` for one that is not known here."""

    outcome: OutcomeWord
    day: date
    role: str | None = None


class JobOutcome(msgspec.Struct, frozen=True):
    """*what* became of *person*, as *service* told it and calls it *name*. Times are microseconds UTC."""

    service: str
    name: str
    person: str
    what: WhatCameOfIt
    told: int
    corrected: int | None = None
    withdrawn: int | None = None
    v: int = 1

    @property
    def id(self) -> str:
        """The record's id."""
        return outcome_id(self.service, self.name)


def outcome_id(service: str, called: str) -> str:
    """The id of the record of what *service* calls *called*."""
    return name(KIND, service, called)


class OutcomeKept(msgspec.Struct, frozen=True):
    """An outcome as it is kept; *is_new* says that it was told now for the first time."""

    outcome: JobOutcome
    is_new: bool


def tell(tenant: Tenant, service: str, called: str, subject: str, what: WhatCameOfIt) -> OutcomeKept:
    """Keeps *what* became of the learner that *service* calls *subject*. The same again changes nothing.

    Raises ``Refused``: 404 without the learner's consent; 409 if the name stands for something else, or was taken back;
    400 for a day to come and for a role that is not known here.
    """
    now = tenant.clock()

    def decide(tx: Tx) -> OutcomeKept:
        person = _agreed(tx, tenant, service, subject, now)
        fresh = JobOutcome(service, called, person, what, now)
        record = tx.get(KIND, fresh.id)
        if record is not None:
            return OutcomeKept(_same(outcome_of(record), fresh), is_new=False)
        _check(tx, tenant, what, now)
        if sum(1 for _ in each(tx, KIND, _pair(service, person))) >= MOST:
            raise Refused(f"a service tells at most {MOST} outcomes of one learner", status=409, error="too_many")
        return OutcomeKept(_put(tx, fresh, "told", f"service {service}"), is_new=True)

    return tenant.store.write(decide).result()


def correct(tenant: Tenant, service: str, called: str, what: WhatCameOfIt) -> JobOutcome:
    """Puts *what* in the place of what *service* told before under this name. Raises ``Refused`` as ``tell``."""
    now = tenant.clock()

    def decide(tx: Tx) -> JobOutcome:
        before = known(tx, service, called)
        _agreed(tx, tenant, service, services.pairwise(tenant, service, before.person), now)
        if before.withdrawn is not None:
            raise _taken_back()
        if before.what == what:
            return before
        _check(tx, tenant, what, now)
        after = msgspec.structs.replace(before, what=what, corrected=now)
        return _put(tx, after, "corrected", f"service {service}")

    return tenant.store.write(decide).result()


def withdraw(tenant: Tenant, service: str, called: str, *, by: str) -> JobOutcome:
    """Takes back what *service* told under this name; also without the learner's consent. Raises ``Refused`` (404)."""
    now = tenant.clock()

    def decide(tx: Tx) -> JobOutcome:
        before = known(tx, service, called)
        if before.withdrawn is not None:
            return before
        return _put(tx, msgspec.structs.replace(before, withdrawn=now), "withdrawn", by)

    return tenant.store.write(decide).result()


def of_person(reader: Reader, person: str) -> Iterator[JobOutcome]:
    """All that services told of *person*, in the order of the last change."""
    return map(outcome_of, each(reader, KIND, key("person", person)))


def everything(reader: Reader) -> Iterator[JobOutcome]:
    """All outcomes, in the order of their last change."""
    return map(outcome_of, each(reader, KIND))


def hired(tenant: Tenant) -> Iterator[JobOutcome]:
    """The outcomes by which somebody was hired: not taken back, and only while the learner agrees to be told of."""
    now, known = tenant.clock(), {one.id: one for one in services.everyone(tenant.store)}
    for one in everything(tenant.store):
        asks = known.get(one.service) if one.withdrawn is None and one.what.outcome == HIRED else None
        if asks and OUTCOMES in changes.agreed(tenant.store, tenant, asks, one.person, now):
            yield one


def outcome_of(record: Record) -> JobOutcome:
    """The outcome in *record*."""
    return msgspec.json.decode(record.body, type=JobOutcome)


def _agreed(tx: Tx, tenant: Tenant, service: str, subject: str, now: int) -> str:
    """The learner that *service* calls *subject*. Raises ``Refused`` (404), also without consent."""
    asks, record = services.get(tx, service), tx.get(changes.KIND, changes.change_id(service, subject))
    person = changes.read(record).person if record else ""
    if asks is None or not person or OUTCOMES not in changes.agreed(tx, tenant, asks, person, now):
        message = f"there is no such learner, or no consent to {OUTCOMES}"
        raise Refused(message, status=404, error="profile_unknown", pointer="/subject")
    return person


def _check(reader: Reader, tenant: Tenant, what: WhatCameOfIt, now: int) -> None:
    if what.day > day_of(now, tenant.settings.zone):
        message = "the date has not come yet: tell an outcome once it has happened"
        raise Refused(message, error="bad_date", pointer="/date")
    if what.role is not None and reader.get(roles.KIND, what.role) is None:
        message = "there is no such role: GET /api/roles lists them; leave it out for any other"
        raise Refused(message, error="role_unknown", pointer="/role")


def _same(before: JobOutcome, fresh: JobOutcome) -> JobOutcome:
    """*before*, if the *fresh* one says the same. Raises ``Refused`` (409)."""
    if before.withdrawn is not None:
        raise _taken_back()
    if (before.person, before.what) != (fresh.person, fresh.what):
        message = "another outcome was told under this id: PUT /api/outcomes/{id} corrects it"
        raise Refused(message, status=409, error="conflict", pointer="/id")
    return before


def _taken_back() -> Refused:
    message = "this outcome was taken back: tell it under another id if it holds after all"
    return Refused(message, status=409, error="outcome_withdrawn")


def known(reader: Reader, service: str, called: str) -> JobOutcome:
    """What *service* told under this name. Raises ``Refused`` (404)."""
    record = reader.get(KIND, outcome_id(service, called))
    if record is None:
        raise Refused("no outcome was told under this id", status=404, error="outcome_unknown")
    return outcome_of(record)


def _pair(service: str, person: str) -> int:
    return key("outcome.of", service, person)


def _put(tx: Tx, one: JobOutcome, done: str, by: str) -> JobOutcome:
    keys = (key("person", one.person), key("service", one.service), _pair(one.service, one.person))
    tx.put(Record(KIND, one.id, msgspec.json.encode(one), keys=keys))
    about = {"person": one.person, "service": one.service, "outcome": one.id}
    audit.append(tx, by, f"outcome.{done}", about)
    return one


def _about(record: Record) -> Subjects:
    return subjects(persons=[outcome_of(record).person])


KINDS = (
    Kind(
        KIND,
        "fact",
        JobOutcome,
        1,
        subjects=_about,
        retention="consent",
        exported=True,
        find=by_person(KIND, "person"),
    ),
)
