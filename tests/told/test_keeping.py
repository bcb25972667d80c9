"""What is said of stores, keys, backups and organisations that are not as they should be, told whole."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lrs.kernel.settings import Settings
from lrs.ops.backup import archive, contents, places, restore
from lrs.ops.backup.archive import ArchiveReader, Writer
from lrs.tenancy import root_keys, signers, states
from lrs.tenancy.control import control_there, open_control, registered_to_read
from lrs.tenancy.options import read_settings
from lrs.tenancy.record import Decided, TenantRecord, record_of
from lrs.tenancy.tenants import open_tenant
from tests.told.story import Story, inline
from tests.told.tabled import said, table

NOON = 1_795_262_400_000_000


def test_organisations_that_are_shut_or_full(told: Any) -> None:
    story = Story()
    for change in ({}, {"state": "suspended"}, {"state": "closing", "delete_at": NOON}, {"state": "deleted"}):
        story.say(f"{change}: {said(TenantRecord(1, **change).check_open, 'north')}")
    for limit, stored in ((None, 10), (10, 9), (10, 10), (10, 11), (0, 0)):
        story.say(f"{stored} of {limit}: {said(TenantRecord(1, storage_limit=limit, stored=stored).check_room)}")
    for age, guardian in ((None, None), (16, None), (16, False), (16, True)):
        story.say(
            f"consent from {age}, guardian {guardian}: {TenantRecord(1, consent_age=age, guardian=guardian).guardian_age}"
        )
    story.say(inline(record_of(b'{"created":1,"v":1}')), inline(TenantRecord(1)))
    decided = Decided(zone="Europe/Paris")
    story.say(inline(decided.named()), decided.settings(Settings()).zone)
    told(str(story))


def test_stores_that_are_not_there(told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    settings = Settings(data=tmp_path)

    def there(tenant: str, opening: Callable[..., Any] = control_there) -> str:
        with opening(settings, tenant) as found:
            return type(found).__name__

    names = ("default", "north", "North", "-x", "control", "a" * 40, "a" * 41, "a/b", "..", "")
    table(story, there, names, "before anything is made")
    control = open_control(settings)
    states.create(settings, control, "north", "North")
    table(story, there, names[:4], "then")
    table(story, lambda tenant: there(tenant, registered_to_read), names[:4], "to be read")
    story.head("organisations")
    acts: dict[str, Callable[[], Any]] = {
        "again": lambda: states.create(settings, control, "north", "North"),
        "the default one": lambda: states.delete(settings, control, "default"),
        "nobody": lambda: states.suspend(settings, control, "south").state,
        "suspended": lambda: states.suspend(settings, control, "north").state,
        "suspended again": lambda: states.suspend(settings, control, "north").state,
        "resumed": lambda: states.resume(settings, control, "north").state,
        "to be deleted": lambda: states.delete(settings, control, "north").state,
        "none is due": lambda: states.erase_due(settings, control, NOON // 1_000),
        "deleted meanwhile": lambda: states._changed("north", "open", TenantRecord(1, state="deleted"), 1),  # noqa: SLF001 (a race)
    }
    story.say(*(f"{what}: {said(act)}" for what, act in acts.items()))
    control.close()
    story.head("settings that cannot be read")
    for name, value in (
        ("LRS_MAX_BODY", "x"),
        ("LRS_ZONE", "Mars"),
        ("LRS_SMTP_URL", "smtp://u:secret@"),
        ("LRS_DATA", ""),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            story.say(f"{name}: {said(lambda: read_settings(None).zone)}")
    told(str(story).replace(str(tmp_path), "<folder>"))


def test_keys_that_cannot_be_used(told: Any, tmp_path: Path) -> None:
    story = Story()
    tenant = open_tenant(Settings(data=tmp_path))
    sealing = signers.Sealing(tenant.secrets)
    made = sealing.make("k", "Ed25519")
    changed = base64.b64encode(base64.b64decode(made.kept)[:-1] + b"x").decode()
    for id, kept in (("k", made.kept), ("other", made.kept), ("k", changed), ("k", "AAAA")):
        story.say(f"{id}: {said(lambda id=id, kept=kept: len(sealing.sign(id, kept, b'text')))}")
    for path in ("nothing:made", "json:nothing", "json", "", "tests.told.test_keeping:not_ours"):
        story.say(f"LRS_SIGNER {path!r}: {said(signers._named, path)}")  # noqa: SLF001 (what the setting names)
    key = SimpleNamespace(signer="elsewhere")
    story.say(
        f"a key elsewhere: {type(caught(lambda: signers.signer_of(tenant, key, 'k'))).__name__} {caught(lambda: signers.signer_of(tenant, key, 'k'))}"
    )  # type: ignore[arg-type]
    master = b"m" * 32
    record = next(iter(tenant.store.find(signers_walk()).records))
    wrapped = root_keys._wrapped(record)  # noqa: SLF001 (as it is kept)
    for what, one in (("another's", "south"), ("by another master key", "default")):
        story.say(f"{what}: {said(lambda one=one: len(root_keys._unwrapped(wrapped, one, record.id, master)))}")  # noqa: SLF001 (as above)
    right = root_keys._wrap(b"r" * 32, "north", "x", master)  # noqa: SLF001 (as above)
    body = msgspec.json.encode(right)
    reader: Any = SimpleNamespace(
        find=lambda _: SimpleNamespace(records=(replace(record, id="x", body=body),), next=None)
    )
    story.say(f"without a root key: {said(root_keys.read, reader, 'north', master, tmp_path / 'key')}")
    story.say(
        f"no keys at all: {said(root_keys.read, SimpleNamespace(find=lambda _: SimpleNamespace(records=(), next=None)), 'north', master, tmp_path)}"
    )
    tenant.store.close()
    told(str(story).replace(str(tmp_path), "<folder>"))


def signers_walk() -> Any:
    from lrs.storage import Walk  # noqa: PLC0415 (here alone)

    return Walk(root_keys.KIND)


def caught(act: Callable[[], Any]) -> BaseException | None:
    try:
        act()
    except Exception as error:  # noqa: BLE001 (told by its name)
        return error
    return None


def not_ours() -> Any:
    return SimpleNamespace(name=signers.HERE)


def packed(*members: tuple[str, bytes], ended: bool = True) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in members:
        writer.add(name, len(content), [content])
    if ended:
        writer.end(lambda digest: contents.mac_of(b"k" * 32, digest))
    return file.getvalue()


def unpacked(given: bytes) -> Any:
    reader = ArchiveReader(io.BytesIO(given), "the backup")
    found = [(name, size, len(b"".join(chunks))) for name, size, chunks in reader.members()]
    return found, reader.end is not None


def test_archives_that_are_damaged(told: Any) -> None:
    story, whole = Story(), packed(("backup.json", b"{}"), ("control.db", b"x" * 600))
    at = whole.index(b"x" * 600)
    cases = {
        "whole": whole,
        "empty": b"",
        "cut off at its start": whole[:100],
        "cut off in a member": whole[: at + 10],
        "without its end": packed(("backup.json", b"{}"), ended=False),
        "something else": b"x" * 1_024,
        "zeros": bytes(1_024),
        "a changed member": whole[:at] + b"y" + whole[at + 1 :],
        "between two members": whole[: at + 600] + b"y" + whole[at + 601 :],
        "a changed name": whole.replace(b"control.db", b"contro!.db"),
        "more behind its end": whole + b"x",
        "an end that is no JSON": whole.replace(b'"mac"', b"'mac'"),
    }
    for what, given in cases.items():
        found = caught(lambda given=given: unpacked(given))
        story.say(f"{what}: {found or inline(unpacked(given))}")
    for chunks in ([b"12345"], [b"1234"], [b"123", b"456"]):
        story.say(
            f"5 bytes as {chunks}: {caught(lambda chunks=chunks: Writer(io.BytesIO()).add('control.db', 5, chunks))}"
        )
    most = 16 * 1_024 * 1_024
    story.say(
        *(f"{size} bytes of JSON: {caught(lambda size=size: archive.json_of([], size))}" for size in (most, most + 1))
    )
    story.head("first members")
    good = {
        "engraft": "backup",
        "format": archive.FORMAT,
        "id": "i",
        "program": "9.9",
        "schema": 3,
        "created": "2026-11-21",
    }
    for change in ({}, {"format": archive.FORMAT + 1}, {"schema": 4}, {"engraft": "x"}, {"format": "x"}, {"id": 7}):
        text = json.dumps(good | change).encode()
        found = caught(lambda text=text: contents.header_of(text, "the backup", 3))
        story.say(f"{change}: {type(found).__name__ if found else 'taken'} {found or ''}")
    for text in (b"x", b"[]", b"{}"):
        story.say(f"{text!r}: {caught(lambda text=text: contents.header_of(text, 'the backup', 3))}")
    told(str(story))


def test_where_and_with_which_key_is_restored(told: Any, tmp_path: Path) -> None:
    story = Story()
    settings = Settings(data=tmp_path / "new")
    story.say(f"no folder: {said(places.check_empty, settings)}")
    (tmp_path / "new").mkdir()
    story.say(f"an empty one: {said(places.check_empty, settings)}")
    for count in (1, 5, 6):
        for number in range(count):
            (tmp_path / "new" / f"f{number}").touch()
        story.say(f"{count} files: {said(places.check_empty, settings)}")
    for number in range(1, 6):
        (tmp_path / "new" / f"f{number}").unlink()
    story.say(f"but that one: {said(lambda: places.check_empty(settings, but='f0'))}")
    elsewhere = Settings(data=tmp_path / "none", store_url=f"sqlite:///{tmp_path}/there.db")
    (tmp_path / "there.db").touch()
    story.say(f"elsewhere: {said(places.check_empty, elsewhere)}")
    story.say(f"MongoDB: {said(places.check_empty, Settings(data=tmp_path / 'none', store_url='mongodb://h/d'))}")
    story.head("keys")
    backup: Any = SimpleNamespace(sealed=None, manifest=SimpleNamespace(fingerprint="x"))
    story.say(f"neither: {said(restore._key_of, settings, backup, None)}")  # noqa: SLF001 (before anything is made)
    backup.sealed = object()
    story.say(f"sealed: {said(restore._key_of, settings, backup, None)}")  # noqa: SLF001 (as above)
    (tmp_path / "new" / "master.key").write_text("ab" * 32)
    (tmp_path / "new" / "master.key").chmod(0o600)
    story.say(f"another key there: {said(restore._key_of, settings, backup, None)}")  # noqa: SLF001 (as above)
    told(str(story).replace(str(tmp_path), "<folder>"))
