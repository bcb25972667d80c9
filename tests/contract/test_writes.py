"""``write``: groups, failures that stay alone, queues that are bounded, closing."""

from __future__ import annotations

import threading

import msgspec
import pytest

from lrs.kernel.admission import AGE, CLOSING, Overloaded, QueueLimit
from lrs.kernel.admission import ROWS as TOO_MANY_ROWS
from lrs.storage import ROWS, Exists, Owed, Record, Walk, micros_of, open_store
from tests.conftest import START
from tests.contract.acts import WAIT, claim, ids, insert, names, owing, walk


class Gate:
    """A decision that holds the writer until it is opened, so that what is written meanwhile is one group."""

    def __init__(self, store) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.held = store.write(self._hold)
        assert self.reached.wait(WAIT)

    def _hold(self, _tx):
        self.reached.set()
        assert self.open.wait(WAIT)


def test_the_future_gives_what_the_decision_returned(store):
    assert store.write(lambda tx: tx.get("thing", "a")).result(WAIT) is None
    assert store.write(lambda _: [1, "two"]).result(WAIT) == [1, "two"]


def test_what_was_written_is_there_for_whoever_reads_once_the_future_is_done(store, store_url, clock):
    other = open_store(store_url, clock=clock)
    store.write(lambda tx: tx.insert(Record("thing", "a", b"x"))).result(WAIT)

    assert store.get("thing", "a").body == b"x"
    assert other.get("thing", "a").body == b"x"
    other.close()


def test_nobody_else_sees_what_is_not_committed(store):
    seen = []

    def decide(tx):
        tx.insert(Record("thing", "a"))
        tx.find(Walk("thing"))
        reader = threading.Thread(target=lambda: seen.append(store.get("thing", "a")))
        reader.start()
        reader.join(WAIT)

    store.write(decide).result(WAIT)

    assert seen[0] is None
    assert store.get("thing", "a") is not None


def test_decisions_of_one_group_see_each_other_in_the_order_they_came(store):
    gate = Gate(store)
    futures = [
        store.write(lambda tx, n=n: (tx.insert(Record("thing", str(n))), tx.get("thing", str(n - 1)))[1])
        for n in range(4)
    ]
    gate.open.set()

    seen = [future.result(WAIT) for future in futures]

    assert [record and record.id for record in seen] == [None, "0", "1", "2"]


BAD = Record("thing", "bad-1", keys=(1,), owed=(Owed("undone"),))


def _raise(tx):
    tx.insert(BAD)
    raise ValueError("no")


def _raise_after_reading(tx):
    tx.insert(BAD)
    tx.find(Walk("thing"))
    raise ValueError("no")


def _raise_after_changing(tx):
    tx.delete("thing", "old")
    tx.insert(BAD)
    raise ValueError("no")


def _raise_half_written(tx):
    """One record has gone to the engine, the other has not."""
    tx.insert(BAD)
    tx.find(Walk("thing"))
    tx.insert(msgspec.structs.replace(BAD, id="bad-2"))
    raise ValueError("no")


def _insert_what_is_there(tx):
    tx.insert(BAD)
    tx.insert(msgspec.structs.replace(BAD, id="old"))


def _insert_what_cannot_be_kept(tx):
    tx.insert(BAD)
    tx.insert(msgspec.structs.replace(BAD, id="bad-2", meta={"what": object()}))


def _good(id):
    return Record("thing", id, keys=(2,), owed=(Owed("done"),))


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (_raise, ValueError),
        (_raise_after_reading, ValueError),
        (_raise_after_changing, ValueError),
        (_raise_half_written, ValueError),
        (_insert_what_is_there, Exists),
        (_insert_what_cannot_be_kept, TypeError),
    ],
)
def test_one_failing_decision_keeps_nothing_and_leaves_the_others_of_its_group_untouched(store, bad, error):
    owing(store, "old", "done")
    gate = Gate(store)
    before = store.write(lambda tx: tx.insert(_good("before")))
    failing = store.write(bad)
    after = store.write(lambda tx: (tx.insert(_good("after")), tx.get("thing", "bad-1"))[1])
    gate.open.set()

    assert type(failing.exception(WAIT)) is error
    assert before.result(WAIT).id == "before"
    assert after.result(WAIT) is None
    assert ids(store.find(Walk("thing")).records) == ["old", "before", "after"]
    assert (ids(walk(store, (1,))), ids(walk(store, (2,)))) == ([], ["before", "after"])
    assert names(claim(store, "done", "undone")) == [(id, "done") for id in ("after", "before", "old")]


def test_a_kind_first_seen_in_a_decision_that_failed_is_not_taken_for_known(store, store_url, clock):
    def fail(tx):
        tx.insert(Record("undone", "1"))
        assert ids(tx.find(Walk("undone")).records) == ["1"]  # written, and read back, before it fails
        raise ValueError("no")

    assert isinstance(store.write(fail).exception(WAIT), ValueError)
    store.write(lambda tx: tx.insert(Record("other", "1"))).result(WAIT)
    store.write(lambda tx: tx.insert(Record("undone", "2"))).result(WAIT)

    again = open_store(store_url, clock=clock)
    found = {kind: ids(again.find(Walk(kind)).records) for kind in ("undone", "other")}
    again.close()
    assert found == {"undone": ["2"], "other": ["1"]}
    assert {kind: ids(store.find(Walk(kind)).records) for kind in ("undone", "other")} == found


def test_equal_inserts_in_one_group_give_one_record_and_exists_for_the_rest(store):
    gate = Gate(store)
    futures = [store.write(lambda tx, n=n: tx.insert(Record("thing", "same", str(n).encode()))) for n in range(5)]
    gate.open.set()

    errors = [future.exception(WAIT) for future in futures]

    assert [type(error) for error in errors] == [type(None), Exists, Exists, Exists, Exists]
    assert store.get("thing", "same").body == b"0"


def test_a_decision_that_looks_first_never_meets_exists_under_32_callers(store):
    def put(tx):
        found = tx.get("thing", "same")
        return found is None and tx.insert(Record("thing", "same")).rev == 1

    created = []
    threads = [threading.Thread(target=lambda: created.append(store.write(put).result(WAIT))) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)

    assert sorted(created) == [False] * 31 + [True]


def test_a_decision_that_is_run_again_begins_from_what_is_stored(store):
    runs = []

    def counting(tx):
        runs.append(tx.get("thing", "counter"))
        return tx.insert(Record("thing", "counter"))

    gate = Gate(store)
    future = store.write(counting)
    store.write(_raise_after_reading)
    gate.open.set()

    assert future.result(WAIT).rev == 1
    assert runs == [None, None]


def test_compare_and_set_loses_no_update_between_two_open_stores(store, store_url, clock):
    insert(store, "counter", body=b"0")
    other = open_store(store_url, clock=clock)

    def add(tx):
        old = tx.get("thing", "counter")
        tx.replace(Record("thing", "counter", b"%d" % (int(old.body) + 1), seq=old.seq, rev=old.rev))

    def adding(on):
        for _ in range(10):
            on.write(add).result(WAIT)

    threads = [threading.Thread(target=adding, args=(each,)) for each in (store, other, store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * WAIT)
    other.close()

    assert (store.get("thing", "counter").body, store.get("thing", "counter").rev) == (b"40", 41)


def test_a_group_with_more_records_than_a_group_holds_is_written_whole(store):
    records = [Record("thing", str(n)) for n in range(700)]

    store.write(lambda tx: [tx.insert(record) for record in records], weight=300 * ROWS).result(WAIT)

    assert store.count("thing") == 700


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_is_empty(store):
    gate = Gate(store)
    store.write(lambda tx: tx.insert(Record("thing", "waiting")), weight=8_000 * ROWS)

    with pytest.raises(Overloaded) as refused:
        store.write(lambda tx: tx.insert(Record("thing", "refused")), weight=193 * ROWS)

    gate.open.set()
    gate.held.result(WAIT)
    assert refused.value.cause is TOO_MANY_ROWS
    assert insert(store, "later").rev == 1
    assert ids(store.find(Walk("thing")).records) == ["waiting", "later"]


def test_a_queue_whose_oldest_has_waited_too_long_refuses_at_once_and_takes_again_when_it_is_empty(store_url, clock):
    store = open_store(store_url, clock=clock, queue=QueueLimit(rows=1_000, age=1e-9))
    gate = Gate(store)
    waiting = store.write(lambda tx: tx.insert(Record("thing", "waiting")))

    with pytest.raises(Overloaded) as refused:
        store.write(lambda tx: tx.insert(Record("thing", "refused")))

    gate.open.set()
    waiting.result(WAIT)
    assert refused.value.cause is AGE
    assert insert(store, "later").rev == 1
    assert ids(store.find(Walk("thing")).records) == ["waiting", "later"]
    store.close()


def test_a_decision_cancelled_before_it_started_is_dropped(store):
    gate = Gate(store)
    dropped = store.write(lambda tx: tx.insert(Record("thing", "dropped")))
    kept = store.write(lambda tx: tx.insert(Record("thing", "kept")))

    assert dropped.cancel()
    gate.open.set()

    kept.result(WAIT)
    assert not gate.held.cancel()
    assert ids(store.find(Walk("thing")).records) == ["kept"]


def test_close_writes_what_was_accepted(store_url, clock):
    store = open_store(store_url, clock=clock)
    gate = Gate(store)
    futures = [store.write(lambda tx, n=n: tx.insert(Record("thing", str(n)))) for n in range(5)]
    closing = threading.Thread(target=store.close)
    closing.start()
    gate.open.set()
    closing.join(WAIT)

    again = open_store(store_url, clock=clock)
    found = ids(again.find(Walk("thing")).records)
    again.close()

    assert [micros_of(future.result(0).seq) - START for future in futures] == [0, 1, 2, 3, 4]
    assert found == ["0", "1", "2", "3", "4"]


def test_a_closed_store_refuses_to_write_and_may_be_closed_again(store_url, clock):
    store = open_store(store_url, clock=clock)
    store.close()

    with pytest.raises(Overloaded) as refused:
        store.write(lambda _: None)
    store.close()

    assert refused.value.cause is CLOSING
