"""What a cell shows in each number format, and when that leaves doubt."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel.tables.formats import Doubt, shown, shown_iso
from lrs.kernel.tables.row import Percent
from tests.rows import each_of


@each_of(
    ("raw", "form", "text", "value"),
    [
        ("1.1", "General", "1.1", Decimal("1.1")),
        ("1000001376", "General", "1000001376", Decimal(1000001376)),
        ("0.30000000000000004", "General", "0.3", Decimal("0.3")),
        ("1.1", "0.00", "1.10", Decimal("1.10")),
        ("12", "0000", "0012", Decimal(12)),
        ("-7.5", "0.00;[Red]-0.00", "-7.50", Decimal("-7.50")),
        ("7.5", "#,##0.00_ ;-#,##0.00", "7.50", Decimal("7.50")),
        ("7.333333", "0.00", "7.33", Decimal("7.33")),
        ("1.5", "0.0#", "1.5", Decimal("1.50")),
        ("0", "0;-0;0;@", "0", Decimal(0)),
        ("5", "@", "5", Decimal(5)),
        ("1", "0%", "100%", Percent(Decimal(100))),
        ("0.80000000000000004", "0%", "80%", Percent(Decimal(80))),
        ("0.825", "0.0%", "82.5%", Percent(Decimal("82.5"))),
        ("0.5", "0 %", "50%", Percent(Decimal(50))),
        ("46329", "yyyy-mm-dd", "2026-11-03", date(2026, 11, 3)),
        ("46329", "[$-809]dd mmmm yyyy;@", "2026-11-03", date(2026, 11, 3)),
        ("46329", "[$-en-GB]d mmmm yyyy;@", "2026-11-03", date(2026, 11, 3)),
        ("46329", "[$-x-sysdate]dddd, mmmm dd, yyyy", "2026-11-03", date(2026, 11, 3)),
        ("46329.375", "dd/mm/yyyy hh", "2026-11-03 09:00:00", datetime(2026, 11, 3, 9)),  # noqa: DTZ001
        ("1.5", "[h]", "36h", timedelta(hours=36)),
        ("46329", 'ddd d" of "mmm yy', "2026-11-03", date(2026, 11, 3)),
        ("46329.395833333336", "m/d/yy h:mm", "2026-11-03 09:30:00", datetime(2026, 11, 3, 9, 30)),  # noqa: DTZ001
        ("0.39583333", "h:mm AM/PM", "09:30:00", time(9, 30)),
        ("0.1041666666666667", "h:mm:ss", "02:30:00", time(2, 30)),
        ("0.3125", "[h]:mm", "7:30", timedelta(hours=7, minutes=30)),
        ("1.3125", "[hh]:mm:ss", "31:30:00", timedelta(hours=31, minutes=30)),
        ("0.5", "[m]", "720m", timedelta(hours=12)),
        ("0.251", "[m]:ss", "361:26", timedelta(minutes=361, seconds=26)),
        ("0.251", "[s]", "21686s", timedelta(seconds=21_686)),
        ("0.251", "[h]:mm", "6:01", timedelta(hours=6, minutes=1)),
        ("61", "yyyy-mm-dd", "1900-03-01", date(1900, 3, 1)),
        ("2958465", "yyyy-mm-dd", "9999-12-31", date(9999, 12, 31)),
        ("999", "#,##0", "999", Decimal(999)),
        ("-0.1", "[h]:mm", "-2:24", timedelta(hours=-2, minutes=-24)),
    ],
)
def test_a_cell_says_what_it_shows(raw, form, text, value):
    assert shown(raw, form, from_1904=False) == (text, value)


def test_dates_are_counted_from_1904_where_the_workbook_says_so():
    assert shown("0", "yyyy-mm-dd", from_1904=True).value == date(1904, 1, 1)
    assert shown("44867", "yyyy-mm-dd", from_1904=True).value == date(2026, 11, 3)


@each_of(
    ("text", "form", "told", "value"),
    [
        ("2026-11-03", "dd/mm/yyyy", "2026-11-03", date(2026, 11, 3)),
        (" 2026-11-03T09:30:00Z", "dd/mm/yyyy hh:mm", "2026-11-03 09:30:00", datetime(2026, 11, 3, 9, 30)),  # noqa: DTZ001
        ("2026-11-03T09:30:59.500", "dd/mm/yyyy hh:mm", "2026-11-03 09:30:00", datetime(2026, 11, 3, 9, 30)),  # noqa: DTZ001
        ("2026-11-03T09:30:00", "General", "2026-11-03 09:30:00", datetime(2026, 11, 3, 9, 30)),  # noqa: DTZ001
        ("T09:30:00", "h:mm", "09:30:00", None),
    ],
)
def test_a_cell_that_holds_a_date_as_text_says_what_it_shows(text, form, told, value):
    assert shown_iso(text, form) == (told, value)


def test_a_date_as_text_of_which_only_a_part_is_shown_leaves_doubt():
    with pytest.raises(Doubt, match="only a part of a date"):
        shown_iso("2026-11-03", "mmm-yy")


@each_of(
    ("raw", "form", "why"),
    [
        ("5", "0.00E+00", "'0.00E+00' is not known here: format the column as text"),
        ("597", '"ST"0000', "is not known here"),
        ("5", "[$£-809]#,##0.00", "is not known here"),
        ("0.5", "# ?/?", "is not known here"),
        ("-5", "0_);(0)", "a negative number without a minus sign"),
        ("5", '"built-in format 44"', "built-in format 44"),
        ("5", '"open', "is not known here"),
        ("5", "0" * 256, "cannot be read"),
        ("1200", "#,##0", "a separator of thousands"),
        ("1000", "#,##0", "a separator of thousands"),
        ("-1200", "#,##0", "a separator of thousands"),
        ("60", "yyyy-mm-dd", "no date since March 1900"),
        ("2958466", "yyyy-mm-dd", "no date since March 1900"),
        ("0.805", "0%", "shows 81% but holds more decimals"),
        ("2.5", "0", "shows 3 but holds more decimals"),
        ("7.333", "0.0", "shows 7.3 but holds more decimals"),
        ("1234567890123456", "General", "only 15 digits"),
        ("1e400", "0", "only 15 digits"),
        ("1e999999999", "0", "no number"),
        ("3", ";;;", "shows nothing"),
        ("-3", "0.00;[Red]0.00", "a negative number without a minus sign"),
        ("46329", "mmm-yy", "only a part of a date"),
        ("46329", "d-mmm", "only a part of a date"),
        ("46329", "dddd", "only a part of a date"),
        ("59", "dd/mm/yyyy", "no date since March 1900"),
        ("-1", "dd/mm/yyyy", "negative date"),
        ("9999999", "dd/mm/yyyy", "no date"),
        ("1.3125", "h:mm", "a time of day ('h:mm') but holds days as well"),
        ("0.1", "mm:ss", "only a part of a time"),
        ("0.51", "h AM/PM", "only a part of a time"),
        ("46329.395833333336", "dd/mm/yyyy hh", "only a part of a time"),
        ("0.3125", "[h]", "only a part of a time ('[h]'): format the column as [h]:mm"),
        ("0", '[=1]"Yes";[=0]"No";General', "depends on the number"),
        ("0", "[<1]0%;[<10]0.0;0", "depends on the number"),
        ("46329", "[$-th-TH-u-ca-buddhist]d mmmm yyyy", "is not known here"),
    ],
)
def test_what_leaves_doubt_is_refused_by_name_with_what_to_do(raw, form, why):
    with pytest.raises(Doubt) as doubt:
        shown(raw, form, from_1904=False)

    assert why in str(doubt.value)


@pytest.mark.parametrize(
    ("raw", "form", "from_1904"),
    [
        ("1", "0." + "0" * 60, False),
        ("123456789012", "0." + "0" * 30, False),
        ("99999999999999", "[h]:mm", False),
        ("2958000", "yyyy-mm-dd", True),
    ],
)
def test_a_number_that_its_format_cannot_show_leaves_doubt_and_stops_no_import(raw, form, from_1904):
    with pytest.raises(Doubt, match="cannot show the number in the cell: format the column as text"):
        shown(raw, form, from_1904=from_1904)


@given(raw=st.text("0123456789.-+eE", max_size=12), form=st.text('0#.,%;ymdhs[]"\\_*@ AMPGeneral/', max_size=12))
def test_any_number_in_any_format_is_shown_or_doubted(raw, form):
    try:
        text, _ = shown(raw, form, from_1904=False)
    except Doubt:
        return
    assert text
