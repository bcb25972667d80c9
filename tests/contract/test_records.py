"""``get``, ``get_many``, ``insert``, ``replace``, ``delete``: one record at a time."""

from __future__ import annotations

import pytest

from lrs.kernel.errors import Refused
from lrs.storage import LARGEST, Exists, Owed, Record, Stale, Walk, first_seq
from tests.conftest import START
from tests.contract.acts import WAIT, insert

FIRST = first_seq(START)


def test_a_record_comes_back_as_it_was_given(store):
    given = Record(
        "thing",
        "https://example.org/æ b.c$d\x00",
        b'{"n": 0.10, "n": 1e2}\x00\xff',
        {"a.b": 1, "$set": {"": None}, "stored": 1795000000000000, "big": 9007199254740993, "f": [1.5, True, "é😀"]},
        (3, 1, 2, (1 << 63) - 1, -(1 << 63), 0),
    )

    stored = store.write(lambda tx: tx.insert(given)).result(WAIT)

    found = store.get("thing", "https://example.org/æ b.c$d\x00")
    assert found == stored
    assert (found.kind, found.id, found.body) == ("thing", given.id, given.body)
    assert found.meta == given.meta
    assert found.keys == (3, 1, 2, (1 << 63) - 1, -(1 << 63), 0)
    assert (found.seq, found.rev, found.owed) == (FIRST, 1, ())


def test_an_empty_record_is_a_record(store):
    insert(store, "")

    assert store.get("thing", "") == Record("thing", "", seq=FIRST, rev=1)


def test_what_is_not_there_is_none(store):
    insert(store, "a")

    assert store.get("thing", "b") is None
    assert store.get("other", "a") is None


def test_kind_and_id_together_are_the_name(store):
    insert(store, "a", body=b"thing")
    store.write(lambda tx: tx.insert(Record("other", "a", b"other"))).result(WAIT)

    assert store.get("thing", "a").body == b"thing"
    assert store.get("other", "a").body == b"other"


def test_ids_differ_by_case_and_by_a_trailing_blank(store):
    for id in ("a", "A", "a "):
        insert(store, id, body=id.encode())

    assert {id: store.get("thing", id).body for id in ("a", "A", "a ")} == {"a": b"a", "A": b"A", "a ": b"a "}


def test_get_many_gives_those_that_exist_by_id(store):
    first, second = insert(store, "a"), insert(store, "b")

    assert store.get_many("thing", iter(["a", "none", "b", "a"])) == {"a": first, "b": second}
    assert store.get_many("thing", []) == {}
    assert store.get_many("other", ["a"]) == {}


def test_get_many_takes_more_ids_than_fit_one_query(store):
    store.write(lambda tx: [tx.insert(Record("thing", str(n))) for n in range(3)], weight=3).result(WAIT)

    found = store.get_many("thing", (str(n) for n in reversed(range(1_201))))

    assert sorted(found) == ["0", "1", "2"]


def test_insert_gives_what_is_stored_and_what_it_owes(store):
    stored = insert(store, "a", owed=(Owed("evaluate", 5),))

    assert stored == Record("thing", "a", owed=(Owed("evaluate", 5),), seq=FIRST, rev=1)
    assert store.get("thing", "a").owed == ()


def test_an_insert_of_what_is_stored_is_refused_with_exists_and_changes_nothing(store):
    insert(store, "a", body=b"first", keys=(1,))

    with pytest.raises(Exists):
        insert(store, "a", body=b"second", keys=(2,))

    assert store.get("thing", "a").body == b"first"
    assert store.count("thing", (1,)) == 1
    assert store.count("thing", (2,)) == 0


def test_an_insert_of_what_the_same_decision_inserted_is_refused_with_exists(store):
    def twice(tx):
        tx.insert(Record("thing", "a"))
        tx.insert(Record("thing", "a"))

    with pytest.raises(Exists):
        store.write(twice).result(WAIT)

    assert store.get("thing", "a") is None


@pytest.mark.parametrize("stored", [True, False])
def test_a_decision_that_catches_exists_still_fails(store, stored):
    if stored:
        insert(store, "a")

    def careless(tx):
        tx.insert(Record("thing", "b"))
        try:
            tx.insert(Record("thing", "a"))
            tx.find(Walk("thing"))
            tx.insert(Record("thing", "a"))
        except Exists:
            pass
        tx.insert(Record("thing", "c"))

    with pytest.raises(Exists):
        store.write(careless).result(WAIT)

    assert store.get("thing", "b") is None
    assert store.get("thing", "c") is None


def test_replace_puts_the_new_in_the_place_of_the_old(store):
    old = insert(store, "a", body=b"old", meta={"m": 1}, keys=(1, 2))

    new = Record("thing", "a", b"new", {"m": 2}, (2, 3), seq=old.seq, rev=old.rev)
    replaced = store.write(lambda tx: tx.replace(new)).result(WAIT)

    assert replaced == Record("thing", "a", b"new", {"m": 2}, (2, 3), seq=FIRST, rev=2)
    assert store.get("thing", "a") == replaced
    assert [store.count("thing", (key,)) for key in (1, 2, 3)] == [0, 1, 1]


def test_replace_draws_a_new_place_for_seq_0_and_is_found_there_only(store, clock):
    insert(store, "a", keys=(1,))
    clock.forward(seconds=10)

    moved = store.write(lambda tx: tx.replace(Record("thing", "a", keys=(1,), rev=1))).result(WAIT)

    assert moved.seq == first_seq(START + 10_000_000)
    assert store.find(Walk("thing", (1,))).records == (moved,)
    assert store.find(Walk("thing", (1,), until=FIRST)).records == ()
    assert store.find(Walk("thing", until=FIRST)).records == ()


def test_replace_keeps_a_place_it_is_given(store):
    insert(store, "a", keys=(1,))

    moved = store.write(lambda tx: tx.replace(Record("thing", "a", keys=(1,), seq=77, rev=1))).result(WAIT)

    assert moved.seq == 77
    assert store.find(Walk("thing", (1,), until=77)).records == (moved,)


@pytest.mark.parametrize("rev", [0, 1, 3])
def test_replace_is_stale_unless_the_revision_is_the_one(store, rev):
    insert(store, "a")
    store.write(lambda tx: tx.replace(Record("thing", "a", b"2", rev=1))).result(WAIT)

    with pytest.raises(Stale):
        store.write(lambda tx: tx.replace(Record("thing", "a", b"3", rev=rev))).result(WAIT)

    assert store.get("thing", "a").body == b"2"


def test_replace_of_what_is_not_there_is_stale(store):
    with pytest.raises(Stale):
        store.write(lambda tx: tx.replace(Record("thing", "a", rev=1))).result(WAIT)

    assert store.get("thing", "a") is None


def test_a_decision_may_catch_stale_and_go_on(store):
    def decide(tx):
        try:
            tx.replace(Record("thing", "a", rev=1))
        except Stale:
            tx.insert(Record("thing", "a", b"new"))

    store.write(decide).result(WAIT)

    assert store.get("thing", "a").body == b"new"


def test_delete_removes_the_record_its_keys_and_tells_whether_there_was_one(store):
    insert(store, "a", keys=(1,))

    assert store.write(lambda tx: tx.delete("thing", "a")).result(WAIT) is True
    assert store.write(lambda tx: tx.delete("thing", "a")).result(WAIT) is False

    assert store.get("thing", "a") is None
    assert (store.count("thing"), store.count("thing", (1,))) == (0, 0)


def test_after_a_delete_an_insert_begins_at_revision_1(store):
    insert(store, "a")
    store.write(lambda tx: tx.replace(Record("thing", "a", rev=1))).result(WAIT)

    def again(tx):
        tx.delete("thing", "a")
        return tx.insert(Record("thing", "a", b"again"))

    assert store.write(again).result(WAIT).rev == 1
    assert store.get("thing", "a").body == b"again"


def test_a_decision_sees_its_own_writes(store):
    insert(store, "old", keys=(1,))

    def decide(tx):
        tx.insert(Record("thing", "new", b"new", keys=(1,), owed=(Owed("step"),)))
        before = (tx.get("thing", "new"), sorted(tx.get_many("thing", ["new", "old", "none"])))
        found = [record.id for record in tx.find(Walk("thing", (1,))).records]
        tx.replace(Record("thing", "new", b"newer", keys=(2,), seq=first_seq(START) + 7, rev=1))
        tx.delete("thing", "old")
        after = [record.body for record in tx.find(Walk("thing")).records]
        return before, found, after, tx.get("thing", "old"), tx.get("thing", "new").rev

    before, found, after, old, rev = store.write(decide).result(WAIT)

    assert (before[0].body, before[0].owed, before[1]) == (b"new", (), ["new", "old"])
    assert found == ["old", "new"]
    assert (after, old, rev) == ([b"newer"], None, 2)


def test_a_body_over_the_limit_is_refused_with_413_and_one_at_the_limit_is_kept(store):
    with pytest.raises(Refused) as refused:
        insert(store, "a", body=bytes(LARGEST + 1))
    insert(store, "b", body=bytes(LARGEST))
    with pytest.raises(Refused):
        store.write(lambda tx: tx.replace(Record("thing", "b", bytes(LARGEST + 1), rev=1))).result(WAIT)

    assert (refused.value.status, refused.value.error) == (413, "too_large")
    assert str(refused.value) == "a record has at most 15000000 bytes, this one has 15000001"
    assert store.get("thing", "a") is None
    assert len(store.get("thing", "b").body) == 15_000_000
