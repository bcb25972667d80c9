"""Numbers for planners: nobody can work out a count below five, whatever they ask for."""

from collections import Counter
from datetime import date
from itertools import product
from random import Random

import pytest

from adapters.planning.counts import Count, Counted
from adapters.planning.families import families
from adapters.planning.figures import Planning, shown
from adapters.planning.protect import TOTAL, YearCounts, least_shown, published, rounded
from adapters.planning.report import ReportNames, lines, rows
from lrs.matching.roles.gap import Requirement, Role

NAMES = tuple("abcd")
REGIONS, ROUTES = ("East", "North", "West"), ("Graduate", "Not known")


def of(k=5, **counts):
    named = {**dict.fromkeys(NAMES, 0), **counts}
    (told,) = published([YearCounts({("", name): n for name, n in named.items()} | {TOTAL: sum(counts.values())})], k)
    return {name or "all": number for (_, name), number in told.items()}


def test_what_is_small_is_kept_back_and_one_more_with_it_and_the_rest_is_rounded():
    assert of(a=3, b=12, c=31) == {"a": None, "b": None, "c": 30, "d": 0, "all": 45}


def test_two_small_ones_whose_sum_is_small_hide_the_sum_and_nobody_is_shown_as_nobody():
    assert of(a=1, b=2) == {"a": None, "b": None, "c": 0, "d": 0, "all": None}


def test_where_what_is_shown_would_still_prove_a_count_to_be_small_more_is_kept_back():
    # 5 is shown for the sum only if it is 5, 6 or 7: with three other parts of at least 1 each, none is more than 4
    assert of(a=1, b=1, c=1, d=2) == {"a": None, "b": None, "c": None, "d": None, "all": None}
    assert of(a=1, b=4) == {"a": None, "b": None, "c": 0, "d": 0, "all": 5}
    assert of(a=3, b=4) == {"a": None, "b": None, "c": 0, "d": 0, "all": 5}


def test_that_no_count_below_five_is_shown_tells_a_reader_something_too():
    # 10 is at most 12, and each 5 is at least 5: the two that are kept back would be 2 together
    assert of(a=1, b=1, c=5, d=5) == {"a": None, "b": None, "c": None, "d": 5, "all": 10}


def test_a_total_that_two_splits_share_gives_neither_away():
    counts = {("of", "east"): 3, ("of", "west"): 20, ("by", "new"): 2, ("by", "old"): 21, TOTAL: 23}

    assert published([YearCounts(counts)], 5) == [dict.fromkeys(counts) | {TOTAL: 25}]


def test_a_total_is_kept_back_where_another_split_says_how_large_it_is():
    # two routes of 5 are 14 at most, and of eleven regions with somebody in each no one could have more than 4
    regions = {("region", str(place)): 1 if place else 4 for place in range(11)}
    eleven = {**regions, ("route", "a"): 7, ("route", "b"): 7, TOTAL: 14}
    twelve = {**regions, ("route", "a"): 6, ("route", "b"): 8, TOTAL: 14}

    assert published([YearCounts(eleven)], 5) == [dict.fromkeys(eleven)]
    assert published([YearCounts(twelve)], 5)[0][TOTAL] == 15


@pytest.mark.parametrize(("k", "least"), [(5, 5), (6, 8), (7, 8), (8, 8), (9, 9), (10, 10), (11, 13), (50, 50)])
def test_no_number_is_shown_that_is_below_the_smallest_that_is_shown(k, least):
    # 7 to the nearest 5 is 5, which is below a k of 6 or 7
    told = [of(k, a=number)["a"] for number in range(60)]

    assert least_shown(k) == least
    assert [number for number, shown in enumerate(told) if shown is None] == list(range(1, least))
    assert min(filter(None, told)) >= k


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
    found = rows(lines(told, [], ReportNames({}, date(2026, 11, 3))))
    seen = {}
    for _ in range(3):
        column = random.choice(("measure", "by", "value"))
        wanted = random.choice([row.values[column] for row in found])
        for row in found:
            if row.values[column] == wanted:
                seen[row.values["by"], row.values["value"]] = row.values["number"]
    return seen


def fits(count, answer, k=5, *, rounds=True):
    """Whether *count* can be what was answered: *answer* is a number, or ``None``."""
    if answer is None:
        return count >= 0 if rounds else count > 0
    if not rounds or answer == 0:
        return count == answer
    return count >= k and abs(count - answer) <= 2


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
        told = shown(Planning(5, 1, tuple(Counted(*pair) for pair in counts.items()))).counts

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


def of_two_years(today, later, k):
    """What is shown of two regions, today and a year later, and in all: by region and year, in this order."""
    tables = [
        YearCounts({("", name): one for name, one in zip("ab", told, strict=True)} | {TOTAL: sum(told)})
        for told in (today, later)
    ]
    first, second = published(tables, k)
    return tuple(told[cell] for told in (first, second) for cell in (TOTAL, ("", "a"), ("", "b")))


def could_be(shown_ones, k, most):
    """All counts of two years, as ``of_two_years`` has them, of which just that could be shown."""
    fitting = [[one for one in range(most) if fits(one, number, k)] for number in shown_ones]
    for a, later_a in ((x, y) for x in fitting[1] for y in fitting[4] if y <= x):
        for b, later_b in ((x, y) for x in fitting[2] for y in fitting[5] if y <= x):
            if a + b in fitting[0] and later_a + later_b in fitting[3]:
                yield (a + b, a, b, later_a + later_b, later_a, later_b)


@pytest.mark.parametrize(("k", "numbers"), [(5, (0, 2, 5, 9, 11, 12)), (9, (0, 3, 9, 12, 13))])
def test_two_years_prove_no_small_count_and_of_nobody_that_a_few_count_no_more(k, numbers):
    nested = [(a, later) for a in numbers for later in numbers if later <= a]
    given = {}
    for (a, later_a), (b, later_b) in product(nested, nested):
        given.setdefault(of_two_years((a, b), (later_a, later_b), k), set()).add(
            (a + b, a, b, later_a + later_b, later_a, later_b)
        )
    for told, counts in given.items():
        possible = list(could_be(told, k, 2 * numbers[-1] + 4))
        most = [max(one[at] for one in possible) for at in range(6)]
        gone = [{one[at] - one[at + 3] for one in possible} for at in range(3)]
        for one in counts:
            assert [number for number, limit in zip(one, most, strict=True) if 0 < number < k and limit < k] == [], one
            assert [at for at in range(3) if min(gone[at]) > 0 and max(gone[at]) < k] == [], (one, told)
    assert sum(None in told for told in given) < len(given) - 20


def test_roles_that_ask_for_the_same_or_that_a_third_one_links_are_one_family():
    def role(id, *asked):
        return Role(id, id, tuple(Requirement(name, essential=needed) for name, needed in asked))

    known = [
        role("gown", ("GOWN", True)),
        role("optional", ("GOWN", False), ("COLD", True)),
        role("asep", ("ASEP", True)),
        role("both", ("gown-id", True), ("ASEP", True)),
        role("nothing"),
        role("alone", ("LAB", True)),
    ]

    assert families(known, {"gown-id": "GOWN"}) == [{"gown", "asep", "both"}]
    assert families(known, {}) == [{"asep", "both"}]


# -- the proof: other people of whom just the same is shown -----------------------------------------------------------


class Person:
    """One of those who are counted: a value for each split, and the *last* of the years in which they count."""

    def __init__(self, values, last):
        self.values, self.last = dict(values), last


SPLITS = {"region": REGIONS, "route": ROUTES, "funding": ("Apprenticeship", "Not known")}


def some_people(random):
    """Up to 40 people, more of them in some places than in others, of whom fewer and fewer count in later years."""
    weights = {split: [random.choice((1, 1, 3, 9)) for _ in values] for split, values in SPLITS.items()}
    stays = [random.choice((1, 3, 9)) for _ in range(4)]
    return [
        Person(
            {split: random.choices(SPLITS[split], weights[split])[0] for split in SPLITS},
            random.choices(range(4), stays)[0],
        )
        for _ in range(random.randint(1, 40))
    ]


def tables(people):
    """What is counted of *people* in each year."""
    cells = [TOTAL, *((split, value) for split, values in SPLITS.items() for value in values)]
    found = []
    for year in range(4):
        there = [one for one in people if one.last >= year]
        told = Counter(pair for one in there for pair in one.values.items())
        found.append(YearCounts({cell: len(there) if cell == TOTAL else told[cell] for cell in cells}))
    return found


def one_more(people, told):
    """The values of somebody more, of whom all is kept back or changes no number that is shown of the first year."""
    counts = tables(people)[0].counts
    return {
        split: next(
            value
            for value in values
            if (count := counts[split, value])
            and (told[0][split, value] is None or rounded(count + 1) == told[0][split, value])
        )
        for split, values in SPLITS.items()
    }


def others(people, told, cell, last, k):
    """Other people, of whom *cell* counts *k* or more in the year *last*, and the same where *told* has a number."""
    split, value = cell
    found = [Person(one.values, one.last) for one in people]
    for year in range(last + 1):
        there = [one for one in found if one.last >= year]
        leaving = [one for one in found if one.last == year - 1 and one.values[split] == value]
        counts = Counter(one.values[split] for one in there)
        while told[year][cell] is None and counts[value] < k:
            counts[value] += 1
            if told[year][TOTAL] is None:  # all of the year is kept back: one more stays, or is there
                if year:
                    leaving.pop().last = last
                else:
                    found.append(Person(found[0].values | {split: value}, last))
                continue
            hidden = {name for name in SPLITS[split] if told[year][split, name] is None and counts[name] > 1}
            moves = next((one for one in there if one.values[split] in hidden - {value}), None)
            if not moves:  # there are more people, as many as the same numbers are shown of
                assert not year
                found.append(Person(one_more(found, told) | {split: value}, 0))
                continue
            counts[moves.values[split]] -= 1
            if year:  # somebody who leaves lived where the other one lived
                leaving.pop().values[split] = moves.values[split]
            moves.values[split] = value
    return found


@pytest.mark.parametrize("k", [5, 8, 12])
def test_for_each_small_count_there_are_other_people_of_whom_the_same_is_shown_and_it_is_not_small(k):
    random, tried = Random(k), 0
    for _ in range(60):
        people = some_people(random)
        counted = tables(people)
        told = published(counted, k)
        for year, table in enumerate(counted):
            some = next((cell for cell, count in table.counts.items() if count and cell != TOTAL), TOTAL)
            for cell in [cell for cell, count in table.counts.items() if 0 < count < k]:
                instead = tables(others(people, told, some if cell == TOTAL else cell, year, k))

                assert instead[year].counts[cell] >= k
                for now, seen in zip(instead, told, strict=True):
                    numbers = [one for one, number in seen.items() if number is not None]
                    assert [rounded(now.counts[one]) for one in numbers] == [seen[one] for one in numbers]
                    assert [now.counts[one] for one in numbers if 0 < now.counts[one] < k] == []
                tried += 1
    assert tried > 300
