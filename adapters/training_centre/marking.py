"""What a mark does to somebody on a roster, and what is still open. Pure: no store, no clock.

A mark says how many marks of the same thing its maker has *seen*. If there are more, somebody else marked it meanwhile:
nothing is overwritten, and the maker is told (409).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from adapters.training_centre.attendees import AttendanceMark, Attendee, Signature, StepMark
from adapters.training_centre.centre_sessions import CentreSession, Marker
from adapters.training_centre.checklists import ChecklistVersion
from adapters.training_centre.files.facts import THERE
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import counted
from lrs.kernel.times import HOUR
from lrs.web.dates import written_day

SAID = {
    "present": "Present",
    "late": "Late",
    "left_early": "Left early",
    "excused": "Excused",
    "absent": "Absent",
    "pass": "Passed",
    "fail": "Failed",
    "na": "Does not apply",
    "": "Not marked",
}
"""What people call each mark."""
LONGEST_WHY = 300
MOST_ATTEMPTS = 5
EARLY = HOUR
"""How long before a session begins who comes early is marked."""
MOST_MARKS = 1_000
"""Marks of one person at one session, with all that were corrected."""


def with_attendance(session: CentreSession, one: Attendee, mark: AttendanceMark, seen: int) -> Attendee:
    """*one* with a *mark* of whether they came, whose maker has *seen* so many before. Raises ``Refused``."""
    if _is_as_told(one.attendance[seen:], mark.value):
        return one
    if len(one.attendance) != seen:
        raise _meanwhile(one, one.attendance[-1])
    _check(session, one, mark)
    if mark.value not in THERE and one.seen():
        message = f"Steps of {one.name} are marked, so they were there. Take those marks back first."
        raise Refused(message, status=409, error="was_seen")
    return replace(one, attendance=(*one.attendance, mark))


def with_step(session: CentreSession, one: Attendee, mark: StepMark, seen: int, known: ChecklistVersion) -> Attendee:
    """*one* with a *mark* of a step of the checklist *known*. A second signature under its attempt holds no more."""
    if mark.step not in {step.id for step in known.content.steps} or not 1 <= mark.attempt <= one.attempts:
        raise Refused("The checklist of this session has no such step.", status=404, error="not_found")
    there = [each for each in one.steps if (each.attempt, each.step) == (mark.attempt, mark.step)]
    if _is_as_told(there[seen:], mark.value):
        return one
    if len(there) != seen:
        raise _meanwhile(one, there[-1])
    _check(session, one, mark)
    if one.mark is not None and one.mark.value not in THERE:
        message = f"Correct first that {one.name} is marked as {SAID[one.mark.value].lower()}."
        raise Refused(message, status=409, error="was_absent")
    kept = tuple(each for each in one.signatures if each.attempt != mark.attempt)
    return replace(one, steps=(*one.steps, mark), signatures=kept)


def with_signature(one: Attendee, signature: Signature, known: ChecklistVersion, seen: int) -> Attendee:
    """*one* with the second *signature* under an attempt, all of whose steps are marked by others.

    Who signs has *seen* so many marks of the attempt: nobody signs a mark that came meanwhile.
    """
    attempt = signature.attempt
    if known.content.signatures < 2 or not is_complete(one, attempt, known):
        message = (
            "There is nothing to sign yet: every step of a checklist that asks for two signatures is marked first."
        )
        raise Refused(message, status=409, error="not_complete")
    if signature.by.who in {mark.by.who for mark in _of_attempt(one, attempt, known)}:
        message = "You marked a step of this yourself. Somebody else has to sign, too."
        raise Refused(message, status=403, error="one_observer")
    _check_apart(one, signature.by)
    if one.signature(attempt) is not None:
        raise Refused("This is signed already.", status=409, error="signed")
    marks = [mark for mark in one.steps if mark.attempt == attempt]
    if len(marks) != seen:
        message = (
            f"Meanwhile {marks[-1].by.said} marked a step of {one.name}: {SAID[marks[-1].value]}. Nothing is signed:"
            " look at it again, and sign if you agree."
        )
        raise Refused(message, status=409, error="changed")
    return replace(one, signatures=(*one.signatures, signature))


def may_be_signed(one: Attendee, attempt: int, by: Marker, known: ChecklistVersion) -> bool:
    """Whether an attempt waits for the second signature, and *by* may put it there."""
    if one.signature(attempt) is not None or not is_complete(one, attempt, known) or one.shares([by.who]):
        return False
    return by.who not in {mark.by.who for mark in _of_attempt(one, attempt, known)}


def with_attempt(session: CentreSession, one: Attendee, known: ChecklistVersion) -> Attendee:
    """*one* with one more attempt, once every step of the last one is marked."""
    if session.is_closed:
        raise Refused("The session is closed: a new attempt belongs to a new session.", status=409, error="closed")
    if not is_complete(one, one.attempts, known):
        raise Refused("Mark every step of this attempt first.", status=409, error="not_complete")
    if one.attempts >= MOST_ATTEMPTS:
        raise Refused(f"A session has at most {MOST_ATTEMPTS} attempts.", status=409, error="too_many")
    return replace(one, attempts=one.attempts + 1)


def is_complete(one: Attendee, attempt: int, known: ChecklistVersion) -> bool:
    """Whether every step of an attempt is marked, and one of them applies."""
    marks = list(_of_attempt(one, attempt, known))
    return len(marks) == len(known.content.steps) and any(mark.value != "na" for mark in marks)


def observer(one: Attendee, attempt: int, known: ChecklistVersion) -> StepMark:
    """The last mark of a complete attempt: who made it answers for it in the statement."""
    return max(_of_attempt(one, attempt, known), key=lambda mark: mark.at)


def still_open(session: CentreSession, everybody: Iterable[Attendee], known: ChecklistVersion | None) -> Iterator[str]:
    """What is open of a session, a sentence each: who is not marked, what was not seen, what is not signed."""
    for one in everybody:
        if not one.is_expected:
            continue
        if one.mark is None:
            yield f"{one.name}: not marked present or absent"
        elif one.mark.value not in THERE:
            continue
        if session.is_hosted and (one.sign_off is None or one.sign_off.answered is None):
            yield f"{one.name}: the hours are not signed off by the supervisor"
        if known is not None:
            yield from _open_steps(one, known)


def _open_steps(one: Attendee, known: ChecklistVersion) -> Iterator[str]:
    seen = one.seen()
    for attempt in range(1, one.attempts + 1):
        of = f" in attempt {attempt}" if one.attempts > 1 else ""
        missing = [step for step in known.content.steps if (attempt, step.id) not in seen]
        critical = sum(step.critical for step in missing)
        if missing:
            also = f", {critical} of them critical" if critical else ""
            yield f"{one.name}: {len(missing)} of {counted(len(known.content.steps), 'step')} not marked{of}{also}"
        elif known.content.signatures > 1 and one.signature(attempt) is None:
            yield f"{one.name}: the second signature is missing{of}"


def _of_attempt(one: Attendee, attempt: int, known: ChecklistVersion) -> Iterator[StepMark]:
    seen = one.seen()
    return (seen[attempt, step.id] for step in known.content.steps if (attempt, step.id) in seen)


def _is_as_told(newer: tuple[AttendanceMark, ...] | list[StepMark] | tuple[StepMark, ...], value: str) -> bool:
    """Whether what came meanwhile says the same: a form that is sent twice, or two trainers who agree."""
    return bool(newer) and newer[-1].value == value


def _meanwhile(one: Attendee, now: AttendanceMark | StepMark) -> Refused:
    message = (
        f"Meanwhile {now.by.said} marked {one.name} here: {SAID[now.value]}. Nothing of yours was stored for it:"
        " look at it again, and mark it once more if you see it differently."
    )
    return Refused(message, status=409, error="changed")


def _check(session: CentreSession, one: Attendee, mark: AttendanceMark | StepMark) -> None:
    if session.state == "cancelled":
        raise Refused("This session was cancelled: nobody attends it.", status=409, error="session_cancelled")
    if not one.is_expected:
        raise Refused(f"There is no seat for {one.name} in this session.", status=409, error="no_seat")
    if session.starts - mark.at > EARLY:
        begins = f"{written_day(session.day)}, {session.at(session.starts):%H:%M}"
        message = f"This session begins on {begins}: marks are taken from an hour before. Nothing was stored."
        raise Refused(message, status=409, error="in_the_future")
    if session.is_closed and not mark.why.strip():
        message = "The session is closed. Say why you correct it: both stay, what was said and the correction."
        raise Refused(message, status=409, error="why")
    if len(mark.why) > LONGEST_WHY:
        raise Refused(f"Say why in at most {LONGEST_WHY} characters.", error="why")
    if len(one.attendance) + len(one.steps) >= MOST_MARKS:
        raise Refused(f"There are {MOST_MARKS} marks of {one.name} already.", status=409, error="too_many")
    _check_apart(one, mark.by)


def _check_apart(one: Attendee, by: Marker) -> None:
    if one.shares([by.who]):
        raise Refused("Nobody marks themselves: somebody else has to.", status=403, error="self_assessed")
