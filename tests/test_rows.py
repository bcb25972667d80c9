"""Tables that are one test each."""

import inspect

import pytest

from tests.rows import each_of


def test_every_row_is_tried_and_all_that_are_wrong_are_named():
    tried, rows = [], [(1, 1), (2, 3), (4, 4), (5, 6)]

    @each_of("left, right", rows)
    @each_of("sign", [1, -1], ids=["plus", "minus"])
    def check(given, left, right, sign):
        tried.append((given, left, right, sign))
        assert left == right * sign

    with pytest.raises(BaseExceptionGroup) as failed:
        check(given="a fixture")

    assert tried == [("a fixture", left, right, sign) for left, right in rows for sign in (1, -1)]
    assert failed.value.message == "4 of 4 rows are wrong"
    assert [row.__notes__ for row in failed.value.exceptions] == [
        ["left, right: (1, 1)"],
        ["left, right: (2, 3)"],
        ["left, right: (4, 4)"],
        ["left, right: (5, 6)"],
    ]
    assert [[one.__notes__ for one in row.exceptions] for row in failed.value.exceptions] == [
        [["sign: minus"]],
        [["sign: plus"], ["sign: minus"]],
        [["sign: minus"]],
        [["sign: plus"], ["sign: minus"]],
    ]
    assert list(inspect.signature(check).parameters) == ["given"]


def test_a_row_in_which_nothing_is_raised_is_wrong_too_and_a_table_without_faults_passes():
    @each_of(("text",), ["1", "x"])
    def refuses(text):
        with pytest.raises(ValueError, match="invalid literal"):
            int(text)

    with pytest.raises(BaseExceptionGroup, match="1 of 2 rows are wrong"):
        refuses()

    each_of("number", [1, 2])(lambda number: number)()
