"""Search keys that a statement gets from statements it refers to. Pure.

A statement whose object is a reference is found by whatever finds its target (xAPI 1.0.3 Communication 2.1.3, "Filter
Conditions for StatementRefs"), and so on along the chain. Each key is a row to be written, so chains are bounded: at
most ``MOST_STEPS`` statements are followed, and the first ``MOST_INHERITED`` different keys of theirs are inherited,
the nearest statement's first. So inherited keys depend on the chain alone and not on the order of arrival. A filter
that only a key beyond the limit would meet does not find the referring statement.

A caller that is held to its own source may not read the statements of others, and must not find out by a filter what
they say. So a key that is inherited through a statement of another source is marked, and the query of such a caller
asks for statements without that mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lrs.kernel.keys import pair
from lrs.storage import Record
from lrs.xapi.statements.keys import keys_of, refers_key, source_key

MOST_INHERITED = 32
"""Keys inherited by one statement: all of a plain statement (17), most of one with a large context."""
MOST_STEPS = 8
"""References that are followed from one statement."""
_FAR = 0x2F0A7
_decode = msgspec.json.Decoder().decode


class ChainedStatement(msgspec.Struct, frozen=True):
    """One statement of a chain: its source, its own search keys, and the statement it refers to."""

    id: str
    source: str
    own: tuple[int, ...]
    refers: str | None


def mark(key: int) -> int:
    """The key that says: the statement has *key* only through a statement of another source."""
    return pair(key, _FAR)


def link_of(record: Record) -> ChainedStatement:
    """The stored statement as part of a chain."""
    return ChainedStatement(record.id, record.meta["source"], own_keys(record), record.meta.get("refers"))


def own_keys(record: Record) -> tuple[int, ...]:
    """The own search keys of a stored statement; of a voided one, those it had before (``held``)."""
    held = record.meta.get("held", record.keys)
    if "refers" not in record.meta:
        source = source_key(record.meta["source"])
        return tuple(key for key in held if key != source)
    own = record.meta.get("own")
    return tuple(held[:own]) if own is not None else keys_of(_decode(record.body))


def links(first: ChainedStatement, find: Callable[[str], ChainedStatement | None]) -> Iterator[ChainedStatement]:
    """The statements that *first* refers to, the nearest first. A circle ends where it began."""
    seen = {first.id}
    current = first
    while current.refers and current.refers not in seen and len(seen) <= MOST_STEPS:
        found = find(current.refers)
        if found is None:
            return
        seen.add(found.id)
        yield found
        current = found


def keys_along(first: ChainedStatement, find: Callable[[str], ChainedStatement | None]) -> tuple[int, ...]:
    """All keys of a statement that refers to another: its own, then those inherited, then their marks."""
    kept = (*first.own, source_key(first.source), refers_key(first.refers or ""))
    mine = frozenset(kept)
    new = {key: near for key, near in _inherited(first, find).items() if key not in mine}
    return (*kept, *new, *(mark(key) for key, near in new.items() if not near))


def _inherited(first: ChainedStatement, find: Callable[[str], ChainedStatement | None]) -> dict[int, bool]:
    """The keys along the chain, and whether each is inherited through statements of the source of *first* only."""
    found: dict[int, bool] = {}
    near = True
    for link in links(first, find):
        near = near and link.source == first.source
        for key in link.own:
            found.setdefault(key, near)
            if len(found) == MOST_INHERITED:
                return found
    return found


def with_keys(record: Record, keys: tuple[int, ...]) -> Record:
    """*record*, a statement that refers to another, with these keys. A voided one keeps them for later."""
    own: dict[str, Any] = {"own": len(own_keys(record))}
    if "held" in record.meta:
        return msgspec.structs.replace(record, meta={**record.meta, **own, "held": list(keys)})
    return msgspec.structs.replace(record, meta={**record.meta, **own}, keys=keys)
