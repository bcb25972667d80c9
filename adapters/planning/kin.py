"""Which roles tell of which, because they share requirements: worked out of what they ask for alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, islice

import msgspec

from adapters.planning.counts import HELD, ON_TRACK, SUPPLY, Count
from lrs.matching.roles.gap import Requirement, Role

MOST_TRIED = 12
"""Requirements of a role of which all ways of meeting half are tried."""


class Kin(msgspec.Struct, frozen=True):
    """*within* names for a role the others that everybody holds who holds it; each stands before it.

    *crossed* names the others of which everybody who holds one holds it or is on track to it. *covered* are the roles
    of which everybody who is on track holds one that the role is within, and *halved* names those of which everybody
    who is on track holds just one: who holds two of them holds the role.
    """

    within: Mapping[str, tuple[str, ...]] = {}
    crossed: Mapping[str, tuple[str, ...]] = {}
    covered: tuple[str, ...] = ()
    halved: Mapping[str, tuple[str, ...]] = {}

    def above(self, about: Count) -> list[Count]:
        """Of what the same is kept back as of *about*."""
        if about.part != SUPPLY:
            return []
        if about.measure == ON_TRACK:
            return [msgspec.structs.replace(about, measure=HELD)]
        return [msgspec.structs.replace(about, of=one) for one in self.within.get(about.of, ())]

    def beside(self, about: Count) -> list[Count]:
        """Who holds roles of which everybody holds the one that *about* is about, or is on track to it."""
        crossing = self.crossed.get(about.of, ()) if (about.part, about.measure) == (SUPPLY, ON_TRACK) else ()
        return [msgspec.structs.replace(about, of=one, measure=HELD) for one in crossing]


def kin_of(known: Iterable[Role]) -> Kin:
    """The kin of the *known* roles."""
    asked = {one.id: asks for one in known if (asks := asked_of(one))}
    order = sorted(asked, key=lambda one: (len(asked[one]), sum(each.level or 0 for each in asked[one]), one))
    within = {
        one: found
        for at, one in enumerate(order)
        if (found := tuple(other for other in order[:at] if _has_all(asked[one], asked[other])))
    }
    crossed = {one: found for one in order if (found := tuple(_crossing(asked, one)))}
    covered = tuple(one for one in within if _is_covered(asked[one], [asked[other] for other in within[one]]))
    halved = {one: found for one in covered if len(found := tuple(_halves(asked, one, within[one]))) > 1}
    return Kin(within, crossed, covered, halved)


def asked_of(role: Role) -> list[Requirement]:
    """The essentials of *role*; all that it asks for, if it has none."""
    return [one for one in role.requirements if one.essential] or list(role.requirements)


def _crossing(asked: Mapping[str, Sequence[Requirement]], role: str) -> Iterable[str]:
    half = len(asked[role])
    return (one for one in asked if one != role and 2 * _met(asked[one], asked[role]) >= half)


def _halves(asked: Mapping[str, Sequence[Requirement]], role: str, parts: Iterable[str]) -> Iterable[str]:
    """The *parts*, one of those that ask for the same, of a *role* that asks for two things."""
    if len(asked[role]) == 2:
        for one in asked[role]:
            yield from islice((part for part in parts if _has_all([one], asked[part])), 1)


def _is_covered(asked: Sequence[Requirement], parts: Sequence[Sequence[Requirement]]) -> bool:
    """Whether whoever meets half of what is *asked* meets all of one of the *parts*."""
    half = (len(asked) + 1) // 2
    ways = combinations(asked, half) if len(asked) <= MOST_TRIED else [()]
    return half < len(asked) and all(any(_has_all(way, part) for part in parts) for way in ways)


def _has_all(asked: Sequence[Requirement], part: Sequence[Requirement]) -> bool:
    """Whether whoever meets *asked* meets each of *part*."""
    return _met(asked, part) == len(part)


def _met(asked: Sequence[Requirement], part: Sequence[Requirement]) -> int:
    """How many of *part* whoever meets *asked* meets."""
    most: dict[tuple[str, str | None], int] = {}
    for one in asked:
        name = one.competency, one.framework
        most[name] = max(most.get(name, 0), one.level or 0)
    return sum(most.get((one.competency, one.framework), -1) >= (one.level or 0) for one in part)
