"""The gap: what a learner still needs for a role. Pure: the same profile and role give the same answer.

Source: domain.md 5.3. Each requirement is met, expiring, a shortfall (of n levels), missing, or not comparable. The
match in percent is sum(w * min(level / required, 1)) / sum(w). A role with an unmet essential requirement is never a
full match.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

import msgspec

from lrs.competency.shapes import ProfileEntry

COUNTS = frozenset({"held", "expiring"})
MET = frozenset({"met", "expiring"})
"""The results by which a requirement is met."""


class Requirement(msgspec.Struct, frozen=True):
    """One requirement of a role. Without ``level`` any level is enough; ``weight`` is a decimal number as text."""

    competency: str
    label: str | None = None
    framework: str | None = None
    level: int | None = None
    essential: bool = True
    weight: str = "1"


class Role(msgspec.Struct, frozen=True):
    """A role and its requirements, in the order of its file. It has effect from a day to a day, both included."""

    id: str
    label: str
    requirements: tuple[Requirement, ...]
    source: str | None = None
    v: int = 1
    valid_from: date | None = None
    valid_until: date | None = None

    def has_ended(self, day: date) -> bool:
        """Whether its last day is before *day*."""
        return self.valid_until is not None and self.valid_until < day


class RequirementResult(msgspec.Struct, frozen=True):
    """The result for one requirement. ``shortfall`` is in levels; ``share`` is its part of the match, 0 to 1."""

    requirement: Requirement
    result: str
    share: Fraction
    held: ProfileEntry | None = None
    shortfall: int | None = None


def gap(role: Role, held: Iterable[ProfileEntry]) -> dict[str, Any]:
    """The gap between *role* and what is *held*, as a service sees it."""
    known = [one for one in held if one.state in COUNTS]
    outcomes = [outcome(requirement, known) for requirement in role.requirements]
    essential = [one for one in outcomes if one.requirement.essential]
    met = [one for one in essential if one.result in MET]
    return {
        "role": {"id": role.id, "label": role.label},
        "match": percent(outcomes),
        "full": all(one.result in MET for one in outcomes),
        "essentials": {"required": len(essential), "met": len(met), "match": percent(essential)},
        "requirements": [_shown(one) for one in outcomes],
    }


def outcome(requirement: Requirement, held: Iterable[ProfileEntry]) -> RequirementResult:
    """The result for *requirement*: the best of what is *held* and still counts."""
    candidates = [one for one in held if _is_about(one, requirement)]
    if not candidates:
        return RequirementResult(requirement, "missing", Fraction(0))
    comparable = [one for one in candidates if _is_comparable(one, requirement)]
    if not comparable:
        return RequirementResult(requirement, "not comparable", Fraction(0), candidates[0])
    best = max(comparable, key=lambda one: (one.level.ordinal, one.state == "held", one.valid_until or date.max))
    short = (requirement.level or 0) - best.level.ordinal
    if requirement.level and short > 0:
        return RequirementResult(
            requirement, "shortfall", Fraction(max(best.level.ordinal, 0), requirement.level), best, short
        )
    return RequirementResult(requirement, "expiring" if best.state == "expiring" else "met", Fraction(1), best)


def percent(outcomes: Iterable[RequirementResult]) -> float | None:
    """The weighted match in percent with one decimal, halves rounded up; ``None`` if the role has no requirement."""
    weighed = [(Fraction(one.requirement.weight), one.share) for one in outcomes]
    total = sum(weight for weight, _ in weighed)
    if not total:
        return None
    exact = sum((weight * share for weight, share in weighed), Fraction(0)) / total
    return int(exact * 1000 + Fraction(1, 2)) / 10


def _is_about(held: ProfileEntry, requirement: Requirement) -> bool:
    """Whether they have the same id, or the same code if the requirement names the framework of the code."""
    item = held.competency
    if item.id == requirement.competency:
        return True
    return bool(requirement.framework and item.code == requirement.competency)


def _is_comparable(held: ProfileEntry, requirement: Requirement) -> bool:
    """Whether the levels are of one scale. A requirement that names another framework cannot be compared."""
    return not requirement.framework or held.competency.framework == requirement.framework


def _shown(one: RequirementResult) -> dict[str, Any]:
    requirement, held = one.requirement, one.held
    return {
        "competency": requirement.competency,
        "label": requirement.label or (held.competency.label if held else None),
        "essential": requirement.essential,
        "weight": float(Fraction(requirement.weight)),
        "required": requirement.level,
        "level": held.level.ordinal if held else None,
        "result": one.result,
        "shortfall": one.shortfall,
        "validUntil": held.valid_until.isoformat() if held and held.valid_until else None,
    }
