"""A lease in ``meta`` for work on a whole database, so that one process at a time does it.

It runs out if that process dies. Its times are of the machines' wall clocks, which are within seconds of the server's.
Knows no schema.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

from lrs.kernel.errors import Misconfigured

_LEASE_S = 30.0
_WAIT_S = 40.0
"""Seconds; longer than a lease, so that a process waiting for a dead one gets its turn."""
_LOOK_S = 0.2


@contextmanager
def leased(leases: Collection[dict[str, Any]], name: str) -> Iterator[Callable[[], None]]:
    """Holds the lease *name* and renews it. Raises ``Misconfigured`` if another process holds it for long.

    Gives a function that raises ``Misconfigured`` if the lease ran out and another process took it, because this
    process stood still.
    """
    mine = {"_id": name, "by": secrets.token_hex(8)}
    until = time.monotonic() + _WAIT_S
    while not _take(leases, mine):
        if time.monotonic() > until:
            raise Misconfigured(
                f"another process is bringing the database {leases.database.name} to this program's schema: start again"
                " when it is done"
            )
        time.sleep(_LOOK_S)
    done = threading.Event()
    renewing = threading.Thread(target=_renew, args=(leases, mine, done), name="mongo-lease", daemon=True)
    renewing.start()

    def check() -> None:
        if leases.find_one(mine, {"_id": 1}) is None:
            raise Misconfigured(
                f"another process continues the migration of the database {leases.database.name}, because this one"
                " made no progress"
            )

    try:
        yield check
    finally:
        done.set()
        renewing.join()
        leases.delete_one(mine)


def is_leased(leases: Collection[dict[str, Any]], name: str) -> bool:
    """Whether a process holds the lease *name*."""
    return leases.find_one({"_id": name, "until": {"$gte": time.time()}}, {"_id": 1}) is not None


def _take(leases: Collection[dict[str, Any]], mine: dict[str, Any]) -> bool:
    now = time.time()
    ours = {"$set": {"by": mine["by"], "until": now + _LEASE_S}}
    try:
        leases.update_one({"_id": mine["_id"], "until": {"$lt": now}}, ours, upsert=True)
    except DuplicateKeyError:  # another process holds it, and it has not run out
        return False
    return True


def _renew(leases: Collection[dict[str, Any]], mine: dict[str, Any], done: threading.Event) -> None:
    while not done.wait(_LEASE_S / 4):
        with suppress(PyMongoError):  # who works meets the same server
            leases.update_one(mine, {"$set": {"until": time.time() + _LEASE_S}})
