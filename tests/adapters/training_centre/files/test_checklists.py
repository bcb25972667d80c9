from __future__ import annotations

import pytest

from tests.adapters.training_centre.sheets import EXT, ROSTER, SESSION, STEP, sheet, told, verbs


@pytest.mark.parametrize(
    ("results", "percent", "verb"),
    [
        ([("a", "pass", "yes"), ("b", "pass", ""), ("c", "pass", "")], "", "passed"),
        ([("a", "pass", "yes"), ("b", "pass", ""), ("c", "fail", "")], "", "failed"),
        ([("a", "pass", "yes"), ("b", "pass", ""), ("c", "fail", "")], "50", "passed"),
        ([("a", "pass", "yes"), ("b", "pass", ""), ("c", "fail", "")], "51", "failed"),
        ([("a", "fail", "yes"), ("b", "pass", ""), ("c", "pass", "")], "50", "failed"),
        ([("a", "pass", "yes"), ("b", "na", ""), ("c", "na", "")], "100", "passed"),
        ([("a", "na", "yes"), ("b", "pass", "")], "100", "passed"),
    ],
)
def test_a_checklist_is_passed_by_every_critical_step_and_enough_of_the_others(bring, endpoint, results, percent, verb):
    steps = [
        STEP | {"step_id": step, "result": result, "critical": critical, "pass_percent": percent}
        for step, result, critical in results
    ]

    bring("training-centre", sheet(SESSION, *steps))

    assert verbs(endpoint) == [verb]


def test_a_checklist_says_who_watched_which_steps_and_in_which_revision(bring, endpoint):
    steps = [
        STEP | {"second_observer": "omar@centre.example", "observed_at": "14:30"},
        STEP | {"second_observer": "omar@centre.example", "step_id": "hood", "result": "fail", "critical": "no"},
    ]

    bring("training-centre", sheet(SESSION, *steps))

    (one,) = endpoint.valid()
    assert one["object"]["id"] == "https://w3id.org/engraft/centres/north/checklists/gowning"
    assert one["context"]["revision"] == "2"
    assert one["context"]["instructor"] == {"objectType": "Agent", "mbox": "mailto:tess@centre.example"}
    assert one["context"]["extensions"] == {
        EXT + "second-observer": {"objectType": "Agent", "mbox": "mailto:omar@centre.example"}
    }
    assert one["result"]["score"] == {"raw": 1.0, "min": 0.0, "max": 2.0}
    assert one["result"]["extensions"] == {
        EXT + "steps": [["hands", "pass", True], ["hood", "fail", False]],
        EXT + "attempt": 1,
    }
    assert one["timestamp"] == "2026-11-02T17:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"result": "maybe"}, "unknown_word", "result"),
        ({"observer": ""}, "missing", "observer"),
        ({"observer": "L1"}, "self_assessed", "observer"),
        ({"observer": "Lee Learner"}, "self_assessed", "observer"),
        ({"second_observer": "tess@centre.example"}, "one_observer", "second_observer"),
        ({"observed_at": "2026-13-01 10:00"}, "impossible_date", "observed_at"),
        ({"pass_percent": "120"}, "no_percentage", "pass_percent"),
    ],
)
def test_a_step_that_cannot_be_read_holds_back_its_whole_checklist_and_no_other(bring, endpoint, change, code, column):
    named = {"given_names": "Lee", "family_name": "Learner"}
    good, bad = STEP | named, STEP | named | {"step_id": "hood"} | change

    report = bring("training-centre", sheet(SESSION, good, bad, STEP | {"learner_ref": "L2"}))

    assert told(report) == [
        ("new", "", ""),
        ("quarantined", "checklist_incomplete", ""),
        ("quarantined", code, column),
        ("new", "", ""),
    ]
    assert verbs(endpoint) == ["passed"]


def test_a_step_of_an_unknown_learner_delays_only_checklists_without_that_step(bring, endpoint):
    whole = [STEP | {"learner_ref": "L1", "step_id": step} for step in ("hands", "hood")]
    lacking = [STEP | {"learner_ref": "L2"}]
    nobody = STEP | {"learner_ref": "", "step_id": "hood", "result": "fail"}

    report = bring("training-centre", sheet(SESSION, *whole, *lacking, nobody))

    assert [row.outcome for row in report.rows] == ["new", "new", "new", "quarantined", "quarantined"]
    assert [one["actor"]["account"]["name"] for one in endpoint.valid()] == ["L1"]


@pytest.mark.parametrize(
    ("change", "code"), [({"record": "observaton"}, "unknown_word"), ({"session_id": ""}, "missing")]
)
def test_a_step_that_is_not_known_to_belong_to_a_checklist_holds_back_the_one_that_may_lack_it(
    bring, endpoint, change, code
):
    stray = STEP | {"step_id": "hood", "result": "fail"} | change

    report = bring("training-centre", sheet(SESSION, STEP, stray))

    assert [row.code for row in report.rows] == ["", "checklist_incomplete", code]
    assert verbs(endpoint) == []


def test_a_row_that_is_no_step_holds_back_no_checklist(bring, endpoint):
    spilled = sheet(SESSION, STEP, ROSTER | {"learner_ref": "L2"}).rstrip("\n") + ",one,two\n"

    report = bring("training-centre", spilled + "Total 3" + "," * 23 + "\n")

    assert told(report) == [
        ("new", "", ""),
        ("new", "", ""),
        ("error", "too_many_cells", ""),
        ("quarantined", "unknown_word", "record"),
    ]
    assert verbs(endpoint) == ["passed"]


def test_nobody_is_seen_at_a_session_that_was_cancelled(bring, endpoint):
    report = bring("training-centre", sheet(SESSION | {"status": "cancelled"}, STEP))

    assert told(report)[1:] == [("quarantined", "session_cancelled", "session_id")]
    assert verbs(endpoint) == []


def test_a_checklist_that_the_file_has_under_two_names_of_a_learner_waits_for_a_person(bring, endpoint):
    both = STEP | {"uln": "1000001376"}
    number = both | {"learner_ref": "", "step_id": "hood", "result": "fail"}
    neighbour = STEP | {"learner_ref": "L2"}

    report = bring("training-centre", sheet(SESSION, both, number, neighbour))
    unread = bring("training-centre", sheet(SESSION, both, number | {"result": "?"}), file="b.csv")

    assert [row.code for row in report.rows] == ["", "two_names", "two_names", ""]
    assert [row.code for row in unread.rows] == ["", "two_names", "unknown_word"]
    assert [one["actor"]["account"]["name"] for one in endpoint.valid()] == ["L2"]


@pytest.mark.parametrize("word", ["absent", "excused", "no-show"])
def test_nobody_is_seen_at_a_session_that_the_roster_says_they_missed(bring, endpoint, word):
    missed = ROSTER | {"attendance": word}
    late = ROSTER | {"learner_ref": "L2", "attendance": "late"}

    report = bring("training-centre", sheet(SESSION, STEP, missed, late, STEP | {"learner_ref": "L2"}))

    assert [row.code for row in report.rows] == ["", "was_absent", "", "", ""]
    assert verbs(endpoint) == ["attended", "attended", "passed"]


def test_one_attempt_has_one_observer_and_each_step_once(bring):
    two = bring("training-centre", sheet(SESSION, STEP, STEP | {"step_id": "hood", "observer": "omar"}), file="a.csv")
    twice = bring("training-centre", sheet(SESSION, STEP, STEP | {"result": "fail"}), file="b.csv")
    none = bring("training-centre", sheet(SESSION, STEP | {"result": "n/a"}), file="c.csv")

    assert told(two)[1:] == [("quarantined", "several_observers", "observer")] * 2
    assert told(twice)[1:] == [("quarantined", "step_twice", "step_id")] * 2
    assert told(none)[1:] == [("quarantined", "nothing_observed", "result")]


def test_a_second_attempt_stands_beside_the_first(bring, endpoint):
    bring("training-centre", sheet(SESSION, STEP | {"result": "fail"}, STEP | {"attempt": "2"}))

    assert verbs(endpoint) == ["failed", "passed"]
