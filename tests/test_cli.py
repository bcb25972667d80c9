"""The command line as a whole: every command is where the table says, and only what is used is loaded."""

import ast
import inspect
import socket
import sqlite3
import subprocess
import sys
from importlib import import_module
from itertools import pairwise

import click
import pytest
from click.testing import CliRunner

from lrs.access.keys import list_keys
from lrs.cli import COMMANDS, SECTIONS, main
from lrs.kernel.admission import DATABASE, Overloaded
from lrs.kernel.errors import StoreFull
from lrs.kernel.settings import Settings
from lrs.serving.server import address_of
from lrs.tenancy.control import open_control, registered_to_read
from lrs.tenancy.due import DueIndex
from lrs.tenancy.tenants import open_tenant


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_help_is_the_first_sentence_of_the_commands_own(name):
    module, _, attribute = COMMANDS[name].partition(":")
    command = getattr(import_module(module), attribute)

    assert isinstance(command, click.Command)
    assert command.name == name
    (line,) = [lines[name] for lines in SECTIONS.values() if name in lines]
    assert line == (command.help or "").partition("\n")[0]


def test_help_lists_every_command_and_loads_none_of_them():
    code = (
        "import sys; from click.testing import CliRunner; from lrs.cli import main\n"
        "print(CliRunner().invoke(main, ['--help']).output)\n"
        "heavy = ('fastapi', 'celery', 'pyld', 'badges', 'pymongo')\n"
        "print([name for name in sys.modules if name.split('.')[0] in heavy])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "  doctor        Look for what is wrong, and say what to do about it.\n" in told
    assert [name for name in COMMANDS if f"\n  {name} " not in told] == []
    assert told.endswith("\n[]\n")


def test_a_worker_loads_no_framework_and_a_server_nothing_that_only_some_requests_need():
    some = ("PIL", "fpdf", "lxml", "openpyxl", "jinja2", "babel", "pyld", "jsonschema", "celery", "pymongo")
    code = (
        "import sys, lrs.ops.work_commands\n"
        f"print(sorted({{*{some}, 'fastapi', 'uvicorn'}} & sys.modules.keys()))\n"
        "import lrs.serving.serve\n"
        f"print(sorted({{*{some}}} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told == "[]\n[]\n"


def test_a_command_that_is_not_there_is_refused():
    answer = CliRunner().invoke(main, ["frobnicate"])

    assert answer.exit_code == 2
    assert "No such command 'frobnicate'" in answer.output


def test_a_setting_that_cannot_be_read_ends_a_command_with_its_name_and_never_its_value(tmp_path):
    environment = {"LRS_SWEEP": "s3cret", "LRS_MAX_PAGE": "0"}

    answer = CliRunner().invoke(main, ["keys", "list", "--data", str(tmp_path)], env=environment)

    assert answer.exit_code == 1
    assert "LRS_MAX_PAGE: Input should be greater than 0; LRS_SWEEP: Input should be a valid number" in answer.output
    assert "s3cret" not in answer.output


def test_hosts_that_may_be_reached_have_commas_between_them_or_are_json(monkeypatch):
    for told, meant in {
        "127.0.0.1": ("127.0.0.1",),
        "127.0.0.1, 10.0.0.0/8": ("127.0.0.1", "10.0.0.0/8"),
        '["127.0.0.1/32"]': ("127.0.0.1/32",),
    }.items():
        monkeypatch.setenv("LRS_OUTBOUND_ALLOW", told)
        assert Settings().outbound_allow == meant


@pytest.mark.parametrize("told", ["[127.0.0.1]", "[1]"])
def test_a_list_that_is_none_ends_a_command_too(tmp_path, told):
    answer = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path)], env={"LRS_OUTBOUND_ALLOW": told})

    assert answer.exit_code == 1
    assert "PROBLEM settings: LRS_OUTBOUND_ALLOW" in answer.output


def said(*words, **environment):
    """What ``lrs`` with *words* said on both outputs, and its exit code."""
    answer = CliRunner().invoke(main, words, env=environment)
    return answer.exit_code, answer.output


def test_a_folder_that_is_a_file_is_named_in_one_line(tmp_path):
    (tmp_path / "file").touch()

    answer = said("tenants", "create", "acme", "--data", str(tmp_path / "file"))

    assert answer == (1, f"Error: LRS_DATA: {tmp_path}/file cannot be a folder of ours: File exists\n")


def test_a_file_that_is_no_database_is_named_in_one_line(tmp_path):
    (tmp_path / "notes.txt").write_text("no database, but long enough to be looked at by who expects one " * 9)

    answer = said("keys", "revoke", "k", "--data", str(tmp_path), LRS_STORE_URL=f"sqlite:///{tmp_path}/notes.txt")

    assert answer == (1, f"Error: {tmp_path}/notes.txt cannot be opened: file is not a database\n")


def test_an_address_without_a_file_or_a_server_is_told_in_one_line(tmp_path):
    away = "mongodb://127.0.0.1:1/lrs?serverSelectionTimeoutMS=100"

    none = said("keys", "revoke", "k", "--data", str(tmp_path), LRS_STORE_URL="sqlite:///")
    code, text = said("keys", "revoke", "k", "--data", str(tmp_path), LRS_STORE_URL=away)

    assert none == (1, "Error: LRS_STORE_URL names no file; use sqlite:///PATH\n")
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith("Error: LRS_STORE_URL: MongoDB does not answer: 127.0.0.1:1: ")
    assert text.endswith("Connection refused\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Overloaded(DATABASE), "the store is busy, or cannot be reached: try again in a moment"),
        (StoreFull("the disk is full: nothing of this request was stored"), "the disk is full: nothing of this"),
        (PermissionError(13, "Permission denied", "/data"), "/data: Permission denied"),
    ],
)
def test_what_stops_a_command_midway_is_one_line(tmp_path, monkeypatch, error, told):
    def fails(_):
        raise error

    open_tenant(Settings(data=tmp_path)).store.close()
    monkeypatch.setattr("lrs.access.commands.list_keys", fails)

    code, text = said("keys", "list", "--data", str(tmp_path))

    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith(f"Error: {told}")


@pytest.mark.parametrize(("kept", "code", "keys"), [(0, 1, []), (1, 0, ["late"])])
def test_a_command_whose_note_has_no_room_says_truly_whether_it_was_done(tmp_path, monkeypatch, kept, code, keys):
    noted, mark = [], DueIndex.mark

    def full(due, tenant):
        if len(noted) == kept:
            raise StoreFull("the disk is full: nothing of this request was stored")
        noted.append(tenant)
        mark(due, tenant)

    open_tenant(Settings(data=tmp_path)).store.close()
    monkeypatch.setattr(DueIndex, "mark", full)

    answer = CliRunner().invoke(main, ["keys", "create", "--name", "late", "--data", str(tmp_path), "--json"])

    assert answer.exit_code == code
    assert ("secret" in answer.stdout) == (not code)
    with registered_to_read(Settings(data=tmp_path), "default") as tenant:
        assert [key["name"] for key in list_keys(tenant.store)] == keys


def test_a_fault_of_ours_is_not_put_as_the_operators(tmp_path, monkeypatch):
    def fails(_):
        raise OSError("nobody's file")

    open_tenant(Settings(data=tmp_path)).store.close()
    monkeypatch.setattr("lrs.access.commands.list_keys", fails)

    answer = CliRunner().invoke(main, ["keys", "list", "--data", str(tmp_path)])

    assert str(answer.exception) == "nobody's file"


def test_a_port_that_is_none_or_taken_is_told_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        in_use = said("serve", "--data", str(tmp_path / "data"), "--port", str(port))

    code, text = said("serve", "--port", "99999")

    assert in_use == (1, f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port\n")
    assert not (tmp_path / "data").exists()
    assert code == 2
    assert text.endswith("99999 is not in the range 0<=x<=65535.\n")


def test_a_server_that_cannot_start_says_why_and_shows_no_key(tmp_path):
    open_control(Settings(data=tmp_path)).close()
    with sqlite3.connect(tmp_path / "control.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    command = [sys.executable, "-m", "lrs", "serve", "--port", "0", "--data", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Error: {tmp_path}/control.db has schema 99, this program knows up to ")
    assert ended.stderr.count("\n") == 1


def test_a_worker_on_a_newer_store_ends_and_says_why(tmp_path):
    open_tenant(Settings(data=tmp_path)).store.close()
    path = tmp_path / "tenants" / "default" / "store.db"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    command = [sys.executable, "-m", "lrs", "work", "--data", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Error: {path} has schema 99, this program knows up to ")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LRS_DATA", "", "is empty: take it away, or give it a value"),
        ("LRS_MASTER_KEY_FILE", "", "is empty: take it away, or give it a value"),
        ("LRS_ZONE", "Mars/Olympus", "no time zone of that name; write it like Europe/London"),
        ("LRS_ZONE", "../UTC", "no time zone of that name; write it like Europe/London"),
        ("LRS_PUBLIC_URL", "lrs.example", "no address of a server; write it like https://lrs.example.org"),
        ("LRS_PUBLIC_URL", "https://", "no address of a server; write it like https://lrs.example.org"),
        ("LRS_CELERY_BROKER", "kafka://h", "no broker we can use; write it like redis://HOST/0 or amqp://HOST"),
        ("LRS_SIGNATURE_TRUST", "/no/such/folder", "Path does not point to a directory"),
    ],
)
def test_a_setting_that_would_fail_later_fails_at_the_start(name, value, told):
    assert said("keys", "list", **{name: value}) == (1, f"Error: {name}: {told}\n")


def test_every_setting_says_what_it_is():
    lines = ast.parse(inspect.getsource(Settings)).body[0].body
    told = {
        setting.target.id
        for setting, text in pairwise(lines)
        if isinstance(setting, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
    assert Settings.model_fields.keys() - told == set()


@pytest.mark.parametrize(("host", "address"), [("::1", "http://[::1]:80"), ("lrs.local", "http://lrs.local:80")])
def test_the_address_that_is_shown_can_be_copied(host, address):
    assert address_of(host, 80) == address
