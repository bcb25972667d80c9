"""A MongoDB for tests, SecantusDB, as a process of its own: prints its address and ends with its standard input.

It spends what tests need and no more. It keeps no journal, since nothing of it is read after its end, and no oplog,
since the product watches no changes. Results of WiredTiger's Python functions for keys are remembered: each command
packs the same few names of databases, collections and indexes some ten times. What is too old is looked for once a
second: SecantusDB does so in each command among all sessions there ever were, and tests make thousands.
"""

from __future__ import annotations

import functools
import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import wiredtiger.swig_wiredtiger as wiredtiger
from secantus import SecantusDBServer
from secantus.storage import Storage

Document = dict[str, Any]
KEPT = 20_000
LONGEST = 1_000
"""Bytes of what is remembered: keys are short, and bodies of documents come only once."""

_pack = functools.lru_cache(KEPT, typed=True)(wiredtiger.pack)
_unpack = functools.lru_cache(KEPT)(wiredtiger.unpack)


def pack(form: str, *values: str | bytes | int) -> bytes:
    """As WiredTiger's own, whose result depends on nothing else."""
    given = values[0] if form == "u" else None
    return given if isinstance(given, bytes) else _pack(form, *values)


def unpack(form: str, packed: bytes) -> list[str | bytes | int]:
    """As WiredTiger's own. Who asks may change the list."""
    if form == "u" and packed is not None:
        return [packed]
    found = _unpack if packed is not None and len(packed) <= LONGEST else _unpack.__wrapped__
    return list(found(form, packed))


def once_a_second(look: Callable[[], object]) -> Callable[[], object]:
    """*look*, which is passed over if it was done within the last second."""
    done = float("-inf")

    def looking() -> object:
        nonlocal done
        if time.monotonic() < done + 1:
            return 0
        done = time.monotonic()
        return look()

    return looking


def sorted_last(find: Callable[..., list[Document]]) -> Callable[..., list[Document]]:
    """*find* of the storage, which sorts all documents into the order of an index that a query names, and then filters.

    Instead, what the filter leaves is sorted; of ``_id_`` it is found by its names.
    """

    @functools.wraps(find)
    def finding(
        storage: Any,
        database: str,
        collection: str,
        filter: Document | None = None,
        *,
        hint: str | Document | None = None,
        sort: Document | None = None,
        **more: Any,
    ) -> list[Document]:
        name = None if hint is None else storage._resolve_hint(database, collection, hint)  # noqa: SLF001 (as it does)
        if name is None or name.startswith("$"):
            return find(storage, database, collection, filter, hint=hint, sort=sort, **more)
        if name == "_id_":
            return find(storage, database, collection, filter, sort=sort or {"_id": 1}, **more)
        named = storage._index_options_map(database, collection).get(name, {})  # noqa: SLF001 (as above)
        where = {**named.get("partialFilterExpression", {}), **(filter or {})}
        order = sort or storage._key_spec_for(database, collection, name)  # noqa: SLF001 (as above)
        return find(storage, database, collection, where, hint={"$natural": 1}, sort=order, **more)

    return finding


def main(folder: str, alone: str = "") -> None:
    """Serves until standard input ends: as the one member of a replica set, or *alone*, which has no transactions."""
    wiredtiger.pack, wiredtiger.unpack = pack, unpack
    Storage.find_matching = sorted_last(Storage.find_matching)
    with SecantusDBServer(storage_path=folder, replica_set_name=None if alone else "secantus", durable=False) as server:
        server.storage.enable_oplog = False
        for registry, name in (
            (server.sessions, "_prune_locked"),
            (server.transactions, "_prune_locked"),
            (server.transactions, "_prune_retryable_locked"),
        ):
            setattr(registry, name, once_a_second(getattr(registry, name)))
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        sys.stdout.write(f"{server.uri}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
