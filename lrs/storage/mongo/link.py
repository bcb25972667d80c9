"""The way to a MongoDB server: the address, the client, and what its errors mean to a caller. Knows no record.

No wait for it is without a limit: ``socketTimeoutMS``, unless the address brings a limit of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from lrs.kernel.errors import Misconfigured, Overloaded, StoreFull

TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
_TIMEOUT_MS = 20_000
"""Milliseconds that the answer to one command may take."""
_DISK_FULL = 14031  # OutOfDiskSpace


def connect(url: str) -> tuple[MongoClient[dict[str, Any]], str]:
    """The client, which connects when it is first used, and the name of the database in *url*."""
    try:
        parsed = parse_uri(url)
        # Users' settings in the address come first; a server that is away is told of in seconds, not in 30.
        # Not `timeoutMS`: with that, PyMongo asks a dead server again and again until it is over. A user's goes before.
        ours = {"serverSelectionTimeoutMS": 5_000, "socketTimeoutMS": _TIMEOUT_MS, "appname": "engraft"}
        options: dict[str, Any] = {name: value for name, value in ours.items() if name not in parsed["options"]}
        client: MongoClient[dict[str, Any]] = MongoClient(url, **options)
    except (PyMongoError, ValueError) as error:
        raise Misconfigured(f"LRS_STORE_URL: {error}") from error
    if not parsed["database"]:
        client.close()
        raise Misconfigured("LRS_STORE_URL names no database; use mongodb://HOST/DATABASE")
    return client, parsed["database"]


def drop_database(url: str) -> None:
    """Drops the database in *url*, if it is there. Raises ``Misconfigured`` if the server does not do it."""
    client, name = connect(url)
    with client:
        try:
            client.drop_database(name)
        except PyMongoError as error:
            raise Misconfigured(f"LRS_STORE_URL: MongoDB does not drop {name}: {reason_of(error)}") from error


@contextmanager
def answering() -> Iterator[None]:
    """Turns a server that is away, or does not answer in time, into ``Overloaded``: the caller may ask again later."""
    try:
        yield
    except PyMongoError as error:
        if not _is_away(error):
            raise
        raise Overloaded(retry_after=5) from error


def reason_of(error: PyMongoError) -> str:
    """What an operator is told of *error*: without the timeouts and the topology that PyMongo puts behind it."""
    return str(error).partition(" (configured timeouts:")[0].partition(", Timeout: ")[0]


def passes(error: PyMongoError) -> bool:
    """Whether the group may be run again at once; a server that is away or hangs was waited for already."""
    return error.has_error_label(TRANSIENT) and not error.timeout


def is_full(error: PyMongoError) -> bool:
    """Whether the server's disk is full."""
    return getattr(error, "code", None) == _DISK_FULL


def failure_of(error: PyMongoError) -> Exception:
    """What a caller is told; the error itself if it is no matter of the server's state."""
    if is_full(error):
        return StoreFull("the database is full: nothing of this request was stored")
    if _is_away(error) or error.has_error_label(TRANSIENT):
        return Overloaded(retry_after=5)
    return error


def _is_away(error: PyMongoError) -> bool:
    return isinstance(error, ConnectionFailure) or error.timeout
