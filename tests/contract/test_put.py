"""``put``: added, or in the place of what is there."""

from __future__ import annotations

import pytest

from lrs.storage import Owed, Record, Stale, Walk, first_seq
from tests.contract.acts import WAIT
from tests.contract.test_writes import Gate


def add(store, record):
    return store.write(lambda tx: tx.insert(record)).result(WAIT)


def test_put_adds_what_is_not_there(store, clock):
    stored = store.write(lambda tx: tx.put(Record("thing", "a", b"one", {"m": 1}, (1,), (Owed("sync"),)))).result(WAIT)

    assert stored == Record("thing", "a", b"one", {"m": 1}, (1,), (Owed("sync"),), first_seq(clock()), 1)
    assert store.get("thing", "a") == Record("thing", "a", b"one", {"m": 1}, (1,), (), first_seq(clock()), 1)
    assert [(one.step, one.waiting) for one in store.backlog()] == [("sync", 1)]


def test_put_takes_the_place_of_whatever_is_there_and_moves_to_the_end_unless_it_brings_a_place(store, clock):
    first = add(store, Record("thing", "a", b"one", keys=(1,), owed=(Owed("sync"),)))
    clock.forward(seconds=1)

    moved = store.write(lambda tx: tx.put(Record("thing", "a", b"two", keys=(2,)))).result(WAIT)
    kept = store.write(lambda tx: tx.put(Record("thing", "a", b"three", keys=(3,), seq=first.seq))).result(WAIT)

    assert (moved.rev, moved.seq) == (2, first_seq(clock()))
    assert (kept.rev, kept.seq) == (3, first.seq)
    assert store.find(Walk("thing", (3,))).records == (Record("thing", "a", b"three", keys=(3,), seq=first.seq, rev=3),)
    assert [store.count("thing", (key,)) for key in (1, 2, 3)] == [0, 0, 1]
    assert [(one.step, one.waiting) for one in store.backlog()] == [("sync", 1)]


@pytest.mark.parametrize("rev", [1, 3])
def test_put_with_a_revision_is_stale_unless_it_is_the_one(store, rev):
    add(store, Record("thing", "a", b"one"))
    store.write(lambda tx: tx.put(Record("thing", "a", b"two", rev=1))).result(WAIT)

    with pytest.raises(Stale):
        store.write(lambda tx: tx.put(Record("thing", "a", b"three", rev=rev))).result(WAIT)

    assert store.get("thing", "a").body == b"two"


def test_put_with_a_revision_of_what_is_not_there_is_stale(store):
    with pytest.raises(Stale):
        store.write(lambda tx: tx.put(Record("thing", "a", rev=1))).result(WAIT)

    assert store.get("thing", "a") is None


def test_put_goes_on_from_what_the_same_decision_wrote_looked_for_and_took_away(store):
    def decide(tx):
        revisions = [tx.get("thing", "a")]
        revisions.append(tx.put(Record("thing", "a", b"one")).rev)
        revisions.append(tx.put(Record("thing", "a", b"two")).rev)
        tx.delete("thing", "a")
        revisions.append(tx.get_many("thing", ["a"]))
        revisions.append(tx.put(Record("thing", "a", b"three")).rev)
        return revisions

    assert store.write(decide).result(WAIT) == [None, 1, 2, {}, 1]
    assert store.get("thing", "a").body == b"three"


@pytest.mark.parametrize("between", [lambda tx: tx.find(Walk("thing")), lambda tx: tx.find_any("thing", [1]), id])
def test_what_a_decision_wrote_it_reads_whatever_it_looked_at_before_and_between(store, between):
    names = [("thing", name) for name in ("changed", "gone", "new")]
    for kind, name in names[:2]:
        add(store, Record(kind, name, b"before"))

    def decide(tx):
        seen = [[one and one.body for one in (tx.get(*name) for name in names)]]
        tx.put(Record(*names[0], b"after"))
        tx.delete(*names[1])
        tx.put(Record(*names[2], b"after"))
        between(tx)
        seen.append([one and one.body for one in (tx.get(*name) for name in names)])
        return seen, {id: one.body for id, one in tx.get_many("thing", [name for _, name in names]).items()}

    before, after = [b"before", b"before", None], [b"after", None, b"after"]
    expected = ([before, after], {"changed": b"after", "new": b"after"})
    assert store.write(decide, reads=names).result(WAIT) == expected


def test_what_was_looked_for_in_vain_is_seen_once_another_decision_of_the_group_has_put_it(store):
    def look(tx):
        return tx.get("thing", "a"), tx.get_many("thing", ["a", "b"])

    def put(tx):
        tx.put(Record("thing", "a", b"one"))

    gate = Gate(store)
    futures = [store.write(decide) for decide in (look, put, look, put)]
    gate.open.set()

    assert futures[0].result(WAIT) == (None, {})
    found, several = futures[2].result(WAIT)
    assert (found.body, set(several)) == (b"one", {"a"})
    assert store.get("thing", "a").rev == 2


@pytest.mark.parametrize("ends", ["stays", "goes"])
@pytest.mark.parametrize("seqs", [(0, 0, 0), (5, 5, 5), (5, 0, 9), (0, 9, 5)])
def test_what_is_changed_again_and_again_in_one_commit_is_found_by_its_last_keys_alone(store, seqs, ends):
    add(store, Record("thing", "a", b"0", keys=(1, 9)))
    gate = Gate(store)
    for key, seq in enumerate(seqs, 2):
        store.write(
            lambda tx, key=key, seq=seq: (tx.get("thing", "a"), tx.put(Record("thing", "a", keys=(key, 9), seq=seq)))
        )
    last = store.write(lambda tx: ends == "goes" and tx.delete("thing", "a"))
    gate.open.set()
    last.result(WAIT)

    found = {key for key in (1, 2, 3, 4, 9) if store.find_any("thing", [key])[key]}
    counts = {key for key in (1, 2, 3, 4, 9) if store.count("thing", (key,))}
    assert found == counts == (set() if ends == "goes" else {4, 9})
    assert store.wrong_keys() == 0
