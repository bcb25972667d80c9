"""What an LMS does with registrations and sessions: enrol, waive, abandon; and what follows when a unit is satisfied.

Each is one decision: the changed records and the statements that say so share its commit. Whatever is random or reads a
clock is passed in. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec.structs import replace

from adapters.lms.courses import courses, numbers
from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import AssignableUnit, Structure, units_of
from adapters.lms.sessions import own_statements
from adapters.lms.sessions.place import LmsPlace, store_own
from adapters.lms.sessions.session import (
    REGISTRATION,
    SESSION,
    STEP,
    LaunchSession,
    Registration,
    open_key,
    put_registration,
    put_session,
    registration_in,
    registration_of,
    session_in,
    session_of,
)
from lrs.kernel.errors import Refused
from lrs.storage import Owed, Reader, Tx, each
from lrs.tenancy import audit
from lrs.xapi.statements.formats import is_iri

LONGEST_REASON = 1_000
AbandonedBy = Literal["new-launch", "api", "timeout", "staff", "left"]


def checked_actor(actor: Mapping[str, Any]) -> dict[str, Any]:
    """*actor* as cmi5 wants it (9.2): an Agent with an account. Refuses (400)."""
    account = actor.get("account")
    if not isinstance(account, dict) or not isinstance(account.get("name"), str) or not account["name"]:
        raise Refused("the actor needs an account with homePage and name", pointer="/actor/account")
    if not isinstance(account.get("homePage"), str) or not is_iri(account["homePage"]):
        raise Refused("the actor's account needs a homePage that is an IRI", pointer="/actor/account/homePage")
    if actor.get("objectType", "Agent") != "Agent" or not isinstance(actor.get("name", ""), str):
        raise Refused("the actor must be an Agent, with a name that is a text", pointer="/actor")
    kept: dict[str, Any] = {name: actor[name] for name in ("objectType", "name") if name in actor}
    return {**kept, "account": {"homePage": account["homePage"], "name": account["name"]}}


def enrol_in(tx: Tx, place: LmsPlace, course: Course, actor: dict[str, Any], *, id: str, session: str) -> Registration:
    """Registers *actor* (``checked_actor``) for the current version of *course*, under the new UUID *id*.

    What needs nothing done is satisfied at once (9.6.1.1-3), under the new session id *session*. Refuses (409) a course
    that was withdrawn.
    """
    if course.withdrawn:
        raise Refused("this course was withdrawn: it takes no learners any more", status=409, error="withdrawn")
    version = courses.version_in(tx, course.id, course.version)
    registration = Registration(
        id=id,
        number=numbers.draw(tx, "registration"),
        course=course.id,
        version=version.number,
        actor=actor,
        at=place.tenant.clock(),
        client=course.client,
        format=course.format,
    )
    registration = satisfy_in(tx, place, version.structure, registration, session)
    put_registration(tx, registration)
    return registration


def trial_in(tx: Tx, place: LmsPlace, course: Course, actor: dict[str, Any], *, id: str, session: str) -> Registration:
    """The registration *id* of somebody who tries *course* and is no learner in it, made if there is none."""
    record = tx.get(REGISTRATION, id)
    found = registration_of(record) if record else enrol_in(tx, place, course, actor, id=id, session=session)
    if not found.trial:
        found = replace(found, trial=True)
        put_registration(tx, found)
    return found


def satisfy_in(tx: Tx, place: LmsPlace, structure: Structure, registration: Registration, session: str) -> Registration:
    """*registration*, with the blocks and the course that it satisfies now; stores the statements that say so."""
    for part in own_statements.newly_satisfied(structure, registration):
        store_own(tx, place, own_statements.satisfied(registration, part, session))
        registration = replace(registration, satisfied=(*registration.satisfied, part.activity))
    return registration


def structure_of(reader: Reader, registration: Registration) -> Structure:
    """The structure of the version that *registration* is on."""
    return courses.version_in(reader, registration.course, registration.version).structure


def unit_at(structure: Structure, index: int) -> AssignableUnit:
    """The unit at this place, from 0. Refuses (404)."""
    units = units_of(structure)
    if not 0 <= index < len(units):
        message = f"the course has no unit {index}: its units are 0 to {len(units) - 1}"
        raise Refused(message, status=404, error="not_found")
    return units[index]


def waive_in(tx: Tx, place: LmsPlace, registration: str, index: int, reason: str, *, session: str, by: str) -> None:
    """Lets a unit count as done for *reason* (9.3.7), under the new session id *session*.

    Refuses (409) a unit that is satisfied already, and so one that was waived; 400 without a reason.
    """
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise Refused(f"say why, in 1 to {LONGEST_REASON} characters", pointer="/reason", rule="cmi5 9.3.7.0-2")
    found = registration_in(tx, registration)
    structure = structure_of(tx, found)
    unit = unit_at(structure, index)
    progress = found.unit(unit.activity)
    if progress.satisfied or progress.waived or unit.move_on == "NotApplicable":
        message = "the unit is satisfied already in this registration, so there is nothing to waive"
        raise Refused(message, status=409, error="satisfied", rule="cmi5 9.3.7.0-4")
    changed = found.with_unit(unit.activity, replace(progress, waived=reason.strip(), satisfied=True))
    store_own(tx, place, own_statements.waived(found, unit, reason.strip(), session))
    put_registration(tx, satisfy_in(tx, place, structure, changed, session))
    audit.append(tx, by, "unit.waived", {"registration": found.id, "unit": str(index)})


def abandon_in(tx: Tx, place: LmsPlace, session: LaunchSession, by: AbandonedBy) -> LaunchSession:
    """Ends *session* abnormally (9.3.6), if it is open. Gives it as it is then.

    Only of cmi5 a statement says so: Tin Can and SCORM know no such end, and their content often ends without a word.
    """
    session = session_in(tx, session.id)
    if session.terminated or session.abandoned:
        return session
    if session.format == "cmi5":
        publisher = unit_at(structure_of(tx, registration_in(tx, session.registration)), session.index).id
        store_own(tx, place, own_statements.abandoned(session, publisher))
    ended = replace(session, abandoned=place.tenant.clock(), abandoned_by=by)
    put_session(tx, ended)
    return ended


def leave_in(tx: Tx, registration: str, now: int, by: str) -> None:
    """Ends what is open in *registration*, whose learner is not in the course any more: its content gets no further.

    That the sessions were abandoned is stored by the step ``abandon``, at once.
    """
    for session in list(map(session_of, each(tx, SESSION, open_key(registration)))):
        put_session(tx, replace(session, left=now))
        tx.owe(SESSION, session.id, Owed(STEP, now))
        audit.append(tx, by, "launch.ended", {"registration": registration, "session": session.id})


def abandon_open_in(tx: Tx, place: LmsPlace, registration: str) -> None:
    """Abandons every session of *registration* that is open: a learner has one at a time."""
    for session in list(map(session_of, each(tx, SESSION, open_key(registration)))):
        abandon_in(tx, place, session, "new-launch")
