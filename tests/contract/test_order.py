"""The one order: ``seq`` is ``stored`` in microseconds << 10, given in the transaction, strictly increasing."""

from __future__ import annotations

from lrs.storage import Record, Walk, first_seq, last_seq, micros_of, open_store
from tests.conftest import START
from tests.contract.acts import WAIT, ids, insert


def test_the_place_says_when_it_was_stored(store, clock):
    clock.now = 1_795_000_000_123_456

    stored = insert(store, "a")

    assert stored.seq == 1_795_000_000_123_456 * 1024
    assert micros_of(stored.seq) == 1_795_000_000_123_456
    assert first_seq(1_795_000_000_123_456) == stored.seq
    assert last_seq(1_795_000_000_123_456) == stored.seq + 1023


def test_records_of_one_microsecond_are_stored_one_microsecond_apart(store):
    places = [insert(store, id).seq for id in "abc"]

    assert [micros_of(seq) - START for seq in places] == [0, 1, 2]


def test_the_order_goes_on_when_the_clock_jumps_back_an_hour(store, clock):
    first = insert(store, "a")
    clock.forward(seconds=-3_600)

    second = insert(store, "b")
    clock.forward(seconds=3_601)
    third = insert(store, "c")

    assert [micros_of(each.seq) - START for each in (first, second, third)] == [0, 1, 1_000_000]
    assert ids(store.find(Walk("thing")).records) == ["a", "b", "c"]


def test_a_place_drawn_by_hand_is_in_the_same_order(store):
    def decide(tx):
        drawn = [tx.next_seq(), tx.next_seq()]
        return [*drawn, tx.insert(Record("thing", "a")).seq]

    drawn = store.write(decide).result(WAIT)

    assert [micros_of(seq) - START for seq in drawn] == [0, 1, 2]
    assert micros_of(insert(store, "b").seq) - START == 3


def test_a_record_that_brings_its_place_keeps_it_and_does_not_move_the_order(store):
    past = insert(store, "past", seq=first_seq(START - 5_000_000))
    future = insert(store, "future", seq=first_seq(START + 5_000_000))

    assert past.seq == first_seq(START - 5_000_000)
    assert future.seq == first_seq(START + 5_000_000)
    assert insert(store, "now").seq == first_seq(START)
    assert ids(store.find(Walk("thing")).records) == ["past", "now", "future"]


def test_records_may_share_a_place_they_bring(store):
    for id in "abc":
        insert(store, id, seq=4711)

    assert sorted(ids(store.find(Walk("thing")).records)) == ["a", "b", "c"]


def test_the_order_goes_on_after_the_store_was_closed(store_url, clock):
    first = open_store(store_url, clock=clock)
    insert(first, "a")
    first.close()
    clock.forward(seconds=-60)

    again = open_store(store_url, clock=clock)
    second = insert(again, "b")
    again.close()

    assert micros_of(second.seq) == START + 1


def test_two_open_stores_share_one_order_whatever_their_clocks_say(store, store_url, clock):
    late = open_store(store_url, clock=lambda: clock.now - 3_600_000_000)
    places = [insert(each, str(n)).seq for n, each in enumerate([store, late, store, late, late])]
    late.close()

    assert [micros_of(seq) - START for seq in places] == [0, 1, 2, 3, 4]
    assert ids(store.find(Walk("thing")).records) == ["0", "1", "2", "3", "4"]


def test_a_failed_decision_leaves_no_record_in_the_order(store):
    def fail(tx):
        tx.insert(Record("thing", "a"))
        raise ZeroDivisionError

    assert isinstance(store.write(fail).exception(WAIT), ZeroDivisionError)

    assert micros_of(insert(store, "b").seq) == START
