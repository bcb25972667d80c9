"""Timestamps and durations: which texts are one, which instant they name, and how they are compared."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel import times
from lrs.xapi.statements import formats
from tests.rows import each_of


@each_of(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-11-21T12:00:00Z", 1_795_262_400_000_000),
        ("2026-11-21T12:00:00.5Z", 1_795_262_400_500_000),
        ("2026-11-21T12:00:00.1234569Z", 1_795_262_400_123_456),
        ("2026-11-21T12:00:00.1234569999999Z", 1_795_262_400_123_456),
        ("2026-11-21T12:00:00,25+00:00", 1_795_262_400_250_000),
        ("2026-11-21T14:30:00+02:30", 1_795_262_400_000_000),
        ("2026-11-21T14:30:00+0230", 1_795_262_400_000_000),
        ("2026-11-21T14:00:00+02", 1_795_262_400_000_000),
        ("2026-11-20T23:00:00-13:00", 1_795_262_400_000_000),
        ("2026-11-21 12:00:00+00:00", 1_795_262_400_000_000),
        ("2026-11-21t12:00:00z", 1_795_262_400_000_000),
        ("2026-11-21T12:00:00", 1_795_262_400_000_000),
        ("2026-11-21T12:00Z", 1_795_262_400_000_000),
        ("20261121T120000Z", 1_795_262_400_000_000),
        ("20261121T120000.250+0000", 1_795_262_400_250_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("2026-04-30T00:00:00Z", 1_777_507_200_000_000),
        ("2026-12-29T00:00:00Z", 1_798_502_400_000_000),
        ("2026-10-31T00:00:00Z", 1_793_404_800_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ("2017-01-01T00:59:60.5+01:00", 1_483_228_800_500_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_line_31_any_writing_of_an_instant_gives_its_microseconds(text, micros):
    assert times.is_iso_timestamp(text)
    assert times.micros_of_timestamp(text) == micros


@each_of(
    "text",
    [
        *(
            "",
            "should fail",
            "01/011/2015",
            "2008-09-15",
            "2008-09-15T",
            "12:00:00Z",
            "1795262400",
            "2026-W47-6T12:00:00Z",
        ),
        *("2008-09-15T15:53:00.601-00", "2008-09-15T15:53:00.601-0000", "2008-09-15T15:53:00.601-00:00"),
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-31T00:00:00Z"),
        *("2026-02-30T00:00:00Z", "2026-02-31T00:00:00Z", "2026-04-31T00:00:00Z", "2026-06-31T00:00:00Z"),
        *("2026-11-21T24:00:00Z", "2026-11-21T25:00:00Z", "2026-11-21T12:60:00Z", "2026-11-21T12:00:61Z"),
        *(
            "2026-11-21T12:00:60Z",
            "2026-11-21T12:59:60Z",
            "2026-11-21T12:00:00.Z",
            "2026-11-21T12:00:00+24:00",
            "2026-11-21T12:00:00+02:60",
        ),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "12026-11-21T12:00:00Z"),
        *(
            "2026-11-21T12:00:00Z\n",
            " 2026-11-21T12:00:00Z",
            "2026-11-21T12:00:00 Z",
            "\u0662\u0660\u0662\u0666-11-21T12:00:00Z",
        ),
        *("2026-11-21T120000Z", "9999-12-31T23:59:60Z", "2026-11-21T12Z", "-2026-11-21T12:00:00Z"),
    ],
)
def test_line_31_what_names_no_instant_is_no_timestamp(text):
    assert not times.is_iso_timestamp(text)
    with pytest.raises(ValueError, match=r".+"):
        times.micros_of_timestamp(text)


@given(
    st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 12, 30)),  # noqa: DTZ001 (zone follows)
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_line_31_offsets_and_round_trips_agree_with_the_standard_library(naive, minutes):
    moment = naive.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    expected = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)

    micros = times.micros_of_timestamp(moment.isoformat())

    assert micros == expected
    assert times.micros_of_timestamp(times.timestamp_of_micros(micros)) == micros
    assert len(times.timestamp_of_micros(micros)) == 27
    assert times.short_timestamp(micros) == f"{times.timestamp_of_micros(micros)[:19]}Z"


@given(
    st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32), st.integers(0, 25), st.text("0123456789", max_size=12)
)
def test_line_31_the_quick_way_and_the_careful_way_agree(year, month, day, hour, fraction):
    plain = f"{year:04}-{month:02}-{day:02}T{hour:02}:59:58{'.' if fraction else ''}{fraction}"

    assert times.is_iso_timestamp(plain + "Z") == times.is_iso_timestamp(plain + "+00:00")
    if times.is_iso_timestamp(plain + "Z"):
        assert times.micros_of_timestamp(plain + "Z") == times.micros_of_timestamp(plain + "+00:00")


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_795_262_400_120_000, "2026-11-21T12:00:00.120000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_line_32_times_are_written_in_utc_with_all_six_digits(micros, text):
    assert times.timestamp_of_micros(micros) == text


@each_of(
    "text",
    [
        *("P4W", "P0.5W", "PT4H35M59.14S", "PT16559.14S", "P3Y1M29DT4H35M59.14S", "P3Y", "P1M", "PT1M", "P1D", "PT0S"),
        *("PT1H0M0.1S", "P1DT12H36M0.12567S", "PT1,5S", "P1.5Y", "P1Y0.5M", "PT0.5H", "P0D", "PT36H"),
    ],
)
def test_line_33_iso_8601_durations(text):
    assert formats.is_duration(text)


@each_of(
    "text",
    [
        *(
            "",
            "P",
            "PT",
            "P1YT",
            "P4W1D",
            "PA1H",
            "PA1H0M0S",
            "should fail",
            "4W",
            "p4w",
            "P1H",
            "PT1D",
            "PT1S1M",
            "P1D1M",
        ),
        *("P1.5Y1M", "PT1.5H1M", "PT.5S", "PT1.S", "P-1D", "-P1D", "P1Y1W", "P0003-06-04T12:30:05", "PT1S ", "PT1S\n"),
        *("P1.5DT1H", "PT1..5S", "P\u0661D"),
    ],
)
def test_line_33_anything_else_is_no_duration(text):
    assert not formats.is_duration(text)


@each_of(
    ("text", "compared"),
    [
        ("PT0.1237S", "PT0.12S"),
        ("PT0.129S", "PT0.12S"),
        ("PT0.12S", "PT0.12S"),
        ("PT0.10S", "PT0.1S"),
        ("PT1.009S", "PT1S"),
        ("PT1.00S", "PT1S"),
        ("PT1,256S", "PT1.25S"),
        ("P1DT12H36M0.12567S", "P1DT12H36M0.12S"),
        ("PT60S", "PT60S"),
        ("PT0.1237H", "PT0.1237H"),
        ("P4W", "P4W"),
    ],
)
def test_durations_are_cut_to_hundredths_never_rounded(text, compared):
    assert formats.duration_to_hundredths(text) == compared
    assert formats.duration_to_hundredths(compared) == compared
