"""Which passwords are taken, how they are kept, and that hashing them takes neither memory nor time of others."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.access import passwords
from lrs.access.throttle import Throttle
from lrs.kernel.admission import Overloaded, RetryLater
from lrs.kernel.errors import Refused

GOOD = "a longish sentence"


@pytest.fixture(autouse=True)
def as_in_use(monkeypatch, hasher_in_use):
    monkeypatch.setattr(passwords, "_HASHER", hasher_in_use)


def test_what_is_kept_is_argon2id_with_the_parameters_of_rfc_9106():
    kept = passwords.hashed(GOOD)

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert GOOD not in kept
    assert passwords.is_right(GOOD, kept)
    assert not passwords.is_right(GOOD + " ", kept)
    assert not passwords.is_outdated(kept)


def test_what_was_kept_with_less_is_outdated():
    less = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0000000000000000000000000000000000000000000"

    assert passwords.is_outdated(less)
    assert not passwords.is_right(GOOD, less)


@pytest.mark.parametrize("kept", [None, "", "no hash", "$argon2id$v=19$m=1"])
def test_where_nothing_or_nonsense_is_kept_no_password_is_right(kept):
    assert not passwords.is_right(GOOD, kept)


@pytest.mark.parametrize("password", ["x" * 12, "x y" * 300, "🙂" * 12, "pässwörter sind", " " * 11 + "x"])
def test_a_password_of_twelve_characters_is_taken_whatever_they_are(password):
    assert passwords.accepted(password)


@pytest.mark.parametrize(
    "password", ["", "x" * 11, "x" * 1_025, "PASSWORD1234", "Correct Horse Battery Staple", "\ufdfa" * 200]
)
def test_what_is_too_short_too_long_or_too_common_is_not(password):
    """The last one is one character that NFKC makes 18 of."""
    with pytest.raises(Refused) as refused:
        passwords.accepted(password)

    assert refused.value.status == 400


def test_the_list_holds_only_what_would_be_taken_otherwise():
    assert [one for one in passwords.COMMONEST if len(one) < passwords.SHORTEST or one != one.casefold()] == []


class Places(threading.BoundedSemaphore):
    @property
    def left(self):
        return self._value


def test_no_more_than_two_are_hashed_at_a_time_and_no_more_than_sixteen_wait(monkeypatch):
    going, most, let_go = [], [], threading.Event()
    places = Places(passwords.WAITING)
    monkeypatch.setattr(passwords, "_places", places)

    class Slow:
        def hash(self, password):
            going.append(password)
            most.append(len(going))
            let_go.wait(30)
            going.remove(password)
            return password

    monkeypatch.setattr(passwords, "_HASHER", Slow())
    with ThreadPoolExecutor(passwords.WAITING + 4) as threads:
        asked = [threads.submit(passwords.hashed, f"sentence {number}") for number in range(passwords.WAITING)]
        end = time.monotonic() + 30
        while (places.left or len(going) < passwords.AT_ONCE) and time.monotonic() < end:
            time.sleep(0.01)
        with pytest.raises(Overloaded):
            passwords.hashed(GOOD)
        let_go.set()
        done = [one.result() for one in asked]

    assert len(done) == passwords.WAITING
    assert max(most) == passwords.AT_ONCE
    assert places.left == passwords.WAITING


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_tries_count_for_a_while_and_then_no_more():
    clock = Clock()
    throttle = Throttle(2, 60, clock)
    for _ in range(2):
        throttle.check("a")
        throttle.note("a")

    with pytest.raises(RetryLater) as refused:
        throttle.check("a")
    throttle.check("b")
    assert (throttle.is_over("a"), throttle.is_over("b")) == (True, False)
    clock.now += 61
    assert not throttle.is_over("a")
    throttle.check("a")

    assert dict(refused.value.headers)["retry-after"] == "61"


def test_once_the_time_is_over_tries_are_counted_anew():
    clock = Clock()
    throttle = Throttle(2, 60, clock)
    for _ in range(2):
        throttle.note("a")
    clock.now += 61

    left = [(throttle.note("a"), throttle.left("a"))[1] for _ in range(2)]

    assert left == [None, 61]


def test_however_many_guess_little_is_remembered_and_the_newest_stays():
    clock = Clock()
    throttle = Throttle(1, 60, clock)
    for number in range(25_000):
        clock.now += 0.001
        throttle.note(str(number))

    assert sum(throttle.left(str(number)) is not None for number in range(25_000)) <= 10_000
    assert throttle.left("24999") is not None


def test_who_makes_many_names_up_has_only_that_forgotten_whose_time_is_over(monkeypatch):
    monkeypatch.setattr("lrs.access.throttle._FULL", 4)
    clock = Clock()
    throttle = Throttle(1, 60, clock)
    for name, later in (("over", 0), ("first", 61), ("second", 1), ("third", 1), ("fourth", 1)):
        clock.now += later
        throttle.note(name)
    left = [throttle.left(name) is not None for name in ("first", "second", "third", "fourth")]
    throttle.note("fifth")  # nothing is over: the older half goes

    assert left == [True] * 4
    assert [throttle.left(name) is not None for name in ("first", "second", "third", "fourth", "fifth")] == [
        *(False, False),
        *(True, True, True),
    ]
