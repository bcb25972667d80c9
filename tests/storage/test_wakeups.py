"""A worker of this machine is woken through a pipe; whatever goes wrong there, nobody waits and nobody fails."""

import os
import subprocess
import sys
import threading
from contextlib import closing
from queue import Queue

import structlog

from lrs.storage.wakeups import Listener, Wakeups
from tests.programs import PATIENCE, until

WAIT = PATIENCE


def test_a_line_reaches_the_worker_that_listens(tmp_path):
    heard: Queue[str] = Queue()
    with closing(Wakeups(tmp_path)) as wakeups, closing(Listener(tmp_path, heard.put)):
        sent = wakeups.send("acme match")

        assert heard.get(timeout=WAIT) == "acme match"
    assert sent


def test_lines_that_are_equal_and_wait_are_heard_once(tmp_path):
    heard: Queue[str] = Queue()
    go = threading.Event()

    def hear(line):
        heard.put(line)
        go.wait(WAIT)

    with closing(Wakeups(tmp_path)) as wakeups, closing(Listener(tmp_path, hear)):
        wakeups.send("first")
        first = heard.get(timeout=WAIT)
        for line in ("again", "again", "another", "again"):
            wakeups.send(line)
        go.set()
        rest = [heard.get(timeout=WAIT) for _ in range(2)]

    assert (first, rest) == ("first", ["again", "another"])
    assert heard.empty()


def test_without_a_worker_a_wakeup_is_dropped_and_a_worker_that_comes_later_is_found(tmp_path):
    heard: Queue[str] = Queue()
    folder = tmp_path / "wakeups"
    with closing(Wakeups(folder)) as wakeups:
        before = wakeups.send("nobody")
        with closing(Listener(folder, heard.put)):
            after = wakeups.send("somebody")

            assert heard.get(timeout=WAIT) == "somebody"
        gone = wakeups.send("nobody again")
    assert (before, after, gone) == (False, True, False)
    assert list(folder.iterdir()) == []


def test_what_a_killed_worker_left_wakes_nobody_and_is_removed_by_the_next(tmp_path):
    heard: Queue[str] = Queue()
    program = (
        "import sys, pathlib, time; from lrs.storage.wakeups import Listener;"
        "Listener(pathlib.Path(sys.argv[1]), print); print('there', flush=True); time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with worker, closing(Wakeups(tmp_path)) as wakeups:
        assert worker.stdout.readline() == "there\n"
        alive = wakeups.send("one")
        worker.kill()
        worker.wait(WAIT)
        dead = [wakeups.send("two"), wakeups.send("three")]
        left = [path.name for path in tmp_path.iterdir()]
        with closing(Listener(tmp_path, heard.put)):
            now = [path.name for path in tmp_path.iterdir()]
            until(lambda: wakeups.send("four"), "a folder that may have seemed unchanged to be listed again")

            assert heard.get(timeout=WAIT) == "four"

    assert (alive, dead) == (True, [False, False])
    assert len(left) == 1
    assert f"~{worker.pid}-" in left[0]
    assert left[0] not in now


def test_two_workers_of_one_process_id_as_in_two_containers_each_have_a_pipe(tmp_path):
    heard: Queue[str] = Queue()
    with closing(Wakeups(tmp_path)) as wakeups, closing(Listener(tmp_path, heard.put)):
        with closing(Listener(tmp_path, heard.put)):
            both = len(list(tmp_path.iterdir()))
        sent = wakeups.send("acme match")

        assert heard.get(timeout=WAIT) == "acme match"
    assert (both, sent) == (2, True)


def test_a_pipe_of_another_host_is_left_alone_and_a_half_made_one_of_this_host_is_removed(tmp_path):
    other = tmp_path / "elsewhere~1-00.pipe"
    half, fresh = (tmp_path / f"{os.uname().nodename}~{pid}-00.new" for pid in (1, 2))
    for pipe in (other, half, fresh):
        os.mkfifo(pipe)
    os.utime(half, (1, 1))

    with closing(Listener(tmp_path, print)):
        pass

    assert sorted(tmp_path.iterdir()) == sorted([other, fresh])


def test_a_worker_whose_pipe_is_full_ends_once_what_it_hears_is_over(tmp_path):
    go, busy = threading.Event(), threading.Event()

    def hear(_):
        busy.set()
        go.wait(WAIT)

    listener = Listener(tmp_path, hear)
    with closing(Wakeups(tmp_path)) as wakeups:
        wakeups.send("first")
        busy.wait(WAIT)
        while wakeups.send("x" * 100):
            pass
        while wakeups.send("x"):
            pass
    closing_it = threading.Thread(target=listener.close, daemon=True)
    closing_it.start()
    closing_it.join(0.2)  # it comes as far as it can before what is heard is over
    go.set()
    closing_it.join(WAIT)

    assert not closing_it.is_alive()


def test_a_worker_that_reads_nothing_keeps_nobody_waiting(tmp_path):
    go = threading.Event()
    with closing(Wakeups(tmp_path)) as wakeups, closing(Listener(tmp_path, lambda _: go.wait(WAIT))):
        sent = [wakeups.send("x" * 1_000) for _ in range(200)]
        go.set()

    assert sent[0] is True
    assert sent[-1] is False


def test_only_the_owner_may_wake_and_be_woken(tmp_path):
    folder = tmp_path / "wakeups"
    with closing(Listener(folder, print)):
        (pipe,) = folder.iterdir()

        assert folder.stat().st_mode & 0o777 == 0o700
        assert pipe.stat().st_mode & 0o777 == 0o600


def test_where_no_pipe_can_be_made_the_worker_goes_on_and_says_so(tmp_path):
    folder = tmp_path / "wakeups"
    folder.write_text("a file")
    with (
        structlog.testing.capture_logs() as logs,
        closing(Listener(folder, print)),
        closing(Wakeups(folder)) as wakeups,
    ):
        sent = wakeups.send("acme match")

    assert sent is False
    assert [line["event"] for line in logs] == ["workers cannot be woken, and look by themselves"]
