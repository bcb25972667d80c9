"""Learners who were led into a course of ours by a link of a platform, and the grades that follow from it.

A learner has one registration in a course for each course of a platform. Records: ``lti-enrolment``, which says to
which links the grade of a registration goes. Every statement that launched content sends owes the step ``lti-score``:
it looks at the registration, and owes the platform a grade where that has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapters.lms.courses import courses as own_courses
from adapters.lms.courses.courses import Course
from adapters.lms.courses.structure import AssignableUnit, Structure, units_of
from adapters.lms.lti import courses, grades
from adapters.lms.lti.courses import LtiLink, LtiMember
from adapters.lms.lti.grades import Reached
from adapters.lms.sessions.acts import checked_actor, enrol_in, leave_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import REGISTRATION, Registration, UnitProgress, registration_of
from lrs.access import OWN_SOURCE, is_of_content
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.storage import ROWS, Claim, Reader, Record, Tx, each
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.subscriptions import StatementToStore, StepQuestion

KIND, STEP = "lti-enrolment", "lti-score"
COURSE = "course:"
"""How what a link opens begins that is a course of ours; its number follows, and for one unit ``#`` and its index."""
POINTS = 100.0


class LtiEnrolment(msgspec.Struct, frozen=True):
    """That the grade of a *registration* goes to the column of a *link*, for a *user* who is *person*."""

    registration: str
    link: str
    user: str
    person: str
    v: int = 1


class OpenedCourse(msgspec.Struct, frozen=True):
    """A course that a link opens: its units with their places, all or one, and how far the learner is."""

    course: Course
    structure: Structure
    units: tuple[tuple[int, AssignableUnit], ...]
    registration: Registration | None


_decoder = msgspec.json.Decoder(LtiEnrolment)
CLOSED = "closed"
"""The page under the address of the tool to which a unit leads that was opened in a window of its own."""


def opened(reader: Reader, link: LtiLink, user: str) -> OpenedCourse:
    """What *link* opens for *user*.

    Raises ``Refused``: 404, also for a course that a client sent and alone sees, or 409 for one that was withdrawn.
    """
    number, _, index = link.opens.removeprefix(COURSE).partition("#")
    try:
        course = own_courses.course_in(reader, number, client="")
    except Refused as refused:  # whoever edits the link can write any number
        message = "This link opens a course that is not here. Ask your teacher to choose it again."
        raise Refused(message, status=404, error="not_found") from refused
    if course.withdrawn:
        raise Refused(
            "This course was withdrawn. Ask your teacher what takes its place.", status=409, error="withdrawn"
        )
    record = reader.get(REGISTRATION, registration_id(course, link, user))
    registration = registration_of(record) if record else None
    if registration is not None and (registration.course, registration.client) != (course.id, course.client):
        # the id can be worked out, and clients choose the ids of their registrations
        raise Refused(
            "Another program holds your place in this course. Tell your teacher.", status=409, error="conflict"
        )
    version = own_courses.version_in(reader, course.id, registration.version if registration else course.version)
    units = list(enumerate(units_of(version.structure)))
    if index:
        units = [one for one in units if str(one[0]) == index]
        if not units:
            raise Refused("The unit of this link is not in the course any more.", status=404, error="not_found")
    return OpenedCourse(course, version.structure, tuple(units), registration)


def way_back(found: OpenedCourse, index: int, tool: str, place: str) -> str:
    """Where the unit *index* leads at its end: to *place* under the address of the *tool*, if it is in the same frame.

    A window of its own has no cookie of the frame's, so there it says that it can be closed.
    """
    own = any(one.launch_method == "OwnWindow" for at, one in found.units if at == index)
    return f"{tool}/{CLOSED if own else place}"


def registration_id(course: Course, link: LtiLink, user: str) -> str:
    """The id of the registration of *user* in *course*, for the course of the platform in which *link* is."""
    return name("lti-registration", course.id, link.course, user)


def enrol(
    tx: Tx, place: LmsPlace, id: str, member: LtiMember, names: tuple[Mapping[str, str], str]
) -> tuple[OpenedCourse, Registration]:
    """The course that the link *id* opens, and the registration of *member*, made if there is none.

    Its grade goes to that link from now on. *names* are the account by which statements call the learner, and a new
    session id. Raises ``Refused``.
    """
    account, session = names
    link = courses.link(tx, id)
    if link is None:
        raise Refused("There is no such link any more.", status=404, error="not_found")
    found = opened(tx, link, member.user)
    registration = found.registration or enrol_in(
        tx,
        place,
        found.course,
        checked_actor({"account": account}),
        id=registration_id(found.course, link, member.user),
        session=session,
    )
    one = LtiEnrolment(registration.id, id, member.user, member.person)
    keys = (key("lti.enrolment", registration.id), key("lti.enrolment-person", member.person))
    record = Record(KIND, name(KIND, registration.id, id), msgspec.json.encode(one), keys=keys)
    if tx.get(KIND, record.id) is None:
        tx.insert(record)
    return found, registration


def leave(tx: Tx, member: LtiMember, now: int) -> None:
    """Ends what *member*, who is not in their course any more, has open of the courses of ours in it."""
    found = [_decoder.decode(record.body) for record in each(tx, KIND, key("lti.enrolment-person", member.person))]
    for one in found:
        link = courses.link(tx, one.link)
        if one.user == member.user and link is not None and link.course == member.course:
            leave_in(tx, one.registration, now, "learning platform")


# -- grades ---------------------------------------------------------------------------------------------------------


def asks(_: Sequence[StatementToStore], _of: Tenant | None) -> StepQuestion:
    """The question that a subscription asks."""
    return StepQuestion(_wants)


def _wants(_: Tx, records: Sequence[Record]) -> set[str]:
    """Those statements, about to be stored, that may change a grade: content sent them, or we did for a course."""
    sources = {record.id: str(record.meta.get("source", "")) for record in records}
    return {id for id, source in sources.items() if source == OWN_SOURCE or is_of_content(source)}


def score(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step: owes the grades that follow from the registrations that these statements are of."""
    found = {one for claim in claims if (one := _registration_in(claim.record))}

    def decide(tx: Tx) -> None:
        for id in sorted(found):
            owe_grades(tx, id, tenant.clock())

    tenant.store.settle(claims, decide, weight=ROWS * (1 + 2 * len(found))).result()


def owe_grades(tx: Tx, id: str, now: int) -> None:
    """Owes each link of the registration *id* its grade, if it has changed."""
    enrolments = [_decoder.decode(record.body) for record in each(tx, KIND, key("lti.enrolment", id))]
    record = tx.get(REGISTRATION, id) if enrolments else None
    if record is None:
        return
    registration = registration_of(record)
    structure = own_courses.version_in(tx, registration.course, registration.version).structure
    for one in enrolments:
        link = courses.link(tx, one.link)
        reached = reached_in(registration, structure, link.opens.partition("#")[2], now) if link else None
        if reached is not None:
            grades.owe(tx, one.link, one.user, reached, now)


def reached_in(registration: Registration, structure: Structure, index: str, now: int) -> Reached | None:
    """The points of a course, or of the unit with this *index*: the mean of its units. ``None`` before anything came.

    A unit has the score that came with passed or failed; without one, all points once it counts as done.
    """
    units = [unit for place, unit in enumerate(units_of(structure)) if index in {"", str(place)}]
    progress = [registration.unit(unit.activity) for unit in units]
    if not progress or not any(one.score is not None or one.satisfied for one in progress):
        return None
    points = sum(_share(registration, unit) for unit in units) / len(units) * POINTS
    return Reached(round(points, 2), POINTS, now, is_done=all(map(registration.has_done, units)))


def state_of(progress: UnitProgress) -> str:
    """How far a unit is: ``done``, ``failed``, ``begun`` or ``new``."""
    if progress.satisfied:
        return "done"
    if progress.failed:
        return "failed"
    return "begun" if progress.attempted else "new"


def _share(registration: Registration, unit: AssignableUnit) -> float:
    score = registration.unit(unit.activity).score
    if score is not None:
        return max(0.0, score)
    return 1.0 if registration.has_done(unit) else 0.0


def _registration_in(record: Record) -> str:
    try:
        told: Any = strict_json.parse(record.body)
    except Refused:
        return ""
    found = told.get("context", {}).get("registration") if isinstance(told, dict) else None
    return found if isinstance(found, str) else ""


KINDS = (
    Kind(
        KIND,
        "fact",
        LtiEnrolment,
        1,
        subjects=of_person(_decoder.decode),
        retention="evidence",
        exported=True,
        find=by_person(KIND, "lti.enrolment-person"),
    ),
)
