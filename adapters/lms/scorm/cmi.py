"""What content of SCORM 1.2 says of itself, as ``scorm-again`` commits it: the data model ``cmi``. Pure.

Source: SCORM 1.2 Run-Time Environment, 3.4. What is not of the right form is left out, as if it had not been said: a
commit is the state of a whole attempt, and one number that is none must not lose the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import parse

LessonStatus = Literal["passed", "completed", "failed", "incomplete", "browsed", "not attempted"]
FINAL = frozenset({"passed", "completed", "failed"})
MOST_BYTES = 1024 * 1024
MOST_INTERACTIONS = 500
_STATUSES = frozenset(get_args(LessonStatus))
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")
_TIME = re.compile(r"(\d{2,4}):([0-5]\d):([0-5]\d(?:\.\d{1,2})?)")
_LONGEST = {"suspend_data": 64_000, "comments": 4_096}
_LONGEST_WORD, _LONGEST_ID = 1_000, 255


class ScormScore(msgspec.Struct, frozen=True, omit_defaults=True):
    """``cmi.core.score``; a missing end of the range is ``None``."""

    raw: float
    min: float | None = None
    max: float | None = None

    @property
    def scaled(self) -> float | None:
        """Between -1 and 1. Without *max* raw counts from 0 to 100 (SCORM 1.2); ``None`` for a range that is none."""
        most, least = 100.0 if self.max is None else self.max, self.min or 0.0
        if not least <= self.raw <= most or most <= least:
            return None
        return round((self.raw - least) / (most - least), 6)


class Interaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of ``cmi.interactions``: a question, and what the learner answered."""

    id: str
    type: str = ""
    response: str = ""
    result: str = ""
    patterns: tuple[str, ...] = ()
    latency: str = ""
    weighting: str = ""


class Cmi(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of an attempt. *session* and *total* are seconds; *left* is ``cmi.core.exit``."""

    status: LessonStatus = "not attempted"
    score: ScormScore | None = None
    location: str = ""
    suspend_data: str = ""
    left: str = ""
    session: float = 0.0
    total: float = 0.0
    comments: str = ""
    preferences: Mapping[str, str] = {}
    objectives: tuple[Mapping[str, Any], ...] = ()
    interactions: tuple[Interaction, ...] = ()


class ScormCommit(msgspec.Struct, frozen=True):
    """A commit: the state; ``None`` at the beginning. *ended*: no other follows. *gone*: the window was just closed."""

    cmi: Cmi | None
    ended: bool = False
    gone: bool = False


def read_commit(text: bytes) -> ScormCommit:
    """The commit in *text*. Refuses (400) what is none."""
    told = parse(text)
    if isinstance(told, dict) and told.get("began") is True:
        return ScormCommit(None)
    cmi = told.get("cmi") if isinstance(told, dict) else None
    if not isinstance(cmi, dict):
        raise Refused("a commit is an object with cmi", pointer="/cmi")
    gone = told.get("gone") is True
    return ScormCommit(_cmi(cmi), told.get("ended") is True or gone, gone)


def _cmi(told: Mapping[str, Any]) -> Cmi:
    core = _object(told, "core")
    status = _text(core, "lesson_status")
    return Cmi(
        status=status if status in _STATUSES else "not attempted",  # type: ignore[arg-type]  # one of them
        score=_score(_object(core, "score")),
        location=_text(core, "lesson_location"),
        suspend_data=_text(told, "suspend_data"),
        left=_text(core, "exit"),
        session=seconds_of(_text(core, "session_time")),
        total=seconds_of(_text(core, "total_time")),
        comments=_text(told, "comments"),
        preferences={name: value for name, value in _object(told, "student_preference").items() if _is_word(value)},
        objectives=tuple(_objective(one) for one in _listed(told, "objectives")),
        interactions=tuple(_interaction(one) for one in _listed(told, "interactions") if _text(one, "id")),
    )


def _objective(told: Mapping[str, Any]) -> Mapping[str, Any]:
    score = {name: value for name, value in _object(told, "score").items() if _is_word(value)}
    return {"id": _text(told, "id"), "status": _text(told, "status"), "score": score}


def _interaction(told: Mapping[str, Any]) -> Interaction:
    patterns = (_text(one, "pattern") for one in _listed(told, "correct_responses"))
    return Interaction(
        _text(told, "id")[:_LONGEST_ID],
        _text(told, "type"),
        _text(told, "student_response"),
        _text(told, "result"),
        tuple(filter(None, patterns)),
        _text(told, "latency"),
        _text(told, "weighting"),
    )


def _score(told: Mapping[str, Any]) -> ScormScore | None:
    raw, least, most = (number_of(_text(told, name)) for name in ("raw", "min", "max"))
    return None if raw is None else ScormScore(raw, least, most)


def number_of(text: str) -> float | None:
    """The number that *text* is (CMIDecimal)."""
    return float(text) if _NUMBER.fullmatch(text) else None


def seconds_of(text: str) -> float:
    """The seconds of a CMITimespan, ``HHHH:MM:SS.SS``; 0 for another text."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * 3_600 + int(found[2]) * 60 + float(found[3]) if found else 0.0


def timespan_of(seconds: float) -> str:
    """*seconds* as a CMITimespan."""
    hundredths = max(0, min(round(seconds * 100), 9_999 * 360_000 + 359_999))
    hours, rest = divmod(hundredths, 360_000)
    return f"{hours:04}:{rest // 6_000:02}:{rest % 6_000 // 100:02}.{rest % 100:02}"


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _listed(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """An array of the data model, which comes as a list or as an object with the places as names."""
    found = told.get(name)
    if isinstance(found, dict):
        places = [one for one in found if one.isascii() and one.isdigit() and len(one) < 10]
        found = [found[place] for place in sorted(places, key=int)]
    listed = found if isinstance(found, list) else []
    return [one for one in listed[:MOST_INTERACTIONS] if isinstance(one, dict)]


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name, "")
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        found = f"{found:.9g}"
    return found[: _LONGEST.get(name, _LONGEST_WORD)] if isinstance(found, str) else ""


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD
