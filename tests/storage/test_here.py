"""Commits that the event loop makes itself: when it does, when the writer's thread does, and that each is made once."""

import asyncio
import fcntl
import threading
from concurrent.futures import Future

import pytest

from lrs.storage import Load, Record, Walk, open_store
from lrs.storage.edge import write
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


def test_what_others_handed_in_for_the_thread_is_not_committed_by_the_loop_even_if_it_is_first(sqlite, monkeypatch):
    threads = []
    with monkeypatch.context() as deaf:
        deaf.setattr(sqlite._groups._work, "notify", lambda: None)  # noqa: SLF001 (so the loop is first)
        heavy = sqlite.write(inserts("a", threads))
    brief = sqlite.write(inserts("b", threads), brief=True)
    sqlite.commit_here(lambda: sqlite.commit_here(lambda: None))

    assert (heavy.result(WAIT), brief.result(WAIT)) == ("a", "b")
    assert threads[0] is not MAIN()


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


def test_what_was_handed_in_when_the_store_closes_is_stored_and_its_waiter_answered(sqlite):
    async def closing():
        waiting = asyncio.create_task(write(sqlite, inserts("a", []), brief=True))
        await asyncio.sleep(0)  # it is handed in, and the loop has not committed it
        sqlite.close()
        return await asyncio.wait_for(waiting, WAIT)

    assert asyncio.run(closing()) == "a"


def test_a_commit_of_the_loop_that_fails_outright_keeps_nobody_elses_result_back(sqlite):
    class Broken:
        def write(self, *_, **__):
            return Future()

        def commit_here(self, _):
            raise RuntimeError("broken")

    async def beside_it():
        heard = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(lambda *_: heard.set())
        waiting = asyncio.create_task(write(Broken(), lambda _: None, brief=True))
        await heard.wait()
        waiting.cancel()
        return await asyncio.wait_for(write(sqlite, inserts("a", [])), WAIT)

    assert asyncio.run(beside_it()) == "a"


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

    for brief in (False, True, True, False):
        one.use(connection, brief=brief)

    assert connection.said == [
        "PRAGMA busy_timeout = 0",
        "PRAGMA wal_autocheckpoint = 0",
        "PRAGMA busy_timeout = 10000",
        "PRAGMA wal_autocheckpoint = 8000",
    ]
