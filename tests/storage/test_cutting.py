"""Work is cut into decisions of bounded weight, by what it weighs and not by how many there are."""

import pytest

from lrs.storage.cutting import cut
from lrs.storage.groups import GROUP_WEIGHT


@pytest.mark.parametrize(
    ("weights", "cuts"),
    [
        ([], []),
        ([3, 3, 4], [[3, 3, 4]]),
        ([3, 3, 5], [[3, 3], [5]]),
        ([11, 1, 1], [[11], [1, 1]]),
        ([1, 11, 1], [[1], [11], [1]]),
        ([10, 10], [[10], [10]]),
    ],
)
def test_what_is_together_weighs_no_more_than_it_may_unless_it_is_one(weights, cuts):
    assert list(cut(weights, lambda one: one, most=10)) == cuts


def test_a_decision_weighs_no_more_than_a_group_of_them():
    assert list(cut([GROUP_WEIGHT - 1, 1, 1], lambda one: one)) == [[GROUP_WEIGHT - 1, 1], [1]]


def test_nothing_is_taken_before_it_is_needed():
    taken = []

    def items():
        for one in range(1_000):
            taken.append(one)
            yield one

    next(cut(items(), lambda _: 4, most=10))

    assert taken == [0, 1, 2]
