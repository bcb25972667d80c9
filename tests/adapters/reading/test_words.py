"""The words people use for one thing, and the cells that say nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.apprenticeship.files.eportfolio import EPortfolio
from adapters.reading import cells, words
from adapters.reading.profile import MappingProfile
from adapters.training_centre.files.source import TrainingCentre
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, RowPlace, Unusable
from tests.rows import each_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEADER = "learner_ref,uln,email,standard_ref,standard_version,start_date,planned_end_date,status,evidence_id,ksb_code,"
HEADER += "evidence_title,evidence_date,evidence_status,assessor,assessment_outcome,assessment_grade,assessment_date\n"


def read(cell: str, known: words.Words) -> str:
    return cells.choice(Row(RowPlace("", 2), {"at": cell}), "at", known)


@each_of(
    ("known", "meant", "spellings"),
    [
        (words.ENROLMENT, "learning", ["Live", "IN LEARNING", "on-programme", " in  progress ", "Active"]),
        (words.ENROLMENT, "break", ["Break in learning", "BIL", "paused"]),
        (words.ENROLMENT, "withdrawn", ["Left", "early leaver"]),
        (words.EVIDENCE, "accepted", ["Signed-off", "Approved", "signed_off"]),
        (words.EVIDENCE, "submitted", ["Awaiting review", "pending"]),
        (words.EVIDENCE, "rejected", ["Referred", "Not met"]),
        (words.ATTENDANCE, "present", ["P", "✓", "Yes", "attended", "/", "1"]),
        (words.ATTENDANCE, "absent", ["No show", "no-show", "DNA", "0", "Ab"]),
        (words.ATTENDANCE, "excused", ["E", "authorised absence", "Sick"]),
        (words.ATTENDANCE, "left_early", ["left early", "LEFT-EARLY", "Left"]),
        (words.RESULT, "na", ["N/A", "Not applicable"]),
        (words.RESULT, "fail", ["Not yet competent", "NYC", "F"]),
        (words.OUTCOME, "pass", ["Distinction", "MERIT", "P"]),
        (words.OUTCOME, "pending", ["Awaiting result"]),
        (words.SESSION, "cancelled", ["canceled", "Cancelled"]),
        (words.YES_NO, "yes", ["Y", "TRUE", "1", "x"]),
        (words.YES_NO, "no", ["N", "False", "0"]),
        (words.RECORD, "roster", ["Register", "Attendance"]),
    ],
)
def test_words_for_one_thing_are_one(known, meant, spellings):
    assert {word: read(word, known) for word in spellings} == dict.fromkeys(spellings, meant)


def test_an_unknown_word_is_refused_with_the_words_that_are_known():
    with pytest.raises(Unusable) as problem:
        read("mostly", words.SESSION)

    assert problem.value.code == "unknown_word"
    assert problem.value.message == (
        "this word is not known here; known are: held (completed, complete, done, delivered, finished, took place),"
        " scheduled (planned, upcoming, booked, confirmed), cancelled (canceled, called off)"
    )


@pytest.mark.parametrize("said", ["n/a", "N/A", "-", "\u2013", "TBC", "tbc.", "None", "nil", "NULL", "To be confirmed"])
def test_cells_that_say_nothing_are_empty_and_free_text_is_left_alone(bring, endpoint, said):
    row = f"{said},1000001376,{said},ST1406,1.0,01/09/2025,{said},{said},E1,K1,{said},03/11/2025,accepted,{said}"

    report = bring("eportfolio", f"{HEADER}{row},{said},{said},{said}\n")

    (shown,) = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/demonstrated")]
    assert [one.outcome for one in report.rows] == ["new"]
    assert {one["actor"]["account"]["name"] for one in endpoint.valid()} == {"1000001376"}
    assert shown["context"]["extensions"]["https://w3id.org/engraft/extensions/evidence-title"] == said
    assert "instructor" not in shown["context"]


@pytest.mark.parametrize("said", ["?", "#", "later"])
def test_what_does_not_say_that_there_is_nothing_is_not_taken_for_nothing(bring, said):
    report = bring("eportfolio", HEADER + f"P-1,,,ST1406,1.0,01/09/2025,,{said},,,,,,,,,\n")

    assert [(row.code, row.column) for row in report.rows] == [("unknown_word", "status")]


def test_a_cell_that_is_needed_and_says_nothing_waits(bring):
    report = bring("eportfolio", HEADER + "P-1,,,ST1406,1.0,,,,TBC,K1,,03/11/2025,accepted,,,,\n")

    assert [(row.code, row.column) for row in report.rows] == [("missing", "evidence_id")]


def test_a_columns_own_word_comes_before_a_placeholder_and_a_constant_stands_for_one():
    terms = MappingProfile(constants={"observer": "o@x.example"}).terms(
        "north", TrainingCentre.worded, frozenset(), NOW
    )

    row = terms.silence.row(Row(RowPlace("", 2), {"result": "n/a", "observer": "n/a", "step_id": "n/a"}))

    assert row.cells == {"result": "n/a", "observer": "o@x.example", "step_id": ""}


def test_a_profile_adds_words_by_column_words_for_nothing_and_words_for_nothing_everywhere(bring, endpoint):
    values = {"evidence_status": {"Abgenommen": "accepted"}, "assessor": {"offen": ""}, "*": {"keine": ""}}
    row = "P-1,keine,Keine,ST1406,1.0,01/09/2025,KEINE,,E1,K1,x,03/11/2025,abgenommen,Offen,,,\n"

    report = bring("eportfolio", HEADER + row, profile=MappingProfile(values=values))

    assert [one.outcome for one in report.rows] == ["new"]
    assert {one["actor"]["account"]["name"] for one in endpoint.valid()} == {"P-1"}
    assert not [one for one in endpoint.valid() if "instructor" in one.get("context", {})]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"evidence_status": {"ok": "acepted"}}, "evidence_status cannot mean 'acepted'; use one of: '', 'accepted'"),
        ({"assessor": {"me": "boss@x.example"}}, "values: there is no column 'assessor' with words of its own"),
        ({"*": {"leer": "draft"}}, "values: there is no column '\\*' with words of its own"),
    ],
)
def test_a_meaning_that_is_none_is_refused_by_name(values, told):
    with pytest.raises(Refused, match=told):
        MappingProfile(values=values).check(EPortfolio.columns, EPortfolio.worded)


END = "P-1,,,ST1406,1.0,,,,,,,,,,{outcome},{grade},20/08/2026\n"


@pytest.mark.parametrize(
    ("outcome", "grade", "result"),
    [
        ("Pass", "Merit", ("new", "", "passed")),
        ("", "Distinction", ("new", "", "passed")),
        ("", "Fail", ("new", "", "failed")),
        ("pass", "A*", ("new", "", "passed")),
        ("", "A*", ("quarantined", "unknown_word", "")),
        ("Fail", "Merit", ("quarantined", "told_twice", "")),
        ("Awaiting result", "", ("skipped", "not_yet", "")),
    ],
)
def test_an_assessment_counts_by_its_outcome_or_without_one_by_its_grade(bring, endpoint, outcome, grade, result):
    report = bring("eportfolio", HEADER + END.format(outcome=outcome, grade=grade))

    verbs = "".join(one["verb"]["id"].rpartition("/")[2] for one in endpoint.valid())
    assert (report.rows[0].outcome, report.rows[0].code, verbs) == result
