"""What a MongoDB server must be before it is used: a replica set, not too old, with a clock like ours. Knows no record.

Clocks are compared by this machine's own time, not by the one a store is given.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient

from lrs.kernel.errors import Misconfigured

OLDEST = "7.0"
_OLDEST_WIRE = 21
_APART = timedelta(seconds=5)
"""Leases, dates and the order are times of this machine, which other machines read."""


def check_server(client: MongoClient[dict[str, Any]]) -> None:
    """Raises ``Misconfigured`` with what to do about it, PyMongo's errors if the server does not answer."""
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
