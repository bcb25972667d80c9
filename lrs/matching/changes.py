"""What each service was told of each learner, and what it must be told now. The decision is pure.

There is one ``change`` record for each service and learner. Its body is what was told last. Services read the records
as a feed, in the order of the store. The events that are due follow from comparing the body with what holds now. The
result is the same if this is repeated, is late, or is done in another order; a second run finds nothing to do.

A restored store does not know what was told after its backup. So its versions continue from the time of the restore
(``raise_versions``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from lrs.competency.shapes import Profile
from lrs.kernel.keys import key
from lrs.kernel.times import SECOND
from lrs.matching import services, view
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Consent, Subject
from lrs.matching.consent.under_age import is_under_age
from lrs.matching.services import Service
from lrs.matching.view import BadgeSummary
from lrs.people import minors, persons
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import by_person
from lrs.storage.ahead import ReadAhead
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant

KIND = "change"
FLOOR = ("change-floor", "version")
"""The record (kind, id) with a number below all versions that are told from now on. Only a restore writes it."""
_OF_PERSON = ("person", "profile", minors.KIND)
GIVEN = "consent.given"
WITHDRAWN = "consent.withdrawn"


def change_id(service: str, subject: str) -> str:
    """The id of the ``change`` record of *service* and the learner it calls *subject*."""
    return f"{service}:{subject}"


class ToldState(msgspec.Struct, frozen=True):
    """What *service* knows of the learner that it calls *subject*.

    ``scopes``: when each scope was given. ``version`` counts what was told; ``updated`` is the version of the last
    ``profile.updated``, ``consented`` that of the last ``consent.given``. ``seen`` is the digest of what was shown,
    without the amounts of evidence (digests of older versions include them). ``badges`` are those that the service was
    told of.
    """

    service: str
    person: str
    subject: str
    scopes: dict[str, int] = {}
    badges: tuple[str, ...] = ()
    version: int = 0
    updated: int = 0
    consented: int = 0
    seen: str = ""
    generation: int = 0
    reference: str | None = None
    v: int = 1

    @property
    def id(self) -> str:
        """The id of the ``change`` record."""
        return change_id(self.service, self.subject)


class Current(msgspec.Struct, frozen=True):
    """What holds now for one service and learner: consent by scope, and all that could be shown."""

    consents: dict[str, Consent]
    profile: Profile | None
    badges: dict[str, BadgeSummary]
    generation: int = 0

    def shown(self, subject: str, *, exact: bool = False) -> dict[str, Any] | None:
        """What may be shown now, or ``None`` without consent. *exact*: see ``view.shown``."""
        if services.PROFILES not in self.consents:
            return None
        return view.shown(subject, self.profile, self.badges.values(), self.consents, exact=exact)


class Event(msgspec.Struct, frozen=True):
    """An event that a service must be told of. ``about`` distinguishes two events of one version.

    ``about`` is the service's own name for a badge. The webhook's id follows from it; if it followed from the badge's
    id, another service could compute it.
    """

    event: str
    version: int
    data: dict[str, Any] = {}
    about: str = ""


def due(told: ToldState, now: Current, reference: Callable[[str], str]) -> tuple[ToldState, list[Event]]:
    """The new *told*, and the events that are due.

    If the service knows everything, *told* is unchanged and there are none.

    *reference* gives the service's name for a badge by its id.
    """
    shown = now.shown(told.subject, exact=True)  # a badge that was signed again on the same day is an event, too
    if shown is None:
        return _withdrawn(told, now) if told.scopes else (told, [])
    version = told.version + 1
    events = _consent_events(told, now, version)
    issued, revoked = _badge_moves(told, now)
    if told.scopes:
        events += [Event("badge.issued", version, about=reference(id)) for id in issued]
    events += [Event("badge.revoked", version, about=reference(id)) for id in revoked]
    seen = _digest(view.without_counts(shown))
    is_new = told.seen not in {seen, _digest(shown)} or now.generation != told.generation or not told.scopes
    if is_new:
        events.append(Event("profile.updated", version))
    if not events:
        return told, []
    return (
        msgspec.structs.replace(
            told,
            scopes={scope: one.given for scope, one in now.consents.items()},
            badges=tuple(sorted({*told.badges, *issued} - set(revoked))),
            version=version,
            updated=version if is_new else told.updated,
            consented=version if any(one.event == GIVEN for one in events) else told.consented,
            seen=seen,
            generation=now.generation,
            reference=_reference(told, now.consents.values()),
        ),
        events,
    )


def _digest(shown: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(shown, order="sorted")).hexdigest()


def agreed(reader: Reader, tenant: Tenant, service: Service, person: str, at: int) -> dict[str, Consent]:
    """The consents of *person* that hold for *service* *at* that time, by scope."""
    members = persons.members_of(reader, person) or (person,)
    given = consent.of_subject(reader, Subject(person=person))
    return consent.scopes_for(given, service, at, under_age=is_under_age(tenant, reader, members, at))


def current(tenant: Tenant, reader: Reader, service: Service, person: str, at: int) -> Current:
    """What *service* may know *at* that time of *person* and of the persons joined with it."""
    members = persons.members_of(reader, person) or (person,)
    record = reader.get("profile", members[0])
    credentials = [
        record for member in members for record in each(reader, "credential", key("credential.person", member))
    ]
    badges = [_named(tenant, service, view.read_badge(one)) for one in credentials if not service.employer]
    return Current(
        consents=agreed(reader, tenant, service, person, at),
        profile=view.read_profile(record) if record else None,
        badges={badge.id: badge for badge in badges},
        generation=service.generation,
    )


def load_current(ahead: ReadAhead, people: Iterable[str]) -> None:
    """Reads what ``current`` will look up about each of *people*, in a few round trips for all of them."""
    ids = set(people)
    ahead.load((kind, id) for id in ids for kind in _OF_PERSON)
    ahead.load(("person", holder) for holder in persons.holders(ahead, ids).values())
    members = {member for id in ids for member in persons.members_of(ahead, id)}
    ahead.load((kind, member) for member in members for kind in _OF_PERSON)
    ahead.load_with(consent.KIND, (key(*Subject(person=id).parts) for id in ids))
    ahead.load_with("credential", (key("credential.person", member) for member in ids | members))


def _named(tenant: Tenant, service: Service, badge: BadgeSummary) -> BadgeSummary:
    return msgspec.structs.replace(badge, reference=services.badge_reference(tenant, service.id, badge.id))


def raise_versions(tx: Tx, now: int) -> None:
    """Makes every version from now on higher than all versions before, also those that the store does not know.

    Versions count from 1 and grow by one with each change. So the seconds from 1970 to *now* (microseconds) are more
    than any of them.
    """
    tx.put(Record(*FLOOR, meta={"version": now // SECOND}))


def told_before(tenant: Tenant, reader: Reader, service: str, person: str) -> tuple[ToldState, Record | None]:
    """What *service* was told of *person* so far, and the ``change`` record, if there is one."""
    nothing = fresh(tenant, service, person)
    record = reader.get(KIND, nothing.id)
    return _above_floor(reader, read(record) if record else nothing), record


def fresh(tenant: Tenant, service: str, person: str) -> ToldState:
    """What *service* knows of *person* before it was told anything."""
    return ToldState(service, person, services.pairwise(tenant, service, person))


def told_in(reader: Reader, record: Record) -> ToldState:
    """What a ``change`` record says, with the version to show."""
    return _above_floor(reader, read(record))


def _above_floor(reader: Reader, told: ToldState) -> ToldState:
    floor = reader.get(*FLOOR)
    return msgspec.structs.replace(told, version=max(told.version, floor.meta["version"])) if floor else told


def read(record: Record) -> ToldState:
    """The body of a ``change`` record."""
    return msgspec.json.decode(record.body, type=ToldState)


def record_of(told: ToldState, before: Record | None) -> Record:
    """The record that puts *told* at the end of the feed."""
    return Record(
        kind=KIND,
        id=told.id,
        body=msgspec.json.encode(told),
        keys=(key("service", told.service), key("person", told.person)),
        rev=before.rev if before else 0,
    )


def _withdrawn(told: ToldState, now: Current) -> tuple[ToldState, list[Event]]:
    version = told.version + 1
    event = Event(WITHDRAWN, version, {"reference": told.reference, "scopes": sorted(told.scopes)})
    gone = ToldState(told.service, told.person, told.subject, version=version, reference=told.reference)
    return msgspec.structs.replace(gone, updated=version, generation=now.generation), [event]


def _consent_events(told: ToldState, now: Current, version: int) -> list[Event]:
    events = []
    lost = sorted(set(told.scopes) - set(now.consents))
    if lost:
        events.append(Event(WITHDRAWN, version, {"reference": told.reference, "scopes": lost}))
    fresh = {scope: one for scope, one in now.consents.items() if told.scopes.get(scope) != one.given}
    if fresh:
        latest = max(fresh.values(), key=lambda one: one.given)
        data: Mapping[str, Any] = {
            "reference": latest.reference,
            "scopes": sorted(now.consents),
            "purpose": latest.purpose,
            "given": latest.given,
            "expires": latest.expires,
        }
        events.append(Event(GIVEN, version, dict(data)))
    return events


def _badge_moves(told: ToldState, now: Current) -> tuple[list[str], list[str]]:
    """The badges that are new to the service, and those it knows that were revoked or are gone."""
    issued = [id for id, badge in sorted(now.badges.items()) if badge.state == view.ISSUED and id not in told.badges]
    revoked = [id for id in told.badges if id not in now.badges or now.badges[id].state == view.REVOKED]
    return issued, revoked


def _reference(told: ToldState, consents: Iterable[Consent]) -> str | None:
    latest = max(consents, key=lambda one: one.given)
    return latest.reference or told.reference


def _about(record: Record) -> Subjects:
    return subjects(persons=[read(record).person])


KINDS = (
    Kind(
        KIND,
        "effect",
        ToldState,
        1,
        subjects=_about,
        retention="consent",
        exported=True,
        find=by_person(KIND, "person"),
    ),
    Kind(FLOOR[0], "effect", subjects=None, retention="consent", exported=True),
)
