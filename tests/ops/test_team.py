"""How many worker processes there are, and that one command starts as many as it is told."""

import os
import sys
import time

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.ops.child import Deaths, work_command
from lrs.ops.team import Team, number_of
from tests.programs import until


class Register:
    def died(self, *_):
        raise AssertionError

    def recovered(self, _server):
        pass


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 1), (3, 2), (5, 4), (64, 4)])
def test_one_core_is_left_to_the_server_and_no_more_than_four_processes_work(monkeypatch, tmp_path, cores, processes):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setattr("lrs.ops.team.CPU_LIMIT", tmp_path / "none")

    assert number_of(Settings(data=tmp_path)) == processes


@pytest.mark.parametrize(
    ("limit", "processes"),
    [
        ("max 100000\n", 4),
        ("300000 100000\n", 2),
        ("250000 100000\n", 1),
        ("50000 100000\n", 1),
        ("6400000 100000\n", 4),
        ("300000 0\n", 4),
        ("many\n", 4),
        ("", 4),
    ],
)
def test_the_limit_of_a_container_counts_as_its_cores(monkeypatch, tmp_path, limit, processes):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    (tmp_path / "cpu.max").write_text(limit)
    monkeypatch.setattr("lrs.ops.team.CPU_LIMIT", tmp_path / "cpu.max")

    assert number_of(Settings(data=tmp_path)) == processes


def test_a_number_that_is_named_counts_whatever_the_cores(monkeypatch, tmp_path):
    monkeypatch.setenv("LRS_WORKER_PROCESSES", "7")

    assert number_of(Settings(data=tmp_path)) == 7


def test_each_process_of_a_team_is_told_its_place_and_whom_it_ends_with(tmp_path):
    plain, celery = work_command(Settings(data=tmp_path)), work_command(Settings(data=tmp_path), 1, celery=True)

    assert plain[3:] == ["work", "--data", str(tmp_path), "--parent", str(os.getpid()), "0"]
    assert celery[-3:] == [str(os.getpid()), "1", "--celery"]


def test_where_one_process_cannot_be_started_those_before_it_are_ended(monkeypatch, tmp_path):
    deaths = Deaths()
    commands = iter((["/bin/sleep", "600"], ["/nowhere/to/be/found"]))
    monkeypatch.setattr("lrs.ops.team.work_command", lambda *_, **__: next(commands))

    with pytest.raises(FileNotFoundError):
        Team(Settings(data=tmp_path), Register(), deaths, 2, celery=False)

    assert deaths.running == 0


def test_processes_that_do_not_end_are_given_their_last_seconds_together(monkeypatch, tmp_path):
    code = (
        "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    )
    begun = [tmp_path / str(place) for place in range(4)]
    monkeypatch.setattr(
        "lrs.ops.team.work_command", lambda _, place, **__: [sys.executable, "-S", "-c", code, str(begun[place])]
    )
    monkeypatch.setattr("lrs.ops.team.LAST_STEP", 0.5)
    deaths = Deaths()
    team = Team(Settings(data=tmp_path), Register(), deaths, 4, celery=False)
    until(lambda: all(one.exists() for one in begun), "all four")
    before = time.monotonic()

    team.close()

    assert time.monotonic() - before < 1.5
    assert deaths.running == 0


@pytest.mark.parametrize("number", ["0", "65", "many"])
def test_a_number_of_processes_that_cannot_be_is_refused(tmp_path, number):
    refused = CliRunner().invoke(main, ["work", "--processes", number, "--data", str(tmp_path)])

    assert refused.exit_code == 2
    assert "--processes" in refused.output


def test_several_processes_on_a_folder_without_a_store_say_so_and_start_nothing(tmp_path):
    refused = CliRunner().invoke(main, ["work", "--processes", "2", "--data", str(tmp_path)])

    assert refused.exit_code == 1
    assert "has no store" in refused.output
