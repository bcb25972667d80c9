from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from adapters.door import Changed, Closed
from adapters.ledger import LEASE, Busy
from lrs.kernel.errors import Refused

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"
NOON = 1_795_262_400_000_000


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
    assert endpoint.statements == {}
    assert endpoint.documents == {}


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
    bring("eportfolio", HEADER + evidence(1) + evidence(2).replace("2025-11-03", "2025-13-03"))

    report = bring("eportfolio", HEADER + evidence(1) + evidence(2))

    assert [row.outcome for row in report.rows] == ["unchanged", "new"]
    assert len(endpoint.valid()) == 2


def test_the_quarantine_is_kept_with_the_file_masked_and_cleared_by_the_repaired_file(bring, endpoint):
    def kept():
        (document,) = [body for (_, name), body in endpoint.documents.items() if name == "runs"]
        return json.loads(document)["file.csv"]

    bring("eportfolio", HEADER + evidence(1).replace("2025-11-03", "Bob 7"))
    waiting = kept()
    bring("eportfolio", HEADER + evidence(1))

    assert waiting["counts"]["quarantined"] == 1
    assert waiting["quarantine"] == [
        {
            "sheet": "",
            "row": 2,
            "outcome": "quarantined",
            "code": "impossible_date",
            "column": "evidence_date",
            "value": "xxx 9",
            "reason": "there is no such date",
        }
    ]
    assert len(waiting["sha256"]) == 64
    assert kept()["quarantine"] == []


def test_a_row_the_store_refuses_is_an_error_and_the_others_go_in(bring, endpoint):
    text = HEADER + evidence(1) + evidence(2, "REFUSE-ME") + evidence(3)

    first = bring("eportfolio", text)
    again = bring("eportfolio", text)
    repaired = bring("eportfolio", text.replace("REFUSE-ME", "Log"))

    assert [(row.outcome, row.code) for row in first.rows] == [("new", ""), ("error", "store_400"), ("new", "")]
    assert [row.outcome for row in again.rows] == ["unchanged", "error", "unchanged"]
    assert [row.outcome for row in repaired.rows] == ["unchanged", "new", "unchanged"]
    assert len(endpoint.valid()) == 3


def test_a_refused_correction_leaves_what_stood_standing(bring, endpoint):
    bring("eportfolio", HEADER + evidence(1, "Old"))

    report = bring("eportfolio", HEADER + evidence(1, "REFUSE-ME"))

    assert counted(report) == {"error": 1}
    assert titles(endpoint) == ["Old"]
    assert counted(bring("eportfolio", HEADER + evidence(1, "Old"))) == {"unchanged": 1}


def test_providers_do_not_meet(bring, endpoint):
    bring("eportfolio", HEADER + evidence(1), provider="north")

    assert counted(bring("eportfolio", HEADER + evidence(1), provider="south")) == {"new": 1}
    assert len(endpoint.valid()) == 2


def test_many_rows_make_full_pages_and_only_the_page_with_a_change_is_written_again(bring, endpoint):
    text = HEADER + "".join(evidence(n) for n in range(2_300))
    bring("eportfolio", text)
    pages = {name: len(json.loads(body)["rows"]) for (_, name), body in endpoint.documents.items() if "page" in name}
    before = dict(endpoint.documents)

    report = bring("eportfolio", text.replace("E-1500,K1,2025-11-03,accepted,Log", "E-1500,K1,2025-11-03,accepted,New"))

    changed = {name for (activity, name), body in endpoint.documents.items() if before[activity, name] != body}
    assert pages == {"page-0": 1_000, "page-1": 1_000, "page-2": 300}
    assert counted(report) == {"unchanged": 2_299, "updated": 1}
    assert changed == {"lock", "page-1", "runs"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 12))
@pytest.mark.parametrize("then", ["same", "corrected"])
def test_losing_the_way_at_any_request_loses_and_doubles_nothing(bring, endpoint, when, nth, then):
    bring("eportfolio", HEADER + evidence(1, "One") + evidence(2, "Two"))
    text = HEADER + evidence(1, "One b") + evidence(2, "Two") + evidence(3, "Three")
    seen = Counter()

    def cut(_name):
        seen["all"] += 1
        if seen["all"] >= nth:
            raise ConnectionAbortedError

    setattr(endpoint, when, cut)
    with pytest.raises(Closed, match="does not answer"):
        bring("eportfolio", text)
    endpoint.before = lambda _: None
    endpoint.after = lambda _: None
    later = {"clock": lambda: NOON + 2 * LEASE}
    if then == "corrected":
        text = text.replace("One b", "One c").replace("Three", "Three c")

    bring("eportfolio", text, **later)

    assert titles(endpoint) == (["One b", "Three", "Two"] if then == "same" else ["One c", "Three c", "Two"])
    assert set(bring("eportfolio", text, **later).counts.items()) >= {("unchanged", 3), ("new", 0), ("updated", 0)}


def test_killed_between_statements_and_ledger_the_next_run_completes_without_doubling(bring, endpoint, tmp_path):
    text = HEADER + "".join(evidence(n) for n in range(600))
    path = tmp_path / "killed.csv"
    path.write_text(text)
    stored, go_on = threading.Event(), threading.Event()

    def hold(name):
        if name == "POST statements" and len(endpoint.statements) >= 500:
            stored.set()
            go_on.wait(30)

    endpoint.after = hold
    child = subprocess.Popen(
        [
            *(sys.executable, "-c", "from adapters.commands import adapter; adapter()", "run", "eportfolio", str(path)),
            *("--endpoint", endpoint.url, "--key", "k", "--secret", "s", "--provider", "north"),
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
    )
    assert stored.wait(60)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    go_on.set()
    endpoint.after = lambda _: None
    sent = len(endpoint.statements)

    report = bring("eportfolio", text, clock=lambda: 4 * NOON)

    assert sent == 500
    assert counted(report) == {"unchanged": 250, "new": 350}
    assert len(endpoint.statements) == 600
    assert endpoint.voided == set()


def test_a_second_run_for_the_provider_is_turned_away_and_another_provider_is_not(bring, endpoint):
    turned_away = []

    def meanwhile(name):
        if name == "POST statements" and not turned_away:
            turned_away.append("started")
            try:
                bring("eportfolio", HEADER + evidence(9), file="other.csv")
            except Busy as busy:
                turned_away.append(str(busy))
            bring("eportfolio", HEADER + evidence(9), file="south.csv", provider="south")

    endpoint.before = meanwhile

    bring("eportfolio", HEADER + evidence(1))

    assert "under way" in turned_away[1]
    assert len(endpoint.valid()) == 2


def test_a_run_whose_lease_was_taken_over_stops_and_nothing_is_doubled(bring, endpoint):
    done, started = [], threading.Event()

    def overtake(name):
        if name == "POST statements" and not started.is_set():
            started.set()
            done.append(bring("eportfolio", HEADER + evidence(1, "Late"), clock=lambda: NOON + 2 * LEASE))

    endpoint.before = overtake

    with pytest.raises(Changed):
        bring("eportfolio", HEADER + evidence(1, "Early"))

    assert counted(done[0]) == {"updated": 1}
    assert titles(endpoint) == ["Late"]
    assert counted(bring("eportfolio", HEADER + evidence(1, "Late"), clock=lambda: NOON + 4 * LEASE)) == {
        "unchanged": 1
    }


def test_a_run_waits_for_the_lease_of_one_that_was_killed(bring, endpoint):
    bring("eportfolio", HEADER + evidence(2))
    (key,) = [key for key in endpoint.documents if key[1] == "lock"]
    endpoint.documents[key] = json.dumps({"run": "killed", "until": NOON + LEASE}).encode()
    times = iter([NOON, NOON, NOON, NOON + LEASE])

    report = bring("eportfolio", HEADER + evidence(1), clock=lambda: next(times, NOON + LEASE), wait=60)

    assert counted(report) == {"new": 1}


def test_a_long_run_keeps_its_lock(bring, endpoint):
    ticks = iter(range(NOON, NOON + 10**12, LEASE // 4))

    report = bring("eportfolio", HEADER + "".join(evidence(n) for n in range(1_000)), clock=lambda: next(ticks))

    assert counted(report) == {"new": 1_000}
    pages, taken_and_freed, renewed, noted = 2 * 4, 2, 1, 1
    assert endpoint.requests.count("PUT activities/profile") == pages + taken_and_freed + renewed + noted


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
