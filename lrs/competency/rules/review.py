"""Levels that only a change of rules takes away, and that stay held until its review ends. Pure; knows no store.

A level stays held under a former rule set only in the spans for which it was ever awarded. So a change of rules gives
nobody anything new here: evidence that came after the change does not count for the former rules, and what was never
awarded is in no span. Voided evidence counts for no rules, so voiding ends a review at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from lrs.competency.decide import HeldPeriod, Span, Standing
from lrs.competency.shapes import Review

CompetencyLevel = tuple[str, int]
"""The key of a competency (``RuleCompetency.key``) and the ordinal of a level."""


class FormerDecision(msgspec.Struct, frozen=True):
    """What a former rule set gives.

    It stays held until *until* (microseconds UTC); *by* is the version that replaced it.
    """

    standings: Sequence[Standing]
    until: int
    by: int


def reviewed(
    standings: Sequence[Standing], former: Sequence[FormerDecision], spans: Mapping[CompetencyLevel, Sequence[Span]]
) -> tuple[Standing, ...]:
    """What is held by the rules in force, or still by *former* ones. Periods that will change then have a review."""
    if not former:
        return tuple(standings)
    now = {(one.competency, one.level): one.periods for one in standings}
    then = [
        (one, {(it.competency, it.level): it.periods for it in one.standings if (it.competency, it.level) in spans})
        for one in former
    ]
    every = sorted({*now, *(about for _, held in then for about in held)})
    found = []
    for about in every:
        still = [(one, _within(held.get(about, ()), spans.get(about, ()))) for one, held in then]
        if periods := _marked(now.get(about, ()), still):
            found.append(Standing(*about, periods))
    return tuple(found)


def _within(periods: Iterable[HeldPeriod], spans: Sequence[Span]) -> list[HeldPeriod]:
    """The parts of *periods* that lie in one of *spans*."""
    return [
        msgspec.structs.replace(
            held,
            held_from=max(held.held_from, span.held_from),
            valid_until=min((end for end in (held.valid_until, span.valid_until) if end), default=None),
        )
        for held in periods
        for span in spans
        if span.meets(held)
    ]


def _marked(
    now: Sequence[HeldPeriod], still: Sequence[tuple[FormerDecision, list[HeldPeriod]]]
) -> tuple[HeldPeriod, ...]:
    ends = sorted({one.until for one, _ in still})
    later = [(end, _joined(now, [held for one, held in still if one.until > end])) for end in ends]
    return tuple(
        msgspec.structs.replace(held, review=_review(held, later, [one for one, _ in still]))
        for held in _joined(now, [held for _, held in still])
    )


def _review(
    held: HeldPeriod, later: Iterable[tuple[int, list[HeldPeriod]]], former: Iterable[FormerDecision]
) -> Review | None:
    """When *held* is first no longer held as a whole, and the version of the rules that ends it."""
    days = Span(held.held_from, held.valid_until)
    end = next((end for end, then in later if not any(days.joined(one) == days_of(one) for one in then)), None)
    return None if end is None else Review(end, min(one.by for one in former if one.until == end))


def days_of(held: HeldPeriod) -> Span:
    """The first and last day of a period."""
    return Span(held.held_from, held.valid_until)


def _joined(now: Sequence[HeldPeriod], former: Iterable[Sequence[HeldPeriod]]) -> list[HeldPeriod]:
    """*now* and *former* periods, joined where they have a day in common.

    A joined period has the evidence of the one that begins first and ends last.
    """
    found: list[HeldPeriod] = []
    for held in sorted([*now, *(one for some in former for one in some)], key=lambda one: one.held_from):
        last = found[-1] if found else None
        if last and days_of(last).meets(held):
            days = days_of(last).joined(held)
            shown = held if days_of(held) == days and days_of(last) != days else last
            found[-1] = msgspec.structs.replace(shown, held_from=days.held_from, valid_until=days.valid_until)
        else:
            found.append(held)
    return found
