"""Schemas go forward, also when killed midway; a newer one is refused with a clear text; each released one is frozen.

The folder ``frozen`` holds one store of each released schema, as ``frozen/make.py`` of that release wrote it.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from bson import json_util

from lrs.kernel.errors import Misconfigured, NewerSchema
from lrs.storage import Backlog, Owed, Record, Walk, drop_store, first_seq, open_store, open_to_read
from lrs.storage.mongo import schema as mongo_schema
from lrs.storage.sqlite import schema as sqlite_schema
from lrs.storage.sqlite.keys import SegmentSizes
from lrs.storage.sqlite.read import SqliteReader
from lrs.storage.sqlite.rows import packed
from lrs.storage.versions import found_and_known
from tests.conftest import STAND_IN, SetClock
from tests.contract.acts import WAIT, ids, insert
from tests.contract.frozen.make import LONG
from tests.contract.merging import MergedByHand

FROZEN = Path(__file__).parent / "frozen"
FROZEN_CLOCK = 1_790_000_000_000_000
ROOT = Path(__file__).parents[2]

_MADE_UP = ("ALTER TABLE record ADD COLUMN extra TEXT", "UPDATE record SET extra = 'x'", "CREATE TABLE more (a)")


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A connection whose process ends before its statement number *lives*: what is not committed is not kept."""

    def __init__(self, path, lives):
        self.connection, self.lives = sqlite3.connect(path, isolation_level=None), lives
        self.connection.execute("PRAGMA journal_mode = WAL")

    def execute(self, *asked):
        if not self.lives:
            raise Killed
        self.lives -= 1
        return self.connection.execute(*asked)

    def create_function(self, *named, **how):
        self.connection.create_function(*named, **how)

    @property
    def in_transaction(self):
        return self.connection.in_transaction


def killed(path, lives):
    """Migrates in a process that ends before its statement number *lives*; whether it did."""
    dying = Dying(path, lives)
    try:
        sqlite_schema.migrate(dying, str(path))
    except Killed:
        return True
    finally:
        dying.connection.close()
    return False


@pytest.fixture
def made_up(monkeypatch):
    """A schema to come."""
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, _MADE_UP))
    monkeypatch.setattr(sqlite_schema, "SCHEMA_VERSION", sqlite_schema.SCHEMA_VERSION + 1)


def holds_what_was_frozen(store):
    assert store.get("statement", "a") == Record(
        "statement", "a", b'{"n": 0.10}', {"a.b": "æ"}, (1, 2), (), first_seq(FROZEN_CLOCK), 1
    )
    assert store.get("document", "b") == Record("document", "b", b"new", {}, (2, 3), (), first_seq(FROZEN_CLOCK + 2), 2)
    assert ids(store.find(Walk("document", (2, 3))).records) == ["b"]
    assert store.backlog() == [Backlog("evaluate", 1, 0, 7), Backlog("sync", 0, 1, None)]
    assert [(record.id, owed) for record, owed in store.parked()] == [("c", Owed("sync", 9, 1, "400", parked=True))]
    assert insert(store, "new").seq == first_seq(FROZEN_CLOCK + 4)


@pytest.mark.parametrize("frozen", sorted(FROZEN.glob("sqlite-*.db")), ids=lambda path: path.stem)
def test_every_released_sqlite_schema_is_opened_and_migrated(frozen, tmp_path):
    shutil.copy(frozen, tmp_path / "lrs.db")

    store = open_store(f"sqlite:///{tmp_path}/lrs.db", clock=lambda: 0)
    holds_what_was_frozen(store)
    store.close()


@pytest.mark.parametrize("frozen", sorted(FROZEN.glob("mongo-*.json")), ids=lambda path: path.stem)
def test_every_released_mongo_schema_is_opened_and_migrated(frozen, mongo_url, mongo_client):
    thaw(mongo_client.get_database(mongo_url.rpartition("/")[2]), frozen)

    store = open_store(mongo_url, clock=lambda: 0)
    holds_what_was_frozen(store)
    store.close()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_sqlite_file_of_an_earlier_schema_is_read_as_it_is_and_goes_forward_only_when_it_is_opened(tmp_path, version):
    path = tmp_path / "lrs.db"
    shutil.copy(FROZEN / f"sqlite-{version}.db", path)

    read = open_to_read(f"sqlite:///{path}", clock=lambda: 0)
    body = read.get("document", "b").body
    found = [read.find(Walk(kind, keys)).records for kind, keys in (("statement", (1,)), ("document", (2, 3)))]
    count = read.count("document", (2, ~4))
    wrong = read.wrong_keys()
    version_read = found_and_known(f"sqlite:///{path}")
    open_store(f"sqlite:///{path}", clock=lambda: 0).close()

    assert body == b"new"
    assert [ids(records) for records in found] == [["a"], ["b"]]
    assert (count, wrong) == (1, 0)
    assert version_read == (version, 4)
    assert found_and_known(f"sqlite:///{path}") == (4, 4)
    read.close()


@pytest.mark.parametrize(("version", "error"), [(2, "no such table"), (3, "no such column")])
def test_who_reads_an_earlier_schema_fails_and_misses_nothing_once_the_file_has_gone_forward(tmp_path, version, error):
    path = tmp_path / "lrs.db"
    shutil.copy(FROZEN / f"sqlite-{version}.db", path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        sqlite_schema.read_as_present(connection)
        reader = SqliteReader(connection)
        before = reader.find(Walk("statement", (1,))).records

        open_store(f"sqlite:///{path}", clock=lambda: 0).close()

        assert ids(before) == ["a"]
        with pytest.raises(sqlite3.OperationalError, match=error):
            reader.find(Walk("statement", (1,)))


@pytest.mark.parametrize(("version", "least"), [(1, 16), (2, 16), (3, 8)])
def test_a_sqlite_file_is_whole_after_a_kill_at_any_statement_of_its_way_forward(tmp_path, version, least):
    lives = 0
    while True:
        path = tmp_path / f"{lives}.db"
        shutil.copy(FROZEN / f"sqlite-{version}.db", path)
        if not killed(path, lives):
            break
        lives += 1
        if lives % 4 == version:
            store = open_store(f"sqlite:///{path}", clock=lambda: 0)
            holds_what_was_frozen(store)
            store.close()

    assert lives >= least


def test_a_body_that_was_compressed_stays_readable():
    with closing(open_to_read(f"sqlite:///{FROZEN}/sqlite-4.db", clock=lambda: 0)) as store:
        assert store.get("statement", "d") == Record("statement", "d", LONG, seq=7, rev=1)
    with closing(sqlite3.connect(f"file:{FROZEN}/sqlite-4.db?immutable=1", uri=True)) as connection:
        ((size, kept),) = connection.execute("SELECT size, length(kept) FROM record WHERE id = 'd'")
        assert (size, kept < size) == (len(LONG), True)


def test_what_was_stored_before_and_after_the_way_to_segments_is_found_in_one_order(tmp_path):
    path = tmp_path / "lrs.db"
    shutil.copy(FROZEN / "sqlite-2.db", path)
    store = open_store(f"sqlite:///{path}", clock=lambda: FROZEN_CLOCK)
    insert(store, "new", keys=(2, 3))
    insert(store, "past", keys=(2, 3), seq=7)
    store.write(lambda tx: tx.replace(msgspec.structs.replace(tx.get("document", "b"), keys=(2, 4)))).result(WAIT)

    forth = [ids(store.find(Walk("thing", (2, 3), newest_first=newest)).records) for newest in (False, True)]
    counts = [store.count("document", keys) for keys in ((2,), (2, 3), (2, 4), (4, ~3))]

    assert forth == [["past", "new"], ["new", "past"]]
    assert counts == [1, 0, 1, 1]
    assert store.mend_keys() == 0
    store.close()
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("INSERT INTO ref VALUES (1, 1, 1)")  # as a process of before would that still runs


def test_search_keys_that_are_lost_or_stray_are_counted_in_an_earlier_schema(tmp_path):
    path = tmp_path / "lrs.db"
    shutil.copy(FROZEN / "sqlite-2.db", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM ref WHERE key = 1")

    with closing(open_to_read(f"sqlite:///{path}", clock=lambda: 0)) as read:
        assert read.wrong_keys() == 1


def test_what_was_ahead_before_the_way_to_segments_keeps_none_from_beginning_after_it(tmp_path):
    path = tmp_path / "lrs.db"
    shutil.copy(FROZEN / "sqlite-2.db", path)
    ahead = first_seq(FROZEN_CLOCK + 10**9)
    with closing(sqlite3.connect(path)) as connection, connection:
        add = "INSERT INTO record SELECT 1000 + value, 1, 'ahead' || value, ?1 + value, 1, '{}', ?2, x''"
        connection.execute(f"{add} FROM json_each('[1, 2, 3]')", (ahead, packed((2, 3, 2))))
        refs = "INSERT INTO ref SELECT k.value, ?1 + r.value, 1000 + r.value FROM json_each('[2, 3]') k"
        connection.execute(f"{refs}, json_each('[1, 2, 3]') r", (ahead,))
    clock = SetClock(FROZEN_CLOCK + 100)
    store = MergedByHand(str(path), clock=clock, segments=SegmentSizes(entries=20, fan_out=2, step=8))
    kind = store.table("SELECT name FROM kind WHERE number = 1")[0][0]

    moved = store.table("SELECT segment, key, seq, row FROM segment_key ORDER BY 3, 2")
    for number in range(100):
        store.write(lambda tx, id=str(number): tx.insert(Record(kind, id, keys=(2, 3)))).result(WAIT)
    store.merge_all()

    assert moved == [(1, key, ahead + n, 1000 + n) for n in (1, 2, 3) for key in (2, 3)]
    found = ids(store.find(Walk(kind, (2, 3), limit=200)).records)
    assert found[-103:] == [*map(str, range(100)), "ahead1", "ahead2", "ahead3"]
    assert store.table("SELECT max(level) FROM segment")[0][0] >= 2
    assert store.mend_keys() == 0
    store.close()


def thaw(database, frozen):
    for name, collection in json_util.loads(frozen.read_text()).items():
        database[name].insert_many(collection["documents"])
        for index, options in collection["indexes"].items():
            more = {key: options[key] for key in options if key not in {"v", "key"}}
            if index != "_id_":
                database[name].create_index([tuple(part) for part in options["key"]], name=index, **more)


def test_a_frozen_store_of_the_present_schema_exists_for_both_engines():
    assert (FROZEN / f"sqlite-{sqlite_schema.SCHEMA_VERSION}.db").exists()
    assert (FROZEN / f"mongo-{mongo_schema.SCHEMA_VERSION}.json").exists()


def test_a_newer_sqlite_schema_is_refused_with_a_clear_text_and_left_as_it_is(tmp_path):
    path = tmp_path / "lrs.db"
    open_store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(NewerSchema) as refused:
        open_store(f"sqlite:///{path}")

    assert str(refused.value) == (
        f"{path} has schema 99, this program knows up to {sqlite_schema.SCHEMA_VERSION}: a newer version wrote it;"
        " start that version, or restore a backup made before the upgrade"
    )
    with pytest.raises(NewerSchema, match="has schema 99, this program knows up to"):
        open_to_read(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_newer_mongo_schema_is_refused_with_a_clear_text_and_left_as_it_is(mongo_url, mongo_client):
    open_store(mongo_url).close()
    name = mongo_url.rpartition("/")[2]
    mongo_client[name].meta.update_one({"_id": "schema"}, {"$set": {"version": 99}})

    with pytest.raises(NewerSchema) as refused:
        open_store(mongo_url)

    assert str(refused.value) == (
        f"the database {name} has schema 99, this program knows up to {mongo_schema.SCHEMA_VERSION}: a newer version"
        " wrote it; start that version, or restore a backup made before the upgrade"
    )
    assert mongo_client[name].meta.find_one()["version"] == 99


def test_a_sqlite_file_of_another_program_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()

    with pytest.raises(Misconfigured) as refused:
        open_store(f"sqlite:///{path}")

    assert str(refused.value) == (f"{path} is a SQLite file of another program; name another file in LRS_STORE_URL")
    with pytest.raises(Misconfigured, match="is a SQLite file of another program"):
        open_to_read(f"sqlite:///{path}")


def test_a_sqlite_file_of_ours_that_is_too_old_to_be_read_is_said_to_be_brought_forward_on_a_copy(tmp_path):
    path = tmp_path / "lrs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {sqlite_schema.APPLICATION_ID}")

    with pytest.raises(Misconfigured, match="has schema 0, this program needs 1: start lrs serve on a copy of it"):
        open_to_read(f"sqlite:///{path}")


def test_a_store_that_is_dropped_is_gone_with_its_blobs_and_is_dropped_once(store_url):
    with closing(open_store(store_url)) as store:
        insert(store, "a")
        blob = store.blobs.put([b"a blob"])

    for _ in range(2):
        drop_store(store_url)
        assert found_and_known(store_url)[0] is None

    with closing(open_store(store_url)) as store:
        assert store.count("thing") == 0
        with pytest.raises(KeyError):
            store.blobs.open(blob)


def test_a_mongo_database_of_another_program_is_refused_and_left_as_it_is(mongo_url, mongo_client):
    name = mongo_url.rpartition("/")[2]
    mongo_client[name].theirs.insert_one({"a": 1})

    with pytest.raises(Misconfigured) as refused:
        open_store(mongo_url)

    assert str(refused.value) == (
        f"the database {name} is another program's; name another one in LRS_STORE_URL: mongodb://HOST/DATABASE"
    )
    assert mongo_client[name].list_collection_names() == ["theirs"]


def test_a_new_sqlite_file_is_whole_after_a_kill_at_any_statement_of_its_making(tmp_path):
    lives = 0
    while killed(path := tmp_path / f"{lives}.db", lives):
        store = open_store(f"sqlite:///{path}")
        insert(store, "a", keys=(1,))
        assert store.count("thing", (1,)) == 1
        store.close()
        lives += 1

    assert lives >= 10


@pytest.mark.parametrize("lives", range(9))
def test_a_sqlite_file_killed_midway_in_a_migration_is_at_the_old_schema_or_at_the_new(tmp_path, lives, request):
    path = tmp_path / "lrs.db"
    store = open_store(f"sqlite:///{path}")
    insert(store, "a", body=b"kept")
    store.close()
    request.getfixturevalue("made_up")

    died = killed(path, lives)
    killed(path, 1_000)

    assert died
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (sqlite_schema.SCHEMA_VERSION,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT id, kept, extra FROM record").fetchall() == [("a", b"kept", "x")]
    connection.close()


@pytest.mark.parametrize("done", [0, 1])
def test_a_mongo_migration_that_was_killed_is_run_again(mongo_url, mongo_client, done):
    database = mongo_client.get_database(mongo_url.rpartition("/")[2])
    database.meta.insert_one({"_id": "schema", "version": 0, "program": "engraft"})
    for step in mongo_schema.MIGRATIONS[0][:done]:
        step(database)

    store = open_store(mongo_url)
    stored = insert(store, "a", keys=(1,))
    found = store.find(Walk("thing", (1,))).records
    store.close()

    assert found == (stored,)
    assert database.meta.find_one()["version"] == mongo_schema.SCHEMA_VERSION


def test_whoever_opens_a_database_that_another_process_migrates_waits_and_then_is_told(
    mongo_url, mongo_client, monkeypatch
):
    monkeypatch.setattr("lrs.storage.mongo.lease._WAIT_S", 0.0)
    name = mongo_url.rpartition("/")[2]
    meta = mongo_client[name].meta
    meta.insert_one({"_id": "migration", "by": "another", "until": time.time() + 3_600})

    with pytest.raises(Misconfigured) as refused:
        open_store(mongo_url)

    assert str(refused.value) == (
        f"another process is bringing the database {name} to this program's schema: start again when it is done"
    )
    assert meta.find_one({"_id": "schema"})["version"] == 0
    assert meta.find_one({"_id": "migration"})["by"] == "another"


def test_the_lease_of_a_process_that_died_migrating_runs_out(mongo_url, mongo_client):
    meta = mongo_client[mongo_url.rpartition("/")[2]].meta
    meta.insert_one({"_id": "migration", "by": "dead", "until": time.time() - 1})

    store = open_store(mongo_url)
    stored = insert(store, "a")
    store.close()

    assert stored.rev == 1
    assert [one["_id"] for one in meta.find()] == ["schema"]


def test_two_processes_may_open_a_new_store_at_once(store_url):
    script = (
        "import sys; from lrs.storage import Record, open_store; store = open_store(sys.argv[1]);"
        "store.write(lambda tx: tx.insert(Record('thing', sys.argv[2]))).result(); store.close()"
    )
    children = [subprocess.Popen([sys.executable, "-c", script, store_url, name], cwd=ROOT) for name in ("a", "b", "c")]

    assert [child.wait(WAIT) for child in children] == [0, 0, 0]
    store = open_store(store_url)
    assert sorted(ids(store.find(Walk("thing")).records)) == ["a", "b", "c"]
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgres://host/db",
            "LRS_STORE_URL: unknown scheme 'postgres'; use sqlite:///PATH or mongodb://HOST/DATABASE",
        ),
        ("mongodb://127.0.0.1:1", "LRS_STORE_URL names no database; use mongodb://HOST/DATABASE"),
    ],
)
def test_an_address_that_cannot_be_used_says_what_to_change(url, message):
    with pytest.raises(Misconfigured) as refused:
        open_store(url)

    assert str(refused.value) == message


@pytest.mark.parametrize("url", ["mongodb://127.0.0.1:1/db?serverSelectionTimeoutMS=100", "mongodb://:x/db"])
def test_a_mongo_that_cannot_be_reached_or_named_is_misconfigured(url):
    with pytest.raises(Misconfigured, match=r"^LRS_STORE_URL: "):
        open_store(url)


def test_a_mongo_without_transactions_is_refused(tmp_path):
    with subprocess.Popen([*STAND_IN, tmp_path, "alone"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        address = child.stdout.readline().decode().strip()
        with pytest.raises(Misconfigured) as refused:
            open_store(f"{address}lrs")
        child.terminate()

    assert str(refused.value) == (
        "LRS_STORE_URL: this MongoDB has no transactions; start it as a replica set (--replSet; one member will do)"
    )
