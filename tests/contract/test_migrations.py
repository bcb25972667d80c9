"""Schemas go forward, also when killed midway; a newer one is refused with a clear text; each released one is frozen.

The folder ``frozen`` holds one store of each released schema, as ``frozen/make.py`` of that release wrote it.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bson import json_util

from lrs.kernel.errors import Misconfigured, NewerSchema
from lrs.storage import Backlog, Owed, Record, Walk, first_seq, open_store, open_to_read
from lrs.storage.mongo import schema as mongo_schema
from lrs.storage.sqlite import schema as sqlite_schema
from lrs.storage.versions import found_and_known
from tests.contract.acts import WAIT, ids, insert

FROZEN = Path(__file__).parent / "frozen"
FROZEN_CLOCK = 1_790_000_000_000_000
ROOT = Path(__file__).parents[2]

_DYING = """
import os, signal, sqlite3, sys
from lrs.storage.sqlite import schema as sqlite_schema

class Dying:
    def __init__(self, path, lives):
        self.connection, self.lives = sqlite3.connect(path, isolation_level=None), lives
        self.connection.execute("PRAGMA journal_mode = WAL")
    def execute(self, *asked):
        if not self.lives:
            os.kill(os.getpid(), signal.SIGKILL)
        self.lives -= 1
        return self.connection.execute(*asked)
    @property
    def in_transaction(self):
        return self.connection.in_transaction

path, lives, made_up = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
if made_up:
    sqlite_schema.MIGRATIONS = (*sqlite_schema.MIGRATIONS, tuple(made_up))
    sqlite_schema.SCHEMA_VERSION += 1
sqlite_schema.migrate(Dying(path, lives), path)
"""
_MADE_UP = ("ALTER TABLE record ADD COLUMN extra TEXT", "UPDATE record SET extra = 'x'", "CREATE TABLE more (a)")


def killed(path, lives, *made_up):
    """Migrates in a child that is killed before its statement number *lives*; whether it was."""
    command = [sys.executable, "-c", _DYING, str(path), str(lives), *made_up]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == -9


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


def test_a_sqlite_file_of_schema_1_is_read_as_it_is_and_goes_to_schema_2_only_when_it_is_opened(tmp_path):
    path = tmp_path / "lrs.db"
    shutil.copy(FROZEN / "sqlite-1.db", path)

    read = open_to_read(f"sqlite:///{path}", clock=lambda: 0)
    body = read.get("document", "b").body
    read.close()
    version_read = found_and_known(f"sqlite:///{path}")
    open_store(f"sqlite:///{path}", clock=lambda: 0).close()

    assert body == b"new"
    assert version_read == (1, 2)
    assert found_and_known(f"sqlite:///{path}") == (2, 2)


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
def test_a_sqlite_file_killed_midway_in_a_migration_is_at_the_old_schema_or_at_the_new(tmp_path, lives):
    path = tmp_path / "lrs.db"
    store = open_store(f"sqlite:///{path}")
    insert(store, "a", body=b"kept")
    store.close()

    died = killed(path, lives, *_MADE_UP)
    killed(path, 1_000, *_MADE_UP)

    assert died
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (sqlite_schema.SCHEMA_VERSION + 1,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT id, body, extra FROM record").fetchall() == [("a", b"kept", "x")]
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
    script = (
        "import sys; from secantus import SecantusDBServer\n"
        "with SecantusDBServer(storage_path=sys.argv[1], replica_set_name=None) as server:\n"
        "    print(server.uri, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        address = child.stdout.readline().decode().strip()
        with pytest.raises(Misconfigured) as refused:
            open_store(f"{address}lrs")
        child.terminate()

    assert str(refused.value) == (
        "LRS_STORE_URL: this MongoDB has no transactions; start it as a replica set (--replSet; one member will do)"
    )
