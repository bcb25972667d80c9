"""A session of a training centre as a record: what it is, when, for how many, and whether it is closed.

Records: ``centre-session`` (id: from the session's IRI, which a file of the centre gives it, too). Knows no attendee.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from adapters.reading.people import Ifi
from adapters.reading.vocabulary import iri
from adapters.training_centre.files.facts import TrainingSession
from adapters.training_centre.files.sessions import HeldSession
from lrs.access.keys import check_source
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.times import SECOND
from lrs.storage import Reader, Record, Tx, Walk, walked
from lrs.storage.about import Whose, by_keys, shown_as
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import identifier_of, ifi_text

KIND = "centre-session"
SessionKind = Literal["practical", "classroom", "vr", "placement", "work_experience", "fellowship"]
KINDS_SAID: Mapping[str, str] = {
    "practical": "Practical",
    "classroom": "Classroom",
    "vr": "Virtual",
    "placement": "Placement",
    "work_experience": "Work experience",
    "fellowship": "Fellowship",
}
"""Each kind, and what people call it."""
HOSTED = frozenset({"placement", "work_experience", "fellowship"})
"""Kinds that are at an employer's, whose supervisor signs the hours off."""
SessionState = Literal["planned", "closed", "cancelled"]


class Marker(msgspec.Struct, frozen=True):
    """Somebody who marks or signs: *who* in statements, *said* by name, *subject* in the record of actions."""

    who: Ifi
    said: str
    subject: str


class PinnedChecklist(msgspec.Struct, frozen=True):
    """The version of a checklist with which a session works: *record* is the id of its record, *id* its name."""

    record: str
    id: str
    version: int


class Gives(msgspec.Struct, frozen=True):
    """What somebody has who completes something: a competency, and its level where it has one."""

    competency: str
    level: int | None = None


class CentreSession(msgspec.Struct, frozen=True):
    """A session. *number* is what the centre calls it (``session_id`` in files). Times are microseconds UTC.

    *zone* is that of its clock. *host* is the employer where it takes place, *hours* how long it is planned to last in
    all. *seats* is 0 where nobody counts them. *opened* says whether learners may book a seat. *open_then* is what was
    open when it was closed.
    """

    centre: str
    number: str
    title: str
    kind: SessionKind
    starts: int
    ends: int
    zone: str
    made: int
    by: str
    lead: Marker | None = None
    checklist: PinnedChecklist | None = None
    course: str = ""
    place: str = ""
    host: str = ""
    hours: float | None = None
    seats: int = 0
    opened: bool = False
    offering: str = ""
    state: SessionState = "planned"
    closed: int | None = None
    closed_by: Marker | None = None
    open_then: tuple[str, ...] = ()
    v: int = 1

    @property
    def iri(self) -> str:
        """The session's IRI, as a file of the centre gives it."""
        return iri("centres", self.centre, "sessions", self.number)

    @property
    def id(self) -> str:
        """The id of its record."""
        return session_id(self.centre, self.number)

    @property
    def is_hosted(self) -> bool:
        """Whether it is at an employer's."""
        return self.kind in HOSTED

    @property
    def is_closed(self) -> bool:
        """Whether its statements were made: what is marked from then on is a correction."""
        return self.state == "closed"

    def is_ahead(self, now: int) -> bool:
        """Whether it is still to come at *now*: planned, not cancelled, not begun. Seats change only until then."""
        return self.state == "planned" and self.starts > now

    def at(self, micros: int) -> datetime:
        """A time on the clock of the session."""
        return datetime.fromtimestamp(micros // SECOND, UTC).astimezone(ZoneInfo(self.zone))

    @property
    def day(self) -> date:
        """The day on which it begins."""
        return self.at(self.starts).date()

    def training(self) -> TrainingSession:
        """The session as statements tell it."""
        return TrainingSession(
            id=self.iri,
            title=self.title,
            kind=self.kind,
            starts=self.at(self.starts),
            ends=self.at(self.ends),
            instructor=self.lead.who if self.lead else None,
            course=self.course,
        )

    def held(self) -> HeldSession:
        """The session as the row of a file tells it."""
        return HeldSession(self.training(), "held")


def session_id(centre: str, number: str) -> str:
    """The id of the record of a session."""
    return name(KIND, iri("centres", centre, "sessions", number))


def checked_centre(name: str) -> str:
    """*name*, if statements can have it as their source. Raises ``Refused`` (400): also for our own source."""
    try:
        check_source(name)
    except Misconfigured as error:
        message = "A training centre is called as its files call it: 1 to 80 letters, digits, blanks, . _ -."
        raise Refused(message, error="bad_provider") from error
    return name


def add(tx: Tx, one: CentreSession) -> None:
    """Stores a new session. Raises ``Refused``: 409 if the centre has one of this number, 400 for no centre's name."""
    checked_centre(one.centre)
    if tx.get(KIND, one.id) is not None:
        message = f"There is a session {one.number} of {one.centre} already: choose another number, or open that one."
        raise Refused(message, status=409, error="session_there")
    tx.insert(record_of(one))


def put(tx: Tx, one: CentreSession, before: Record) -> None:
    """Stores *one* in the place of *before*. Raises ``Stale`` if that is not the stored one any more."""
    tx.replace(record_of(one, before.rev, before.seq))


def found(reader: Reader, id: str, centres: Iterable[str] | None) -> tuple[Record, CentreSession]:
    """The session *id* with its record, if it is of one of *centres* (``None``: all). Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    one = session_of(record) if record else None
    if record is None or one is None or (centres is not None and one.centre not in centres):
        raise Refused("There is no such session among yours.", status=404, error="not_found")
    return record, one


def of_centres(reader: Reader, centres: Iterable[str] | None, limit: int) -> list[CentreSession]:
    """The sessions of *centres*, or of all, that were made last: at most *limit* of each."""
    wanted = [(key("session.centre", one),) for one in sorted(centres)] if centres is not None else [()]
    walks = (Walk(KIND, keys, newest_first=True, limit=100) for keys in wanted)
    made: list[CentreSession] = []
    for walk in walks:
        for count, record in enumerate(walked(reader, walk)):
            if count >= limit:
                break
            made.append(session_of(record))
    return made


def unclosed(reader: Reader, centres: Iterable[str] | None, now: int, limit: int) -> list[CentreSession]:
    """Sessions of *centres*, or of all, that are today or over, neither closed nor cancelled: of the newest *limit*."""
    found = (one for one in of_centres(reader, centres, limit) if one.state == "planned")
    return [one for one in found if one.ends <= now or one.day == one.at(now).date()]


def opened(reader: Reader, limit: int, offering: str = "") -> list[CentreSession]:
    """Sessions in which learners may book a seat, all or those of an *offering*, the newest first: at most *limit*."""
    wanted = key("session.offering", offering) if offering else key("session.opened")
    walk = Walk(KIND, (wanted,), newest_first=True, limit=100)
    return [session_of(record) for record, _ in zip(walked(reader, walk), range(limit), strict=False)]


def session_of(record: Record) -> CentreSession:
    """The session in *record*."""
    return msgspec.json.decode(record.body, type=CentreSession)


def record_of(one: CentreSession, rev: int = 0, seq: int = 0) -> Record:
    """The record of *one*."""
    keys = [key("session.centre", one.centre), *(_ifi_key(each.who.agent().as_version()) for each in _named(one))]
    if one.opened and one.state == "planned":
        keys += [key("session.opened"), *([key("session.offering", one.offering)] if one.offering else [])]
    return Record(KIND, one.id, msgspec.json.encode(one), keys=tuple(keys), rev=rev, seq=seq)


def _named(one: CentreSession) -> Iterator[Marker]:
    yield from dict.fromkeys(each for each in (one.lead, one.closed_by) if each)


def _ifi_key(agent: Mapping[str, Any]) -> int:
    return key("session.ifi", ifi_text(agent) or "")


def _about(record: Record) -> Subjects:
    known = [identifier_of(each.who.agent().as_version()) for each in _named(session_of(record))]
    return subjects(identifiers=[each.id for each in known if each])


def _keys(whose: Whose) -> Iterator[int]:
    return (_ifi_key(agent) for agent in whose.agents)


def _shown(record: Record, whose: Whose) -> dict[str, Any]:  # noqa: ARG001 (it stands where a ``ShownTo`` stands)
    """The session that they ran or closed, and nothing of who attended it."""
    one = session_of(record)
    return shown_as(record, {"centre": one.centre, "number": one.number, "title": one.title, "kind": one.kind})


KINDS = (
    Kind(
        KIND,
        "fact",
        CentreSession,
        1,
        subjects=_about,
        retention="evidence",
        exported=True,
        find=by_keys(KIND, _keys),
        shown=_shown,
    ),
)
