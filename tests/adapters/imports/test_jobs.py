"""An import as a job: its turns, its order, what becomes of it when a process ends anywhere, and of its files."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

import adapters.ledger.pipeline
from adapters.imports import job as jobs
from adapters.imports import step
from adapters.imports.before import read_documents
from adapters.imports.here import job_here
from adapters.imports.job import Job, Sender, change, find
from adapters.imports.run import Order
from lrs.composition.steps import LANES, drain, steps_of
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.admission import ROWS, Overloaded
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY, SECOND
from lrs.storage import Owed, each
from lrs.tenancy.tenants import open_tenant
from lrs.work import worker
from lrs.work.rounds import Work
from tests.adapters.conftest import Kept, by_job
from tests.builders import retried

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"


def rows(first: int, last: int, title: str = "Log") -> str:
    return "".join(f"P-{n},ST1406,1.0,E-{n},K1,2025-11-03,accepted,{title}\n" for n in range(first, last + 1))


@pytest.fixture
def order(tmp_path):
    """The order for a file with this content."""

    def make(content: str, file: str = "file.csv", provider: str = "north") -> Order:
        path: Path = tmp_path / file
        path.write_text(content)
        return Order("eportfolio", provider, path, file)

    return make


def of_another_process() -> dict:
    """The steps as a process that has just begun knows them."""
    return step.import_steps(read_documents, SUBSCRIPTIONS)


def test_progress_goes_on_while_the_file_that_goes_back_is_written(tenant, order, monkeypatch):
    monkeypatch.setattr(step, "TELL", 0)
    made = job_here(tenant, order(HEADER + rows(1, 600)))
    work, seen = Work(tenant, of_another_process()), []

    while not (now := find(tenant.store, made.id)).is_over:
        seen.append((now.rows, now.written))
        work.turn()

    assert [one for one in seen if one[1]] != []
    assert {one for one in seen if one[1]} <= {(600, 250), (600, 500)}
    assert all(written == 0 for rows, written in seen if rows < 600)


def titles(tenant) -> set[str]:
    name = "https://w3id.org/engraft/extensions/evidence-title"
    return {one["context"]["extensions"][name] for one in Kept(tenant).valid()}


def test_a_job_ends_with_its_counts_its_report_and_the_file_that_goes_back(tenant, order):
    job = by_job(tenant, order(HEADER + rows(1, 3) + "P-4,ST1406,1.0,E-4,K1,2025-13-33,accepted,Log\n"))

    blobs = {name: b"".join(tenant.store.blobs.open(blob)) for name, blob in job.blobs.items()}
    assert (job.state, job.rows, job.told.usable) == ("done", 4, True)
    assert job.told.counts["new"] == 3
    assert job.told.text.splitlines()[0] == "file.csv: 3 new, 1 quarantined"
    assert [(row["row"], row["value"]) for row in job.told.waiting] == [(5, "9999-99-99")]
    assert json.loads(blobs["report"])["counts"]["quarantined"] == 1
    assert blobs["returned"].splitlines()[-1].endswith(b",quarantined,evidence_date: there is no such date")
    stored = [json.loads(record.body) for record in each(tenant.store, "statement")]
    assert [one["authority"]["name"] for one in stored] == ["north"] * 3


def test_a_file_that_nobody_can_read_is_refused_with_the_reason_and_the_next_begins(tenant, order):
    refused = job_here(tenant, order("a\n1\n", "wrong.csv"))

    good = by_job(tenant, order(HEADER + rows(1, 1)))

    job = find(tenant.store, refused.id)
    assert (job.state, job.problem.status, job.problem.error) == ("refused", 400, "no_header")
    assert (good.state, good.told.counts["new"]) == ("done", 1)


def test_files_of_one_provider_come_in_one_after_the_other_in_the_order_of_upload(tenant, order):
    first = job_here(tenant, order(HEADER + rows(1, 40, "Wrong"), "a.csv"))
    second = job_here(tenant, order(HEADER + rows(1, 40, "Right"), "b.csv"))
    work = Work(tenant, steps_of(["import"]))
    begun = []

    while not find(tenant.store, second.id).is_over:
        work.turn()
        states = find(tenant.store, first.id).state, find(tenant.store, second.id).state
        begun += [states] if states not in begun else []

    assert {two for one, two in begun if one != "done"} == {"waiting"}
    assert titles(tenant) == {"Right"}
    assert find(tenant.store, second.id).told.counts["updated"] == 40


def test_a_file_of_one_provider_waits_for_none_of_another(tenant, order, monkeypatch):
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 5)
    long = job_here(tenant, order(HEADER + rows(1, 400), "long.csv", "north"))
    work = Work(tenant, steps_of(["import"]))
    while not find(tenant.store, long.id).rows:
        work.turn()
    short = job_here(tenant, order(HEADER + rows(1, 1), "short.csv", "south"))

    while not find(tenant.store, short.id).is_over:
        work.turn()

    assert find(tenant.store, long.id).state == "running"
    worker.drain(tenant, steps_of(["import"]))


@pytest.mark.parametrize(
    "commit", [3, *(pytest.param(commit, marks=pytest.mark.mongo_in_soak) for commit in (1, 2, 5, 8, 13))]
)
def test_a_process_may_end_at_any_commit_and_the_next_one_goes_on(store_url, tmp_path, clock, monkeypatch, commit):
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 2)
    tenant = open_tenant(Settings(data=tmp_path / "data", store_url=store_url), clock=clock)
    path = tmp_path / "file.csv"
    path.write_text(HEADER + rows(1, 7))
    job = job_here(tenant, Order("eportfolio", "north", path, "file.csv"))
    real = tenant.store.settle
    left = [commit]

    def settle(claims, decide, **more):
        left[0] -= 1
        if left[0] <= 0:
            raise SystemExit  # nothing after this point is of the process that ended
        return real(claims, decide, **more)

    with monkeypatch.context() as patched:
        patched.setattr(tenant.store, "settle", settle, raising=False)
        with suppress(SystemExit):
            worker.drain(tenant, of_another_process())
    clock.forward(seconds=60)

    worker.drain(tenant, of_another_process())

    kept, over = Kept(tenant), find(tenant.store, job.id)
    stored = len(kept.statements), len(kept.valid()), len(kept.entries)
    tenant.store.close()
    assert (over.state, over.rows, over.told.counts["new"]) == ("done", 7, 7)
    assert stored == (7, 7, 7)


def test_progress_is_stored_with_each_commit_and_other_steps_have_their_turn(tenant, order, monkeypatch):
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 10)
    job = job_here(tenant, order(HEADER + rows(1, 60)))
    work = Work(tenant, steps_of(["import"]))
    seen = []

    while not (now := find(tenant.store, job.id)).is_over:
        work.turn()
        seen += [now.rows] if now.rows not in seen else []

    assert seen == [0, 10, 20, 30, 40, 50, 60]
    assert ("import", "import-files") in LANES


def test_two_processes_at_one_job_lose_and_double_nothing(tenant, order, monkeypatch):
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 2)
    monkeypatch.setattr(step, "ELSEWHERE", 0)
    job = job_here(tenant, order(HEADER + rows(1, 20)))
    works = [Work(tenant, of_another_process()) for _ in range(2)]

    while not find(tenant.store, job.id).is_over:
        for work in works:
            work.turn()

    kept = Kept(tenant)
    assert len(kept.statements) == len(kept.entries) == 20
    assert find(tenant.store, job.id).told.counts["new"] == 20


def test_a_file_that_cannot_be_worked_through_is_given_up_after_some_tries_and_the_next_begins(
    tenant, order, monkeypatch
):
    real = step.Walker

    class Broken(real):
        def run(self, ask, breathe):
            if self._job.file == "bad.csv":
                raise ZeroDivisionError
            return super().run(ask, breathe)

    monkeypatch.setattr(step, "Walker", Broken)
    bad = job_here(tenant, order(HEADER + rows(1, 1), "bad.csv"))
    good = job_here(tenant, order(HEADER + rows(2, 2), "good.csv"))
    for number in range(1, step.STARTS + 1):
        tenant.store.write(lambda tx: tx.owe("import", bad.id, Owed("import"))).result()
        drain(tenant, ["import"])
        due, seen = tenant.store.next_due(["import"]), find(tenant.store, bad.id).seen
        assert number == step.STARTS or due - seen >= 2**number * SECOND

    failed, over = find(tenant.store, bad.id), find(tenant.store, good.id)
    (parked,) = tenant.store.parked("import")
    assert (failed.state, failed.problem.status, failed.problem.error) == ("failed", 503, "import_failed")
    assert "(ZeroDivisionError); send the file again" in failed.problem.message
    assert (parked[0].id, parked[1].error) == (bad.id, "the file could not be worked through (ZeroDivisionError)")
    assert over.state == "done"


def test_a_job_waits_while_there_is_no_room_and_is_not_given_up(tenant, order, monkeypatch):
    job = job_here(tenant, order(HEADER + rows(1, 1)))

    def go_on():
        tenant.store.write(lambda tx: tx.owe("import", job.id, Owed("import"))).result()
        drain(tenant, ["import"])
        return find(tenant.store, job.id)

    with monkeypatch.context() as patched:
        patched.setattr(step.Walker, "run", lambda *_: Path("/").write_text(""))  # an OSError, as of a full disk
        waits = [go_on() for _ in range(step.STARTS + 1)][-1]

    assert (waits.state, waits.starts, waits.error.rpartition("; ")[2]) == ("running", 0, "it is tried again")
    assert go_on().state == "done"


def test_a_job_that_another_process_has_finished_is_not_given_up(store_url, tmp_path, clock, order):
    tenant = open_tenant(Settings(data=tmp_path / "own", store_url=store_url), clock=clock)
    job = job_here(tenant, order(HEADER + rows(1, 1)))
    [claim] = tenant.store.claim(["import"], limit=1, lease=30_000_000)
    clock.forward(seconds=60)
    lost = tenant.store.claim_lost(["import"], lease=30_000_000)
    tenant.store.settle([lost], lambda tx: change(tx, job.id, state="done")).result()

    step.Imports(SUBSCRIPTIONS).give_up(tenant, claim, "its worker ended 10 times while it was run")

    over, parked = find(tenant.store, job.id), tenant.store.parked()
    tenant.store.close()
    assert (over.state, over.problem, parked) == ("done", None, [])


def test_a_job_that_was_given_up_is_tried_again_unless_a_later_file_of_the_provider_came_in(tenant, order, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(step, "STARTS", 0)
        patched.setattr(step.Walker, "run", lambda *_: 1 / 0)
        alone = by_job(tenant, order(HEADER + rows(1, 1), "a.csv", "alone"))
        followed = by_job(tenant, order(HEADER + rows(1, 1, "Old"), "b.csv", "followed"))
    by_job(tenant, order(HEADER + rows(1, 1, "New"), "c.csv", "followed"))

    retried(tenant.store, "import")
    drain(tenant, ["import"])

    assert [find(tenant.store, one.id).state for one in (alone, followed)] == ["done", "failed"]
    assert find(tenant.store, followed.id).problem.error == "import_outdated"
    assert titles(tenant) == {"Log", "New"}


@pytest.mark.parametrize(
    ("later", "outdated"),
    [
        ({"state": "done"}, True),
        ({"state": "running"}, True),
        ({"state": "failed", "rows": 3}, True),
        ({"state": "failed"}, False),
        ({"state": "refused"}, False),
        ({"state": "waiting"}, False),
        ({"state": "done", "rows": 3, "dry_run": True}, False),
        ({"state": "done", "adapter": "training-centre"}, False),
        ({"state": "done", "provider": "south"}, False),
    ],
)
def test_a_failed_job_is_outdated_by_a_later_file_that_may_have_changed_its_ledger_and_by_no_other(
    tenant, later, outdated
):
    failed = Job("failed", "eportfolio", "north", "a.csv", Sender("north", "{}"), 1, state="failed")
    before = replace(failed, id="before", state="done")
    for one in (before, failed, replace(failed, id="later", **later)):
        jobs.add(tenant.store, one)

    assert jobs.is_outdated(tenant.store, failed) is outdated


def test_a_store_that_is_busy_is_waited_for_and_no_try_is_counted(tenant, order, monkeypatch):
    busy = [3]
    real = tenant.store.settle

    def settle(claims, decide, **more):
        busy[0] -= 1
        if busy[0] >= 0:
            raise Overloaded(ROWS)
        return real(claims, decide, **more)

    monkeypatch.setattr(tenant.store, "settle", settle)
    job = job_here(tenant, order(HEADER + rows(1, 1)))
    for _ in range(5):
        drain(tenant, ["import"])
        tenant.store.write(lambda tx: tx.owe("import", job.id, Owed("import"))).result()
    drain(tenant, ["import"])

    assert find(tenant.store, job.id).state == "done"


def test_the_files_of_a_job_are_let_go_after_their_days_and_what_it_came_to_stays(clock, order, tmp_path):
    tenant = open_tenant(Settings(data=tmp_path / "kept", import_files_days=2), clock=clock)
    job = by_job(tenant, order(HEADER + rows(1, 1)))
    clock.forward(micros=2 * DAY - 1)
    drain(tenant, ["import-files"])
    before = find(tenant.store, job.id)
    clock.forward(micros=2)
    drain(tenant, ["import-files"])

    after = find(tenant.store, job.id)
    record = tenant.store.get("import", job.id)
    tenant.store.close()
    assert sorted(before.blobs) == ["file", "report", "returned"]
    assert (dict(after.blobs), record.meta["blobs"]) == ({}, {})
    assert after.told.counts["new"] == 1


def test_the_file_of_a_job_that_was_given_up_is_let_go_too_and_the_job_can_still_be_tried_again(
    clock, order, tmp_path, monkeypatch
):
    tenant = open_tenant(Settings(data=tmp_path / "kept", import_files_days=2), clock=clock)
    with monkeypatch.context() as patched:
        patched.setattr(step, "STARTS", 0)
        patched.setattr(step.Walker, "run", lambda *_: 1 / 0)
        job = by_job(tenant, order(HEADER + rows(1, 1)))
    clock.forward(micros=2 * DAY + 1)
    drain(tenant, ["import-files"])

    blobs = find(tenant.store, job.id).blobs
    retried(tenant.store, "import")
    drain(tenant, ["import"])

    over = find(tenant.store, job.id)
    tenant.store.close()
    assert dict(blobs) == {}
    assert (over.state, over.problem.error) == ("refused", "file_gone")


def test_the_file_of_a_job_that_is_tried_again_is_kept_until_its_days_are_over_once_more(
    clock, order, tmp_path, monkeypatch
):
    tenant = open_tenant(Settings(data=tmp_path / "kept", import_files_days=2), clock=clock)
    with monkeypatch.context() as patched:
        patched.setattr(step, "STARTS", 0)
        patched.setattr(step.Walker, "run", lambda *_: 1 / 0)
        job = by_job(tenant, order(HEADER + rows(1, 1)))
    clock.forward(micros=DAY)
    retried(tenant.store, "import")
    drain(tenant, ["import"])

    kept = []
    for days in (1.5, 0.6):
        clock.forward(micros=round(days * DAY))
        drain(tenant, ["import-files"])
        kept.append(sorted(find(tenant.store, job.id).blobs))

    tenant.store.close()
    assert kept == [["file", "report", "returned"], []]


def test_a_provider_that_would_stand_for_the_store_itself_is_refused(tenant, order):
    with pytest.raises(Misconfigured, match="stands for this store itself"):
        job_here(tenant, order(HEADER, provider="engraft"))


def test_no_thread_is_left_of_a_job_that_is_over(tenant, order):
    job = by_job(tenant, order(HEADER + rows(1, 3)))

    assert f"import-{job.id}" not in {one.name for one in threading.enumerate()}
