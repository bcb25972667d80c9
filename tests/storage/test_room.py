"""Whether a store can be written to: it is said once, and no longer than it is so."""

import errno
import os
from types import SimpleNamespace

from structlog.testing import capture_logs

from lrs.kernel.errors import StoreFull, StoreReadOnly
from lrs.storage.room import ENOUGH, FULL, READ_ONLY, Room


def test_a_full_disk_is_full_until_there_is_room_for_more_than_a_small_write(tmp_path, monkeypatch):
    room = Room("the store", tmp_path)
    with capture_logs() as logs:
        failures = [room.failure(OSError(code, "no")) for code in (errno.ENOSPC, errno.EDQUOT)]
        states = [room.lacks]
        for free in (ENOUGH - 1, ENOUGH):
            disk = SimpleNamespace(f_bavail=free, f_frsize=1)
            monkeypatch.setattr(os, "statvfs", lambda _, disk=disk: disk)
            room.kept()
            states.append(room.lacks)
        room.kept()

    assert [type(one) for one in failures] == [StoreFull, StoreFull]
    assert states == [FULL, FULL, None]
    assert [(one["log_level"], one.get("todo")) for one in logs] == [
        ("error", "make room on the disk"),
        ("warning", None),
    ]


def test_a_folder_that_may_not_be_written_is_read_only_until_a_write_is_kept_and_other_errors_are_their_own():
    room = Room("the store")
    other = OSError(errno.EIO, "input/output error")

    failures = [room.failure(OSError(code, "no")) for code in (errno.EROFS, errno.EACCES, errno.EPERM)]
    before = room.lacks
    room.kept()

    assert [type(one) for one in failures] == [StoreReadOnly] * 3
    assert (before, room.lacks) == (READ_ONLY, None)
    assert (room.failure(other), room.lacks) == (other, None)
