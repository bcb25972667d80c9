"""A file whose dates cannot all be read in one order is stopped whole."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.reading.day_order import IN_DOUBT, DatesContradict, check_day_order
from adapters.reading.times import DATES, Calendar, day
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, RowPlace, Unusable


def rows(*cells: str) -> list[Row]:
    return [Row(RowPlace("", number), {"on": cell, "other": "14/14/2026"}) for number, cell in enumerate(cells, 2)]


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (("03/04/2026", "03/14/2026"), DATES),
        (("25/04/2026 09:00", "03-14-2026 10:00"), DATES),
        (("3/4/26", "3/14/26"), ("%d/%m/%y",)),
        (("03/14/2026", "25/04/2026"), ("%m/%d/%Y",)),
        (("03/04/2026", "03/14/2026"), ("%d/%m/%Y", "%m/%d/%Y")),
    ],
)
def test_dates_that_contradict_each_other_stop_the_file_in_whatever_order_they_come(cells, formats):
    for told in (cells, cells[::-1]):
        with pytest.raises(Refused, match="the file's dates contradict each other") as no:
            check_day_order(rows(*told), {"on"}, formats)
        assert no.value.error == "dates_contradict"


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (("03/04/2026", "25/04/2026", "2026-14-03", "31/31/2026", "3/14", "1.10", ""), DATES),
        (("03/14/2026", "12/31/2026", "03/04/2026"), ("%m/%d/%Y",)),
        (("03.04.2026", "25.04.2026", "03/14/2026"), ("%d.%m.%Y", "%m/%d/%Y")),
        (("03/14/2026", "12/31/2026"), DATES),
        (("03/14/2026", "03/04/2026"), ("%Y-%m-%d", "excel")),
    ],
)
def test_dates_that_all_can_have_the_order_that_was_named_do_not(cells, formats):
    check_day_order(rows(*cells), {"on"}, formats)


def test_the_message_says_where_and_what_to_do_and_shows_no_cell():
    with pytest.raises(Refused) as no:
        check_day_order(rows("03/04/2026", "", "03/14/2026"), ["on"], DATES)

    assert no.value.message == (
        "the file's dates contradict each other: on in row 4 can only have the month first, while on in row 2 is read"
        " with the day first. Nothing was taken in: write all dates in one order, best as 2026-11-20, or name the one"
        ' that the file has under "dates" in a mapping profile'
    )


def cell(at: date | str) -> Row:
    """A row with a date cell of a workbook, or with a text."""
    if isinstance(at, str):
        return Row(RowPlace("Data", 2), {"on": at})
    return Row(RowPlace("Data", 3), {"on": at.isoformat()}, values={"on": at})


SECOND, THIRD, LATE = date(2026, 3, 2), datetime(2026, 4, 3, 9), date(2026, 3, 25)  # noqa: DTZ001 (a cell has no zone)


@pytest.mark.parametrize("cells", [(SECOND, "03/14/2026"), ("03/14/2026", LATE, THIRD)])
def test_date_cells_beside_texts_that_can_only_be_month_first_may_have_been_swapped(cells):
    with pytest.raises(Refused, match="on in Data row 2 can only have the month first, while on in Data row 3"):
        check_day_order(map(cell, cells), {"on"}, DATES)


def test_a_column_with_date_cells_up_to_the_12th_and_later_days_as_text_was_swapped_by_a_program():
    with pytest.raises(Refused, match="day and month of some dates seem to be swapped: on has date cells") as no:
        check_day_order(map(cell, (SECOND, "25/03/2026", THIRD, "14/04/2026")), {"on"}, DATES)

    assert no.value.error == "dates_contradict"


@pytest.mark.parametrize(
    "cells",
    [
        (SECOND, "25/03/2026", THIRD),
        (SECOND, "25/03/2026", THIRD, "14/04/2026", LATE),
        (SECOND, "25/03/2026", THIRD, "14/04/2026", "03/04/2026"),
        (SECOND, THIRD, LATE),
        (LATE, "03/14/2026"),
    ],
)
def test_date_cells_and_texts_that_a_person_has_mixed_are_not_stopped(cells):
    check_day_order(map(cell, cells), {"on"}, DATES)


SWAPPED = ("2017-10-12T14:00:00", "2017-13-12", "2017/14/12 09:00", "20171512", "2017-25-12")


def test_years_first_are_asked_for_once_where_a_date_exists_only_with_the_day_before_the_month():
    found = check_day_order(rows(*SWAPPED, "2017-12-25", "2017-12-12", ""), {"on", "other"}, DATES, {"on": "START"})

    assert found is not None
    assert found.asks.said == (
        "Days seem to come before months in START (4 rows can be read in no other way): read the column so?"
    )
    marked = [found.marked(one).faults.get("on") for one in rows(*SWAPPED, "2017-12-25", "2017-12-12", "", "soon")]
    assert [fault.code if fault else "" for fault in marked] == [
        IN_DOUBT,
        *["impossible_date"] * 4,
        "",
        IN_DOUBT,
        "",
        "",
    ]
    assert str(marked[0]).startswith("this may be two dates, and others of the column can only be read with the day be")
    assert str(marked[1]).startswith("this date, as others here, can only be read with the day before the month: name")


def test_the_answer_reads_all_of_them_and_the_other_one_those_that_are_named():
    asks = check_day_order(rows(*SWAPPED), {"on"}, DATES).asks
    other, kept = (Calendar(ZoneInfo("Europe/London"), formats) for formats in (asks.formats, asks.kept))

    assert [day(one, "on", other) for one in rows(*SWAPPED)] == [date(2017, 12, on) for on in (10, 13, 14, 15, 25)]
    assert day(rows("25/12/2017")[0], "on", other) == date(2017, 12, 25)
    assert day(rows(SWAPPED[0])[0], "on", kept) == date(2017, 10, 12)
    with pytest.raises(Unusable, match="there is no such date"):
        day(rows("2017-13-12")[0], "on", kept)
    for formats in (asks.formats, asks.kept, ("%Y-%m-%d",)):
        assert check_day_order(rows(*SWAPPED), {"on"}, formats) is None


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (("2017-10-12", "2017-12-25", "2017-13-32", "0001-13-01", "2017131", "20171"), DATES),
        (("2017-10-12", "2017-13-12"), ("%Y-%d-%m", "%d/%m/%Y")),
    ],
)
def test_years_first_that_can_be_read_as_they_are_named_or_in_no_way_are_not_asked_for(cells, formats):
    assert check_day_order(rows(*cells), {"on"}, formats) is None


@pytest.mark.parametrize(
    ("cells", "formats", "said", "read"),
    [
        (("03/04/2026", "03/14/2026"), DATES, "Months seem to come before days in on (1 row can", date(2026, 3, 4)),
        (("3/4/26", "3/14/26"), ("%d/%m/%y",), "Months seem to come before days in on (1 row can", date(2026, 3, 4)),
        (("03/04/2026", "25/12/2026"), ("%m/%d/%Y",), "Days seem to come before months in on (1", date(2026, 4, 3)),
        (("12/13/2026", "13/12/2026"), DATES, "", None),
        ((date(2026, 3, 4), "03/14/2026"), DATES, "", None),
    ],
)
def test_a_file_that_is_stopped_is_asked_for_if_one_order_reads_it_whole(cells, formats, said, read):
    told = [cell(one) if isinstance(one, date) else rows(one)[0] for one in cells]

    with pytest.raises(DatesContradict) as no:
        check_day_order(told, {"on"}, formats)

    asks = no.value.asks
    assert (asks.said if asks else "").startswith(said)
    assert (asks is None) == (read is None)
    if asks:
        assert check_day_order(told, {"on"}, asks.formats) is None
        assert day(told[0], "on", Calendar(ZoneInfo("Europe/London"), asks.formats)) == read
