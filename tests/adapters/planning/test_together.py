"""The attack on roles that share what they ask for: all people that fit what is shown of who holds each, or nearly.

Two roles ask for one thing each, a third for both; people live in the East or in the West. Whoever attacks knows what
the roles ask for and how counts are shown, and looks for people of whom a small count counts *k* or more. Where there
are none, it is worked out to be small.
"""

from functools import cache
from itertools import product
from random import Random

import pytest

from adapters.planning.bounds import Adds, narrow
from adapters.planning.counts import Count, Counted
from adapters.planning.figures import Planning, shown
from adapters.planning.kin import Kin, kin_of
from lrs.matching.roles.gap import Requirement, Role

PAIR, NEST = ("x", "y", "xy"), ("x", "xy")
REGIONS, HAVE = ("East", "West"), ("x", "y", "xy")
NAMES = [f"{role}{measure}" for role in PAIR for measure in ("held", "on track")]
MOST = 60
GIVEN_AWAY = (
    # roles, k, and how many in the East and in the West have x alone, y alone, and both
    (PAIR, 5, (5, 0, 2), (0, 0, 12)),
    (PAIR, 5, (2, 0, 8), (1, 3, 6)),
    (PAIR, 8, (20, 20, 0), (1, 0, 1)),
    (PAIR, 8, (1, 0, 0), (0, 0, 8)),
    (PAIR, 8, (0, 3, 8), (0, 12, 8)),
    (PAIR, 8, (0, 1, 12), (20, 20, 0)),
    (NEST, 5, (0, 1, 12), (8, 2, 0)),
    (NEST, 8, (5, 0, 12), (12, 0, 0)),
)


def kin(roles):
    return kin_of(Role(one, one, tuple(Requirement(each) for each in one)) for one in roles)


@cache
def counts_whom(roles):
    """Which people each count counts, as pairs of what they have and where they live."""
    found = {}
    for role, measure, region in product(roles, ("held", "on track"), ("", *REGIONS)):
        met = {have: len(set(role) & set(have)) for have in HAVE}
        whom = [have for have in HAVE if (met[have] == len(role)) == (measure == "held") and 2 * met[have] >= len(role)]
        what = Count("supply", role, measure, "region" if region else "", region)
        found[what] = tuple((have, one) for have in whom if met[have] for one in REGIONS if region in {"", one})
    return found


def counted(roles, people):
    return {what: sum(people[one] for one in whom) for what, whom in counts_whom(roles).items()}


def between(number, k):
    least = {5: 5, 8: 8}[k]
    return (0, 1000) if number is None else (max(least, number - 2), number + 2) if number else (0, 0)


def fits(bounds, sums):
    """Whether there are people within *bounds*: all are tried, half of those that are left after the other."""
    bounds = narrow(bounds, sums)
    if any(low > high for low, high in bounds.values()):
        return False
    name = max(product(HAVE, REGIONS), key=lambda one: bounds[one][1] - bounds[one][0])
    low, high = bounds[name]
    if low == high:
        whole = [(bounds[one.total], sum(bounds[part][0] for part in one.parts)) for one in sums]
        return all(least <= number <= most for (least, most), number in whole)
    middle = (low + high) // 2
    return any(fits(bounds | {name: part}, sums) for part in ((low, middle), (middle + 1, high)))


def given_away(roles, k, east, west, known):
    """The small counts that are worked out to be small, and how many small ones there are.

    Without what is *known* of the kin of roles each count is shown by itself.
    """
    living = [((have, region), at) for at, region in enumerate(REGIONS) for have in HAVE]
    people = {one: (east, west)[at][HAVE.index(one[0])] for one, at in living}
    counts = counted(roles, people)
    tables = [list(counts)] if known else [[one for one in counts if one.of + one.measure == name] for name in NAMES]
    told = {}
    for table in tables:
        told |= shown(Planning(k=k, counts=tuple(Counted(one, counts[one]) for one in table), kin=known or Kin()))
    whom = counts_whom(roles)
    sums = [Adds(what, whom[what]) for what in counts]
    bounds = {what: between(told[what], k) for what in counts} | dict.fromkeys(product(HAVE, REGIONS), (0, MOST))
    small = [what for what, number in counts.items() if 0 < number < k]
    return [what for what in small if not fits(bounds | {what: (k, 1000)}, sums)], len(small)


@pytest.mark.parametrize(("roles", "k", "east", "west"), GIVEN_AWAY)
def test_roles_that_share_what_they_ask_for_give_no_small_count_away_together(roles, k, east, west):
    apart, _ = given_away(roles, k, east, west, None)
    together, _ = given_away(roles, k, east, west, kin(roles))

    assert apart
    assert together == []


@pytest.mark.parametrize("k", [5, 8])
def test_of_any_small_network_of_roles_no_small_count_is_given_away(k):
    random, small = Random(k), 0
    for _ in range(12):
        east, west = ([random.choice((0, 0, 1, 2, 5, 8, 12, 20)) for _ in HAVE] for _ in REGIONS)
        found, number = given_away(PAIR, k, east, west, kin(PAIR))
        assert found == [], (east, west)
        small += number
    assert small > 20


def test_what_roles_tell_of_one_another_follows_from_what_they_ask_for():
    assert kin(("x", "y", "xy", "xyz")) == Kin(
        within={"xy": ("x", "y"), "xyz": ("x", "y", "xy")},
        crossed={"x": ("xy", "xyz"), "y": ("xy", "xyz"), "xy": ("x", "y", "xyz"), "xyz": ("xy",)},
        covered=("xy", "xyz"),
        halved={"xy": ("x", "y")},
    )
