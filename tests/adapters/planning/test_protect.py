"""Numbers for planners: nobody can work out a count below five, whatever they ask for."""

from datetime import date
from itertools import product
from random import Random
from typing import Any

import pytest

from adapters.planning.figures import Count, Counted, Planning, shown
from adapters.planning.protect import Adds, published, rounded
from adapters.planning.report import KnownRoles, lines, rows

NAMES = tuple("abcd")
LINE = [Adds("all", NAMES)]
REGIONS, ROUTES = ("East", "North", "West"), ("Graduate", "Not known")


def of(**counts):
    return published({**dict.fromkeys(NAMES, 0), **counts, "all": sum(counts.values())}, LINE, 5)


def test_what_is_small_is_kept_back_and_one_more_with_it_and_the_rest_is_rounded():
    assert of(a=3, b=12, c=31) == {"a": None, "b": None, "c": 30, "d": 0, "all": 45}


def test_two_small_ones_whose_sum_is_small_hide_the_sum_and_nobody_is_shown_as_nobody():
    assert of(a=1, b=2) == {"a": None, "b": None, "c": 0, "d": 0, "all": None}


def test_where_what_is_shown_would_still_prove_a_count_to_be_small_more_is_kept_back():
    # 5 is shown for the sum only if it is 5, 6 or 7: two parts of at least 1 each would be at most 6
    assert of(a=1, b=1, c=1, d=2) == dict.fromkeys((*NAMES, "all"))


def test_that_no_count_below_five_is_shown_tells_a_reader_something_too():
    # 10 is at most 12, and each 5 is at least 5: the two that are kept back would be 2 together
    assert of(a=1, b=1, c=5, d=5) == {"a": None, "b": None, "c": None, "d": 5, "all": 10}


def test_a_total_that_two_splits_share_gives_neither_away():
    counts = {"east": 3, "west": 20, "new": 2, "old": 21, "all": 23}

    told = published(counts, [Adds("all", ("east", "west")), Adds("all", ("new", "old"))], 5)

    assert told == {"east": None, "west": None, "new": None, "old": None, "all": 25}


@pytest.mark.parametrize(("count", "told"), [(0, 0), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15)])
def test_a_count_is_rounded_to_the_nearest_five(count, told):
    assert rounded(count) == told


# -- the attack: whoever asks three questions, and tries every number of people that fits the answers ------------------


def made(random):
    """The people of one role, by region and by route: each is in one of both."""
    people = [(random.choice(REGIONS), random.choice(ROUTES)) for _ in range(random.randint(1, 14))]
    counts = {Count("supply", "r", "held"): len(people)}
    for place, (split, values) in enumerate((("region", REGIONS), ("route", ROUTES))):
        told = {value: sum(one[place] == value for one in people) for value in values}
        counts |= {Count("supply", "r", "held", split, value): number for value, number in told.items()}
    return counts


def asked(random, told):
    """Three questions: each for the rows with some value of some column, as page, CSV and JSON answer them."""
    found = rows(lines(told, [], KnownRoles({}, date(2026, 11, 3))))
    seen = {}
    for _ in range(3):
        column = random.choice(("measure", "by", "value"))
        wanted = random.choice([row.values[column] for row in found])
        for row in found:
            if row.values[column] == wanted:
                seen[row.values["by"], row.values["value"]] = row.values["number"]
    return seen


def fits(count, answer, *, rounds=True):
    """Whether *count* can be what was answered: *answer* is a number, or ``None``."""
    if answer is None:
        return count > 0
    if not rounds or answer == 0:
        return count == answer
    return count >= 5 and abs(count - answer) <= 2


def worked_out(seen, *, rounds=True, most=22):
    """For each count asked for, every number of people it can be. All that is possible is tried."""
    possible = {name: set() for name in seen}

    def allowed(name, count):
        return name not in seen or fits(count, seen[name], rounds=rounds)

    for total in range(1, most):
        if not allowed(("In all", ""), total):
            continue
        splits = []
        for split, values in (("Region", REGIONS), ("Route", ROUTES)):
            some = [
                [*first, total - sum(first)]
                for first in product(range(total + 1), repeat=len(values) - 1)
                if sum(first) <= total
            ]
            names = [(split, value) for value in values]
            splits.append([dict(zip(names, one, strict=True)) for one in some if all(map(allowed, names, one))])
        if all(splits):
            for name, count in (pair for one in splits for told in one for pair in told.items()):
                possible.get(name, set()).add(count)
            possible.get(("In all", ""), set()).add(total)
    return possible


def given_away(counts, possible):
    """The small counts of which whoever asked knows that they are small."""
    words = {"": "In all", "region": "Region", "route": "Route"}
    small = {(words[one.split], one.value) for one, count in counts.items() if 0 < count < 5}
    return [name for name in small & set(possible) if max(possible[name]) < 5]


def test_of_a_hundred_sets_of_three_questions_none_gives_away_a_count_below_five():
    random = Random(160)
    small = 0
    for _ in range(100):
        counts = made(random)
        told = shown(Planning(5, 1, tuple(Counted(*pair) for pair in counts.items())))

        possible = worked_out(asked(random, told))

        small += sum(0 < count < 5 for count in counts.values())
        assert given_away(counts, possible) == []
    assert small > 150


def test_the_same_attack_finds_small_counts_where_only_they_are_kept_back():
    random, found = Random(160), 0
    for _ in range(20):
        counts = made(random)
        told = {one: None if 0 < count < 5 else count for one, count in counts.items()}
        found += len(given_away(counts, worked_out(asked(random, told), rounds=False)))

    assert found > 0


def of_two_years(today, later):
    """Counts of two regions, today and at the end of 2028, and in all, as they would be kept."""
    for year, people in (("", today), ("2028", later)):
        for region, number, now in zip(("", "East", "North"), (sum(people), *people), (1, *today), strict=True):
            if now:
                yield Counted(Count("supply", "op", "held", "region" if region else "", region, year), number)


def between(number, least):
    """Between which numbers a count lies that is shown as *number*, and is *least* if it is kept back."""
    return (least, 99) if number is None else (0, 0) if number == 0 else (max(5, number - 2), number + 2)


def test_no_small_number_can_be_worked_out_from_those_of_two_years():
    pairs = [(east, north) for east in range(8) for north in range(8)]
    nested = [(now, then) for now in pairs for then in pairs if then[0] <= now[0] and then[1] <= now[1]]
    possible: dict[Any, list[Any]] = {}
    for now, then in nested[::7]:
        seen = shown(Planning(counts=tuple(of_two_years(now, then))))
        told = {(one.value, one.year): number for one, number in seen.items()}
        bounds = [
            between(told.get((region, year), 0), 0 if year else 1)
            for year in ("", "2028")
            for region in ("", "East", "North")
        ]
        key = tuple(bounds)
        if key not in possible:
            possible[key] = [
                values
                for values in ((sum(a), *a, sum(b), *b) for a, b in nested)
                if all(low <= value <= high for value, (low, high) in zip(values, bounds, strict=True))
            ]
        for at, number in enumerate((sum(now), *now, sum(then), *then)):
            if 0 < number < 5:
                assert max(values[at] for values in possible[key]) >= 5, (now, then, at)
