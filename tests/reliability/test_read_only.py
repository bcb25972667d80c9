"""A data folder that may only be read: what shows something works, all else says what is wrong.

The folder is a copy on a file system in memory that is then mounted read-only, in a user namespace of its own; where
the kernel does not let us have one, the test is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from lrs.access.keys import create_key
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.storage import Owed, Record
from lrs.tenancy.tenants import open_tenant
from tests.builders import store_in

_MOUNT = 'mount -t tmpfs none "$0" && cp -a "$1"/. "$0" && mount -o remount,ro "$0" && shift && exec "$@"'


_RUN = """
import json, sys
from click.testing import CliRunner
from lrs.cli import main
ran = [CliRunner().invoke(main, [*words, "--data", sys.argv[2]]) for words in json.loads(sys.argv[1])]
print(json.dumps([[one.exit_code, one.stdout, one.stderr] for one in ran]))
"""


@pytest.fixture
def data(tmp_path):
    """The folder of a store with a badge and an entry that waits, closed, and how to see it read-only elsewhere."""
    folder = tmp_path / "data"
    store_in(folder)
    tenant = open_tenant(Settings(data=folder))
    create_key(tenant, "k", ["all"])
    badge = Record(
        "credential",
        "b1",
        json.dumps({"name": "Gowning", "proof": [{"verificationMethod": "did:web:a.example#k"}]}).encode(),
        {"state": "issued", "valid_from": "2026-11-01T09:00:00Z", "person": "p1"},
        owed=(Owed("issue"),),
    )
    tenant.store.write(lambda tx: tx.insert(badge)).result()
    yield folder, tenant
    tenant.store.close()


def lrs(folder, mount, *commands):
    """Exit code, output and messages of each of *commands*, which one process runs on a read-only copy of *folder*."""
    mount.mkdir(exist_ok=True)
    argv = ["unshare", "-rm", "sh", "-c", _MOUNT, str(mount), str(folder)]
    probe = subprocess.run([*argv, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"this kernel lets us mount nothing: {probe.stderr}")
    asked = json.dumps([command.split() for command in commands])
    done = subprocess.run(
        [*argv, sys.executable, "-c", _RUN, asked, str(mount)],
        env={name: value for name, value in os.environ.items() if not name.startswith("LRS_")},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("running", [True, False], ids=["copied while it was open", "copied after it was closed"])
def test_what_shows_something_works_on_a_read_only_copy(data, tmp_path, running):
    folder, tenant = data
    if not running:
        tenant.store.close()

    badges, work = lrs(folder, tmp_path / "copy", "badges list --json", "work status --json")

    assert (badges[0], badges[2]) == (0, "")
    assert [(one["id"], one["name"]) for one in json.loads(badges[1])] == [("b1", "Gowning")]
    assert (work[0], work[2]) == (0, "")
    assert [(step["step"], step["waiting"]) for step in json.loads(work[1])["steps"]] == [("issue", 1)]


def test_what_would_write_says_in_a_line_that_the_folder_is_read_only(data, tmp_path):
    folder, _ = data

    *refused, doctor = lrs(folder, tmp_path / "copy", "serve --port 0", "keys create --name x --scope all", "doctor")

    for status, _, said in refused:
        assert (status, "read-only" in said, said.count("\n")) == (1, True, 1)
    assert "read-only" in doctor[1]


SHOWING = [
    *("badges list", "keys list", "persons list", "persons suggestions", "roles list", "framework list", "rules list"),
    *("rules unmatched", "consent list", "services list", "deliveries list", "work status"),
]


@pytest.mark.parametrize("command", SHOWING)
def test_where_there_is_no_store_none_is_made(tmp_path, command):
    answer = CliRunner().invoke(main, [*command.split(), "--data", str(tmp_path / "nothing")])

    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert "tenant 'default' has no store" in answer.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_tenant_that_is_not_there_is_not_made_by_being_asked_for_on_each_engine(tmp_path, store_url):
    store_in(tmp_path, store_url=store_url)
    asked = ["keys", "list", "--tenant", "nobodys", "--data", str(tmp_path)]

    for _ in range(2):
        answer = CliRunner().invoke(main, asked, env={"LRS_STORE_URL": store_url})

        assert (answer.exit_code, answer.stdout) == (1, "")
        assert "tenant 'nobodys'" in answer.stderr


def test_showing_something_leaves_every_file_as_it_is(data):
    folder, tenant = data
    tenant.store.close()
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}

    for command in SHOWING:
        assert CliRunner().invoke(main, [*command.split(), "--data", str(folder)]).exit_code == 0

    assert {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before
