"""From a person's evidence to what the person holds. Pure: the same evidence in any order gives the same answer.

Evidence of one competency and level makes periods: each piece opens a stretch from its day on, for as long as its rule
says; stretches that touch are one unbroken period. Knows no store, no today and no award's name: whether a period has
ended is a matter of when one looks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from lrs.competencies.dates import add, parse_period
from lrs.competencies.rules import Rule

_ONE_DAY = timedelta(days=1)


class RuleRef(msgspec.Struct, frozen=True):
    """A rule by its lasting id, and the version of it that was applied."""

    item: str
    version: int


class Evidence(msgspec.Struct, frozen=True):
    """What one statement means to one rule for one identifier; the body of an ``evidence`` record.

    *event* is microseconds UTC. *reason* says why it does not count; ``None`` if it does. *instructors* are the names
    of the identifiers of whoever the statement calls instructor, a group's members among them.
    """

    v: int
    statement: str
    identifier: str
    rule: RuleRef
    source: str
    timestamp: str
    event: int
    score: float | None = None
    reason: str | None = None
    instructors: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """An unbroken period, first and last day (``None``: no end), and the evidence in it, oldest first."""

    held_from: date
    valid_until: date | None
    evidence: tuple[Evidence, ...]


class Standing(msgspec.Struct, frozen=True):
    """The periods, oldest first, in which a competency (``Competency.key``) is held at a level."""

    competency: str
    level: int
    periods: tuple[Held, ...]


def decide(
    evidence: Iterable[Evidence],
    rules: Mapping[str, Rule],
    own: Collection[str],
    day_of: Callable[[int], date],
) -> tuple[Standing, ...]:
    """What the evidence of the identifiers *own* (one person's) proves, by competency, then level.

    Evidence of rules that are no longer in force proves nothing.
    """
    groups: dict[tuple[str, int], list[Evidence]] = {}
    for one in evidence:
        rule = rules.get(one.rule.item)
        if rule and why_not(one, own) is None:
            groups.setdefault((rule.competency, rule.level), []).append(one)
    return tuple(Standing(*about, _periods(found, rules, day_of)) for about, found in sorted(groups.items()))


def why_not(one: Evidence, own: Collection[str]) -> str | None:
    """Why a piece of evidence does not count for the person with the identifiers *own*; ``None`` if it does.

    Whether the instructor is the learner depends on which identifiers are one person's, so it is asked here, where a
    merge or an unmerge is seen, and not when the statement came.
    """
    return one.reason or (None if set(one.instructors).isdisjoint(own) else "self-assessed")


@dataclass(slots=True)
class _Open:
    """A period that is still being read; evidence by statement: one that meets two rules is one piece of evidence."""

    held_from: date
    valid_until: date | None
    evidence: dict[str, Evidence]


def _periods(found: Iterable[Evidence], rules: Mapping[str, Rule], day_of: Callable[[int], date]) -> tuple[Held, ...]:
    periods: list[_Open] = []
    for one in sorted(found, key=lambda one: (one.event, one.statement, one.rule.item, one.identifier)):
        day, rule = day_of(one.event), rules[one.rule.item]
        last = periods[-1] if periods else None
        if last and (last.valid_until is None or day <= last.valid_until + _ONE_DAY):
            last.valid_until = _extended(last.valid_until, day, rule)
            last.evidence.setdefault(one.statement, one)
        else:
            periods.append(_Open(day, _until(day, rule), {one.statement: one}))
    return tuple(Held(one.held_from, one.valid_until, tuple(one.evidence.values())) for one in periods)


def _until(day: date, rule: Rule) -> date | None:
    return add(day, parse_period(rule.valid_for)) if rule.valid_for else None


def _extended(until: date | None, day: date, rule: Rule) -> date | None:
    """The end of a running period after more evidence.

    Inside the rule's requalification window the new time starts where the old one ends, so that nobody loses days by
    being early; outside it, it starts on the day. It never gets shorter.
    """
    if until is None or not rule.valid_for:
        return None
    inside = rule.window is not None and day >= add(until, parse_period(rule.window), -1)
    start = until if inside and day <= until else day
    return max(until, add(start, parse_period(rule.valid_for)))
