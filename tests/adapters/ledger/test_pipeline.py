from __future__ import annotations

import pytest

import adapters.ledger.pipeline
from lrs.kernel.errors import Refused
from tests.adapters.conftest import REFUSED, Killed, dying

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"


def evidence(number: int, title: str = "Log", status: str = "accepted") -> str:
    return f"P-{number},ST1406,1.0,E-{number},K1,2025-11-03,{status},{title}\n"


def titles(endpoint) -> list[str]:
    name = "https://w3id.org/engraft/extensions/evidence-title"
    return sorted(one["context"]["extensions"][name] for one in endpoint.valid())


def counted(report) -> dict[str, int]:
    return {outcome: count for outcome, count in report.counts.items() if count}


def test_the_same_file_again_changes_nothing(bring, endpoint):
    text = HEADER + "".join(evidence(n) for n in range(5))
    first = bring("eportfolio", text)
    held = dict(endpoint.statements)

    again = bring("eportfolio", text)

    assert counted(first) == {"new": 5}
    assert counted(again) == {"unchanged": 5}
    assert [row.statements for row in again.rows] == [row.statements for row in first.rows]
    assert endpoint.statements == held


def test_the_order_of_rows_does_not_matter(bring):
    bring("eportfolio", HEADER + evidence(1) + evidence(2))

    assert counted(bring("eportfolio", HEADER + evidence(2) + evidence(1))) == {"unchanged": 2}


def test_a_corrected_row_voids_what_was_said_and_links_to_it(bring, endpoint):
    (old,) = bring("eportfolio", HEADER + evidence(1, "Wrong")).rows[0].statements

    report = bring("eportfolio", HEADER + evidence(1, "Right"))

    (new,) = report.rows[0].statements
    assert counted(report) == {"updated": 1}
    assert endpoint.voided == {old}
    assert titles(endpoint) == ["Right"]
    assert endpoint.statements[new]["context"]["statement"] == {"objectType": "StatementRef", "id": old}


def test_correcting_there_and_back_never_uses_an_id_twice(bring, endpoint):
    for title in ("A", "B", "A", "B"):
        bring("eportfolio", HEADER + evidence(1, title))

    assert titles(endpoint) == ["B"]
    assert len(endpoint.voided) == 3
    assert len(endpoint.statements) == 4 + 3


def test_evidence_that_is_no_longer_accepted_is_withdrawn_and_can_come_back(bring, endpoint):
    bring("eportfolio", HEADER + evidence(1))
    rejected = bring("eportfolio", HEADER + evidence(1, status="rejected"))
    standing = len(endpoint.valid())
    again = bring("eportfolio", HEADER + evidence(1, status="rejected"))
    back = bring("eportfolio", HEADER + evidence(1))

    assert counted(rejected) == {"updated": 1}
    assert standing == 0
    assert counted(again) == {"skipped": 1}
    assert counted(back) == {"updated": 1}
    assert titles(endpoint) == ["Log"]


def test_a_dry_run_says_the_same_and_writes_nothing(bring, endpoint):
    report = bring("eportfolio", HEADER + evidence(1) + evidence(2, status="lost"), dry_run=True)

    assert counted(report) == {"new": 1, "quarantined": 1}
    assert endpoint.is_empty()


def test_a_repeated_row_is_said_once_and_a_contradicting_one_waits(bring, endpoint):
    report = bring("eportfolio", HEADER + evidence(1) + evidence(1) + evidence(1, "Other"))

    assert [(row.outcome, row.code) for row in report.rows] == [
        ("new", ""),
        ("skipped", "repeated"),
        ("quarantined", "told_twice"),
    ]
    assert "row 2" in report.rows[2].reason
    assert titles(endpoint) == ["Log"]


def test_a_repaired_row_goes_in_with_the_file_it_came_in(bring, endpoint):
    bring("eportfolio", HEADER + evidence(1) + evidence(2).replace("2025-11-03", "2025-13-33"))

    report = bring("eportfolio", HEADER + evidence(1) + evidence(2))

    assert [row.outcome for row in report.rows] == ["unchanged", "new"]
    assert len(endpoint.valid()) == 2


def test_a_row_the_store_refuses_is_an_error_and_the_others_go_in(bring, endpoint):
    text = HEADER + evidence(1) + evidence(2, REFUSED) + evidence(3)

    first = bring("eportfolio", text)
    again = bring("eportfolio", text)
    repaired = bring("eportfolio", text.replace(REFUSED, "Log"))

    assert [(row.outcome, row.code) for row in first.rows] == [("new", ""), ("error", "store_413"), ("new", "")]
    assert [row.outcome for row in again.rows] == ["unchanged", "error", "unchanged"]
    assert [row.outcome for row in repaired.rows] == ["unchanged", "new", "unchanged"]
    assert len(endpoint.valid()) == 3


def test_of_rows_that_are_too_much_together_the_heaviest_is_refused(bring, endpoint, monkeypatch):
    monkeypatch.setattr("lrs.xapi.statements.write.MOST_ROWS", 30)

    report = bring("eportfolio", HEADER + evidence(1) + evidence(2, "x" * 9_000) + evidence(3))

    assert [(row.outcome, row.code) for row in report.rows] == [("new", ""), ("error", "store_413"), ("new", "")]
    assert titles(endpoint) == ["Log", "Log"]


def test_a_refused_correction_leaves_what_stood_standing(bring, endpoint):
    bring("eportfolio", HEADER + evidence(1, "Old"))

    report = bring("eportfolio", HEADER + evidence(1, REFUSED))

    assert counted(report) == {"error": 1}
    assert titles(endpoint) == ["Old"]
    assert counted(bring("eportfolio", HEADER + evidence(1, "Old"))) == {"unchanged": 1}


def test_providers_do_not_meet(bring, endpoint):
    bring("eportfolio", HEADER + evidence(1), provider="north")

    assert counted(bring("eportfolio", HEADER + evidence(1), provider="south")) == {"new": 1}
    assert len(endpoint.valid()) == 2


def test_of_many_rows_only_the_entry_of_one_that_changed_is_written_again(bring, endpoint):
    text = HEADER + "".join(evidence(n) for n in range(600))
    bring("eportfolio", text)
    before = endpoint.entries

    report = bring("eportfolio", text.replace("E-500,K1,2025-11-03,accepted,Log", "E-500,K1,2025-11-03,accepted,New"))

    after = endpoint.entries
    assert counted(report) == {"unchanged": 599, "updated": 1}
    assert len(after) == 600
    assert sum(after[id] != body for id, body in before.items()) == 1


@pytest.mark.parametrize("dies_before", [1, 2])
@pytest.mark.parametrize("then", ["same", "corrected"])
def test_broken_off_between_two_commits_the_job_goes_on_and_loses_and_doubles_nothing(
    bring, endpoint, monkeypatch, dies_before, then
):
    bring("eportfolio", HEADER + evidence(1, "One") + evidence(2, "Two"))
    text = HEADER + evidence(1, "One b") + evidence(2, "Two") + evidence(3, "Three")
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 1)
    with pytest.raises(Killed), dying(endpoint.tenant, dies_before):
        bring("eportfolio", text, job="killed")

    again = bring("eportfolio", text, job="killed")
    stands = titles(endpoint)
    if then == "corrected":
        text = text.replace("One b", "One c").replace("Three", "Three c")
    last = bring("eportfolio", text)

    assert [row.outcome for row in again.rows] == ["updated", "unchanged", "new"]
    assert stands == ["One b", "Three", "Two"]
    assert titles(endpoint) == (["One b", "Three", "Two"] if then == "same" else ["One c", "Three c", "Two"])
    assert counted(last) == ({"unchanged": 3} if then == "same" else {"updated": 2, "unchanged": 1})


def test_a_job_that_goes_on_under_a_program_that_reads_the_file_otherwise_voids_what_it_had_made_of_it(
    bring, endpoint, monkeypatch
):
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 1)
    with pytest.raises(Killed), dying(endpoint.tenant, 2):
        bring("eportfolio", HEADER + evidence(1, "Old reading") + evidence(2), job="upgraded")

    report = bring("eportfolio", HEADER + evidence(1, "New reading") + evidence(2), job="upgraded")

    assert counted(report) == {"updated": 1, "new": 1}
    assert titles(endpoint) == ["Log", "New reading"]
    assert len(endpoint.voided) == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [({"provider": "../x"}, "provider's name"), ({"provider": ""}, "provider's name")],
)
def test_a_provider_needs_a_name(bring, more, words):
    with pytest.raises(Refused, match=words):
        bring("eportfolio", HEADER, **more)


def test_another_adapter_is_not_guessed(bring):
    with pytest.raises(Refused, match="use training-centre or eportfolio"):
        bring("moodle", HEADER)
