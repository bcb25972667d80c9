"""What people read of an import on the command line: its progress, and what it came to."""

from contextlib import closing
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from adapters.imports import job as jobs
from adapters.imports.job import Job, JobResult, Sender
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.ops import import_commands
from lrs.ops.import_commands import ProgressLine
from lrs.tenancy.tenants import open_tenant

AT = 1_795_000_000_000_000
COUNTS = {"imported": 2, "unchanged": 1, "repair": 0}


def job(id, **fields):
    return Job(id, "training-centre", "north", f"{id}.csv", Sender("north", "{}"), AT, **fields)


@pytest.fixture
def data(tmp_path):
    with closing((tenant := open_tenant(Settings(data=tmp_path))).store) as store:
        for one in (
            job(
                "tried", state="done", dry_run=True, rows=3, told=JobResult(COUNTS, usable=True, text="All 3 are fine.")
            ),
            job("brought", state="done", rows=3, told=JobResult(COUNTS, usable=True)),
            job("held-up", state="running", rows=1, error="the disk is full"),
        ):
            store.write(lambda tx, one=one: tx.insert(jobs.record_of(one))).result()
        assert tenant.store.count(jobs.KIND) == 3
    return tmp_path


def said(data, *words):
    answer = CliRunner().invoke(main, ["imports", *words, "--data", str(data)])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_an_import_is_shown_with_what_it_came_to_and_a_dry_run_as_that(data):
    shown = {id: said(data, "show", id) for id in ("tried", "brought", "held-up")}

    assert "2 imported, 1 unchanged (dry run)\n" in shown["tried"]
    assert shown["tried"].endswith("\n\nAll 3 are fine.\n")
    assert "2 imported, 1 unchanged\n" in shown["brought"]
    assert "the disk is full\n" in shown["held-up"]
    assert said(data, "watch", "brought") == shown["brought"]
    lines = {line.split()[1]: line for line in said(data, "list").splitlines()[1:]}
    ends = {"tried": "2 imported, 1 unchanged (dry run)", "brought": "2 imported, 1 unchanged", "held-up": "is full"}
    assert {id: lines[id].rstrip().endswith(end) for id, end in ends.items()} == dict.fromkeys(ends, True)


def test_progress_is_told_once_a_second_where_it_changed_and_not_to_programs(monkeypatch, capsys):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(import_commands, "time", clock)
    people, program = ProgressLine(as_json=False), ProgressLine(as_json=True)
    states = [
        (0.9, {"state": "running", "rows": 0}),
        (1.0, {"state": "waiting", "rows": 0}),
        (1.9, {"state": "running", "rows": 0}),
        (2.0, {"state": "running", "rows": 0}),
        (3.0, {"state": "running", "rows": 0}),
        (4.0, {"state": "running", "rows": 1, "reason": "the disk is full"}),
        (5.0, {"state": "running", "rows": 2_000}),
    ]
    for clock.now, shown in states:
        for line in (people, program):
            line.say({"name": "file.csv", "reason": None, **shown})

    assert capsys.readouterr().err.splitlines() == [
        "file.csv: waits for its turn",
        "file.csv: being read",
        "file.csv: 1 row so far (the disk is full)",
        "file.csv: 2,000 rows so far",
    ]
