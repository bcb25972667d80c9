"""The connection to a MongoDB server: the address, the client, and the meaning of its errors. Knows no record.

Every wait for the server has a limit: ``socketTimeoutMS``, unless the address sets its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from lrs.kernel.admission import DATABASE, Overloaded
from lrs.kernel.errors import Misconfigured, StoreFull

TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
_TIMEOUT_MS = 20_000
"""Timeout of one command in milliseconds."""
_DISK_FULL = 14031  # OutOfDiskSpace


def connect(url: str) -> tuple[MongoClient[dict[str, Any]], str]:
    """The client, which connects when it is first used, and the name of the database in *url*."""
    try:
        parsed = parse_uri(url)
        # Settings in the address come first. Our default reports a server that is away within seconds, instead of 30.
        # Not `timeoutMS`: with it PyMongo asks a dead server repeatedly until the time is over. The address may set it.
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
    """Drops the database in *url* if it exists. Raises ``Misconfigured`` if the server does not do it."""
    client, name = connect(url)
    with client:
        try:
            client.drop_database(name)
        except PyMongoError as error:
            raise Misconfigured(f"LRS_STORE_URL: MongoDB does not drop {name}: {reason_of(error)}") from error


@contextmanager
def answering() -> Iterator[None]:
    """Turns a server that is away, or too slow, into ``Overloaded``: the caller may try again later."""
    try:
        yield
    except PyMongoError as error:
        if not _is_away(error):
            raise
        raise Overloaded(DATABASE) from error


def reason_of(error: PyMongoError) -> str:
    """*error* in words for an operator, without the timeouts and the topology that PyMongo appends."""
    return str(error).partition(" (configured timeouts:")[0].partition(", Timeout: ")[0]


def passes(error: PyMongoError) -> bool:
    """Whether the group may be run again at once. If the server was away or hung, it was already waited for."""
    return error.has_error_label(TRANSIENT) and not error.timeout


def is_full(error: PyMongoError) -> bool:
    """Whether the server's disk is full."""
    return getattr(error, "code", None) == _DISK_FULL


def failure_of(error: PyMongoError) -> Exception:
    """The exception for the caller; the error itself if it has nothing to do with the server's state."""
    if is_full(error):
        return StoreFull("the database is full: nothing of this request was stored")
    if _is_away(error) or error.has_error_label(TRANSIENT):
        return Overloaded(DATABASE)
    return error


def _is_away(error: PyMongoError) -> bool:
    return isinstance(error, ConnectionFailure) or error.timeout
