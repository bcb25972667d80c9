"""Which rows of off-the-job hours are sessions of their own, and which are left to a person."""

from __future__ import annotations

import pytest

COLUMNS = (
    "learner_ref,uln,standard_ref,otj_date,otj_start,otj_hours,otj_minutes,otj_category,otj_ref,otj_countable,"
    "otj_correction"
)
ROW = {"learner_ref": "A", "standard_ref": "ST1406", "otj_date": "06/11/2026", "otj_hours": "2"}


def sheet(*rows: dict[str, str]) -> str:
    names = COLUMNS.split(",")
    return "\n".join([COLUMNS, *(",".join(row.get(name, "") for name in names) for row in rows)]) + "\n"


def spent(endpoint) -> list[tuple[str, str]]:
    return [
        (one["timestamp"][:16], one["result"]["duration"].removeprefix("PT"))
        for one in endpoint.valid()
        if one["verb"]["id"].endswith("/experienced")
    ]


def told(report) -> list[tuple[str, str, str]]:
    return [(row.outcome, row.code, row.column) for row in report.rows]


def test_a_start_time_tells_sessions_apart_in_a_column_of_its_own_or_with_the_day(bring, endpoint):
    rows = [ROW | {"otj_start": "09:00"}, ROW | {"otj_start": "1:30 pm"}, ROW | {"otj_date": "2026-11-06T18:00"}]

    first = bring("eportfolio", sheet(*rows))
    again = bring("eportfolio", sheet(*reversed(rows)))

    assert told(first) == [("new", "", "")] * 3
    assert told(again) == [("unchanged", "", "")] * 3
    assert spent(endpoint) == [
        ("2026-11-06T09:00", "02H00M00S"),
        ("2026-11-06T13:30", "02H00M00S"),
        ("2026-11-06T18:00", "02H00M00S"),
    ]


def test_midnight_is_no_time(bring):
    bring("eportfolio", sheet(ROW))

    report = bring("eportfolio", sheet(ROW | {"otj_date": "06/11/2026 00:00:00"}))

    assert told(report) == [("unchanged", "", "")]


def test_a_correction_with_a_time_or_a_reference_voids_what_was_said(bring, endpoint):
    rows = [ROW | {"otj_start": "09:00"}, ROW | {"otj_ref": "77"}]
    bring("eportfolio", sheet(*rows))

    report = bring("eportfolio", sheet(*(row | {"otj_hours": "3"} for row in rows)))

    assert told(report) == [("updated", "", "")] * 2
    assert spent(endpoint) == [("2026-11-06T09:00", "03H00M00S"), ("2026-11-06T00:00", "03H00M00S")]
    assert len(endpoint.voided) == 2


@pytest.mark.parametrize(
    ("said", "outcome", "stands"),
    [
        ("", ("quarantined", "not_told_apart", "otj_correction"), [("2026-11-06T00:00", "02H00M00S")]),
        ("yes", ("updated", "", ""), [("2026-11-06T09:00", "03H00M00S")]),
        ("no", ("new", "", ""), [("2026-11-06T00:00", "02H00M00S"), ("2026-11-06T09:00", "03H00M00S")]),
    ],
)
def test_a_session_with_a_time_after_one_without_is_a_correction_or_a_further_one_as_the_row_says(
    bring, endpoint, said, outcome, stands
):
    bring("eportfolio", sheet(ROW))
    row = sheet(ROW | {"otj_start": "09:00", "otj_hours": "3", "otj_correction": said})

    first, again = bring("eportfolio", row), bring("eportfolio", row)

    assert told(first) == [outcome]
    assert told(again) == [outcome if not said else ("unchanged", "", "")]
    assert spent(endpoint) == stands


@pytest.mark.parametrize("said", ["", "yes", "no"])
def test_a_session_without_a_time_after_some_with_one_is_a_further_one_only_if_it_says_so(bring, endpoint, said):
    bring("eportfolio", sheet(ROW | {"otj_start": "09:00"}, ROW | {"otj_start": "13:00"}))
    row = sheet(ROW | {"otj_correction": said})

    first, again = bring("eportfolio", row), bring("eportfolio", row)

    if said == "no":
        assert told(first) + told(again) == [("new", "", ""), ("unchanged", "", "")]
        assert len(spent(endpoint)) == 3
        return
    assert told(first) + told(again) == [("quarantined", "not_told_exactly", "otj_date")] * 2
    assert first.rows[0].reason.endswith(
        "start time (otj_start, or in otj_date), or say no under otj_correction if it is a further session"
    )
    assert len(spent(endpoint)) == 2


def test_a_file_that_has_sessions_with_and_without_a_time_on_one_day_says_itself_that_they_are_several(bring, endpoint):
    rows = [ROW | {"otj_start": "09:00"}, ROW, ROW | {"otj_start": "13:00"}]

    first, again = bring("eportfolio", sheet(*rows)), bring("eportfolio", sheet(*rows))

    assert told(first) + told(again) == [("new", "", "")] * 3 + [("unchanged", "", "")] * 3
    assert len(spent(endpoint)) == 3


@pytest.mark.parametrize(
    ("said", "outcome", "stands"),
    [
        ("", ("quarantined", "not_told_apart", "otj_date"), "02H00M00S"),
        ("no", ("quarantined", "not_told_apart", "otj_date"), "02H00M00S"),
        ("yes", ("updated", "", ""), "03H00M00S"),
    ],
)
def test_without_a_time_or_a_reference_only_a_row_that_says_so_corrects(bring, endpoint, said, outcome, stands):
    bring("eportfolio", sheet(ROW))

    report = bring("eportfolio", sheet(ROW | {"otj_hours": "3", "otj_correction": said}))

    if outcome[1]:
        assert report.rows[0].reason.startswith(
            "an earlier file told something else of this (120 min there, 180 min here): is the row a correction of it"
        )

    assert told(report) == [outcome]
    assert spent(endpoint) == [("2026-11-06T00:00", stands)]


def test_what_may_have_been_told_twice_in_one_file_is_listed_with_what_to_do(bring, endpoint):
    report = bring("eportfolio", sheet(ROW, ROW | {"otj_hours": "3"}, ROW | {"otj_start": "09:00"}))

    assert told(report) == [("new", "", ""), ("quarantined", "told_twice", "otj_date"), ("new", "", "")]
    assert report.rows[1].reason.startswith(
        "row 2 of this file says otherwise about the same thing: give each its start time (otj_start, or in otj_date)"
    )
    assert spent(endpoint) == [("2026-11-06T00:00", "02H00M00S"), ("2026-11-06T09:00", "02H00M00S")]


def test_a_file_of_many_rows_says_the_same_of_them_wherever_a_chunk_ends(bring):
    others = [ROW | {"learner_ref": f"B{number}"} for number in range(300)]

    report = bring("eportfolio", sheet(ROW, *others, ROW | {"otj_start": "09:00"}, ROW | {"otj_hours": "3"}, ROW))

    assert told(report)[301:] == [
        ("new", "", ""),
        ("quarantined", "told_twice", "otj_date"),
        ("skipped", "repeated", ""),
    ]


def test_a_learner_number_that_arrives_later_corrects_hours_with_and_without_a_time(bring, endpoint):
    rows = [ROW, ROW | {"otj_date": "05/11/2026", "otj_start": "09:00"}]
    bring("eportfolio", sheet(*rows))

    report = bring("eportfolio", sheet(*(row | {"uln": "1000001376"} for row in rows)))

    assert told(report) == [("updated", "", "")] * 2
    named = {one["actor"]["account"]["name"] for one in endpoint.valid()}
    assert named == {"1000001376"}


BY_NUMBER = ROW | {"learner_ref": "", "uln": "1000001376"}


@pytest.mark.parametrize("session", [{}, {"otj_start": "09:00"}, {"otj_ref": "77"}])
def test_a_learner_whose_reference_comes_later_has_each_session_once_however_often_the_file_comes(
    bring, endpoint, session
):
    bring("eportfolio", sheet(BY_NUMBER | session))
    named = sheet(ROW | {"uln": "1000001376"} | session)

    first, again = bring("eportfolio", named), bring("eportfolio", named)
    corrected = bring("eportfolio", named.replace(",2,", ",3,").replace(",,\n", ",,yes\n"))

    assert [told(report)[0][0] for report in (first, again, corrected)] == ["new", "unchanged", "updated"]
    assert [length for _, length in spent(endpoint)] == ["03H00M00S"]


@pytest.mark.parametrize("said", ["", "yes", "no"])
@pytest.mark.parametrize(
    ("before", "now"), [({}, {"otj_start": "09:00", "otj_hours": "3"}), ({"otj_start": "09:00"}, {"otj_hours": "3"})]
)
def test_a_name_that_comes_together_with_a_start_time_or_without_it_changes_no_answer(
    bring, endpoint, before, now, said
):
    named, other = ROW | {"uln": "1000001376"}, {"standard_ref": "ST0130"}
    bring("eportfolio", sheet(named | before, BY_NUMBER | other | before))
    later = named | now | {"otj_correction": said}

    reports = [bring("eportfolio", sheet(later, later | other)) for _ in range(2)]

    assert [told(report)[0] for report in reports] == [told(report)[1] for report in reports]
    assert len(spent(endpoint)) == (4 if said == "no" else 2)


@pytest.mark.parametrize("before", [[], [BY_NUMBER]])
@pytest.mark.parametrize("later_first", [False, True])
def test_rows_that_name_a_learner_in_two_ways_for_a_session_count_once(bring, endpoint, before, later_first):
    bring("eportfolio", sheet(ROW | {"standard_ref": "ST0130"}, *before))
    rows = [BY_NUMBER, ROW | {"uln": "1000001376"}]
    both = sheet(*reversed(rows) if later_first else rows)

    first, again = bring("eportfolio", both), bring("eportfolio", both)
    corrected = bring("eportfolio", both.replace(",2,", ",3,").replace(",,\n", ",,yes\n"))

    for report in (first, again):
        assert report.rows[1].reason.startswith("says the same as row 2, so it counts once")
    assert ("updated", "", "") in told(corrected)
    assert [length for _, length in spent(endpoint)] == ["02H00M00S", "03H00M00S"]


@pytest.mark.parametrize("later_first", [False, True])
def test_rows_that_name_a_learner_in_two_ways_and_differ_are_left_to_a_person(bring, endpoint, later_first):
    rows = [BY_NUMBER | {"otj_hours": "3"}, ROW | {"uln": "1000001376"}]
    both = sheet(*reversed(rows) if later_first else rows)

    reports = [bring("eportfolio", both) for _ in range(2)]

    assert [told(report)[1] for report in reports] == [("quarantined", "told_twice", "otj_date")] * 2
    assert len(spent(endpoint)) == 1


def test_what_was_told_by_an_address_is_no_further_row_s_of_that_address(bring, endpoint):
    columns = f"email,{COLUMNS}"
    told_by = [f"home@x.example,{name},,ST1406,06/11/2026,,2,,,,,\n" for name in ("", "A")]
    bring("eportfolio", f"{columns}\n{told_by[0]}")

    reports = [bring("eportfolio", f"{columns}\n{told_by[1]}{told_by[0]}") for _ in range(2)]

    assert [told(report)[1] for report in reports] == [("quarantined", "told_twice", "")] * 2
    assert len(spent(endpoint)) == 1


def test_two_learners_who_share_an_address_have_a_session_each(bring, endpoint):
    columns = f"email,{COLUMNS}"
    rows = [f"home@x.example,{name},,ST1406,06/11/2026,,2,,,,,\n" for name in "AB"]

    reports = [bring("eportfolio", "\n".join((columns, "".join(order)))) for order in (rows, rows[::-1])]

    assert [told(report) for report in reports] == [[("new", "", "")] * 2, [("unchanged", "", "")] * 2]
    assert len(spent(endpoint)) == 2


def test_a_row_that_is_repeated_does_not_fill_its_day(bring):
    report = bring("eportfolio", sheet(ROW | {"otj_hours": "13"}, ROW | {"otj_hours": "13"}))

    assert told(report) == [("new", "", ""), ("skipped", "repeated", "")]


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"otj_start": "25:00"}, "impossible_time", "otj_start"),
        ({"otj_start": "07/11/2026 09:00"}, "told_twice", "otj_start"),
        ({"otj_date": "25/10/2026 01:30"}, "time_twice", "otj_date"),
        ({"otj_date": "29/03/2026 01:30"}, "time_skipped", "otj_date"),
        ({"otj_correction": "perhaps"}, "unknown_word", "otj_correction"),
        ({"otj_date": ""}, "missing", "otj_date"),
    ],
)
def test_a_session_whose_time_cannot_be_believed_waits(bring, change, code, column):
    report = bring("eportfolio", sheet(ROW | change, ROW | {"learner_ref": "B"}))

    assert told(report) == [("quarantined", code, column), ("new", "", "")]


def test_a_session_in_the_evening_of_a_summer_day_is_of_that_day(bring, endpoint):
    rows = [ROW | {"otj_date": "01/07/2026 23:30", "otj_hours": "0.5"}, ROW | {"otj_date": "2026-07-01T22:45:00Z"}]

    report = bring("eportfolio", sheet(*rows))

    assert told(report) == [("new", "", "")] * 2
    assert [(one["timestamp"], one["result"]["duration"]) for one in endpoint.valid()] == [
        ("2026-07-01T23:30:00+01:00", "PT30M00S"),
        ("2026-07-01T23:45:00+01:00", "PT02H00M00S"),
    ]


@pytest.mark.parametrize(
    ("hours", "spent_minutes", "came_to"),
    [
        ("2", "30", ("quarantined", "told_twice", "otj_minutes")),
        ("2", "0", ("quarantined", "told_twice", "otj_minutes")),
        ("two", "30", ("quarantined", "no_duration", "otj_hours")),
        ("2.3", "140", ("new", "", "")),
        ("0", "30", ("new", "", "")),
        ("2", "120", ("new", "", "")),
    ],
)
def test_hours_and_minutes_of_one_row_agree_or_are_left_to_a_person(bring, hours, spent_minutes, came_to):
    report = bring("eportfolio", sheet(ROW | {"otj_hours": hours, "otj_minutes": spent_minutes}))

    assert told(report) == [came_to]


def test_a_reference_with_its_version_in_it_is_no_standard_of_its_own(bring):
    report = bring("eportfolio", sheet(ROW | {"standard_ref": "ST1406 v1.1"}))

    assert told(report) == [("quarantined", "no_standard", "standard_ref")]
