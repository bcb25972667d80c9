"""What the prepared process forks is like what Python would have started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import children, programs, runs, until


def test_a_program_gets_its_words_its_environment_its_folder_and_its_files(tmp_path):
    words = [sys.executable, "-m", "lrs", "keys", "list", "--data", "nowhere"]
    named = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    words = [sys.executable, "-m", "lrs", "keys", "list"]
    wrong = subprocess.run(
        words, env={"LRS_SWEEP": "no"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )

    assert (named.returncode, named.stdout) == (1, "")
    assert named.stderr.startswith(f"Error: tenant 'default' has no store {tmp_path}/nowhere/")
    assert (wrong.returncode, wrong.stdout.startswith(b"Error: LRS_SWEEP: ")) == (1, True)


def test_a_server_and_its_worker_are_children_of_who_started_them_and_can_be_killed(tmp_path):
    with programs(tmp_path) as ours:
        server, _ = ours.serve()
        until(lambda: children(server.pid), "the worker")
        (worker,) = children(server.pid)
        assert server.pid in children(os.getpid())
        assert {"tests.prepared" in Path(f"/proc/{pid}/cmdline").read_text() for pid in (server.pid, worker)} == {True}

        os.kill(worker, signal.SIGKILL)
        until(lambda: not runs(worker), "its end")
        os.kill(server.pid, signal.SIGKILL)

        assert server.wait(60) == -signal.SIGKILL


@pytest.mark.usefixtures("usual_signals")
def test_what_python_does_with_a_program_that_is_not_ours_stays(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(len(sys.argv))"]) as program:
        assert program.wait(60) == 1
    with pytest.raises(FileNotFoundError):
        subprocess.Popen([tmp_path / "nothing"])
