"""Records that were read ahead answer what was asked ahead, and nothing else."""

from contextlib import closing

import pytest

from lrs.storage import Record, Walk, open_store
from lrs.storage.ahead import ReadAhead


class Counted:
    """A store that counts what it is asked."""

    def __init__(self, store):
        self._store = store
        self.asked = []

    def __getattr__(self, name):
        def ask(*given):
            self.asked.append(name)
            return getattr(self._store, name)(*given)

        return ask


@pytest.fixture
def store(tmp_path, clock):
    with closing(open_store(f"sqlite:///{tmp_path}/lrs.db", clock=clock)) as opened:
        for id, keys in (("a", (1, 2)), ("b", (1,)), ("c", (1, 2))):
            opened.write(lambda tx, id=id, keys=keys: tx.insert(Record("thing", id, id.encode(), keys=keys))).result()
        yield opened


def ids(page):
    return [record.id for record in page.records]


def test_a_plain_walk_of_a_key_that_was_loaded_asks_nothing_and_any_other_asks_the_store(store):
    counted = Counted(store)
    ahead = ReadAhead(counted)
    assert [record.id for record in ahead.load_with("thing", [1, 9])] == ["a", "b", "c"]
    first = store.get("thing", "a")
    counted.asked.clear()

    assert [ids(ahead.find(Walk("thing", [key], limit=2))) for key in (1, 9)] == [["a", "b", "c"], []]
    assert (ahead.get("thing", "b").body, list(ahead.get_many("thing", ["c", "a"]))) == (b"b", ["c", "a"])
    assert counted.asked == []

    others = {
        "newest first": (Walk("thing", [1], newest_first=True), ["c", "b", "a"]),
        "after": (Walk("thing", [1], after=first.seq), ["b", "c"]),
        "until": (Walk("thing", [1], until=first.seq), ["a"]),
        "two keys": (Walk("thing", [1, 2]), ["a", "c"]),
        "another key": (Walk("thing", [2]), ["a", "c"]),
        "another kind": (Walk("other", [1]), []),
        "all": (Walk("thing"), ["a", "b", "c"]),
    }
    assert {name: ids(ahead.find(walk)) for name, (walk, _) in others.items()} == {
        name: expected for name, (_, expected) in others.items()
    }
    assert ahead.find(Walk("thing", [1], bare=True)).records[0].body == b""
    assert counted.asked == ["find"] * 8


def test_what_was_looked_for_is_not_read_again_until_it_is_forgotten(store):
    ahead = ReadAhead(store)
    ahead.load([("thing", "a"), ("thing", "none")])
    for id in ("a", "none"):
        store.write(lambda tx, id=id: tx.put(Record("thing", id, b"new"))).result()

    before = [(ahead.has("thing", id), ahead.get("thing", id)) for id in ("a", "none", "b")]
    ahead.load([("thing", "a"), ("thing", "none")])
    assert [(has, one.body if one else None) for has, one in before] == [(True, b"a"), (True, None), (False, b"b")]
    assert ahead.get("thing", "none") is None

    ahead.forget([("thing", "a"), ("thing", "none"), ("thing", "unknown")])
    assert [ahead.get("thing", id).body for id in ("a", "none")] == [b"new", b"new"]
    ahead.remember([Record("thing", "a", b"read elsewhere")])
    assert ahead.get("thing", "a").body == b"read elsewhere"
