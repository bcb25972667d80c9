"""The attack on roles that share what they ask for: all people that fit what is shown of who holds each, or nearly.

Roles ask for one thing, for two, for three; people live in the East or in the West, and some keep less of what they
have until 2028. Whoever attacks knows what the roles ask for and how counts are shown, and looks for people of whom a
small count counts *k* or more. Where there are none, it is worked out to be small.
"""

from collections import Counter
from functools import cache
from itertools import combinations, product
from random import Random

import pytest

from adapters.planning import witness
from adapters.planning.bounds import Adds, narrow
from adapters.planning.counts import Count
from adapters.planning.crowd import Alike
from adapters.planning.families import families
from adapters.planning.protect import TOTAL
from adapters.planning.together import Family, together
from lrs.matching.roles.gap import Requirement, Role

PAIR, NEST, RING = ("x", "y", "xy"), ("x", "xy", "xyz"), ("xy", "xz", "yz")
FOUR, FIVE = ("x", "xy", "xw", "yw"), ("x", "y", "xy", "yw", "xw")
REGIONS = ("East", "West")
MOST = 60
GIVEN_AWAY = (
    # roles, k, and in the East and in the West how many have x alone, y alone, and both
    (PAIR, 5, (5, 0, 2), (0, 0, 12)),
    (PAIR, 5, (2, 0, 8), (1, 3, 6)),
    (PAIR, 8, (20, 20, 0), (1, 0, 1)),
    (PAIR, 8, (1, 0, 0), (0, 0, 8)),
    (PAIR, 8, (0, 3, 8), (0, 12, 8)),
    (PAIR, 8, (0, 1, 12), (20, 20, 0)),
    (NEST[:2], 5, (0, 1, 12), (8, 2, 0)),
    (NEST[:2], 8, (5, 0, 12), (12, 0, 0)),
)


def stands(role, have):
    met = len(set(role) & set(have))
    return "held" if met == len(role) else "on track" if met and 2 * met >= len(role) else ""


@cache
def tables(roles, have, later):
    """What counts who has *have* today and keeps *later* (``None``: only today is asked about)."""
    found = [Count("supply", role, measure) for role in roles if (measure := stands(role, have))]
    lasting = [one for one in found if later is not None and stands(one.of, later) == one.measure]
    return tuple(sorted([*found, *(Count("supply", one.of, one.measure, year="2028") for one in lasting)]))


def alike(roles, have, later, region):
    return Alike(tables(roles, have, later), (("region", region),))


def everyone(roles, has_years):
    """All kinds of people that any count can count."""
    known = sorted(set("".join(roles)))
    haves = ["".join(one) for number in range(len(known) + 1) for one in combinations(known, number)]
    keeps = [(have, later) for have in haves for later in (haves if has_years else [None])]
    keeps = [(have, later) for have, later in keeps if later is None or set(later) <= set(have)]
    return list(dict.fromkeys(alike(roles, *one, region) for one in keeps for region in REGIONS if tables(roles, *one)))


def counts_whom(roles, has_years):
    """The people that each count counts."""
    years = ("", "2028") if has_years else ("",)
    measures = product(roles, ("held", "on track"), years, (TOTAL, *(("region", one) for one in REGIONS)))
    found = {Count("supply", role, measure, *cell, year): [] for role, measure, year, cell in measures}
    for kind in everyone(roles, has_years):
        for table, cell in product(kind.tables, (TOTAL, *kind.cells)):
            found[Count(table.part, table.of, table.measure, *cell, table.year)].append(kind)
    return found


def between(number):
    return (0, 1000) if number is None else (max(5, number - 2), number + 2) if number else (0, 0)


def fits(bounds, sums):
    """Whether there are people within *bounds*: all are tried, half of those that are left after the other."""
    bounds = narrow(bounds, sums)
    if any(low > high for low, high in bounds.values()):
        return False
    name = max((one for one in bounds if isinstance(one, Alike)), key=lambda one: bounds[one][1] - bounds[one][0])
    low, high = bounds[name]
    if low == high:
        whole = [(bounds[one.total], sum(bounds[part][0] for part in one.parts)) for one in sums]
        return all(least <= number <= most for (least, most), number in whole)
    middle = (low + high) // 2
    return any(fits(bounds | {name: part}, sums) for part in ((low, middle), (middle + 1, high)))


def shown_of(roles, k, people, *, proved=True):
    """What is shown of *people*, and what is counted."""
    has_years = any(table.year for one in people for table in one.tables)
    whom = counts_whom(roles, has_years)
    numbers = {what: sum(people[one] for one in each) for what, each in whom.items()}
    known = [Role(one, one, tuple(Requirement(each) for each in one)) for one in roles]
    return together(numbers, [Family(ids, people) for ids in families(known, {})] if proved else [], k), numbers


def small_and_given_away(roles, k, people, *, proved=True):
    """How many counts are small; those that are worked out to be, with or without the proof for roles together."""
    whom = counts_whom(roles, has_years=False)
    told, numbers = shown_of(roles, k, people, proved=proved)
    sums = [Adds(what, tuple(each)) for what, each in whom.items()]
    bounds = {what: between(told[what]) for what in whom} | dict.fromkeys(everyone(roles, has_years=False), (0, MOST))
    small = [what for what, number in numbers.items() if 0 < number < k]
    assert [told[what] for what in small] == [None] * len(small)
    return len(small), [what for what in small if not fits(bounds | {what: (k, 1000)}, sums)]


def some(random, roles, has_years):
    """Some people: of each that can be, nobody or a few or many."""
    found = Counter()
    for kind in everyone(roles, has_years):
        found[kind] = random.choice((0, 0, 0, 1, 2) if has_years else (0, 0, 1, 2, 5, 8, 12, 20))
    return Counter({kind: many for kind, many in found.items() if many})


@pytest.mark.parametrize(("roles", "k", "east", "west"), GIVEN_AWAY)
def test_roles_that_share_what_they_ask_for_give_no_small_count_away_together(roles, k, east, west):
    people = Counter()
    for region, each in zip(REGIONS, (east, west), strict=True):
        for have, many in zip(("x", "y", "xy"), each, strict=True):
            if many and tables(roles, have, None):
                people[alike(roles, have, None, region)] += many

    small, apart = small_and_given_away(roles, k, people, proved=False)

    assert apart
    assert small_and_given_away(roles, k, people) == (small, [])


@pytest.mark.parametrize("k", [5, 8])
def test_of_any_small_network_of_roles_no_small_count_is_given_away(k):
    random, small = Random(k), 0
    for _ in range(10):
        number, found = small_and_given_away(PAIR, k, people := some(random, PAIR, has_years=False))
        assert found == [], people
        small += number
    assert small > 20


# -- the proof: other people of whom just the same is shown, found by the code and counted here ------------------------


def instead(trial):
    """All people of a *trial*, as they are counted."""
    crowd = trial.family.crowd
    found = Counter({Alike(crowd.had[one.has], one.cells): one.many + trial.come[one] for one in crowd.kinds.values()})
    assert min(found.values()) >= 0
    return found


def proved(roles, k, people, monkeypatch):
    """What is shown of *people*; each small count is tried to have other people of whom all the same is shown."""
    found, counted = [], witness.Trial.proved
    with monkeypatch.context() as spied:
        spied.setattr(witness.Trial, "proved", lambda trial: found.append(instead(trial)) or counted(trial))
        told, numbers = shown_of(roles, k, people)
    whom = counts_whom(roles, any(table.year for one in people for table in one.tables))
    others = [{what: sum(one[kind] for kind in each) for what, each in whom.items()} for one in found]
    seen = {what: between(number) for what, number in told.items() if number is not None}
    for counts in others:
        assert [what for what, (least, most) in seen.items() if not least <= counts[what] <= most] == [], people
    small = [what for what, number in numbers.items() if 0 < number < k]
    assert [what for what in small if max(counts[what] for counts in others) < k] == [], people
    return told, small


@pytest.mark.parametrize("k", [5, 8])
@pytest.mark.parametrize("has_years", [False, True], ids=["today", "two years"])
@pytest.mark.parametrize("roles", [PAIR, NEST, RING, FOUR, FIVE], ids=" ".join)
def test_for_each_small_count_of_roles_there_are_other_people_of_whom_all_the_same_is_shown(
    roles, has_years, k, monkeypatch
):
    random = Random(k)

    small = [proved(roles, k, some(random, roles, has_years), monkeypatch)[1] for _ in range(4)]

    assert sum(map(len, small)) > 5


def test_a_search_that_is_cut_short_keeps_back_more_and_gives_nothing_away(monkeypatch):
    people = [some(Random(seed), FIVE, has_years=False) for seed in range(4)]

    def back():
        told = [number for each in people for number in proved(FIVE, 8, each, monkeypatch)[0].values()]
        return told.count(None)

    whole = back()
    monkeypatch.setattr(witness, "MOST_STEPS", 1)
    one_step = back()
    monkeypatch.setattr(witness, "MOST_STEPS", 40)
    monkeypatch.setattr(witness, "MOST_LOOKED_AT", 0)
    nothing_mended = back()

    assert whole < one_step
    assert whole < nothing_mended
