"""The worker beside a server: started again with growing pauses, its deaths counted, kept and told with the reason."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from lrs.kernel.settings import Settings
from lrs.ops import child
from lrs.ops.child import Child, Deaths, reason_of
from lrs.tenancy.control import open_control
from tests.programs import until


class Register:
    def __init__(self):
        self.told = []

    def died(self, _server, count, reason, again):
        self.told.append((count, reason, again))

    def recovered(self, _server):
        self.told.append("recovered")


def dying(tmp_path, monkeypatch, code, **settings):
    """A child that runs *code*, its register and its deaths; a second lasts a hundredth."""
    monkeypatch.setattr(child, "AGAIN_AFTER", 0.01)
    register, deaths = Register(), Deaths()
    return Child(Settings(data=tmp_path, **settings), register, deaths, [sys.executable, "-c", code]), register, deaths


def test_a_worker_that_dies_again_and_again_is_started_less_and_less_often(tmp_path, monkeypatch):
    code = "import sys; sys.stderr.write('Traceback\\nValueError: \\x1b[31mno\\x1b[0m such table\\n\\n'); sys.exit(1)"
    started, register, deaths = dying(tmp_path, monkeypatch, code, worker_pause=0.05)
    try:
        until(lambda: len(register.told) >= 5, "five deaths")
        assert deaths.count >= 5
    finally:
        started.close()

    reason = "ended with status 1: ValueError: no such table"
    assert register.told[:5] == [
        (1, reason, 0.01),
        (2, reason, 0.02),
        (3, reason, 0.04),
        (4, reason, 0.05),
        (5, reason, 0.05),
    ]
    assert register.told[-1] == "recovered"
    assert deaths.running == 0


def test_after_a_good_run_the_pauses_begin_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "GOOD_RUN", 1.0)
    monkeypatch.setattr(child, "AGAIN_AFTER", 0.01)
    program, runs, over = (tmp_path / name for name in ("program", "runs", "over"))
    third = f"if [ $(wc -l < {runs}) = 3 ]; then until [ -e {over} ]; do sleep 0.01; done; fi"
    program.write_text(f"#!/bin/sh\necho >> {runs}\n{third}\n")
    program.chmod(0o700)
    register, deaths = Register(), Deaths()
    started = Child(Settings(data=tmp_path), register, deaths, [str(program)])
    try:
        until(lambda: "recovered" in register.told, "the good run")
        assert deaths.running == 1
        over.touch()
        until(lambda: register.told[-1] != "recovered", "the death after it")
    finally:
        started.close()

    assert [told if told == "recovered" else told[0] for told in register.told[:4]] == [1, 2, "recovered", 1]


def test_a_worker_whose_death_cannot_be_stored_is_started_again(tmp_path, monkeypatch):
    started, register, deaths = dying(tmp_path, monkeypatch, "")

    def away(*_):
        raise OSError("the control store is away")

    register.died = away
    try:
        until(lambda: deaths.count >= 3, "three deaths")
    finally:
        started.close()


def test_a_server_that_ends_while_its_worker_is_started_again_ends_that_one_too(tmp_path, monkeypatch):
    stays, once = "import time; time.sleep(600)", tmp_path / "once"
    code = f"import pathlib; once = pathlib.Path({str(once)!r})\nif once.exists(): {stays}\nonce.touch()"
    started, _, _ = dying(tmp_path, monkeypatch, code)
    closing = threading.Thread(target=started.close, daemon=True)
    start = subprocess.Popen

    def meanwhile(*given, **more):
        if not closing.is_alive():
            closing.start()
            closing.join(0.5)  # it comes as far as it can before the process is there
        return start(*given, **more)

    monkeypatch.setattr("lrs.ops.child.subprocess.Popen", meanwhile)
    until(lambda: closing.ident is not None, "the second start")
    closing.join(30)

    assert not closing.is_alive()


def test_a_server_that_ends_just_before_its_worker_is_started_again_starts_none_and_counts_the_end_once(
    tmp_path, monkeypatch
):
    class Ending(threading.Event):
        """Set by the first that waits for it in vain."""

        def wait(self, timeout=None):
            was_set = super().wait(timeout)
            self.set()
            return was_set

    go, runs = tmp_path / "go", tmp_path / "runs"
    code = f"import pathlib, time\nopen({str(runs)!r}, 'a').write('run ')\n"
    code += f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    started, register, deaths = dying(tmp_path, monkeypatch, code)
    started._stop = Ending()  # noqa: SLF001 (there is no other way to come between the pause and the start)
    go.touch()
    started._thread.join(30)  # noqa: SLF001 (it ends by itself)
    started.close()

    assert [told[0] for told in register.told] == [1]
    assert (deaths.running, runs.read_text()) == (0, "run ")


def test_a_worker_whose_program_is_away_for_a_while_is_started_once_it_is_back(tmp_path, monkeypatch):
    program, place, begun, over = (tmp_path / name for name in ("program", "elsewhere", "begun", "over"))
    program.write_text(f"#!/bin/sh\ntouch {begun}\nuntil [ -e {over} ]; do sleep 0.01; done\n")
    program.chmod(0o700)
    monkeypatch.setattr(child, "AGAIN_AFTER", 0.01)
    register, deaths = Register(), Deaths()
    started = Child(Settings(data=tmp_path, worker_pause=0.05), register, deaths, [str(program)])
    try:
        until(begun.exists, "the program, which its shell has read by then")
        program.rename(place)
        over.touch()
        until(lambda: len(register.told) >= 3, "two starts that fail")
        away = deaths.running
        over.unlink()
        place.rename(program)
        until(lambda: deaths.running, "the worker")
    finally:
        started.close()

    reason = "cannot be started: No such file or directory"
    assert register.told[:3] == [(1, "ended with status 0", 0.01), (2, reason, 0.02), (3, reason, 0.04)]
    assert not away


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (-9, "half a li", "killed by SIGKILL"),
        (-64, "", "killed by SIGRTMAX"),
        (-99, "", "killed by signal 99"),
        (74, "", "ended with status 74"),
        (1, "OSError: away\x07\x1b]0;evil", "ended with status 1: OSError: away]0;evil"),
        (1, "x" * 1_000, "ended with status 1: " + "x" * 300),
    ],
)
def test_the_reason_is_the_signal_or_the_last_line_without_what_a_terminal_obeys(status, said, reason):
    assert reason_of(status, said) == reason


def test_deaths_are_kept_by_server_until_its_worker_is_well(tmp_path, clock):
    control = open_control(Settings(data=tmp_path), clock=clock)
    control.died("old", 9, "killed by SIGKILL", 60.0)
    clock.forward(seconds=25 * 3_600)
    control.died("a", 1, "killed by SIGSEGV", 1.0)
    control.died("a", 2, "killed by SIGKILL", 2.0)
    control.died("b", 1, "ended with status 1", 1.0)

    assert [(one["count"], one["reason"], one["again"]) for one in control.deaths()] == [
        (2, "killed by SIGKILL", 2.0),
        (1, "ended with status 1", 1.0),
    ]
    control.recovered("a")
    control.recovered("unknown")
    assert [one["count"] for one in control.deaths()] == [1]
    control.close()
