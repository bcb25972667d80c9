"""``horizon``: up to it nothing is stored any more, whatever the clocks do; and it does not stand still."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from lrs.storage import Record, Walk, first_seq, micros_of, open_store
from lrs.storage.horizon import Announcement
from tests.conftest import START
from tests.contract.acts import SECOND, WAIT, insert

LAG = 250_000
"""Microseconds by which an engine may lag behind the clock."""


def test_the_horizon_follows_the_clock_when_nothing_is_written(store, clock):
    for _ in range(3):
        now = clock.forward(seconds=60)

        assert now - LAG <= store.horizon() < now


def test_what_is_stored_later_is_stored_after_the_horizon(store, clock):
    for n, jump in enumerate((0, 1, 60, -3_600, -1, 0, 7_200)):
        clock.forward(seconds=jump)
        promised = store.horizon()

        assert micros_of(insert(store, str(n)).seq) > promised


def test_a_record_is_stored_at_the_clocks_time_even_if_a_horizon_was_asked_for_at_that_time(store, clock):
    clock.forward(seconds=5)
    store.horizon()

    assert micros_of(insert(store, "a").seq) == clock.now


def test_no_horizon_is_promised_above_what_a_slow_or_an_hour_late_clock_stores(store, store_url, clock):
    late = open_store(store_url, clock=lambda: clock.now - 3_600 * SECOND)
    clock.forward(seconds=60)

    promises = [store.horizon()]
    first = insert(late, "a")
    promises.append(late.horizon())
    clock.forward(seconds=60)
    promises.append(store.horizon())
    second = insert(late, "b")
    late.close()

    assert micros_of(first.seq) > max(promises[:1])
    assert micros_of(second.seq) > max(promises)


def test_on_sqlite_the_horizon_stays_below_a_commit_that_is_under_way_and_does_not_wait(tmp_path, clock):
    store, other = (open_store(f"sqlite:///{tmp_path}/lrs.db", clock=clock) for _ in range(2))
    drawn, go_on = threading.Event(), threading.Event()

    def slow(tx):
        stored = tx.insert(Record("thing", "slow"))
        drawn.set()
        assert go_on.wait(WAIT)
        return stored

    future = other.write(slow)
    assert drawn.wait(WAIT)
    clock.forward(seconds=30)
    under_way = store.horizon()
    go_on.set()
    stored = future.result(WAIT)
    other.close()
    afterwards = store.horizon()
    store.close()

    assert under_way < micros_of(stored.seq) == START
    assert afterwards == START + 30 * SECOND - 1


def test_on_mongo_the_horizon_is_what_was_reached_while_a_transaction_holds_the_head(mongo_url, mongo_client, clock):
    store = open_store(mongo_url, clock=clock)
    stored = insert(store, "a")
    holding = mongo_client.start_session()
    holding.start_transaction()
    mongo_client[mongo_url.rpartition("/")[2]].head.update_one({"_id": "head"}, {"$inc": {"epoch": 1}}, session=holding)
    clock.forward(seconds=30)

    held = store.horizon()
    holding.abort_transaction()
    holding.end_session()
    free = store.horizon()
    store.close()

    assert held == micros_of(stored.seq)
    assert free >= START + 30 * SECOND - LAG


def test_on_mongo_a_reader_that_comes_late_takes_no_place_back_that_was_drawn_meanwhile(mongo_url, clock, monkeypatch):
    store, ahead = (open_store(mongo_url, clock=each) for each in (clock, lambda: clock.now + 3_600 * SECOND))
    drawn = []

    @contextmanager
    def meanwhile(_seconds):
        drawn.append(insert(ahead, str(len(drawn))).seq)
        yield

    clock.forward(seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr("lrs.storage.mongo.store.pymongo.timeout", meanwhile)  # between its look and its promise
        promised = store.horizon()
    drawn += [insert(each, name).seq for name, each in (("late", store), ("again", ahead))]
    store.close()
    ahead.close()

    assert drawn == sorted(set(drawn))
    assert promised < micros_of(drawn[0])


def test_a_horizon_never_passes_a_commit_that_is_under_way(store, store_url, clock):
    drawn, go_on, asked = threading.Event(), threading.Event(), []

    def slow(tx):
        stored = tx.insert(Record("thing", "slow"))
        tx.find(Walk("thing"))
        drawn.set()
        assert go_on.wait(WAIT)
        return stored

    def ask():
        promised = store.horizon()
        asked.append((promised, store.get("thing", "slow")))

    other = open_store(store_url, clock=clock)
    future = other.write(slow)
    assert drawn.wait(WAIT)
    clock.forward(seconds=30)
    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(0.2)
    go_on.set()
    asking.join(WAIT)
    stored = future.result(WAIT)
    other.close()

    ((promised, seen),) = asked
    assert promised < micros_of(stored.seq) or seen is not None


def test_the_horizon_survives_closing_and_opening(store_url, clock):
    first = open_store(store_url, clock=clock)
    clock.forward(seconds=100)
    promised = first.horizon()
    first.close()
    clock.forward(seconds=-100)

    again = open_store(store_url, clock=clock)
    stored = insert(again, "a")
    again.close()

    assert micros_of(stored.seq) > promised


def test_a_process_that_died_in_a_commit_holds_the_horizon_only_until_the_next_commit(tmp_path, clock):
    url = f"sqlite:///{tmp_path}/lrs.db"
    store = open_store(url, clock=clock)
    insert(store, "a")
    dead = Announcement(tmp_path / "lrs.db-horizon", clock, lambda: None)
    floor = dead.begin(store.get("thing", "a").seq)
    clock.forward(seconds=60)

    held = store.horizon()
    asked = 0
    while store.horizon() < START + 60 * SECOND - 1:  # nobody writes: the store itself makes a commit, after a while
        asked += 1
    dead.close()
    store.close()

    assert held == floor - 1
    assert asked > 0


def test_an_announcement_file_of_an_earlier_size_is_extended(tmp_path, clock):
    (tmp_path / "h").write_bytes(bytes(24))

    announcement = Announcement(tmp_path / "h", clock, lambda: None)

    assert announcement.horizon() == START - 1
    announcement.close()


def test_an_answer_is_never_lower_than_an_earlier_one_while_a_commit_does_not_know_its_floor_yet(tmp_path, clock):
    reader = Announcement(tmp_path / "horizon", lambda: clock.now, lambda: None)
    asked = []

    def clock_of_the_writer() -> int:  # asked between the two steps of an announcement
        asked.append(reader.horizon())
        return clock.now

    writer = Announcement(tmp_path / "horizon", clock_of_the_writer, lambda: None)
    promised = reader.horizon()
    floor = writer.begin(0)

    assert asked == [promised]
    assert floor > promised
    writer.close()
    reader.close()


def test_what_an_earlier_commit_says_late_takes_nothing_back(tmp_path, clock):
    earlier, later, reader = (Announcement(tmp_path / "horizon", lambda: clock.now, lambda: None) for _ in range(3))
    first, second = first_seq(clock.now), first_seq(clock.now + 1)
    for writer, before, after in ((earlier, 0, first), (later, first, second)):
        writer.begin(before)
        writer.reach(after)
    later.reached(second)

    earlier.reached(first)  # its process was halted between its commit and this
    now = clock.forward(seconds=60)

    assert reader.horizon() == now - 1
    for each in (earlier, later, reader):
        each.close()
