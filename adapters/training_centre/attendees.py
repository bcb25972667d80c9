"""One person at one session as a record: how they came onto the roster, and every mark that was made of them.

Records: ``attendee`` (id: from the session and what the centre calls the person). A mark is added and never
overwritten; the last one of a thing is what holds. Knows no statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from adapters.reading.people import FileLearner, Ifi, mailbox
from adapters.training_centre.centre_sessions import Marker
from adapters.training_centre.files.facts import Attendance
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import Whose, by_keys, shown_as
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import identifier_of, ifi_text

KIND = "attendee"
MOST = 100
"""People on one roster."""
Seat = Literal["added", "booked", "waiting", "cancelled"]
"""How somebody is on the roster: by a trainer, by a seat of their own, waiting for one, not any more."""
StepResult = Literal["pass", "fail", "na", ""]
"""What was seen of a step; ``""`` takes a mark back."""


class AttendanceMark(msgspec.Struct, frozen=True):
    """Whether somebody came: *value* ``""`` takes a mark back. *minutes* is how long they were there, where known.

    *why* is said of every mark after the session was closed.
    """

    value: Attendance | Literal[""]
    at: int
    by: Marker
    why: str = ""
    minutes: int | None = None


class StepMark(msgspec.Struct, frozen=True):
    """What was seen of one step in one attempt."""

    attempt: int
    step: str
    value: StepResult
    at: int
    by: Marker
    why: str = ""


class Signature(msgspec.Struct, frozen=True):
    """The second signature under an attempt."""

    attempt: int
    at: int
    by: Marker


class SignOff(msgspec.Struct, frozen=True):
    """What a host's supervisor was asked, and answered. *until* is when the link ends, *hours* what they confirmed."""

    supervisor: str
    address: str
    asked: int
    until: int
    answered: int | None = None
    hours: float | None = None
    agrees: bool | None = None
    said: str = ""

    @property
    def who(self) -> Ifi:
        """The supervisor as statements call them, who is named here from the day they are asked."""
        return mailbox(self.address.lower())


class Attendee(msgspec.Struct, frozen=True):
    """One person at a session. *key* is what the centre calls them, as in its files; *identifiers* strongest first.

    *person* is set for somebody who booked. *at* is since when they have this *seat* (microseconds UTC).
    """

    session: str
    key: str
    identifiers: tuple[Ifi, ...]
    name: str
    seat: Seat
    at: int
    by: str
    person: str = ""
    attempts: int = 1
    attendance: tuple[AttendanceMark, ...] = ()
    steps: tuple[StepMark, ...] = ()
    signatures: tuple[Signature, ...] = ()
    sign_off: SignOff | None = None
    v: int = 1

    @property
    def id(self) -> str:
        """The id of its record."""
        return attendee_id(self.session, self.key)

    @property
    def learner(self) -> FileLearner:
        """The person as the row of a file gives them."""
        return FileLearner(self.key, self.identifiers)

    @property
    def is_expected(self) -> bool:
        """Whether they are on the roster: with a seat, not waiting for one."""
        return self.seat in {"added", "booked"}

    @property
    def mark(self) -> AttendanceMark | None:
        """Whether they came, as it stands."""
        return self.attendance[-1] if self.attendance and self.attendance[-1].value else None

    def seen(self) -> dict[tuple[int, str], StepMark]:
        """What was seen of each step in each attempt, as it stands. It passes over all marks once."""
        latest = {(one.attempt, one.step): one for one in self.steps}
        return {place: one for place, one in latest.items() if one.value}

    def step(self, attempt: int, step: str) -> StepMark | None:
        """What was seen of one step, as it stands."""
        return self.seen().get((attempt, step))

    def times_seen(self) -> Counter[tuple[int, str]]:
        """How many marks there are of each step in each attempt: who marks one says how many they saw."""
        return Counter((one.attempt, one.step) for one in self.steps)

    def seen_of(self, attempt: int, step: str) -> int:
        """How many marks of one step there are."""
        return self.times_seen()[attempt, step]

    def signature(self, attempt: int) -> Signature | None:
        """The second signature under an attempt."""
        return next((one for one in reversed(self.signatures) if one.attempt == attempt), None)

    def shares(self, identifiers: Iterable[Ifi]) -> bool:
        """Whether one of *identifiers* is theirs."""
        return not {(one.home, one.name.casefold()) for one in self.identifiers}.isdisjoint(
            (one.home, one.name.casefold()) for one in identifiers
        )


def attendee_id(session: str, learner: str) -> str:
    """The id of the record of a learner (by the centre's name) at a session (by the id of its record)."""
    return name(KIND, session, learner)


def session_key(session: str) -> int:
    """The search key of everybody of a session."""
    return key("attendee.session", session)


def expected_key(session: str) -> int:
    """The search key of those of a session who have a seat: they are counted without reading them."""
    return key("attendee.expected", session)


def of_session(reader: Reader, session: str) -> dict[str, tuple[Record, Attendee]]:
    """Everybody of a session by the id of their record, in the order in which they came onto it."""
    found = ((record, attendee_of(record)) for record in each(reader, KIND, session_key(session)))
    return {record.id: (record, one) for record, one in sorted(found, key=lambda pair: (pair[1].at, pair[0].id))}


def of_person(reader: Reader, person: str) -> Iterator[Attendee]:
    """Where *person* booked a seat, or waits for one."""
    return map(attendee_of, each(reader, KIND, key("attendee.person", person)))


def attendee(reader: Reader, session: str, id: str) -> tuple[Record, Attendee]:
    """One of a session. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    one = attendee_of(record) if record else None
    if record is None or one is None or one.session != session:
        raise Refused("There is nobody of this kind on the roster.", status=404, error="not_found")
    return record, one


def add(tx: Tx, one: Attendee) -> None:
    """Puts somebody new onto a roster."""
    tx.insert(record_of(one))


def put(tx: Tx, one: Attendee, before: Record) -> None:
    """Stores *one* in the place of *before*. Raises ``Stale`` if that is not the stored one any more."""
    tx.replace(record_of(one, before.rev, before.seq))


def attendee_of(record: Record) -> Attendee:
    """The person in *record*."""
    return msgspec.json.decode(record.body, type=Attendee)


def record_of(one: Attendee, rev: int = 0, seq: int = 0) -> Record:
    """The record of *one*."""
    keys = [key("attendee.session", one.session), *(_ifi_key(each.agent().as_version()) for each in _named(one))]
    keys += [key("attendee.person", one.person)] if one.person else []
    keys += [expected_key(one.session)] if one.is_expected else []
    return Record(KIND, one.id, msgspec.json.encode(one), keys=tuple(dict.fromkeys(keys)), rev=rev, seq=seq)


def _named(one: Attendee) -> Iterator[Ifi]:
    """Everybody whom the record names: the person, who marked or signed, and the supervisor who was asked."""
    yield from one.identifiers
    yield from dict.fromkeys(_makers(one))
    if one.sign_off:
        yield one.sign_off.who


def _makers(one: Attendee) -> Iterator[Ifi]:
    """Who made each mark and signature."""
    yield from (mark.by.who for mark in one.attendance)
    yield from (mark.by.who for mark in one.steps)
    yield from (signature.by.who for signature in one.signatures)


def _ifi_key(agent: Mapping[str, Any]) -> int:
    return key("attendee.ifi", ifi_text(agent) or "")


def _about(record: Record) -> Subjects:
    one = attendee_of(record)
    known = [identifier_of(each.agent().as_version()) for each in _named(one)]
    return subjects(persons=[one.person] if one.person else (), identifiers=[each.id for each in known if each])


def _keys(whose: Whose) -> Iterator[int]:
    yield from (key("attendee.person", one) for one in whose.persons)
    yield from (_ifi_key(agent) for agent in whose.agents)


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """What was marked of them, without who marked it. Who only marked is shown how often they did.

    A supervisor is shown what is kept of themselves: how they were asked, and what they answered; not of whom.
    """
    one = attendee_of(record)
    mine = {ifi_text(agent) for agent in whose.agents}
    if one.person not in whose.persons and mine.isdisjoint(ifi_text(e.agent().as_version()) for e in one.identifiers):
        made = sum(ifi_text(by.agent().as_version()) in mine for by in _makers(one))
        told: dict[str, Any] = {"session": one.session, "marks_made": made}
        if one.sign_off and ifi_text(one.sign_off.who.agent().as_version()) in mine:
            told["asked_to_sign_off"] = {"name": one.sign_off.supervisor, "address": one.sign_off.address}
        return shown_as(record, told)
    steps = [{"step": it.step, "attempt": it.attempt, "value": it.value, "why": it.why} for it in one.steps]
    came = [{"value": mark.value, "minutes": mark.minutes, "why": mark.why} for mark in one.attendance]
    own = {"session": one.session, "name": one.name, "seat": one.seat, "attendance": came, "steps": steps}
    return shown_as(record, own | {"hours": one.sign_off.hours if one.sign_off else None})


KINDS = (
    Kind(
        KIND,
        "fact",
        Attendee,
        1,
        subjects=_about,
        retention="evidence",
        exported=True,
        find=by_keys(KIND, _keys),
        shown=_shown,
    ),
)
