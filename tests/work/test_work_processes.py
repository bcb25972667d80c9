"""Owed work in processes that are killed (P4, P5): nothing is lost, nothing is done twice, ingest feels nothing.

``kill -9`` comes when the store shows that a step is in somebody's hands. The minute until a dead worker's lease has
run out is not waited for: the test ends all leases, also those of workers that live. The broker is a real one:
``LRS_TEST_REDIS`` and ``LRS_TEST_RABBITMQ`` name it; if they are not set and nothing runs on the usual port, the test
is skipped, if they are set it fails.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import kombu
import pytest
import redis

from lrs.access.keys import create_key
from lrs.kernel.settings import Settings
from lrs.storage import Owed, Tx, Walk
from lrs.tenancy.tenants import Tenant, open_tenant, read_master_key, store_url
from lrs.work.broker import queue_name
from tests.competency.world import ASEPTIC, GOWNING, PASSED, World
from tests.matching.world import Got, Receiver, agree, listed, put_person, put_service, receiver
from tests.programs import (
    PATIENCE,
    Behind,
    BehindMongo,
    BehindSqlite,
    Forwarder,
    Programs,
    children,
    programs,
    runs,
    until,
)

STEPS = ("refs", "match", "evaluate", "issue", "sync", "deliver")
LEARNERS = 4
TRYING = 3 * PATIENCE
"""Seconds in which a step has to be caught in somebody's hands; mostly it takes one or two."""
pytestmark = pytest.mark.timeout(1_800)


@dataclass
class Workplace:
    """A store with a framework, rules, a service and its receiver; learners who agreed; programs that work on it."""

    tenant: Tenant
    programs: Programs
    receiving: Receiver
    behind: Behind
    auth: tuple[str, str]
    learners: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    """Seconds of each request that stored statements."""
    address: str = ""

    def learn(self, count: int = LEARNERS) -> None:
        """*count* new learners pass two courses each; the server says yes to every statement."""
        if not count:
            return
        made = [f"mailto:{uuid4().hex}@example.org" for _ in range(count)]
        for mbox in made:
            agree(self.tenant, put_person(self.tenant, mbox))
        for activity in (GOWNING, ASEPTIC):
            statements = [passed(mbox, activity) for mbox in made]
            begun = time.perf_counter()
            answer = httpx.post(
                f"{self.address}/xapi/statements",
                json=statements,
                auth=self.auth,
                headers={"X-Experience-API-Version": "1.0.3"},
                trust_env=False,
                timeout=60,
            )
            self.took.append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.text
        self.learners += made

    def settle(self) -> None:
        """Waits until all is done that is due."""
        self.wait(self._is_settled, "the work to be done")

    def wait(self, holds: Callable[[], object], what: str) -> None:
        """Waits until it *holds*; after ten seconds leases are ended once more.

        A database server may answer the last request of the dead after their death, and the next worker may look before
        their leases are ended: it looks again a minute later.
        """
        with suppress(AssertionError):
            until(holds, what, patience=10)
            return
        self.behind.let_leases_run_out()
        until(holds, what)

    def _is_settled(self) -> bool:
        assert self.tenant.store.parked() == []
        if failed := self.behind.failures():
            # Only what a lost lease or a busy file can do; the wait after it is not waited for.
            assert {step for step, _ in failed} <= set(STEPS)
            self.behind.make_due()
        return self.behind.due() == 0

    def check(self) -> None:
        """Every learner has what the statements prove, once."""
        count = 2 * len(self.learners)
        awards = self.all("award")
        credentials = self.all("credential")
        assert Counter(award["state"] for award in awards) == {"held": count}
        assert len({(award["person"], award["competency"]["id"]) for award in awards}) == count
        assert len(credentials) == count
        places = [badge["credentialStatus"]["statusListIndex"] for badge in credentials]
        assert len(set(places)) == count
        self._check_deliveries()

    def _check_deliveries(self) -> None:
        page = self.tenant.store.find(Walk("delivery", limit=10_000))
        states = {record.id: record.meta["state"] for record in page.records}
        got = {}
        for one in self.receiving.got:
            got.setdefault(one.headers["webhook-id"], []).append(one.json)
        assert set(states.values()) <= {"delivered", "superseded"}
        # A worker killed between the answer and putting it down has delivered what a newer one then supersedes.
        assert {id for id, state in states.items() if state == "delivered"} <= got.keys() <= states.keys()
        assert {len({each["type"] for each in same}) for same in got.values()} == {1}
        told = {}
        for same in got.values():
            event = same[-1]
            if event["type"] == "profile.updated":
                held = told.setdefault(event["data"]["subject"], {})
                held[event["data"]["version"]] = len(event["data"]["competencies"])
        assert sorted(versions[max(versions)] for versions in told.values()) == [2] * len(self.learners)

    def all(self, kind: str) -> list[dict]:
        return [json.loads(record.body) for record in self.tenant.store.find(Walk(kind, limit=10_000)).records]

    def owe_everything_again(self) -> None:
        """What a step run twice, or a lost message, comes to.

        Each record in a commit of its own: one of all would lose every race against workers that lease meanwhile.
        """
        owing = {"statement": ("match", "refs"), "person": ("evaluate",), "award": ("issue",), "profile": ("sync",)}
        for kind, steps in owing.items():
            for record in self.tenant.store.find(Walk(kind, limit=10_000)).records:
                self.tenant.store.write(partial(_owe, kind, record.id, steps)).result()


def _owe(kind: str, id: str, steps: tuple[str, ...], tx: Tx) -> None:
    for step in steps:
        tx.owe(kind, id, Owed(step))


def passed(mbox: str, activity: str) -> dict:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    return {
        "actor": {"mbox": mbox},
        "verb": {"id": PASSED},
        "object": {"id": activity},
        "timestamp": yesterday,
        "result": {"score": {"raw": 90, "min": 0, "max": 100}, "completion": True},
    }


@contextmanager
def workplace(folder: Path, **settings: str) -> Iterator[Workplace]:
    allowed = {"outbound_allow": '["127.0.0.1/32"]', "sweep": "0.5", "worker_pause": "1", **settings}
    with programs(folder, **allowed) as held, receiver() as receiving:
        local = Settings(data=held.data, outbound_allow=("127.0.0.1/32",), store_url=settings.get("store_url"))
        url = store_url(local, "default")
        read_master_key(local)  # a key is made before its store, never after
        world = World(held.data, url=url)
        world.close()
        tenant = open_tenant(local)
        put_service(tenant, receiving.url)
        new = create_key(tenant, "vle", ["statements/write", "define"])
        behind = BehindMongo(url) if url.startswith("mongodb") else BehindSqlite(held.data)
        try:
            yield Workplace(tenant, held, receiving, behind, (new.key, new.secret))
        finally:
            behind.close()
            held.end()
            tenant.store.close()


def reachable(url: str, variable: str) -> str:
    """*url* if somebody answers there; otherwise the test is skipped, or fails if *variable* asked for it."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE).close()
    except OSError as error:
        reason = f"{variable}: nobody answers at {parts.hostname}:{parts.port}: {error}"
        if os.environ.get(variable):
            pytest.fail(reason)
        pytest.skip(reason)
    return url


@pytest.fixture
def redis_url(tmp_path) -> Iterator[str]:
    url = reachable(os.environ.get("LRS_TEST_REDIS", "redis://127.0.0.1:6379/15"), "LRS_TEST_REDIS")
    yield url
    with redis.Redis.from_url(url) as client:
        # The queue's name is the store's, so nobody else's keys begin with it.
        for key in client.scan_iter(f"{queue_name(Settings(data=tmp_path / 'data'))}*"):
            client.delete(key)


@pytest.fixture
def rabbitmq_url(tmp_path) -> Iterator[str]:
    url = reachable(os.environ.get("LRS_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//"), "LRS_TEST_RABBITMQ")
    yield url
    name = queue_name(Settings(data=tmp_path / "data"))
    with kombu.Connection(url) as connection:
        connection.default_channel.queue_delete(name)
        connection.default_channel.exchange_delete(name)


def kill_at(work: Workplace, step: str, workers: Callable[[], list[int]]) -> int:
    """Kills all *workers* (process ids) with *step* in their hands, until a lease was left behind; how many it took.

    A busy machine may give the blow its turn too late again and again, so only the time of a test ends the tries.
    """
    killed, end = 0, time.monotonic() + TRYING
    while time.monotonic() < end:
        victims = workers()
        if work.behind.sees_lease(step, seconds=2):
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            until(lambda victims=victims: not any(map(runs, victims)), "the workers to be gone")
            killed += len(victims)
            left = work.behind.sees_lease(step, seconds=0)
            work.behind.let_leases_run_out()
            if left:
                return killed
        # It was over before we looked, or before the blow fell: again.
        work.owe_everything_again()
        work.learn(1 if step == "deliver" else 0)
    raise AssertionError(f"{step} was never left in anybody's hands")


def at_once(_: Got) -> tuple[int, dict[str, str]]:
    return 204, {}


def slowly(got: Got) -> tuple[int, dict[str, str]]:
    """Keeps a delivery in its worker's hands until a blow can fall."""
    time.sleep(0.5)
    return at_once(got)


def two_celery_workers(work: Workplace) -> Callable[[], list[int]]:
    """Gives the process ids of two workers that run; started anew once they do not."""
    now: list[int] = []

    def running() -> list[int]:
        if not now or not all(map(runs, now)):
            now[:] = [worker.pid for worker in work.programs.workers(2)]
        return now

    return running


def workers_beside(server: int) -> Callable[[], list[int]]:
    """Gives the process ids of those that the process *server* has started, once there are any."""

    def running() -> list[int]:
        until(lambda: children(server), "the worker")
        return children(server)

    return running


@dataclass(frozen=True)
class Engine:
    """The settings that say where the store is, and how much is done on it: the stand-in is some ten times as slow."""

    settings: dict[str, str] = field(default_factory=dict)
    first: int = LEARNERS
    later: int = 2
    again: int = 2


@pytest.fixture(params=["sqlite", "mongo"])
def engine(request, tmp_path) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield Engine()
        return
    url = request.getfixturevalue("mongo_url")
    queue = queue_name(Settings(data=tmp_path / "data"))  # the one that is cleaned up after the test
    yield Engine({"store_url": url, "celery_queue": queue}, first=1, later=1, again=1)
    records = urlsplit(store_url(Settings(store_url=url), "default")).path[1:]
    client = request.getfixturevalue("mongo_client")
    client.admin.command({"killAllSessions": []})  # those of the dead hold on to what is to go
    client.drop_database(records)


@pytest.mark.parametrize(
    ("engine", "steps"),
    [
        ("sqlite", ("deliver",)),
        pytest.param("sqlite", STEPS, marks=pytest.mark.soak),
        pytest.param("mongo", STEPS, marks=pytest.mark.soak),
    ],
    indirect=["engine"],
    ids=["sqlite, one step", "sqlite, every step", "mongo, every step"],
)
def test_two_celery_workers_on_redis_are_killed_at_every_step(tmp_path, redis_url, engine, steps):
    with workplace(tmp_path, celery_broker=redis_url, **engine.settings) as work:
        _, work.address = work.programs.serve()
        workers = two_celery_workers(work)
        workers()
        work.receiving.answers = slowly
        work.learn(engine.first)
        for step in steps:
            kill_at(work, step, workers)
            workers()
            work.learn(engine.later)
        work.receiving.answers = at_once
        work.settle()
        work.check()
        received = Counter(one.headers["webhook-id"] for one in work.receiving.got)

        for _ in range(engine.again):
            work.owe_everything_again()
            work.settle()

        work.check()
        assert Counter(one.headers["webhook-id"] for one in work.receiving.got) == received


@pytest.mark.parametrize(
    ("engine", "steps"),
    [
        ("sqlite", ("issue",)),
        ("mongo", ("evaluate",)),
        pytest.param("sqlite", STEPS, marks=pytest.mark.soak),
    ],
    indirect=["engine"],
    ids=["sqlite, one step", "mongo, one step", "sqlite, every step"],
)
def test_the_worker_beside_a_server_is_killed_at_every_step_and_started_again(tmp_path, engine, steps):
    with workplace(tmp_path, **engine.settings) as work:
        server, work.address = work.programs.serve()
        work.learn(engine.first)
        for step in steps:
            kill_at(work, step, workers_beside(server.pid))
            work.learn(engine.later)
        work.settle()
        work.check()
        received = Counter(one.headers["webhook-id"] for one in work.receiving.got)

        for _ in range(engine.again):
            work.owe_everything_again()
            work.settle()

        work.check()
        assert Counter(one.headers["webhook-id"] for one in work.receiving.got) == received


def test_deaths_of_the_worker_beside_a_server_are_counted_and_told_with_the_reason(tmp_path):
    with workplace(tmp_path, metrics_open="true") as work:
        server, work.address = work.programs.serve()
        workers = workers_beside(server.pid)
        for _ in range(3):
            (victim,) = workers()
            os.kill(victim, signal.SIGKILL)
            until(lambda victim=victim: not runs(victim), "the worker to be gone")
        workers()

        told = httpx.get(f"{work.address}/metrics", trust_env=False).text
        doctor = subprocess.run(
            [sys.executable, "-m", "lrs", "doctor", "--data", work.programs.data, "--json"],
            check=False,
            capture_output=True,
            text=True,
        )

    assert "lrs_worker_deaths_total 3.0" in told
    found = [one for one in json.loads(doctor.stdout)["findings"] if one["check"] == "worker"]
    assert found[0]["status"] == "problem"
    assert "a worker process died 3 times in a row" in found[0]["message"]
    assert "killed by SIGKILL" in found[0]["message"]
    assert not [one for one in found if "no worker runs" in one["message"]]


def versions_in_order(work: Workplace) -> bool:
    """Whether the service heard of each learner in the order of the versions."""
    told: dict[str, list[int]] = {}
    for one in work.receiving.got:
        if one.json["type"] == "profile.updated":
            told.setdefault(one.json["data"]["subject"], []).append(one.json["data"]["version"])
    return len(told) == len(work.learners) and all(versions == sorted(versions) for versions in told.values())


def test_two_worker_processes_share_the_work_and_a_killed_one_is_started_again(tmp_path):
    with workplace(tmp_path, worker_processes="2", metrics_open="true") as work:
        server, work.address = work.programs.serve()
        until(lambda: len(children(server.pid)) == 2, "both workers")
        work.learn()
        work.settle()
        in_order = versions_in_order(work)
        told = httpx.get(f"{work.address}/metrics", trust_env=False).text
        first, second = children(server.pid)

        os.kill(second, signal.SIGKILL)
        until(lambda: not runs(second), "its end")
        work.learn(1)
        until(lambda: len(children(server.pid)) == 2, "another one")
        work.settle()
        work.check()
        again = children(server.pid)
        server.terminate()
        status = server.wait(PATIENCE)

        assert in_order
        assert "lrs_worker_running 2.0" in told
        assert first in again
        assert second not in again
        assert status == 0
        assert not any(map(runs, again))


@pytest.mark.soak
@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("celery", [False, True])
def test_the_processes_of_one_command_end_with_it_however_it_ends(tmp_path, request, celery):
    settings = {"celery_broker": request.getfixturevalue("redis_url")} if celery else {}
    with workplace(tmp_path, **settings) as work:
        server, work.address = work.programs.serve(worker="false")
        words = ("work", "--processes", "2", *(["--celery"] if celery else []))
        for end, statuses in ((signal.SIGTERM, {0}), (signal.SIGINT, {0}), (signal.SIGKILL, {-signal.SIGKILL})):
            team = work.programs.start(*words)
            until(lambda team=team: len(children(team.pid)) == 2, "both workers")
            work.learn(1)
            work.settle()
            started = children(team.pid)

            team.send_signal(end)

            assert team.wait(PATIENCE) in statuses
            until(lambda started=started: not any(map(runs, started)), "the end of its processes")
        work.check()
        assert server.poll() is None


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("deaths", [2, pytest.param(4, marks=pytest.mark.soak)])
def test_a_delivery_whose_worker_is_killed_again_and_again_has_one_id_and_one_outcome(tmp_path, engine, deaths):
    with workplace(tmp_path, **engine.settings) as work:
        server, work.address = work.programs.serve()
        killed: list[list[int]] = []

        def answer(got: Got) -> tuple[int, dict[str, str]]:
            if got.json["type"] == "consent.given" and len(killed) < deaths:
                victims = children(server.pid)
                for pid in victims:
                    os.kill(pid, signal.SIGKILL)
                killed.append(victims)
            return 204, {}

        work.receiving.answers = answer
        work.learn(1)
        for turn in range(deaths):
            work.wait(lambda turn=turn: len(killed) > turn, "the worker to send")
            until(lambda turn=turn: not any(map(runs, killed[turn])), "the worker to be gone")
            work.behind.let_leases_run_out()
        work.settle()

        work.check()
        given = work.receiving.got[: deaths + 1]
        later = [one.json["type"] for one in work.receiving.got[deaths + 1 :]]
        assert [one.json["type"] for one in given] == ["consent.given"] * (deaths + 1)
        assert len({one.headers["webhook-id"] for one in given}) == 1
        assert len({one.body for one in given}) == 1
        assert "consent.given" not in later
        assert "profile.updated" in later
        states = [state["state"] for state in listed(work.tenant) if state["event"] == "consent.given"]
        assert states == ["delivered"]


def test_a_worker_on_rabbitmq_hears_of_work_from_the_broker_alone(tmp_path, rabbitmq_url):
    with workplace(tmp_path, celery_broker=rabbitmq_url, sweep="3600") as work:
        _, work.address = work.programs.serve()
        workers = work.programs.workers(1)
        work.learn()
        work.settle()
        for worker in workers:
            worker.kill()
        work.learn()
        work.programs.workers(1)

        work.settle()
        work.check()


def test_while_the_broker_is_away_ingest_goes_on_and_its_return_starts_the_work(tmp_path, redis_url):
    forwarder = Forwarder(urlsplit(redis_url).port)
    away = redis_url.replace(str(urlsplit(redis_url).port), str(forwarder.port))
    with workplace(tmp_path, celery_broker=away, sweep="3600") as work:
        work.programs.workers(1)
        until(lambda: "Cannot connect" in work.programs.log(), "the worker to miss the broker")
        _, work.address = work.programs.serve()
        for _ in range(5):
            work.learn(1)
        assert work.all("award") == []
        assert work.behind.due() > 0

        forwarder.start()
        try:
            work.settle()
        finally:
            work.programs.end()
            forwarder.close()
        work.check()


def test_without_any_broker_the_sweep_finds_what_is_due(tmp_path):
    nobody = Forwarder(1)
    with workplace(tmp_path, celery_broker=f"redis://127.0.0.1:{nobody.port}/0", sweep="0.2") as work:
        _, work.address = work.programs.serve()
        work.programs.workers(1)
        work.learn()

        work.settle()
        work.check()
