"""The way between the loop and the writer thread: results, errors, one wake-up a commit, cancellation."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.kernel.admission import CLOSING, Overloaded
from lrs.kernel.errors import Refused
from lrs.storage import Record, open_store
from lrs.storage.edge import BLOCK, compute, read, receive, turn, write


@pytest.fixture
def sqlite(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    yield store
    store.close()


def test_read_runs_in_another_thread_and_gives_its_result():
    async def ask():
        return await read(lambda a, b: (threading.current_thread() is threading.main_thread(), a + b), 1, 2)

    assert asyncio.run(ask()) == (False, 3)


def test_a_read_once_the_executor_is_shut_down_is_told_to_come_again():
    async def scenario():
        executor = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        executor.shutdown()
        await read(threading.get_ident)

    with pytest.raises(Overloaded) as overloaded:
        asyncio.run(scenario())

    assert overloaded.value.cause is CLOSING


def test_long_computations_of_one_tenant_let_those_of_another_in_between():
    done, begin = [], threading.Event()

    async def ask(whose, name):
        await compute(whose, lambda: begin.wait(10) and done.append(name))

    async def all_at_once():
        asked = [asyncio.create_task(ask(name[0], name)) for name in ("a1", "a2", "a3", "b1")]
        await asyncio.sleep(0)  # all have asked
        begin.set()
        await asyncio.gather(*asked)

    asyncio.run(all_at_once())

    assert done == ["a1", "b1", "a2", "a3"]


async def arriving(chunks, error=None):
    for chunk in chunks:
        yield chunk
    if error:
        raise error


@pytest.mark.parametrize("sizes", [[], [1], [BLOCK - 1, 1, 1], [3 * BLOCK, 7]])
def test_bytes_that_arrive_become_a_blob(sqlite, sizes):
    chunks = [bytes([65 + number]) * size for number, size in enumerate(sizes)]

    name = asyncio.run(receive(sqlite.blobs, arriving(chunks)))

    assert b"".join(sqlite.blobs.open(name)) == b"".join(chunks)


def test_of_bytes_that_do_not_come_to_their_end_nothing_is_kept(sqlite, tmp_path):
    with pytest.raises(Refused):
        asyncio.run(receive(sqlite.blobs, arriving([b"x" * BLOCK], Refused("broken off"))))

    assert not (tmp_path / "store.blobs").exists()


def test_write_gives_what_the_decision_returned_after_it_can_be_read(sqlite):
    async def store_one():
        seen = await write(sqlite, lambda tx: tx.insert(Record("thing", "a", b"x")).rev)
        return seen, sqlite.get("thing", "a").body

    assert asyncio.run(store_one()) == (1, b"x")


def test_write_raises_what_the_decision_raised_and_leaves_its_neighbours_alone(sqlite):
    def refuse(_):
        raise Refused("no", status=409)

    async def both():
        return await asyncio.gather(
            write(sqlite, refuse), write(sqlite, lambda tx: tx.insert(Record("thing", "b")).id), return_exceptions=True
        )

    refused, stored = asyncio.run(both())

    assert (refused.status, stored) == (409, "b")


def test_the_results_of_one_commit_wake_the_loop_fewer_times_than_there_are_results(sqlite):
    wakes = []

    async def many():
        loop = asyncio.get_running_loop()
        original = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *args: (wakes.append(1), original(*args))[1]
        held, go = threading.Event(), threading.Event()
        first = asyncio.ensure_future(write(sqlite, lambda _: (held.set(), go.wait(10))))
        await asyncio.to_thread(held.wait, 10)
        wakes.clear()
        rest = [asyncio.ensure_future(write(sqlite, lambda _, n=n: n)) for n in range(200)]
        await asyncio.sleep(0)
        go.set()
        await first
        return await asyncio.gather(*rest)

    assert asyncio.run(many()) == list(range(200))
    assert len(wakes) < 40


def test_a_cancelled_caller_takes_back_a_decision_that_has_not_started(sqlite):
    async def cancel_one():
        held, go = threading.Event(), threading.Event()
        first = asyncio.ensure_future(write(sqlite, lambda _: (held.set(), go.wait(10))))
        await asyncio.to_thread(held.wait, 10)
        second = asyncio.ensure_future(write(sqlite, lambda tx: tx.insert(Record("thing", "never"))))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        go.set()
        await first
        await write(sqlite, lambda _: None)

    asyncio.run(cancel_one())

    assert sqlite.get("thing", "never") is None


def test_a_caller_who_has_gone_keeps_no_result_from_the_others(sqlite):
    async def others():
        held, go = threading.Event(), threading.Event()
        gone = asyncio.ensure_future(write(sqlite, lambda _: (held.set(), go.wait(10))))
        await asyncio.to_thread(held.wait, 10)
        rest = [asyncio.ensure_future(write(sqlite, lambda _, n=n: n)) for n in range(3)]
        await asyncio.sleep(0)
        gone.cancel()
        last = sqlite.write(lambda _: None)
        go.set()
        last.result(10)  # the loop finds all results at once
        return await asyncio.wait_for(asyncio.gather(*rest), 10)

    assert asyncio.run(others()) == [0, 1, 2]


def test_a_result_for_a_loop_that_is_gone_is_dropped_and_the_writer_goes_on(sqlite):
    held, go = threading.Event(), threading.Event()

    async def leave():
        asyncio.ensure_future(write(sqlite, lambda _: (held.set(), go.wait(10))))  # noqa: RUF006
        await asyncio.to_thread(held.wait, 10)

    asyncio.run(leave())
    go.set()

    assert sqlite.write(lambda _: 7).result(10) == 7


def test_two_loops_one_after_the_other_in_one_thread_both_get_their_results(sqlite):
    async def one(number):
        return await write(sqlite, lambda _: number)

    assert [asyncio.run(one(1)), asyncio.run(one(2))] == [1, 2]


def test_a_write_that_the_store_gives_up_cancels_its_caller(sqlite):
    class Watched:
        def write(self, decide, **more):
            self.future = sqlite.write(decide, **more)
            return self.future

    async def give_up():
        held, go = threading.Event(), threading.Event()
        first = asyncio.ensure_future(write(sqlite, lambda _: (held.set(), go.wait(10))))
        await asyncio.to_thread(held.wait, 10)
        watched = Watched()
        second = asyncio.ensure_future(write(watched, lambda _: 1))
        await asyncio.sleep(0)
        watched.future.cancel()
        go.set()
        await first
        return await asyncio.gather(second, return_exceptions=True)

    assert isinstance(asyncio.run(give_up())[0], asyncio.CancelledError)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_who_is_cancelled_before_or_after_the_turn_is_given_keeps_nobody_from_theirs(rounds):
    async def all_of_them():
        first, cancelled, last = (asyncio.create_task(turn()) for _ in range(3))
        for _ in range(rounds):
            await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait_for(asyncio.gather(first, last), 20)
        await asyncio.wait_for(turn(), 20)

    asyncio.run(all_of_them())
