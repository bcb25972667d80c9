"""A commit wakes the worker process at once; the worker here looks by itself only once an hour."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lrs.kernel.settings import Settings
from lrs.storage import Owed, Record
from lrs.storage.wakeups import wakeups_in
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import open_tenant
from lrs.work.step import Step
from lrs.work.worker import Crew
from tests.builders import Always
from tests.programs import PATIENCE, runs, until

WORKER = (
    "import os, sys; from pathlib import Path; from lrs.kernel.settings import Settings;"
    "from lrs.ops import work_commands;"
    "work_commands.IDLE = 3600; work_commands.run_worker(Settings(data=Path(sys.argv[1])), os.getppid())"
)


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = Settings(data=tmp_path)
    open_tenant(made).store.close()
    return made


@contextmanager
def worker(settings) -> Iterator[subprocess.Popen]:
    """A worker process that listens; ended as ``lrs serve`` ends it."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(settings.data)])
    pipe = f"*~{process.pid}-*.pipe"
    try:
        until(lambda: any(wakeups_in(settings.data).glob(pipe)), "the worker")
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def owe(tenant, id, step="refs"):
    tenant.store.write(lambda tx: tx.insert(Record("statement", id, meta={"source": "s"}, owed=(Owed(step),)))).result()


def test_a_commit_wakes_a_worker_process_and_after_a_kill_the_one_that_comes_next(settings):
    tenants = Tenants(settings)
    try:
        with tenants.hold("default") as tenant, worker(settings) as first:
            owe(tenant, "a")
            until(lambda: tenant.store.backlog() == [], "the first worker")

            os.kill(first.pid, signal.SIGKILL)
            until(lambda: not runs(first.pid), "its end")
            owe(tenant, "while nobody works")
            waiting = [one.waiting for one in tenant.store.backlog()]
            with worker(settings):
                until(lambda: tenant.store.backlog() == [], "what was owed meanwhile")
                owe(tenant, "b")

                until(lambda: tenant.store.backlog() == [], "the second worker")
    finally:
        tenants.close()

    assert waiting == [1]
    assert list(wakeups_in(settings.data).iterdir()) == []


def test_a_call_for_some_steps_wakes_only_their_lanes(settings):
    tenant = open_tenant(settings)
    done = []

    def step(name):
        def settle(tenant, claims):
            tenant.store.settle(claims, lambda _: None).result()
            done.append(name)

        return Step(settle)

    tenants = Always(tenant)
    crew = Crew([{"one": step("one")}, {"two": step("two")}], tenants, idle=3_600)
    try:
        owe(tenant, "first", "one")
        owe(tenant, "first of two", "two")
        crew.call("default")
        until(lambda: tenant.store.backlog() == [], "both")
        for id, name in (("a", "one"), ("b", "two")):
            owe(tenant, id, name)
        crew.call("default", ["two"])
        until(lambda: len(done) == 3, "the lane that was called")

        assert [one.step for one in tenant.store.backlog()] == ["one"]
    finally:
        crew.close()
        tenant.store.close()

    assert sorted(done) == ["one", "two", "two"]


def test_a_process_that_has_workers_of_its_own_calls_them_and_no_other(settings):
    tenants, called = Tenants(settings), []
    tenants.control.due.call_here(lambda tenant, steps: called.append((tenant, sorted(steps))))
    try:
        with tenants.hold("default") as tenant:
            owe(tenant, "a", "match")
            tenant.store.write(lambda _: None).result()
    finally:
        tenants.close()

    assert called == [("default", ["match"])]
