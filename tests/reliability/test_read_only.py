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

from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.storage import Owed, Record
from lrs.tenancy.tenants import open_tenant
from tests.builders import store_in

_MOUNT = 'mount -t tmpfs none "$0" && cp -a "$1"/. "$0" && mount -o remount,ro "$0" && shift && exec "$@"'


@pytest.fixture
def data(tmp_path):
    """The folder of a store with a badge and an entry that waits, closed, and how to see it read-only elsewhere."""
    folder = tmp_path / "data"
    store_in(folder)
    subprocess.run(
        [sys.executable, "-m", "lrs", "keys", "create", "--name", "k", "--scope", "all", "--data", folder],
        check=True,
        env=_clean(),
        capture_output=True,
    )
    tenant = open_tenant(Settings(data=folder))
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


def _clean():
    return {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}


def lrs(folder, mount, *command):
    mount.mkdir(exist_ok=True)
    argv = ["unshare", "-rm", "sh", "-c", _MOUNT, str(mount), str(folder)]
    probe = subprocess.run([*argv, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"this kernel lets us mount nothing: {probe.stderr}")
    return subprocess.run(
        [*argv, sys.executable, "-m", "lrs", *command, "--data", str(mount)],
        env=_clean(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("running", [True, False], ids=["copied while it was open", "copied after it was closed"])
def test_what_shows_something_works_on_a_read_only_copy(data, tmp_path, running):
    folder, tenant = data
    if not running:
        tenant.store.close()

    badges = lrs(folder, tmp_path / "copy", "badges", "list", "--json")
    work = lrs(folder, tmp_path / "copy", "work", "status", "--json")

    assert (badges.returncode, badges.stderr) == (0, "")
    assert [(one["id"], one["name"]) for one in json.loads(badges.stdout)] == [("b1", "Gowning")]
    assert (work.returncode, work.stderr) == (0, "")
    assert [(step["step"], step["waiting"]) for step in json.loads(work.stdout)["steps"]] == [("issue", 1)]


def test_what_would_write_says_in_a_line_that_the_folder_is_read_only(data, tmp_path):
    folder, _ = data

    for command in (("serve", "--port", "0"), ("keys", "create", "--name", "x", "--scope", "all")):
        ended = lrs(folder, tmp_path / "copy", *command)

        assert ended.returncode == 1
        assert "read-only" in ended.stderr
        assert ended.stderr.count("\n") == 1
    assert "read-only" in lrs(folder, tmp_path / "copy", "doctor").stdout


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
