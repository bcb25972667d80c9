"""Checks a MongoDB server: it must be a replica set, not too old, and its clock must agree with ours.

Clocks are compared with this machine's own time, and not with the clock that a store is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from lrs.kernel.errors import Misconfigured
from lrs.storage.mongo.link import connect, reason_of

DURABLE = WriteConcern("majority", j=True)

OLDEST = "7.0"
_OLDEST_WIRE = 21
_APART = timedelta(seconds=5)
"""Leases, dates and the order are times of this machine that other machines read."""


@contextmanager
def using(url: str) -> Iterator[Database[dict[str, Any]]]:
    """The database at *url*.

    Closes its client if the block raises, and turns PyMongo's errors into ``Misconfigured``.
    """
    client, name = connect(url)
    try:
        check_server(client)
        yield client.get_database(
            name, write_concern=DURABLE, read_concern=ReadConcern("majority"), read_preference=ReadPreference.PRIMARY
        )
    except PyMongoError as error:
        client.close()
        raise Misconfigured(f"LRS_STORE_URL: MongoDB cannot be used: {reason_of(error)}") from error
    except BaseException:
        client.close()
        raise


def check_server(client: MongoClient[dict[str, Any]]) -> None:
    """Raises ``Misconfigured``, which says what to do, and PyMongo's errors if the server does not answer."""
    before = datetime.now(UTC)
    server = client.admin.command("hello")
    after = datetime.now(UTC)
    if "setName" not in server and server.get("msg") != "isdbgrid":
        raise Misconfigured(
            "LRS_STORE_URL: this MongoDB has no transactions; start it as a replica set (--replSet; one member will do)"
        )
    if server["maxWireVersion"] < _OLDEST_WIRE:
        version = client.admin.command("buildInfo")["version"]
        raise Misconfigured(f"LRS_STORE_URL: this MongoDB is {version}; use {OLDEST} or a later one")
    theirs = server["localTime"].replace(tzinfo=UTC)
    if theirs < before - _APART or theirs > after + _APART:
        raise Misconfigured(
            f"LRS_STORE_URL: MongoDB's clock says {_shown(theirs)} and this machine's {_shown(after)}: set both by a"
            " time server (NTP), then start again"
        )


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
