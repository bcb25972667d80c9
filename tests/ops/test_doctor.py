"""``lrs doctor``: what it finds, and how it ends."""

import json
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace

import pytest
from click.testing import CliRunner

from badges.keys.issuer import issuer_of
from lrs.cli import main
from lrs.composition.channels import CHANNELS
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR, SECOND
from lrs.matching import services
from lrs.ops.backup.places import store_file
from lrs.ops.doctor import Finding, of_clock, of_destinations, of_disk, of_settings, of_store, of_work
from lrs.ops.doctor_consent import of_consent
from lrs.storage import Owed, Record, open_store
from lrs.storage.versions import found_and_known
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import open_tenant
from tests.badges.made import put_award, run_issue
from tests.builders import tenant_in
from tests.conftest import START
from tests.matching.world import put_service


def found(findings):
    return {finding.check: (finding.status, finding.message) for finding in findings}


def run(data, *words, **settings):
    environment = {f"LRS_{name.upper()}": value for name, value in settings.items()}
    answer = CliRunner().invoke(main, ["doctor", "--data", str(data), *words], env=environment)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


@pytest.fixture
def healthy(tmp_path):
    settings = Settings(data=tmp_path)
    open_tenant(settings).store.close()
    control = open_control(settings)
    control.beat("lrs-1@here")
    control.close()
    return tmp_path


def test_an_installation_that_works_has_no_problem(healthy):
    answer = run(healthy, public_url="https://lrs.example")

    assert answer.exit_code == 0
    assert "PROBLEM" not in answer.output
    assert "ok      worker: 1 running\n" in answer.output
    assert "ok      issuer: did:web:lrs.example:t:default\n" in answer.output
    assert "ok      store: reached, schema 4\n" in answer.output
    assert "ok      search-keys: the newest records are found by their search keys\n" in answer.output


@pytest.mark.parametrize("shut", [states.suspend, states.delete])
def test_a_tenant_that_its_operator_shut_is_no_problem_of_another(healthy, shut):
    settings = Settings(data=healthy)
    with closing(open_control(settings)) as control:
        states.create(settings, control, "acme", "")
        shut(settings, control, "acme")

    answer = run(healthy, public_url="https://lrs.example")

    assert answer.exit_code == 0, answer.output
    assert "ok      worker: 1 running\n" in answer.output


@pytest.mark.parametrize(("shut", "says"), [(states.suspend, "is suspended"), (states.delete, "is to be deleted on")])
def test_a_tenant_that_was_asked_for_and_is_shut_is_a_problem(healthy, shut, says):
    settings = Settings(data=healthy)
    with closing(open_control(settings)) as control:
        states.create(settings, control, "acme", "")
        shut(settings, control, "acme")

    answer = run(healthy, "--tenant", "acme", public_url="https://lrs.example")

    assert answer.exit_code == 1
    assert f"PROBLEM tenant: this tenant {says}" in answer.output


def test_a_store_of_an_earlier_version_beside_it_is_told_of_and_not_brought_forward(healthy):
    settings = Settings(data=healthy)
    with closing(open_control(settings)) as control:
        states.create(settings, control, "acme", "")
    path = healthy / "tenants" / "acme" / "store.db"
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA user_version = 1")

    answer = run(healthy, public_url="https://lrs.example")

    assert answer.exit_code == 0, answer.output
    assert "WARNING tenant acme: the store has schema 1, of an earlier version." in answer.output
    assert "ok      worker: 1 running\n" in answer.output
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("PRAGMA user_version").fetchone() == (1,)


def test_without_an_https_address_badges_are_demonstrations_and_that_is_a_warning(healthy):
    answer = run(healthy, "--json")

    told = {finding["check"]: finding for finding in json.loads(answer.output)["findings"]}
    assert (answer.exit_code, json.loads(answer.output)["ok"]) == (0, True)
    assert told["public-url"]["status"] == told["issuer"]["status"] == "warning"
    assert "badges are demonstrations" in told["public-url"]["message"]


def test_badges_of_an_issuer_from_before_are_counted_and_it_is_said_where_they_are_checked(healthy):
    for url in (None, "http://lrs.example", "https://old.example"):
        tenant = open_tenant(Settings(data=healthy, public_url=url))
        put_award(tenant, str(uuid.uuid4()), valid_until=None)
        run_issue(tenant)
        did_key = issuer_of(replace(tenant, settings=Settings(data=healthy))).id
        tenant.store.close()

    before = json.loads(run(healthy, "--json", public_url="https://old.example").output)["findings"]
    after = json.loads(run(healthy, "--json", public_url="https://new.example").output)["findings"]

    told = "that are not revoked: 1; lrs badges renew issues those that are held anew"
    old = "https://old.example/t/default"
    asked = f"whoever checks one asks at {old}/status/revocation-3 and {old}/did.json"
    assert [finding["message"] for finding in after if finding["check"] == "issuer-before"] == [
        f"badges of {did_key} {told}",
        f"badges of {did_key} {told}; whoever checks one asks at http://lrs.example/t/default/status/revocation-2",
        f"badges of did:web:old.example:t:default {told}; {asked}",
    ]
    assert {finding["status"] for finding in after if finding["check"] == "issuer-before"} == {"warning"}
    assert len([finding for finding in before if finding["check"] == "issuer-before"]) == 2


def test_before_the_first_start_there_is_nothing_to_find_and_nothing_is_made(tmp_path):
    answer = run(tmp_path / "data")

    assert answer.exit_code == 0
    assert "there is no store yet" in answer.output
    assert not (tmp_path / "data").exists()


def test_a_setting_that_does_not_exist_or_cannot_be_read_is_a_problem(healthy):
    unknown, wrong = run(healthy, colour="red"), run(healthy, sweep="soon")

    assert (unknown.exit_code, wrong.exit_code) == (1, 1)
    assert "PROBLEM settings: LRS_COLOUR is not a setting of ours" in unknown.output
    assert "PROBLEM settings: LRS_SWEEP: Input should be a valid number" in wrong.output


def test_what_the_readme_tells_to_set_is_no_problem(healthy):
    told = found(of_settings(Settings(data=healthy), {"LRS_ENDPOINT": "u", "LRS_KEY": "k", "LRS_SECRET": "s"}))

    assert told["settings"] == ("ok", "every LRS_ variable is known")


def test_a_master_key_that_others_can_read_is_a_problem(healthy):
    (healthy / "master.key").chmod(0o640)

    status, message = found(of_settings(Settings(data=healthy), {}))["master-key"]

    assert (status, message) == (
        "problem",
        f"{healthy}/master.key is open to others (mode 640): chmod 600 {healthy}/master.key",
    )


def test_a_master_key_of_another_store_is_a_problem(healthy):
    other = healthy / "other.key"
    other.write_text("ab" * 32)
    other.chmod(0o600)

    answer = run(healthy, master_key_file=str(other))

    assert answer.exit_code == 1
    assert (
        f"PROBLEM master-key: {other} is not the master key of this store: its key has the fingerprint" in answer.output
    )


def test_a_master_key_that_was_named_and_is_not_there_is_a_problem(tmp_path):
    settings = Settings(data=tmp_path, master_key_file=tmp_path / "gone")

    assert found(of_settings(settings, {}))["master-key"][0] == "problem"


def test_a_store_of_another_version_is_told_without_changing_it(tmp_path):
    path = tmp_path / "store.db"
    open_store(f"sqlite:///{path}").close()
    settings = Settings(data=tmp_path, store_url=f"sqlite:///{path}")
    assert found_and_known(f"sqlite:///{path}") == (4, 4)

    set_version(path, 7)
    newer = of_store(settings, "default")
    path.write_bytes(b"not a database" * 1_000)
    broken = of_store(settings, "default")

    assert (newer.status, newer.message) == (
        "problem",
        "the store has schema 7, this program knows up to 4: start the newer version",
    )
    assert (broken.status, broken.message[:30]) == ("problem", "the store cannot be used: file")


def set_version(path, version):
    import sqlite3  # noqa: PLC0415 (to make what no program of ours would)

    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def test_a_mongodb_that_does_not_answer_is_a_problem(tmp_path):
    url = "mongodb://127.0.0.1:1/lrs?serverSelectionTimeoutMS=50"

    finding = of_store(Settings(data=tmp_path, store_url=url), "default")

    assert finding.status == "problem"
    assert "MongoDB does not answer" in finding.message


def test_the_schema_is_found_on_each_engine(store_url, store):
    assert store.backlog() == []
    assert found_and_known(store_url) == ((4, 4) if store_url.startswith("sqlite") else (2, 2))


def test_room_and_speed_of_the_disk_are_measured(tmp_path):
    told = found(of_disk(Settings(data=tmp_path)))

    assert told.keys() == {"disk-space", "disk-sync"}
    assert list(tmp_path.iterdir()) == []
    assert list(of_disk(Settings(data=tmp_path / "none"))) == []


def test_work_that_is_late_parked_or_done_by_nobody_is_a_problem(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    for id, step in (("a", "match"), ("b", "issue"), ("c", "sync")):
        store.write(lambda tx, id=id, step=step: tx.insert(Record("thing", id, owed=(Owed(step),)))).result()
    (claim,) = store.claim(["issue"], limit=1, lease=SECOND)
    store.defer(claim, due=START, error="no", parked=True)
    clock.forward(seconds=50)
    store.write(lambda tx: tx.insert(Record("thing", "late", owed=(Owed("deliver"),)))).result()
    clock.forward(seconds=20)

    told = [
        (finding.check, finding.status, finding.message)
        for finding in of_work(tenant, {"gone": START, "here": clock.now - 19 * SECOND})
    ]

    assert told == [
        ("worker", "ok", "1 running"),
        ("step deliver", "ok", "1 waiting, the oldest due for 20 s"),
        (
            "step issue",
            "problem",
            (
                "1 put aside: lrs work status says why, lrs work retry tries again; until then the badge is neither"
                " issued nor revoked, whatever became of the level"
            ),
        ),
        ("step issue", "ok", "0 waiting, the oldest due for 0 s"),
        ("step match", "problem", "1 waiting, the oldest due for 70 s"),
        ("step sync", "problem", "1 waiting, the oldest due for 70 s"),
    ]
    assert next(of_work(tenant, {"gone": START})).status == "problem"


def test_a_worker_that_dies_is_told_with_its_last_reason_and_nobody_is_told_to_start_what_runs(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    dying = {"at": START - 3 * SECOND, "count": 19, "reason": "killed by SIGSEGV", "again": 60.0}
    told = "the last time 3 s ago: killed by SIGSEGV. It is started again by itself, 60 s after that"

    assert list(of_work(tenant, {}, [dying])) == [
        Finding(
            "worker",
            "problem",
            f"a worker process died 19 times in a row, {told}; its log says more",
        )
    ]
    here = {"lrs-1": START}
    once = list(of_work(tenant, here, [dying | {"count": 1}]))
    assert [(one.status, one.message[:33]) for one in once] == [
        ("warning", "a worker process died once, the l"),
        ("ok", "1 running"),
    ]
    assert [one.status for one in of_work(tenant, here, [dying])] == ["problem", "ok"]
    assert [one.status for one in of_work(tenant, {}, [dying | {"count": 1}])] == ["problem"]
    waiting = dying | {"at": START - HOUR, "again": 3_600}
    assert [one.status for one in of_work(tenant, here, [waiting])] == ["problem", "ok"]
    clock.forward(seconds=3_600)  # its server ended without a word
    assert [one.message for one in of_work(tenant, {}, [dying])] == ["no worker runs: start lrs serve, or lrs work"]


def test_a_worker_that_was_seen_by_a_clock_that_was_ahead_is_not_taken_for_one_that_runs(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)

    assert next(of_work(tenant, {"gone": START + 3_600 * SECOND})).status == "problem"


def test_what_a_clock_that_was_ahead_has_locked_is_a_problem_until_it_is_retried(healthy):
    tenant = open_tenant(Settings(data=healthy))
    tenant.store.write(lambda tx: tx.insert(Record("thing", "a", owed=(Owed("issue"),)))).result()
    (claim,) = tenant.store.claim(["issue"], limit=1, lease=SECOND)
    tenant.store.defer(claim, due=tenant.clock() + 86_400 * SECOND, error="503")

    before = run(healthy, public_url="https://lrs.example")
    retried = CliRunner().invoke(main, ["work", "retry", "--data", str(healthy)])
    after = run(healthy, public_url="https://lrs.example")
    due = tenant.store.is_due(["issue"])
    tenant.store.close()

    assert before.exit_code == 1
    assert "PROBLEM step issue: 1 locked by a clock that was ahead when they were claimed or put off" in before.output
    assert retried.stdout == "1 entry is due that a clock that was ahead had locked\n"
    assert (after.exit_code, due) == (0, True)


def test_a_clock_that_jumped_back_is_a_problem(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    assert of_clock(tenant).status == "ok"
    store.write(lambda tx: tx.insert(Record("statement", "s"))).result()
    clock.forward(seconds=-3_600)

    finding = of_clock(tenant)

    assert finding.status == "problem"
    assert finding.message.startswith("the clock is 3600 s behind the newest statement")


def test_a_service_that_was_disabled_is_named_with_the_reason(healthy):
    from lrs.matching.services import disable  # noqa: PLC0415 (used here alone)

    tenant = open_tenant(Settings(data=healthy))
    put_service(tenant, "https://service.invalid/hook")
    assert list(of_destinations(tenant, CHANNELS)) == []
    tenant.store.write(lambda tx: disable(tx, "career-converter", "it answered 410 Gone", by="test")).result()
    told = found(of_destinations(tenant, CHANNELS))
    tenant.store.close()

    mend = "once it is put right: lrs services resync career-converter"
    assert told == {
        "destination webhook career-converter": ("warning", f"disabled: it answered 410 Gone; {mend}"),
    }


def test_workers_that_end_or_died_long_ago_are_forgotten(tmp_path, clock):
    control = open_control(Settings(data=tmp_path), clock=clock)
    control.beat("a")
    control.beat("b")
    control.leave("b")
    clock.forward(seconds=24 * 3_600)
    control.beat("c")
    assert control.workers() == {"a": START, "c": clock.now}

    clock.forward(seconds=1)
    control.beat("c")

    assert control.workers() == {"c": clock.now}
    control.close()


def test_search_keys_that_are_damaged_are_a_problem_that_a_rebuild_mends(healthy):
    tenant = open_tenant(Settings(data=healthy))
    tenant.store.write(lambda tx: tx.insert(Record("thing", "a", keys=(5, 6)))).result()
    tenant.store.close()
    with closing(sqlite3.connect(store_file(tenant.settings, tenant.id), isolation_level=None)) as damaging:
        damaging.execute("DELETE FROM segment_key WHERE key = 5")
    problem = "search keys are wrong: queries miss records; lrs rebuild puts them right\n"

    before = run(healthy)
    dry = CliRunner().invoke(main, ["rebuild", "--dry-run", "--data", str(healthy)])
    mended = CliRunner().invoke(main, ["rebuild", "--data", str(healthy)])
    after = run(healthy)

    assert (before.exit_code, dry.exit_code, mended.exit_code) == (1, 0, 0)
    assert f"PROBLEM search-keys: 1 of the newest records' {problem}" in before.output
    assert dry.output.startswith("1 search key was wrong\n")
    assert mended.output.startswith("1 search key was wrong\n")
    assert problem not in after.output


def test_what_learners_are_not_told_of_who_asks_them_is_said_of_services_that_may_ask(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    nobody = list(of_consent(tenant))
    for name in ("Job Finder", "Gone"):
        put_service(tenant, name=name)
    store.write(lambda tx: services.disable(tx, "gone", "not used", by="test")).result()

    found = {one.check: (one.status, one.message) for one in of_consent(tenant)}

    rest = " and contact and privacy notice"
    assert nobody == []
    assert found == {
        "consent": (
            "warning",
            f"learners are not told the organisation's name{rest}: lrs tenants set default sets it",
        ),
        "consent job-finder": (
            "warning",
            "learners are not told its contact and privacy notice: lrs services set job-finder sets it",
        ),
    }
