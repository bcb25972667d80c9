from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from adapters.reading.profile import MappingProfile
from adapters.training_centre.files import rosters
from tests.adapters.training_centre.sheets import EXT, ROSTER, SESSION, STEP, sheet, told, verbs

START = datetime(2026, 11, 2, 9)  # noqa: DTZ001 (a spreadsheet's times have no zone)
GOLDEN = Path(__file__).parents[3] / "golden" / "adapters"
JISC = Path(__file__).parents[4].parent / "shared" / "data" / "attendance" / "jisc-attendance.tsv"


def test_sessions_rosters_and_a_checklist_go_in_and_say_what_they_should(bring, endpoint):
    report = bring("training-centre", GOLDEN / "centre.csv")

    about = {}
    for one in endpoint.valid():
        who = one["actor"]["account"]["name"]
        about.setdefault(who, []).append(
            (one["verb"]["id"].rpartition("/")[2], one.get("result", {}).get("completion"))
        )
    assert {k: v for k, v in report.counts.items() if v} == {"new": 11, "skipped": 1}
    assert {who: sorted(said, key=str) for who, said in about.items()} == {
        "1061484016": [("attended", True), ("passed", True), ("registered", None), ("registered", None)],
        "L-002": [("attended", True), ("failed", True)],
        "L-003": [("attended", False)],
        "L-004": [("attended", False)],
    }


def test_where_somebody_lives_is_told_by_its_district_alone_and_corrected(bring, endpoint):
    def roster(cell):
        header, *rows = sheet(SESSION, ROSTER).splitlines()
        return "\n".join([f"{header},postcode_district", f"{rows[0]},", f"{rows[1]},{cell}", ""])

    first, again = (bring("training-centre", roster("sg1 2fx")) for _ in range(2))
    lives = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/registered")]
    moved, wrong = bring("training-centre", roster("LS1")), bring("training-centre", roster("Leeds"))
    now = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/registered")]

    assert [one["context"]["extensions"] for one in (*lives, *now)] == [
        {f"{EXT}home-district": "SG1"},
        {f"{EXT}home-district": "LS1"},
    ]
    assert (first.counts["new"], again.counts["unchanged"], moved.counts["updated"]) == (2, 2, 1)
    assert told(wrong)[1] == ("quarantined", "no_district", "postcode_district")
    emptied = [bring("training-centre", roster("")) for _ in range(2)]
    assert [(report.rows[1].outcome, report.rows[1].reason) for report in emptied] == [
        ("updated", rosters.DISTRICT_GONE),
        ("unchanged", ""),
    ]
    assert not [one for one in endpoint.valid() if one["verb"]["id"].endswith("/registered")]
    assert all("2FX" not in str(one) for one in endpoint.valid())


def test_a_mark_that_is_taken_out_of_a_roster_is_said_to_be_taken_back(bring):
    marked, unmarked = ROSTER | {"attendance": "present"}, ROSTER | {"attendance": ""}

    before, _, after, again = (
        bring("training-centre", sheet(SESSION, one)).rows[1] for one in (unmarked, marked, unmarked, unmarked)
    )

    assert (before.outcome, before.reason) == ("skipped", "attendance is not marked")
    assert (after.outcome, after.reason) == ("updated", rosters.MARK_GONE)
    assert (again.outcome, again.reason) == ("skipped", "attendance is not marked")


def test_an_attendance_is_the_jisc_recipe_in_full(bring, endpoint):
    bring("training-centre", sheet(SESSION, ROSTER | {"check_in_at": "09:10", "check_out_at": "16:40"}))

    (one,) = endpoint.valid()
    one.pop("id")
    assert one == {
        "version": "1.0.3",
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": "https://w3id.org/engraft/providers/north", "name": "L1"},
        },
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended", "display": {"en": "attended"}},
        "object": {
            "objectType": "Activity",
            "id": "https://w3id.org/engraft/centres/north/sessions/S1",
            "definition": {
                "name": {"en": "Gowning"},
                "type": "http://xapi.jisc.ac.uk/event_timetabled",
                "extensions": {
                    "http://xapi.jisc.ac.uk/starttime": "2026-11-02T09:00:00+00:00",
                    "http://xapi.jisc.ac.uk/endtime": "2026-11-02T17:00:00+00:00",
                    "http://xapi.jisc.ac.uk/subType": "practical",
                },
            },
        },
        "result": {
            "completion": True,
            "duration": "PT07H30M00S",
            "extensions": {"http://xapi.jisc.ac.uk/attendance_late": 0, EXT + "attendance": "present"},
        },
        "context": {"instructor": {"objectType": "Agent", "mbox": "mailto:tess@centre.example"}},
        "timestamp": "2026-11-02T09:00:00+00:00",
    }


def test_an_attendance_of_jiscs_table_that_nobody_marked_is_no_absence(bring, endpoint):
    header = "student_id,event_id,event_name,start_time,end_time,event_attended\n"
    event = "E1,Lecture,2026-11-02 09:00,2026-11-02 10:00"

    report = bring("training-centre", f"{header}A1,{event},1\nA2,{event},\nA3,{event},N/A\nA4,{event},0\n")

    assert [(row.outcome, row.code) for row in report.rows] == [
        ("new", ""),
        ("skipped", "not_yet"),
        ("skipped", "not_yet"),
        ("new", ""),
    ]
    assert sorted(one["actor"]["account"]["name"] for one in endpoint.valid()) == ["A1", "A4"]


def test_the_jisc_sample_waits_and_gives_sixteen_attended_three_of_them_late_once_its_dates_are_named(bring, endpoint):
    if not JISC.exists():
        pytest.skip("the Jisc sample is not beside this checkout (../shared/data)")

    waits = bring("training-centre", JISC)
    report = bring("training-centre", JISC, profile=MappingProfile(dates=waits.asks.formats))

    there = [one for one in endpoint.valid() if one["result"]["completion"]]
    late = [one for one in there if one["result"]["extensions"]["http://xapi.jisc.ac.uk/attendance_late"] == 1]
    assert {k: v for k, v in waits.counts.items() if v} == {"quarantined": 25}
    told = {(row.code, row.column, *(one.column for one in row.also)) for row in waits.rows}
    assert told == {("impossible_date", "start_time", "end_time"), ("date_order", "start_time", "end_time")}
    assert {k: v for k, v in report.counts.items() if v} == {"new": 25}
    assert (len(there), len(late), len(endpoint.valid())) == (16, 3, 25)
    assert bring("training-centre", JISC, profile=MappingProfile(dates=("%Y-%d-%m",))).counts["unchanged"] == 25


def test_a_no_show_marked_present_later_is_corrected(bring, endpoint):
    bring("training-centre", sheet(SESSION, ROSTER | {"attendance": "no-show"}))
    absent = [one["result"]["completion"] for one in endpoint.valid()]

    bring("training-centre", sheet(SESSION, ROSTER | {"attendance": "late"}))

    assert absent == [False]
    assert [one["result"]["completion"] for one in endpoint.valid()] == [True]


def test_a_session_that_moves_corrects_who_was_there(bring, endpoint):
    bring("training-centre", sheet(SESSION, ROSTER))

    report = bring("training-centre", sheet(SESSION | {"starts_at": "2026-11-03 09:00"}, ROSTER))

    assert [row.outcome for row in report.rows] == ["updated", "updated"]
    assert [one["timestamp"] for one in endpoint.valid()] == ["2026-11-03T09:00:00+00:00"]


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"learner_ref": ""}, "unknown_learner", "uln"),
        ({"learner_ref": "", "uln": "9999999999"}, "unknown_learner", "uln"),
        ({"uln": "1.23E+09"}, "bad_uln", "uln"),
        ({"uln": "106148401"}, "bad_uln", "uln"),
        ({"uln": "1061484935"}, "bad_uln", "uln"),
        ({"session_id": "S9"}, "unknown_session", "session_id"),
        ({"attendance": "perhaps"}, "unknown_word", "attendance"),
        ({"attendance": "=A1"}, "formula", "attendance"),
        ({"check_in_at": "25:00"}, "impossible_time", "check_in_at"),
        ({"check_in_at": "2026-10-25 01:30"}, "time_twice", "check_in_at"),
        ({"check_in_at": "2026-03-29 01:30"}, "time_skipped", "check_in_at"),
        ({"check_in_at": "2026-11-23 09:00"}, "in_the_future", "check_in_at"),
        ({"check_in_at": "10:00", "check_out_at": "09:00"}, "ends_before_start", "check_out_at"),
        ({"email": "tess@centre.example"}, "self_assessed", "instructor"),
    ],
)
def test_a_roster_row_that_cannot_be_believed_waits_and_the_rest_goes_in(bring, endpoint, change, code, column):
    report = bring("training-centre", sheet(SESSION, ROSTER | change, ROSTER | {"learner_ref": "L2"}))

    assert told(report) == [("new", "", ""), ("quarantined", code, column), ("new", "", "")]
    assert verbs(endpoint) == ["attended"]


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"starts_at": "2026-02-30 09:00"}, "impossible_date", "starts_at"),
        ({"ends_at": "08:00"}, "ends_before_start", "ends_at"),
        ({"title": ""}, "missing", "title"),
    ],
)
def test_a_session_that_cannot_be_believed_takes_its_roster_with_it(bring, endpoint, change, code, column):
    report = bring("training-centre", sheet(SESSION | change, ROSTER, STEP | {"learner_ref": "L2"}))

    assert told(report) == [
        ("quarantined", code, column),
        ("quarantined", "unknown_session", "session_id"),
        ("quarantined", "unknown_session", "session_id"),
    ]
    assert endpoint.valid() == []


def test_nobody_attends_a_session_of_next_week_or_one_that_was_cancelled(bring):
    later = SESSION | {"session_id": "S2", "starts_at": "2026-11-30 09:00"}
    off = SESSION | {"session_id": "S3", "status": "cancelled"}

    report = bring("training-centre", sheet(later, off, ROSTER | {"session_id": "S2"}, ROSTER | {"session_id": "S3"}))

    assert told(report)[2:] == [
        ("quarantined", "in_the_future", "starts_at"),
        ("quarantined", "session_cancelled", "attendance"),
    ]


def test_a_workbook_of_three_sheets_says_the_same_as_the_csv(bring, endpoint, tmp_path):
    book = openpyxl.Workbook()
    sessions, roster, seen = book.active, book.create_sheet("Roster"), book.create_sheet("Observations")
    sessions.title = "Sessions"
    sessions.append(["Session ID", "Title", "Starts at", "Ends at", "Instructor"])
    sessions.append(["S1", "Gowning", START, START + timedelta(hours=8), "tess@centre.example"])
    roster.append(["Session ID", "Learner ref", "ULN", "Attendance"])
    roster.append(["S1", "L1", 1061484016, "Present"])
    roster.append(["S1", "L2", "=B2", "Present"])
    seen.append(["Session ID", "Learner ref", "Checklist ID", "Step ID", "Result", "Critical", "Observer"])
    seen.append(["S1", "L1", "gowning@2", "hands", "Pass", True, "tess@centre.example"])
    path = tmp_path / "centre.xlsx"
    book.save(path)

    report = bring("training-centre", path)

    assert [(row.sheet, row.row, row.outcome, row.code) for row in report.rows] == [
        ("Sessions", 2, "new", ""),
        ("Roster", 2, "new", ""),
        ("Roster", 3, "quarantined", "formula"),
        ("Observations", 2, "new", ""),
    ]
    assert verbs(endpoint) == ["attended", "passed", "registered"]
    assert bring("training-centre", path).counts["unchanged"] == 3


def test_an_address_alone_is_one_learner_and_not_two_of_other_names(bring):
    roster = {"record": "roster", "session_id": "S1", "attendance": "present", "email": "shared@centre.example"}
    rows = [
        roster | {"given_names": "Pat", "family_name": "Lee"},
        roster | {"given_names": "Kim", "family_name": "Poe"},
        roster | {"given_names": "Kim", "family_name": "Poe", "learner_ref": "L2"},
        roster | {"given_names": "LEE", "family_name": "pat"},
    ]

    report = bring("training-centre", sheet(SESSION, *rows))

    assert told(report)[1:] == [
        ("new", "", ""),
        ("quarantined", "two_learners", "email"),
        ("new", "", ""),
        ("skipped", "repeated", ""),
    ]
