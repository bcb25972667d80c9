"""What stands outside the store about its record of actions, and what the doctor says when the two differ."""

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import structlog
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.ops.doctor_audit import of_audit
from lrs.storage import Walk
from lrs.tenancy import audit
from lrs.tenancy.audit_head import HeadLine, Publisher, compare, lines_of, put_down
from lrs.tenancy.tenants import open_tenant
from tests.builders import store_in, tenant_in
from tests.programs import until


@contextmanager
def opened(data, head=None):
    tenant = open_tenant(Settings(data=data, audit_head=head))
    try:
        yield tenant
    finally:
        tenant.store.close()


def act(tenant, *actions):
    for action in actions:
        tenant.store.write(lambda tx, action=action: audit.append(tx, "test", action, {})).result()


def put_down_end(tenant):
    put_down(tenant.settings.audit_head, tenant, audit.head_of(tenant.store))


def told(tenant):
    return [(finding.check, finding.status) for finding in of_audit(tenant)]


def messages(tenant):
    return [(finding.check, finding.message) for finding in of_audit(tenant)]


def message(tenant, check="audit-head"):
    return dict(reversed(messages(tenant)))[check]


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def head(tmp_path):
    return tmp_path / "heads"


def test_a_chain_and_a_file_that_agree_are_well(data, head):
    with opened(data, head) as tenant:
        act(tenant, "one", "two")
        put_down_end(tenant)

        assert told(tenant) == [("audit", "ok"), ("audit-head", "ok")]
        assert message(tenant) == f"{head} agrees, up to entry 2 of 2"
        assert head.stat().st_mode & 0o777 == 0o600


def test_without_a_file_the_doctor_says_what_cannot_be_told(data):
    with opened(data) as tenant:
        act(tenant, "one")

        assert told(tenant) == [("audit", "ok"), ("audit-head", "warning")]


def test_on_each_engine_a_changed_entry_and_one_taken_out_are_problems(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    act(tenant, "key.created", "key.revoked", "persons.merged")
    second = store.find(Walk("audit")).records[1]
    changed = second.body.replace(b"revoked", b"rotated")
    store.write(lambda tx: tx.replace(msgspec.structs.replace(second, body=changed))).result()
    assert message(tenant, "audit").startswith("entry 3 was changed or taken out, or the one before it was: compare")

    store.write(lambda tx: tx.delete("audit", second.id)).result()

    assert told(tenant) == [("audit", "problem")]
    assert message(tenant, "audit") == "entry 2 was changed or taken out: compare it with a backup"


def test_a_record_of_actions_that_was_taken_away_whole_is_a_problem(data):
    with opened(data) as tenant:
        tenant.store.write(lambda tx: tx.delete("audit-head", "head")).result()

        assert told(tenant) == [("audit", "problem")]


def test_an_older_copy_of_the_store_that_was_put_back_is_called_that(data, head, tmp_path):
    with opened(data, head) as tenant:
        act(tenant, "one", "two")
        put_down_end(tenant)
    shutil.copytree(data, tmp_path / "copy")
    with opened(data, head) as tenant:
        act(tenant, "three")
        put_down_end(tenant)
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "copy", data)

    with opened(data, head) as tenant:
        before = told(tenant), message(tenant)
        act(tenant, "other", "more")
        put_down_end(tenant)
        after = told(tenant), message(tenant)

    for statuses, text in (before, after):
        assert statuses == [("audit", "ok"), ("audit-head", "problem")]
        assert "this is an older state of the store that was put back without lrs restore" in text
    assert "both agree up to entry 2" in before[1]


def test_a_store_that_says_it_was_restored_is_a_warning(data, head, tmp_path):
    with opened(data, head) as tenant:
        act(tenant, "one")
        put_down_end(tenant)
    shutil.copytree(data, tmp_path / "copy")
    with opened(data, head) as tenant:
        act(tenant, "two", "three")
        put_down_end(tenant)
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "copy", data)

    with opened(data, head) as tenant:
        about = {"taken": "2026-11-28T12:00+00:00"}
        tenant.store.write(lambda tx: audit.append(tx, "test", audit.RESTORED, about)).result()
        before = told(tenant)
        act(tenant, "other", "more", "yet more")
        put_down_end(tenant)
        after = told(tenant)
        text = message(tenant)

    assert before == after == [("audit", "ok"), ("restored", "warning"), ("audit-head", "warning")]
    assert "the store was restored on" in text


def test_a_restore_does_not_explain_what_was_lost_after_it():
    lines = [HeadLine("t", "s", number, hash, "") for number, hash in [(3, "old"), (3, "new"), (5, "gone")]]
    found = {3: "new", 5: "forged"}

    differs = compare(lines, found, [2])

    assert (differs.line, differs.agreed, differs.restored) == (lines[2], 3, None)
    assert compare(lines[:2], found, [2]).restored == 2
    assert compare(lines[1:2], found, [2]) is None


def test_a_chain_that_was_replaced_whole_is_a_problem(data, head):
    with opened(data, head) as tenant:
        act(tenant, "one", "two")
        put_down_end(tenant)
    shutil.rmtree(data / "tenants")
    with opened(data, head) as tenant:
        act(tenant, "forged", "forged")

        assert told(tenant) == [("audit", "ok"), ("audit-head", "problem")]
        assert message(tenant).endswith("the whole store was replaced, and the record of actions with it")


def test_a_chain_that_was_begun_anew_in_the_same_store_is_a_problem(data, head):
    with opened(data, head) as tenant:
        act(tenant, "one", "two")
        put_down_end(tenant)

        def cut(tx):
            for record in tx.find(Walk("audit")).records:
                tx.delete("audit", record.id)
            tx.delete("audit-head", "head")
            tx.delete("master-key", "fingerprint")

        tenant.store.write(cut).result()
    with opened(data, head) as tenant:
        act(tenant, "forged", "forged")

        assert told(tenant) == [("audit", "ok"), ("audit-head", "problem")]
        assert message(tenant).endswith("nor any other in it: the record of actions was replaced")


def test_a_file_that_is_missing_a_folder_or_of_another_store_is_a_problem(data, head, tmp_path):
    with opened(data, head) as tenant:
        act(tenant, "one")
        missing = message(tenant)
        head.mkdir()
        folder = message(tenant)
        head.rmdir()
        with opened(tmp_path / "other", head) as other:
            put_down_end(other)
        foreign = message(tenant)
        statuses = told(tenant)

    assert missing.startswith(f"{head} is not there: it was taken away, or lrs serve has not run")
    assert folder == f"{head} cannot be read: Is a directory"
    assert foreign.startswith(f"{head} is of another store (tenants default): name the file of this one. If it is")
    assert statuses == [("audit", "ok"), ("audit-head", "problem")]


def test_a_file_in_which_the_last_entries_are_missing_for_long_is_a_problem(tmp_path, store, clock):
    tenant = tenant_in(tmp_path / "data", store, clock, audit_head=tmp_path / "heads")
    act(tenant, "one")
    put_down_end(tenant)
    act(tenant, "two")
    clock.forward(seconds=59)
    soon = told(tenant)

    clock.forward(seconds=10)

    assert soon == [("audit", "ok"), ("audit-head", "ok")]
    assert told(tenant) == [("audit", "ok"), ("audit-head", "problem")]
    assert message(tenant).startswith(f"{tmp_path}/heads has got to entry 1 of 2: is lrs serve or lrs work running")


def test_a_file_that_takes_no_further_line_is_a_problem(data, head, monkeypatch):
    with opened(data, head) as tenant:
        act(tenant, "one")
        put_down_end(tenant)
        monkeypatch.setattr("lrs.ops.doctor_audit.os.access", lambda path, how: (path, how) != (head, os.W_OK))

        assert [text for check, text in messages(tenant) if check == "audit-head"][1:] == [
            f"{head} cannot be written: further actions are not recorded in it"
        ]


def test_a_line_that_was_torn_by_a_crash_is_passed_over_and_the_next_begins_anew(data, head):
    with opened(data, head) as tenant:
        act(tenant, "one")
        put_down_end(tenant)
        with head.open("a") as file:
            file.write('{"tenant":"defa')
        act(tenant, "two")
        put_down_end(tenant)

        assert [line.number for line in lines_of(head, tenant.store)[0]] == [1, 2]
        assert told(tenant) == [("audit", "ok"), ("audit-head", "ok")]


def test_two_writers_of_one_file_lose_no_line(data, head):
    with opened(data, head) as tenant, opened(data, head) as other:
        for _ in range(20):
            act(tenant, "one")
            put_down_end(tenant)
            act(other, "two")
            put_down_end(other)

        assert [line.number for line in lines_of(head, tenant.store)[0]] == list(range(1, 41))
        assert told(tenant) == [("audit", "ok"), ("audit-head", "ok")]


def test_a_worker_puts_the_end_down_and_goes_on_when_the_file_can_be_written_again(data, tmp_path):
    head = tmp_path / "later" / "heads"
    with opened(data, head) as tenant:
        act(tenant, "one")
        publisher = Publisher(lambda: [tenant], head, look=0.01)
        try:
            head.parent.mkdir()
            until(head.exists, "the file")
            act(tenant, "two")
        finally:
            publisher.close()

        assert [line.number for line in lines_of(head, tenant.store)[0]] == [1, 2]


def test_where_log_lines_may_wait_the_file_has_each_end_and_the_log_the_last(data, tmp_path):
    head = tmp_path / "heads"
    with opened(data, head) as tenant, structlog.testing.capture_logs() as logged:
        publisher = Publisher(lambda: [tenant], head, look=0.01, every=3600)
        try:
            for number, what in enumerate(("one", "two"), 1):
                act(tenant, what)
                until(lambda number=number: head.exists() and len(head.read_text().splitlines()) == number, "a line")
            before = list(logged)
        finally:
            publisher.close()

    assert before == []
    assert [(line["event"], line["number"]) for line in logged] == [("end of the record of actions", 2)]


def test_an_end_that_was_logged_is_not_logged_again_while_nothing_is_done(data):
    with opened(data) as tenant, structlog.testing.capture_logs() as logged:
        act(tenant, "one")
        looked = []
        publisher = Publisher(lambda: looked.append(1) or [tenant], None, look=0.01)
        try:
            until(lambda: logged, "the line of the first")
            looks = len(looked) + 3
            until(lambda: len(looked) > looks, "more looks")
            act(tenant, "two")
        finally:
            publisher.close()

    assert [line["number"] for line in logged] == [1, 2]


def test_a_command_without_a_server_puts_down_what_it_did_and_nothing_when_it_only_looked(tmp_path):
    store_in(tmp_path / "data")
    environment = {"LRS_AUDIT_HEAD": str(tmp_path / "heads")}

    for words in (["keys", "create", "--name", "x", "--scope", "all"], ["keys", "list"]):
        answer = CliRunner().invoke(main, [*words, "--data", str(tmp_path / "data")], env=environment)
        assert answer.exit_code == 0, answer.output

    lines = [json.loads(line) for line in (tmp_path / "heads").read_text().splitlines()]
    assert [(line["tenant"], line["number"]) for line in lines] == [("default", 1)]


def test_making_and_suspending_a_tenant_have_their_entries(tmp_path):
    """A worker puts down the end of tenants that are open; one that is suspended is not among them."""
    data, head = tmp_path / "data", tmp_path / "heads"
    for words in (["create", "acme"], ["suspend", "acme"]):
        environment = {"LRS_AUDIT_HEAD": str(head)}
        answer = CliRunner().invoke(main, ["tenants", *words, "--data", str(data)], env=environment)
        assert answer.exit_code == 0, answer.output

    lines = [json.loads(line) for line in head.read_text().splitlines()]

    assert [(line["tenant"], line["number"]) for line in lines] == [("acme", 1), ("acme", 2)]


def test_a_file_inside_the_store_folder_is_refused(tmp_path):
    environment = {"LRS_AUDIT_HEAD": str(tmp_path / "data" / "heads")}

    answer = CliRunner().invoke(main, ["keys", "list", "--data", str(tmp_path / "data")], env=environment)

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: LRS_AUDIT_HEAD: lies in LRS_DATA")


def test_a_file_whose_folder_is_not_there_is_named_in_a_line(tmp_path):
    store_in(tmp_path / "data")
    environment = {"LRS_AUDIT_HEAD": str(tmp_path / "none" / "heads")}

    words = ["keys", "create", "--name", "x", "--scope", "all", "--data", str(tmp_path / "data")]
    answer = CliRunner().invoke(main, words, env=environment)

    assert answer.exit_code == 1
    assert answer.output.endswith(f"Error: {tmp_path}/none/heads: No such file or directory\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_cannot_be_written_is_a_problem(data, head: Path):
    with opened(data, head) as tenant:
        act(tenant, "one")
        put_down_end(tenant)
        head.chmod(0o400)

        assert told(tenant) == [("audit", "ok"), ("audit-head", "ok"), ("audit-head", "problem")]


def test_a_line_that_the_disk_took_in_parts_is_whole(data, head, monkeypatch):
    write = os.write
    monkeypatch.setattr("lrs.tenancy.audit_head.os.write", lambda file, some: write(file, bytes(some)[:7]))
    with opened(data, head) as tenant:
        act(tenant, "one")
        put_down_end(tenant)

        assert [line.number for line in lines_of(head, tenant.store)[0]] == [1]
