"""From a person's evidence to what the person holds. Pure: the same evidence in any order gives the same result.

Evidence of one competency and level makes periods. Each piece of evidence is valid from its day on, for as long as its
rule says; pieces whose times touch form one unbroken period. Further pieces of the same rule on the same day add
nothing but their number. So evidence comes here as tallies, one for each rule and day, and the cost of deciding grows
with the days and not with the pieces.

Knows no store, no award's name and not the present day: the caller decides whether a period has ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from lrs.competency.completion import Completion, LatestUncompletions, Uncompletion
from lrs.competency.dates import add, parse_period, shifted
from lrs.competency.rules.rules import Rule
from lrs.competency.shapes import Review, RuleRef

CITED = 20
"""At most how many pieces of evidence an award, a badge and a tally name. The others are only counted."""


class Evidence(msgspec.Struct, frozen=True):
    """What one statement means to one rule for one identifier; the body of an ``evidence`` record.

    *event* is microseconds UTC. *reason* says why it does not count; ``None`` if it does. *instructors* are the ids
    of the identifiers of the statement's instructors, including the members of a group. *completes* is set if the
    statement says that the activity is completed, which a later statement may take back. *day* is the day of *event* in
    the time zone that the tenant had when this was written; its tally has the same day, whatever the zone is now.
    Evidence of 0.2.0 and earlier has none until its store is renamed.
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
    day: date | msgspec.UnsetType = msgspec.UNSET


class EvidencePiece(msgspec.Struct, frozen=True, order=True):
    """What awards and badges say about a statement that is evidence. *event* is microseconds UTC."""

    event: int
    statement: str
    source: str
    timestamp: str


class Tally(msgspec.Struct, frozen=True):
    """The evidence of one identifier that counts for one version of a rule on one day; body of a ``tally`` record.

    *pieces* are the first ``CITED`` by time, then statement; *count* is the number of all. Evidence with other
    *instructors* is in another tally, because whether it is self-assessed depends on which identifiers are one
    person's.
    """

    v: int
    identifier: str
    rule: RuleRef
    day: date
    instructors: tuple[str, ...]
    count: int
    pieces: tuple[EvidencePiece, ...]


class Span(msgspec.Struct, frozen=True):
    """The first and last day (``None``: no end) of all that an award's name has ever stood for."""

    held_from: date
    valid_until: date | None

    def meets(self, other: Span | HeldPeriod) -> bool:
        """Whether the two have a day in common."""
        return (self.valid_until is None or other.held_from <= self.valid_until) and (
            other.valid_until is None or self.held_from <= other.valid_until
        )

    def joined(self, other: Span | HeldPeriod) -> Span:
        """The shortest span that contains both."""
        ends = (self.valid_until, other.valid_until)
        until = None if None in ends else max(end for end in ends if end)
        return Span(min(self.held_from, other.held_from), until)


class HeldPeriod(msgspec.Struct, frozen=True):
    """An unbroken period, its first and last day (``None``: no end), and its evidence.

    *founder* is the identifier of the oldest evidence and *rule* its rule. *evidence* is at most ``CITED`` pieces out
    of *count*, oldest first (see ``cited``). If *review* is set, only former rules give the period, so it ends with the
    review.
    """

    held_from: date
    valid_until: date | None
    founder: str
    rule: RuleRef
    evidence: tuple[EvidencePiece, ...]
    count: int
    review: Review | None = None


class Standing(msgspec.Struct, frozen=True):
    """The periods, oldest first, in which a competency (``RuleCompetency.key``) is held at a level."""

    competency: str
    level: int
    periods: tuple[HeldPeriod, ...]


def decide(tallies: Iterable[Tally], rules: Mapping[str, Rule], own: Collection[str]) -> tuple[Standing, ...]:
    """What the evidence of one person, with the identifiers *own*, proves: by competency, then level.

    Evidence of rules that are no longer in force proves nothing.
    """
    groups: dict[tuple[str, int], list[Tally]] = {}
    for one in tallies:
        rule = rules.get(one.rule.item)
        if rule and not self_assessed(one.instructors, own):
            groups.setdefault((rule.competency, rule.level), []).append(one)
    return tuple(Standing(*about, _periods(found, rules)) for about, found in sorted(groups.items()))


def why_not(one: Evidence, own: Collection[str], marks: LatestUncompletions) -> str | None:
    """Why a piece of evidence does not count for the person with the identifiers *own*; ``None`` if it does.

    *marks* are the person's latest uncompletions.
    """
    if one.reason:
        return one.reason
    if self_assessed(one.instructors, own):
        return "self-assessed"
    by = taken_back(one, marks)
    return f"taken back by statement {by.statement} on {by.timestamp}" if by else None


def taken_back(one: Evidence, marks: LatestUncompletions) -> Uncompletion | None:
    """The uncompletion that takes back a piece of evidence; ``None`` if there is none."""
    done = one.completes
    by = marks.get((one.source, done.activity)) if done else None
    return by if by and done and (one.event, done.seq) < (by.event, by.seq) else None


def self_assessed(instructors: Iterable[str], own: Collection[str]) -> bool:
    """Whether an instructor is the learner.

    The answer depends on which identifiers are one person's, which a merge or an unmerge changes. So it is worked out
    here and not when the statement is matched.
    """
    return not set(instructors).isdisjoint(own)


def cited(pieces: Sequence[EvidencePiece]) -> tuple[EvidencePiece, ...]:
    """The pieces to name: all if they are few, else as many of the oldest as of the newest; oldest first."""
    half = CITED // 2
    return tuple(pieces) if len(pieces) <= CITED else (*pieces[:half], *pieces[-half:])


@dataclass(slots=True)
class _Open:
    """A period that is still being built."""

    held_from: date
    valid_until: date | None
    tallies: list[Tally] = field(default_factory=list)

    def held(self) -> HeldPeriod:
        """The finished period with its evidence. A statement that meets two rules is named once."""
        named = {piece.statement: piece for tally in self.tallies for piece in tally.pieces}
        pieces = sorted(named.values(), key=lambda piece: (piece.event, piece.statement))
        twice = sum(len(tally.pieces) for tally in self.tallies) - len(pieces)
        count = sum(tally.count for tally in self.tallies) - twice
        first = self.tallies[0]
        return HeldPeriod(self.held_from, self.valid_until, first.identifier, first.rule, cited(pieces), count)


def _periods(found: Iterable[Tally], rules: Mapping[str, Rule]) -> tuple[HeldPeriod, ...]:
    periods: list[_Open] = []
    for one in sorted(found, key=_in_order):
        day, rule = one.day, rules[one.rule.item]
        last = periods[-1] if periods else None
        if last and (last.valid_until is None or day <= shifted(last.valid_until, 1)):
            last.valid_until = _extended(last.valid_until, day, rule)
        else:
            last = _Open(day, _until(day, rule))
            periods.append(last)
        last.tallies.append(one)
    return tuple(one.held() for one in periods)


def _in_order(one: Tally) -> tuple[int, str, str, int, str, tuple[str, ...]]:
    """Sorts by the first piece: later pieces of a rule on the same day never make a period longer."""
    first = one.pieces[0]
    return (first.event, first.statement, one.rule.item, one.rule.version, one.identifier, one.instructors)


def _until(day: date, rule: Rule) -> date | None:
    return add(day, parse_period(rule.valid_for)) if rule.valid_for else None


def _extended(until: date | None, day: date, rule: Rule) -> date | None:
    """The end of a running period after more evidence. It never moves to an earlier day."""
    if until is None or not rule.valid_for:
        return None
    return max(until, add(starts_on(until, day, rule), parse_period(rule.valid_for)))


def starts_on(until: date, day: date, rule: Rule) -> date:
    """The day on which the validity of evidence of *day* starts, where what was there before ends on *until*.

    Inside the rule's requalification window it starts where the old one ends, so that nobody loses days by
    requalifying early. Outside it, it starts on *day*.
    """
    inside = rule.window is not None and day >= add(until, parse_period(rule.window), -1)
    return until if inside and day <= until else day
