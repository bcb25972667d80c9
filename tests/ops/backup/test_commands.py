"""``lrs backup`` and ``lrs restore`` as an operator meets them."""

import errno
import itertools
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from lrs.access.keys import check_key, create_key
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.matching import notices
from lrs.ops.backup import commands, contents, passphrase
from lrs.ops.backup.restore import _restoring
from lrs.storage import Owed, Record, Walk, each, wall_clock
from lrs.storage.sqlite.schema import SCHEMA_VERSION
from lrs.tenancy.control import open_control
from lrs.tenancy.states import delete
from lrs.tenancy.tenants import open_tenant
from tests.audits import broken_at
from tests.badges.made import badge_in, put_award, run_issue
from tests.builders import store_in
from tests.matching.world import agree, held, put_person, put_profile, put_service, run_sync, take_back
from tests.programs import until

PASSPHRASE = "a passphrase"
STOPPED_BY = [
    pytest.param(number, marks=marks, id=number.name)
    for number, marks in {
        signal.SIGTERM: (),
        signal.SIGKILL: (),
        signal.SIGINT: pytest.mark.soak,
        signal.SIGHUP: pytest.mark.soak,
    }.items()
]
"""The last two end a process as the first does, which ``tests/kernel/test_signals.py`` shows at once."""


def run(*words, **settings):
    environment = {f"LRS_{name.upper()}": str(value) for name, value in settings.items()}
    answer = CliRunner().invoke(main, [str(word) for word in words], env=environment)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


CHEAP = 1 << 10
"""What a passphrase costs scrypt here; at its real cost, half a second, ``tests/releases`` opens a backup."""


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch):
    monkeypatch.setattr(passphrase, "_N", CHEAP)


@pytest.fixture
def lived(tmp_path):
    """A store with two tenants, a badge, an attachment, a large document, owed work and a key; the key's secret."""
    settings = Settings(data=tmp_path / "data")
    control = open_control(settings)
    control.add("second")
    control.beat("lrs-1@here")
    control.close()
    for name in ("default", "second"):
        with closing(open_tenant(settings, name).store) as store:
            blob = store.blobs.put([name.encode() * 10])
            meta = {"attachments": {"a": blob}}
            store.write(lambda tx, meta=meta: tx.insert(Record("statement", "s", b'{"n": 0.10}', meta))).result()
    tenant = open_tenant(settings)
    with closing(tenant.store):
        put_award(tenant, valid_until=None)
        run_issue(tenant)
        (tmp_path / "badge.json").write_text(json.dumps(badge_in(tenant)[1]))
        tenant.store.write(lambda tx: tx.insert(Record("thing", "t", owed=(Owed("deliver"),)))).result()
        assert tenant.store.claim(["deliver"], limit=1, lease=3_600_000_000)
        return create_key(tenant, "vle", ["all"])


def test_what_was_backed_up_is_what_is_restored_and_badges_still_verify(tmp_path, lived):
    before = Settings(data=tmp_path / "data")
    with closing(open_control(before)) as control:
        delete(before, control, "second")
    backed = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    restored = run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", backup_passphrase=PASSPHRASE)

    assert (backed[0], restored[0]) == (0, 0)
    assert "the master key is in it, sealed by the passphrase" in backed[1]
    assert restored[1].startswith(f"restored to {tmp_path}/again, as it was at ")
    settings = Settings(data=tmp_path / "again")
    tenant, second = open_tenant(settings), open_tenant(settings, "second")
    with closing(tenant.store), closing(second.store):
        assert tenant.store.get("statement", "s").body == b'{"n": 0.10}'
        for one in (tenant, second):
            (blob,) = one.store.get("statement", "s").meta["attachments"].values()
            assert b"".join(one.store.blobs.open(blob)) == one.id.encode() * 10
        assert check_key(tenant, lived.key, lived.secret) is not None
        assert broken_at(tenant.store) is None
        last = json.loads(tenant.store.find(Walk("audit", newest_first=True)).records[0].body)
        assert (last["action"], last["about"]["entries"]) == ("store.restored", str(last["number"] - 1))
        assert [claim.record.id for claim in tenant.store.claim(["deliver"], limit=9, lease=1)] == ["t"]
    assert run("badges", "verify", tmp_path / "badge.json", "--offline", "--data", tmp_path / "again")[0] == 0
    with closing(open_control(settings)) as control:
        assert (control.tenants(), control.workers()) == (["default", "second"], {})
        assert {id: (each.state, each.delete_at) for id, each in control.records().items()} == {
            "default": ("open", None),
            "second": ("suspended", None),
        }


@pytest.mark.usefixtures("lived")
def test_a_restored_store_is_its_owners_alone_and_has_nothing_left_of_the_restore(tmp_path):
    (tmp_path / "again").mkdir()
    before = os.umask(0)
    try:
        run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
        run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", backup_passphrase=PASSPHRASE)
    finally:
        os.umask(before)

    modes = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "again").rglob("*")}
    assert {oct(mode) for path, mode in modes.items() if path.is_dir()} == {"0o700"}
    assert {oct(mode) for path, mode in modes.items() if path.is_file()} == {"0o600"}
    assert sorted(path.name for path in (tmp_path / "again").iterdir() if not path.name.startswith("control.db-")) == [
        "control.db",
        "master.key",
        "tenants",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "b.tar", "badge.json", "data"]


def told(settings, tell):
    """What *tell* did to the tenant: the version of each delivery that was added, by id (its ``webhook-id``)."""
    tenant = open_tenant(settings)
    with closing(tenant.store):
        before = {record.id for record in each(tenant.store, "delivery")}
        tell(tenant)
        run_sync(tenant)
        added = [record for record in each(tenant.store, "delivery") if record.id not in before]
        return {record.id: notices.read(record).version for record in added}


@pytest.mark.usefixtures("lived")
def test_what_services_are_told_after_a_restore_is_newer_for_them_than_all_they_were_told_before(tmp_path):
    def backed_up(tenant):
        put_service(tenant, "https://matching.example/hook")
        agree(tenant, put_person(tenant, "mailto:ann@example.org"))

    def newcomer_agrees(tenant):
        agree(tenant, put_person(tenant, "mailto:bob@example.org"))

    def both(tenant):
        newcomer_agrees(tenant)
        put_profile(tenant, put_person(tenant, "mailto:ann@example.org"), held("gown"))

    def taken_back(tenant):
        newcomer_agrees(tenant)
        take_back(tenant, put_person(tenant, "mailto:ann@example.org"))

    here, again = Settings(data=tmp_path / "data"), Settings(data=tmp_path / "again")
    first = told(here, backed_up)
    backed = run("backup", tmp_path / "b.tar", "--data", here.data, backup_passphrase=PASSPHRASE)
    lost = told(here, both)
    restored = run("restore", tmp_path / "b.tar", "--data", again.data, backup_passphrase=PASSPHRASE)
    since = told(again, taken_back)

    assert (backed[0], restored[0]) == (0, 0), backed[1] + restored[1]
    assert lost.keys() & since.keys() == set()
    assert max(*first.values(), *lost.values()) < min(since.values())
    assert len(set(since.values())) == 1


@pytest.mark.usefixtures("lived")
def test_the_doctor_says_that_a_store_was_restored(tmp_path):
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", backup_passphrase=PASSPHRASE)

    _, text = run("doctor", "--data", tmp_path / "again")

    assert "WARNING restored: restored on " in text
    assert "ok      audit: no entry was changed or taken out" in text


@pytest.mark.usefixtures("lived")
def test_without_a_passphrase_the_key_is_said_to_be_missing_and_is_asked_for(tmp_path):
    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")
    without = run("restore", tmp_path / "b.tar", "--data", tmp_path / "again")
    (tmp_path / "other").write_text("ab" * 32)
    other = run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", master_key_file=tmp_path / "other")
    left = files_in(tmp_path / "again")
    shutil.copy(tmp_path / "data" / "master.key", tmp_path / "kept")
    kept = run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", master_key_file=tmp_path / "kept")

    assert code == 0
    assert f"the master key is NOT in it (no passphrase was given): keep a copy of {tmp_path}/data/master.key" in text
    assert (without[0], "so the master key is not in it" in without[1]) == (1, True)
    assert other[0] == 1
    assert other[1].startswith(f"Error: {tmp_path}/other is not the master key of this store")
    assert left == []
    assert kept[0] == 0
    assert not (tmp_path / "again" / "master.key").exists()
    verified = ("badges", "verify", tmp_path / "badge.json", "--offline", "--data", tmp_path / "again")
    assert run(*verified, master_key_file=tmp_path / "kept")[0] == 0


@pytest.mark.parametrize(
    "typed",
    [b"stra\xc3\x9fe \xc3\xa4\r\n", b"\xef\xbb\xbfstra\xc3\x9fe \xc3\xa4", b"stra\xc3\x9fe a\xcc\x88\n"],
    ids=["line-end", "byte-order-mark", "decomposed"],
)
@pytest.mark.usefixtures("lived")
def test_a_passphrase_opens_whichever_editor_wrote_it(tmp_path, typed):
    (tmp_path / "typed").write_bytes(typed)
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase="straße ä")

    assert (
        run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", "--passphrase-file", tmp_path / "typed")[0]
        == 0
    )


@pytest.mark.usefixtures("lived")
def test_a_passphrase_that_is_no_utf_8_is_taken_as_its_bytes(tmp_path):
    (tmp_path / "typed").write_bytes(b"\xe4\n")
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=os.fsdecode(b"\xe4"))

    assert (
        run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", "--passphrase-file", tmp_path / "typed")[0]
        == 0
    )


@pytest.mark.usefixtures("lived")
def test_a_wrong_an_empty_or_a_missing_passphrase_is_told_and_leaves_nothing(tmp_path):
    (tmp_path / "right").write_text(PASSPHRASE + "\n")
    (tmp_path / "wrong").write_text("another\n")
    (tmp_path / "empty").write_text("\n")
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", "--passphrase-file", tmp_path / "right")
    again = ("restore", tmp_path / "b.tar", "--data", tmp_path / "again")

    answers = [
        run(*again),
        *(run(*again, "--passphrase-file", tmp_path / name) for name in ("wrong", "empty", "none")),
        run(*again, "--passphrase-file", tmp_path / "right", backup_passphrase="x"),
    ]

    assert [code for code, _ in answers] == [1] * 5
    assert [text.removeprefix("Error: ")[:60] for _, text in answers] == [
        "the master key in this backup is sealed: give its passphrase",
        "the passphrase does not open the master key in this backup: ",
        f"{tmp_path}/empty holds no passphrase: it is empty, or longer"[:60],
        f"{tmp_path}/none: No such file or directory: nothing was left"[:60],
        "LRS_BACKUP_PASSPHRASE and a passphrase file are both given: ",
    ]
    assert files_in(tmp_path / "again") == []
    assert run(*again, backup_passphrase_file=tmp_path / "right")[0] == 0


@pytest.mark.usefixtures("lived")
def test_neither_command_writes_over_anything(tmp_path):
    (tmp_path / "there.tar").write_text("precious")
    over = run("backup", tmp_path / "there.tar", "--data", tmp_path / "data")
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")
    before = files_in(tmp_path / "data")
    into = run("restore", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert over == (1, f"Error: {tmp_path}/there.tar exists: a backup is never written over another file\n")
    assert (tmp_path / "there.tar").read_text() == "precious"
    assert into[0] == 1
    assert into[1].startswith(f"Error: {tmp_path}/data is not empty (control.db, ")
    assert files_in(tmp_path / "data") == before


def test_a_store_named_by_its_address_is_restored_only_where_there_is_none(tmp_path, lived):
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    address = f"sqlite:///{tmp_path}/elsewhere/lrs.db"
    words = ("restore", tmp_path / "b.tar", "--data")

    first = run(*words, tmp_path / "one", store_url=address, backup_passphrase=PASSPHRASE)
    second = run(*words, tmp_path / "two", store_url=address, backup_passphrase=PASSPHRASE)

    assert first[0] == 0
    assert second == (
        1,
        f"Error: {tmp_path}/elsewhere/lrs.db exists: a store is restored where there is none; move it away first\n",
    )
    listed = run("keys", "list", "--data", tmp_path / "one", store_url=address)
    assert (listed[0], lived.key in listed[1]) == (0, True)


def test_a_clock_that_is_behind_the_backup_is_told(tmp_path, monkeypatch):
    store_in(tmp_path / "data")
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    words = ("restore", tmp_path / "b.tar", "--data")

    right = run(*words, tmp_path / "one", backup_passphrase=PASSPHRASE)
    monkeypatch.setattr(commands, "wall_clock", lambda: wall_clock() - 2 * HOUR)
    behind = run(*words, tmp_path / "two", backup_passphrase=PASSPHRASE)

    assert (right[0], behind[0], "WARNING" in right[1]) == (0, 0, False)
    assert re.search(r"WARNING: the clock of this machine is 7[0-2]\d\d s behind the backup", behind[1])


@pytest.mark.parametrize("number", [errno.EPERM, errno.EIO])
def test_a_disk_without_hard_links_takes_a_backup_and_one_that_fails_has_none(tmp_path, monkeypatch, number):
    def link(*_):
        raise OSError(number, os.strerror(number))

    store_in(tmp_path / "data")
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "link", link)

    done = run("backup", tmp_path / "out" / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)

    assert (done[0], files_in(tmp_path / "out")) == ((0, ["b.tar"]) if number == errno.EPERM else (1, []))


def test_a_backup_that_is_replaced_while_it_is_read_is_not_restored_by_halves(tmp_path, monkeypatch):
    store_in(tmp_path / "data")
    for name in ("one.tar", "two.tar"):
        run("backup", tmp_path / name, "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
        run("keys", "create", "--scope", "all", "--name", name, "--data", tmp_path / "data")
    examine = contents.examine

    def replaced(file, schema):
        found = examine(file, schema)
        shutil.copy(tmp_path / "two.tar", file)
        return found

    monkeypatch.setattr(contents, "examine", replaced)
    restored = run("restore", tmp_path / "one.tar", "--data", tmp_path / "again", backup_passphrase=PASSPHRASE)

    assert (restored[0], files_in(tmp_path / "again")) == (1, [])
    assert "one.tar was changed while it was read: restore again" in restored[1]


def test_where_there_is_nothing_to_back_up_it_says_so(tmp_path):
    assert run("backup", tmp_path / "b.tar", "--data", tmp_path / "none") == (
        1,
        f"Error: there is no store in {tmp_path}/none: nothing was backed up\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_store_on_mongodb_is_told_how_it_is_backed_up(tmp_path):
    for words in (("backup", tmp_path / "b.tar"), ("restore", tmp_path / "b.tar")):
        code, text = run(*words, "--data", tmp_path / "data", store_url="mongodb://127.0.0.1:1/lrs")

        assert code == 1
        assert "use mongodump --oplog and mongorestore --oplogReplay" in text
        assert f"keep the master key apart ({tmp_path}/data/master.key)" in text


@pytest.mark.usefixtures("lived")
def test_a_backup_names_a_missing_blob_and_contains_everything_else(tmp_path):
    blobs = [path for path in (tmp_path / "data" / "tenants" / "second").rglob("*") if len(path.name) == 64]
    blobs[0].unlink()

    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert code == 1
    assert "Error: 1 blob that records name is not in the store, and so not in the backup" in text
    shutil.copy(tmp_path / "data" / "master.key", tmp_path / "kept")
    again = run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", master_key_file=tmp_path / "kept")
    assert again[0] == 0


@pytest.mark.usefixtures("lived")
def test_a_damaged_store_is_not_backed_up_in_silence(tmp_path):
    path = tmp_path / "data" / "tenants" / "second" / "store.db"
    with path.open("r+b") as file:
        file.seek(3 * 4_096)
        file.write(b"\xff" * 4_096)

    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert code == 1
    assert text.startswith(f"Error: {path} ")
    assert text.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["badge.json", "data"]


@pytest.mark.usefixtures("lived")
def test_a_store_with_bodies_that_cannot_be_decoded_is_not_backed_up_in_silence(tmp_path):
    path = tmp_path / "data" / "tenants" / "default" / "store.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        named = "(SELECT name FROM kind WHERE number = kind), id"
        lost = connection.execute(
            f"UPDATE record SET kept = substr(kept, 1, 12) WHERE size RETURNING {named}"
        ).fetchall()

    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert code == 1
    assert text.startswith(f"Error: {path} is damaged: ")
    named = [f"{kind} {id}: the body of a record of the store is damaged" for kind, id in lost]
    assert sum(one in text for one in named) == min(3, len(lost)) > 0


@pytest.mark.usefixtures("lived")
def test_what_is_no_store_any_more_is_named_in_the_place_of_a_tenants(tmp_path):
    path = tmp_path / "data" / "tenants" / "second" / "store.db"
    path.write_bytes(b"\xff" * 40_960)

    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert code == 1
    assert text == f"Error: {path} cannot be copied to {tmp_path}: file is not a database\n"


@pytest.mark.usefixtures("lived")
def test_a_store_of_a_newer_schema_is_not_backed_up_by_an_older_program(tmp_path):
    with closing(sqlite3.connect(tmp_path / "data" / "tenants" / "second" / "store.db")) as connection:
        connection.execute("PRAGMA user_version = 99")

    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert code == 1
    assert text.startswith(f"Error: {tmp_path}/data/tenants/second/store.db has schema 99")
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.usefixtures("lived")
def test_a_backup_written_anew_by_somebody_without_the_key_is_refused(tmp_path):
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    forge(tmp_path / "b.tar", tmp_path / "forged.tar")

    code, text = run("restore", tmp_path / "forged.tar", "--data", tmp_path / "again", backup_passphrase=PASSPHRASE)

    assert code == 1
    assert "was written anew by somebody without its key" in text
    assert files_in(tmp_path / "again") == []


def forge(backup: Path, forged: Path) -> None:
    """All members as they are, the end worked out anew with a MAC of the forger's own."""
    from lrs.ops.backup.archive import ArchiveReader, Writer  # noqa: PLC0415 (what only a forger needs)

    with backup.open("rb") as file, forged.open("wb") as out:
        writer = Writer(out)
        for name, size, chunks in ArchiveReader(file, "").members():
            writer.add(name, size, chunks)
        writer.end(lambda _: "00" * 32)


_LIMITED = """
import json, os, resource, sys
from lrs.cli import main
import lrs.ops.backup.commands
from lrs.ops.backup import passphrase

passphrase._N = int(sys.argv[1])
for line in sys.stdin:
    limit, *words = json.loads(line)
    out, to_out = os.pipe()
    if not (child := os.fork()):
        os.dup2(to_out, 1)
        os.dup2(to_out, 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        main(words)
    os.close(to_out)
    with os.fdopen(out) as said:
        text = said.read()
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text]), flush=True)
"""


@pytest.fixture
def limited():
    """Runs a command where no file can be larger than a number of bytes: as on a full disk, but only for it.

    Each is a process of its own, made by one that has loaded the program.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    with subprocess.Popen(
        [sys.executable, "-c", _LIMITED, str(CHEAP)],
        env=kept | {"LRS_BACKUP_PASSPHRASE": PASSPHRASE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as commands:

        def run(limit, *words):
            commands.stdin.write(json.dumps([limit, *map(str, words)]) + "\n")
            commands.stdin.flush()
            return json.loads(commands.stdout.readline())

        yield run
        commands.stdin.close()


@pytest.mark.usefixtures("lived")
def test_a_disk_that_fills_up_leaves_nothing_half_done_and_says_so(tmp_path, limited):
    assert resource.RLIMIT_FSIZE
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    size = (tmp_path / "b.tar").stat().st_size

    for limit in (4_096, 45_000, size - 1_000):
        code, text = limited(limit, "backup", tmp_path / "c.tar", "--data", tmp_path / "data")
        assert (code, text.startswith("Error: "), text.count("\n")) == (1, True, 1), text
        assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "badge.json", "data"]
    for limit in (100, 4_096, 45_000):
        code, text = limited(limit, "restore", tmp_path / "b.tar", "--data", tmp_path / "again")
        assert (code, text.startswith("Error: "), text.count("\n")) == (1, True, 1), text
        assert not (tmp_path / "again").exists()


@pytest.mark.usefixtures("lived")
def test_a_restore_that_was_killed_keeps_everything_from_starting_in_the_folder(tmp_path):
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "RESTORING").touch()
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)

    answers = [
        run("keys", "list", "--data", tmp_path / "again"),
        run("serve", "--port", 0, "--data", tmp_path / "again"),
        run("restore", tmp_path / "b.tar", "--data", tmp_path / "again", backup_passphrase=PASSPHRASE),
    ]

    told = f"Error: {tmp_path}/again is being restored, or a restore was broken off"
    assert [(code, text.startswith(told)) for code, text in answers] == [(1, True)] * 3
    assert files_in(tmp_path / "again") == ["RESTORING"]


@pytest.mark.usefixtures("lived")
def test_where_what_a_failed_restore_made_cannot_be_taken_away_nothing_starts_in_the_folder(tmp_path):
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")
    backup, again = contents.examine(tmp_path / "b.tar", SCHEMA_VERSION), tmp_path / "again"

    with pytest.raises(IsADirectoryError):
        stopped_beside_a_folder_in_the_way(Settings(data=again), backup)

    code, text = run("keys", "list", "--data", again)
    assert (code, text.startswith(f"Error: {again} is being restored, or a restore was broken off")) == (1, True)


def stopped_beside_a_folder_in_the_way(settings, backup):
    with _restoring(settings, backup):
        (settings.data / "control.db-wal").mkdir()
        raise KeyboardInterrupt


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", STOPPED_BY)
@pytest.mark.usefixtures("lived")
def test_a_backup_that_is_stopped_leaves_no_file_of_that_name(tmp_path, number):
    enlarge(tmp_path / "data")
    command = [sys.executable, "-m", "lrs", "backup", str(tmp_path / "b.tar"), "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        until(lambda: any(tmp_path.glob(".lrs-draft-*/backup")) or process.poll() is not None, "the draft")
        process.send_signal(number)
        process.communicate(timeout=60)

    assert process.returncode != 0
    assert not (tmp_path / "b.tar").exists()
    assert number == signal.SIGKILL or not any(tmp_path.glob(".lrs-draft-*"))
    assert run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")[0] == 0
    assert not any(tmp_path.glob(".lrs-draft-*"))  # also of the one that was killed


@pytest.mark.usefixtures("lived")
def test_a_new_file_system_may_have_its_own_folder_and_nothing_else(tmp_path):
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    (tmp_path / "again" / "lost+found").mkdir(parents=True)
    words = ("restore", tmp_path / "b.tar", "--data", tmp_path / "again")

    (tmp_path / "again" / "notes").touch()
    refused = run(*words, backup_passphrase=PASSPHRASE)
    (tmp_path / "again" / "notes").unlink()

    assert (refused[0], f"{tmp_path}/again is not empty (notes)" in refused[1]) == (1, True)
    assert run(*words, backup_passphrase=PASSPHRASE)[0] == 0


@pytest.mark.usefixtures("lived")
def test_a_server_that_starts_in_the_folder_while_the_backup_is_read_is_not_written_over(tmp_path, monkeypatch):
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", backup_passphrase=PASSPHRASE)
    read = contents.examine

    def slowly(path, schema):
        found = read(path, schema)
        store_in(tmp_path / "again")
        assert run("keys", "create", "--name", "new", "--scope", "all", "--data", tmp_path / "again")[0] == 0
        return found

    monkeypatch.setattr(contents, "examine", slowly)
    kept = tmp_path / "kept"
    kept.write_text((tmp_path / "data" / "master.key").read_text())
    words = ("restore", tmp_path / "b.tar", "--data", tmp_path / "again")
    code, text = run(*words, backup_passphrase=PASSPHRASE, master_key_file=kept)

    assert (code, f"{tmp_path}/again is not empty (control.db, " in text) == (1, True)
    assert "new" in run("keys", "list", "--data", tmp_path / "again", master_key_file=kept)[1]
    assert "RESTORING" not in files_in(tmp_path / "again")


@pytest.mark.usefixtures("lived")
def test_a_blob_that_the_disk_damaged_is_named_and_nothing_is_written(tmp_path):
    blob = next(path for path in (tmp_path / "data" / "tenants" / "second").rglob("*") if len(path.name) == 64)
    blob.write_bytes(b"x" * blob.stat().st_size)

    code, text = run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")

    assert (code, text.startswith(f"Error: {blob} is damaged: its content is not what its name says.")) == (1, True)
    assert not (tmp_path / "b.tar").exists()


def test_what_a_store_names_is_in_its_backup_also_while_others_write(tmp_path):
    settings = Settings(data=tmp_path / "data")
    open_control(settings).close()
    tenant = open_tenant(settings)
    over = threading.Event()

    def write():
        for n in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
            blob = tenant.store.blobs.put([f"attachment {n}".encode()])
            record = Record("statement", str(n), b"{}", {"attachments": {"a": blob}})
            tenant.store.write(lambda tx, record=record: tx.insert(record)).result()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: tenant.store.count("statement") > 20, "statements")
        for n in range(2):
            words = ("backup", tmp_path / f"{n}.tar", "--data", tmp_path / "data")
            assert run(*words, backup_passphrase=PASSPHRASE)[0] == 0
    finally:
        over.set()
        writer.join()
        tenant.store.close()

    counts = []
    for n in range(2):
        there = tmp_path / f"again-{n}"
        assert run("restore", tmp_path / f"{n}.tar", "--data", there, backup_passphrase=PASSPHRASE)[0] == 0
        again = open_tenant(Settings(data=there))
        with closing(again.store):
            records = list(each(again.store, "statement"))
            counts.append(len(records))
            found = [b"".join(again.store.blobs.open(record.meta["attachments"]["a"])) for record in records]
        assert found == [f"attachment {record.id}".encode() for record in records]
    assert counts[0] > 20
    assert counts == sorted(set(counts))


def test_what_stands_outside_the_store_agrees_that_it_was_restored(tmp_path):
    with_head = {"audit_head": tmp_path / "heads", "backup_passphrase": PASSPHRASE}
    store_in(tmp_path / "data")
    make = ("keys", "create", "--scope", "all", "--data", tmp_path / "data", "--name")
    run(*make, "one", **with_head)
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data", **with_head)
    run(*make, "two", **with_head)
    run(*make, "three", **with_head)
    shutil.rmtree(tmp_path / "data")
    restored = run("restore", tmp_path / "b.tar", "--data", tmp_path / "data", **with_head)
    run(*make, "four", **with_head)

    _, text = run("doctor", "--data", tmp_path / "data", **with_head)

    assert restored[0] == 0
    assert f"WARNING audit-head: {tmp_path}/heads has entry 2 as it was on " in text
    assert "the store was restored on " in text
    assert "ok      audit: no entry was changed or taken out (3)" in text


def enlarge(data):
    """40 MB more, so that there is time to stop what copies them."""
    with closing(open_tenant(Settings(data=data)).store) as store:
        for n in range(40):
            blob = store.blobs.put([bytes([n]) * 1_000_000])
            record = Record("statement", f"large {n}", b"{}", {"attachments": {"a": blob}})
            store.write(lambda tx, record=record: tx.insert(record)).result()


def restore_and_stop(backup, again, environment, number):
    """What a restore said that got the signal *number* once the first of its stores was begun."""
    command = [sys.executable, "-m", "lrs", "restore", str(backup), "--data", str(again)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        until(lambda: (again / "tenants").exists() or process.poll() is not None, "the first of the stores")
        process.send_signal(number)
        return process.communicate(timeout=60)[0]


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("number", STOPPED_BY)
def test_a_restore_that_is_stopped_leaves_nothing_or_what_nothing_starts_from(tmp_path, number):
    enlarge(tmp_path / "data")
    shutil.copy(tmp_path / "data" / "master.key", tmp_path / "kept")
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "data")
    kept = os.environ | {"LRS_MASTER_KEY_FILE": str(tmp_path / "kept")}
    for again in (tmp_path / f"again {n}" for n in itertools.count()):
        said = restore_and_stop(tmp_path / "b.tar", again, kept, number)
        if not said.startswith("restored"):  # before it was stopped: on a busy machine this test may look too late
            break

    if number != signal.SIGKILL:
        assert said == "Error: it was stopped: nothing was left behind\n"
        assert not again.exists()
    else:
        code, text = run("keys", "list", "--data", again, master_key_file=tmp_path / "kept")
        assert (code, text.startswith(f"Error: {again} is being restored, or a restore was broken off")) == (1, True)
