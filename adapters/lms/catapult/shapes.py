"""Courses, registrations and sessions in the shapes that clients of CATAPULT's player read. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.lms.courses.courses import Course, CourseVersion
from adapters.lms.courses.structure import AssignableUnit, Block, CoursePart, LanguageMap, Structure, units_of
from adapters.lms.sessions.session import LaunchSession, Registration
from adapters.lms.sessions.vocabulary import COMPLETED, FAILED, PASSED
from lrs.kernel.printing import time_of
from lrs.kernel.strict_json import Json


def course_shape(course: Course, version: CourseVersion) -> Json:
    """A course with the structure of its current version."""
    structure = version.structure
    units = list(_units(structure.children, ()))
    objectives = {
        one.id: {"title": _texts(one.title), "description": _texts(one.description)} for one in structure.objectives
    }
    return {
        "id": int(course.id),
        "tenantId": number_of(course.client),
        "lmsId": structure.activity,
        "createdAt": time_of(course.at),
        "updatedAt": time_of(version.at),
        "metadata": {"version": 1, "aus": [unit | {"auIndex": index} for index, unit in enumerate(units)]},
        "structure": {
            "version": "1.0.0",
            "course": {
                "type": "course",
                "id": structure.id,
                "lmsId": structure.activity,
                "title": _texts(structure.title),
                "description": _texts(structure.description),
                "objectives": objectives or None,
                "children": [_part(child, ()) for child in structure.children],
            },
        },
    }


def registration_shape(registration: Registration, structure: Structure) -> Json:
    """A registration, with how far each unit is."""
    return {
        "id": registration.number,
        "tenantId": number_of(registration.client),
        "code": registration.id,
        "courseId": int(registration.course),
        "actor": registration.actor,
        "createdAt": time_of(registration.at),
        "metadata": {
            "version": 1,
            "moveOn": {
                "type": "course",
                "lmsId": structure.activity,
                "pubId": structure.id,
                "satisfied": structure.activity in registration.satisfied,
                "children": [_progress(child, registration) for child in structure.children],
            },
        },
        "aus": [_unit_progress(unit, registration) for unit in units_of(structure)],
    }


def session_shape(session: LaunchSession) -> Json:
    """A session, without what opens it."""
    return {
        "id": session.number,
        "tenantId": number_of(session.client),
        "code": session.id,
        "registrationId": session.registration,
        "auIndex": session.index,
        "createdAt": time_of(session.launched),
        "lastRequestTime": time_of(session.last),
        "launchMode": session.mode,
        "launchMethod": session.launch_method,
        "masteryScore": session.mastery_score,
        "contextTemplate": session.template,
        "launchTokenFetched": bool(session.token),
        "launchDataFetched": session.launch_data,
        "learnerPrefsFetched": session.preferences,
        "isLaunched": True,
        "isInitialized": bool(session.initialized),
        "initializedAt": time_of(session.initialized or None),
        "isCompleted": COMPLETED in session.verbs,
        "isPassed": PASSED in session.verbs,
        "isFailed": FAILED in session.verbs,
        "isTerminated": bool(session.terminated),
        "isAbandoned": bool(session.abandoned),
        "abandonedBy": session.abandoned_by or None,
    }


def number_of(client: str) -> int | None:
    """The number of a client, which the player calls a tenant."""
    return int(client) if client else None


def _texts(texts: LanguageMap) -> list[Json]:
    return [{"lang": tag, "text": text} for tag, text in texts.items()]


def _part(part: CoursePart, parents: Sequence[Block]) -> Json:
    if isinstance(part, AssignableUnit):
        return _unit(part, parents)
    return {
        "type": "block",
        "id": part.id,
        "lmsId": part.activity,
        "title": _texts(part.title),
        "description": _texts(part.description),
        "objectives": list(part.objectives) or None,
        "children": [_part(child, (*parents, part)) for child in part.children],
    }


def _units(children: Sequence[CoursePart], parents: tuple[Block, ...]) -> list[Json]:
    found: list[Json] = []
    for part in children:
        found += [_unit(part, parents)] if isinstance(part, AssignableUnit) else _units(part.children, (*parents, part))
    return found


def _unit(unit: AssignableUnit, parents: Sequence[Block]) -> Json:
    return {
        "type": "au",
        "id": unit.id,
        "lmsId": unit.activity,
        "title": _texts(unit.title),
        "description": _texts(unit.description),
        "objectives": list(unit.objectives) or None,
        "parents": [{"id": parent.id, "title": _texts(parent.title)} for parent in parents],
        "url": unit.url,
        "launchMethod": unit.launch_method,
        "moveOn": unit.move_on,
        "masteryScore": unit.mastery_score,
        "activityType": unit.activity_type or None,
        "launchParameters": unit.launch_parameters or None,
        "entitlementKey": unit.entitlement_key or None,
    }


def _progress(part: CoursePart, registration: Registration) -> Json:
    told = {"lmsId": part.activity, "pubId": part.id}
    if isinstance(part, AssignableUnit):
        return {**told, "type": "au", "satisfied": registration.has_done(part)}
    children = [_progress(child, registration) for child in part.children]
    return {**told, "type": "block", "satisfied": part.activity in registration.satisfied, "children": children}


def _unit_progress(unit: AssignableUnit, registration: Registration) -> Json:
    progress = registration.unit(unit.activity)
    return {
        "hasBeenAttempted": progress.attempted,
        "durationNormal": progress.seconds.get("Normal"),
        "durationBrowse": progress.seconds.get("Browse"),
        "durationReview": progress.seconds.get("Review"),
        "isPassed": progress.passed,
        "isCompleted": progress.completed,
        "isWaived": bool(progress.waived),
        "waivedReason": progress.waived or None,
        "isSatisfied": registration.has_done(unit),
        "metadata": {"version": 1, "moveOn": unit.move_on},
    }
