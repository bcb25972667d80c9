"""After a clock that was ahead was put right: what lies further ahead than it can is due, what may lie there is not."""

from __future__ import annotations

import pytest

from lrs.storage import Owed
from lrs.storage.leases import Ahead
from tests.builders import retried
from tests.conftest import START
from tests.contract.acts import MINUTE, WAIT, claim, names, nothing, only, owing

YEAR = 365 * 24 * 60 * MINUTE
AHEAD = Ahead(lease=2 * MINUTE, tried=60 * MINUTE)
NONE_PLANNED = Ahead(lease=2 * MINUTE, tried=60 * MINUTE, untried=10 * MINUTE)


@pytest.fixture
def jumped(store, clock):
    """A store on which one worker leased, and handed back, while its clock was a year ahead; now it is right."""
    for name in ("leased", "deferred", "parked"):
        owing(store, name, "evaluate")
    owing(store, "planned", "evaluate", due=START + 2 * YEAR)
    clock.now = START + YEAR
    for each in claim(store, "evaluate", lease=MINUTE):
        if each.record.id != "leased":
            store.defer(each, due=clock.now + MINUTE, error="503", parked=each.record.id == "parked")
    clock.now = START
    return store


def test_leases_and_tries_that_lie_too_far_ahead_are_counted_and_due_and_a_day_in_two_years_is_not(jumped):
    assert claim(jumped, "evaluate") == []
    assert jumped.locked("evaluate", AHEAD) == 2

    assert jumped.unlock("evaluate", AHEAD) == 2

    assert jumped.locked("evaluate", AHEAD) == 0
    claims = claim(jumped, "evaluate")
    assert names(claims) == [("deferred", "evaluate"), ("leased", "evaluate")]
    assert {each.record.id: each.owed for each in claims} == {
        "leased": Owed("evaluate", START),
        "deferred": Owed("evaluate", START, 1, "503"),
    }
    jumped.settle(claims, nothing).result(WAIT)
    assert [(one.waiting, one.parked, one.oldest_due) for one in jumped.backlog()] == [(1, 1, START + 2 * YEAR)]


def test_where_nothing_is_planned_for_a_later_day_an_entry_that_lies_there_is_due_too(jumped):
    assert jumped.unlock("evaluate", NONE_PLANNED) == 3

    assert names(claim(jumped, "evaluate")) == [(name, "evaluate") for name in ("deferred", "leased", "planned")]


def test_what_lies_as_far_ahead_as_it_may_is_left_alone(store, clock):
    owing(store, "planned", "evaluate", due=START + 10 * MINUTE)
    owing(store, "tried", "evaluate")
    store.defer(only(claim(store, "evaluate")), due=START + 60 * MINUTE, error="503")
    owing(store, "leased", "evaluate")
    held = only(claim(store, "evaluate", lease=2 * MINUTE))

    assert (store.locked("evaluate", NONE_PLANNED), store.unlock("evaluate", NONE_PLANNED)) == (0, 0)
    clock.now = START - 1
    assert store.locked("evaluate", NONE_PLANNED) == 3
    assert store.locked("evaluate", AHEAD) == 2
    assert store.holds(held)


def test_whichever_may_lie_least_far_ahead_what_lies_further_is_due(store):
    owing(store, "tried", "evaluate")
    store.defer(only(claim(store, "evaluate")), due=START + 11 * MINUTE, error="503")
    owing(store, "leased", "evaluate")
    claim(store, "evaluate", lease=11 * MINUTE)
    owing(store, "planned", "evaluate", due=START + 11 * MINUTE)
    wide, short = 60 * MINUTE, 10 * MINUTE

    allowed = [Ahead(wide, wide, wide), Ahead(short, wide, wide), Ahead(wide, short, wide), Ahead(wide, wide, short)]
    assert [store.locked("evaluate", one) for one in (*allowed, Ahead(wide, short))] == [0, 1, 1, 1, 1]


def test_another_step_of_the_same_record_stays_locked_until_it_is_looked_at(store, clock):
    owing(store, "a", "evaluate", "sync")
    clock.now = START + YEAR
    claim(store, "evaluate", "sync")
    clock.now = START

    assert store.unlock("sync", AHEAD) == 1

    assert names(claim(store, "evaluate", "sync")) == [("a", "sync")]
    assert store.locked("evaluate", AHEAD) == 1


def test_the_holder_of_a_lease_that_was_unlocked_has_lost_it_and_no_try_is_counted(jumped, clock):
    jumped.unlock("evaluate", AHEAD)
    clock.now = START + 1

    assert jumped.claim_lost(["evaluate"], lease=MINUTE) is None
    assert {each.owed.tries for each in claim(jumped, "evaluate") if each.record.id == "leased"} == {0}


def test_what_was_made_due_again_by_a_clock_that_was_ahead_can_be_claimed_once_it_is_right(jumped, clock):
    clock.now = START + YEAR
    assert retried(jumped, "evaluate") == 1
    clock.now = START

    assert names(claim(jumped, "evaluate")) == [("parked", "evaluate")]
