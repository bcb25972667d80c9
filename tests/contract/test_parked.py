"""Entries that are handed back, given up on and made due again."""

from __future__ import annotations

import pytest

from lrs.storage import Backlog, Owed, Record, Stale
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


@pytest.mark.parametrize(
    ("chosen", "revived"),
    [
        ({}, {("thing", "1", "sync"), ("thing", "1", "issue"), ("thing", "2", "sync"), ("other", "1", "sync")}),
        ({"step": "sync"}, {("thing", "1", "sync"), ("thing", "2", "sync"), ("other", "1", "sync")}),
        ({"kind": "thing"}, {("thing", "1", "sync"), ("thing", "1", "issue"), ("thing", "2", "sync")}),
        ({"kind": "thing", "id": "1"}, {("thing", "1", "sync"), ("thing", "1", "issue")}),
        ({"step": "issue", "kind": "thing", "id": "1"}, {("thing", "1", "issue")}),
        ({"id": "1"}, {("thing", "1", "sync"), ("thing", "1", "issue"), ("other", "1", "sync")}),
        ({"kind": "none"}, set()),
    ],
)
def test_retry_makes_the_chosen_parked_entries_due_at_once_with_tries_from_zero(store, chosen, revived):
    for kind, id, steps in (("thing", "1", ("sync", "issue")), ("thing", "2", ("sync",)), ("other", "1", ("sync",))):
        record = Record(kind, id, owed=tuple(Owed(step) for step in steps))
        store.write(lambda tx, record=record: tx.insert(record)).result(WAIT)
    for each in claim(store, "sync", "issue"):
        store.defer(each, due=0, error="x", parked=True)
    owing(store, "waiting", "later", due=START + MINUTE)

    assert store.retry(**chosen) == len(revived)

    claims = claim(store, "sync", "issue", "later")
    assert {(each.record.kind, each.record.id, each.owed.step) for each in claims} == revived
    assert {each.owed.tries for each in claims} <= {0}
    assert {each.owed.due for each in claims} <= {START}
    assert len(store.parked()) == 4 - len(revived)
