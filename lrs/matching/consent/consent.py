"""Consent: what a learner lets a service see, stored as facts. Knows no link, no message and no HTTP.

There is one record for each learner, service, scope and purpose. Giving and withdrawing change the record, write the
record of actions and owe ``sync``, all in one commit. Code that shows or sends something asks ``scopes_for`` at that
moment, so a withdrawal takes effect with its commit.

The other scopes need ``profiles:read``: they show parts of the same data. So none of them is asked for, holds or stays
without it. A consent for an identifier that no person has yet waits under that identifier (``bind``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.matching.services import PROFILES, Service
from lrs.storage import Owed, Reader, Record, Tx, each, micros_of
from lrs.storage.about import Whose, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit

KIND = "consent"
STEP = "sync"


class Subject(msgspec.Struct, frozen=True):
    """The learner who gives a consent: the id of a person, or of an identifier that no person has yet.

    Exactly one is set.
    """

    person: str | None = None
    identifier: str | None = None

    @property
    def parts(self) -> tuple[str, str]:
        """What kind of name it is, and the name."""
        if self.person is not None:
            return "person", self.person
        return "identifier", self.identifier or ""


class Consent(msgspec.Struct, frozen=True):
    """One consent. Times are microseconds UTC.

    ``reference`` is the service's own name for the learner. ``how`` is ``link``, ``guardian`` (a learner by a link, and
    then their guardian) or ``operator``. ``receipt`` is the reference that the learner was told.
    """

    subject: Subject
    service: str
    scope: str
    purpose: str
    given: int
    how: str
    reference: str | None = None
    expires: int | None = None
    withdrawn: int | None = None
    receipt: str = ""
    v: int = 1

    @property
    def id(self) -> str:
        """The record's id. It is the same for the same learner, service, scope and purpose."""
        return name(KIND, *self.subject.parts, self.service, self.scope, self.purpose)

    def holds(self, at: int, *, under_age: bool = False) -> bool:
        """Whether the consent is in force *at* that time.

        A consent by link alone is not if the learner is *under_age*.
        """
        if under_age and self.how == "link":
            return False
        return self.withdrawn is None and (self.expires is None or at < self.expires)


class Grant(msgspec.Struct, frozen=True):
    """Several scopes that are agreed to together.

    ``by`` goes to the record of actions, the other fields to the consents.
    """

    subject: Subject
    service: str
    scopes: tuple[str, ...]
    purpose: str
    how: str
    by: str
    reference: str | None = None
    expires: int | None = None
    receipt: str = ""


def give(tx: Tx, grant: Grant) -> list[Consent]:
    """Writes one consent for each scope. An earlier one is renewed and keeps its reference if there is no new one."""
    now = micros_of(tx.next_seq())
    given = [
        Consent(
            subject=grant.subject,
            service=grant.service,
            scope=scope,
            purpose=grant.purpose,
            given=now,
            how=grant.how,
            reference=grant.reference,
            expires=grant.expires,
            receipt=grant.receipt,
        )
        for scope in grant.scopes
    ]
    kept = [_put(tx, consent) for consent in given]
    _tell(tx, "consent.given", grant.by, kept)
    return kept


def withdraw(
    tx: Tx, subjects: Sequence[Subject], *, by: str, service: str | None = None, scope: str | None = None
) -> list[Consent]:
    """Withdraws the consents of *subjects*, all of them or only for *service* or *scope*. Gives what was withdrawn now.

    Withdrawing ``profiles:read`` withdraws all other scopes of the same service, because a gap also tells what is held.
    """
    everything = scope in {None, PROFILES}
    now = micros_of(tx.next_seq())
    held = [
        consent
        for subject in subjects
        for consent in of_subject(tx, subject)
        if consent.withdrawn is None and service in {None, consent.service} and (everything or scope == consent.scope)
    ]
    gone = [_put(tx, msgspec.structs.replace(consent, withdrawn=now)) for consent in held]
    _tell(tx, "consent.withdrawn", by, gone)
    return gone


def bind(tx: Tx, person: str, identifiers: Iterable[str]) -> list[Consent]:
    """Moves consents under *identifiers* to the *person* who turned out to have them. Of two the later one counts."""
    return [
        moved
        for identifier in identifiers
        for moved in move(tx, Subject(identifier=identifier), Subject(person=person))
    ]


def move(tx: Tx, before: Subject, after: Subject) -> list[Consent]:
    """Moves consents of one subject to another that is the same learner. Of two the later one counts."""
    moved = []
    for waiting in of_subject(tx, before):
        tx.delete(KIND, waiting.id)
        consent = msgspec.structs.replace(waiting, subject=after)
        known = tx.get(KIND, consent.id)
        if known is None or read(known).given < consent.given:
            moved.append(_put(tx, consent))
    return moved


def read(record: Record) -> Consent:
    """The consent in *record*."""
    return msgspec.json.decode(record.body, type=Consent)


def of_subject(reader: Reader, subject: Subject) -> list[Consent]:
    """All consents that *subject* ever gave, also those that no longer hold."""
    return [read(record) for record in each(reader, KIND, key(*subject.parts))]


def withdrawn_under(reader: Reader, subjects: Iterable[Subject], receipt: str) -> int | None:
    """When what *subjects* gave under this *receipt* was withdrawn last (microseconds UTC), if it was."""
    given = [one for subject in subjects for one in of_subject(reader, subject) if one.receipt == receipt]
    return max((one.withdrawn for one in given if one.withdrawn is not None), default=None)


def everything(reader: Reader) -> list[Consent]:
    """All consents, in the order of their last change."""
    return [read(record) for record in each(reader, KIND)]


def scopes_for(
    consents: Iterable[Consent], service: Service, at: int, *, under_age: bool = False
) -> dict[str, Consent]:
    """What *service* may see *at* that time, by scope: the learner agreed for its purpose, and it is registered for it.

    Empty without ``profiles:read``, which may have ended before the others. *under_age* must be asked each time,
    because the note, or the join with a noted person, may have come after the consent.
    """
    found = {
        consent.scope: consent
        for consent in consents
        if consent.service == service.id
        and consent.purpose == service.purpose
        and consent.scope in service.scopes
        and consent.holds(at, under_age=under_age)
    }
    return found if PROFILES in found else {}


def _put(tx: Tx, consent: Consent) -> Consent:
    """Inserts or replaces the record, which owes ``sync``."""
    known = tx.get(KIND, consent.id)
    if known is not None and consent.reference is None:
        consent = msgspec.structs.replace(consent, reference=read(known).reference)
    record = Record(
        kind=KIND,
        id=consent.id,
        body=msgspec.json.encode(consent),
        keys=(key(*consent.subject.parts), key("service", consent.service)),
        owed=(Owed(STEP),),
        rev=known.rev if known else 0,
    )
    tx.put(record)
    return consent


def _tell(tx: Tx, action: str, by: str, consents: Sequence[Consent]) -> None:
    for consent in consents:
        kind, id = consent.subject.parts
        about = {kind: id, "service": consent.service, "scope": consent.scope, "consent": consent.id}
        audit.append(tx, by, action, about)


def _about(record: Record) -> Subjects:
    given = read(record).subject
    persons, identifiers = ([one] if one else () for one in (given.person, given.identifier))
    return subjects(persons=persons, identifiers=identifiers)


def subject_keys(whose: Whose) -> Iterable[int]:
    """The search keys of consents and links under any name of a learner."""
    yield from (key("person", one) for one in whose.persons)
    yield from (key("identifier", one) for one in whose.identifiers)


KINDS = (
    Kind(
        KIND,
        "fact",
        Consent,
        1,
        subjects=_about,
        retention="consent",
        exported=True,
        find=by_keys(KIND, subject_keys),
    ),
)
