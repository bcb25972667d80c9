"""What the player is told when content begins: where it is, and the data model that the run-time interface begins with.

Source: SCORM 1.2 Run-Time Environment, 3.4.4. Pure.
"""

from __future__ import annotations

from typing import Any

from adapters.lms.courses.structure import AssignableUnit, shown_title
from adapters.lms.scorm.attempts import KeptAttempt
from adapters.lms.scorm.cmi import Cmi, timespan_of
from adapters.lms.sessions.session import LaunchSession

_NEW = Cmi()


def told(session: LaunchSession, unit: AssignableUnit, kept: KeptAttempt | None) -> dict[str, Any]:
    """The content's address and title, where the learner goes at the end, and ``cmi``."""
    return {
        "entry": session.url,
        "title": shown_title(unit.title),
        "returnUrl": session.return_url,
        "cmi": _cmi(session, unit, kept),
    }


def _cmi(session: LaunchSession, unit: AssignableUnit, kept: KeptAttempt | None) -> dict[str, Any]:
    cmi = kept.cmi if kept else _NEW
    numbers: dict[str, float | None] = {"raw": None, "min": None, "max": None}
    if cmi.score is not None:
        numbers = {"raw": cmi.score.raw, "min": cmi.score.min, "max": cmi.score.max}
    return {
        "core": {
            "student_id": session.actor["account"]["name"],
            "student_name": session.actor.get("name", ""),
            "lesson_location": cmi.location,
            "credit": "credit" if session.mode == "Normal" else "no-credit",
            "lesson_status": cmi.status,
            "entry": _entry(kept),
            "score": {name: "" if number is None else f"{number:g}" for name, number in numbers.items()},
            "total_time": timespan_of(cmi.total),
            "lesson_mode": session.mode.lower(),
        },
        "suspend_data": cmi.suspend_data,
        "launch_data": unit.launch_parameters,
        "student_data": {
            "mastery_score": "" if session.mastery_score is None else f"{session.mastery_score * 100:g}",
            "max_time_allowed": unit.longest,
            "time_limit_action": unit.when_over,
        },
        "student_preference": dict(cmi.preferences),
        "objectives": {str(place): one for place, one in enumerate(cmi.objectives)},
    }


def _entry(kept: KeptAttempt | None) -> str:
    if kept is None:
        return "ab-initio"
    return "resume" if kept.cmi.left == "suspend" or not kept.ended else ""
