"""What version 0.1 remembered of its imports is read on: the same files again change nothing, and lose nothing.

``ledger-0.1.json`` holds what the imports of commit 6c87abc left at the endpoint: of the training centre's and the
e-portfolio's golden files, and of ``off-the-job-same-day.csv``, whose sessions that version could not tell apart.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

import adapters.imports.before
from adapters.imports.before import MARK, READ, read_documents
from adapters.imports.history import recent_runs
from adapters.imports.run import Order
from adapters.ledger.ledger import KIND
from adapters.reading.profile import read_profile
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in
from tests.adapters.conftest import Killed, by_job, dying, put_document, sender

GOLDEN = Path(__file__).parents[2] / "golden" / "adapters"
FAULTS = Path(__file__).parents[1] / "faults"
HEADER = "learner_ref,uln,standard_ref,standard_version,start_date,otj_date,otj_hours,otj_category,otj_correction\n"


TOLD = json.loads((GOLDEN / "ledger-0.1.json").read_text())


@pytest.fixture(autouse=True)
def remembered(tenant):
    fill(tenant)
    read_documents(tenant)


def fill(tenant) -> None:
    """The store as version 0.1 left it."""
    for activity, name, body in TOLD["documents"]:
        put_document(tenant, activity, name, body.encode())
    terms = Terms(tenant.settings, SUBSCRIPTIONS)
    plan = prepare(sender("north"), "1.0.3", json.dumps(TOLD["statements"]).encode(), terms)
    tenant.store.write(lambda tx: store_in(tx, plan)).result()


def otj(*cells: str) -> str:
    """A file of one row about learner A, of whom 0.1 stored 2 h of Workshop on 6 November, whatever the time."""
    return HEADER + ",".join(("A", "", "ST1406", "1.0", "01/09/2025", *cells)) + "\n"


def minutes(endpoint, who: str) -> list[str]:
    told = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/experienced")]
    return [one["result"]["duration"] for one in told if one["actor"]["account"]["name"] == who]


def counted(report) -> dict[str, int]:
    return {outcome: count for outcome, count in report.counts.items() if count}


def test_the_same_files_again_are_all_unchanged(bring, endpoint):
    held = dict(endpoint.statements)

    centre = bring("training-centre", GOLDEN / "centre.csv")
    profile = read_profile(GOLDEN / "portfolio-profile.json")
    portfolio = bring("eportfolio", GOLDEN / "portfolio.csv", profile=profile)

    assert counted(centre) == {"unchanged": 11, "skipped": 1}
    assert counted(portfolio) == {"unchanged": 4, "skipped": 2}
    assert endpoint.statements == held


def test_sessions_that_could_not_be_told_apart_come_in_and_none_is_doubled(bring, endpoint):
    first = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")
    again = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")

    assert [row.outcome for row in first.rows] == ["unchanged", "new", "new", "unchanged", "skipped"]
    assert [row.outcome for row in again.rows] == ["unchanged"] * 4 + ["skipped"]
    assert minutes(endpoint, "A") == ["PT02H00M00S", "PT02H00M00S", "PT01H00M00S"]
    assert endpoint.voided == set()


def test_in_whatever_order_they_come_again(bring, endpoint):
    lines = (FAULTS / "off-the-job-same-day.csv").read_text().splitlines()
    turned = "\n".join([lines[0], lines[3], lines[2], lines[1]]) + "\n"

    first = bring("eportfolio", turned)
    again = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")

    assert counted(first) == {"new": 2, "unchanged": 1}
    assert counted(again) == {"unchanged": 4, "skipped": 1}
    assert sorted(minutes(endpoint, "A")) == ["PT01H00M00S", "PT02H00M00S", "PT02H00M00S"]


def test_another_time_span_without_a_time_is_left_to_a_person(bring, endpoint):
    report = bring("eportfolio", otj("06/11/2026", "3", "Workshop", ""))
    corrected = bring("eportfolio", otj("06/11/2026", "3", "Workshop", "yes"))

    assert [(row.outcome, row.code) for row in report.rows] == [("quarantined", "not_told_apart")]
    assert [row.outcome for row in corrected.rows] == ["updated"]
    assert minutes(endpoint, "A") == ["PT03H00M00S"]


def test_a_learner_number_that_arrives_later_corrects_what_0_1_told(bring, endpoint):
    row = otj("06/11/2026", "2", "Workshop", "").replace("A,,", "A,1000001376,")

    report = bring("eportfolio", row)

    assert [row.outcome for row in report.rows] == ["updated"]
    assert (minutes(endpoint, "A"), minutes(endpoint, "1000001376")) == ([], ["PT02H00M00S"])


def test_by_jobs_on_each_engine_the_same_files_change_nothing_and_lost_sessions_come_in(store_url, tmp_path):
    tenant = open_tenant(Settings(data=tmp_path / "data", store_url=store_url))
    fill(tenant)
    profile = read_profile(GOLDEN / "portfolio-profile.json")

    centre = by_job(tenant, Order("training-centre", "north", GOLDEN / "centre.csv", "centre.csv"))
    portfolio = by_job(tenant, Order("eportfolio", "north", GOLDEN / "portfolio.csv", "portfolio.csv", profile))
    order = Order("eportfolio", "north", FAULTS / "off-the-job-same-day.csv", "off-the-job-same-day.csv")
    first, again = by_job(tenant, order), by_job(tenant, order)
    tenant.store.close()

    assert counted(centre.told) == {"unchanged": 11, "skipped": 1}
    assert counted(portfolio.told) == {"unchanged": 4, "skipped": 2}
    assert counted(first.told) == {"new": 2, "unchanged": 2, "skipped": 1}
    assert counted(again.told) == {"unchanged": 4, "skipped": 1}


def test_a_migration_that_was_broken_off_anywhere_is_done_again_and_overwrites_nothing_newer(
    endpoint, bring, monkeypatch
):
    entries = endpoint.entries
    bring("eportfolio", otj("06/11/2026", "3", "Workshop", "yes"))
    corrected = {id: body for id, body in endpoint.entries.items() if body != entries.get(id)}
    tenant = endpoint.tenant
    tenant.store.write(
        lambda tx: (tx.delete(MARK, READ), [tx.delete(KIND, id) for id in entries if id not in corrected])
    ).result()  # or it is this commit that is broken off
    monkeypatch.setattr(adapters.imports.before, "AT_ONCE", 3)

    for commit in range(1, 5):
        with suppress(Killed), dying(tenant, commit):
            read_documents(tenant)
    read_documents(tenant)

    assert endpoint.entries == entries | corrected
    assert tenant.store.get(MARK, READ)


def test_what_the_last_run_of_each_file_came_to_is_listed_beside_jobs_of_now(tenant, tmp_path):
    tenant.store.write(lambda tx: tx.delete(MARK, READ)).result()
    row = {"sheet": "", "row": 2, "outcome": "quarantined", "code": "x", "reason": "there is no such date"}
    told = {
        "sha256": "",
        "at": "2026-11-01T09:00:00+00:00",
        "counts": {"new": 3, "quarantined": 1},
        "quarantine": [row],
    }
    put_document(tenant, TOLD["documents"][0][0], "runs", json.dumps({"old.csv": told}).encode())
    (tmp_path / "new.csv").write_text(otj("06/11/2026", "2", "Workshop", ""))
    order = Order("eportfolio", "north", tmp_path / "new.csv", "new.csv")

    by_job(tenant, order)
    by_job(tenant, order)
    listed = recent_runs(tenant.store)

    assert [(run.adapter, run.provider, run.file, run.counts["new"], run.state) for run in listed] == [
        ("eportfolio", "north", "new.csv", 0, "done"),
        ("training-centre", "north", "old.csv", 3, "done"),
    ]
    assert (listed[1].at, listed[1].waiting[0]["reason"]) == ("2026-11-01T09:00:00Z", "there is no such date")


def test_a_document_that_is_no_ledger_is_left_out_and_keeps_no_other_from_being_read(tenant):
    tenant.store.write(lambda tx: tx.delete(MARK, READ)).result()
    put_document(tenant, TOLD["documents"][0][0], "page-7", b'{"rows":[]}')
    put_document(tenant, TOLD["documents"][0][0], "page-8", b'{"rows":{"k":[[1,"h",1],[]]}}')

    read_documents(tenant)

    assert tenant.store.get(KIND, "training-centre/north/k")


@pytest.mark.parametrize("at", ["yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_run_at_no_time_that_can_be_is_left_out_and_keeps_no_other_from_being_read(tenant, at):
    activity = TOLD["documents"][0][0]
    tenant.store.write(lambda tx: tx.delete(MARK, READ)).result()
    put_document(tenant, activity, "runs", json.dumps({"old.csv": {"at": at, "counts": {}}}).encode())
    put_document(tenant, activity, "page-8", b'{"rows":{"k":[[1,"h",1],[]]}}')

    read_documents(tenant)

    assert tenant.store.get(MARK, READ)
    assert tenant.store.get(KIND, "training-centre/north/k")
    assert [run.file for run in recent_runs(tenant.store)] == []
