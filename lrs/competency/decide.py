"""From a person's evidence to what the person holds. Pure: the same evidence in any order gives the same answer.

Evidence of one competency and level makes periods: each piece opens a stretch from its day on, for as long as its rule
says; stretches that touch are one unbroken period. What more than one piece of one rule on one day adds is its number
alone, so evidence comes here as tallies, one for each rule and day: deciding costs days, however much happens on one.
Knows no store, no today and no award's name: whether a period has ended is a matter of when one looks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from lrs.competency.completion import Completion, Marks, Uncompletion
from lrs.competency.dates import add, parse_period
from lrs.competency.rules.rules import Rule
from lrs.competency.shapes import Review, RuleRef

CITED = 20
"""How many pieces of evidence an award, a badge and a tally name at most; the others are counted."""
_ONE_DAY = timedelta(days=1)


class Evidence(msgspec.Struct, frozen=True):
    """What one statement means to one rule for one identifier; the body of an ``evidence`` record.

    *event* is microseconds UTC. *reason* says why it does not count; ``None`` if it does. *instructors* are the names
    of the identifiers of whoever the statement calls instructor, a group's members among them. *completes* is there if
    the statement says that the activity is completed, which a later one may take back.
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
    completes: Completion | msgspec.UnsetType = msgspec.UNSET


class Piece(msgspec.Struct, frozen=True, order=True):
    """A statement that is evidence, as far as awards and badges name it; *event* is microseconds UTC."""

    event: int
    statement: str
    source: str
    timestamp: str


class Tally(msgspec.Struct, frozen=True):
    """The evidence of one identifier that counts for one version of a rule on one day; body of a ``tally`` record.

    *pieces* are the first ``CITED`` by time, then statement, *count* says how many there are. Evidence with other
    *instructors* is another tally, since whether it is self-assessed depends on who is one person.
    """

    v: int
    identifier: str
    rule: RuleRef
    day: date
    instructors: tuple[str, ...]
    count: int
    pieces: tuple[Piece, ...]


class Span(msgspec.Struct, frozen=True):
    """First and last day (``None``: no end) of everything an award's name has ever stood for."""

    held_from: date
    valid_until: date | None

    def meets(self, other: Span | Held) -> bool:
        """Whether the two have a day in common."""
        return (self.valid_until is None or other.held_from <= self.valid_until) and (
            other.valid_until is None or self.held_from <= other.valid_until
        )

    def joined(self, other: Span | Held) -> Span:
        """The shortest span that holds both."""
        ends = (self.valid_until, other.valid_until)
        until = None if None in ends else max(end for end in ends if end)
        return Span(min(self.held_from, other.held_from), until)


class Held(msgspec.Struct, frozen=True):
    """An unbroken period, first and last day (``None``: no end), and what it rests on.

    *founder* is the identifier of the oldest evidence and *rule* its rule. *evidence* is at most ``CITED`` pieces,
    oldest first (see ``cited``), out of *count*. With a *review* it is held by former rules only, and so not for long.
    """

    held_from: date
    valid_until: date | None
    founder: str
    rule: RuleRef
    evidence: tuple[Piece, ...]
    count: int
    review: Review | None = None


class Standing(msgspec.Struct, frozen=True):
    """The periods, oldest first, in which a competency (``Competency.key``) is held at a level."""

    competency: str
    level: int
    periods: tuple[Held, ...]


def decide(tallies: Iterable[Tally], rules: Mapping[str, Rule], own: Collection[str]) -> tuple[Standing, ...]:
    """What the evidence of the identifiers *own* (one person's) proves, by competency, then level.

    Evidence of rules that are no longer in force proves nothing.
    """
    groups: dict[tuple[str, int], list[Tally]] = {}
    for one in tallies:
        rule = rules.get(one.rule.item)
        if rule and not self_assessed(one.instructors, own):
            groups.setdefault((rule.competency, rule.level), []).append(one)
    return tuple(Standing(*about, _periods(found, rules)) for about, found in sorted(groups.items()))


def why_not(one: Evidence, own: Collection[str], marks: Marks) -> str | None:
    """Why a piece of evidence does not count for the person with the identifiers *own*; ``None`` if it does.

    *marks* are those that were taken off that person.
    """
    if one.reason:
        return one.reason
    if self_assessed(one.instructors, own):
        return "self-assessed"
    by = taken_back(one, marks)
    return f"taken back by statement {by.statement} on {by.timestamp}" if by else None


def taken_back(one: Evidence, marks: Marks) -> Uncompletion | None:
    """What takes back a piece of evidence."""
    done = one.completes
    by = marks.get((one.source, done.activity)) if done else None
    return by if by and done and (one.event, done.seq) < (by.event, by.seq) else None


def self_assessed(instructors: Iterable[str], own: Collection[str]) -> bool:
    """Whether the instructor is the learner.

    That depends on which identifiers are one person's, so it is asked here, where a merge or an unmerge is seen, and
    not when the statement came.
    """
    return not set(instructors).isdisjoint(own)


def cited(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces to be named: all if they are few, else as many of the oldest as of the newest; oldest first."""
    half = CITED // 2
    return tuple(pieces) if len(pieces) <= CITED else (*pieces[:half], *pieces[-half:])


@dataclass(slots=True)
class _Open:
    """A period that is still being read."""

    held_from: date
    valid_until: date | None
    tallies: list[Tally] = field(default_factory=list)

    def held(self) -> Held:
        """The period with its evidence; a statement that meets two rules is one piece, as far as pieces are named."""
        named = {piece.statement: piece for tally in self.tallies for piece in tally.pieces}
        pieces = sorted(named.values(), key=lambda piece: (piece.event, piece.statement))
        twice = sum(len(tally.pieces) for tally in self.tallies) - len(pieces)
        count = sum(tally.count for tally in self.tallies) - twice
        first = self.tallies[0]
        return Held(self.held_from, self.valid_until, first.identifier, first.rule, cited(pieces), count)


def _periods(found: Iterable[Tally], rules: Mapping[str, Rule]) -> tuple[Held, ...]:
    periods: list[_Open] = []
    for one in sorted(found, key=_in_order):
        day, rule = one.day, rules[one.rule.item]
        last = periods[-1] if periods else None
        if last and (last.valid_until is None or day <= last.valid_until + _ONE_DAY):
            last.valid_until = _extended(last.valid_until, day, rule)
        else:
            last = _Open(day, _until(day, rule))
            periods.append(last)
        last.tallies.append(one)
    return tuple(one.held() for one in periods)


def _in_order(one: Tally) -> tuple[int, str, str, int, str, tuple[str, ...]]:
    """By the first piece: later ones of a rule on its day never make a period longer."""
    first = one.pieces[0]
    return (first.event, first.statement, one.rule.item, one.rule.version, one.identifier, one.instructors)


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
