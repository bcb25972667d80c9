"""The picture of one learner's apprenticeship: criteria evidenced, hours off the job, and the gateway. Pure.

Knows no store. A criterion counts by the *registered* version of the standard alone: K1 is a place in the list of one
version, so a code of another version says nothing here (Skills England; SkillsFundingAgency, das-courses-api).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.ksb import codes
from adapters.apprenticeship.standard_records import Criterion, StandardRecord
from adapters.apprenticeship.told_of_standard import ToldOfStandard, day_in, day_told, extension, whole_hours
from adapters.reading.vocabulary import (
    COMPLETED,
    DEMONSTRATED,
    EXITED,
    EXPERIENCED,
    PASSED,
    PROGRESSED,
    REGISTERED,
)

MINIMUM = 187
"""Hours off the job that an apprenticeship has at least, if it began on ``MINIMUM_SINCE`` or later (ILR 2026-27)."""
MINIMUM_SINCE = date(2025, 8, 1)
CriterionState = Literal["evidenced", "in_progress", "missing"]
Lack = Literal["version", "record", "criteria", "hours", "planned"]
"""What the gateway waits for. ``planned``: neither a minimum nor planned hours are known, so hours cannot be judged."""


class StandardRegistration(NamedTuple):
    """The standard that a learner is on, in the version that was told last; and since when, by the earliest start."""

    standard: Standard
    since: date
    planned_end: str
    planned_hours: int | None


class Covered(NamedTuple):
    """A criterion, how many *pieces* of accepted evidence it has, and the day of the newest."""

    criterion: Criterion
    state: CriterionState
    pieces: int
    last: date | None


class TrainingHours(NamedTuple):
    """Off-the-job training: *minutes* done. *planned* and *minimum* are hours, ``None`` if unknown or not asked."""

    minutes: int
    planned: int | None
    minimum: int | None

    @property
    def needed(self) -> int | None:
        """The hours that the gateway asks for: the minimum, else those planned."""
        return self.planned if self.minimum is None else self.minimum


class Picture(NamedTuple):
    """An apprenticeship as far as it was told. *foreign* are codes that count for nothing, by the version they are of.

    *through* is the day on which the learner went through the gateway, *over* that on which the apprenticeship ended:
    completed, left, or passed.
    """

    registration: StandardRegistration
    title: str
    covered: tuple[Covered, ...]
    foreign: tuple[tuple[str, tuple[str, ...]], ...]
    hours: TrainingHours
    lacks: tuple[Lack, ...]
    through: date | None
    over: date | None

    @property
    def lacking(self) -> int:
        """How many criteria have no accepted evidence."""
        return sum(one.state != "evidenced" for one in self.covered)

    def is_overdue(self, today: date) -> bool:
        """Whether the planned end is past, and the learner is neither through the gateway nor at the end."""
        end = day_in(self.registration.planned_end)
        return end is not None and end < today and self.through is None and self.over is None


def registered(told: Iterable[ToldOfStandard]) -> StandardRegistration | None:
    """The standard that was begun last, and its version; ``None`` for somebody who was registered on none.

    Of two that began on one day, the later one in *told* counts.
    """
    starts = sorted((one for one in told if one.verb == REGISTERED and not one.place.part), key=lambda one: one.on)
    if not starts:
        return None
    ref = starts[-1].place.standard.ref
    ours = [one for one in starts if one.place.standard.ref == ref]
    version = next((one.place.standard.version for one in reversed(ours) if one.place.standard.version), "")
    ends = [end for one in ours if (end := day_told(one, "planned-end"))]
    planned = [hours for one in ours if (hours := whole_hours(one, "planned-off-the-job-hours")) is not None]
    return StandardRegistration(
        Standard(ref, version), ours[0].on, ends[-1] if ends else "", planned[-1] if planned else None
    )


def picture(
    of: StandardRegistration,
    told: Sequence[ToldOfStandard],
    record: StandardRecord | None,
    begun: Collection[str] = (),
) -> Picture:
    """The picture of an apprenticeship. *record* is its standard in the registered version, if it is stored.

    *begun* are the criteria, by their identifiers, that a course which the learner has begun leads to.
    """
    ours = sorted((one for one in told if one.place.standard.ref == of.standard.ref), key=lambda one: one.on)
    known = _by_name(record) if record else {}
    covered = _covered(of, ours, record, known, frozenset(begun))
    hours = TrainingHours(_minutes(ours), of.planned_hours, MINIMUM if of.since >= MINIMUM_SINCE else None)
    through = min((one.on for one in ours if one.verb == PROGRESSED and one.place.part == "gateway"), default=None)
    return Picture(
        of,
        record.title if record else "",
        covered,
        _foreign(of, ours, record, known),
        hours,
        () if through else _lacks(of, covered, hours, record),
        through,
        max((one.on for one in ours if _ends(one)), default=None),
    )


def _ends(one: ToldOfStandard) -> bool:
    """Whether a statement says that the apprenticeship is over."""
    if one.place.part == "assessment":
        return one.verb == PASSED
    return one.place.part == "" and one.verb in {COMPLETED, EXITED}


def _covered(
    of: StandardRegistration,
    told: Sequence[ToldOfStandard],
    record: StandardRecord | None,
    known: Mapping[str, Criterion],
    by_courses: frozenset[str],
) -> tuple[Covered, ...]:
    if record is None:
        return ()
    days: dict[str, list[date]] = {}
    begun = set(by_courses)
    for one in told:
        criterion = _criterion(of, one, known)
        if criterion is None:
            continue
        begun.add(criterion.guid)
        if _is_accepted(one):
            days.setdefault(criterion.guid, []).append(one.on)
    return tuple(
        Covered(
            one,
            "evidenced" if one.guid in days else "in_progress" if one.guid in begun else "missing",
            len(days.get(one.guid, ())),
            max(days[one.guid]) if one.guid in days else None,
        )
        for one in record.criteria
    )


def _by_name(record: StandardRecord) -> dict[str, Criterion]:
    """The criteria of *record* by their codes, and by their identifiers in small letters."""
    named = [(name, one) for one in record.criteria for name in (one.code, one.guid.casefold())]
    return dict(reversed(named))


def _criterion(of: StandardRegistration, one: ToldOfStandard, known: Mapping[str, Criterion]) -> Criterion | None:
    """The criterion of the registered version that a statement is about: by its identifier if it has one."""
    if one.place.part != "ksb" or one.place.standard != of.standard:
        return None
    return known.get(one.guid.casefold() or _written(one.place.code))


def _written(code: str) -> str:
    """*code* as records have it: TK1 and ESB2 of foundation apprenticeships are K1 and B2 there."""
    try:
        (found,) = codes(code)
    except ValueError:
        return code
    return found.removeprefix("T").removeprefix("ES")


def _is_accepted(one: ToldOfStandard) -> bool:
    return one.verb == DEMONSTRATED and one.success is not False


def _foreign(
    of: StandardRegistration,
    told: Sequence[ToldOfStandard],
    record: StandardRecord | None,
    known: Mapping[str, Criterion],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The codes of evidence that no criterion of the registered version has, by version."""
    found: dict[str, set[str]] = {}
    for one in told:
        if one.place.part != "ksb" or not _is_accepted(one) or (record is None and one.place.standard == of.standard):
            continue
        if _criterion(of, one, known) is None:
            found.setdefault(one.place.standard.version, set()).add(one.place.code)
    return tuple((version, tuple(sorted(some, key=_in_order))) for version, some in sorted(found.items()))


def _in_order(code: str) -> tuple[str, int, str]:
    return re.sub(r"\d", "", code), int(re.sub(r"[^0-9]", "", code)[:6] or 0), code


def _minutes(told: Sequence[ToldOfStandard]) -> int:
    """The minutes off the job: as the return says at the end, else the sum of the days that count."""
    ends = [one for one in told if one.verb == COMPLETED and not one.place.part]
    actual = [hours for one in ends if (hours := whole_hours(one, "actual-off-the-job-hours")) is not None]
    if actual:
        return actual[-1] * 60
    days = [one for one in told if one.verb == EXPERIENCED and one.place.part == "off-the-job"]
    return sum(one.minutes for one in days if extension(one, "otj-countable") is not False)


def _lacks(
    of: StandardRegistration, covered: Sequence[Covered], hours: TrainingHours, record: StandardRecord | None
) -> tuple[Lack, ...]:
    found: list[Lack] = []
    if not of.standard.version:
        found.append("version")
    elif record is None:
        found.append("record")
    elif any(one.state != "evidenced" for one in covered):
        found.append("criteria")
    if hours.needed is None:
        found.append("planned")
    elif hours.minutes < hours.needed * 60:
        found.append("hours")
    return tuple(found)
