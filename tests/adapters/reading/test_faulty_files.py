"""Files as people send them, each made after a public report about a spreadsheet in use, and what must come of it.

The files stand in ``faults``; everybody in them is made up.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.reading.profile import MappingProfile
from lrs.kernel.errors import Refused

FAULTS = Path(__file__).parents[1] / "faults"


def hours(endpoint) -> list[tuple[str, str, str]]:
    """Who was in training when, and how long."""
    return [
        (
            one["actor"]["account"]["name"],
            one["timestamp"].replace("+00:00", "Z"),
            one["result"]["duration"].removeprefix("PT"),
        )
        for one in endpoint.valid()
        if one["verb"]["id"].endswith("/experienced")
    ]


def attended(endpoint) -> list[str]:
    return [one["actor"]["mbox"] for one in endpoint.valid() if one["verb"]["id"].endswith("/attended")]


def test_an_address_with_an_apostrophe_is_one(bring, endpoint):
    report = bring("training-centre", FAULTS / "apostrophe-address.csv")

    assert [row.outcome for row in report.rows] == ["new", "new", "new"]
    assert attended(endpoint) == ["mailto:sean.o'brien@college.example", "mailto:zoe+x@college.example"]


def test_us_dates_among_uk_ones_stop_the_file(bring, endpoint):
    with pytest.raises(
        Refused, match=r"dates contradict each other: .* in row 3 .* month first, while .* in row 2"
    ) as no:
        bring("training-centre", FAULTS / "us-dates-among-uk.csv")

    assert (no.value.status, no.value.error) == (400, "dates_contradict")
    assert endpoint.is_empty()


def test_sessions_of_one_day_are_each_counted_where_their_time_tells_them_apart(bring, endpoint):
    report = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")
    again = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")

    assert hours(endpoint) == [
        ("A", "2026-11-06T09:00:00Z", "02H00M00S"),
        ("A", "2026-11-06T13:00:00Z", "02H00M00S"),
        ("A", "2026-11-06T15:00:00Z", "01H00M00S"),
        ("B", "2026-11-06T00:00:00Z", "02H00M00S"),
    ]
    assert [(row.outcome, row.code) for row in report.rows] == [("new", "")] * 4 + [("skipped", "repeated")]
    assert report.text() == (
        "off-the-job-same-day.csv: 4 new, 1 skipped\n"
        "  row 6: skipped repeated: says the same as row 5, so it counts once; if both are meant: give each its start"
        " time (otj_start, or in otj_date) or a reference of its own (otj_ref); say yes under otj_correction if the row"
        " puts right what was told"
    )
    assert [row.outcome for row in again.rows] == ["unchanged"] * 4 + ["skipped"]


def test_another_time_span_of_a_day_in_a_later_file_is_listed_for_a_person_and_voids_nothing(bring, endpoint):
    bring("eportfolio", FAULTS / "off-the-job-first-file.csv")

    report = bring("eportfolio", FAULTS / "off-the-job-later-file.csv")

    assert [(row.outcome, row.code, row.column) for row in report.rows] == [
        ("quarantined", "not_told_apart", "otj_date")
    ]
    assert "is the row a correction of it, or a further one?" in report.rows[0].reason
    assert hours(endpoint) == [("A", "2026-11-06T00:00:00Z", "02H00M00S")]
    assert endpoint.voided == set()


def test_a_date_with_an_offset_is_the_day_in_the_centres_zone(bring, endpoint):
    report = bring("eportfolio", FAULTS / "date-with-offset.csv")

    assert [row.outcome for row in report.rows] == ["new"]
    assert [one["timestamp"] for one in endpoint.valid() if "demonstrated" in one["verb"]["id"]] == [
        "2026-11-03T00:00:00+00:00"
    ]


@pytest.mark.parametrize(
    ("written", "plain"), [("decimal", "02H30M00S"), ("h.mm", "02H50M00S"), ("h:mm", None), ("minutes", "02M00S")]
)
def test_a_time_cell_needs_no_format(bring, endpoint, written, plain):
    bring("eportfolio", FAULTS / "elapsed-time-cells.xlsx", profile=MappingProfile(hours=written))

    told = [("06", "02H30M00S"), ("05", "07H30M00S"), ("04", plain), ("03", "02H30M00S"), ("02", "02H30M00S")]
    assert hours(endpoint) == [
        ("1000001376", f"2026-11-{day}T00:00:00Z", duration) for day, duration in told if duration
    ]


def test_hours_are_read_as_people_write_them_and_left_to_a_person_where_they_could_be_two_numbers(bring, endpoint):
    report = bring("eportfolio", FAULTS / "hours-thousands.csv")

    assert [(who, duration) for who, _, duration in hours(endpoint)] == [
        *((f"R{n}", "02H30M00S") for n in (0, 1, 2, 3, 4)),
        ("R5", "02H00M00S"),
        *((f"R{n}", "02H30M00S") for n in (6, 7, 8)),
        ("R11", "00S"),
        ("R15", "07H30M00S"),
        ("R16", "02H18M00S"),
        ("R17", "07H30M00S"),
    ]
    assert [(row.row, row.code) for row in report.rows if row.outcome == "quarantined"] == [
        (11, "over_a_day"),
        (12, "negative"),
        (16, "two_numbers"),
    ]
    assert [(row.row, row.outcome, row.reason) for row in report.rows if row.row in {14, 15}] == [
        (14, "new", "otj_date is filled, and the time is not"),
        (15, "new", "otj_date is filled, and the time is not"),
    ]


@pytest.mark.parametrize(("sign", "outcome"), [("", "quarantined"), (".", "new"), (",", "new")])
def test_thousands_of_minutes_are_read_once_the_profile_names_the_sign_of_fractions(bring, endpoint, sign, outcome):
    profile = MappingProfile(hours="minutes", decimal=sign)

    report = bring("eportfolio", FAULTS / "hours-thousands.csv", profile=profile)

    (row,) = [row for row in report.rows if row.row == 16]
    told = [duration for who, _, duration in hours(endpoint) if who == "R14"]
    assert (row.outcome, told) == (outcome, {"": [], ".": ["20H00M00S"], ",": ["01M00S"]}[sign])


def test_an_import_of_hours_by_time_is_read_through_a_profile(bring, endpoint):
    headers = {"learner_ref": ["ULIN"], "otj_date": ["StartDateTime"], "otj_hours": ["DurationHours"]}
    profile = MappingProfile(headers=headers | {"otj_category": ["ContactType"]}, constants={"standard_ref": "ST1406"})

    report = bring("eportfolio", FAULTS / "hours-import-by-time.csv", profile=profile)

    assert [row.outcome for row in report.rows] == ["new", "new"]
    assert hours(endpoint) == [
        ("PICS12345678", "2026-10-30T11:30:00Z", "01H30M00S"),
        ("PICS12345678", "2026-10-30T14:30:00Z", "01H30M00S"),
    ]
