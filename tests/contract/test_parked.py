"""Entries that are handed back, given up on and made due again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lrs.storage import Backlog, Owed, Stale, put_aside
from tests.conftest import START
from tests.contract.acts import MINUTE, WAIT, claim, names, nothing, only, owe, owing


def test_defer_hands_an_entry_back_with_one_more_try_and_the_reason(store, clock):
    owing(store, "a", "sync")
    first = only(claim(store, "sync"))

    assert store.defer(first, due=START + 30, error="503 from the service") is True

    assert claim(store, "sync") == []
    clock.now = START + 30
    assert only(claim(store, "sync")).owed == Owed("sync", START + 30, 1, "503 from the service")
    assert isinstance(store.settle([first], nothing).exception(WAIT), Stale)
    assert store.defer(first, due=0, error=None) is False


def test_a_parked_entry_is_shown_with_its_reason_and_left_alone(store, clock):
    owing(store, "a", "sync", "evaluate")
    claimed = only(claim(store, "sync"))

    assert store.defer(claimed, due=START, error="400: no such learner", parked=True) is True

    ((record, owed),) = store.parked()
    assert (record.id, owed) == ("a", Owed("sync", START, 1, "400: no such learner", parked=True))
    clock.forward(seconds=1e9)
    assert claim(store, "sync") == []
    assert names(claim(store, "evaluate")) == [("a", "evaluate")]


def test_an_entry_is_put_aside_in_the_commit_that_says_so_in_its_record(store, clock):
    owing(store, "a", "sync", "evaluate", due=START)
    claimed = only(claim(store, "sync"))

    def failed(tx):
        tx.replace(replace(tx.get("thing", "a"), meta={"state": "failed"}))
        return "400: no such learner"

    assert put_aside(store, claimed, failed, START) is True

    ((record, owed),) = store.parked()
    assert (record.meta, owed) == ({"state": "failed"}, Owed("sync", START, 1, "400: no such learner", parked=True))
    clock.forward(seconds=1e9)
    assert claim(store, "sync") == []
    assert names(claim(store, "evaluate")) == [("a", "evaluate")]


def test_a_lease_that_was_lost_puts_nothing_aside_and_writes_nothing(store, clock):
    owing(store, "a", "sync")
    old = only(claim(store, "sync"))
    clock.forward(seconds=120)
    new = store.claim_lost(["sync"], lease=MINUTE)

    def failed(tx):
        tx.replace(replace(tx.get("thing", "a"), meta={"state": "failed"}))
        return "400"

    assert put_aside(store, old, failed, START) is False

    assert (store.parked(), store.get("thing", "a").meta) == ([], {})
    assert store.holds(new)


def test_an_entry_that_waits_or_is_put_aside_is_put_aside_as_it_is_owed(store):
    owing(store, "a", "sync", "issue", due=5)
    store.defer(only(claim(store, "issue")), due=7, error="x", parked=True)

    for step in ("sync", "issue"):
        aside = Owed(step, START + 9, 3, "y", parked=True)
        store.write(lambda tx, aside=aside: tx.owe("thing", "a", aside)).result(WAIT)

    assert sorted((owed for _, owed in store.parked()), key=lambda owed: owed.step) == [
        Owed("issue", START + 9, 3, "y", parked=True),
        Owed("sync", START + 9, 3, "y", parked=True),
    ]
    assert claim(store, "sync", "issue") == []


def test_parked_entries_are_listed_by_step_up_to_a_limit(store):
    for n in range(3):
        owing(store, str(n), "sync", "issue")
    for each in claim(store, "sync", "issue"):
        store.defer(each, due=0, error="x", parked=True)

    assert sorted((record.id, owed.step) for record, owed in store.parked("sync")) == [
        ("0", "sync"),
        ("1", "sync"),
        ("2", "sync"),
    ]
    assert len(store.parked()) == 6
    assert len(store.parked(limit=4)) == 4
    assert len(store.parked("sync", limit=2)) == 2
    assert store.parked("none") == []


def test_what_failed_and_will_be_tried_again_is_listed_with_its_reason(store):
    owing(store, "failing", "sync", "evaluate")
    owing(store, "parked", "sync")
    owing(store, "new", "sync")
    for each in claim(store, "sync"):
        if each.record.id != "new":
            store.defer(each, due=START + 9, error="503", parked=each.record.id == "parked")

    ((record, owed),) = store.failing()

    assert (record.kind, record.id, owed) == ("thing", "failing", Owed("sync", START + 9, 1, "503"))
    assert len(store.failing("sync")) == 1
    assert (store.failing("evaluate"), store.failing(limit=1)) == ([], [(record, owed)])
    assert [each.id for each, _ in store.parked()] == ["parked"]


def test_owing_what_is_parked_makes_it_due_as_it_is_owed_now(store):
    owing(store, "a", "sync", due=5)
    store.defer(only(claim(store, "sync")), due=7, error="x", parked=True)

    owe(store, "a", "sync", START + 9)

    assert store.parked() == []
    assert store.backlog() == [Backlog("sync", 1, 0, START + 9)]


def test_retry_makes_the_named_parked_entry_due_at_once_with_tries_from_zero_and_no_other(store):
    owing(store, "a", "sync", "issue")
    owing(store, "b", "sync")
    for each in claim(store, "sync", "issue"):
        store.defer(each, due=0, error="x", parked=True)
    owing(store, "c", "later", due=START + MINUTE)

    done = store.write(
        lambda tx: [
            tx.retry("thing", "a", "sync"),
            tx.retry("thing", "a", "sync"),
            tx.retry("thing", "c", "later"),
            tx.retry("thing", "a", "match"),
            tx.retry("thing", "none", "sync"),
        ]
    ).result(WAIT)

    assert done == [True, False, False, False, False]
    found = only(claim(store, "sync", "issue", "later"))
    assert (found.record.id, found.owed) == ("a", Owed("sync", START, 0, "x"))
    assert sorted((record.id, owed.step) for record, owed in store.parked()) == [("a", "issue"), ("b", "sync")]


def test_a_retry_in_a_decision_that_fails_makes_nothing_due(store):
    owing(store, "a", "sync")
    store.defer(only(claim(store, "sync")), due=0, error="x", parked=True)

    def decide(tx):
        assert tx.retry("thing", "a", "sync")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(decide).result(WAIT)

    assert claim(store, "sync") == []
    assert len(store.parked()) == 1
