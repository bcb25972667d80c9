"""Off-the-job hours: which rows are separate sessions, and which repeat a session. Pure.

A session is identified by learner, standard, day and category, and by its reference (``otj_ref``) or else its time of
day (``otj_start``, or with the day in ``otj_date``; midnight is no time). Rows with neither are one session for each
day and category: the same duration again is the same session. Another duration is left to a person, who adds a time or
a reference, or says with ``otj_correction`` yes that the row corrects an earlier file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Literal, cast

import msgspec

from adapters.apprenticeship.facts import OffTheJob, Standard
from adapters.apprenticeship.standards import on_standard
from adapters.ledger.recognise import EXACT, EXACTLY
from adapters.reading.cells import choice, text, yes
from adapters.reading.hours import minutes
from adapters.reading.people import FileLearner
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import Fact, Loose
from adapters.reading.times import has_time, moment, not_ahead
from lrs.kernel.plain_text import counted
from lrs.kernel.tables.row import Row, Unusable

MAX_DAY = 24 * 60
_ADVICE = "give each its start time (otj_start, or in otj_date) or a reference of its own (otj_ref)"
_CORRECTS = "say yes under otj_correction if the row puts right what was told"
_BOTH = "{} min there, {} min here"
_ROUNDED = 3
"""Minutes by which hours with one decimal may differ from the minutes in the same row."""
Corrects = Literal["yes", "no", ""]
DayOf = Callable[[Row, str, FileLearner, Standard], datetime]
"""Reads the day in a column, or raises why nothing can have been done on that day."""


class Hours:
    """Reads the off-the-job hours of one file, and adds up each learner's day."""

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms
        self._days: dict[tuple[str, date], dict[tuple[str, ...], int]] = {}

    def is_told(self, row: Row) -> bool:
        """Whether *row* has a duration."""
        return bool(text(row, "otj_minutes") or text(row, "otj_hours"))

    def read(self, row: Row, learner: FileLearner, day_of: DayOf) -> list[Fact]:
        """The session of *row*."""
        spent = self._spent(row)
        if spent is None:
            return []
        standard = on_standard(row)
        day = day_of(row, "otj_date", learner, standard)
        start = self._start(row, day)
        category, ref = text(row, "otj_category"), text(row, "otj_ref")
        countable = yes(row, "otj_countable", default=True, known=self._terms.words["otj_countable"])
        content = OffTheJob(learner.actor, standard, start or day, spent, category, countable)
        key = (learner.key, standard.ref, day.date().isoformat(), category.casefold(), ref)
        if ref:
            fact = Fact("otj", key, content)
        elif start:
            fact = _timed(key, content, day, learner, self._corrects(row))
        else:
            fact = _untimed(key, content, learner, self._corrects(row))
        self._check_day(row, fact, day)
        return [fact, Fact(EXACTLY, fact.loose.exact, Timed(), parts=0)] if start and fact.loose else [fact]

    def _spent(self, row: Row) -> int | None:
        """The minutes of *row*.

        Hours and minutes that differ are refused: 2 h 30 in two columns, or one of them is wrong.
        """
        numbers = self._terms.numbers
        told = minutes(row, "otj_minutes", numbers.of_minutes())
        hours = minutes(row, "otj_hours", numbers)
        if told is not None and hours and abs(told - hours) > _ROUNDED:
            both = f"{counted(told, 'minute')} here, and {hours} under otj_hours"
            both += ": write the whole time in one of the two, as 2:30"
            raise Unusable("told_twice", "otj_minutes", text(row, "otj_minutes"), both)
        return hours if told is None else told

    def _start(self, row: Row, day: datetime) -> datetime | None:
        """When the session began, if the row has it."""
        calendar = self._terms.calendar
        column = "otj_start" if text(row, "otj_start") else "otj_date"
        if column == "otj_date" and not has_time(row, column):
            return None
        at = cast("datetime", moment(row, column, calendar, on=day.date())).astimezone(calendar.zone)
        if at.date() != day.date():
            raise Unusable("told_twice", column, text(row, column), "the start is not on the day of otj_date")
        return not_ahead(at, self._terms.now, column, text(row, column))

    def _corrects(self, row: Row) -> Corrects:
        """Whether *row* says that it corrects an earlier one, or that it does not."""
        return cast("Corrects", choice(row, "otj_correction", self._terms.words["otj_correction"], ""))

    def _check_day(self, row: Row, fact: Fact, day: datetime) -> None:
        """Raises ``Unusable`` if the learner's day would have more than 24 hours."""
        content = cast("OffTheJob", fact.content)
        others = self._days.get((fact.key[0], day.date()), {})
        total = content.minutes + sum(spent for key, spent in others.items() if key != fact.key)
        if total > MAX_DAY:
            raise Unusable("over_a_day", "otj_date", text(row, "otj_date"), f"{counted(total, 'minute')} on one day")

    def count(self, told: Iterable[Fact]) -> None:
        """Adds the sessions of a row to their day. Call it only for rows that are taken."""
        for fact in told:
            if isinstance(fact.content, OffTheJob):
                on = (fact.key[0], fact.content.at.astimezone(self._terms.calendar.zone).date())
                self._days.setdefault(on, {}).setdefault(fact.key, fact.content.minutes)


class Timed(msgspec.Struct, frozen=True):
    """The fact that earlier files had sessions of a day and category with their start times.

    The fact's key has the day and the category.
    """


def _untimed(key: tuple[str, ...], content: OffTheJob, learner: FileLearner, corrects: Corrects) -> Fact:
    loose = Loose(
        key,
        alike=tuple(_by_others(content, learner)),
        corrects=corrects,
        advice=f"{_ADVICE}; {_CORRECTS}",
        column="otj_date",
        unsure=True,
        exact=key,
        further="give the row its start time (otj_start, or in otj_date), or say no under otj_correction if it is a"
        " further session",
        both=_BOTH.format("{}", content.minutes),
    )
    return Fact("otj", key, content, kept=str(content.minutes), loose=loose)


def _timed(key: tuple[str, ...], content: OffTheJob, day: datetime, learner: FileLearner, corrects: Corrects) -> Fact:
    """A session with its start. Version 0.1 ignored the start, and told the session as the day's."""
    as_before = msgspec.structs.replace(content, at=day)
    alike = (*_by_others(content, learner), *_by_others(as_before, learner))
    advice = f"{_CORRECTS} without a time, or no if it is a further session"
    loose = Loose(
        key,
        (content, as_before),
        alike,
        corrects,
        advice,
        "otj_correction",
        exact=key,
        both=_BOTH.format("{}", content.minutes),
    )
    clock = content.at.strftime("%H:%M")
    return Fact("otj", (*key, clock), content, kept=f"{EXACT}{clock} {content.minutes}", loose=loose)


def _by_others(content: OffTheJob, learner: FileLearner) -> Iterator[OffTheJob]:
    """*content* as earlier files told it, with fewer identifiers of the learner."""
    return (msgspec.structs.replace(content, who=who) for who in learner.identifiers[1:])
