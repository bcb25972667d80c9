"""A tenant whose store opens slowly is waited for by those who asked for it, and by nobody else."""

import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from lrs.app import READERS
from lrs.kernel.admission import RetryLater
from lrs.kernel.settings import Settings
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.openings import MOST, THREADS, Openings
from lrs.tenancy.tenants import store_url
from tests.programs import until
from tests.served import serving


@pytest.fixture
def with_slow(tmp_path):
    settings = Settings(data=tmp_path)
    control = open_control(settings)
    states.create(settings, control, "slow", "")
    control.close()
    with serving(tmp_path) as lrs:
        yield lrs, store_url(settings, "slow").removeprefix("sqlite:///")


def about(lrs, prefix=""):
    return httpx.get(f"{lrs.address}{prefix}/xapi/about", trust_env=False, timeout=30).status_code


def test_requests_to_a_tenant_that_opens_slowly_keep_nobody_else_waiting(with_slow):
    lrs, file = with_slow
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    begun = []

    def ask():
        begun.append(1)
        return about(lrs, "/t/slow")

    with ThreadPoolExecutor(READERS + 8) as pool:
        slow = [pool.submit(ask) for _ in range(READERS + 8)]
        until(lambda: len(begun) == len(slow), "all to ask", 30)
        until(lambda: lrs.app.tenants._moving, "the opening to begin", 30)  # noqa: SLF001 (nothing else shows it)
        read = lrs.get(limit=1, agent={"mbox": "mailto:nobody@example.org"}, format="canonical").status_code
        well = about(lrs), httpx.get(f"{lrs.address}/health", trust_env=False, timeout=30).status_code
        waiting = [not one.done() for one in slow]
        lock.close()

        assert (read, well) == (200, (200, 200))
        assert all(waiting)
        assert {one.result(30) for one in slow} == {200}


def test_who_asks_for_the_same_tenant_shares_one_opening_and_only_so_many_are_opened_at_a_time():
    go, opened = threading.Event(), []
    before = set(threading.enumerate())
    openings = Openings(lambda name: go.wait(30) and opened.append(name))
    names = [f"t{number}" for number in range(MOST)]

    begun: list[Future[None]] = [openings.begin(name) for name in names]
    again = [openings.begin(name) for name in names]
    with pytest.raises(RetryLater) as refused:
        openings.begin("one-more")
    threads = [one for one in set(threading.enumerate()) - before if one.name.startswith("opening")]
    go.set()
    for one in begun:
        one.result(30)
    openings.close()

    assert begun == again
    assert (refused.value.status, refused.value.cause.name) == (503, "opening")
    assert len(threads) == THREADS
    assert sorted(opened) == sorted(names)
