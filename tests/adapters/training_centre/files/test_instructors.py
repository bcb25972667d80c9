"""An instructor whose cell cannot be read takes neither the session nor its roster along."""

from __future__ import annotations

COLUMNS = (
    "record,session_id,title,starts_at,ends_at,instructor,learner_ref,email,attendance,checklist_id,step_id,result,"
    "observer"
)
SESSION = {"record": "session", "session_id": "S1", "title": "Gowning", "starts_at": "2026-11-02 09:00"}
SESSION |= {"ends_at": "17:00", "instructor": "tess@centre.example"}
ROSTER = {"record": "roster", "session_id": "S1", "learner_ref": "L1", "attendance": "present"}
STEP = {"record": "observation", "session_id": "S1", "learner_ref": "L2", "checklist_id": "gowning", "step_id": "hands"}
STEP |= {"result": "pass", "observer": "n.o'hara@centre.example"}
BAD = SESSION | {"instructor": "tess@centre"}


def sheet(*rows: dict[str, str]) -> str:
    names = COLUMNS.split(",")
    return "\n".join([COLUMNS, *(",".join(row.get(name, "") for name in names) for row in rows)]) + "\n"


def told(report) -> list[tuple[str, str, str]]:
    return [(row.outcome, row.code, row.column) for row in report.rows]


def instructors(endpoint) -> list[str]:
    return [one.get("context", {}).get("instructor", {}).get("mbox", "") for one in endpoint.valid()]


def test_who_was_there_is_told_without_the_instructor_and_it_is_said(bring, endpoint):
    report = bring("training-centre", sheet(BAD, ROSTER, STEP))

    assert told(report) == [("quarantined", "no_instructor", "instructor"), ("new", "", ""), ("new", "", "")]
    assert report.rows[0].reason == (
        "this is no e-mail address, such as name@college.example; who was there is told without the instructor until"
        " this is repaired"
    )
    assert report.rows[1].reason.startswith("told without the session's instructor")
    assert instructors(endpoint) == ["", "mailto:n.o'hara@centre.example"]


def test_repaired_it_is_told_again_with_the_instructor(bring, endpoint):
    bring("training-centre", sheet(BAD, ROSTER, STEP))

    report = bring("training-centre", sheet(SESSION, ROSTER, STEP))

    assert [row.outcome for row in report.rows] == ["new", "updated", "updated"]
    assert instructors(endpoint) == ["mailto:tess@centre.example", "mailto:n.o'hara@centre.example"]


def test_a_cell_that_cannot_be_read_withdraws_nothing_that_was_told_with_it(bring, endpoint):
    bring("training-centre", sheet(SESSION, ROSTER, STEP))

    report = bring("training-centre", sheet(BAD, ROSTER, STEP, ROSTER | {"learner_ref": "L3"}))

    assert [row.outcome for row in report.rows] == ["quarantined", "unchanged", "unchanged", "new"]
    assert endpoint.voided == set()
    assert instructors(endpoint) == ["mailto:tess@centre.example", "mailto:n.o'hara@centre.example", ""]


def test_a_session_that_cannot_be_used_for_another_reason_says_so_at_each_row_of_its_roster(bring):
    report = bring("training-centre", sheet(SESSION | {"starts_at": "2026-13-32 09:00"}, ROSTER))

    assert report.rows[1].reason == "its session row cannot be used: starts_at: there is no such date"


def test_a_learners_address_that_is_none_is_said_at_its_row_and_stops_no_other(bring):
    rows = [ROSTER | {"email": "ada@"}, ROSTER | {"learner_ref": "", "email": "d'arcy@learner.example"}]

    report = bring("training-centre", sheet(SESSION, *rows))

    assert told(report) == [("new", "", ""), ("quarantined", "no_email", "email"), ("new", "", "")]
