"""What a trainer does with a session as a whole: make it, fill its roster, close it. Knows no form and no page.

Before a session is closed marks are records only; closing makes the statements of all of it, and a correction after
that makes its own, in the same commit as the mark (``adapters.training_centre.marks``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from adapters.lms.sessions.place import LmsPlace
from adapters.reading.times import AHEAD
from adapters.training_centre import attendees, centre_sessions, checklists, seats
from adapters.training_centre.attendees import MOST, Attendee
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.day import CentreDay, known_checklist, pinned
from adapters.training_centre.marking import still_open
from adapters.training_centre.planning import changed_in
from adapters.training_centre.told import Telling, anew, store_with, target
from lrs.kernel.errors import Refused
from lrs.kernel.times import SECOND
from lrs.storage import ROWS, Reader, Stale, Tx
from lrs.tenancy import audit


def make(day: CentreDay, one: CentreSession) -> None:
    """Stores a new session of a centre within reach."""
    if day.centres is not None and one.centre not in day.centres:
        raise Refused("You may run sessions of your own centre only.", status=403, error="forbidden")

    def decide(tx: Tx) -> None:
        centre_sessions.add(tx, one)
        audit.append(tx, day.marker.subject, "session.made", {"session": one.id, "centre": one.centre})

    day.tenant.store.write(decide).result()


def enrol(day: CentreDay, id: str, people: Sequence[Attendee]) -> int:
    """Puts *people* onto the roster of a session, all or none; gives their number.

    Raises ``Refused`` (409) for somebody who is on it, or who teaches there. Who waited for a seat, or gave theirs
    back, is there from now on.
    """

    def decide(tx: Tx) -> int:
        _, session = day.session(tx, id)
        _check_takes(session)
        there = attendees.of_session(tx, id)
        for one in people:
            before = next((pair for pair in there.values() if pair[1].shares(one.identifiers)), None)
            if session.lead and one.shares([session.lead.who]):
                message = f"Nobody was added: {one.name} runs this session, and cannot be one of those who attend it."
                raise Refused(message, status=409, error="self_assessed")
            if before is not None and before[1].is_expected:
                message = f"Nobody was added: {before[1].name} is on this roster already."
                raise Refused(message, status=409, error="twice")
            if before is not None:
                attendees.put(tx, replace(before[1], seat="added", at=one.at, by=one.by), before[0])
            else:
                attendees.add(tx, one)
        if sum(one.is_expected for _, one in there.values()) + len(people) > MOST:
            raise Refused(f"A roster has at most {MOST} people. Nobody was added.", status=409, error="too_many")
        return len(people)

    return day.tenant.store.write(decide, weight=ROWS * (1 + len(people))).result()


def open_in(reader: Reader, session: CentreSession) -> list[str]:
    """What is still open of *session*, a sentence each."""
    everybody = (one for _, one in attendees.of_session(reader, session.id).values())
    return list(still_open(session, everybody, known_checklist(reader, session)))


def close(day: CentreDay, id: str) -> CentreSession:
    """Closes a session: its statements are made, and what is open is kept with it. Raises ``Refused`` (409).

    One that is closed stays as it is, so that a form may be sent twice.
    """
    tenant, now = day.tenant, day.tenant.clock()

    def act() -> CentreSession:
        before, session = day.session(tenant.store, id)
        if session.is_closed:
            return session
        if session.state == "cancelled" or session.starts - now > AHEAD.total_seconds() * SECOND:
            message = "This session has not taken place, so there is nothing to close."
            raise Refused(message, status=409, error="in_the_future")
        everybody, known = attendees.of_session(tenant.store, id), known_checklist(tenant.store, session)
        there = [one for _, one in everybody.values() if one.is_expected]
        left = tuple(still_open(session, there, known))
        closed = replace(session, state="closed", closed=now, closed_by=day.marker, open_then=left)
        revs = {name: record.rev for name, (record, _) in everybody.items()}

        def decide(tx: Tx) -> CentreSession:
            if {name: record.rev for name, (record, _) in attendees.of_session(tx, id).items()} != revs:
                raise Stale
            centre_sessions.put(tx, closed, before)
            told = {"session": id, "centre": session.centre, "open": str(len(left))}
            audit.append(tx, day.marker.subject, "session.closed", told)
            return closed

        place = target(tenant, day.subscriptions, session.centre, day.marker.subject)
        return store_with(place, Telling(closed, known, there), decide, [(centre_sessions.KIND, id)])

    return anew(act)


def change(day: CentreDay, id: str, told: Mapping[str, str], root: str) -> CentreSession:
    """Changes the title, time, place and seats of a session in which nobody is marked, by the fields *told* of a form.

    Who booked or waits is told by mail of all but the number of seats; seats that are more go to who waits. Raises
    ``FormFault``, and ``Refused`` (409). *root* is in front of the addresses in the mails.
    """

    def decide(tx: Tx) -> CentreSession:
        record, before = day.session(tx, id)
        if not can_cancel(tx, before):
            message = "A session that is closed or cancelled, or in which somebody is marked, stays as it is."
            raise Refused(message, status=409, error="has_marks")
        now = changed_in(told, before)
        if now == before:
            return before
        centre_sessions.put(tx, now, record)
        place = LmsPlace(day.tenant, day.subscriptions, root)
        if replace(now, seats=before.seats) != before:
            seats.tell_changed(tx, place, now)
        while seats.fill(tx, place, id) is not None:
            pass
        audit.append(tx, day.marker.subject, "session.changed", {"session": id, "centre": now.centre})
        return now

    return day.tenant.store.write(decide, weight=2 * MOST * seats.WEIGHT).result()


def can_cancel(reader: Reader, session: CentreSession) -> bool:
    """Whether *session* can be changed or cancelled: it is open, and nobody has a mark."""
    there = attendees.of_session(reader, session.id).values()
    return session.state == "planned" and not any(one.attendance or one.steps for _, one in there)


def cancel(day: CentreDay, id: str, root: str) -> None:
    """Cancels a session in which nothing is marked; who booked a seat is told. Raises ``Refused`` (409).

    *root* is in front of the addresses in the mails.
    """

    def decide(tx: Tx) -> None:
        record, session = day.session(tx, id)
        if not can_cancel(tx, session):
            message = "A session that is closed, or in which somebody is marked, cannot be cancelled."
            raise Refused(message, status=409, error="has_marks")
        centre_sessions.put(tx, replace(session, state="cancelled"), record)
        seats.tell_cancelled(tx, LmsPlace(day.tenant, day.subscriptions, root), session)
        told = {"session": id, "centre": session.centre}
        audit.append(tx, day.marker.subject, "session.cancelled", told)

    day.tenant.store.write(decide, weight=MOST * seats.WEIGHT).result()


def use_version(day: CentreDay, id: str) -> int:
    """Lets a session work with the current version of its checklist; gives its number.

    Raises ``Refused`` (409) once a step is marked: what was seen was seen by the version of then.
    """

    def decide(tx: Tx) -> int:
        record, session = day.session(tx, id)
        if session.checklist is None:
            raise Refused("This session has no checklist.", status=404, error="not_found")
        if session.is_closed or any(one.steps for _, one in attendees.of_session(tx, id).values()):
            message = "Steps are marked already: this session stays on the version of the checklist that it began with."
            raise Refused(message, status=409, error="version_in_use")
        known = checklists.current(tx, session.checklist.record)
        centre_sessions.put(tx, replace(session, checklist=pinned(known)), record)
        return known.number

    return day.tenant.store.write(decide).result()


def _check_takes(session: CentreSession) -> None:
    if session.state == "cancelled":
        raise Refused("This session was cancelled: nobody attends it.", status=409, error="session_cancelled")
