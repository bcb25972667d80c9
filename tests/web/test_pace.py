"""How much is let in at once: the bound falls when answers are late, rises when they are in time."""

import pytest

from lrs.kernel.errors import Overloaded
from lrs.web.pace import FIRST, LEAST, Pace


class Now:
    now = 100.0

    def __call__(self):
        return self.now


def test_what_does_not_fit_beside_others_is_sent_away_and_a_large_one_alone_is_not():
    pace = Pace()
    pace.enter(3 * FIRST)
    with pytest.raises(Overloaded):
        pace.enter(1)

    pace.leave(3 * FIRST, 0.1)

    pace.enter(FIRST)
    with pytest.raises(Overloaded):
        pace.enter(FIRST)


def has_room_for_exactly(pace, size):
    with pytest.raises(Overloaded):
        pace.enter(size + 1)
    pace.enter(size)
    return True


def test_late_answers_lower_the_bound_once_for_all_that_were_inside():
    now = Now()
    pace = Pace(now)
    for _ in range(4):
        pace.enter(1_000)
    pace.leave(1_000, 0.6)
    pace.leave(1_000, 0.7)

    assert has_room_for_exactly(pace, FIRST * 3 // 4 - 2_000)


def test_the_bound_never_falls_below_the_least():
    now = Now()
    pace = Pace(now)
    pace.enter(1_000)
    for _ in range(20):
        now.now += 1
        pace.enter(1_000)
        pace.leave(1_000, 5)

    assert has_room_for_exactly(pace, LEAST - 1_000)


def test_answers_in_time_raise_the_bound_when_it_is_used():
    pace = Pace()
    sizes = [FIRST // 4] * 4
    for size in sizes:
        pace.enter(size)
    with pytest.raises(Overloaded):
        pace.enter(1)

    pace.leave(FIRST // 4, 0.1)

    assert has_room_for_exactly(pace, FIRST // 4 + FIRST // 16)
