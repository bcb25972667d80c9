"""Owed work: it stands with its fact, is leased, settled, handed back, parked and retried."""

from __future__ import annotations

import threading

import pytest

from lrs.storage import Backlog, Owed, Record, Stale, open_store
from tests.conftest import START
from tests.contract.acts import MINUTE, SECOND, WAIT, claim, ids, insert, names, nothing, only, owe, owing


def test_what_a_record_owes_can_be_claimed_once_it_is_stored(store):
    stored = insert(store, "a", body=b"x", keys=(1,), owed=(Owed("evaluate", 7),))

    claimed = only(claim(store, "evaluate"))

    assert (claimed.record.id, claimed.record.body, claimed.record.keys) == ("a", b"x", (1,))
    assert (claimed.record.seq, claimed.record.rev, claimed.record.owed) == (stored.seq, 1, ())
    assert claimed.owed == Owed("evaluate", 7)


def test_a_decision_that_fails_owes_nothing(store):
    def fail(tx):
        tx.insert(Record("thing", "a", owed=(Owed("evaluate"),)))
        tx.find("thing")
        raise ValueError("no")

    store.write(fail).exception(WAIT)

    assert claim(store, "evaluate") == []
    assert store.backlog() == []


def test_only_the_steps_asked_for_are_claimed(store):
    owing(store, "a", "evaluate", "sync")
    owing(store, "b", "issue")

    assert claim(store) == []
    assert claim(store, "none") == []
    assert names(claim(store, "sync", "issue")) == [("a", "sync"), ("b", "issue")]


def test_a_record_may_owe_several_steps_and_each_is_settled_by_itself(store):
    owing(store, "a", "evaluate", "sync")

    first, second = sorted(claim(store, "evaluate", "sync"), key=lambda each: each.owed.step)
    store.settle([first], nothing).result(WAIT)

    assert first.token != second.token
    assert store.backlog() == [Backlog("sync", 1, 0, START)]


def test_an_entry_cannot_be_claimed_before_it_is_due(store, clock):
    owing(store, "a", "evaluate", due=START + 10)

    assert claim(store, "evaluate") == []
    clock.now = START + 9
    assert claim(store, "evaluate") == []
    clock.now = START + 10
    assert only(claim(store, "evaluate")).owed.due == START + 10


def test_what_is_owed_at_once_tells_since_when_and_can_be_claimed_whatever_the_clock_says(store, clock):
    owing(store, "a", "evaluate")
    clock.now = START - MINUTE

    assert store.backlog() == [Backlog("evaluate", 1, 0, START)]
    assert only(claim(store, "evaluate")).owed.due == START


def test_what_is_owed_at_once_again_is_owed_since_the_first_time(store, clock):
    owing(store, "a", "evaluate")
    clock.now = START + MINUTE
    owe(store, "a", "evaluate")

    assert store.backlog() == [Backlog("evaluate", 1, 0, START)]


def test_whether_something_is_due_is_told_without_leasing_it(store, clock):
    owing(store, "a", "evaluate", due=START + 10)
    assert store.is_due(["evaluate", "sync"]) is False

    clock.now = START + 10

    assert store.is_due(["sync", "evaluate"]) is True
    assert (store.is_due(["sync"]), store.is_due([])) == (False, False)
    claim(store, "evaluate")
    assert store.is_due(["evaluate"]) is False


def test_limit_bounds_the_entries_claimed(store):
    for n in range(6):
        owing(store, str(n), "evaluate", "sync")

    claims = [claim(store, "evaluate", "sync", limit=5) for _ in range(4)]

    assert [len(each) for each in claims] == [5, 5, 2, 0]
    assert len({(each.record.id, each.owed.step) for some in claims for each in some}) == 12


def test_a_claim_ends_where_its_records_are_together_too_large(store, monkeypatch):
    monkeypatch.setattr("lrs.storage.PAGE_BYTES", 10_000)
    for number in range(6):
        insert(store, str(number), body=b"x" * 4_000, owed=(Owed("step"),))

    claimed = [store.claim(["step"], limit=100, lease=MINUTE) for _ in range(4)]

    assert [len(claims) for claims in claimed] in ([2, 2, 2, 0], [3, 3, 0, 0])
    assert sorted(one.record.id for claims in claimed for one in claims) == ["0", "1", "2", "3", "4", "5"]


def test_one_record_that_is_larger_than_a_claim_is_claimed_all_the_same(store, monkeypatch):
    monkeypatch.setattr("lrs.storage.PAGE_BYTES", 10)
    insert(store, "large", body=b"x" * 4_000, owed=(Owed("step"),))

    assert [one.record.id for one in store.claim(["step"], limit=100, lease=MINUTE)] == ["large"]


def test_a_long_queue_of_one_step_does_not_keep_the_others_from_being_claimed(store):
    for n in range(14):
        owing(store, str(n), "a-first")
    owing(store, "other", "b-second")

    # Handed back at once, the queue is as long as before; each claim takes b-second with a chance of about 3 in 13.
    def claimed():
        some = claim(store, "a-first", "b-second", limit=3)
        for each in some:
            store.defer(each, due=START, error="again")
        return some

    assert any(each.owed.step == "b-second" for _ in range(150) for each in claimed())


def test_a_leased_entry_is_nobody_elses_until_the_lease_has_run_out(store, clock):
    owing(store, "a", "evaluate")
    first = only(claim(store, "evaluate", lease=MINUTE))

    clock.now = START + MINUTE - 1
    assert claim(store, "evaluate") == []
    assert store.claim_lost(["evaluate"], lease=MINUTE) is None
    clock.now = START + MINUTE
    assert store.is_due(["evaluate"]) is True
    second = store.claim_lost(["evaluate"], lease=MINUTE)

    assert first.token != second.token
    assert isinstance(store.settle([first], nothing).exception(WAIT), Stale)
    assert store.defer(first, due=START, error="late") is False
    store.settle([second], nothing).result(WAIT)
    assert store.backlog() == []


def test_what_was_leased_when_a_worker_ended_is_claimed_one_by_one_and_beside_nothing_new(store, clock):
    for name in ("a", "b", "c"):
        owing(store, name, "evaluate")
    claim(store, "evaluate", lease=MINUTE)
    clock.now = START + MINUTE
    owing(store, "new", "evaluate")

    lost = [store.claim_lost(["evaluate"], lease=MINUTE) for _ in range(4)]

    assert sorted(each.record.id for each in lost[:3]) == ["a", "b", "c"]
    assert lost[3] is None
    assert names(claim(store, "evaluate")) == [("new", "evaluate")]


def test_the_end_of_a_worker_counts_only_for_the_entry_that_was_leased_by_itself(store, clock):
    for name in ("guilty", "innocent"):
        owing(store, name, "evaluate")
    claim(store, "evaluate", lease=MINUTE)

    tries = {"guilty": [], "innocent": []}
    for _ in range(3):
        clock.forward(seconds=60)
        for _ in range(2):
            one = store.claim_lost(["evaluate"], lease=MINUTE)
            tries[one.record.id].append(one.owed.tries)
            if one.record.id == "innocent":
                store.defer(one, due=clock.now, error=None)  # as if it had been found due again
                store.write(lambda tx: tx.owe("thing", "innocent", Owed("evaluate"))).result(WAIT)
                claim(store, "evaluate", lease=MINUTE)

    assert tries == {"guilty": [0, 1, 2], "innocent": [0, 0, 0]}


def test_a_lease_that_ran_out_still_settles_as_long_as_nobody_claimed_it_again(store, clock):
    owing(store, "a", "evaluate")
    late = only(claim(store, "evaluate", lease=SECOND))
    clock.forward(seconds=3_600)

    assert store.settle([late], lambda _: "done").result(WAIT) == "done"
    assert claim(store, "evaluate") == []


def test_settle_clears_the_entries_and_writes_in_one_commit(store):
    owing(store, "a", "evaluate")
    owing(store, "b", "evaluate")
    claims = claim(store, "evaluate")

    written = store.settle(claims, lambda tx: tx.insert(Record("award", "x", owed=(Owed("issue"),)))).result(WAIT)

    assert written.id == "x"
    assert [each.step for each in store.backlog()] == ["issue"]
    assert store.get("award", "x") is not None


def test_a_claim_holds_until_it_is_settled_handed_back_or_claimed_again(store, clock):
    for name in ("a", "b", "c"):
        owing(store, name, "evaluate")
    settled, deferred, lost = sorted(claim(store, "evaluate"), key=lambda each: each.record.id)
    assert [store.holds(each) for each in (settled, deferred, lost)] == [True, True, True]

    store.settle([settled], nothing).result(WAIT)
    store.defer(deferred, due=START + 9 * MINUTE, error="later")

    assert [store.holds(each) for each in (settled, deferred, lost)] == [False, False, True]
    clock.now = START + MINUTE
    assert store.holds(lost)  # it ran out, but nobody else has it
    again = store.claim_lost(["evaluate"], lease=MINUTE)
    assert [store.holds(lost), store.holds(again)] == [False, True]


def test_settle_with_one_stale_token_clears_and_writes_nothing(store):
    owing(store, "a", "evaluate")
    owing(store, "b", "evaluate")
    claims = claim(store, "evaluate")
    owe(store, "b", "evaluate")

    with pytest.raises(Stale):
        store.settle(claims, lambda tx: tx.insert(Record("award", "x"))).result(WAIT)

    assert store.get("award", "x") is None
    assert store.backlog() == [Backlog("evaluate", 2, 0, START)]


def test_settle_whose_decision_raises_leaves_the_entries_leased(store):
    owing(store, "a", "evaluate")
    claims = claim(store, "evaluate")

    def fail(tx):
        tx.insert(Record("award", "x"))
        raise ValueError("no")

    assert isinstance(store.settle(claims, fail).exception(WAIT), ValueError)

    assert store.get("award", "x") is None
    assert claim(store, "evaluate") == []
    store.settle(claims, nothing).result(WAIT)
    assert store.backlog() == []


def test_an_entry_is_settled_once(store):
    owing(store, "a", "evaluate")
    claims = claim(store, "evaluate")
    store.settle(claims, nothing).result(WAIT)

    assert isinstance(store.settle(claims, nothing).exception(WAIT), Stale)


def test_what_the_settling_decision_owes_anew_stands_after_it(store):
    owing(store, "a", "expire")
    claims = claim(store, "expire")

    store.settle(claims, lambda tx: tx.owe("thing", "a", Owed("expire", START + 5))).result(WAIT)

    assert store.backlog() == [Backlog("expire", 1, 0, START + 5)]
    assert claim(store, "expire") == []


def test_the_backlog_counts_each_step_in_the_order_of_their_names(store):
    owing(store, "a", "sync", "evaluate", due=50)
    owing(store, "b", "sync", due=40)
    owing(store, "c", "sync", due=START + MINUTE)
    owing(store, "d", "zip", due=3)
    store.defer(only(claim(store, "zip")), due=3, error="x", parked=True)
    claim(store, "evaluate")

    assert store.backlog() == [
        Backlog("evaluate", 1, 0, 50),
        Backlog("sync", 3, 0, 40),
        Backlog("zip", 0, 1, None),
    ]


def test_a_claim_shows_the_record_as_it_is_now(store):
    owing(store, "a", "evaluate")
    store.write(lambda tx: tx.replace(Record("thing", "a", b"now", {"m": 1}, (4,), rev=1))).result(WAIT)

    claimed = only(claim(store, "evaluate")).record

    assert (claimed.body, claimed.meta, claimed.keys, claimed.rev) == (b"now", {"m": 1}, (4,), 2)


def test_what_is_owed_survives_closing_and_opening(store_url, clock):
    first = open_store(store_url, clock=clock)
    owing(first, "a", "evaluate")
    leased = only(claim(first, "evaluate"))
    first.close()

    again = open_store(store_url, clock=clock)
    again.settle([leased], nothing).result(WAIT)
    assert (again.backlog(), ids(again.find("thing").records)) == ([], ["a"])
    again.close()


def test_several_workers_claim_every_entry_once(store, store_url, clock):
    records = [Record("thing", str(n), owed=(Owed("evaluate"),)) for n in range(40)]
    store.write(lambda tx: [tx.insert(record) for record in records]).result(WAIT)
    other = open_store(store_url, clock=clock)
    claimed = []

    def work(on):
        while claims := claim(on, "evaluate", limit=4):
            claimed.extend(each.record.id for each in claims)
            on.settle(claims, nothing).result(WAIT)

    threads = [threading.Thread(target=work, args=(each,)) for each in (store, other, store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * WAIT)
    other.close()

    assert sorted(claimed, key=int) == [str(n) for n in range(40)]
    assert store.backlog() == []
