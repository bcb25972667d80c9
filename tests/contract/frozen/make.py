"""Writes the frozen stores of the present schema. Run once for each released schema; what it wrote never changes.

python -m tests.contract.frozen.make [mongodb://HOST/EMPTY_DATABASE]
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pymongo
from bson import json_util

from lrs.storage import Owed, Record, Store, open_store
from lrs.storage.mongo.schema import SCHEMA_VERSION as MONGO_VERSION
from lrs.storage.sqlite.schema import SCHEMA_VERSION as SQLITE_VERSION

HERE = Path(__file__).parent
CLOCK = 1_790_000_000_000_000
LONG = b'{"stored":"2026-09-21T14:13:20.000000Z","verb":{"id":"http://adlnet.gov/expapi/verbs/passed"}, "n": 1e2}'


def fill(store: Store) -> None:
    """Four records: one plain, one changed and owing, one whose entry is parked, one that is compressed."""
    store.write(lambda tx: tx.insert(Record("statement", "a", b'{"n": 0.10}', {"a.b": "\u00e6"}, (1, 2)))).result()
    store.write(lambda tx: tx.insert(Record("document", "b", b"old", {}, (2,)))).result()
    due = (Owed("evaluate", 7),)
    store.write(lambda tx: tx.replace(Record("document", "b", b"new", {}, (2, 3), owed=due, rev=1))).result()
    store.write(lambda tx: tx.insert(Record("delivery", "c", owed=(Owed("sync"),)))).result()
    (claim,) = store.claim(["sync"], limit=1, lease=1)
    store.defer(claim, due=9, error="400", parked=True)
    store.write(lambda tx: tx.insert(Record("statement", "d", LONG, seq=7))).result()


def of_sqlite() -> None:
    path = HERE / f"sqlite-{SQLITE_VERSION}.db"
    store = open_store(f"sqlite:///{path}", clock=lambda: CLOCK)
    fill(store)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("VACUUM")
    connection.close()
    for beside in ("horizon", "turn"):
        Path(f"{path}-{beside}").unlink()


def of_mongo(mongo_url: str) -> None:
    store = open_store(mongo_url, clock=lambda: CLOCK)
    fill(store)
    store.close()
    with pymongo.MongoClient(mongo_url) as client:
        database = client.get_default_database()
        names = [name for name in ("meta", "head", "record") if name in database.list_collection_names()]
        dump = {
            name: {"indexes": database[name].index_information(), "documents": list(database[name].find())}
            for name in names
        }
    (HERE / f"mongo-{MONGO_VERSION}.json").write_text(json_util.dumps(dump, indent=1) + "\n")


if __name__ == "__main__":
    of_sqlite()
    for url in sys.argv[1:]:
        of_mongo(url)
