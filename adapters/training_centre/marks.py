"""Marks and signatures: each is a commit of its own. In a closed session what follows is told in the same commit."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from adapters.lms.sessions.place import LmsPlace
from adapters.training_centre import attendees, centre_sessions, seats
from adapters.training_centre.attendees import AttendanceMark, Attendee, Signature, StepMark
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.checklists import ChecklistVersion
from adapters.training_centre.day import CentreDay, known_checklist
from adapters.training_centre.files.facts import THERE
from adapters.training_centre.marking import with_attempt, with_attendance, with_signature, with_step
from adapters.training_centre.told import Telling, anew, store_with, target
from lrs.kernel.errors import Refused
from lrs.storage import ROWS, Stale, Tx

AttendeeChange = Callable[[CentreSession, Attendee, ChecklistVersion | None], Attendee]
"""What an act makes of somebody on the roster. Pure; raises ``Refused``."""


def mark_attendance(day: CentreDay, id: str, who: str, mark: AttendanceMark, seen: int) -> Attendee:
    """Marks whether somebody came; *seen* is how many marks of it the maker saw. Raises ``Refused``."""
    return change_with(day, id, who, lambda session, one, _: with_attendance(session, one, mark, seen))


def mark_step(day: CentreDay, id: str, who: str, mark: StepMark, *, seen: int, version: int) -> Attendee:
    """Marks a step of the checklist, of which the maker sees *version*. Raises ``Refused``."""

    def change(session: CentreSession, one: Attendee, known: ChecklistVersion | None) -> Attendee:
        if known is None:
            raise Refused("This session has no checklist.", status=404, error="not_found")
        if known.number != version:
            message = (
                f"This session works with version {known.number} of {known.content.title} since you opened the page,"
                f" which showed version {version}. Nothing was stored: look at the steps again."
            )
            raise Refused(message, status=409, error="other_version")
        return with_step(session, one, mark, seen, known)

    return change_with(day, id, who, change)


def pass_others(day: CentreDay, id: str, step: str, version: int) -> int:
    """Marks a step as passed for everybody who is there and of whom nobody marked it; gives their number."""

    def decide(tx: Tx) -> int:
        _, session = day.session(tx, id)
        known = known_checklist(tx, session)
        if session.is_closed or known is None or known.number != version:
            message = "The session was closed, or its checklist changed, since you opened the page. Nothing was stored."
            raise Refused(message, status=409, error="other_version")
        done = 0
        for record, one in attendees.of_session(tx, id).values():
            here = one.is_expected and one.mark is not None and one.mark.value in THERE
            if here and one.step(one.attempts, step) is None:
                mark = StepMark(one.attempts, step, "pass", day.tenant.clock(), day.marker)
                attendees.put(tx, with_step(session, one, mark, one.seen_of(one.attempts, step), known), record)
                done += 1
        return done

    return day.tenant.store.write(decide, weight=ROWS * 10).result()


def all_present(day: CentreDay, id: str) -> int:
    """Marks everybody who has a seat and no mark as present; gives their number."""

    def decide(tx: Tx) -> int:
        _, session = day.session(tx, id)
        if session.is_closed:
            raise Refused("The session is closed. Nothing was stored.", status=409, error="closed")
        done = 0
        for record, one in attendees.of_session(tx, id).values():
            if one.is_expected and one.mark is None:
                mark = AttendanceMark("present", day.tenant.clock(), day.marker)
                attendees.put(tx, with_attendance(session, one, mark, len(one.attendance)), record)
                done += 1
        return done

    return day.tenant.store.write(decide, weight=ROWS * 10).result()


def sign(day: CentreDay, id: str, who: str, attempt: int, *, seen: int) -> Attendee:
    """Puts the second signature under an attempt, of which its maker has *seen* so many marks. Raises ``Refused``."""

    def change(_: CentreSession, one: Attendee, known: ChecklistVersion | None) -> Attendee:
        if known is None or not 1 <= attempt <= one.attempts:
            raise Refused("There is no such checklist to sign.", status=404, error="not_found")
        return with_signature(one, Signature(attempt, day.tenant.clock(), day.marker), known, seen)

    return change_with(day, id, who, change)


def begin_attempt(day: CentreDay, id: str, who: str) -> Attendee:
    """Begins the next attempt at the checklist. Raises ``Refused``."""

    def change(session: CentreSession, one: Attendee, known: ChecklistVersion | None) -> Attendee:
        if known is None:
            raise Refused("This session has no checklist.", status=404, error="not_found")
        return with_attempt(session, one, known)

    return change_with(day, id, who, change)


def change_with(
    day: CentreDay, id: str, who: str, change: AttendeeChange, also: Callable[[Tx], None] = lambda _: None
) -> Attendee:
    """Makes *change* to somebody on a roster, and does *also*. In a closed session what follows is told with it."""
    tenant = day.tenant

    def changed(tx: Tx) -> tuple[Attendee, int]:
        also(tx)
        return _changed(tx, day, id, who, change)

    def act() -> Attendee:
        _, session = day.session(tenant.store, id)
        if not session.is_closed:
            return tenant.store.write(lambda tx: changed(tx)[0]).result()
        record, one = attendees.attendee(tenant.store, id, who)
        known = known_checklist(tenant.store, session)
        telling = Telling(session, known, [change(session, one, known)])

        def decide(tx: Tx) -> Attendee:
            now, rev = changed(tx)
            if rev != record.rev:
                raise Stale
            return now

        place = target(tenant, day.subscriptions, session.centre, day.marker.subject)
        return store_with(place, telling, decide, [(centre_sessions.KIND, id), (attendees.KIND, who)])

    return anew(act)


def _changed(tx: Tx, day: CentreDay, id: str, who: str, change: AttendeeChange) -> tuple[Attendee, int]:
    """The changed person, and the revision that was changed."""
    _, session = day.session(tx, id)
    record, one = attendees.attendee(tx, id, who)
    now = change(session, one, known_checklist(tx, session))
    if now != one:
        attendees.put(tx, now, record)
    return now, record.rev


def leave(day: CentreDay, id: str, who: str, root: str) -> None:
    """Takes somebody off the roster of whom nothing is marked; that is told, and who waits longest has the seat.

    *root* is in front of the addresses that the mail about it names. Raises ``Refused`` (409).
    """

    def decide(tx: Tx) -> None:
        _, session = day.session(tx, id)
        record, one = attendees.attendee(tx, id, who)
        if session.is_closed or one.attendance or one.steps:
            message = f"The marks of {one.name} in this session stay: mark them as absent instead."
            raise Refused(message, status=409, error="has_marks")
        gone = replace(one, seat="cancelled", at=day.tenant.clock(), by=day.marker.subject)
        attendees.put(tx, gone, record)
        if one.is_expected:
            seats.came_free(tx, LmsPlace(day.tenant, day.subscriptions, root), session, one)

    day.tenant.store.write(decide, weight=seats.WEIGHT).result()
