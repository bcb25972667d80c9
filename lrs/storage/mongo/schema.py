"""The MongoDB schema and its forward migrations. Knows no record.

The ``meta`` document counts the migrations that ran. Each can be run again, so a kill in the middle of one is harmless.
A step never changes once released: frozen dumps of every released version are opened in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymongo
from pymongo import ASCENDING
from pymongo.database import Database

from lrs.kernel.errors import Misconfigured, NewerSchema
from lrs.storage.mongo.lease import leased

Mongo = Database[dict[str, Any]]

HEAD = "head"
BY_ORDER, BY_KEY, BY_STEP, BY_ID = "by_order", "by_key", "by_step", "_id_"
"""Names of the indexes, the last one MongoDB's own; queries name the one they are meant for."""


def _records(database: Mongo) -> None:
    """``_id`` closes the two orders, so that a walk can go on between records of one ``seq``."""
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
"""The second keeps out programs before root keys and made-up ids of persons: they would give persons new ids again."""
SCHEMA_VERSION = len(MIGRATIONS)
_STEP_S = 6 * 3_600
"""Seconds for one step: an index over millions of records takes its time."""


def migrate(database: Mongo) -> None:
    """Brings the database to this program's schema; of several processes one does so, and the others wait for it.

    Raises ``NewerSchema`` for a database of a later version, ``Misconfigured`` for one that is not ours or that another
    process works on for long.
    """
    if _version(database) == SCHEMA_VERSION:
        return
    with leased(database.meta, "migration"):
        for version in range(_version(database), SCHEMA_VERSION):
            for step in MIGRATIONS[version]:
                with pymongo.timeout(_STEP_S):
                    step(database)
            database.meta.update_one({"_id": "schema", "version": version}, {"$set": {"version": version + 1}})


def _version(database: Mongo) -> int:
    # The collections are listed first: whoever makes a new database writes `meta` before anything else.
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
