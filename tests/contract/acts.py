"""Short words for what every contract test does."""

from __future__ import annotations

from collections.abc import Sequence

from lrs.storage import Owed, Record, Store, Walk, walked

WAIT = 20
SECOND = 1_000_000
MINUTE = 60 * SECOND


def insert(store: Store, id: str, **parts) -> Record:
    """Inserts one record of the kind ``thing`` and gives it as it is stored."""
    return store.write(lambda tx: tx.insert(Record("thing", id, **parts))).result(WAIT)


def owing(store: Store, id: str, *steps: str, due: int = 0) -> Record:
    """Inserts a record that owes *steps* from *due* on."""
    return insert(store, id, owed=tuple(Owed(step, due) for step in steps))


def walk(store: Store, keys: Sequence[int] = (), *, limit: int = 3, kind: str = "thing", **more) -> list[Record]:
    """Every record of a walk, page by page."""
    return list(walked(store, Walk(kind, keys, limit=limit, **more)))


def ids(records: Sequence[Record]) -> list[str]:
    return [record.id for record in records]


def claim(store, *steps, limit=10, lease=MINUTE, **more):
    return store.claim(steps, limit=limit, lease=lease, **more)


def only(claims):
    (one,) = claims
    return one


def names(claims):
    return sorted((each.record.id, each.owed.step) for each in claims)


def nothing(_tx):
    return None


def owe(store, id, step, due=0):
    return store.write(lambda tx: tx.owe("thing", id, Owed(step, due))).result(WAIT)
