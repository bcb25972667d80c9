"""What to take for a role: a plan from what is offered, what each part closes, and what nothing offered covers. Pure.

It knows no catalogue: whoever has one says what is offered, and which item of a framework a requirement means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lrs.competency.shapes import ProfileEntry
from lrs.matching.gap import COUNTS, Requirement, Role, outcome
from lrs.matching.plan import Lacking, Option, planned
from lrs.tenancy.tenants import Tenant

ItemOf = Callable[[Requirement], str | None]
"""The id of the item of a published framework that a requirement means; ``None`` if no framework has it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Something a learner can take: its *hours* (``None``: it says none), and the *levels* by ids of items.

    A level is ``None`` where it says none: that is enough only where no level is asked for.
    """

    id: str
    title: str
    hours: float | None
    levels: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One thing to take, and the requirements of which it closes something for who has done those before it."""

    offered: Offered
    closes: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class RolePlan:
    """A plan: its *steps* in order; requirements that stay unmet after it (*left*); hours of those that say them."""

    steps: tuple[PlanStep, ...]
    left: tuple[Requirement, ...]
    hours: float
    silent: int
    """How many steps say no hours."""


PlanFor = Callable[[Tenant, Role, Iterable[ProfileEntry]], RolePlan]
"""Plans for a role, from what is offered in a tenant, for who holds these competencies."""


def plan_for(role: Role, held: Iterable[ProfileEntry], offered: Sequence[Offered], item_of: ItemOf) -> RolePlan:
    """What of *offered* to take for *role*, for who holds *held*."""
    known = [one for one in held if one.state in COUNTS]
    asked = [(one, item_of(one)) for one in role.requirements]
    lacking = Lacking(
        tuple(Fraction(one.weight) for one in role.requirements),
        tuple(outcome(one, known).share for one in role.requirements),
    )
    options = [
        Option(
            one.id,
            None if one.hours is None else Fraction(str(one.hours)),
            tuple(_share(requirement, item, one) for requirement, item in asked),
        )
        for one in offered
    ]
    chosen, by_id = planned(lacking, options), {one.id: one for one in offered}
    steps, shares = [], lacking.held
    for place, one in enumerate(chosen):
        after = lacking.after(chosen[: place + 1])
        closes = [each for each, was, now in zip(role.requirements, shares, after, strict=True) if now > was]
        steps.append(PlanStep(by_id[one.id], tuple(closes)))
        shares = after
    left = tuple(each for each, share in zip(role.requirements, shares, strict=True) if share < 1)
    hours = [one.offered.hours for one in steps]
    return RolePlan(tuple(steps), left, sum(one or 0.0 for one in hours), hours.count(None))


def _share(requirement: Requirement, item: str | None, one: Offered) -> Fraction:
    """The share of *requirement* that is held by who has done *one*."""
    levels = [level for id, level in one.levels if id == item]
    if not levels:
        return Fraction(0)
    if not requirement.level:
        return Fraction(1)
    return Fraction(min(max(level or 0 for level in levels), requirement.level), requirement.level)
