"""Entries whose worker ended: claimed one by one, so that only the one that ends workers is put aside."""

from __future__ import annotations

import random

import pytest

from lrs.storage import Owed
from tests.conftest import START
from tests.contract.acts import MINUTE, WAIT, claim, names, nothing, owing


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


def test_of_one_record_a_step_that_is_due_is_claimed_without_the_one_whose_worker_ended(store, clock):
    owing(store, "a", "lost", "due")
    claim(store, "lost", lease=MINUTE)
    clock.now = START + MINUTE

    assert names(claim(store, "lost", "due")) == [("a", "due")]
    assert store.claim_lost(["lost", "due"], lease=MINUTE).owed.step == "lost"


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


@pytest.mark.parametrize("settled", [1, 40])
def test_what_is_settled_while_somebody_looks_keeps_nobody_from_the_others(store, clock, monkeypatch, settled):
    for number in range(settled):
        owing(store, f"{number:02}", "evaluate")
    late = claim(store, "evaluate", limit=100)
    owing(store, "other", "evaluate")
    claim(store, "evaluate")
    clock.now = START + MINUTE
    looks = []

    def settle_meanwhile(found):
        looks.append(len(found))
        if len(looks) == 1:
            store.settle(late, nothing).result(WAIT)
        found.sort(key=str)  # "other" is the last of those found

    monkeypatch.setattr(random, "shuffle", settle_meanwhile)
    lost = store.claim_lost(["evaluate"], lease=MINUTE)

    assert looks, "the engine looks, chooses, then leases"
    assert lost is not None
    assert lost.record.id == "other"
    assert store.claim_lost(["evaluate"], lease=MINUTE) is None
