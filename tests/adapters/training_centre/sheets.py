"""Sheets of a training centre, and what became of their rows."""

from __future__ import annotations

EXT = "https://w3id.org/engraft/extensions/"
COLUMNS = (
    "record,session_id,title,starts_at,ends_at,instructor,learner_ref,uln,email,given_names,family_name,attendance,"
    "check_in_at,check_out_at,checklist_id,step_id,result,critical,attempt,observed_at,observer,second_observer,"
    "pass_percent,status"
)
SESSION = {
    "record": "session",
    "session_id": "S1",
    "title": "Gowning",
    "starts_at": "2026-11-02 09:00",
    "ends_at": "17:00",
    "instructor": "tess@centre.example",
}
ROSTER = {"record": "roster", "session_id": "S1", "learner_ref": "L1", "attendance": "present"}
STEP = {
    "record": "observation",
    "session_id": "S1",
    "learner_ref": "L1",
    "checklist_id": "gowning@2",
    "step_id": "hands",
    "result": "pass",
    "critical": "yes",
    "observer": "tess@centre.example",
}


def sheet(*rows: dict[str, str]) -> str:
    names = COLUMNS.split(",")
    return "\n".join([COLUMNS, *(",".join(row.get(name, "") for name in names) for row in rows)]) + "\n"


def verbs(endpoint) -> list[str]:
    return sorted(one["verb"]["id"].rpartition("/")[2] for one in endpoint.valid())


def told(report) -> list[tuple[str, str, str]]:
    return [(row.outcome, row.code, row.column) for row in report.rows]
