"""What only the SQLite engine can get wrong: its settings, a full disk, a lock that is not given up, its plans."""

from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lrs.kernel.admission import LOCK, Overloaded
from lrs.kernel.errors import StoreFull
from lrs.storage import Record, Walk, open_store
from lrs.storage.leases import new_token
from tests.contract.acts import MINUTE, WAIT, claim, ids, insert, owing
from tests.programs import PATIENCE


@pytest.fixture
def store(tmp_path, clock):
    opened = open_store(f"sqlite:///{tmp_path}/lrs.db", clock=clock)
    yield opened
    opened.close()


def setting(store, name):
    return store._writer.connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: SLF001 (the writer's own setting)


def test_the_writer_syncs_every_commit(store):
    assert (setting(store, "synchronous"), setting(store, "journal_mode")) == (2, "wal")


def test_a_full_disk_is_store_full_reads_go_on_and_it_recovers_by_itself(store):
    insert(store, "a", body=b"x")
    setting(store, f"max_page_count = {setting(store, 'page_count') + 4}")

    error = store.write(lambda tx: tx.insert(Record("thing", "big", bytes(500_000)))).exception(WAIT)

    assert isinstance(error, StoreFull)
    assert str(error) == "the disk is full: nothing of this request was stored"
    assert ids(store.find(Walk("thing")).records) == ["a"]
    setting(store, "max_page_count = 1073741823")
    assert insert(store, "big", body=bytes(500_000)).rev == 1


def test_what_somebody_else_took_or_put_off_since_it_was_looked_at_is_not_taken(store, clock):
    owing(store, "a", "evaluate")
    owing(store, "b", "evaluate")
    seen = [(row, "evaluate") for row in (1, 2)]
    put_off, lost = sorted(claim(store, "evaluate"), key=lambda one: one.record.id)
    store.defer(put_off, due=clock.now + 10 * MINUTE, error="busy")
    until = clock.now + MINUTE

    again = store._leased(seen, clock.now, until, new_token())  # noqa: SLF001 (what was seen before the two claims)
    clock.now = until
    first, second = (store._leased(seen[1:], until, until + MINUTE, new_token(alone=True)) for _ in range(2))  # noqa: SLF001

    assert [one.record.id for one in again] == []
    assert ([one.record.id for one in first], second) == ([lost.record.id], [])


def test_a_new_file_that_another_process_begins_is_waited_for(tmp_path, clock):
    path = tmp_path / "new.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA application_id = 1162757970")  # ours, so that the file is not empty
    other.execute("BEGIN IMMEDIATE")
    soon = threading.Timer(0.3, lambda: other.execute("ROLLBACK"))
    soon.start()

    opened = open_store(f"sqlite:///{path}", clock=clock)

    assert opened.backlog() == []
    opened.close()
    soon.join()
    other.close()


def test_a_lock_that_another_process_does_not_give_up_is_overloaded(store, tmp_path):
    other = sqlite3.connect(tmp_path / "lrs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    setting(store, "busy_timeout = 10")

    error = store.write(lambda tx: tx.insert(Record("thing", "a"))).exception(WAIT)
    other.execute("ROLLBACK")
    other.close()

    assert isinstance(error, Overloaded)
    assert error.cause is LOCK
    assert insert(store, "a").rev == 1


@pytest.mark.parametrize(
    ("code", "ends"), [(sqlite3.SQLITE_IOERR, True), (sqlite3.SQLITE_CORRUPT, False), (sqlite3.SQLITE_NOTADB, False)]
)
def test_an_error_of_the_disk_ends_the_process_a_damaged_file_does_not_and_neither_is_tried_again(
    tmp_path, clock, code, ends
):
    from lrs.storage.sqlite.store import SqliteStore  # noqa: PLC0415 (an engine is loaded when it is used)

    said, runs = [], []
    store = SqliteStore(f"{tmp_path}/lrs.db", clock=clock, fatal=said.append)

    def decide(_tx):
        runs.append(1)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    assert isinstance(store.write(decide).exception(WAIT), OSError)
    store.close()

    assert said == ([f"{tmp_path}/lrs.db: disk I/O error"] if ends else [])
    assert runs == [1]


def test_a_disk_too_full_for_the_index_of_the_log_is_store_full_and_it_recovers_by_itself(tmp_path, clock):
    from lrs.storage.sqlite.store import SqliteStore  # noqa: PLC0415 (an engine is loaded when it is used)

    said = []
    store = SqliteStore(f"{tmp_path}/lrs.db", clock=clock, fatal=said.append)

    def decide(tx):
        tx.insert(Record("thing", "a"))
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
        raise error

    error = store.write(decide).exception(WAIT)
    again = insert(store, "a")
    store.close()

    assert isinstance(error, StoreFull)
    assert str(error) == "the disk is full: send this again once there is room, to be sure that it is stored"
    assert (again.rev, said) == (1, [])


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        ((), "record_order (kind=? AND"),
        ((1,), "PRIMARY KEY (segment=? AND key=? AND"),
        ((1, 2), "PRIMARY KEY (segment=? AND key=? AND seq=? AND row=?"),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_walk_goes_along_an_index_and_sorts_nothing(store, keys, index, newest_first):
    insert(store, "a", keys=(1, 2))

    plan = plan_of(
        store._reader().connection,  # noqa: SLF001 (to hear what it is asked)
        lambda: store.find(Walk("thing", keys, newest_first=newest_first, after=1)),
    )

    assert any(index in step for step in plan), plan
    assert not any("TEMP B-TREE" in step or ("SCAN" in step and "subquery" not in step) for step in plan), plan


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (lambda store: store.parked("deliver"), "owed_at (step=? AND at=?)"),
        (lambda store: store.failing("deliver"), "owed_at (step=? AND at<?)"),
    ],
)
def test_what_a_step_gave_up_or_failed_at_is_found_without_a_look_at_other_steps(store, look, index):
    connections = store._reader().connection, store._writer.connection  # noqa: SLF001 (to hear what they are asked)

    plan = [step for connection in connections for step in plan_of(connection, lambda: look(store))]

    assert any(index in step for step in plan), plan
    assert not any("SCAN o" in step for step in plan), plan


def plan_of(connection, ask):
    """The steps of SQLite's plan for what *ask* asks on *connection*."""
    asked = []
    connection.set_trace_callback(asked.append)
    ask()
    connection.set_trace_callback(None)
    queries = [query for query in asked if query.startswith(("SELECT", "UPDATE"))]
    return [row[3] for query in queries for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]


def test_a_kind_first_seen_in_a_write_that_a_full_disk_undid_is_not_remembered(store):
    setting(store, f"max_page_count = {setting(store, 'page_count')}")
    assert isinstance(store.write(lambda tx: tx.insert(Record("new", "1", bytes(500_000)))).exception(WAIT), StoreFull)
    setting(store, "max_page_count = 1073741823")

    store.write(lambda tx: tx.insert(Record("other", "1"))).result(WAIT)
    store.write(lambda tx: tx.insert(Record("new", "9"))).result(WAIT)

    assert store.get("new", "9").kind == "new"
    assert ids(store.find(Walk("other")).records) == ["1"]


def test_a_thread_that_ends_takes_its_connection_along(store, tmp_path):
    before = opened_files(tmp_path)
    for _ in range(20):
        reading = threading.Thread(target=store.get, args=("kind", "id"))
        reading.start()
        reading.join()

    gc.collect()

    assert len(opened_files(tmp_path)) < len(before) + 20  # SQLite keeps some of them while the file is open


def test_a_thread_that_is_reading_when_the_store_is_closed_gets_its_answer(store, tmp_path):
    store.write(lambda tx: tx.insert(Record("thing", "id"))).result(WAIT)
    asking, closed, found = threading.Event(), threading.Event(), []

    def wait_inside():
        asking.set()
        return not closed.wait(PATIENCE)

    def read():
        store._reader().connection.set_progress_handler(wait_inside, 1)  # noqa: SLF001 (SQLite is stopped in the middle)
        for ask in (lambda: store.get("thing", "id"), lambda: store.get("thing", "id"), store.backlog):
            try:
                found.append(ask())
            except sqlite3.ProgrammingError as error:
                found.append(str(error))

    reading = threading.Thread(target=read)
    reading.start()
    assert asking.wait(PATIENCE)
    store.close()
    closed.set()
    reading.join()

    assert found == [Record("thing", "id", seq=found[0].seq, rev=1), "the store is closed", "the store is closed"]
    assert not opened_files(tmp_path)


def opened_files(folder):
    """Those under *folder* that this process has open, each as often as it is."""
    names = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sorted(str(name) for name in names if name.is_relative_to(folder))


ENDING = """
import threading, time
from lrs.storage import Record, open_store
store = open_store("sqlite:///{path}")
store.write(lambda tx: tx.insert(Record("thing", "id"))).result()
inside = threading.Event()
def wait_inside():
    inside.set()
    time.sleep(0.2)
def ask():
    store._reader().connection.set_progress_handler(wait_inside, 1)
    while True:
        store.get("thing", "id")
threading.Thread(target=ask, daemon=True).start()
inside.wait()
"""


def test_a_thread_that_is_reading_when_the_process_ends_does_not_crash_it(tmp_path):
    """SQLite was asked and closed at once: a signal ended the process, whatever it had done."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDING.format(path=tmp_path / "lrs.db")], capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
