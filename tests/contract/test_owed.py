"""Owed work: it stands with its fact, is leased, settled, handed back, parked and retried."""

from __future__ import annotations

import threading

import pytest

from lrs.storage import Backlog, Owed, Record, Stale, Walk, open_store
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
        tx.find(Walk("thing"))
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
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 10_000)
    for number in range(6):
        insert(store, str(number), body=b"x" * 4_000, owed=(Owed("step"),))

    claimed = [store.claim(["step"], limit=100, lease=MINUTE) for _ in range(4)]

    assert [len(claims) for claims in claimed] in ([2, 2, 2, 0], [3, 3, 0, 0])
    assert sorted(one.record.id for claims in claimed for one in claims) == ["0", "1", "2", "3", "4", "5"]


def test_one_record_that_is_larger_than_a_claim_is_claimed_alone(store, monkeypatch):
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 10)
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


def test_nobody_else_can_claim_a_leased_entry_until_the_lease_runs_out(store, clock):
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
    assert (again.backlog(), ids(again.find(Walk("thing")).records)) == ([], ["a"])
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


def test_the_oldest_are_claimed_first_and_those_that_were_handed_back_after_them(store, clock):
    for id in "abcdef":
        owing(store, id, "deliver")
    first = claim(store, "deliver", limit=1, oldest=True)
    store.defer(first[0], due=clock.now, error="busy")

    rounds = [ids([one.record for one in claim(store, "deliver", limit=2, oldest=True)]) for _ in range(3)]

    assert [sorted(each) for each in rounds] == [["b", "c"], ["d", "e"], ["a", "f"]]


def test_records_with_a_key_that_is_left_out_are_not_claimed_however_many_are_before_the_others(store):
    for number in range(60):
        insert(store, f"busy-{number}", keys=(7, 1), owed=(Owed("deliver"),))
    insert(store, "shut", keys=(8,), owed=(Owed("deliver"),))
    insert(store, "free", keys=(1,), owed=(Owed("deliver"),))

    some = claim(store, "deliver", limit=4, oldest=True, without=(7, 8))

    assert names(some) == [("free", "deliver")]
    assert len(claim(store, "deliver", limit=4, without=(8,))) == 4


def test_a_lost_entry_with_a_key_that_is_left_out_stays_lost(store, clock):
    insert(store, "busy", keys=(7,), owed=(Owed("deliver"),))
    claim(store, "deliver", lease=SECOND)
    clock.now += 2 * SECOND

    left = store.claim_lost(["deliver"], lease=SECOND, without=(7,))
    found = store.claim_lost(["deliver"], lease=SECOND, without=(8,))

    assert (left, found.record.id) == (None, "busy")


def test_what_is_handed_back_unbegun_is_due_at_once_with_the_tries_it_had(store, clock):
    owing(store, "tried", "deliver", "sync")
    store.defer(only(claim(store, "deliver")), due=clock.now, error="busy")
    owing(store, "new", "deliver")
    owing(store, "settled", "deliver")
    some = claim(store, "deliver")
    store.settle([one for one in some if one.record.id == "settled"], nothing).result(WAIT)

    store.release(some)
    store.release([])

    again = claim(store, "deliver")
    assert {one.record.id: (one.owed.tries, one.owed.error) for one in again} == {
        "tried": (1, "busy"),
        "new": (0, None),
    }
    assert names(claim(store, "sync")) == [("tried", "sync")]


def test_what_is_handed_back_after_its_lease_was_lost_stays_with_whoever_has_it(store, clock):
    owing(store, "a", "deliver")
    lost = claim(store, "deliver", lease=SECOND)
    clock.now += 2 * SECOND
    held = store.claim_lost(["deliver"], lease=MINUTE)

    store.release(lost)

    assert claim(store, "deliver") == []
    assert store.holds(held)


def test_two_steps_of_one_record_that_are_claimed_together_are_put_off_and_settled_apart(store, clock):
    owing(store, "a", "evaluate", "sync")
    evaluate, sync = sorted(claim(store, "evaluate", "sync"), key=lambda one: one.owed.step)

    store.defer(evaluate, due=clock.now + MINUTE, error="503")
    held = [store.holds(one) for one in (evaluate, sync)]
    store.release([sync])

    assert held == [False, True]
    again = only(claim(store, "evaluate", "sync"))
    assert again.owed == Owed("sync", START, 0)
    store.settle([again], nothing).result(WAIT)
    assert [(one.step, one.waiting) for one in store.backlog()] == [("evaluate", 1)]
    assert store.failing("evaluate")[0][1].error == "503"


def test_of_two_steps_of_one_record_whose_worker_died_one_is_claimed_alone_and_then_the_other(store, clock):
    owing(store, "a", "evaluate", "sync")
    claim(store, "evaluate", "sync", lease=MINUTE)
    clock.forward(micros=MINUTE)

    lost = [store.claim_lost(["evaluate", "sync"], lease=MINUTE) for _ in range(3)]

    assert sorted(one.owed.step for one in lost if one) == ["evaluate", "sync"]
    assert lost[2] is None
    assert [one.owed.tries for one in lost[:2]] == [0, 0]
    assert [store.holds(one) for one in lost[:2]] == [True, True]


def test_what_is_owed_anew_before_its_claim_is_settled_in_the_same_group_is_owed_still(store):
    owing(store, "a", "evaluate")
    held = only(claim(store, "evaluate"))
    begun, go_on = threading.Event(), threading.Event()
    store.write(lambda _: (begun.set(), go_on.wait(60)))
    begun.wait(60)
    again = store.write(lambda tx: tx.owe("thing", "a", Owed("evaluate")))
    settled = store.settle([held], nothing)
    go_on.set()

    again.result(WAIT)
    with pytest.raises(Stale):
        settled.result(WAIT)
    assert names(claim(store, "evaluate")) == [("a", "evaluate")]
