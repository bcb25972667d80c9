"""Temporary folders: for their owner alone, gone at the end, and gone after a kill once somebody looks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lrs.storage.drafts import draft_folder, drafts_in, remove_left

KILLED = """
import os, pathlib, signal, sys
from lrs.storage.drafts import draft_folder
with draft_folder(pathlib.Path(sys.argv[1])) as folder:
    (folder / "upload").write_text("ann@example.org")
    os.kill(os.getpid(), signal.SIGKILL)
"""
LOOK = """
import pathlib, sys
from lrs.storage.drafts import remove_left
remove_left(pathlib.Path(sys.argv[1]))
"""


@pytest.fixture
def parent(tmp_path):
    return drafts_in(tmp_path)


def names(parent):
    return sorted(one.name for one in parent.iterdir())


def killed_in(parent):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(parent)], check=False)
    assert ended.returncode == -signal.SIGKILL


def test_a_folder_is_its_owners_alone_and_gone_at_the_end_with_all_that_is_in_it(parent):
    with draft_folder(parent) as folder:
        (folder / "below").mkdir()
        (folder / "below" / "upload").write_text("ann@example.org")
        mode = folder.stat().st_mode & 0o777

    assert (mode, names(parent)) == (0o700, [])


def test_a_folder_whose_use_failed_is_gone_too(parent):
    with pytest.raises(ZeroDivisionError), draft_folder(parent):
        raise ZeroDivisionError

    assert names(parent) == []


def test_what_a_killed_process_left_is_removed_by_whoever_looks(parent):
    killed_in(parent)
    left = names(parent)

    remove_left(parent)

    assert len(left) == 2
    assert names(parent) == []


def test_who_makes_a_folder_removes_what_was_left_there(parent):
    killed_in(parent)

    with draft_folder(parent):
        beside = names(parent)

    assert len(beside) == 2  # its own, and its lock


def test_a_folder_that_is_used_stays_whoever_looks(parent):
    with draft_folder(parent) as folder:
        (folder / "upload").write_text("x")
        remove_left(parent)
        subprocess.run([sys.executable, "-c", LOOK, str(parent)], check=True)

        assert (folder / "upload").read_text() == "x"


def test_a_new_lock_that_was_taken_for_a_left_one_is_made_anew(parent, monkeypatch):
    real, made = os.open, []

    def opened(path, *more, **named):
        descriptor = real(path, *more, **named)
        if not made:
            made.append(path)
            path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with draft_folder(parent) as folder:
        assert folder.with_suffix(".lock").exists()
    assert names(parent) == []


def test_what_cannot_be_removed_is_found_again(parent, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda *_, **__: None)
        with draft_folder(parent):
            pass
    left = names(parent)

    remove_left(parent)

    assert (len(left), names(parent)) == (2, [])
