"""The command that brings a file in beside a worker: how long it leaves the job to the worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.imports import here
from adapters.imports import job as jobs
from adapters.imports.here import PATIENCE, follow
from adapters.imports.job import Job, Sender, change

JOB = Job("second", "eportfolio", "north", "b.csv", Sender("north", "{}"), 1)


class Course:
    """Time that passes only while it is waited; *happens* is called with the seconds since the start."""

    def __init__(self, happens: Callable[[float], object]) -> None:
        self.now = 0.0
        self.happens = happens

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 3)
        self.happens(self.now)


@pytest.fixture
def followed(tenant, monkeypatch):
    """Since when the command works at the job itself; ``None`` if the worker ends it."""

    def run(happens: Callable[[float], object], *, theirs: bool = True) -> float | None:
        course, turns = Course(happens), []

        class Own:
            def __init__(self, *_: object) -> None:
                """Ends the job in its first turn."""

            def turn(self) -> None:
                turns.append(course.now)
                put(tenant, "second", state="done")

        monkeypatch.setattr(here, "Work", Own)
        monkeypatch.setattr(here, "time", course)
        jobs.add(tenant.store, JOB)
        follow(tenant, JOB, {}, theirs=theirs, say=lambda _: None)
        return turns[0] if turns else None

    return run


def put(tenant, id: str, **new) -> None:
    tenant.store.write(lambda tx: change(tx, id, **new)).result()


def test_a_job_at_which_a_worker_goes_on_is_left_to_it_however_long_that_takes(tenant, followed):
    def happens(now):
        put(tenant, "second", seen=round(now * 10), rows=round(now * 10), starts=0)
        if now >= 3 * PATIENCE:
            put(tenant, "second", state="done")

    assert followed(happens) is None


def test_a_job_that_waits_for_the_file_before_it_is_left_to_the_worker_that_works_at_that(tenant, followed):
    jobs.add(tenant.store, Job("first", "eportfolio", "north", "a.csv", Sender("north", "{}"), 1))

    def happens(now):
        if now < 2 * PATIENCE:
            put(tenant, "first", seen=round(now * 10))
        else:
            put(tenant, "first", state="done")
            put(tenant, "second", state="done")

    assert followed(happens) is None


def test_a_job_whose_worker_ended_after_it_had_opened_the_file_is_done_here(tenant, followed):
    def happens(now):
        assert now < 3 * PATIENCE
        if now == 1.0:
            put(tenant, "second", seen=10, starts=1, state="running")

    assert followed(happens) == pytest.approx(1.0 + PATIENCE, abs=0.2)


def test_a_job_that_no_worker_begins_is_done_here(followed):
    assert followed(lambda _: None) == pytest.approx(PATIENCE, abs=0.2)


def test_without_a_worker_the_job_is_done_here_at_once(followed):
    assert followed(lambda _: None, theirs=False) == 0.0
