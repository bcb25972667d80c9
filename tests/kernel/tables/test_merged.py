"""Merged cells: empty cells inside a range are a fault, however many ranges there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel.tables.row import FileLine
from lrs.kernel.tables.workbook import Range, _Covered


@st.composite
def ranges(draw):
    top, left = draw(st.integers(1, 8)), draw(st.integers(0, 5))
    return Range(top, top + draw(st.integers(0, 4)), left, left + draw(st.integers(0, 3)))


@given(st.lists(ranges(), max_size=8), st.sets(st.integers(1, 12)))
def test_an_empty_cell_within_a_range_is_a_fault_but_for_the_one_that_has_its_text(merged, numbers):
    covered = _Covered(merged)

    for row in sorted(numbers):
        faults = set(covered.marked(FileLine(row, [])).faults)

        inside = {at for one in merged if one.top <= row <= one.bottom for at in range(one.left, one.right + 1)}
        assert faults == inside - {one.left for one in merged if one.top == row}


@pytest.mark.timeout(60)  # measured: 2 s; with work that grows with the square of the ranges, hours
def test_the_work_for_a_range_does_not_grow_with_the_others():
    count = 10_000
    covered = _Covered([Range(row, 1_048_576, 0, 254) for row in range(1, count + 1)])

    faults = [covered.marked(FileLine(row, ["x"])).faults for row in range(1, count + 1)][-1]

    assert len(faults) == 254
