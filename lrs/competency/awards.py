"""What a person holds, written down: award bodies, the profile, and when to look again. Pure; knows no store.

**An award's name is minted once** and is a fact, like a person's id. It stands for a lineage (the person whose evidence
founded it), a competency in its version, a level, and the number of the unbroken period: more evidence, late or voided
evidence, a merge or an unmerge do not change it, and after a lapse comes the next number. Names cannot follow from the
evidence alone: evidence older than all before it, or a merge with an older person, would rename what has a badge. So
each name keeps the span it has ever stood for, and the period that overlaps the span goes on under it.

States depend on the day: they are as of *today* (in the tenant's zone), and the next day on which one changes is given,
for a step to be owed. So a rebuild on the same day gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from lrs.competency.decide import Held, Span, Standing
from lrs.competency.frameworks.levels import Level
from lrs.competency.rules.rules import Competency
from lrs.competency.shapes import AboutCompetency, Award, Profile, ProfileEntry, Proof, RuleRef, State
from lrs.kernel.names import name

EXPIRING = timedelta(days=30)


class Lineage(msgspec.Struct, frozen=True):
    """The fact that names awards: whose, of what, at which level, and the span of each period, by its number."""

    v: int
    person: str
    competency: Competency
    level: Level
    rule: RuleRef
    spans: tuple[Span, ...]

    @property
    def id(self) -> str:
        """The name of the fact itself: that of the first award it names, beside which it lies."""
        return self.award(0)

    def award(self, number: int) -> str:
        """The name of the award for the period *number*."""
        return name("award", self.person, self.competency.key, self.level.ordinal, number)


@dataclass(frozen=True, slots=True)
class Plan:
    """What should be stored for a person: lineages, awards by name, profile entries, and when to look again.

    That is on *next_day*, and when the first review ends (microseconds UTC).
    """

    lineages: tuple[Lineage, ...]
    awards: Mapping[str, Award]
    entries: tuple[ProfileEntry, ...]
    next_day: date | None
    review_ends: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan is made from: the holder, who each identifier was minted for, competencies, and known lineages.

    *lineages* are those of the whole group, in the order they were minted.
    """

    holder: str
    minted_for: Mapping[str, str]
    competencies: Mapping[str, Competency]
    lineages: Sequence[Lineage]


def plan(standings: Iterable[Standing], facts: Facts, today: date) -> Plan:
    """The awards and the profile that follow from what was decided, and the lineages grown to cover them."""
    lineages = {lineage.id: lineage for lineage in facts.lineages}
    oldest: dict[tuple[str, int], Lineage] = {}
    for lineage in facts.lineages:
        oldest.setdefault((lineage.competency.key, lineage.level.ordinal), lineage)
    current: dict[str, tuple[Lineage, Held]] = {}
    for standing in standings:
        competency = facts.competencies[standing.competency]
        chosen, numbers = _named(standing, competency, facts, oldest.get((competency.key, standing.level)))
        lineages[chosen.id] = chosen
        current.update(
            (chosen.award(number), (chosen, held)) for number, held in zip(numbers, standing.periods, strict=True)
        )
    awards = {
        lineage.award(number): _award(lineage, span, current.get(lineage.award(number)), facts.holder, today)
        for lineage in lineages.values()
        for number, span in enumerate(lineage.spans)
    }
    entries = _entries(awards, today)
    ends = [award.review.until for award in awards.values() if award.review]
    return Plan(tuple(lineages.values()), awards, entries, _next_day(awards.values(), today), min(ends, default=None))


def _named(
    standing: Standing, competency: Competency, facts: Facts, known: Lineage | None
) -> tuple[Lineage, list[int]]:
    """The lineage that a standing goes on under, its spans grown, and the number of each period.

    The one *known* that was minted first, if the group has one; else a new one, for the person whose evidence is the
    oldest.
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


def _award(lineage: Lineage, span: Span, current: tuple[Lineage, Held] | None, holder: str, today: date) -> Award:
    """The award of one name: as it is held, or withdrawn, with the span it once stood for."""
    about = lineage.competency
    competency = AboutCompetency(about.id, about.label, about.framework, about.version, about.code)
    held = current[1] if current else None
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
    """Whether an award's badge has to be looked at, given both bodies.

    It has if anything but its evidence is another, or if a piece that was named is named no more: it may be voided. As
    long as rules that took it away are in review, nothing is.
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
    """The profile as if nothing were said of how much evidence there is, and of reviews."""
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


def state_on(today: date, until: date | None) -> State:
    """The state on a day of something valid for the whole of its last day *until*; expiring in its last 30 days."""
    if until is None or today < until - EXPIRING:
        return "held"
    return "expired" if until < today else "expiring"


def _next_day(awards: Collection[Award], today: date) -> date | None:
    """The next day on which the state of an award or of a profile's entry changes."""
    ends = [award.valid_until for award in awards if award.state == "held" and award.valid_until]
    days = [day for end in ends for day in (end - EXPIRING, end + timedelta(days=1)) if day > today]
    return min(days, default=None)
