"""Changes of stored documents, decided inside the writer. Knows no HTTP and no files."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from lrs.storage import NEWEST, Reader, Record, Tx, Walk
from lrs.storage.about import Whose, by_keys, shown_as
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.documents.concurrency import Conditions, check, check_put
from lrs.xapi.documents.content import INLINE, Content, small
from lrs.xapi.documents.merge import merge, refuse_other_types
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Address, agent_key
from lrs.xapi.request import JSON, too_large
from lrs.xapi.statements.identity import agent_of, identifier_of, ifi_text
from lrs.xapi.statements.own_view import agent_shown

AT_ONCE = 2_000
"""Documents that are removed in one commit. More are removed in several: one would hold the writer for too long."""
AT_ONCE_BYTES = 64 * 1024 * 1024
"""Bytes of their bodies, without those that are blobs. Documents of a megabyte are blobs, so there is always one."""
_FREED = 4_096
"""Bytes of a body that cost about as much to give back as a row to change."""


class TooLargeToMerge(Exception):
    """The merge is too large for the writer. Merge outside it, with *old*, and decide again."""

    def __init__(self, old: Record) -> None:
        super().__init__(old.id)
        self.old = old


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What a caller wants to do with the document at *address*, under *conditions*. *source* is the caller's.

    *merged* holds the results of merges made outside the writer, by the ETag of the document that they started from.
    """

    address: Address
    conditions: Conditions
    version: str
    content: Content
    source: str = ""
    limit: int = INLINE
    merged: Mapping[str, Content] = field(default_factory=dict)


def put(tx: Tx, change: DocumentChange) -> None:
    """Creates or replaces the document. Refuses as ``concurrency.check_put`` does."""
    old = tx.get(change.address.kind, change.address.id)
    check_put(change.conditions, _etag(old), change.version, profile=change.address.kind != STATE.kind)
    _keep(tx, old, change, change.content)


def post(tx: Tx, change: DocumentChange) -> None:
    """Creates the document, or merges into the existing one. Raises ``TooLargeToMerge``."""
    old = tx.get(change.address.kind, change.address.id)
    check(change.conditions, _etag(old), change.version)
    _keep(tx, old, change, change.content if old is None else _merged(old, change))


def delete(tx: Tx, address: Address, conditions: Conditions, version: str) -> None:
    """Removes the document if it exists."""
    old = tx.get(address.kind, address.id)
    check(conditions, _etag(old), version)
    if old is not None:
        tx.delete(old.kind, old.id)


def delete_all(tx: Tx, address: Address, until: int = NEWEST) -> int | None:
    """Removes every document of the context, or those that are ``AT_ONCE``, the longest unchanged first.

    Gives the *until* for the next call, which leaves alone what has been changed meanwhile; ``None`` if all are gone.
    """
    if until == NEWEST:
        last = tx.find(_context(address, until, newest_first=True, limit=1)).records
        until = last[0].seq if last else 0
    some, is_all = _first_of(tx, address, until)
    for record in some:
        tx.delete(record.kind, record.id)
    return None if is_all else until


def weight_of_deletion(reader: Reader, address: Address, until: int = NEWEST) -> int:
    """About how many rows ``delete_all`` will change at once, and pages of bodies that it will give back."""
    some, _ = _first_of(reader, address, until)
    return sum(1 + len(record.keys) + _size(record) // _FREED for record in some)


def _first_of(reader: Reader, address: Address, until: int) -> tuple[list[Record], bool]:
    page = reader.find(_context(address, until, limit=AT_ONCE))
    sizes = accumulate(map(_size, page.records))
    some = [record for record, size in zip(page.records, sizes, strict=True) if size <= AT_ONCE_BYTES]
    return some, page.next is None and len(some) == len(page.records)


def _context(address: Address, until: int, *, limit: int, newest_first: bool = False) -> Walk:
    """The documents of the context, without their bodies."""
    return Walk(address.kind, [address.context_key], until=until, newest_first=newest_first, limit=limit, bare=True)


def _size(record: Record) -> int:
    return 0 if "blob" in record.meta else int(record.meta["size"])


def _etag(old: Record | None) -> str | None:
    return None if old is None else str(old.meta["etag"])


def _merged(old: Record, change: DocumentChange) -> Content:
    refuse_other_types(old.meta["type"], change.content.type, change.version)
    ready = change.merged.get(old.meta["etag"])
    if ready is not None:
        return ready
    if old.meta["size"] + change.content.size > INLINE:
        raise TooLargeToMerge(old)
    text = merge(old.body, change.content.body, change.version)
    if len(text) > change.limit:
        raise too_large("merged document", change.limit)
    return small(JSON, text)


def _keep(tx: Tx, old: Record | None, change: DocumentChange, content: Content) -> None:
    address = change.address
    record = Record(
        address.kind,
        address.id,
        b"" if content.blob else content.body,
        _meta(change, content),
        address.keys,
        rev=old.rev if old else 0,
    )
    tx.put(record)


def _meta(change: DocumentChange, content: Content) -> dict[str, Any]:
    address = change.address
    meta = {
        "type": content.type,
        "etag": content.etag,
        "size": content.size,
        "document": address.document,
        "activity": address.activity,
        "agent": address.agent,
        "registration": address.registration,
        "blob": content.blob,
        "source": change.source,
    }
    return {name: value for name, value in meta.items() if value != ""}


def _agent(record: Record) -> Subjects:
    found = identifier_of(agent_of(record.meta["agent"]))
    return subjects(identifiers=[found.id] if found else ())


def _blob(record: Record) -> list[str]:
    return [record.meta["blob"]] if "blob" in record.meta else []


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The document; its content as text if it is some, else in base64. A large one is named and not contained."""
    meta = record.meta
    told: dict[str, Any] = {"content": None}
    if "blob" not in meta:
        try:
            told = {"content": record.body.decode()}
        except UnicodeDecodeError:
            told = {"content": b64encode(record.body).decode(), "encoding": "base64"}
    about = {name: meta[name] for name in ("document", "activity", "registration", "type", "size") if name in meta}
    return shown_as(record, {**about, "agent": agent_shown(agent_of(meta["agent"]), whose), **told})


def _of_agent(kind: str) -> Kind:
    def keys(whose: Whose) -> Iterable[int]:
        return (agent_key(kind, text) for agent in whose.agents if (text := ifi_text(agent)))

    return Kind(
        kind,
        "fact",
        subjects=_agent,
        blobs=_blob,
        retention="document",
        exported=True,
        find=by_keys(kind, keys),
        shown=_shown,
    )


KINDS = (
    _of_agent(STATE.kind),
    Kind(ACTIVITY_PROFILE.kind, "fact", subjects=None, blobs=_blob, retention="document", exported=True),
    _of_agent(AGENT_PROFILE.kind),
)
"""A document is about the agent that it is kept under. Its content is not looked into."""
