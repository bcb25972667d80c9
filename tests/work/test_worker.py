"""The crew that drains the lanes, the command that shows the work, and the Celery application without a broker."""

import gc
import json
import signal
import sys
import threading
import weakref
from dataclasses import replace

import pytest
import structlog
from click.testing import CliRunner

from lrs.cli import main
from lrs.composition import steps
from lrs.composition.steps import LANES, STEPS, drain, steps_of
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.ops import work_commands
from lrs.ops.work_commands import run_worker
from lrs.storage import Owed, Record
from lrs.storage.drafts import drafts_in
from lrs.tenancy.tenants import open_tenant
from lrs.work import rounds, worker
from lrs.work.broker import TASK, Notifier, celery_app, queue_name
from lrs.work.step import Step
from lrs.work.worker import Calls, Crew
from tests.builders import Always
from tests.programs import PATIENCE, until


@pytest.fixture
def tenant(tmp_path):
    opened = open_tenant(Settings(data=tmp_path))
    yield opened
    opened.store.close()


def owe(tenant, id, step="refs"):
    tenant.store.write(lambda tx: tx.insert(Record("statement", id, meta={"source": "s"}, owed=(Owed(step),)))).result()


def lanes() -> list[dict[str, Step]]:
    return [steps_of(names) for names in LANES]


def test_every_step_is_in_one_lane():
    assert sorted(step for lane in LANES for step in lane) == sorted(STEPS)


def test_a_round_signs_a_few_badges_and_services_are_told_once_all_are_signed(tenant, monkeypatch):
    monkeypatch.setattr(rounds, "PATIENCE", 600.0)
    done = []

    def settle(tenant, claims):
        done.extend(claim.owed.step for claim in claims)
        tenant.store.settle(claims, lambda _: None).result()

    for step in ("sync", "issue"):
        monkeypatch.setitem(steps.STEPS, step, replace(STEPS[step], run=settle))
        for number in range(50):
            owe(tenant, f"{step}-{number}", step)

    drain(tenant, LANES[0], rest=lambda _: True)
    first = list(done)
    drain(tenant, LANES[0])

    assert first == ["issue"] * STEPS["issue"].batch
    assert done == ["issue"] * 50 + ["sync"] * 50
    assert STEPS["issue"].batch < 20


def test_a_crew_looks_by_itself_and_when_it_is_called(tenant):
    owe(tenant, "before")
    crew = Crew(lanes(), Always(tenant), idle=3_600)
    try:
        until(lambda: tenant.store.backlog() == [], "what was due at the start")

        owe(tenant, "uncalled")
        crew.call("another")
        owe(tenant, "called")
        crew.call("default")

        until(lambda: tenant.store.backlog() == [], "what was called for")
    finally:
        crew.close()


def test_after_a_batch_failed_only_what_it_left_undone_is_run_again(tenant, monkeypatch):
    runs = []

    def run(tenant, claims):
        for claim in sorted(claims, key=lambda one: one.record.id):
            runs.append(claim.record.id)
            if claim.record.id == "settled":
                tenant.store.settle([claim], lambda _: None).result()
            elif claim.record.id == "later":
                tenant.store.defer(claim, due=tenant.clock() + 3_600_000_000, error="answered 503")
            else:
                raise ValueError("unforeseen")

    for id in ("later", "settled", "wrong"):
        owe(tenant, id)
    monkeypatch.setitem(steps.STEPS, "refs", Step(run, batch=10))

    drain(tenant, ("refs",))

    assert sorted(runs) == ["later", "settled", "wrong", "wrong"]
    kept = {record.id: owed.error for record, owed in tenant.store.failing()}
    assert kept == {"later": "answered 503", "wrong": "ValueError: unforeseen"}


def test_a_crew_sweeps_without_any_call(tenant):
    crew = Crew(lanes(), Always(tenant), idle=0.05)
    try:
        owe(tenant, "a")

        until(lambda: tenant.store.backlog() == [], "the sweep")
    finally:
        crew.close()


def test_calls_for_one_tenant_do_not_put_off_the_look_at_another(tenant, tmp_path):
    other = open_tenant(Settings(data=tmp_path), "other")
    crew = Crew(lanes(), Always(tenant, other), idle=0.2)
    called = threading.Event()

    def calling():
        while not called.wait(0.01):
            crew.call("default")

    caller = threading.Thread(target=calling)
    caller.start()
    try:
        owe(other, "quiet")

        until(lambda: other.store.backlog() == [], "the look at all tenants")
    finally:
        called.set()
        caller.join()
        crew.close()
        other.store.close()


def test_a_crew_goes_on_after_the_store_was_away(tenant):
    looks = []

    class Away(Always):
        def due(self):
            looks.append(1)
            if len(looks) <= len(LANES):
                raise OSError("away")
            return super().due()

    owe(tenant, "a")
    crew = Crew(lanes(), Away(tenant), idle=0.05)
    try:
        until(lambda: tenant.store.backlog() == [], "the store's return")
    finally:
        crew.close()


def test_the_pauses_of_a_failing_store_grow_to_the_longest_and_begin_anew_after_a_turn_that_went_well(
    tenant, monkeypatch
):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(worker, "LONGEST_PAUSE", 0.02)
    turns = []

    class Unsteady(Always):
        def hold(self, name):
            turns.append(name)
            if len(turns) in {1, 2, 3, 5}:
                raise OSError("away")
            return super().hold(name)

    with structlog.testing.capture_logs() as logged:
        crew = Crew([steps_of(("refs",))], Unsteady(tenant), idle=0.005)
        try:
            until(lambda: len(turns) >= 6, "a turn after the fourth failure")
        finally:
            crew.close()

    assert [one["again_in"] for one in logged if one["event"] == "work interrupted"] == [0.01, 0.02, 0.02, 0.01]


def test_a_tenant_that_is_refused_is_left_alone_for_some_seconds_however_often_it_is_due(tenant):
    looks, asked = [], []

    class Suspended(Always):
        def due(self):
            looks.append(1)
            return super().due()

        def hold(self, name):
            asked.append(name)
            raise Refused("this tenant is suspended", status=403, error="suspended")

    crew = Crew(lanes(), Suspended(tenant), idle=0.005)
    try:
        until(lambda: len(looks) > 50, "many looks")
    finally:
        crew.close()

    assert asked == ["default"] * len(LANES)


def test_of_two_tenants_that_are_refused_each_is_left_alone(tenant):
    looks, asked = [], []

    class Suspended(Always):
        def due(self):
            looks.append(1)
            return super().due()

        def hold(self, name):
            asked.append(name)
            raise Refused("this tenant is suspended", status=403, error="suspended")

    crew = Crew(lanes(), Suspended(tenant, replace(tenant, id="other")), idle=0.005)
    try:
        until(lambda: len(looks) > 50, "many looks")
    finally:
        crew.close()

    assert sorted(asked) == ["default"] * len(LANES) + ["other"] * len(LANES)


def test_of_a_tenant_that_is_refused_nothing_is_kept(tmp_path):
    tenant = open_tenant(Settings(data=tmp_path))
    owe(tenant, "one")
    refusing, asked = threading.Event(), []

    class Suspended(Always):
        def hold(self, name):
            if refusing.is_set():
                asked.append(name)
                raise Refused("this tenant is suspended", status=403, error="suspended")
            return super().hold(name)

        def backlog(self):
            return self._tenants["default"].store.backlog()

        def forget(self):
            self._tenants.clear()

    tenants = Suspended(tenant)
    crew = Crew(lanes(), tenants, idle=0.005)
    try:
        until(lambda: tenants.backlog() == [], "the work")
        refusing.set()
        until(lambda: len(asked) >= len(LANES), "the refusals of all lanes")
        kept = weakref.ref(tenant.store)
        tenant.store.close()
        tenants.forget()
        del tenant

        until(lambda: gc.collect() is None or kept() is None, "the end of the tenant")
    finally:
        crew.close()


def test_a_crew_tells_who_was_due_and_who_was_called_for(tenant):
    heard = set()
    crew = Crew(lanes(), Always(tenant), idle=3_600, heard=heard.add)
    try:
        crew.call("called")
        until(lambda: heard == {"default", "called"}, "both names")
    finally:
        crew.close()


def test_calls_are_kept_until_somebody_waits_and_say_whose_work_it_is():
    calls = Calls()
    calls.call("a")
    calls.call("b")
    calls.call("a")

    assert calls.wait(3_600) == {"a", "b"}
    assert calls.wait(0) == set()
    waiting = threading.Thread(target=calls.wait, args=(3_600,))
    waiting.start()
    calls.end()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_message_is_the_tenant_as_json_on_a_queue_of_the_stores_own(tmp_path):
    settings = Settings(data=tmp_path, celery_broker="memory://")
    heard = []
    app = celery_app(settings, heard.append)

    app.send_task(TASK, ["default"])
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(queue_name(settings)).get(timeout=PATIENCE)
    app.tasks[TASK]("default")

    assert (message.content_type, message.payload[:2]) == ("application/json", [["default"], {}])
    assert heard == ["default"]
    assert app.conf.result_backend is None
    app.close()


def test_a_message_is_done_with_only_after_it_was_heard(tmp_path):
    """A worker that is killed before has its message heard by another: nothing but the time of a look hangs on it."""
    app = celery_app(Settings(data=tmp_path, celery_broker="memory://"))

    assert app.tasks[TASK].acks_late is True
    app.close()


def test_the_notifier_speaks_of_other_tenants_where_one_cannot_be_looked_at(tmp_path, tenant, monkeypatch):
    settings = Settings(data=tmp_path, celery_broker="memory://")
    monkeypatch.setattr("lrs.work.broker.LOOK", 0.01)
    damaged = open_tenant(Settings(data=tmp_path), "damaged")
    shut = replace(damaged, store=Shut())
    owe(tenant, "a")
    app = celery_app(settings)
    with structlog.testing.capture_logs() as logged:
        notifier = Notifier(settings, lambda: [shut, tenant], ["refs"])
        try:
            with app.connection_for_read() as connection:
                queue = connection.SimpleQueue(queue_name(settings))
                until(lambda: queue.qsize() > 2, "messages about the other")
                heard = {queue.get(timeout=PATIENCE).payload[0][0] for _ in range(2)}
        finally:
            notifier.close()
            app.close()
            damaged.store.close()

    assert heard == {"default"}
    assert [(line["event"], line["tenant"]) for line in logged] == [("cannot see what is due", "damaged")]


class Shut:
    """A store that cannot be asked."""

    def is_due(self, _steps):
        raise OSError("damaged")


def test_one_tenant_with_a_long_queue_keeps_no_other_waiting(tenant, tmp_path, monkeypatch):
    """In the time of one batch, not of the queue: the other is done while most of it still waits."""
    other = open_tenant(Settings(data=tmp_path), "other")
    done = []
    both = threading.Event()

    def slow(tenant, claims):
        both.wait(20)
        done.extend([tenant.id] * len(claims))
        tenant.store.settle(claims, lambda _: None).result()

    monkeypatch.setitem(steps.STEPS, "refs", Step(slow, batch=1))
    for number in range(40):
        owe(tenant, f"long-{number}")
    crew = Crew(lanes(), Always(tenant, other), idle=0.01)
    try:
        owe(other, "short")
        crew.call("other")
        both.set()
        until(lambda: tenant.store.backlog() == other.store.backlog() == [], "all of it")
    finally:
        crew.close()
        other.store.close()

    assert done.index("other") < 10
    assert len(done) == 41


def test_the_notifier_speaks_of_what_is_due_and_stops_when_nobody_listens(tmp_path, tenant, monkeypatch):
    settings = Settings(data=tmp_path, celery_broker="memory://")
    monkeypatch.setattr("lrs.work.broker.LOOK", 0.01)
    monkeypatch.setattr("lrs.work.broker.ENOUGH", 3)
    looks = []

    def tenants():
        looks.append(1)
        return [tenant]

    app = celery_app(settings)
    notifier = Notifier(settings, tenants, ["refs"])
    try:
        until(lambda: len(looks) > 5, "looks at nothing")
        with app.connection_for_read() as connection:
            queue = connection.SimpleQueue(queue_name(settings))
            assert queue.qsize() == 0
            owe(tenant, "a")

            until(lambda: queue.qsize() == 3, "messages")
            seen = len(looks)
            until(lambda: len(looks) > seen + 5, "looks at a full queue")

            assert queue.qsize() == 3
            assert {queue.get(timeout=PATIENCE).payload[0][0] for _ in range(3)} == {"default"}
    finally:
        notifier.close()
        app.close()


def test_a_broker_that_is_away_is_one_line_in_the_log_however_long_it_is(tmp_path, tenant, monkeypatch):
    monkeypatch.setattr("lrs.work.broker.LOOK", 0.01)
    looks = []

    def tenants():
        looks.append(1)
        if len(looks) == 1:
            raise OSError("the store is away too")
        return [tenant]

    owe(tenant, "a")
    with structlog.testing.capture_logs() as logged:
        notifier = Notifier(Settings(data=tmp_path, celery_broker="redis://127.0.0.1:1/0"), tenants, ["refs"])
        until(lambda: len(looks) > 3, "several tries")
        notifier.close()

    assert [(line["event"], line["log_level"]) for line in logged] == [
        ("cannot see what is due", "warning"),
        ("the broker is away; workers find what is due by themselves", "warning"),
    ]


def test_installations_have_queues_of_their_own_and_machines_of_one_share_it(tmp_path):
    mongo = {"store_url": "mongodb://db.example/lrs"}
    here, there = Settings(data=tmp_path / "a", **mongo), Settings(data=tmp_path / "b", **mongo)

    assert queue_name(here) == queue_name(there)
    assert queue_name(Settings(data=tmp_path / "a")) != queue_name(Settings(data=tmp_path / "b"))
    assert queue_name(Settings(data=tmp_path, celery_queue="mine")) == "mine"


def run(tmp_path, *words):
    answer = CliRunner().invoke(main, ["work", *words, "--data", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_status_shows_what_waits_and_for_how_long_what_fails_and_what_was_put_aside(tmp_path, tenant):
    assert run(tmp_path, "status") == "nothing is owed\n"
    for id in ("waiting", "failing", "aside"):
        owe(tenant, id)
    for claim in tenant.store.claim(["refs"], limit=9, lease=1):
        if claim.record.id == "failing":
            tenant.store.defer(claim, due=tenant.clock() + 3_600_000_000, error="503")
        if claim.record.id == "aside":
            tenant.store.defer(claim, due=0, error="400", parked=True)

    told, text = json.loads(run(tmp_path, "status", "--json")), run(tmp_path, "status")

    (step,) = told["steps"]
    assert (step["step"], step["waiting"], step["parked"], step["due"]) == ("refs", 2, 1, True)
    assert 0 < step["lag"] < 60
    assert told["failing"] == [{"step": "refs", "kind": "statement", "id": "failing", "tries": 1, "error": "503"}]
    until_then = "filters may not find statements by what they refer to"
    assert [(one["id"], one["error"], one["waiting_for_it"]) for one in told["parked"]] == [
        ("aside", "400", until_then)
    ]
    assert f"  until it is tried again, {until_then}\n" in text
    assert "failing: refs of statement failing: 1 try, 503\n" in text
    assert "put aside: refs of statement aside: 1 try, 400\n" in text
    assert (told["more"], "more than" in text) == ({"failing": False, "parked": False}, False)


def test_status_says_that_more_was_put_aside_than_it_names(tmp_path, tenant, monkeypatch):
    monkeypatch.setattr(work_commands, "_MOST", 2)
    for id in ("one", "two", "three"):
        owe(tenant, id)
    for claim in tenant.store.claim(["refs"], limit=9, lease=1):
        tenant.store.defer(claim, due=0, error="400", parked=True)

    told, text = json.loads(run(tmp_path, "status", "--json")), run(tmp_path, "status")

    assert (len(told["parked"]), told["more"]) == (2, {"failing": False, "parked": True})
    assert text.count("put aside: refs of statement ") == 2
    assert text.endswith("put aside: more than these 2\n")


def test_retry_makes_what_was_put_aside_due_again(tmp_path, tenant):
    owe(tenant, "a")
    (claim,) = tenant.store.claim(["refs"], limit=9, lease=1)
    tenant.store.defer(claim, due=0, error="400", parked=True)

    other = CliRunner().invoke(main, ["work", "retry", "--step", "sync", "--data", str(tmp_path)])
    said = "Error: nothing of the step sync is put aside or locked: lrs work status shows what waits\n"
    assert (other.exit_code, other.stderr, other.stdout) == (1, said, "")
    unknown = CliRunner().invoke(main, ["work", "retry", "--step", "snyc", "--data", str(tmp_path)])
    assert unknown.exit_code == 1
    assert "there is no step 'snyc'; there are refs, rename, match, evaluate, " in unknown.output
    assert run(tmp_path, "retry") == "1 entry is due again\n"
    assert tenant.store.is_due(["refs"])


def test_a_celery_worker_without_a_broker_says_what_is_missing(tmp_path):
    answer = CliRunner().invoke(main, ["work", "--celery", "--data", str(tmp_path)])

    assert answer.exit_code == 1
    assert "LRS_CELERY_BROKER is not set: name a broker, redis://HOST/0 or amqp://HOST" in answer.output


@pytest.fixture
def ending_at_once(tmp_path):
    """Runs a worker in this process until its first look, which finds that its parent is not who started us."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    interval, settings = sys.getswitchinterval(), Settings(data=tmp_path)
    open_tenant(settings).store.close()
    yield lambda: run_worker(settings, parent=1)
    sys.setswitchinterval(interval)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_worker_removes_what_a_killed_one_left_of_files_when_it_starts(tmp_path, ending_at_once):
    left = drafts_in(tmp_path) / ".lrs-draft-1"
    left.mkdir()
    (left / "upload").write_text("ann@example.org")
    left.with_suffix(".lock").touch()

    ending_at_once()

    assert list(drafts_in(tmp_path).iterdir()) == []


def test_a_worker_beside_a_server_leaves_ctrl_c_to_that_and_its_threads_hand_over_soon(ending_at_once):
    ending_at_once()

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert sys.getswitchinterval() == pytest.approx(0.0005)
