"""The MongoDB schema and its forward migrations. Knows no record.

The ``meta`` document counts the migrations that ran. Each can be run again, so a kill during one does no harm. A
released step never changes: frozen dumps of every released version are opened in the tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from pymongo import ASCENDING
from pymongo.database import Database

from lrs.kernel.errors import Misconfigured, NewerSchema
from lrs.kernel.plain_text import counted
from lrs.storage.mongo.lease import is_leased, leased

Mongo = Database[dict[str, Any]]

HEAD = "head"
BY_ORDER, BY_KEY, BY_STEP, BY_ID = "by_order", "by_key", "by_step", "_id_"
"""Names of the indexes; the last is MongoDB's own. Queries name the index that they are made for."""


def _records(database: Mongo) -> None:
    """``_id`` is last in both orders, so that a walk can continue between records with one ``seq``."""
    order = [("seq", ASCENDING), ("_id", ASCENDING)]
    database.record.create_index([("kind", ASCENDING), *order], name=BY_ORDER)
    database.record.create_index([("kind", ASCENDING), ("keys", ASCENDING), *order], name=BY_KEY)
    database.record.create_index(
        [("owed.step", ASCENDING), ("due", ASCENDING)],
        name=BY_STEP,
        partialFilterExpression={"due": {"$exists": True}},
    )
    database.head.update_one({"_id": HEAD}, {"$setOnInsert": {"seq": 0, "epoch": 0}}, upsert=True)


MIGRATIONS: tuple[tuple[Callable[[Mongo], None], ...], ...] = ((_records,), ())
"""The second step changes nothing. It excludes programs from before root keys and keyed ids of identifiers, which would
give persons new ids.
"""
SCHEMA_VERSION = len(MIGRATIONS)
_STEP_S = 6 * 3_600
"""Timeout in seconds of one step: an index on millions of records takes long."""
AT_ONCE = 10_000
"""Records that are migrated while a store is opened, which takes seconds. More need the command ``lrs tenants
migrate``.
"""
TELL_EVERY_S = 10.0
Tell = Callable[[str], None]


def migrate(database: Mongo, tell: Tell | None = None) -> None:
    """Brings the database to this program's schema. One process does so; others wait for it.

    With *tell*, its caller is told the progress and waits as long as necessary. Without it, a large database is
    refused. Raises ``NewerSchema`` for a database of a later version, ``Misconfigured`` for one that is not ours, is
    too large, or is migrated by another process for long.
    """
    version = _version(database)
    if version == SCHEMA_VERSION:
        return
    if tell is None:
        _refuse_large(database, version)
    with leased(database.meta, "migration") as check:
        for version in range(_version(database), SCHEMA_VERSION):
            for number, step in enumerate(MIGRATIONS[version], 1):
                check()
                with pymongo.timeout(_STEP_S), _told(tell, f"step {number} of {len(MIGRATIONS[version])}", version + 1):
                    step(database)
            check()
            database.meta.update_one({"_id": "schema", "version": version}, {"$set": {"version": version + 1}})


def _refuse_large(database: Mongo, version: int) -> None:
    """Refuses a large database, because nobody who opens a store should wait for hours without a message."""
    count = database.record.estimated_document_count()
    if count <= AT_ONCE or not any(MIGRATIONS[version:]):
        return
    told = f"the database {database.name} has schema {version} and {counted(count, 'record')}"
    told += f", this program needs {SCHEMA_VERSION}"
    if is_leased(database.meta, "migration"):
        raise Misconfigured(f"{told}: another process is migrating it: start again when it is done")
    raise Misconfigured(f"{told}: run lrs tenants migrate, which can take long and says how far it is")


@contextmanager
def _told(tell: Tell | None, step: str, version: int) -> Iterator[None]:
    """Reports at the start, and then every ``TELL_EVERY_S`` seconds, that the *step* to *version* is running."""
    if tell is None:
        yield
        return
    done, began = threading.Event(), time.monotonic()

    def go_on_telling() -> None:
        while not done.wait(TELL_EVERY_S):
            tell(f"schema {version}, {step}, for {time.monotonic() - began:.0f} s so far")

    tell(f"schema {version}, {step}")
    telling = threading.Thread(target=go_on_telling, name="mongo-migration", daemon=True)
    telling.start()
    try:
        yield
    finally:
        done.set()
        telling.join()


def _version(database: Mongo) -> int:
    # The collections are listed first, because a new database gets `meta` before anything else.
    names = {name for name in database.list_collection_names() if not name.startswith("system.")} - {"meta"}
    found = database.meta.find_one({"_id": "schema"})
    if found is None and names:
        raise Misconfigured(
            f"the database {database.name} is another program's; name another one in LRS_STORE_URL: mongodb://HOST/DATABASE"
        )
    if found is None:
        database.meta.update_one({"_id": "schema"}, {"$setOnInsert": {"version": 0, "program": "engraft"}}, upsert=True)
        return 0
    version = int(found["version"])
    if version > SCHEMA_VERSION:
        raise NewerSchema(
            f"the database {database.name} has schema {version}, this program knows up to {SCHEMA_VERSION}: a newer"
            " version wrote it; start that version, or restore a backup made before the upgrade"
        )
    return version
