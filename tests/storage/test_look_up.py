"""Records that several callers ask for in the same rounds of the loop: one question, and each has its own answer."""

import asyncio
import socket

import pytest

from lrs.storage import Record, open_store
from lrs.storage.edge import look_up, write
from tests.programs import until

WAIT = 60


class Counting:
    """A store that notes what it is asked; *fails* says for which ids it raises."""

    def __init__(self, fails=()):
        self.fails, self.asked = fails, []

    def get(self, kind, id):
        self.asked.append(id)
        if id in self.fails:
            raise ValueError(id)
        return None if id == "none" else Record(kind, id)

    def get_all(self, names):
        names = list(names)
        self.asked.append([id for _, id in names])
        if set(self.fails) & {id for _, id in names}:
            raise ValueError
        return {name: Record(*name) for name in names if name[1] != "none"}


async def ask(store, *ids):
    found = await asyncio.gather(*(look_up(store, "thing", id) for id in ids), return_exceptions=True)
    return [getattr(one, "id", one) for one in found]


def asked_in_turn(store, *groups):
    async def scenario():
        answers = []
        for ids in groups:
            answers.append(await ask(store, *ids))
            await asyncio.sleep(0)
        return answers

    return asyncio.run(scenario())


def test_who_asks_alone_is_answered_at_once_and_several_together_until_one_is_alone_again():
    store = Counting()

    async def scenario():
        answers = [await ask(store, *ids) for ids in ("bc", "def", "g")]
        with pytest.raises(StopIteration) as at_once:
            look_up(store, "thing", "h").send(None)
        return [*answers, at_once.value.value.id]

    assert asyncio.run(scenario()) == [["b", "c"], ["d", "e", "f"], ["g"], "h"]
    # the first two that come together show that there are several; g is the one that shows that there are no more
    assert store.asked == ["b", "c", ["d", "e", "f"], "g", "h"]


def test_what_is_not_stored_or_cannot_be_read_concerns_nobody_else():
    store = Counting(fails=("broken",))

    answers = asked_in_turn(store, ("a", "b"), ("c", "none"), ("d", "broken", "none"))

    assert answers[:2] == [["a", "b"], ["c", None]]
    assert [str(answer) for answer in answers[2]] == ["d", "broken", "None"]
    assert isinstance(answers[2][1], ValueError)
    assert store.asked == ["a", "b", ["c", "none"], ["d", "broken", "none"], "d", "broken", "none"]


def test_two_tenants_that_ask_in_the_same_round_are_each_answered_from_their_own_store():
    one, other = Counting(), Counting()

    async def scenario():
        await ask(one, "a", "b")
        return await asyncio.gather(ask(one, "c", "d"), ask(other, "none", "d"))

    assert asyncio.run(scenario()) == [["c", "d"], [None, "d"]]
    assert (one.asked, other.asked) == (["a", "b", ["c", "d"]], [["none", "d"]])


def test_who_is_gone_before_the_answer_keeps_nobody_from_theirs():
    store = Counting()

    async def scenario():
        await ask(store, "a", "b")
        gone, stays = (asyncio.create_task(look_up(store, "thing", id)) for id in "cd")
        await asyncio.sleep(0)
        gone.cancel()
        return (await asyncio.wait_for(stays, WAIT)).id

    assert asyncio.run(scenario()) == "d"


@pytest.fixture
def sqlite(tmp_path, monkeypatch):
    monkeypatch.setattr("lrs.storage.sqlite.pace.QUICK_S", WAIT)  # however slow this machine is
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    store.write(lambda _: None).result(WAIT)
    merging = store._merging  # noqa: SLF001 (nothing else tells that the thread is at rest, and holds no lock)
    until(lambda: not merging.is_due, "the first look for merges")
    yield store
    store.close()


def test_who_comes_during_a_commit_of_the_loop_is_heard_before_those_who_wrote_go_on(sqlite):
    order = []

    async def scenario():
        here, there = socket.socketpair()
        with here, there:
            asyncio.get_running_loop().add_reader(here, lambda: (here.recv(1), order.append("reader")))
            await write(sqlite, lambda _: there.send(b"x"), brief=True)
            order.append("writer")
            asyncio.get_running_loop().remove_reader(here)

    asyncio.run(scenario())

    assert order == ["reader", "writer"]
