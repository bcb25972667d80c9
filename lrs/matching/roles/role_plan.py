"""What to take for a role: a plan from what is offered, what each part closes, and what nothing offered covers. Pure.

It knows no catalogue: whoever has one says what is offered, and which item of a framework a requirement means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import msgspec

from lrs.competency.shapes import ProfileEntry
from lrs.matching.roles.gap import COUNTS, Requirement, Role, outcome
from lrs.matching.roles.plan import Lacking, Option, planned
from lrs.tenancy.tenants import Tenant

ItemOf = Callable[[Requirement], str | None]
"""The id of the item of a published framework that a requirement means; ``None`` if no framework has it."""


class NeededFirst(msgspec.Struct, frozen=True):
    """What something offered needs first: any of the items *ids*, at a *level* if it says one; *label* names it."""

    label: str
    ids: tuple[str, ...]
    level: int | None = None


class Offered(msgspec.Struct, frozen=True):
    """Something a learner can take: its *hours* (``None``: it says none), and the *levels* by ids of items.

    A level is ``None`` where it says none: that is enough only where no level is asked for. *needs* is what must be
    held before it.
    """

    id: str
    title: str
    hours: float | None
    levels: tuple[tuple[str, int | None], ...]
    needs: tuple[NeededFirst, ...] = ()


class PlanStep(msgspec.Struct, frozen=True):
    """One thing to take, and the requirements of which it closes something for who has done those before it.

    *opens* names what later steps need and this gives.
    """

    offered: Offered
    closes: tuple[Requirement, ...]
    opens: tuple[str, ...] = ()


class RolePlan(msgspec.Struct, frozen=True):
    """A plan: its *steps* in order; requirements that stay unmet after it (*left*); hours of those that say them.

    *blocked* are things that would close more, each with what it needs first and nothing offered gives.
    """

    steps: tuple[PlanStep, ...]
    left: tuple[Requirement, ...]
    hours: float
    silent: int
    """How many steps say no hours."""
    blocked: tuple[tuple[Offered, tuple[str, ...]], ...] = ()


PlanFor = Callable[[Tenant, Role, Iterable[ProfileEntry]], RolePlan]
"""Plans for a role, from what is offered in a tenant, for who holds these competencies."""


def plan_for(role: Role, held: Iterable[ProfileEntry], offered: Sequence[Offered], item_of: ItemOf) -> RolePlan:
    """What of *offered* to take for *role*, for who holds *held*; what something needs comes before it."""
    known = [one for one in held if one.state in COUNTS]
    asked = [(one, item_of(one)) for one in role.requirements]
    leading = _leading((item for _, item in asked if item), offered)
    by_id = {one.id: one for one in offered if one.id in leading}
    needs = list(dict.fromkeys(need for one in by_id.values() for need in one.needs))
    lacking = Lacking(
        (*(Fraction(one.weight) for one in role.requirements), *(Fraction(0) for _ in needs)),
        (*(outcome(one, known).share for one in role.requirements), *(_holds(one, known) for one in needs)),
    )
    sought = _Sought(asked, needs)
    options = {id: sought.option(one) for id, one in by_id.items()}
    chosen = planned(lacking, options.values())
    steps = [_step(place, chosen, lacking, role, by_id, needs) for place in range(len(chosen))]
    after = lacking.after(chosen)
    left = tuple(each for each, share in zip(role.requirements, after, strict=False) if share < 1)
    hours = [one.offered.hours for one in steps]
    blocked = [
        (by_id[id], tuple(need.label for need in by_id[id].needs if after[sought.places[need]] < 1))
        for id, one in sorted(options.items())
        if not one.is_open(after) and lacking.closed(after, one)
    ]
    return RolePlan(tuple(steps), left, sum(one or 0.0 for one in hours), hours.count(None), tuple(blocked))


def _leading(items: Iterable[str], offered: Iterable[Offered]) -> set[str]:
    """The ids of those of *offered* that give one of *items*, or what another of them needs first.

    What each gives is looked at once.
    """
    giving: dict[str, list[Offered]] = {}
    for one in offered:
        for id, _ in one.levels:
            giving.setdefault(id, []).append(one)
    found, left = set[str](), list(items)
    while left:
        for one in giving.pop(left.pop(), ()):
            found.add(one.id)
            left += [id for need in one.needs for id in need.ids]
    return found


class _Sought:
    """What is asked for and what is needed first, by the ids of items: an offer is read by what it gives alone."""

    def __init__(self, asked: Sequence[tuple[Requirement, str | None]], needs: Sequence[NeededFirst]) -> None:
        self.places = {need: len(asked) + place for place, need in enumerate(needs)}
        self._asked: dict[str, list[tuple[int, Requirement]]] = {}
        for place, (requirement, item) in enumerate(asked):
            self._asked.setdefault(item or "", []).append((place, requirement))
        self._needed: dict[str, list[NeededFirst]] = {}
        for need in needs:
            for id in need.ids:
                self._needed.setdefault(id, []).append(need)
        self._count = len(asked) + len(needs)

    def option(self, one: Offered) -> Option:
        """*one* as planning knows it."""
        shares = [Fraction(0)] * self._count
        for id, level in one.levels:
            for place, requirement in self._asked.get(id, ()):
                shares[place] = max(shares[place], _share(requirement, level))
            for need in self._needed.get(id, ()):
                if _is_enough(need, id, level):
                    shares[self.places[need]] = Fraction(1)
        hours = None if one.hours is None else Fraction(str(one.hours))
        return Option(one.id, hours, tuple(shares), tuple(self.places[need] for need in one.needs))


def _step(
    place: int,
    chosen: Sequence[Option],
    lacking: Lacking,
    role: Role,
    by_id: Mapping[str, Offered],
    needs: Sequence[NeededFirst],
) -> PlanStep:
    """The step at *place* of those *chosen*."""
    was, now = lacking.after(chosen[:place]), lacking.after(chosen[: place + 1])
    asked = len(role.requirements)
    closes = [each for each, before, after in zip(role.requirements, was, now, strict=False) if after > before]
    later = {need for one in chosen[place + 1 :] for need in one.needs}
    opens = [need.label for at, need in enumerate(needs, asked) if at in later and now[at] > was[at]]
    return PlanStep(by_id[chosen[place].id], tuple(closes), tuple(dict.fromkeys(opens)))


def _is_enough(need: NeededFirst, id: str, level: int | None) -> bool:
    return id in need.ids and (need.level is None or (level or 0) >= need.level)


def _holds(need: NeededFirst, known: Iterable[ProfileEntry]) -> Fraction:
    """1 if somebody who holds *known* has what is needed, else 0."""
    return Fraction(any(_is_enough(need, one.competency.id, one.level.ordinal) for one in known))


def _share(requirement: Requirement, level: int | None) -> Fraction:
    """The share of *requirement* that is held by who has its competency at *level*."""
    if not requirement.level:
        return Fraction(1)
    return Fraction(min(level or 0, requirement.level), requirement.level)
