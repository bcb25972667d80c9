"""A tenant is made, suspended, let go on and deleted, by a change that every process asks; nothing is lost."""

import json
from contextlib import closing

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from lrs.access.keys import create_key
from lrs.cli import main
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.ops.tenant_commands import _check
from lrs.ops.worker_process import _measure
from lrs.storage import Owed, Record
from lrs.tenancy import audit, states
from lrs.tenancy.control import open_control, registered_to_read
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.record import GRACE, record_of
from lrs.tenancy.tenants import open_tenant, open_tenant_to_read
from lrs.tenancy.usage import stored_by
from tests.served import new_id, serving, statement


def run(data, *words):
    answer = CliRunner().invoke(main, ["tenants", *words, "--data", str(data)])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


@pytest.fixture
def control(tmp_path, clock):
    opened = open_control(Settings(data=tmp_path), clock=clock)
    states.create(Settings(data=tmp_path), opened, "acme", "Acme")
    yield opened
    opened.close()


def insert(settings, tenant, id):
    opened = open_tenant(settings, tenant)
    opened.store.write(lambda tx: tx.insert(Record("statement", id, owed=(Owed("refs"),)))).result()
    opened.store.blobs.put([b"a blob"])
    opened.store.close()


def actions(settings, tenant):
    opened = open_tenant_to_read(settings, tenant)
    found = [entry.action for entry, _ in audit.walk(opened.store)]
    opened.store.close()
    return found


def test_a_record_of_an_earlier_version_is_that_of_an_open_tenant_that_decided_nothing():
    record = record_of(b'{"v":1,"created":1795000000000000}')

    assert (record.created, record.state, record.decided.named()) == (1795000000000000, "open", {})


def test_a_tenant_that_is_made_has_a_store_and_an_entry_of_that_and_is_made_once(tmp_path):
    assert run(tmp_path, "create", "acme", "--name", "Acme").exit_code == 0

    again = run(tmp_path, "create", "acme")
    wrong = run(tmp_path, "create", "Not An Id")

    assert (again.exit_code, again.stderr) == (1, "Error: there is a tenant 'acme' already: lrs tenants show acme\n")
    assert wrong.exit_code == 1
    assert "use 1 to 40 lower-case letters" in wrong.stderr
    assert actions(Settings(data=tmp_path), "acme") == ["tenant.created"]
    listed = json.loads(run(tmp_path, "list", "--json").stdout)
    assert [(one["id"], one["name"], one["state"]) for one in listed] == [
        ("default", "", "open"),
        ("acme", "Acme", "open"),
    ]


def test_the_default_tenant_which_is_registered_from_the_beginning_gets_the_name_it_is_made_with(tmp_path):
    run(tmp_path, "create", "default", "--name", "Acme")

    assert json.loads(run(tmp_path, "show", "default", "--json").stdout)["name"] == "Acme"


def test_a_store_that_nobody_registered_because_its_maker_was_killed_is_taken_by_the_next_try(tmp_path, control):
    settings = Settings(data=tmp_path)
    open_tenant(settings, "half").store.close()

    assert states.create(settings, control, "half", "")

    assert control.get("half").state == "open"


def test_a_suspended_tenant_is_served_nothing_worked_for_by_nobody_and_loses_nothing(tmp_path, control, clock):
    settings = Settings(data=tmp_path)
    insert(settings, "acme", "a")
    tenants = Tenants(settings, clock)
    control.due.mark("acme")
    with tenants.hold("acme"):
        pass

    states.suspend(settings, control, "acme")

    assert "acme" not in tenants.due()
    assert [tenant.id for tenant in tenants.each()] == ["default"]
    with pytest.raises(Refused) as refused:
        tenants.take("acme")
    assert (refused.value.status, refused.value.error) == (403, "suspended")
    assert "lrs tenants resume acme" in refused.value.message
    states.resume(settings, control, "acme")
    assert "acme" in tenants.due()
    with tenants.hold("acme") as held:
        assert held.store.get("statement", "a") is not None
    tenants.close()
    assert actions(settings, "acme") == ["tenant.created", "tenant.suspended", "tenant.open"]


def test_a_deletion_waits_thirty_days_and_is_undone_on_the_last(tmp_path, control, clock):
    settings = Settings(data=tmp_path)
    insert(settings, "acme", "a")

    record = states.delete(settings, control, "acme")
    assert record.delete_at == clock.now + 30 * 24 * 3_600 * 1_000_000
    assert states.erase_due(settings, control, clock.now + GRACE - 1) == []
    states.resume(settings, control, "acme")

    assert states.erase_due(settings, control, clock.now + GRACE + 1) == []
    assert control.get("acme").state == "open"
    opened = open_tenant(settings, "acme")
    assert opened.store.get("statement", "a") is not None
    opened.store.close()


def test_what_is_so_already_is_no_second_entry_and_what_is_not_there_is_refused(tmp_path, control):
    settings = Settings(data=tmp_path)
    run(tmp_path, "create", "acme")

    told = [run(tmp_path, "suspend", "acme").exit_code for _ in range(2)]

    assert told == [0, 0]
    assert actions(settings, "acme") == ["tenant.created", "tenant.suspended"]
    with pytest.raises(Misconfigured, match="there is no tenant 'nobody'"):
        control.change("nobody", lambda record, _: record)


def test_suspending_what_is_to_be_deleted_is_refused_and_takes_nothing_back(tmp_path):
    run(tmp_path, "create", "acme")
    run(tmp_path, "delete", "acme")

    refused = run(tmp_path, "suspend", "acme")

    assert refused.exit_code == 1
    assert "lrs tenants resume acme takes the deletion back, and then it can be suspended" in refused.stderr
    assert json.loads(run(tmp_path, "show", "acme", "--json").stdout)["state"] == "closing"
    assert actions(Settings(data=tmp_path), "acme") == ["tenant.created", "tenant.closing"]


def test_a_deleted_tenant_leaves_no_file_and_a_line_that_keeps_its_id_and_the_end_of_its_chain(
    tmp_path, control, clock
):
    settings = Settings(data=tmp_path)
    insert(settings, "acme", "a")
    states.delete(settings, control, "acme")
    opened = open_tenant_to_read(settings, "acme")
    head = audit.head_of(opened.store)
    opened.store.close()
    clock.forward(seconds=GRACE // 1_000_000)

    assert states.erase_due(settings, control, clock.now) == ["acme"]

    assert not (tmp_path / "tenants" / "acme").exists()
    kept = control.records()["acme"]
    assert (kept.state, kept.erased, kept.audit) == ("deleted", True, (head.number, head.hash))
    assert control.get("acme") is None
    assert states.erase_due(settings, control, clock.now) == []
    with pytest.raises(Misconfigured, match="was deleted, and its id is not used again"):
        states.create(settings, control, "acme", "")
    with pytest.raises(Misconfigured, match="there is no tenant 'acme'; there are default"):
        states.resume(settings, control, "acme")


def test_a_tenant_that_cannot_be_erased_keeps_no_other_from_it_and_is_tried_later(
    tmp_path, control, clock, monkeypatch
):
    settings, drop = Settings(data=tmp_path), states.drop_store
    for name in ("acme", "beta"):
        states.create(settings, control, name, "")
        states.delete(settings, control, name)
    clock.forward(seconds=GRACE // 1_000_000)

    def not_acme(url):
        if "acme" in url:
            raise Misconfigured("it is busy")
        drop(url)

    monkeypatch.setattr(states, "drop_store", not_acme)
    first = states.erase_due(settings, control, clock.now)
    monkeypatch.undo()

    assert first == ["beta"]
    assert states.erase_due(settings, control, clock.now) == ["acme"]
    assert control.tenants() == ["default"]
    assert control.records().keys() == {"default", "acme", "beta"}


def test_a_deletion_that_was_killed_in_the_middle_is_finished_by_the_next_round(tmp_path, control, clock, monkeypatch):
    settings = Settings(data=tmp_path)
    insert(settings, "acme", "a")
    states.delete(settings, control, "acme")
    clock.forward(seconds=GRACE // 1_000_000)
    folder = tmp_path / "tenants" / "acme"

    def killed(_url):
        (folder / "store.db").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lrs.tenancy.states.drop_store", killed)
        with pytest.raises(KeyboardInterrupt):
            states.erase_due(settings, control, clock.now)
    assert (control.records()["acme"].erased, folder.exists()) == (False, True)

    assert states.erase_due(settings, control, clock.now) == ["acme"]

    assert (control.records()["acme"].erased, folder.exists()) == (True, False)


def test_a_tenant_that_is_resumed_while_a_round_looks_for_deletions_is_not_erased(
    tmp_path, control, clock, monkeypatch
):
    settings = Settings(data=tmp_path)
    insert(settings, "acme", "a")
    states.delete(settings, control, "acme")
    clock.forward(seconds=GRACE // 1_000_000)
    seen = control.records()
    states.resume(settings, control, "acme")
    monkeypatch.setattr(control, "records", lambda: seen)

    assert states.erase_due(settings, control, clock.now) == []

    assert control.get("acme").state == "open"
    assert (tmp_path / "tenants" / "acme" / "store.db").exists()


def test_a_tenant_that_is_erased_while_somebody_resumes_it_stays_deleted(tmp_path, control, clock, monkeypatch):
    settings = Settings(data=tmp_path)
    states.delete(settings, control, "acme")
    seen = control.get("acme")
    clock.forward(seconds=GRACE // 1_000_000)
    assert states.erase_due(settings, control, clock.now) == ["acme"]

    with pytest.raises(Misconfigured, match="there is no tenant 'acme'; there are default"):
        states.resume(settings, control, "acme")
    monkeypatch.setattr(control, "get", lambda _: seen)
    with pytest.raises(Misconfigured, match="deleted meanwhile"):
        states.resume(settings, control, "acme")

    assert (control.records()["acme"].state, control.open_tenants()) == ("deleted", ["default"])


def test_the_default_tenant_cannot_be_deleted(tmp_path):
    run(tmp_path, "create", "acme")

    answer = run(tmp_path, "delete", "default")

    assert answer.exit_code == 1
    assert "the default tenant is a part of the installation" in answer.stderr


def test_commands_tell_when_a_tenant_is_deleted_and_how_that_is_undone(tmp_path):
    run(tmp_path, "create", "acme")

    told = run(tmp_path, "delete", "acme").stdout
    shut = CliRunner().invoke(main, ["keys", "create", "--name", "x", "--tenant", "acme", "--data", str(tmp_path)])
    read = CliRunner().invoke(main, ["keys", "list", "--tenant", "acme", "--data", str(tmp_path)])

    assert "is deleted with all its statements, badges and blobs after 20" in told
    assert "until then lrs tenants resume acme undoes it" in told
    assert (shut.exit_code, read.exit_code) == (1, 0)
    assert "this tenant is to be deleted on 20" in shut.stderr
    assert "is served and worked for again" in run(tmp_path, "resume", "acme").stdout


def test_what_an_organisation_decides_holds_for_it_and_for_no_other(tmp_path):
    run(tmp_path, "create", "acme")
    tenants = Tenants(Settings(data=tmp_path, zone="Europe/Paris"))
    with tenants.hold("acme") as before:
        assert before.settings.zone == "Europe/Paris"

    set_ = run(tmp_path, "set", "acme", "--zone", "Asia/Tokyo", "--outbound-allow", "10.0.0.0/8", "--rules-review", "5")
    wrong = run(tmp_path, "set", "acme", "--zone", "Mars/Olympus")
    nothing = run(tmp_path, "set", "acme")

    assert set_.exit_code == 0
    assert "no time zone of that name" in wrong.stderr
    assert (wrong.exit_code, nothing.exit_code) == (1, 1)
    acme = tenants.take("acme")
    with tenants.hold("default") as default:
        assert (default.settings.zone, default.settings.outbound_allow) == ("Europe/Paris", ())
    assert (acme.settings.zone, acme.settings.outbound_allow, acme.settings.rules_review) == (
        "Asia/Tokyo",
        ("10.0.0.0/8",),
        5.0,
    )
    fresh = Tenants(Settings(data=tmp_path, zone="Europe/Paris"))
    with fresh.hold("acme") as opened:  # which was open nowhere in this process
        assert (opened.settings.zone, opened.settings.rules_review) == ("Asia/Tokyo", 5.0)
    fresh.close()
    run(tmp_path, "set", "acme", "--default", "zone")
    tenants.give_back(acme)
    assert tenants.take("acme").settings.zone == "Europe/Paris"
    tenants.close()
    shown = json.loads(run(tmp_path, "show", "acme", "--json").stdout)
    assert shown["decided"] == ["outbound_allow", "rules_review"]


def test_who_has_stored_as_much_as_it_may_is_told_507_and_reads_on(tmp_path):
    run(tmp_path, "create", "acme")
    control = open_control(Settings(data=tmp_path))
    run(tmp_path, "set", "acme", "--storage-limit", "1000")
    control.change("acme", lambda record, _: type(record)(**{**_fields(record), "stored": 1000}))
    control.close()
    with serving(tmp_path) as lrs:
        new = create_key(lrs.app.tenants.take("acme"), "k", ["all"])
        at, auth = f"{lrs.address}/t/acme/xapi/statements", (new.key, new.secret)
        told = {"X-Experience-API-Version": "1.0.3"}
        sent = httpx.post(at, json=statement(id=new_id()), auth=auth, headers=told, trust_env=False)
        one = {"statementId": new_id()}
        put = httpx.put(at, params=one, json=statement(), auth=auth, headers=told, trust_env=False)
        read = httpx.get(at, auth=auth, headers=told, trust_env=False)
        file = f"{lrs.address}/t/acme/api/imports?adapter=training-centre"
        brought = httpx.post(file, auth=auth, content=b"a,b\n1,2\n", trust_env=False)

    assert (sent.status_code, sent.json()["error"], read.status_code) == (507, "quota", 200)
    assert (put.status_code, put.json()["error"]) == (507, "quota")
    assert (brought.status_code, brought.json()["error"]) == (507, "quota")
    assert "may store 1000 bytes and has 1000" in sent.json()["message"]


def test_a_limit_that_nothing_would_count_and_what_nobody_made_are_refused(tmp_path, monkeypatch):
    run(tmp_path, "create", "acme")
    unknown = run(tmp_path, "show", "acne")
    monkeypatch.setenv("LRS_STORE_URL", "mongodb://127.0.0.1:9/lrs")

    with pytest.raises(Misconfigured, match="are not counted, so none can be set"):
        _check(Settings(data=tmp_path), "acme", {"storage_limit": 1000})

    assert (unknown.exit_code, unknown.stderr) == (1, "Error: there is no tenant 'acne'; there are default, acme\n")


def _fields(record):
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_who_has_a_limit_is_measured_and_nobody_else(tmp_path):
    for name in ("acme", "free"):
        run(tmp_path, "create", name)
    run(tmp_path, "set", "acme", "--storage-limit", "1000")
    tenants = Tenants(Settings(data=tmp_path))
    for name in ("acme", "free"):
        with tenants.hold(name) as tenant:
            _measure(tenants, tenant, lambda _: False)
    stored = {name: tenants.control.get(name).stored for name in ("acme", "free")}
    tenants.close()

    assert (stored["acme"] > 10_000, stored["free"]) == (True, 0)


def test_usage_counts_what_a_tenant_has(tmp_path):
    run(tmp_path, "create", "acme")
    insert(Settings(data=tmp_path), "acme", "a")

    rows = {one["id"]: one for one in json.loads(run(tmp_path, "usage", "--json").stdout)}

    with closing(open_tenant(Settings(data=tmp_path), "acme").store) as store:
        store.write(lambda tx: tx.insert(Record("statement", "b", bytes(100_000)))).result()
        in_use = stored_by(Settings(data=tmp_path), "acme")

    assert in_use.bytes == in_use.records + in_use.blob_bytes > in_use.records
    assert in_use.bytes > rows["acme"]["bytes"] + 100_000
    assert (rows["acme"]["statements"], rows["acme"]["persons"], rows["acme"]["blobs"]) == (1, 0, 1)
    assert rows["acme"]["bytes"] > 6
    assert "has no store" in rows["default"]["error"]


def test_every_route_of_a_tenant_that_is_suspended_says_so_and_the_others_answer(tmp_path):
    run(tmp_path, "create", "acme")
    with serving(tmp_path) as lrs:
        run(tmp_path, "suspend", "acme")
        at = f"{lrs.address}/t/acme"
        told = {"X-Experience-API-Version": "1.0.3"}
        asked = ["/xapi/statements", "/xapi/about", "/did.json", "/pages/sign-in", "/api/profiles", "/status/x", "/"]
        answers = [httpx.get(at + path, headers=told, trust_env=False) for path in asked]
        healthy = httpx.get(f"{lrs.address}/health", trust_env=False)
        sent = lrs.store(statement(id=new_id()))

    assert {answer.status_code for answer in answers} == {403}
    assert all("suspended" in answer.text or "closed for now" in answer.text for answer in answers)
    assert [answer.text.count("lrs tenants resume") for answer in answers if "<html" in answer.text] == [0]
    assert healthy.json() == {"status": "ok"}
    assert sent


def test_of_a_tenant_that_is_not_there_or_was_deleted_nothing_is_read_though_its_database_is_still_there(
    tmp_path, mongo_url, mongo_client
):
    settings, prefix = Settings(data=tmp_path, store_url=mongo_url), mongo_url.rpartition("/")[2]
    with closing(open_control(settings)) as control:
        for name in ("acme", "beta"):
            control.add(name)
            open_tenant(settings, name).store.close()
        with registered_to_read(settings, "acme") as there:
            read = there.id
        control.change("beta", lambda record, _: msgspec.structs.replace(record, state="deleted"))
    told = {}
    for name in ("acne", "beta"):
        with pytest.raises(Misconfigured) as refused, registered_to_read(settings, name):
            pass
        told[name] = str(refused.value)

    for name in ("control", "acme", "beta"):
        mongo_client.drop_database(f"{prefix}_{name}")
    assert read == "acme"
    assert told == {name: f"there is no tenant {name!r}; there are default, acme" for name in ("acne", "beta")}
