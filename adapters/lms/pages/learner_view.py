"""The data of the page of one learner in a course, as plain values for the template. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.lms.courses.structure import AssignableUnit, Structure, shown_title, units_of
from adapters.lms.pages.view import CourseLearner, done_how
from adapters.lms.sessions.session import LaunchSession, Registration, UnitProgress
from adapters.lms.sessions.vocabulary import LaunchMode
from lrs.web.dates import written_moment

MODES: Mapping[str, LaunchMode] = {"Normal": "Normal", "Browse": "Browse", "Review": "Review"}
_ENDED = {
    "new-launch": "Ended by the next launch",
    "api": "Ended by the program that launched it",
    "timeout": "Ended after a day of silence",
    "staff": "Ended by staff",
    "left": "Ended: the learner left the course",
}


def one_learner(
    found: Registration, structure: Structure, who: CourseLearner, sessions: Iterable[LaunchSession], zone: str
) -> dict[str, Any]:
    """*who* it is of, each part with how far it is, and each launch, the newest first."""
    units = units_of(structure)
    return {
        "id": found.id,
        "name": who.name,
        "platform": who.known_at,
        "version": found.version,
        "began": written_moment(found.at, zone),
        "units": [_unit(found, unit, index) for index, unit in enumerate(units)],
        "launches": [_launch(one, units, zone) for one in sessions],
    }


def _unit(found: Registration, unit: AssignableUnit, index: int) -> dict[str, Any]:
    progress = found.unit(unit.activity)
    state, mood = _state(progress, unit)
    return {
        "index": index,
        "title": shown_title(unit.title),
        "state": state,
        "mood": mood,
        "score": "" if progress.score is None else f"{progress.score * 100:g} %",
        "minutes": round(progress.counted / 60),
        "waived": progress.waived,
        "can_waive": not (found.has_done(unit) or progress.waived),
    }


def _state(progress: UnitProgress, unit: AssignableUnit) -> tuple[str, str]:
    if progress.waived:
        return "Waived", "good"
    if progress.satisfied:
        return done_how([progress])
    if progress.failed:
        return "Failed", "warn"
    if progress.attempted:
        return "Begun", "accent"
    return ("Counts from the beginning", "good") if unit.move_on == "NotApplicable" else ("Not begun", "soft")


def _launch(session: LaunchSession, units: list[AssignableUnit], zone: str) -> dict[str, Any]:
    ended = _ENDED.get(session.abandoned_by, "Ended") if session.abandoned else "Ended by its content"
    return {
        "id": session.id,
        "title": shown_title(units[session.index].title) if session.index < len(units) else "",
        "mode": session.mode,
        "at": written_moment(session.launched, zone),
        "last": written_moment(session.last, zone),
        "is_open": session.is_open,
        "ended": "" if session.is_open else ended,
    }
