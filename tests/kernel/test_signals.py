"""What asks a program to end: a service manager, Ctrl-C, a terminal that is closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lrs.kernel.settings import Settings
from lrs.kernel.signals import interrupting, on_ending
from lrs.tenancy.control import open_control
from tests.builders import store_in
from tests.programs import children, programs, runs, until

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
pytestmark = pytest.mark.usefixtures("usual_signals")


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_somebody_impatient_does_not_break_off_what_is_cleaned_up(number):
    done = []
    before = {one: signal.getsignal(one) for one in ENDING}  # other tests of this process may have set some

    def work():
        try:
            signal.raise_signal(number)
        finally:
            for again in ENDING:
                signal.raise_signal(again)
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt), interrupting():
        work()

    assert done == ["cleaned up"]
    assert {one: signal.getsignal(one) for one in ENDING} == before


def test_what_nohup_has_ignored_stays_ignored():
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        on_ending(lambda: None)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, did in before.items():
            signal.signal(number, did)


def test_a_server_whose_terminal_is_closed_ends_as_by_sigterm_and_its_worker_too(tmp_path):
    with programs(tmp_path) as ours:
        server, _ = ours.serve()
        until(lambda: children(server.pid), "the worker")
        (worker,) = children(server.pid)
        until(lambda: "end of the record of actions" in ours.log(), "the worker's first look")
        for one in (worker, server.pid):  # a terminal tells all that run in it
            os.kill(one, signal.SIGHUP)
        server.wait(60)
        said = ours.log()

    assert server.returncode == 0
    assert not runs(worker)
    assert "is started again" not in said


def test_a_worker_whose_terminal_is_closed_ends_as_by_sigterm(tmp_path):
    store_in(tmp_path / "data")
    command = [sys.executable, "-m", "lrs", "work", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as worker:
        try:
            until((tmp_path / "data" / "control.db-wal").exists, "the register")
            worker.send_signal(signal.SIGHUP)
            worker.wait(60)
        finally:
            worker.kill()

    assert worker.returncode == 0


def test_a_server_that_was_stopped_leaves_no_deaths_of_its_worker_and_warns_of_nothing(tmp_path):
    with programs(tmp_path) as ours:
        server, _ = ours.serve()
        until(lambda: children(server.pid), "the worker")
        (worker,) = children(server.pid)
        os.kill(worker, signal.SIGKILL)
        until(lambda: "killed by SIGKILL" in ours.log(), "the death")
        server.terminate()
        server.wait(60)
        control = open_control(Settings(data=ours.data))
        try:
            kept = control.deaths()
        finally:
            control.close()

        assert kept == []
        assert "cannot put down" not in ours.log()
