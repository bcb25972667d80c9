from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters import cells, hours, times
from adapters.hours import Numbers
from adapters.times import DATES, Calendar
from lrs.tables.row import Place, Row, Unusable

LONDON = ZoneInfo("Europe/London")


def calendar(*formats: str) -> Calendar:
    return Calendar(LONDON, formats or DATES)


def row(cell: str) -> Row:
    return Row(Place("", 2), {"at": cell})


def code(function, *args, **more) -> str:
    with pytest.raises(Unusable) as problem:
        function(*args, **more)
    assert problem.value.column == "at"
    return problem.value.code


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("20/11/2026", date(2026, 11, 20)),
        ("03/04/2026", date(2026, 4, 3)),
        ("20 Nov 2026", date(2026, 11, 20)),
        ("2026-11-20 00:00:00", date(2026, 11, 20)),
        ("29/02/2024", date(2024, 2, 29)),
        ("", None),
    ],
)
def test_dates_are_read_the_british_way(cell, expected):
    assert times.day(row(cell), "at", calendar()) == expected


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        ("2026-11-03 00:00:00", "%d/%m/%Y", date(2026, 11, 3)),
        ("2026-11-03 14:05:30", "%d/%m/%Y", date(2026, 11, 3)),
        ("03/11/2026 9:30", "%d/%m/%Y", date(2026, 11, 3)),
        ("03/11/2026 00:00", "%d/%m/%Y %H:%M", date(2026, 11, 3)),
        ("2026-03-11", "%Y-%d-%m", date(2026, 11, 3)),
    ],
)
def test_a_date_cell_of_a_workbook_is_a_date_whatever_format_the_profile_names(cell, form, expected):
    assert times.day(row(cell), "at", calendar(form)) == expected


@pytest.mark.parametrize(("cell", "form"), [("2026-11-13", "%Y-%d-%m"), ("03/11/2026 24:30", "%d/%m/%Y")])
def test_a_date_that_the_profile_reads_otherwise_is_not_guessed(cell, form):
    assert code(times.day, row(cell), "at", calendar(form)) == "impossible_date"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-13-12", "impossible_date"),
        ("29/02/2026", "impossible_date"),
        ("03/25/2026", "impossible_date"),
        ("45981", "date_serial"),
        ("2026-11", "date_incomplete"),
        ("0026-11-20", "impossible_date"),
        ("yesterday", "impossible_date"),
    ],
)
def test_a_date_that_is_none_says_why(cell, expected):
    assert code(times.day, row(cell), "at", calendar()) == expected


def test_a_moment_of_a_workbook_is_one_whatever_format_the_profile_names():
    found = times.moment(row("2026-07-01 09:30:00"), "at", calendar("%d/%m/%Y"))

    assert found == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)


def test_day_numbers_of_a_spreadsheet_are_dates_where_the_profile_says_so():
    assert times.day(row("45981"), "at", calendar("excel")) == date(2025, 11, 20)
    assert times.day(row("44519"), "at", calendar("excel1904")) == date(2025, 11, 20)
    assert times.day(row("2026-11"), "at", calendar("%Y-%m")) == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-07-01 09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-12-01T09:30:15", datetime(2026, 12, 1, 9, 30, 15, tzinfo=UTC)),
        ("01/07/2026 09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-07-01T09:30Z", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
        ("2026-10-25 01:30+01:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 01:30+00:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("08:55", datetime(2026, 7, 1, 7, 55, tzinfo=UTC)),
    ],
)
def test_times_are_local_unless_they_carry_an_offset(cell, expected):
    assert times.moment(row(cell), "at", calendar(), on=date(2026, 7, 1)) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-20 25:00", "impossible_time"),
        ("2026-11-20 12:60", "impossible_time"),
        ("2026-11-20 12:00+99:99", "impossible_time"),
        ("2026-11-20", "no_time"),
        ("2026-03-29 01:30", "time_skipped"),
        ("2026-10-25 01:30", "time_twice"),
        ("2026-13-20 09:00", "impossible_date"),
        ("09:00", "missing"),
    ],
)
def test_a_time_that_never_was_or_was_twice_is_left_to_a_person(cell, expected):
    assert code(times.moment, row(cell), "at", calendar()) == expected


def test_a_clock_may_be_a_day_ahead_and_no_more():
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    assert times.not_ahead(datetime(2026, 11, 22, 12, tzinfo=UTC), now, "at", "") == datetime(
        2026, 11, 22, 12, tzinfo=UTC
    )
    assert code(times.not_ahead, datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC), now, "at", "") == "in_the_future"


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        ("2.05", "decimal", 123),
        ("2.05", "h.mm", 125),
        ("2.5", "h.mm", 170),
        ("2,05", "h.mm", 125),
        ("2:05", "h:mm", 125),
        ("7", "h.mm", 420),
        ("90", "minutes", 90),
        ("24", "decimal", 1440),
        ("", "decimal", None),
    ],
)
def test_hours_mean_what_the_profile_says(cell, form, expected):
    assert hours.minutes(row(cell), "at", Numbers(form)) == expected


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        ("-1", "decimal", "negative"),
        ("-1:30", "h:mm", "negative"),
        ("25", "decimal", "over_a_day"),
        ("2.75", "h.mm", "no_duration"),
        ("1e3", "minutes", "no_duration"),
        ("lots", "decimal", "no_duration"),
    ],
)
def test_an_impossible_time_span_says_why(cell, form, expected):
    assert code(hours.minutes, row(cell), "at", Numbers(form)) == expected


def test_addresses_lose_mailto_and_capitals():
    assert cells.email(row("mailto:Ada.Byrne@Learner.Example"), "at") == "ada.byrne@learner.example"


@pytest.mark.parametrize("cell", ["ada", "ada@", "@example.org", "a b@example.org", "ada@example", "a@b@c.example"])
def test_what_is_no_address_is_refused(cell):
    assert code(cells.email, row(cell), "at") in {"no_email", "formula"}


@pytest.mark.parametrize("killer", ["a@" + "a." * 50_000, "@" * 100_000, "9" * 100_000, "K" * 100_000, " " * 100_000])
def test_no_cell_takes_long_to_refuse(killer):
    for function, more in ((cells.email, ()), (times.day, (calendar(),)), (hours.minutes, (Numbers("decimal"),))):
        with pytest.raises(Unusable):
            function(row(killer), "at", *more)


def test_yes_and_no_come_in_many_spellings():
    assert [cells.yes(row(cell), "at", default=True) for cell in ("Y", "TRUE", "1", "", "no", "F", "0")] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert code(cells.yes, row("perhaps"), "at", default=True) == "unknown_word"


def test_a_cell_that_the_reader_found_fault_with_is_unusable_when_it_is_asked_for():
    fault = Unusable("error_value", "when", "#N/A", "the cell shows #N/A: a formula behind it failed")
    broken = Row(Place("S", 2), {"when": "#N/A", "title": "fine"}, faults={"when": fault})

    assert cells.text(broken, "title") == "fine"
    with pytest.raises(Unusable, match="formula behind it failed"):
        times.day(broken, "when", calendar())
