"""Kills, again and again: of servers under writers, of Celery workers at every step, and a broker away for long."""

from __future__ import annotations

import random
import statistics
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.programs import Forwarder, programs, until
from tests.reliability.test_server import integrity, key_for, store_of
from tests.reliability.writers import SIZE, Writers, stored
from tests.soak.often import KILLS
from tests.work.test_work_processes import STEPS, Workplace, kill_at, redis_url, two_celery_workers, workplace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_200 * KILLS)]
__all__ = ["redis_url"]
ROUNDS = 10 * KILLS
AWAY = 600.0
"""Seconds without a broker."""


def test_ten_kills_of_a_server_lose_nothing(tmp_path, row):
    lost = partial = acknowledged = 0
    with programs(tmp_path) as held:
        auth = key_for(held.data)
        _, address = server = held.serve()
        for _ in range(ROUNDS):
            writers = Writers(address, auth)
            writers.start()
            after = random.randint(1, 150)
            until(lambda n=after, w=writers: len(w.acknowledged) >= n, "acknowledged batches")
            server[0].kill()
            writers.wait()
            _, address = server = held.serve()
            for batch in writers.sent:
                there = sum(stored(address, auth, batch))
                acknowledged += batch in writers.acknowledged
                lost += batch in writers.acknowledged and there < SIZE
                partial += 0 < there < SIZE
        server[0].terminate()
        server[0].wait(30)
        assert integrity(store_of(held)) == [("ok",)]
    row("kills: acknowledged batches", acknowledged, "batches", at_least=ROUNDS)
    row("kills: acknowledged and lost", lost, "batches", at_most=0)
    row("kills: stored in part", partial, "batches", at_most=0)


def test_five_rounds_of_kills_at_every_step(tmp_path, redis_url, row):
    kills = 0
    with workplace(tmp_path, celery_broker=redis_url) as work:
        _, work.address = work.programs.serve()
        workers = two_celery_workers(work)
        workers()
        work.learn()
        for step in STEPS * 5 * KILLS:
            kills += kill_at(work, step, workers)
            workers()
            work.learn(2)
        work.settle()
        work.check()
        row("kills at every step: workers killed", kills, "workers", at_least=60 * KILLS)
        row("kills at every step: learners served", len(work.learners), "learners", at_least=4 + 60 * KILLS)


def test_a_broker_that_goes_away_for_ten_minutes_is_not_felt_by_ingest(tmp_path, redis_url, row):
    port = urlsplit(redis_url).port
    forwarder = Forwarder(port)
    forwarder.start()
    with workplace(tmp_path, celery_broker=redis_url.replace(str(port), str(forwarder.port)), sweep="3600") as work:
        work.programs.workers(2)
        _, work.address = work.programs.serve()
        usual = ingest(work, 60)
        work.settle()
        served = len(work.all("award"))

        forwarder.close()
        alone = ingest(work, AWAY)
        assert work.behind.due() > 0
        missed = 2 * len(work.learners) - len(work.all("award"))
        begun = time.monotonic()
        forwarder.start()
        try:
            until(lambda: len(work.all("award")) == 2 * len(work.learners), "the work to be done", patience=180)
            drained = time.monotonic() - begun
            work.settle()
        finally:
            work.programs.end()
            forwarder.close()
        work.check()
    assert served == 2 * usual.learners
    row("broker away: p95 of ingest over that with it", alone.p95 / usual.p95, "times", at_most=2)
    # A worker goes on while it finds more, so on a busy machine few wait: that some do shows that the broker was away.
    row("broker away: awards that waited for it", missed, "awards", at_least=1)
    row("broker away: seconds until all had theirs", drained, "s", at_most=120)


class Ingest(NamedTuple):
    learners: int
    p95: float


def ingest(work: Workplace, seconds: float) -> Ingest:
    """A learner every two seconds; how many, and the p95 of the requests in seconds."""
    first, known, end = len(work.took), len(work.learners), time.monotonic() + seconds
    while time.monotonic() < end:
        work.learn(1)
        time.sleep(2)
    return Ingest(len(work.learners) - known, statistics.quantiles(work.took[first:], n=20)[-1])
