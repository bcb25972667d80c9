"""A store that is opened only to be read, and one of which records were read ahead."""

from contextlib import closing

import pytest

from lrs.kernel.errors import Misconfigured, StoreReadOnly
from lrs.storage import Owed, Record, Walk, open_store, open_to_read
from lrs.storage.about import Whose, by_ids, by_keys
from lrs.storage.ahead import StoreAhead
from lrs.storage.records import Load


@pytest.fixture
def url(tmp_path, clock):
    made = f"sqlite:///{tmp_path}/lrs.db"
    with closing(open_store(made, clock=clock)) as opened:
        for id, keys in (("a", (1,)), ("b", (1, 2)), ("c", (3,))):
            record = Record("thing", id, keys=keys, owed=(Owed("step"),))
            opened.write(lambda tx, record=record: tx.insert(record)).result()
    return made


def test_a_store_to_read_answers_refuses_every_write_and_promises_nothing(url, clock):
    with closing(open_to_read(url, clock=clock)) as store:
        assert [one.id for one in store.find(Walk("thing", (1,), limit=5)).records] == ["a", "b"]
        assert (store.horizon(), store.load()) == (0, Load(0, 0, 0, 0))
        for act in (
            lambda: store.write(lambda tx: tx.delete("thing", "a")),
            lambda: store.settle([], lambda tx: tx.delete("thing", "a")),
        ):
            with pytest.raises(StoreReadOnly, match="was opened to be read only: nothing was stored"):
                act()
        assert store.get("thing", "a") is not None


def test_no_store_is_made_by_reading(tmp_path, clock):
    with pytest.raises(Misconfigured, match="there is no store"):
        open_to_read(f"sqlite:///{tmp_path}/none.db", clock=clock)

    assert list(tmp_path.iterdir()) == []


def test_whoever_has_several_keys_finds_each_record_once(url, clock):
    whose = Whose(("a", "c", "none"), (), ())

    with closing(open_to_read(url, clock=clock)) as store:
        found = [
            [one.id for one in find(store, whose)] for find in (by_keys("thing", lambda _: (1, 2, 1)), by_ids("thing"))
        ]
        nobody = list(by_ids("thing")(store, Whose((), (), ())))

    assert (found, nobody) == ([["a", "b"], ["a", "c"]], [])


def test_a_store_that_reads_ahead_is_the_store_for_all_else(url, clock):
    with closing(open_store(url, clock=clock)) as store:
        ahead = StoreAhead(store)
        ahead.load([("thing", "a")])
        ahead.write(lambda tx: tx.delete("thing", "a")).result()

        assert (ahead.get("thing", "a").id, ahead.count("thing"), store.get("thing", "a")) == ("a", 2, None)
        ahead.forget([("thing", "a")])
        assert (ahead.has("thing", "a"), ahead.get("thing", "a")) == (False, None)
