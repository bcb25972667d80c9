"""Kills, again and again: of servers under writers, of Celery workers at every step, and a broker away for long."""

from __future__ import annotations

import random

import pytest

from tests.programs import programs, until
from tests.reliability.test_server import integrity, key_for, store_of
from tests.reliability.writers import SIZE, Writers, stored
from tests.test_work_processes import STEPS, kill_at, redis_url, workplace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_200)]
__all__ = ["redis_url"]
ROUNDS = 10


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
        workers = work.programs.workers(2)
        work.learn()
        for step in STEPS * 5:
            kill_at(work, step, [worker.pid for worker in workers])
            workers = work.programs.workers(2)
            work.learn(2)
            kills += 2
        work.settle()
        work.check()
        row("kills at every step: workers killed", kills, "workers", at_least=60)
        row("kills at every step: learners served", len(work.learners), "learners", at_least=64)
