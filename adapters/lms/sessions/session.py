"""What a launch session and a registration are: structs, records, and how they are found. Knows no rule and no HTTP.

A registration is one learner's enrolment in one version of a course (cmi5 8.1.4). A launch session is one launch of a
unit in it. Both name the learner only as the actor of their statements.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from adapters.lms.courses.structure import AssignableUnit, CourseFormat, MoveOn
from adapters.lms.sessions.vocabulary import LaunchMode
from lrs.access import CONTENT_SOURCE
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.storage import Owed, Reader, Record, Tx, Walk
from lrs.storage.about import Whose, by_keys, without
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import identifier_of, ifi_text

REGISTRATION, SESSION, STEP = "registration", "launch-session", "abandon"


class UnitProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far somebody is with one unit. *seconds* are those of terminated sessions, by their mode.

    *score* is the last ``scaled`` that came with passed or failed; *waived* the reason, if it was.
    """

    attempted: bool = False
    completed: bool = False
    passed: bool = False
    failed: bool = False
    satisfied: bool = False
    waived: str = ""
    score: float | None = None
    seconds: Mapping[str, float] = {}

    @property
    def counted(self) -> float:
        """The seconds that count: in the other modes somebody only looked at it."""
        return self.seconds.get("Normal", 0.0)


class Registration(msgspec.Struct, frozen=True):
    """One learner in one version of a course. *id* is the UUID that statements carry.

    *units* has the units that something was said of, by their activity ids; *satisfied* the activity ids of blocks and
    of the course. A *trial* is of somebody who tries the course and is no learner in it. Times are microseconds
    UTC.
    """

    id: str
    number: int
    course: str
    version: int
    actor: dict[str, Any]
    at: int
    units: Mapping[str, UnitProgress] = {}
    satisfied: tuple[str, ...] = ()
    client: str = ""
    format: CourseFormat = "cmi5"
    trial: bool = False
    v: int = 1

    def unit(self, activity: str) -> UnitProgress:
        """How far the unit of this activity id is."""
        return self.units.get(activity, UnitProgress())

    def has_done(self, unit: AssignableUnit) -> bool:
        """Whether *unit* counts as done: it is satisfied, or asks for nothing."""
        return unit.move_on == "NotApplicable" or self.unit(unit.activity).satisfied

    def with_unit(self, activity: str, progress: UnitProgress) -> Registration:
        """The registration with other *progress* of a unit."""
        return msgspec.structs.replace(self, units={**self.units, activity: progress})


class LaunchSession(msgspec.Struct, frozen=True):
    """One launch of one unit. *id* is the session id of its statements, *activity* the unit's.

    *activity_type* is the type that its package gives the unit.
    *template* is the context that its statements must contain (10.2.1). *fetch* is the digest of the token in the fetch
    address, *token* that of the authorisation token, empty until it was fetched. *verbs* are those of statements
    defined by cmi5 that came. *last* is when the last statement came (of "allowed" ones within a second the first, so
    that a burst does not write the session each time), *abandoned_by* what ended it, *left* when its learner was taken
    out of the course. *source* is that of its statements, *return_url* where the learner goes at the end. Times are
    microseconds UTC, 0 if it did not happen.

    Content of Tin Can and SCORM has its token from the beginning: in its launch address.
    """

    id: str
    number: int
    registration: str
    course: str
    index: int
    activity: str
    actor: dict[str, Any]
    template: dict[str, Any]
    mode: LaunchMode
    move_on: MoveOn
    fetch: str
    launched: int
    last: int
    mastery_score: float | None = None
    token: str = ""
    launch_data: bool = False
    preferences: bool = False
    verbs: tuple[str, ...] = ()
    initialized: int = 0
    terminated: int = 0
    abandoned: int = 0
    abandoned_by: str = ""
    url: str = ""
    launch_method: str = "AnyWindow"
    client: str = ""
    format: CourseFormat = "cmi5"
    source: str = CONTENT_SOURCE
    return_url: str = ""
    left: int = 0
    activity_type: str = ""
    v: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it was neither terminated nor abandoned, and its learner is still in the course."""
        return not (self.terminated or self.abandoned or self.left)

    def has_token(self, secret: str) -> bool:
        """Whether *secret* is the one that was given out by its fetch address."""
        return bool(self.token) and hmac.compare_digest(self.token.encode(), digest_of(secret).encode())


# -- records ----------------------------------------------------------------------------------------------------------


def registration_of(record: Record) -> Registration:
    """The registration in *record*."""
    return msgspec.json.decode(record.body, type=Registration)


def session_of(record: Record) -> LaunchSession:
    """The session in *record*."""
    return msgspec.json.decode(record.body, type=LaunchSession)


def put_registration(tx: Tx, registration: Registration) -> None:
    """Stores *registration*, new or changed."""
    course = (trials_key if registration.trial else learners_key)(registration.course)
    learner = key("registration.learner", registration.course, agent_text(registration.actor))
    number = key("registration.number", str(registration.number))
    keys = (course, learner, number, _of_agent(REGISTRATION, agent_text(registration.actor)))
    tx.put(_kept(tx, Record(REGISTRATION, registration.id, msgspec.json.encode(registration), keys=keys)))


def learners_key(course: str) -> int:
    """The search key of the registrations of learners in a course."""
    return key("registration.course", course)


def trials_key(course: str) -> int:
    """The search key of the registrations of those who only try a course."""
    return key("registration.trial", course)


def put_session(tx: Tx, session: LaunchSession, owed: tuple[Owed, ...] = ()) -> None:
    """Stores *session*, new or changed."""
    keys = [
        key("launch.registration", session.registration),
        key("launch.fetch", session.fetch),
        key("launch.number", str(session.number)),
        _of_agent(SESSION, agent_text(session.actor)),
    ]
    keys += [open_key(session.registration)] if session.is_open else []
    tx.put(_kept(tx, Record(SESSION, session.id, msgspec.json.encode(session), keys=tuple(keys), owed=owed)))


def _kept(tx: Tx, record: Record) -> Record:
    """*record* in the place in the order that it has had since it was made."""
    old = tx.get(record.kind, record.id)
    return msgspec.structs.replace(record, seq=old.seq, rev=old.rev) if old else record


def registration_in(reader: Reader, name: str, client: str | None = None) -> Registration:
    """A registration by its UUID or its number. Refuses (404), also if another *client* made it."""
    record = _named(reader, REGISTRATION, "registration.number", name)
    found = registration_of(record) if record else None
    if found is None or (client is not None and found.client != client):
        raise Refused(f"there is no registration {name[:40]!r}", status=404, error="not_found")
    return found


def session_in(reader: Reader, name: str, client: str | None = None) -> LaunchSession:
    """A session by its UUID or its number. Refuses (404), also if another *client* made it."""
    record = _named(reader, SESSION, "launch.number", name)
    found = session_of(record) if record else None
    if found is None or (client is not None and found.client != client):
        raise Refused(f"there is no session {name[:40]!r}", status=404, error="not_found")
    return found


def _named(reader: Reader, kind: str, sort: str, name: str) -> Record | None:
    if name.isascii() and name.isdigit():
        found = reader.find(Walk(kind, [key(sort, name)], limit=1)).records
        return found[0] if found else None
    return reader.get(kind, name.lower())


def latest_registration(reader: Reader, course: str, actor: Mapping[str, Any]) -> Registration | None:
    """The newest registration of *actor* in *course*."""
    learner = key("registration.learner", course, agent_text(actor))
    found = reader.find(Walk(REGISTRATION, [learner], newest_first=True, limit=1)).records
    return registration_of(found[0]) if found else None


def fetched_by(reader: Reader, token: str) -> LaunchSession | None:
    """The session whose fetch address has this *token*."""
    found = reader.find(Walk(SESSION, [key("launch.fetch", digest_of(token))], limit=1)).records
    return session_of(found[0]) if found else None


def sessions_of(reader: Reader, registration: str, limit: int = 50) -> list[LaunchSession]:
    """The launches of a registration, the newest first."""
    page = reader.find(Walk(SESSION, [key("launch.registration", registration)], newest_first=True, limit=limit))
    return [session_of(record) for record in page.records]


def open_key(registration: str) -> int:
    """The search key of the sessions of a registration that are open."""
    return key("launch.open", registration)


def agent_text(actor: Mapping[str, Any]) -> str:
    """The identity of *actor*, which has an account."""
    return ifi_text(actor) or ""


def _of_agent(kind: str, text: str) -> int:
    return key(f"{kind} of agent", text)


def _subjects(record: Record) -> Subjects:
    found = identifier_of(msgspec.json.decode(record.body)["actor"])
    return subjects(identifiers=[found.id] if found else ())


def _kind(name: str, body: type[Any], *secret: str) -> Kind:
    def keys(whose: Whose) -> Iterable[int]:
        return (_of_agent(name, text) for agent in whose.agents if (text := ifi_text(agent)))

    return Kind(
        name,
        "fact",
        body,
        1,
        subjects=_subjects,
        retention="evidence",
        exported=True,
        find=by_keys(name, keys),
        shown=without(*secret),
    )


KINDS = (_kind(REGISTRATION, Registration), _kind(SESSION, LaunchSession, "fetch", "token", "template"))
