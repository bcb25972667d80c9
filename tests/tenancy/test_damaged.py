"""One tenant whose store is damaged: the others are served, worked for and counted, and it is said which one it is."""

from __future__ import annotations

import json
import sqlite3
import traceback
from contextlib import closing

import httpx
import pytest
import structlog
from click.testing import CliRunner

from lrs.cli import main
from lrs.composition.steps import LANES, steps_of
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Owed, Record
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.opening import TenantUnusable
from lrs.tenancy.tenants import open_tenant
from lrs.work.worker import Crew
from tests.programs import programs, until
from tests.served import new_id, serving


def tenants_in(folder, *names, **settings):
    control = open_control(Settings(data=folder, **settings))
    for name in names:
        control.add(name)
    control.close()
    for name in ("default", *names):
        open_tenant(Settings(data=folder, **settings), name).store.close()


def store_of(folder, tenant):
    return folder / "tenants" / tenant / "store.db"


def break_head(folder, tenant):
    """The file is none of SQLite's any more."""
    store_of(folder, tenant).write_bytes(b"not a database" * 1_000)


def break_inside(folder, tenant):
    """The file opens, but what is in it cannot be read: every page after the third is rubbish."""
    path = store_of(folder, tenant)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'owed_at'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)


def break_all(folder, tenant):
    """The file has the head of a store, and nothing in it can be read."""
    path = store_of(folder, tenant)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def owe(store, id):
    store.write(lambda tx: tx.insert(Record("statement", id, meta={"source": "s"}, owed=(Owed("refs"),)))).result()


def statement(id):
    return {
        "id": id,
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://v"},
        "object": {"id": "http://o"},
    }


def test_a_tenant_that_cannot_be_opened_is_left_out_told_once_and_served_again_once_it_is_mended(tmp_path):
    tenants_in(tmp_path, "bad", "good")
    kept = store_of(tmp_path, "bad").read_bytes()
    break_head(tmp_path, "bad")
    tenants = Tenants(Settings(data=tmp_path))

    with structlog.testing.capture_logs() as logged:
        assert [one.tenant for one in tenants.start()] == ["bad"]
        assert [[tenant.id for tenant in tenants.each()] for _ in range(3)] == [["default", "good"]] * 3
        with pytest.raises(TenantUnusable) as refused:
            tenants.take("bad")

    assert (refused.value.status, refused.value.error, refused.value.headers) == (
        503,
        "unavailable",
        (("retry-after", "30"),),
    )
    assert str(tmp_path) in refused.value.reason
    assert str(tmp_path) not in refused.value.message
    assert [(line["event"], line["tenant"]) for line in logged] == [
        ("a tenant cannot be opened; the others are served", "bad")
    ]
    store_of(tmp_path, "bad").write_bytes(kept)
    with pytest.raises(TenantUnusable):
        tenants.take("bad")
    tenants._opener._unusable["bad"] = (refused.value, 0.0)  # noqa: SLF001 (as if the seconds had passed)
    assert tenants.take("bad").id == "bad"
    assert tenants.unusable() == []
    tenants.close()


def test_a_tenant_that_cannot_be_opened_keeps_nothing_of_those_who_asked_for_it(tmp_path):
    tenants_in(tmp_path, "bad")
    break_head(tmp_path, "bad")
    tenants = Tenants(Settings(data=tmp_path))

    frames = []
    for _ in range(3):
        with pytest.raises(TenantUnusable) as refused:
            tenants.take("bad")
        frames.append(len(traceback.extract_tb(refused.value.__traceback__)))
    tenants.close()

    assert frames[1] == frames[2]


@pytest.mark.parametrize("breaking", [break_head, break_all])
def test_a_damaged_tenant_is_suspended_resumed_and_deleted_like_any_other(tmp_path, breaking):
    tenants_in(tmp_path, "bad", "good")
    breaking(tmp_path, "bad")
    settings = Settings(data=tmp_path)

    with closing(open_control(settings)) as control:
        assert states.suspend(settings, control, "bad").state == "suspended"
        assert states.resume(settings, control, "bad").state == "open"
        deleted = states.delete(settings, control, "bad")
        assert states.erase_due(settings, control, deleted.delete_at) == ["bad"]

    assert not store_of(tmp_path, "bad").exists()


def test_a_tenant_that_cannot_be_erased_keeps_no_other_from_it(tmp_path):
    tenants_in(tmp_path, "bad", "good")
    settings = Settings(data=tmp_path)

    with closing(open_control(settings)) as control:
        times = [states.delete(settings, control, name).delete_at for name in ("bad", "good")]
        store_of(tmp_path, "bad").unlink()
        store_of(tmp_path, "bad").mkdir()  # no file that could be deleted
        with structlog.testing.capture_logs() as logged:
            assert states.erase_due(settings, control, max(times)) == ["good"]
        assert control.records()["bad"].erased is False
        store_of(tmp_path, "bad").rmdir()
        assert states.erase_due(settings, control, max(times)) == ["bad"]

    assert ("a deleted tenant cannot be erased", "bad") in [(line["event"], line["tenant"]) for line in logged]


def test_the_usage_of_a_damaged_tenant_says_so_and_the_others_are_counted(tmp_path):
    tenants_in(tmp_path, "bad", "good")
    break_all(tmp_path, "bad")

    answer = CliRunner().invoke(main, ["tenants", "usage", "--json", "--data", str(tmp_path)])

    rows = {row["id"]: row for row in json.loads(answer.stdout)}
    assert "malformed" in rows["bad"]["error"]
    assert (rows["good"]["statements"], rows["good"]["error"]) == (0, None)


def test_where_no_tenant_can_be_opened_nothing_starts_and_the_reason_is_told(tmp_path):
    tenants_in(tmp_path, "other")
    for name in ("default", "other"):
        break_head(tmp_path, name)

    with pytest.raises(Misconfigured, match="file is not a database"):
        Tenants(Settings(data=tmp_path)).start()


def test_a_crew_works_for_the_others_whatever_is_wrong_with_one(tmp_path):
    tenants_in(tmp_path, "inside", "good", "head")
    break_inside(tmp_path, "inside")
    break_head(tmp_path, "head")
    tenants = Tenants(Settings(data=tmp_path))
    good, default = tenants.take("good"), tenants.take("default")
    crew = Crew([steps_of(names) for names in LANES], tenants, idle=0.05)
    try:
        for turn in range(2):
            for tenant in (good, default):
                owe(tenant.store, f"s-{turn}")
            until(lambda: good.store.backlog() == default.store.backlog() == [], "the work of the others")
    finally:
        crew.close()
        tenants.close()


def test_the_store_of_one_tenant_that_turns_out_damaged_does_not_end_the_process(tmp_path):
    tenants_in(tmp_path, "inside")
    break_inside(tmp_path, "inside")
    tenant = open_tenant(Settings(data=tmp_path), "inside")

    owing = Record("statement", "a", owed=(Owed("refs"),))
    error = tenant.store.write(lambda tx: tx.insert(owing)).exception()
    tenant.store.close()

    assert isinstance(error, OSError)
    assert "is damaged: database disk image is malformed; restore it from a backup" in str(error)


@pytest.mark.parametrize("breaking", [break_head, break_inside])
def test_the_server_starts_beside_a_damaged_tenant_serves_the_others_and_tells_which(tmp_path, breaking):
    tenants_in(tmp_path, "bad")
    breaking(tmp_path, "bad")
    with serving(tmp_path, metrics_open=True) as lrs:
        sent = lrs.store(lrs_statement())
        bad = httpx.get(
            f"{lrs.address}/t/bad/xapi/statements",
            auth=lrs.auth,
            headers={"X-Experience-API-Version": "1.0.3"},
            trust_env=False,
        )
        metrics = httpx.get(f"{lrs.address}/metrics", trust_env=False)
        health = httpx.get(f"{lrs.address}/health", trust_env=False)

    assert sent
    assert 'lrs_tenant_up{tenant="bad"} 0.0' in metrics.text
    assert 'lrs_tenant_up{tenant="default"} 1.0' in metrics.text
    assert 'lrs_owed_waiting{step="match"} 1.0' in metrics.text
    assert health.status_code == 200
    if breaking is break_head:
        assert (bad.status_code, bad.json()["error"], bad.headers["retry-after"]) == (503, "unavailable", "30")
        assert health.json() == {"status": "degraded", "unusable": 1}


def lrs_statement():
    return statement(new_id())


def test_lrs_serve_says_which_tenant_is_not_served_and_its_worker_works_for_the_others(tmp_path):
    with programs(tmp_path) as held:
        tenants_in(held.data, "bad")
        break_head(held.data, "bad")
        _, address = held.serve()
        tenant = open_tenant(Settings(data=held.data))
        owe(tenant.store, "a")
        until(lambda: tenant.store.backlog() == [], "the work of the other")
        tenant.store.close()
        health = httpx.get(f"{address}/health", trust_env=False)
        log = held.log()

    assert health.json() == {"status": "degraded", "unusable": 1}
    assert "tenant bad cannot be opened, and is not served: " in log


def test_doctor_tells_of_a_damaged_tenant_whichever_it_is_asked_about(tmp_path):
    tenants_in(tmp_path, "inside", "head")
    break_inside(tmp_path, "inside")
    break_head(tmp_path, "head")

    def doctor(*words):
        answer = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path), "--json", *words])
        assert answer.exit_code == 1
        findings = json.loads(answer.stdout)["findings"]
        return {one["check"]: one["message"] for one in findings if one["status"] == "problem"}

    told = doctor()
    assert told["tenant head"].startswith("it is not served: ")
    assert told["tenant head"].endswith("store.db cannot be opened: file is not a database")
    assert "its store cannot be read: database disk image is malformed" in told["tenant inside"]
    assert "malformed" in doctor("--tenant", "inside")["tenant"]
    assert "file is not a database" in doctor("--tenant", "head")["store"]


def test_a_command_on_a_damaged_store_says_so_in_a_line(tmp_path):
    tenants_in(tmp_path, "inside")
    break_inside(tmp_path, "inside")

    for words in (["work", "status"], ["work", "retry"]):
        answer = CliRunner().invoke(main, [*words, "--tenant", "inside", "--data", str(tmp_path)])
        assert answer.exit_code == 1
        assert answer.stderr.startswith("Error: ")
        assert "malformed" in answer.stderr
        assert "restore it from a backup" in answer.stderr
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("kept", [0, 100, 4_000, 4_096, 20_000])
def test_a_damaged_control_store_is_one_clear_line_whichever_command_meets_it(tmp_path, kept):
    tenants_in(tmp_path)
    path = tmp_path / "control.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:kept] + b"\xff" * (len(whole) - kept))
    (tmp_path / "other.key").write_text("cd" * 32)

    commands = ("serve --port 0", "work", "tenants list", "tenants migrate", "operators list", "doctor")
    for command in (
        *commands,
        "keys create --name x --scope all",
        f"tenants rewrap {tmp_path / 'other.key'}",
        f"backup {tmp_path / 'backup.tar'}",
    ):
        answer = CliRunner().invoke(main, [*command.split(), "--data", str(tmp_path)])

        assert isinstance(answer.exception, SystemExit), (command, answer.exception)
        assert answer.exit_code == 1, command
        assert "control.db" in answer.output, command
