"""Looking at a store's file from outside, also in a process that has the store open."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lrs.storage import Record
from lrs.storage.opening import open_store
from lrs.storage.outside import StoreCondition, seen

OPENED_AND_CLOSED = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM record").fetchone()
connection.close()
"""
"""The last one to close a store deletes its log, unless it sees a lock of somebody who has the store open."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_a_look_at_a_store_that_is_open_here_takes_no_lock_away_from_it(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()
    store = open_store(f"sqlite:///{path}")

    seen(f"sqlite:///{path}")
    subprocess.run([sys.executable, "-c", OPENED_AND_CLOSED, str(path)], check=True)

    assert Path(f"{path}-wal").exists()
    store.write(lambda tx: tx.insert(Record("thing", "one"))).result()
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT id FROM record").fetchall() == [("one",)]
    store.close()


def test_a_store_is_at_rest_once_it_was_closed(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()

    assert seen(f"sqlite:///{path}") is StoreCondition.AT_REST


def test_a_store_with_commits_in_its_log_is_unsettled(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    store.write(lambda tx: tx.insert(Record("thing", "one"))).result()

    assert seen(f"sqlite:///{path}") is StoreCondition.UNSETTLED
    store.close()


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0" + 84 * b"\xff"])
def test_what_cannot_be_opened_as_far_as_one_sees_is_odd(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)

    assert seen(f"sqlite:///{path}") is StoreCondition.ODD


def test_a_store_of_another_program_or_of_a_later_schema_is_odd_and_of_an_older_one_unsettled(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()
    found = {}

    for name, statement in (
        ("later", "PRAGMA user_version = 99"),
        ("older", "PRAGMA user_version = 1"),
        ("foreign", "PRAGMA application_id = 7"),
    ):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()
        found[name] = seen(f"sqlite:///{path}")

    assert found == {
        "later": StoreCondition.ODD,
        "older": StoreCondition.UNSETTLED,
        "foreign": StoreCondition.ODD,
    }
