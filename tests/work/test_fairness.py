"""Whose turn it is: the time used decides, not the length of a queue."""

from math import inf

from lrs.work.fairness import Rota


def turns(rota, costs, count):
    taken = []
    for _ in range(count):
        name = rota.next(0.0)
        taken.append(name)
        rota.spend(name, costs[name])
    return taken


def test_one_whose_turns_are_long_has_fewer_of_them():
    rota = Rota()
    rota.wake("slow")
    rota.wake("fast")

    taken = turns(rota, {"slow": 1.0, "fast": 0.25}, 15)

    assert (taken.count("slow"), taken.count("fast")) == (3, 12)


def test_one_that_comes_waits_for_no_more_than_the_turn_at_hand_and_has_saved_nothing_up():
    rota = Rota()
    rota.wake("busy")
    turns(rota, {"busy": 1.0}, 1_000)

    rota.wake("new")

    assert turns(rota, {"busy": 1.0, "new": 1.0}, 6).count("new") == 3


def test_one_that_comes_is_beside_whoever_has_used_the_least():
    rota = Rota()
    rota.wake("much")
    rota.wake("little")
    rota.spend("much", 10.0)
    rota.spend("little", 2.0)

    rota.wake("new")

    assert turns(rota, {"much": 1.0, "little": 1.0, "new": 1.0}, 4) == ["little", "new", "little", "new"]


def test_one_that_was_away_comes_back_as_if_it_were_new():
    rota = Rota()
    rota.wake("busy")
    rota.wake("other")
    rota.sleep("other")
    turns(rota, {"busy": 1.0}, 100)

    rota.wake("other")
    rota.wake("other")

    assert turns(rota, {"busy": 1.0, "other": 1.0}, 4).count("other") == 2


def test_nobody_is_next_before_it_is_ready_and_the_first_to_be_ready_is_told():
    rota = Rota()
    assert (rota.next(5.0), rota.earliest()) == (None, inf)
    rota.wake("a")
    rota.wake("b")
    rota.spend("a", 1.0, ready=10.0)
    rota.spend("b", 2.0, ready=9.0)

    assert (rota.next(8.0), rota.earliest()) == (None, 9.0)
    assert rota.next(9.0) == "b"
    assert rota.next(10.0) == "a"
    rota.wake("b")
    assert rota.next(8.0) is None
