"""A plan for a role: the same as trying all sets of entries, in small cases; and greedy in large ones."""

from fractions import Fraction
from itertools import combinations
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.matching.roles import plan
from lrs.matching.roles.plan import EXACT, Lacking, Option, planned

SHARES = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)])
HOURS = st.one_of(st.none(), st.sampled_from([Fraction(0), Fraction(1), Fraction(3, 2), Fraction(5)]))


def option(id, hours, *shares, needs=()):
    return Option(id, None if hours is None else Fraction(hours), tuple(map(Fraction, shares)), tuple(needs))


def lacking(*held, weights=None):
    return Lacking(tuple(map(Fraction, weights or [1] * len(held))), tuple(map(Fraction, held)))


@st.composite
def cases(draw):
    size = draw(st.integers(0, 4))
    weights = draw(st.lists(st.sampled_from([0, 1, 2, 5]), min_size=size, max_size=size))
    shares = st.lists(SHARES, min_size=size, max_size=size)
    held = draw(shares)
    needs = st.lists(st.integers(0, size - 1), max_size=2, unique=True) if size else st.just([])
    options = [option(f"c{n}", draw(HOURS), *draw(shares), needs=draw(needs)) for n in range(draw(st.integers(0, 5)))]
    return lacking(*held, weights=weights), draw(st.permutations(options))


def by_trying_all(gap, options):
    """The ids of the best set of *options*, found by trying every set."""

    def rank(chosen):
        closed = sum(
            weight * (max([has, *(one.shares[n] for one in chosen)]) - has)
            for n, (weight, has) in enumerate(zip(gap.weights, gap.held, strict=True))
        )
        hours = sum(one.hours or 0 for one in chosen)
        silent = sum(one.hours is None for one in chosen)
        return -closed, silent, hours, len(chosen), sorted(one.id for one in chosen)

    def can_be_taken(chosen):
        held, left = gap.held, list(chosen)
        while opened := [one for one in left if all(held[n] >= 1 for n in one.needs)]:
            held = tuple(max([has, *(one.shares[n] for one in opened)]) for n, has in enumerate(held))
            left = [one for one in left if one not in opened]
        return not left

    every = (chosen for size in range(len(options) + 1) for chosen in combinations(options, size))
    return min(rank(chosen) for chosen in every if can_be_taken(chosen))[4]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_a_plan_of_a_small_case_is_the_best_of_all_sets(case):
    gap, options = case

    found = planned(gap, options)

    assert sorted(one.id for one in found) == by_trying_all(gap, options)
    held = gap.held
    for one in found:
        assert all(held[n] >= 1 for n in one.needs)
        held = gap.after([one], held)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_a_plan_that_is_too_large_to_be_exact_closes_as_much_in_an_order_that_can_be_taken(case):
    gap, options = case
    best = planned(gap, options)

    with patch.object(plan, "EXACT", -1):
        found = planned(gap, options)

    assert gap.closed(gap.held, *found) == gap.closed(gap.held, *best)
    assert plan.ordered(gap, found) == found


def test_one_course_that_closes_all_in_fewer_hours_is_better_than_what_closes_most_per_hour():
    short, other, both = option("a", 1, 1, 0), option("b", 9, 0, 1), option("c", 6, 1, 1)

    assert planned(lacking(0, 0), [short, other, both]) == [both]


def test_a_plan_begins_with_what_closes_most_per_hour_and_ends_with_what_says_no_hours():
    slow, fast, silent = option("a", 9, 1, 0, 0), option("b", 1, 0, 1, 0), option("c", None, 0, 0, 1)

    assert planned(lacking(0, 0, 0), [silent, slow, fast]) == [fast, slow, silent]


def test_of_equal_courses_the_first_id_is_taken_and_what_is_held_needs_none():
    assert [one.id for one in planned(lacking(0), [option("b", 2, 1), option("a", 2, 1)])] == ["a"]
    assert planned(lacking(1), [option("a", 2, 1)]) == []
    assert planned(lacking(Fraction(1, 2)), [option("a", 2, Fraction(1, 3))]) == []


def test_a_large_case_closes_all_that_can_be_closed_without_a_needless_course():
    size = 20
    options = [option(f"one-{n:02}", 1, *(int(n == at) for at in range(size))) for n in range(size)]
    options += [option(f"wide-{n}", 2, *(int(at % 2 == n) for at in range(size))) for n in range(2)]
    gap = lacking(*[0] * size)
    assert len(options) << size > EXACT

    assert [one.id for one in planned(gap, options)] == ["wide-0", "wide-1"]
    assert planned(gap, reversed(options)) == planned(gap, options)


def test_what_a_course_needs_comes_before_it_even_if_it_closes_nothing_by_itself():
    first, second, other = option("z", 1, 0, 1), option("a", 2, 1, 0, needs=[1]), option("b", 9, 1, 0)

    assert planned(lacking(0, 0, weights=[1, 0]), [second, other, first]) == [first, second]
    assert planned(lacking(0, 1, weights=[1, 0]), [second, other, first]) == [second]
    assert planned(lacking(0, 0, weights=[1, 0]), [second, other]) == [other]
    assert planned(lacking(0, 0, weights=[1, 0]), [second]) == []


def test_courses_that_need_one_another_are_never_taken():
    assert planned(lacking(0, 0), [option("a", 1, 1, 0, needs=[1]), option("b", 1, 0, 1, needs=[0])]) == []
