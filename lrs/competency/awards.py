"""What a person holds, as records: awards, the profile, and when to evaluate again. Pure; knows no store.

**An award's name is minted once** and is a fact, like a person's id. It stands for a lineage (the person whose evidence
founded it), a competency in its version, a level, and the number of the unbroken period. More evidence, late or voided
evidence, a merge or an unmerge do not change it; after a gap the next period gets the next number. A name cannot be
derived from the evidence alone: evidence that is older than all before it, or a merge with an older person, would
rename an award that has a badge. So each name keeps the span of days that it has ever stood for, and the period that
overlaps this span keeps the name.

States depend on the day: they are as of *today* (in the tenant's zone). The plan gives the next day on which a state
changes, so that a step can be owed for it. A rebuild on the same day gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import msgspec

from lrs.competency.dates import shifted
from lrs.competency.decide import HeldPeriod, Span, Standing
from lrs.competency.frameworks.levels import Level
from lrs.competency.rules.rules import RuleCompetency
from lrs.competency.shapes import AboutCompetency, Award, AwardState, Profile, ProfileEntry, Proof, RuleRef
from lrs.kernel.names import name

EXPIRING = 30
"""In how many last days something is expiring."""


class Lineage(msgspec.Struct, frozen=True):
    """The fact that names awards: of whom, of what, at which level, and the span of each period, by its number."""

    v: int
    person: str
    competency: RuleCompetency
    level: Level
    rule: RuleRef
    spans: tuple[Span, ...]

    @property
    def id(self) -> str:
        """The id of the fact itself. It is the name of the first award, so both are neighbours in the index."""
        return self.award(0)

    def award(self, number: int) -> str:
        """The name of the award for the period *number*."""
        return name("award", self.person, self.competency.key, self.level.ordinal, number)


class AwardPlan(msgspec.Struct, frozen=True):
    """What should be stored for a person: lineages by id, awards by name, profile entries, and when to evaluate again.

    Evaluation is due on *next_day*, and when the first review ends (*review_ends*, microseconds UTC).
    """

    lineages: Mapping[str, Lineage]
    awards: Mapping[str, Award]
    entries: tuple[ProfileEntry, ...]
    next_day: date | None
    review_ends: int | None = None


class Facts(msgspec.Struct, frozen=True):
    """What a plan is made from: the holder, whom each identifier was minted for, competencies, and known lineages.

    *lineages* are those of the whole group, by id, in the order in which they were minted.
    """

    holder: str
    minted_for: Mapping[str, str]
    competencies: Mapping[str, RuleCompetency]
    lineages: Mapping[str, Lineage]


def plan(standings: Iterable[Standing], facts: Facts, today: date) -> AwardPlan:
    """The awards and the profile that follow from *standings*, and the lineages, extended to cover them."""
    lineages = dict(facts.lineages)
    oldest: dict[tuple[str, int], str] = {}
    for id, lineage in facts.lineages.items():
        oldest.setdefault((lineage.competency.key, lineage.level.ordinal), id)
    current: dict[tuple[str, int], HeldPeriod] = {}
    for standing in standings:
        competency = facts.competencies[standing.competency]
        known = oldest.get((competency.key, standing.level))
        chosen, numbers = _named(standing, competency, facts, lineages[known] if known else None)
        id = known or chosen.id
        lineages[id] = chosen
        current.update(((id, number), held) for number, held in zip(numbers, standing.periods, strict=True))
    awards = {
        lineage.award(number) if number else id: _award(lineage, span, current.get((id, number)), facts.holder, today)
        for id, lineage in lineages.items()
        for number, span in enumerate(lineage.spans)
    }
    entries = _entries(awards, today)
    ends = [award.review.until for award in awards.values() if award.review]
    return AwardPlan(lineages, awards, entries, _next_day(awards.values(), today), min(ends, default=None))


def _named(
    standing: Standing, competency: RuleCompetency, facts: Facts, known: Lineage | None
) -> tuple[Lineage, list[int]]:
    """The lineage of a standing, with its spans extended, and the number of each period.

    This is the *known* lineage that was minted first, if the group has one. Otherwise it is a new one, of the person
    whose evidence is the oldest.
    """
    founding = standing.periods[0]
    level = competency.scale.at(standing.level) or Level(standing.level, str(standing.level), str(standing.level))
    fresh = Lineage(1, facts.minted_for[founding.founder], competency, level, founding.rule, ())
    lineage = known or fresh
    spans, numbers = list(lineage.spans), []
    for held in standing.periods:
        number = next((n for n, span in enumerate(spans) if n not in numbers and span.meets(held)), len(spans))
        grown = spans[number].joined(held) if number < len(spans) else Span(held.held_from, held.valid_until)
        spans[number : number + 1] = [grown]
        numbers.append(number)
    return msgspec.structs.replace(lineage, spans=tuple(spans)), numbers


def _award(lineage: Lineage, span: Span, held: HeldPeriod | None, holder: str, today: date) -> Award:
    """The award of one name: held, or withdrawn with the span it once had."""
    about = lineage.competency
    competency = AboutCompetency(about.id, about.label, about.framework, about.version, about.code)
    days = held or span
    return Award(
        v=1,
        person=holder,
        competency=competency,
        level=lineage.level,
        scale=about.scale,
        held_from=days.held_from,
        valid_until=days.valid_until,
        state="withdrawn" if held is None else "expired" if _ended(held.valid_until, today) else "held",
        evidence=tuple(Proof(one.statement, one.source, one.timestamp) for one in held.evidence) if held else (),
        rule=held.rule if held else lineage.rule,
        evidence_count=held.count if held and held.count > len(held.evidence) else None,
        review=held.review if held else None,
    )


def is_news(before: bytes, after: bytes) -> bool:
    """Whether the badge of an award has to be checked after its body changed from *before* to *after*.

    It has to be if anything except the evidence changed, or if a piece of evidence is no longer named, because it may
    be voided. Nothing has to be checked while the change of rules that took the award away is in review.
    """
    try:
        old, new = (msgspec.json.decode(body, type=Award) for body in (before, after))
    except msgspec.MsgspecError:
        return True
    named = not {one.statement for one in old.evidence} <= {one.statement for one in new.evidence}
    return named or _bare(old) != _bare(new)


def _bare(award: Award) -> Award:
    return msgspec.structs.replace(award, evidence=(), evidence_count=None, review=None)


def without_counts(profile: Profile) -> Profile:
    """The profile without its counts of evidence and without reviews."""
    entries = tuple(msgspec.structs.replace(one, evidence_count=0, review=None) for one in profile.competencies)
    return msgspec.structs.replace(profile, competencies=entries)


def _ended(until: date | None, today: date) -> bool:
    return until is not None and until < today


def _entries(awards: Mapping[str, Award], today: date) -> tuple[ProfileEntry, ...]:
    best: dict[str, tuple[tuple[bool, int, bool, date], str]] = {}
    for id, award in sorted(awards.items()):
        if award.state != "withdrawn":
            rank = (award.state == "held", award.level.ordinal, award.review is None, award.held_from)
            about = award.competency.id
            best[about] = max(best.get(about, (rank, id)), (rank, id))
    return tuple(_entry(id, awards[id], today) for _, (_, id) in sorted(best.items()))


def _entry(id: str, award: Award, today: date) -> ProfileEntry:
    return ProfileEntry(
        competency=award.competency,
        level=award.level,
        state=state_on(today, award.valid_until),
        since=award.held_from,
        valid_until=award.valid_until,
        evidence_count=award.evidence_count or len(award.evidence),
        award=id,
        review=award.review,
    )


def state_on(today: date, until: date | None) -> AwardState:
    """The state on *today* of something valid until the end of its last day *until*.

    It is expiring in its last 30 days.
    """
    if until is None or today < shifted(until, -EXPIRING):
        return "held"
    return "expired" if until < today else "expiring"


def _next_day(awards: Collection[Award], today: date) -> date | None:
    """The next day on which the state of an award or of a profile entry changes."""
    ends = [award.valid_until for award in awards if award.state == "held" and award.valid_until]
    days = [day for end in ends for day in (shifted(end, -EXPIRING), shifted(end, 1)) if day > today]
    return min(days, default=None)
