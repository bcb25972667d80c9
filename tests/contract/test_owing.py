"""Owing more: the same step again, on a change, and what becomes of a lease meanwhile."""

from __future__ import annotations

import pytest

from lrs.storage import NEWEST, Backlog, Owed, Record, Stale, open_store
from tests.conftest import START
from tests.contract.acts import MINUTE, WAIT, claim, insert, names, nothing, only, owe, owing


def test_what_was_owed_for_later_is_due_at_once_when_it_is_owed_at_once(store, clock):
    owing(store, "a", "evaluate", due=START + MINUTE)
    clock.now = START + 5
    owe(store, "a", "evaluate")

    assert only(claim(store, "evaluate")).owed == Owed("evaluate", START + 5)


def test_owing_a_step_again_while_it_is_leased_makes_the_lease_stale(store):
    owing(store, "a", "evaluate")
    first = only(claim(store, "evaluate"))

    owe(store, "a", "evaluate")

    assert isinstance(store.settle([first], nothing).exception(WAIT), Stale)
    assert store.defer(first, due=NEWEST, error="late") is False
    second = only(claim(store, "evaluate"))
    store.settle([second], nothing).result(WAIT)


@pytest.mark.parametrize("leased", [False, True])
@pytest.mark.parametrize(("old", "new", "due"), [(5, 9, 5), (9, 5, 5), (5, START + MINUTE, 5)])
def test_of_two_times_owed_the_earlier_is_due_also_after_a_lease(store, leased, old, new, due):
    owing(store, "a", "evaluate", due=old)
    if leased:
        claim(store, "evaluate")

    owe(store, "a", "evaluate", new)

    assert only(claim(store, "evaluate")).owed == Owed("evaluate", due)


def test_owing_again_starts_the_tries_anew_and_forgets_the_error(store):
    owing(store, "a", "evaluate")
    store.defer(only(claim(store, "evaluate")), due=START, error="broken")

    owe(store, "a", "evaluate", START)

    assert only(claim(store, "evaluate")).owed == Owed("evaluate", START)


def test_replace_with_owed_adds_to_what_is_owed(store):
    owing(store, "a", "evaluate")
    first = only(claim(store, "evaluate"))

    change = Record("thing", "a", b"new", owed=(Owed("evaluate"), Owed("sync", 3)), rev=1)
    store.write(lambda tx: tx.replace(change)).result(WAIT)

    assert isinstance(store.settle([first], nothing).exception(WAIT), Stale)
    claims = claim(store, "evaluate", "sync")
    assert names(claims) == [("a", "evaluate"), ("a", "sync")]
    assert {each.record.body for each in claims} == {b"new"}


def test_replace_without_owed_keeps_what_is_owed_and_its_lease(store):
    owing(store, "a", "evaluate", "sync")
    leased = only(claim(store, "evaluate"))

    store.write(lambda tx: tx.replace(Record("thing", "a", b"new", rev=1))).result(WAIT)

    store.settle([leased], nothing).result(WAIT)
    assert only(claim(store, "sync")).record.body == b"new"


def test_delete_removes_what_was_owed(store):
    owing(store, "a", "evaluate")
    claims = claim(store, "evaluate")

    store.write(lambda tx: tx.delete("thing", "a")).result(WAIT)
    insert(store, "a")

    assert isinstance(store.settle(claims, nothing).exception(WAIT), Stale)
    assert store.defer(claims[0], due=0, error=None) is False
    assert store.backlog() == []


def test_owing_for_a_record_that_is_not_there_is_stale(store):
    insert(store, "a")

    with pytest.raises(Stale):
        owe(store, "none", "evaluate")

    assert store.backlog() == []


def test_a_step_owed_twice_by_one_insert_is_one_entry_with_the_earlier_due(store):
    insert(store, "a", owed=(Owed("evaluate", 9), Owed("evaluate", 5)))

    assert store.backlog() == [Backlog("evaluate", 1, 0, 5)]


@pytest.fixture
def told(store_url, clock):
    """A store, and the steps that each of its commits says it owes."""
    heard: list[list[str]] = []
    opened = open_store(store_url, clock=clock, secret=bytes(32), committed=lambda steps: heard.append(sorted(steps)))
    yield opened, heard
    opened.close()


def test_after_a_commit_is_told_what_it_owes_at_once_and_not_what_is_for_later_or_put_aside(told):
    writing, heard = told
    owed = (Owed("match"), Owed("due", START - 1), Owed("later", START + MINUTE), Owed("aside", parked=True))
    writing.write(lambda tx: tx.insert(Record("thing", "a", owed=owed))).result(WAIT)
    writing.write(lambda tx: tx.owe("thing", "a", Owed("sync"))).result(WAIT)
    writing.write(lambda tx: tx.insert(Record("thing", "b"))).result(WAIT)
    writing.write(lambda tx: tx.retry("thing", "a", "aside")).result(WAIT)

    assert heard == [["due", "match"], ["sync"], [], ["aside"]]
