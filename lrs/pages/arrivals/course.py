"""A course, or any activity: who began, finished and passed it, with which score. Pure except for ``read``.

A statement is about it if the object is the activity, an attempt at it, or something that was handed in for it. A
statement about a part of it says that somebody began it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import merge
from typing import Any

import msgspec

from lrs.access import is_own
from lrs.competency.completion import COMPLETED, UNCOMPLETED
from lrs.competency.rules.rules import Index
from lrs.competency.rules.scores import percent
from lrs.competency.rules.unmatched import ATTEMPT
from lrs.competency.rules.verbs import VERBS
from lrs.competency.seen import Activity, SeenStatement, is_group, look
from lrs.storage import Reader, Record, Walk, micros_of, walked
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import activity_key, source_key

LOOKED_AT = 5_000
"""How many of the newest statements of a course are read, of all sources together."""
MOST_BYTES = 16 * 1024 * 1024
"""Limit for the bytes of these statements, so that a page needs little memory whatever was sent."""
_PAGE = 200
HANDED_IN = "https://xapi.edlm/profiles/edlm-lms/concepts/activity-types/submission"
_INSIDE = frozenset({ATTEMPT, HANDED_IN})
_PASSED = frozenset({VERBS["passed"], VERBS["mastered"]})
_FAILED = VERBS["failed"]
STATES = ("began", "finished", "passed", "failed")


@dataclass(slots=True)
class Progress:
    """The progress of one person. Times are when it was stored (microseconds UTC), *best* is in per cent."""

    agent: str
    actor: Mapping[str, Any]
    began: int
    last: int
    finished: int | None = None
    passed: int | None = None
    failed: int | None = None
    best: Fraction | None = None

    @property
    def state(self) -> str:
        """The progress as one of ``STATES``."""
        if self.passed is not None:
            return "passed"
        if self.failed is not None:
            return "failed"
        return "finished" if self.finished is not None else "began"


@dataclass(frozen=True, slots=True)
class CourseSeen:
    """All persons seen in it, by their texts.

    *looked_at* is how many statements were read, *is_whole* whether these are all.
    """

    people: Mapping[str, Progress] = field(default_factory=dict)
    looked_at: int = 0
    is_whole: bool = True


def read(reader: Reader, activity: str, sources: Collection[str] | None) -> tuple[list[Record], bool]:
    """The newest statements of *activity*, oldest first, and whether these are all. *sources* are as for a list.

    At most ``LOOKED_AT`` statements and ``MOST_BYTES``; a page of each source is in memory as well.
    """
    about = activity_key(activity, related=True)
    keys = [[about]] if sources is None else [[about, source_key(one)] for one in sorted(sources)]
    most = MOST_BYTES // max(1, len(keys))
    walks = [walked(reader, Walk("statement", one, newest_first=True, limit=_PAGE, most=most)) for one in keys]
    found: list[Record] = []
    size = 0
    for record in merge(*walks, key=lambda one: -one.seq):
        size += len(record.body)
        if found and (len(found) == LOOKED_AT or size > MOST_BYTES):
            return found[::-1], False
        found.append(record)
    return found[::-1], True


def course_of(records: Iterable[Record], activity: str, index: Index, *, is_whole: bool = True) -> CourseSeen:
    """The progress of all persons in *activity* by *records*, oldest first."""
    people: dict[str, Progress] = {}
    scaled = _range(activity, index)
    count = 0
    for record in records:
        count += 1
        seen = _look(record)
        agent = ifi_text(seen.actor) if seen and not is_group(seen) else None
        if seen is None or agent is None:
            continue
        at = micros_of(record.seq)
        one = people.setdefault(agent, Progress(agent, seen.actor, at, at))
        one.last = at
        one.actor = seen.actor if seen.actor.get("name") else one.actor
        if _is_about(seen, activity):
            _add(one, seen, at, scaled)
    return CourseSeen(people, count, is_whole)


def scores(people: Iterable[Progress]) -> list[tuple[str, float, str]]:
    """How many persons have a best score in each ten per cent, for ``lrs.web.chart.bars``; empty without scores."""
    counts = [0] * 10
    for one in people:
        if one.best is not None:
            counts[min(9, max(0, int(one.best) // 10))] += 1
    if not any(counts):
        return []
    ends = [*range(9, 90, 10), 100]
    return [
        (f"{at * 10} to {end}\N{NO-BREAK SPACE}%", n, str(n))
        for at, (end, n) in enumerate(zip(ends, counts, strict=True))
    ]


def _look(record: Record) -> SeenStatement | None:
    if is_own(record.meta.get("source")) or record.meta.get("voided"):
        return None
    try:
        return look(record)
    except msgspec.MsgspecError:
        return None


def _is_about(seen: SeenStatement, activity: str) -> bool:
    if seen.object.id == activity:
        return True
    return seen.object.definition.type in _INSIDE and _first_parent(seen) == activity


def _first_parent(seen: SeenStatement) -> str:
    parents: list[Activity] | Activity = seen.context.contextActivities.parent
    listed = parents if isinstance(parents, list) else [parents]
    return next((one.id for one in listed if one.definition.type not in _INSIDE), "")


def _add(one: Progress, seen: SeenStatement, at: int, scaled: tuple[float, float]) -> None:
    result, verb = seen.result, seen.verb.id
    if verb in UNCOMPLETED:
        one.finished = None
        return
    if verb in COMPLETED or result.completion:
        one.finished = one.finished or at
    if verb in _PASSED or (result.success is True and verb != _FAILED):
        one.passed = one.passed or at
    elif verb == _FAILED or result.success is False:
        one.failed = at
    score = percent(result.score, scaled)
    if score is not None and (one.best is None or score > one.best):
        one.best = score


def _range(activity: str, index: Index) -> tuple[float, float]:
    """The range of ``scaled`` that a rule for *activity* asks for."""
    return next((rule.scaled_range for rule in index.by_item.values() if rule.activity == activity), (0.0, 1.0))
