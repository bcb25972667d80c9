"""Blobs: named by what they hold, streamed, durable before they are named, swept when nobody keeps them."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bson import ObjectId
from structlog.testing import capture_logs

from lrs.kernel.errors import StoreFull, StoreReadOnly
from lrs.kernel.times import HOUR
from lrs.storage import wall_clock
from lrs.storage.blobs import FileBlobs
from lrs.storage.room import Room

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of b"abc": FIPS 180-2, B.1
NONE = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing


def forget(_name: str) -> bool:
    return False


def left_behind(store) -> list[str]:
    """Everything the engine holds for blobs, whether it has a name or not."""
    root = getattr(store.blobs, "_root", None)
    if root is not None:
        return sorted(path.name for path in root.rglob("*") if path.is_file())
    return sorted(str(chunk["files_id"]) for chunk in store.blobs._chunks.find())  # noqa: SLF001 (looks behind it)


def test_bytes_are_named_by_their_sha_256_and_come_back(store):
    name = store.blobs.put([b"a", b"", b"bc"])

    assert name == ABC
    assert b"".join(store.blobs.open(ABC)) == b"abc"
    assert store.blobs.size(ABC) == 3


def test_no_bytes_are_a_blob_too(store):
    assert store.blobs.put([]) == NONE
    assert b"".join(store.blobs.open(NONE)) == b""
    assert store.blobs.size(NONE) == 0


def test_a_blob_is_streamed_both_ways_in_chunks_of_less_than_a_megabyte(store):
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for n in range(40):
            taken += 1
            yield bytes([n]) * 65_536

    name = store.blobs.put(chunks())
    sizes = [len(chunk) for chunk in store.blobs.open(name)]

    assert taken == 40
    assert sum(sizes) == store.blobs.size(name) == 2_621_440
    assert max(sizes) < 1_000_000


def test_what_is_not_there_is_a_key_error_at_once(store):
    with pytest.raises(KeyError):
        store.blobs.open(ABC)
    with pytest.raises(KeyError):
        store.blobs.size(ABC)


def test_the_same_bytes_are_kept_once(store):
    names = [store.blobs.put([b"abc"]) for _ in range(3)]

    assert set(names) == {ABC}
    assert len(left_behind(store)) == 1


def test_a_put_that_fails_keeps_nothing(store):
    def breaks() -> Iterator[bytes]:
        yield b"x" * 600_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.blobs.put(breaks())

    assert left_behind(store) == []


def test_a_sweep_drops_what_is_older_and_not_kept_and_tells_how_many(store, clock):
    old = [store.blobs.put([each]) for each in (b"abc", b"old", b"kept")]
    since = clock.forward(seconds=3_600)
    new = store.blobs.put([b"new"])

    dropped = store.blobs.sweep(lambda name: name == old[2], since)

    assert dropped == 2
    assert b"".join(store.blobs.open(old[2])) == b"kept"
    assert b"".join(store.blobs.open(new)) == b"new"
    for name in old[:2]:
        with pytest.raises(KeyError):
            store.blobs.open(name)
    assert len(left_behind(store)) == 2


def test_a_sweep_spares_what_was_touched_at_that_very_time(store, clock):
    store.blobs.put([b"abc"])

    assert store.blobs.sweep(forget, clock()) == 0
    assert store.blobs.sweep(forget, clock() + 1) == 1
    assert store.blobs.sweep(forget, clock() + 1) == 0


def test_putting_the_same_bytes_again_touches_them(store, clock):
    store.blobs.put([b"abc"])
    since = clock.forward(seconds=3_600)
    store.blobs.put([b"abc"])

    assert store.blobs.sweep(forget, since) == 0
    assert b"".join(store.blobs.open(ABC)) == b"abc"


def test_what_is_touched_while_a_sweep_asks_about_it_stays(store, clock):
    store.blobs.put([b"abc"])
    since = clock.forward(seconds=3_600)

    def asked(_name: str) -> bool:
        store.blobs.put([b"abc"])
        return False

    assert store.blobs.sweep(asked, since) == 0
    assert b"".join(store.blobs.open(ABC)) == b"abc"


def test_what_was_swept_can_be_put_again(store, clock):
    store.blobs.put([b"abc"])
    store.blobs.sweep(forget, clock() + 1)

    store.blobs.put([b"abc"])

    assert b"".join(store.blobs.open(ABC)) == b"abc"


def test_many_putting_the_same_bytes_at_once_all_get_the_name(store):
    names = []
    threads = [threading.Thread(target=lambda: names.append(store.blobs.put([b"a", b"bc"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert names == [ABC] * 8
    assert b"".join(store.blobs.open(ABC)) == b"abc"


def test_a_sweep_clears_what_a_crash_left_in_the_middle_of_a_put(store):
    store.blobs.put([b"abc"])
    root = getattr(store.blobs, "_root", None)
    if root is None:
        store.blobs._chunks.insert_one({"files_id": ObjectId(), "n": 0, "data": b"x"})  # noqa: SLF001 (behind it)
    else:
        (root / ".draft-x").write_bytes(b"x")
    later = wall_clock() + HOUR

    before = len(left_behind(store))
    store.blobs.sweep(lambda name: name == ABC, later)

    assert (before, len(left_behind(store))) == (2, 1)
    assert b"".join(store.blobs.open(ABC)) == b"abc"


@pytest.fixture
def synced(monkeypatch) -> list[tuple[Path, int | None, bool]]:
    """What is synced, in order: the path, the length of a file, and whether the blob of b"abc" has its name by then."""
    found: list[tuple[Path, int | None, bool]] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        root = next(folder for folder in (path, *path.parents) if (folder / "blobs").exists())
        named = (root / "blobs" / ABC[:2] / ABC[2:4] / ABC).exists()
        found.append((path, path.stat().st_size if path.is_file() else None, named))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return found


def test_a_file_is_synced_before_it_is_named_and_its_folders_afterwards(tmp_path, clock, synced):
    root = tmp_path / "blobs"

    FileBlobs(root, clock).put([b"a", b"bc"])

    (draft, size, named), *folders = synced
    assert (draft.parent, size, named) == (root, 3, False)
    shared = root / ABC[:2]
    assert folders == [(folder, None, True) for folder in (shared / ABC[2:4], shared, root, tmp_path)]


def test_who_puts_what_is_there_syncs_its_folders_too(tmp_path, clock, synced):
    blobs = FileBlobs(tmp_path / "blobs", clock)
    blobs.put([b"abc"])
    first = [path for path, _, _ in synced[1:]]
    synced.clear()

    blobs.put([b"abc"])

    assert [path for path, _, _ in synced[1:]] == first
    assert len(first) == 4


def test_a_file_a_crash_left_set_aside_is_brought_back(tmp_path, clock):
    blobs = FileBlobs(tmp_path, clock)
    blobs.put([b"abc"])
    path = tmp_path / ABC[:2] / ABC[2:4] / ABC
    path.rename(path.with_name(f".aside-{ABC}"))

    blobs.sweep(forget, 0)

    assert b"".join(blobs.open(ABC)) == b"abc"


def test_a_file_that_a_killed_sweep_left_aside_is_read_before_the_next_sweep(tmp_path, clock):
    blobs = FileBlobs(tmp_path, clock)
    blobs.put([b"abc"])
    path = tmp_path / ABC[:2] / ABC[2:4] / ABC
    path.rename(path.with_name(f".aside-{ABC}"))

    assert b"".join(blobs.open(ABC)) == b"abc"
    assert blobs.size(ABC) == 3


def test_a_file_that_is_brought_back_between_two_looks_is_read(tmp_path, clock):
    blobs = FileBlobs(tmp_path, clock)
    blobs.put([b"abc"])
    path = tmp_path / ABC[:2] / ABC[2:4] / ABC
    aside = path.with_name(f".aside-{ABC}")
    path.rename(aside)

    def look(one):
        if one == aside:
            aside.rename(path)
        return one.stat().st_size

    assert blobs._found(ABC, look) == 3  # noqa: SLF001 (the two looks are inside)


def test_a_file_a_crash_left_set_aside_does_not_age_one_that_was_put_since(tmp_path, clock):
    blobs = FileBlobs(tmp_path, clock)
    blobs.put([b"abc"])
    path = tmp_path / ABC[:2] / ABC[2:4] / ABC
    path.rename(path.with_name(f".aside-{ABC}"))
    since = clock.forward(seconds=3_600)
    blobs.put([b"abc"])

    assert [blobs.sweep(forget, since) for _ in range(2)] == [0, 0]
    assert [each.name for each in path.parent.iterdir()] == [ABC]


def failing(monkeypatch, code, when):
    """The system call fsync fails with *code* where *when* (what the descriptor stands for) says so, each time anew."""
    real = os.fsync

    def fsync(descriptor):
        if when(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr("os.fsync", fsync)


@pytest.mark.parametrize("level", range(4))
def test_a_failed_sync_of_a_folder_ends_the_process_and_its_retry_is_not_believed(tmp_path, clock, monkeypatch, level):
    said = []
    root = tmp_path / "blobs"
    path = root / ABC[:2] / ABC[2:4] / ABC
    failed = path.parents[level]
    blobs = FileBlobs(root, clock, fatal=said.append)
    with monkeypatch.context() as broken:
        failing(broken, errno.EIO, lambda what: what == failed)

        with pytest.raises(OSError, match="Input/output"):
            blobs.put([b"abc"])

    assert said == [f"{failed}: [Errno 5] Input/output error"]
    assert not path.exists()
    assert blobs.put([b"abc"]) == ABC


def test_a_failed_sync_of_the_bytes_ends_the_process(tmp_path, clock, monkeypatch):
    said = []
    blobs = FileBlobs(tmp_path, clock, fatal=said.append)
    failing(monkeypatch, errno.EIO, lambda what: what.is_file())

    with pytest.raises(OSError, match="Input/output"):
        blobs.put([b"abc"])

    assert said == [f"{tmp_path}: [Errno 5] Input/output error"]


@pytest.mark.parametrize(
    ("code", "kind", "lacks"),
    [(errno.ENOSPC, StoreFull, "full"), (errno.EDQUOT, StoreFull, "full"), (errno.EROFS, StoreReadOnly, "read-only")],
)
def test_no_room_and_no_right_for_a_blob_are_told_as_for_the_store_and_end_nothing(
    tmp_path, clock, monkeypatch, code, kind, lacks
):
    said, room = [], Room("here")
    blobs = FileBlobs(tmp_path, clock, room, said.append)
    with monkeypatch.context() as broken:
        broken.setattr("tempfile.mkstemp", raising(OSError(code, os.strerror(code))))
        with pytest.raises(kind):
            blobs.put([b"abc"])
        assert room.lacks == lacks

    assert blobs.put([b"abc"]) == ABC
    assert (said, room.lacks) == ([], None)


def test_a_disk_that_is_full_when_the_bytes_are_synced_is_full_and_ends_nothing(tmp_path, clock, monkeypatch):
    said = []
    blobs = FileBlobs(tmp_path, clock, fatal=said.append)
    with monkeypatch.context() as broken:
        failing(broken, errno.ENOSPC, lambda what: what.is_file())
        with pytest.raises(StoreFull):
            blobs.put([b"abc"])

    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_the_log_says_once_that_there_is_no_room_and_once_that_there_is():
    with capture_logs() as logged:
        room = Room("here")
        for _ in range(3):
            room.missed("full")
        for _ in range(3):
            room.kept()

    assert [(one["log_level"], one["event"].partition(":")[0]) for one in logged] == [
        ("error", "the store cannot be written to"),
        ("warning", "the store can be written to again"),
    ]


def test_a_write_that_was_kept_is_kept_also_where_the_room_on_the_disk_can_no_longer_be_asked(tmp_path):
    room = Room("here", tmp_path / "gone")
    room.missed("full")

    room.kept()

    assert room.lacks is None


def raising(error):
    def fail(*_, **__):
        raise error

    return fail
