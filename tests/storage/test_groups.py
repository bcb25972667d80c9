"""The queue before an engine's commit: what goes together, what is refused, what becomes of each decision."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import CancelledError

import pytest

from lrs.kernel.admission import AGE, CLOSING, ROWS, Overloaded, QueueLimit
from lrs.storage import Load
from lrs.storage.groups import GROUP_WEIGHT, GroupCommit, QueuedDecision, decide_all
from tests.programs import until

WAIT = 60


class Engine:
    """Commits by doing what each decision says; holds every commit until it is let go."""

    def __init__(self):
        self.groups = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.failure = None

    def commit(self, jobs):
        self.groups.append([job.weight for job in jobs])
        self.begun.release()
        assert self.go.acquire(timeout=WAIT)
        if self.failure:
            raise self.failure
        for job in jobs:
            try:
                job.result = job.decide(None)
            except ValueError as error:
                job.error = error


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def queue(engine):
    made = []

    def make(rows=1_000, age=WAIT):
        made.append(GroupCommit(engine.commit, name="writer", queue=QueueLimit(rows, age)))
        return made[-1]

    yield make
    for one in made:
        for _ in range(20):
            engine.go.release()
        one.close()


def busy(engine, queue):
    """The future of a decision whose commit is under way, so that whatever is submitted next waits."""
    first = queue.submit(lambda _: "first", 1)
    assert engine.begun.acquire(timeout=WAIT)
    return first


def cause_of(group):
    """Why the queue refuses a decision of one row."""
    with pytest.raises(Overloaded) as refused:
        group.submit(lambda _: None, 1)
    return refused.value.cause


def test_what_comes_during_a_commit_goes_together_into_the_next(engine, queue):
    group = queue()
    futures = [busy(engine, group), *(group.submit(lambda _, n=n: n, 2) for n in range(3))]

    assert group.load() == Load(3, 6, 1, 1)
    for _ in range(2):
        engine.go.release()

    assert [future.result(WAIT) for future in futures] == ["first", 0, 1, 2]
    assert engine.groups == [[1], [2, 2, 2]]
    assert group.load() == Load(0, 0, 2, 4)


def test_a_group_is_as_heavy_as_it_may_be_and_what_is_heavier_by_itself_goes_alone(engine, queue):
    group = queue(rows=10 * GROUP_WEIGHT)
    busy(engine, group)
    weights = [GROUP_WEIGHT - 1, 1, 1, GROUP_WEIGHT + 1, 1]
    futures = [group.submit(lambda _: None, weight) for weight in weights]

    for _ in range(6):
        engine.go.release()
    for future in futures:
        future.result(WAIT)

    assert engine.groups == [[1], [GROUP_WEIGHT - 1, 1], [1], [GROUP_WEIGHT + 1], [1]]


def test_what_was_decided_is_not_kept_in_memory_once_it_is_answered(engine, queue):
    group = queue()
    decided = []

    def submitted():
        def decide(_):
            return "done"

        decided.append(weakref.ref(decide))
        return group.submit(decide, 1)

    future = submitted()
    engine.go.release()
    assert future.result(WAIT) == "done"

    until(lambda: decided[0]() is None, "the writer to let go of the decision", WAIT)


def test_a_full_queue_refuses_and_an_empty_one_takes_whatever_comes(engine, queue):
    group = queue(rows=5)
    busy(engine, group)
    heavy = group.submit(lambda _: "heavy", 50)
    assert cause_of(group) is ROWS
    for _ in range(2):
        engine.go.release()
    heavy.result(WAIT)

    assert engine.begun.acquire(timeout=WAIT)  # the heavy one's
    busy(engine, group)
    for weight in (2, 3):
        group.submit(lambda _: None, weight)
    assert cause_of(group) is ROWS


def test_a_queue_whose_first_has_waited_too_long_refuses_the_next(engine, queue, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("lrs.storage.groups.time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    group = queue(age=5)
    busy(engine, group)
    group.submit(lambda _: None, 1)

    now[0] += 5
    group.submit(lambda _: None, 1)
    now[0] += 0.001
    assert cause_of(group) is AGE


def test_each_caller_gets_its_own_error_and_the_others_their_results(engine, queue):
    group = queue()
    busy(engine, group)
    bad, good = group.submit(lambda _: int("no"), 1), group.submit(lambda _: 7, 1)

    for _ in range(2):
        engine.go.release()

    assert isinstance(bad.exception(WAIT), ValueError)
    assert good.result(WAIT) == 7


def test_a_commit_that_fails_is_the_answer_of_all_that_were_in_it_and_the_writer_goes_on(engine, queue):
    group = queue()
    engine.failure = SystemExit("gone")
    first = busy(engine, group)
    engine.go.release()
    assert first.exception(WAIT) is engine.failure

    engine.failure = None
    engine.go.release()

    assert group.submit(lambda _: "again", 1).result(WAIT) == "again"


def test_whoever_wants_to_know_hears_of_each_commit_that_stored_something_before_its_callers_do():
    heard, read = [], []

    def commit(jobs):
        read.append([tuple(job.reads) for job in jobs])
        for job in jobs:
            try:
                job.result = job.decide(None)
            except ValueError as error:
                job.error = error

    def fails(_):
        raise ValueError

    queue = GroupCommit(commit, name="writer", queue=QueueLimit(9, WAIT), committed=heard.append)
    queue.submit(lambda _: None, 1, [("thing", "a")]).result(WAIT)
    after_one = len(heard)
    with pytest.raises(ValueError, match=r"^$"):
        queue.submit(fails, 1).result(WAIT)
    queue.close()

    assert (after_one, len(heard)) == (1, 1)
    assert read == [[(("thing", "a"),)], [()]]


def test_what_was_cancelled_before_its_commit_is_not_done_and_a_group_of_such_is_no_commit(engine, queue):
    group = queue()
    busy(engine, group)
    cancelled = group.submit(lambda _: pytest.fail("it was cancelled"), 1)
    assert cancelled.cancel()
    engine.go.release()
    engine.go.release()
    last = group.submit(lambda _: "last", 1)

    assert last.result(WAIT) == "last"
    assert engine.groups == [[1], [1]]
    assert group.load() == Load(0, 0, 2, 2)
    with pytest.raises(CancelledError):
        cancelled.result(WAIT)


def test_closing_writes_what_was_accepted_and_refuses_what_comes_after(engine, queue):
    group = queue()
    first = busy(engine, group)
    second = group.submit(lambda _: "second", 1)
    closing = threading.Thread(target=group.close)
    closing.start()
    for _ in range(2):
        engine.go.release()
    closing.join(WAIT)

    assert (first.result(0), second.result(0)) == ("first", "second")
    assert cause_of(group) is CLOSING


class Tx:
    """A transaction that notes what it is asked for, and may be unable to take back what was decided last."""

    def __init__(self, *, undoes=True):
        self.told = []
        self.undoes = undoes

    def load(self, wanted):
        self.told.append(("load", list(wanted)))

    def mark(self):
        return len(self.told)

    def undo(self, mark):
        self.told.append(("undo", mark))
        return self.undoes

    def finish(self):
        self.told.append(("finish",))


def job(decide, *reads):
    return QueuedDecision(decide, 1, 0.0, reads)


def test_all_that_the_decisions_read_is_looked_up_first_and_the_rest_is_written_last():
    tx = Tx()
    jobs = [job(lambda _: 1, ("a", "1")), job(lambda _: 2, ("b", "2"), ("a", "3"))]

    assert decide_all(tx, jobs, KeyError) is True

    assert tx.told == [("load", [("a", "1"), ("b", "2"), ("a", "3")]), ("finish",)]
    assert [one.result for one in jobs] == [1, 2]


def test_a_failed_decision_is_taken_back_by_itself_where_it_can_be():
    tx = Tx()
    jobs = [job(lambda _: 1), job(lambda _: int("no")), job(lambda _: 3)]

    assert decide_all(tx, jobs, KeyError) is True

    assert tx.told == [("load", []), ("undo", 1), ("finish",)]
    assert [one.result for one in jobs] == [1, None, 3]
    assert [type(one.error) for one in jobs] == [type(None), ValueError, type(None)]


def test_where_it_cannot_nothing_more_is_decided_or_written():
    tx = Tx(undoes=False)
    jobs = [job(lambda _: int("no")), job(lambda _: pytest.fail("the group is to be run again"))]

    assert decide_all(tx, jobs, KeyError) is False

    assert tx.told == [("load", []), ("undo", 1)]


def test_an_error_of_the_engine_ends_the_group_and_is_no_answer_to_a_decision():
    tx = Tx()
    jobs = [job(lambda _: {}["lost"])]

    with pytest.raises(KeyError):
        decide_all(tx, jobs, KeyError)

    assert jobs[0].error is None
    assert tx.told == [("load", [])]
