"""A large MongoDB database is migrated by who says how far it is, by one process, and again after a kill.

What the stand-in cannot show: how long an index over millions of records takes, and what a server does with the
building of one whose client is gone.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lrs.kernel.errors import Misconfigured
from lrs.storage import open_store
from lrs.storage.mongo import schema
from lrs.storage.opening import migrate_store
from lrs.storage.versions import found_and_known
from tests.contract.acts import WAIT, insert

ROOT = Path(__file__).parents[2]
_MIGRATING = """
import os, signal, sys, time
from lrs.storage.mongo import lease, schema
from lrs.storage.opening import migrate_store

lease._LEASE_S, how = 1.0, sys.argv[2]

def step(database):
    database.runs.insert_one({})
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(float(how))

schema.MIGRATIONS = (*schema.MIGRATIONS, (step,))
schema.SCHEMA_VERSION += 1
migrate_store(sys.argv[1], print)
"""


@pytest.fixture
def large(mongo_url, monkeypatch):
    """A database with more records than are migrated at once, of the schema before ``made_up`` was called."""
    monkeypatch.setattr(schema, "AT_ONCE", 2)
    store = open_store(mongo_url)
    for number in range(3):
        insert(store, str(number))
    store.close()
    return mongo_url


@pytest.fixture
def database(large, mongo_client):
    return mongo_client.get_database(large.rpartition("/")[2])


@pytest.fixture
def made_up(monkeypatch):
    """Adds a schema of these steps to those that the program knows."""

    def add(*steps):
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, steps))
        monkeypatch.setattr(schema, "SCHEMA_VERSION", len(schema.MIGRATIONS))

    return add


def migrating(url, how):
    command = [sys.executable, "-c", _MIGRATING, url, how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_large_database_is_not_opened_until_it_was_migrated_and_says_what_to_do(large, database, made_up):
    made_up(lambda database: database.record.create_index([("rev", 1)], name="made_up"))
    lines = []

    with pytest.raises(Misconfigured) as refused:
        open_store(large)
    indexes = set(database.record.index_information())
    migrate_store(large, lines.append)
    open_store(large).close()

    assert str(refused.value) == (
        f"the database {database.name} has schema 2 and 3 records, this program needs 3: run lrs tenants migrate,"
        " which can take long and says how far it is"
    )
    assert "made_up" not in indexes
    assert "made_up" in database.record.index_information()
    assert lines == ["schema 3, step 1 of 1"]
    assert found_and_known(large) == (3, 3)


def test_a_large_database_is_opened_if_there_is_nothing_to_do_but_to_count(large, made_up):
    made_up()

    open_store(large).close()

    assert found_and_known(large) == (3, 3)


def test_a_database_of_few_records_is_migrated_when_it_is_opened(large, monkeypatch, made_up):
    monkeypatch.setattr(schema, "AT_ONCE", 3)
    made_up(lambda database: database.record.create_index([("rev", 1)], name="made_up"))

    open_store(large).close()

    assert found_and_known(large) == (3, 3)


def test_whoever_opens_a_large_database_meanwhile_is_told_at_once_that_it_is_under_way(large, database, made_up):
    made_up(lambda _: None)
    database.meta.insert_one({"_id": "migration", "by": "another", "until": time.time() + 3_600})

    with pytest.raises(Misconfigured, match="another process is migrating it: start again when it is done"):
        open_store(large)


def test_a_step_that_takes_long_says_so_again_and_again(large, monkeypatch, made_up):
    monkeypatch.setattr(schema, "TELL_EVERY_S", 0.01)
    lines = []

    def step(_):
        until = time.monotonic() + WAIT
        while len(lines) < 3 and time.monotonic() < until:
            time.sleep(0.01)

    made_up(step)
    migrate_store(large, lines.append)

    assert lines[:3] == ["schema 3, step 1 of 1", *["schema 3, step 1 of 1, for 0 s so far"] * 2]


def test_of_two_processes_one_migrates_and_the_other_waits_for_it(large, database):
    both = [migrating(large, "1.5") for _ in range(2)]

    told = [child.communicate(timeout=2 * WAIT)[0] for child in both]

    assert [child.returncode for child in both] == [0, 0]
    assert sorted(told) == ["", "schema 3, step 1 of 1\n"]
    assert database.runs.count_documents({}) == 1
    assert database.meta.find_one({"_id": "schema"})["version"] == 3


def test_a_migration_that_was_killed_midway_is_done_by_whoever_comes_next(large, database):
    with migrating(large, "dies") as dying:
        assert dying.wait(WAIT) == -9
    assert database.meta.find_one({"_id": "schema"})["version"] == 2

    with migrating(large, "0") as next_one:
        assert next_one.wait(2 * WAIT) == 0

    assert database.runs.count_documents({}) == 2
    assert database.meta.find_one({"_id": "schema"})["version"] == 3
    assert [one["_id"] for one in database.meta.find()] == ["schema"]


def test_a_process_that_stood_still_and_lost_its_lease_leaves_the_rest_to_the_other(large, database, made_up):
    def stand_still(database):
        database.meta.update_one({"_id": "migration"}, {"$set": {"by": "another", "until": time.time() + 3_600}})

    made_up(stand_still)

    with pytest.raises(Misconfigured, match=r"another process continues the migration of the database"):
        migrate_store(large, lambda _: None)

    assert database.meta.find_one({"_id": "schema"})["version"] == 2
    assert database.meta.find_one({"_id": "migration"})["by"] == "another"
