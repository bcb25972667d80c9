"""Commits that the event loop makes itself: when it does, when the writer's thread does, and that each is made once."""

import asyncio
import fcntl
import threading
from collections import deque
from concurrent.futures import Future

import pytest

from lrs.kernel.admission import QueueLimit
from lrs.storage import ROWS, Load, Record, Walk, open_store
from lrs.storage.edge import write
from lrs.storage.groups import HERE_WEIGHT, ByCaller, GroupCommit, TooLong
from lrs.storage.sqlite import pace
from lrs.storage.sqlite.pace import Pace
from lrs.storage.turn import Turn
from tests.programs import until

WAIT = 60
MAIN = threading.main_thread


@pytest.fixture
def sqlite(tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "QUICK_S", WAIT)  # however slow this machine is
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    store.write(lambda _: None).result(WAIT)
    until(lambda: not store._merging.is_due, "the thread to have looked what is to be merged")  # noqa: SLF001 (it tells nobody else)
    yield store
    store.close()


def inserts(name, threads):
    """A decision that inserts a record and notes in which thread."""

    def decide(tx):
        threads.append(threading.current_thread())
        tx.insert(Record("thing", name, keys=(1,)))
        return name

    return decide


def together(store, decisions, **more):
    async def all_of_them():
        return await asyncio.gather(*(write(store, one, **more) for one in decisions), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_what_is_brief_is_committed_by_the_loop_and_what_comes_together_in_one_commit(sqlite):
    threads, before = [], sqlite.load().commits

    answers = together(sqlite, [inserts(name, threads) for name in "abc"], brief=True)

    assert answers == ["a", "b", "c"]
    assert {thread is MAIN() for thread in threads} == {True}
    assert sqlite.load() == Load(0, 0, before + 1, 4)
    assert [record.id for record in sqlite.find(Walk("thing")).records] == ["a", "b", "c"]


def test_what_is_not_brief_is_committed_by_the_writers_thread(sqlite):
    threads = []

    together(sqlite, [inserts("a", threads)])

    assert [thread is MAIN() for thread in threads] == [False]


def test_a_decision_that_walks_is_left_to_the_thread_with_those_that_came_with_it(sqlite):
    threads = []

    def walks(tx):
        threads.append(threading.current_thread())
        return len(tx.find(Walk("thing")).records)

    answers = together(sqlite, [inserts("a", threads), walks], brief=True)

    assert answers == ["a", 1]
    assert [thread is MAIN() for thread in threads] == [True, True, False, False]
    assert sqlite.load() == Load(0, 0, 2, 3)


def test_a_decision_that_refuses_is_answered_and_the_others_are_stored(sqlite):
    def refuses(_):
        raise ValueError("no")

    answers = together(sqlite, [inserts("a", []), refuses, inserts("b", [])], brief=True)

    assert [type(answer) for answer in answers] == [str, ValueError, str]
    assert [record.id for record in sqlite.find(Walk("thing")).records] == ["a", "b"]


def test_the_loop_does_not_wait_for_another_process_that_writes(sqlite, tmp_path, monkeypatch):
    threads = []
    take = Turn.take_at_once

    async def beside_another():
        tried = asyncio.Event()
        monkeypatch.setattr(Turn, "take_at_once", lambda turn: tried.set() or take(turn))
        with (tmp_path / "store.db-turn").open("ab") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            waiting = asyncio.create_task(write(sqlite, inserts("a", threads), brief=True))
            await tried.wait()
            assert not waiting.done()
            assert not threads
        return await waiting

    assert asyncio.run(beside_another()) == "a"
    assert [thread is MAIN() for thread in threads] == [False]


def test_the_log_is_written_back_by_the_thread_which_makes_each_commit_after_a_run(sqlite, monkeypatch):
    monkeypatch.setattr(pace, "RUN", 2)
    threads = []

    for name in "abcd":
        together(sqlite, [inserts(name, threads)], brief=True)

    assert [thread is MAIN() for thread in threads] == [True, True, False, True]


class Connection:
    def __init__(self):
        self.said = []

    def execute(self, statement):
        self.said.append(statement)


def test_on_a_slow_disk_the_thread_commits_at_once_and_until_most_commits_are_quick_again(monkeypatch):
    took = (0.001, 0.001, 0.5, 0.5, 0.5, 0.001, 0.001)
    at = iter([second + more for second, took_s in enumerate(took) for more in (0, took_s)])
    monkeypatch.setattr(pace.time, "perf_counter", lambda: next(at))
    one, quick = Pace(), []

    for _ in took:
        with one.measured():
            pass
        quick.append(one.is_quick())

    assert quick == [True, True, False, False, False, False, True]
    assert not Pace().is_quick()  # nothing is known yet


def test_a_connection_waits_and_writes_its_log_back_only_in_the_thread():
    one, connection = Pace(), Connection()

    for here in (False, True, True, False):
        one.use(connection, here=here)

    assert connection.said == [
        "PRAGMA busy_timeout = 0",
        "PRAGMA wal_autocheckpoint = 0",
        "PRAGMA busy_timeout = 10000",
        "PRAGMA wal_autocheckpoint = 8000",
    ]


@pytest.fixture
def engine():
    """A queue whose commits note their thread; those of callers are *quick* or too long as the test says."""

    class Engine:
        is_quick, is_long = True, False

        def __init__(self):
            self.made, self.go = [], threading.Event()
            here = ByCaller(self.here, lambda: self.is_quick, lambda: False)
            self.queue = GroupCommit(self.commit, name="writer", queue=QueueLimit(10**6, WAIT), here=here)

        def commit(self, jobs):
            self.go.wait(WAIT)
            self.made.append((threading.current_thread() is MAIN(), len(jobs)))
            return ()

        def here(self, jobs):
            if self.is_long:
                raise TooLong
            return self.commit(jobs)

    made = Engine()
    yield made
    made.go.set()
    made.queue.close()


@pytest.mark.parametrize(
    ("is_quick", "is_long", "weight"), [(False, False, ROWS), (True, True, ROWS), (True, False, HERE_WEIGHT + 1)]
)
def test_what_is_slow_or_long_or_much_is_the_threads(engine, is_quick, is_long, weight):
    engine.is_quick, engine.is_long = is_quick, is_long
    engine.go.set()
    future = engine.queue.submit(lambda _: None, weight, call=False)
    engine.queue.commit_here(lambda: pytest.fail("nobody was waited for"))

    future.result(WAIT)

    assert engine.made == [(False, 1)]
    assert engine.queue.load() == Load(0, 0, 1, 1)


def test_who_comes_while_the_thread_commits_is_told_when_it_is_done_and_commits_then(engine):
    freed: Future[None] = Future()
    first = engine.queue.submit(lambda _: None, ROWS)
    while not engine.queue.load().commits:
        pass
    second = engine.queue.submit(lambda _: None, ROWS, call=False)
    engine.queue.commit_here(lambda: freed.set_result(None))
    engine.go.set()
    first.result(WAIT)
    freed.result(WAIT)
    assert not second.done()

    engine.queue.commit_here(lambda: pytest.fail("nobody was waited for"))

    assert second.done()
    assert engine.made == [(False, 1), (True, 1)]


def test_who_takes_itself_off_while_the_thread_looks_does_not_end_the_thread(engine, monkeypatch):
    class TakenOff(deque):
        def __bool__(self):
            return True

    monkeypatch.setattr(engine.queue, "_freed", TakenOff())
    engine.go.set()
    engine.queue.submit(lambda _: None, ROWS).result(WAIT)

    engine.queue.submit(lambda _: None, ROWS).result(WAIT)

    assert len(engine.made) == 2


def test_what_its_caller_never_commits_is_stored_at_the_end(engine):
    engine.go.set()
    future = engine.queue.submit(lambda _: None, ROWS, call=False)

    engine.queue.close()

    assert future.done()
