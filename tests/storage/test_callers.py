"""The queue of decisions where callers commit too: who commits what, and that each is committed once and answered."""

import threading
from collections import deque
from concurrent.futures import Future

import pytest

from lrs.kernel.admission import Overloaded, QueueLimit
from lrs.storage import ROWS, Load
from lrs.storage.groups import HERE_WEIGHT, ByCaller, GroupCommit, TooLong

WAIT = 60
MAIN = threading.main_thread


@pytest.fixture
def engine():
    """A queue whose commits note their thread; those of callers are *quick* or too long as the test says."""

    class Engine:
        is_quick, is_long = True, False
        fails = False

        def __init__(self):
            self.made, self.tried, self.go = [], threading.Semaphore(0), threading.Event()
            here = ByCaller(self.here, lambda: self.is_quick, lambda: False)
            limit = QueueLimit(10**6, WAIT)
            self.queue = GroupCommit(self.commit, name="writer", queue=limit, committed=self.committed, here=here)

        def commit(self, jobs):
            self.go.wait(WAIT)
            self.made.append((threading.current_thread() is MAIN(), len(jobs)))
            return ()

        def committed(self, _):
            if self.fails:
                raise RuntimeError("nobody to tell")

        def here(self, jobs):
            self.tried.release()
            if self.is_long:
                self.go.wait(WAIT)
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
    future = engine.queue.submit(lambda _: None, weight, brief=True)
    engine.queue.commit_here(lambda: pytest.fail("nobody was waited for"))

    future.result(WAIT)

    assert engine.made == [(False, 1)]
    assert engine.queue.load() == Load(0, 0, 1, 1)


def test_who_comes_while_the_thread_commits_is_told_when_it_is_done_and_commits_then(engine):
    freed: Future[None] = Future()
    first = engine.queue.submit(lambda _: None, ROWS)
    while not engine.queue.load().commits:
        pass
    second = engine.queue.submit(lambda _: None, ROWS, brief=True)
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
    future = engine.queue.submit(lambda _: None, ROWS, brief=True)

    engine.queue.close()

    assert future.done()


def test_what_took_too_long_once_is_not_tried_by_a_caller_again(engine, monkeypatch):
    engine.is_long = True
    engine.go.set()
    with monkeypatch.context() as deaf:
        deaf.setattr(engine.queue._work, "notify", lambda: None)  # noqa: SLF001 (so the caller is first)
        future = engine.queue.submit(lambda _: None, ROWS, brief=True)
        engine.queue.commit_here(lambda: None)
    engine.queue.commit_here(lambda: None)

    future.result(WAIT)

    assert engine.made == [(False, 1)]
    assert engine.tried.acquire(blocking=False)
    assert not engine.tried.acquire(blocking=False)


def test_closing_waits_for_a_caller_that_commits_and_writes_what_it_puts_back(engine):
    engine.is_long = True
    future = engine.queue.submit(lambda _: None, ROWS, brief=True)
    caller = threading.Thread(target=engine.queue.commit_here, args=(lambda: None,))
    closing = threading.Thread(target=engine.queue.close)
    caller.start()
    assert engine.tried.acquire(timeout=WAIT)
    closing.start()
    engine.queue._thread.join(WAIT)  # noqa: SLF001 (it ends, because nothing waits)

    engine.go.set()
    closing.join(WAIT)

    assert future.done()
    assert engine.made == [(False, 1)]
    caller.join(WAIT)


def test_what_its_caller_never_commits_is_the_threads_once_it_is_in_the_way_of_others(engine):
    engine.go.set()
    left = engine.queue.submit(lambda _: None, 10**6, brief=True)

    with pytest.raises(Overloaded):
        engine.queue.submit(lambda _: None, ROWS, brief=True)

    left.result(WAIT)
    assert engine.made == [(False, 1)]


def test_what_is_stored_is_answered_even_if_telling_of_the_commit_fails(engine):
    engine.fails = True
    engine.go.set()
    future = engine.queue.submit(lambda _: None, ROWS, brief=True)

    with pytest.raises(RuntimeError, match="nobody to tell"):
        engine.queue.commit_here(lambda: None)

    assert future.done()
