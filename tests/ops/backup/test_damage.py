"""A backup that was cut off, changed by a byte, made by another program or a newer one is refused, and says so."""

import tarfile
from contextlib import closing

import pytest

from lrs.kernel.errors import NewerSchema
from lrs.kernel.settings import Settings
from lrs.ops.backup import contents
from lrs.ops.backup.archive import HEADER, BackupDamaged, Writer
from lrs.ops.backup.take import back_up
from lrs.storage import Record
from lrs.storage.sqlite.schema import SCHEMA_VERSION
from lrs.tenancy import audit, master_key
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import open_tenant


@pytest.fixture(scope="module")
def backup(tmp_path_factory):
    """A small backup with one of each sort of member."""
    folder = tmp_path_factory.mktemp("backup")
    settings = Settings(data=folder / "data")
    open_control(settings).close()
    tenant = open_tenant(settings)
    with closing(tenant.store):
        blob = tenant.store.blobs.put([b"attached"])
        tenant.store.write(lambda tx: tx.insert(Record("statement", "s", b"{}", {"attachments": {"a": blob}}))).result()
        tenant.store.write(lambda tx: audit.append(tx, "test", "one", {})).result()
    back_up(settings, folder / "backup.tar", b"a passphrase")
    return folder / "backup.tar"


def examined(path):
    return contents.examine(path, SCHEMA_VERSION)


def accepted(path, key):
    """As a restore does, which has the master key."""
    contents.check_mac(examined(path), key)


def test_a_backup_that_nobody_touched_is_whole_and_any_tar_program_lists_it(backup):
    found = examined(backup)

    with tarfile.open(backup) as tar:
        names = tar.getnames()
    part = found.manifest.tenants["default"]
    assert [name[:23] for name in names] == [
        "backup.json",
        "control.db",
        "tenants/default/store.d",
        "tenants/default/blobs/5",
        "master.key.sealed",
        "manifest.json",
        "end.json",
    ]
    assert (part.store.records["statement"], part.blobs, part.blob_bytes, part.missing) == (1, 1, 8, 0)
    assert part.audit["number"] == 1
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_backup_cut_off_anywhere_is_refused(backup, tmp_path):
    whole = backup.read_bytes()
    path = tmp_path / "cut.tar"

    for length in (*range(0, len(whole), 2_048), *range(len(whole) - 2_048, len(whole), 61), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BackupDamaged, match=r"cut off after|was changed|is no backup"):
            examined(path)


def test_a_backup_changed_in_any_byte_is_refused(backup, tmp_path):
    whole = bytearray(backup.read_bytes())
    key = master_key.read(backup.parent / "data" / "master.key")
    accepted(backup, key)
    path = tmp_path / "changed.tar"
    ends = {*range(0, 1_100, 3), *range(len(whole) - 5_000, len(whole), 13)}

    for at in sorted(ends | set(range(0, len(whole), 1_021))):
        whole[at] ^= 0x01
        path.write_bytes(whole)
        with pytest.raises((BackupDamaged, NewerSchema)):
            accepted(path, key)
        whole[at] ^= 0x01


def test_something_after_the_end_is_refused(backup, tmp_path):
    path = tmp_path / "longer.tar"
    path.write_bytes(backup.read_bytes() + b"x")

    with pytest.raises(BackupDamaged, match="its length or its SHA-256 is not what its end says"):
        examined(path)


def test_a_backup_of_a_newer_format_or_schema_names_the_version_that_wrote_it(tmp_path):
    for number, (format, schema, told) in enumerate(
        [(2, 1, "has format 2, this program knows up to 1"), (1, 99, "has stores of schema 99")]
    ):
        path = tmp_path / f"{number}.tar"
        with path.open("wb") as file:
            writer = Writer(file)
            header = {"engraft": "backup", "format": format, "program": "9.9.9", "id": "i", "created": "c"}
            writer.add_json(HEADER, header | {"schema": schema})
            writer.end(lambda _: "")

        with pytest.raises(NewerSchema, match=rf"{told}.*a newer version wrote it \(9\.9\.9\); restore it with that"):
            examined(path)


@pytest.mark.parametrize(
    "content", [b"", b"PK\3\4" * 1_000, bytes(10_240), b"x" * 511], ids=["empty", "zip", "zeros", "short"]
)
def test_a_file_of_another_sort_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(BackupDamaged):
        examined(tmp_path / "file")


def test_a_tar_of_another_program_is_called_that(tmp_path):
    (tmp_path / "notes").write_text("x")
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(tmp_path / "notes", "notes")

    with pytest.raises(BackupDamaged, match=r"other\.tar is no backup of this program"):
        examined(tmp_path / "other.tar")


def test_a_member_that_would_leave_the_folder_is_refused(tmp_path, backup):
    header = backup.read_bytes()[:1_024]
    path = tmp_path / "leaving.tar"
    with path.open("wb") as file:
        writer = Writer(file)
        writer._write(header)  # noqa: SLF001 (what no writer of ours makes)
        writer.add("tenants/../../evil", 1, [b"x"])
        writer.end(lambda _: "")

    with pytest.raises(BackupDamaged, match="it has a member 'tenants/"):
        examined(path)


def test_a_member_that_comes_twice_is_refused(tmp_path, backup):
    header = backup.read_bytes()[:1_024]
    path = tmp_path / "twice.tar"
    with path.open("wb") as file:
        writer = Writer(file)
        writer._write(header)  # noqa: SLF001 (what no writer of ours makes)
        for content in (b"x", b"y"):
            writer.add("control.db", 1, [content])
        writer.end(lambda _: "")

    with pytest.raises(BackupDamaged, match=r"it has control\.db twice"):
        examined(path)
