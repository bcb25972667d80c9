"""Launches a unit for a learner (cmi5 8 and 10): the session, its LMS.LaunchData, the statement launched, the address.

``launch`` needs no HTTP, so whatever brings a learner here (the routes of a platform, LTI, a page) calls it alike.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from adapters.lms.courses import courses, numbers
from adapters.lms.courses.courses import Course, CourseVersion
from adapters.lms.courses.structure import AssignableUnit, LaunchMethod, MoveOn
from adapters.lms.scorm import run_time
from adapters.lms.sessions import acts, own_statements
from adapters.lms.sessions.addresses import launch_address
from adapters.lms.sessions.place import VERSION, LmsPlace, store_own
from adapters.lms.sessions.session import (
    STEP,
    LaunchSession,
    Registration,
    agent_text,
    fetched_by,
    put_session,
    registration_in,
)
from adapters.lms.sessions.vocabulary import LAUNCH_DATA, SESSION_ID, LaunchMode
from lrs.access import OWN_SOURCE
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import HOUR
from lrs.storage import ROWS, Owed, Tx
from lrs.xapi.documents import change
from lrs.xapi.documents.change import DocumentChange
from lrs.xapi.documents.concurrency import Conditions
from lrs.xapi.documents.content import small
from lrs.xapi.documents.resources import STATE, Address
from lrs.xapi.request import JSON

ContextSort = Literal["parent", "grouping", "category", "other"]
IDLE = 24 * HOUR
"""Microseconds after its last statement when an open session is abandoned."""
_WEIGHT = 12 * ROWS


class AddedActivity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An activity that a client adds to the context."""

    id: str


class ContextAdditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client adds to the context that the statements of a session must contain."""

    contextActivities: Mapping[ContextSort, tuple[AddedActivity, ...]] = {}  # noqa: N815 (xAPI spells it so)
    extensions: Mapping[str, Any] = {}


NO_ADDITIONS = ContextAdditions()


class LaunchOrder(msgspec.Struct, frozen=True):
    """What to launch: the unit at *index* of the course of a *registration*, and how.

    Without *mode* it is Review for what the learner has satisfied, else Normal. What is ``None`` is as the publisher
    wrote it. *return_url* is where content leads the learner at its end. *entitlement* is the alternate entitlement key
    (10.2.7.2).
    """

    registration: str
    index: int
    mode: LaunchMode | None = None
    return_url: str = ""
    launch_parameters: str | None = None
    mastery_score: float | None = None
    move_on: MoveOn | None = None
    entitlement: str = ""
    additions: ContextAdditions = NO_ADDITIONS


class UnitLaunched(msgspec.Struct, frozen=True):
    """A launch: the *url* that the learner's browser is sent to, in a window as *method* says."""

    session: LaunchSession
    url: str
    method: LaunchMethod


class FreshNames(msgspec.Struct, frozen=True):
    """What a launch needs that nobody can guess: the id of its session, and the token of its fetch address."""

    session: str
    token: str


def launch(place: LmsPlace, order: LaunchOrder) -> UnitLaunched:
    """Launches as ``launch_in``, in a commit of its own. Not for the event loop."""
    fresh = FreshNames(str(uuid.uuid4()), secrets.token_urlsafe(32))
    return place.tenant.store.write(partial(launch_in, place=place, order=order, fresh=fresh), weight=_WEIGHT).result()


def launch_in(tx: Tx, place: LmsPlace, order: LaunchOrder, fresh: FreshNames) -> UnitLaunched:
    """Abandons what is open in the registration, then makes the session and what cmi5 wants before a launch.

    Refuses: 404 for a registration or unit that there is not, 409 for a course that was withdrawn and where no host is
    set for a package.
    """
    registration = registration_in(tx, order.registration)
    course = courses.course_in(tx, registration.course)
    if course.format == "scorm":
        run_time.check(place.tenant.settings)
    if course.withdrawn:
        raise Refused("this course was withdrawn: it cannot be launched any more", status=409, error="withdrawn")
    version = courses.version_in(tx, registration.course, registration.version)
    unit = acts.unit_at(version.structure, order.index)
    session = _session(tx, place, order, fresh, (registration, course, version))
    acts.abandon_open_in(tx, place, registration.id)
    parameters = unit.launch_parameters if order.launch_parameters is None else order.launch_parameters
    if session.format == "cmi5":
        _write_launch_data(tx, session, launch_data(session, unit, order, parameters))
    store_own(tx, place, own_statements.launched(session, unit, parameters))
    put_session(tx, session, owed=(Owed(STEP, session.launched + IDLE),))
    return UnitLaunched(session, launch_address(place, session, fresh.token), unit.launch_method)


def _session(
    tx: Tx, place: LmsPlace, order: LaunchOrder, fresh: FreshNames, of: tuple[Registration, Course, CourseVersion]
) -> LaunchSession:
    registration, course, version = of
    unit, now = acts.unit_at(version.structure, order.index), place.tenant.clock()
    url = unit.url if urlsplit(unit.url).scheme else f"{place.content(version.package)}/{unit.url}"
    return LaunchSession(
        id=fresh.session,
        number=numbers.draw(tx, "session"),
        registration=registration.id,
        course=registration.course,
        index=order.index,
        activity=unit.activity,
        activity_type=unit.activity_type,
        actor=registration.actor,
        template=context_template(unit, fresh.session, order.additions),
        mode=order.mode or ("Review" if registration.unit(unit.activity).satisfied else "Normal"),
        move_on=order.move_on or unit.move_on,
        fetch=digest_of(fresh.token),
        token="" if course.format == "cmi5" else digest_of(fresh.token),
        launched=now,
        last=now,
        mastery_score=unit.mastery_score if order.mastery_score is None else order.mastery_score,
        url=url,
        launch_method=unit.launch_method,
        client=registration.client,
        format=course.format,
        source=course.content_source,
        return_url=order.return_url,
    )


def context_template(unit: AssignableUnit, session: str, additions: ContextAdditions) -> dict[str, Any]:
    """The context that statements of a session must contain (10.2.1); *additions* replace nothing of it."""
    activities = {sort: [{"id": one.id} for one in some] for sort, some in additions.contextActivities.items()}
    activities["grouping"] = [{"id": unit.id}, *activities.get("grouping", ())]
    return {"contextActivities": activities, "extensions": {**additions.extensions, SESSION_ID: session}}


def launch_data(session: LaunchSession, unit: AssignableUnit, order: LaunchOrder, parameters: str) -> dict[str, Any]:
    """The State document LMS.LaunchData (10.2)."""
    keys = {"courseStructure": unit.entitlement_key, "alternate": order.entitlement}
    entitlement = {name: value for name, value in keys.items() if value}
    told = {
        "contextTemplate": session.template,
        "launchMode": session.mode,
        "launchMethod": session.launch_method,
        "moveOn": session.move_on,
        "masteryScore": session.mastery_score,
        "launchParameters": parameters or None,
        "returnURL": order.return_url or None,
        "entitlementKey": entitlement or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _write_launch_data(tx: Tx, session: LaunchSession, told: dict[str, Any]) -> None:
    address = Address(STATE.kind, session.activity, agent_text(session.actor), session.registration, LAUNCH_DATA)
    content = small(JSON, msgspec.json.encode(told))
    change.put(tx, DocumentChange(address, Conditions(), VERSION, content, OWN_SOURCE))


def fetch_in(tx: Tx, token: str, secret: str) -> str | None:
    """The authorisation token that goes with the fetch address of *token* (8.2), made of the new *secret*, once.

    ``None`` if it was fetched before, if there is no such address, or if the session is over.
    """
    session = fetched_by(tx, token)
    if session is None or session.token or not session.is_open:
        return None
    put_session(tx, msgspec.structs.replace(session, token=digest_of(secret)))
    return f"{session.id}:{secret}"
