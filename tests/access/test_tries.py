"""Tries of passwords and codes are counted in the store: over the limit nobody is looked at, in whichever process."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from lrs.access import tries
from lrs.access.tries import Try, TryLimit
from lrs.kernel.admission import RetryLater
from lrs.kernel.settings import Settings
from lrs.storage import each
from lrs.tenancy.tenants import open_tenant

MINUTE = 60 * 1_000_000


class Clock:
    now = 1_796_000_000_000_000

    def __call__(self):
        return self.now


def of(who, most=3, seconds=60):
    return Try(("account", who), TryLimit(most, seconds))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tries")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tenant(folder, clock):
    opened = open_tenant(Settings(data=folder), clock=clock)
    with closing(opened.store):
        yield opened


def wait(tenant, *some):
    """The seconds after which one more is taken; 0 if it was."""
    try:
        tries.count(tenant, *some)
    except RetryLater as refused:
        return int(dict(refused.headers)["retry-after"])
    return 0


def test_tries_count_for_a_while_and_then_no_more(tenant, clock):
    first = [wait(tenant, of("a")) for _ in range(3)]
    clock.now += MINUTE // 2

    over, other = wait(tenant, of("a")), wait(tenant, of("b"))
    clock.now += MINUTE // 2

    assert (first, over, other) == ([0, 0, 0], 30, 0)
    assert wait(tenant, of("a")) == 0


def test_the_time_begins_with_the_first_try_and_not_anew_with_each(tenant, clock):
    for _ in range(3):
        tries.count(tenant, of("slow"))
        clock.now += MINUTE // 4

    assert wait(tenant, of("slow")) == 15


def test_of_two_tries_one_that_is_over_counts_neither(tenant):
    for _ in range(3):
        tries.count(tenant, of("full"))

    assert [wait(tenant, of("full"), of("free")) > 0 for _ in range(5)] == [True] * 5
    assert [wait(tenant, of("free")) for _ in range(3)] == [0, 0, 0]


def test_who_was_right_begins_anew_and_takes_one_back_from_the_address(tenant):
    account, address = of("right"), of("address", 4)
    for _ in range(3):
        tries.count(tenant, account, address)

    tries.was_right(tenant, account, address)

    assert [wait(tenant, account, address) > 0 for _ in range(3)] == [False, False, True]
    assert wait(tenant, account) == 0


def test_of_guesses_that_come_at_once_in_two_processes_no_more_than_the_limit_are_looked_at(tenant, folder, clock):
    other = open_tenant(Settings(data=folder), clock=clock)
    with closing(other.store), ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda one: wait(one, of("both", 10)), [tenant, other] * 20))

    assert taken.count(0) == 10


def test_tries_of_a_time_to_come_keep_nobody_out(tenant, clock):
    clock.now += 1_000 * MINUTE
    for _ in range(3):
        tries.count(tenant, of("ahead"))
    clock.now -= 1_000 * MINUTE

    assert wait(tenant, of("ahead")) == 0


def test_however_many_names_are_made_up_little_is_kept_and_no_name_of_anybody(tenant, monkeypatch):
    monkeypatch.setattr(tries, "SLOTS", 8)
    for number in range(400):
        tries.count(tenant, of(f"made-up-{number}@example.org"))

    kept = list(each(tenant.store, tries.KIND))
    assert len([one for one in kept if int(one.id) < 8]) == 8
    assert not [one for one in kept if "example" in f"{one.id}{one.meta}"]


def test_a_right_try_forgets_none_of_another_name_that_has_taken_the_place_since(tenant, monkeypatch):
    monkeypatch.setattr(tries, "SLOTS", 1)
    tries.count(tenant, of("first"))
    for _ in range(3):
        tries.count(tenant, of("second"))

    tries.was_right(tenant, of("first"))

    with pytest.raises(RetryLater):
        tries.count(tenant, of("second"))
