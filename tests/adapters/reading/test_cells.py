from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from adapters.reading import cells, hours, people, times
from adapters.reading.columns import ColumnWords
from adapters.reading.hours import Numbers
from adapters.reading.times import DATES, Calendar
from lrs.kernel.tables.row import Percent, Row, RowPlace, Unusable
from lrs.xapi.statements.formats import is_mailto
from tests.rows import each_of

LONDON = ZoneInfo("Europe/London")


def calendar(*formats: str) -> Calendar:
    return Calendar(LONDON, formats or DATES)


def row(cell: str) -> Row:
    return Row(RowPlace("", 2), {"at": cell})


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


@pytest.mark.parametrize("cell", ["01/01/0001 +0000", "31/12/9999 -0500"])
def test_a_date_with_an_offset_at_the_ends_of_the_calendar_cannot_be_meant(cell):
    assert code(times.day, row(cell), "at", calendar("%d/%m/%Y %z")) == "impossible_date"


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


@each_of(
    ("cell", "expected"),
    [
        ("2026-07-01 09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-12-01T09:30:15", datetime(2026, 12, 1, 9, 30, 15, tzinfo=UTC)),
        ("01/07/2026 09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-07-01T09:30Z", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
        ("2026-07-01T09:30-05:00", datetime(2026, 7, 1, 14, 30, tzinfo=UTC)),
        ("2026-07-01T09:30-03:30", datetime(2026, 7, 1, 13, 0, tzinfo=UTC)),
        ("2026-07-01 09:30:00 -0030", datetime(2026, 7, 1, 10, 0, tzinfo=UTC)),
        ("2026-07-01 09:30 +0545", datetime(2026, 7, 1, 3, 45, tzinfo=UTC)),
        ("2026-07-01 09:30:00-03", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-07-01 09:30+23:59", datetime(2026, 6, 30, 9, 31, tzinfo=UTC)),
        ("01/07/2026 9:30 pm", datetime(2026, 7, 1, 20, 30, tzinfo=UTC)),
        ("12:15 AM", datetime(2026, 6, 30, 23, 15, tzinfo=UTC)),
        ("2026-10-25 01:30+01:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 01:30+00:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("08:55", datetime(2026, 7, 1, 7, 55, tzinfo=UTC)),
    ],
)
def test_times_are_local_unless_they_carry_an_offset(cell, expected):
    assert times.moment(row(cell), "at", calendar(), on=date(2026, 7, 1)) == expected


@each_of(
    ("cell", "expected"),
    [
        ("2026-11-20 25:00", "impossible_time"),
        ("2026-11-20 12:60", "impossible_time"),
        ("2026-11-20 12:00+99:99", "impossible_time"),
        ("2026-11-20 12:00+24:00", "impossible_time"),
        ("2026-11-20T12:00-23:60", "impossible_time"),
        ("2026-11-20", "no_time"),
        ("2026-03-29 01:30", "time_skipped"),
        ("2026-10-25 01:30", "time_twice"),
        ("2026-13-20 09:00", "impossible_date"),
        ("09:00", "missing"),
        ("2026-11-20 09:00-11:00", "no_time"),
        ("09:00-05:00", "no_time"),
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


@each_of(
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
    broken = Row(RowPlace("S", 2), {"when": "#N/A", "title": "fine"}, faults={"when": fault})

    assert cells.text(broken, "title") == "fine"
    with pytest.raises(Unusable, match="formula behind it failed"):
        times.day(broken, "when", calendar())


@each_of(
    ("cell", "expected"),
    [
        ("3rd November 2026", date(2026, 11, 3)),
        ("Tue 3 Nov 2026", date(2026, 11, 3)),
        ("Tuesday, 3 November 2026", date(2026, 11, 3)),
        ("3 Sept 2026", date(2026, 9, 3)),
        ("3-Nov-2026", date(2026, 11, 3)),
        ("November 3, 2026", date(2026, 11, 3)),
        ("20261103", date(2026, 11, 3)),
        ("03/11/2026 9:30 PM", date(2026, 11, 3)),
        ("2026-11-03T10:00:00.000", date(2026, 11, 3)),
        ("2026-11-03T10:00Z", date(2026, 11, 3)),
        ("2026-07-03T23:30:00Z", date(2026, 7, 4)),
        ("2026-11-03 23:30:00-05", date(2026, 11, 4)),
        ("03/11/2026 00:30 +01:00", date(2026, 11, 2)),
        ("03/11/2026 23:15:00 -00:45", date(2026, 11, 4)),
    ],
)
def test_a_day_is_read_as_people_and_systems_write_it_in_the_centres_zone(cell, expected):
    assert times.day(row(cell), "at", calendar()) == expected


@pytest.mark.parametrize("cell", ["03/11/26", "3-Nov-26", "3.11.26"])
def test_a_year_of_two_digits_is_left_to_a_person_or_to_the_profile(cell):
    assert code(times.day, row(cell), "at", calendar()) == "date_incomplete"
    assert times.day(row("03/11/26"), "at", calendar("%d/%m/%y")) == date(2026, 11, 3)


def test_a_day_number_with_a_fraction_is_a_day_and_a_time():
    cell = row("46329.395833")

    assert times.day(cell, "at", calendar("excel")) == date(2026, 11, 3)
    assert times.has_time(cell, "at")
    assert times.moment(cell, "at", calendar("excel")) == datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
    assert code(times.day, cell, "at", calendar()) == "date_serial"


@pytest.mark.parametrize(
    ("held", "shown", "expected"),
    [
        (timedelta(hours=7, minutes=30), "7:30", 450),
        (time(2, 30), "02:30:00", 150),
        (timedelta(hours=24), "24:00", 1440),
        (Decimal("2.5"), "2.50", 150),
        (Decimal("7.333333333333333"), "7.33", 440),
    ],
)
def test_a_cell_of_a_workbook_is_the_span_of_time_it_holds(held, shown, expected):
    cell = Row(RowPlace("S", 2), {"at": shown}, values={"at": held})

    assert hours.minutes(cell, "at", Numbers()) == expected


@pytest.mark.parametrize(
    ("held", "shown", "expected"),
    [
        (timedelta(hours=25), "25:00", "over_a_day"),
        (Decimal(-1), "-1", "negative"),
        (Percent(Decimal(50)), "50%", "no_duration"),
        (date(2026, 11, 3), "2026-11-03", "no_duration"),
    ],
)
def test_a_cell_of_a_workbook_that_holds_no_span_of_time_says_why(held, shown, expected):
    cell = Row(RowPlace("S", 2), {"at": shown}, values={"at": held})

    assert code(hours.minutes, cell, "at", Numbers()) == expected


@each_of("form", ["decimal", "h.mm", "h:mm", "minutes"])
@each_of(
    ("cell", "expected"),
    [
        ("2:30", 150),
        ("02:30:00", 150),
        ("2:30 hrs", 150),
        ("2h 30m", 150),
        ("2h30", 150),
        ("2 hours 30 minutes", 150),
        ("2 hrs and 30 mins", 150),
        ("2 hours", 120),
        ("150 mins", 150),
        ("45m", 45),
        ("7\u00bd", 450),
        ("1 \u00be hrs", 105),
        ("PT2H30M", 150),
        ("PT45M", 45),
    ],
)
def test_what_says_itself_what_it_is_needs_no_format(cell, form, expected):
    assert hours.minutes(row(cell), "at", Numbers(form)) == expected


@each_of(
    ("cell", "numbers", "expected"),
    [
        ("2.5hrs", Numbers(), 150),
        ("2.30 hours", Numbers("h.mm"), 150),
        ("2,5", Numbers(), 150),
        ("0,250", Numbers(), 15),
        ("1.250", Numbers(), 75),
        ("1,200", Numbers("minutes", "."), 1200),
        ("1,200", Numbers("decimal", ","), 72),
        ("1.200", Numbers("minutes", ","), 1200),
        ("1,200.5", Numbers("minutes"), 1200),
        ("1.200,5", Numbers("minutes"), 1200),
        ("+2", Numbers(), 120),
    ],
)
def test_a_number_is_read_by_its_signs_where_they_leave_no_doubt(cell, numbers, expected):
    assert hours.minutes(row(cell), "at", numbers) == expected


@each_of(
    ("cell", "numbers", "expected"),
    [
        ("1,200", Numbers(), "two_numbers"),
        ("1,200", Numbers("minutes"), "two_numbers"),
        ("1,200 mins", Numbers(), "two_numbers"),
        ("1.200", Numbers("minutes"), "two_numbers"),
        ("1,200.5", Numbers("minutes", ","), "no_duration"),
        ("2,5", Numbers("decimal", "."), "no_duration"),
        ("2.5", Numbers("decimal", ","), "no_duration"),
        ("2.5h 30m", Numbers(), "no_duration"),
        ("2h 90m", Numbers(), "no_duration"),
        ("2:75", Numbers(), "no_duration"),
        ("1..2", Numbers(), "no_duration"),
        (".", Numbers(), "no_duration"),
        ("h", Numbers(), "no_duration"),
        ("-2h", Numbers(), "negative"),
        ("\u22121:30", Numbers(), "negative"),
        ("1,234,567", Numbers(), "over_a_day"),
    ],
)
def test_a_number_that_may_be_two_or_is_none_is_left_to_a_person(cell, numbers, expected):
    assert code(hours.minutes, row(cell), "at", numbers) == expected


@each_of(
    ("cell", "held", "expected"),
    [
        ("100%", Percent(Decimal(100)), 100),
        ("80%", None, 80),
        ("80 %", None, 80),
        ("80", Decimal(80), 80),
        ("80.0%", None, 80),
        ("0", None, 0),
        ("1%", None, 1),
        ("", None, 75),
    ],
)
def test_per_cent_is_what_the_cell_shows(cell, held, expected):
    values = {"at": held} if held is not None else {}

    assert cells.percent(Row(RowPlace("", 2), {"at": cell}, values=values), "at", 75) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1", "no_percentage"),
        ("0.8", "no_percentage"),
        ("120", "no_percentage"),
        ("80.5%", "no_number"),
        ("all", "no_number"),
    ],
)
def test_a_share_is_not_taken_for_per_cent_nor_per_cent_for_a_share(cell, expected):
    assert code(cells.percent, row(cell), "at", 100) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "sean.o'brien@college.example",
        "!#$%&'*+-/=?^_`{|}~@x.example",
        "zo\u00eb@college.example",
        "a.b+c@sub.x.example",
    ],
)
def test_an_address_is_what_rfc_5322_calls_one(cell):
    assert cells.email(row(cell), "at") == cell


@each_of(
    ("cell", "told"),
    [
        ("sean.o\u2019brien@college.example", "curly apostrophe"),
        ("'sean@college.example", "begins with an apostrophe"),
        ("Sean <sean@college.example>", "no e-mail address"),
        ("a@x.example; b@x.example", "no e-mail address"),
        ("a..b@x.example", "no e-mail address"),
        (".a@x.example", "no e-mail address"),
        ("a@x.example.", "no e-mail address"),
        ("a" * 65 + "@x.example", "no e-mail address"),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong_with_it(cell, told):
    with pytest.raises(Unusable, match=told):
        cells.email(row(cell), "at")


@pytest.mark.parametrize("address", ["o'brien@x.example", "a%b@x.example", "{a}|b?#^`c@x.example", "a&b=c/d@x.example"])
def test_every_address_becomes_a_mailbox_that_the_store_takes_and_that_is_read_back(address):
    mailbox = people.mailbox(address)

    assert is_mailto(mailbox.name)
    assert mailbox.written == address


def test_all_columns_that_a_file_has_not_are_named_at_once():
    wanted = {column: ColumnWords(column) for column in ("evidence_id", "evidence_status", "evidence_date")}
    row = Row(RowPlace("", 2), {"evidence_date": ""})
    here, there = (Unusable("missing", column, "", "not there") for column in ("evidence_date", "evidence_id"))

    told = cells.also_missing(there, row, wanted)

    assert (told.code, told.column) == ("missing", "evidence_id")
    assert told.message.startswith("not there; not there either: ")
    assert "(evidence_status)" in told.message
    assert "evidence_date" not in told.message
    assert cells.also_missing(here, row, wanted) is here


@each_of(
    ("written", "numbers", "said"),
    [
        (("7.00", "6.30"), Numbers(), ["hours such as 6.30 (row 2) are read as decimal: 6 h 18 min."]),
        (("6,05",), Numbers(), ["hours such as 6,05 (row 1) are read as decimal: 6 h 03 min."]),
        (("6.30", "6.75"), Numbers(), []),
        (("2.50", "1.25", "6.5", "6:30"), Numbers(), []),
        (("6.30",), Numbers("h.mm"), []),
        (("6.30",), Numbers("decimal"), []),
    ],
)
def test_hours_that_may_be_two_things_are_in_doubt_unless_the_file_or_the_profile_says(written, numbers, said):
    rows = [Row(RowPlace("", at), {"at": cell}) for at, cell in enumerate(written, 1)]

    assert [note.partition(" If ")[0] for note in hours.in_doubt(rows, "at", numbers)] == said
