"""Durations and days: months clamp, midnights are London's."""

from datetime import date

import msgspec
import pytest

from lrs.competency.dates import Period, add, day_of, micros_in, midnight, parse_period, shifted, shorter
from lrs.competency.seen import SeenStatement, event_time
from lrs.kernel.times import micros_of_timestamp
from lrs.xapi.statements.validate import check
from tests.rows import each_of
from tests.served import new_id, statement

LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("day", "duration", "expected"),
    [
        ("2026-01-31", "P1M", "2026-02-28"),
        ("2028-01-31", "P1M", "2028-02-29"),
        ("2028-02-29", "P12M", "2029-02-28"),
        ("2028-02-29", "P4Y", "2032-02-29"),
        ("2026-11-21", "P2W", "2026-12-05"),
        ("2026-11-21", "P1Y1M1D", "2027-12-22"),
        ("2026-12-31", "P2M", "2027-02-28"),
    ],
)
def test_months_clamp_to_the_last_day(day, duration, expected):
    assert add(date.fromisoformat(day), parse_period(duration)).isoformat() == expected


@each_of("text", ["", "P", "12M", "P1.5M", "PT1H", "P0D", "P-1M", "P12", "P200Y"])
def test_what_is_no_calendar_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"duration|no time|hundred"):
        parse_period(text)


def test_going_back_takes_months_off():
    assert add(date(2026, 3, 31), Period(1, 0), -1) == date(2026, 2, 28)


def test_a_month_may_be_shorter_than_thirty_one_days_but_not_certainly():
    assert shorter(Period(1, 0), Period(0, 32))
    assert not shorter(Period(1, 0), Period(0, 31))
    assert not shorter(Period(12, 0), Period(12, 0))


def test_a_summer_day_in_london_begins_an_hour_before_the_utc_one():
    assert midnight(date(2026, 7, 2), LONDON) == micros_in("2026-07-01T23:00:00Z")
    assert midnight(date(2026, 12, 2), LONDON) == micros_in("2026-12-02T00:00:00Z")


def test_half_past_eleven_utc_in_summer_is_the_next_day_in_london():
    assert day_of(micros_in("2026-07-01T23:30:00Z"), LONDON) == date(2026, 7, 2)
    assert day_of(micros_in("2026-12-01T23:30:00Z"), LONDON) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("0001-01-01T00:00:00Z", LONDON, date.min),
        ("0001-01-01T03:00:00Z", "America/New_York", date.min),
        ("9999-12-31T23:59:59Z", "Asia/Tokyo", date.max),
    ],
)
def test_a_moment_at_the_ends_of_the_calendar_has_its_first_or_last_day(instant, zone, day):
    assert day_of(micros_in(instant), zone) == day


def test_no_day_is_moved_beyond_the_ends_of_the_calendar():
    assert shifted(date(1, 1, 5), -30) == add(date(1, 1, 5), Period(0, 30), -1) == date.min
    assert shifted(date(9999, 12, 5), 30) == add(date(9998, 12, 5), Period(0, 36_500)) == date.max
    assert shifted(date(2026, 2, 28), 1) == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00Z"),
        ("2026-11-21T12:00:00", "2026-11-21T12:00:00Z"),
        ("2026-11-21T12:00:00.000000999Z", "2026-11-21T12:00:00Z"),
    ],
)
def test_timestamps_are_read_with_any_offset(text, same):
    assert micros_in(text) == micros_in(same)


@pytest.mark.parametrize("text", ["", "2026-02-30T10:00:00Z", "yesterday", "2026-13-01T00:00:00Z"])
def test_a_date_that_does_not_exist_is_none(text):
    assert micros_in(text) is None


@each_of(
    ("timestamp", "utc"),
    [
        ("2026-06-30T23:30:00z", "2026-06-30T23:30:00Z"),
        ("2026-06-30t23:30:00Z", "2026-06-30T23:30:00Z"),
        ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00Z"),
        ("2026-07-01T00:59:60+01:00", "2026-07-01T00:00:00Z"),
        ("2026-06-30T23:30Z", "2026-06-30T23:30:00Z"),
        ("20260630T233000Z", "2026-06-30T23:30:00Z"),
        ("2026-06-30T23:30:00,5Z", "2026-06-30T23:30:00.5Z"),
        ("2026-07-01T05:00:00+05:30", "2026-06-30T23:30:00Z"),
        ("2026-06-30 23:30:00Z", "2026-06-30T23:30:00Z"),
    ],
)
def test_evidence_is_dated_by_every_timestamp_that_a_statement_may_have(timestamp, utc):
    """Some were taken at the door and then read as none: evidence was dated with the day it was stored."""
    check(statement(timestamp=timestamp), "1.0.3")
    seen = msgspec.convert(statement(id=new_id(), timestamp=timestamp), SeenStatement)

    assert event_time(seen, stored=0) == micros_of_timestamp(utc) > 0
