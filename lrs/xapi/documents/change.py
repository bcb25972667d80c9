"""What happens to stored documents: every decision, made inside the writer. Knows no HTTP and no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lrs.storage import Record, Tx
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.documents.concurrency import Conditions, check, check_put
from lrs.xapi.documents.content import INLINE, Content, small
from lrs.xapi.documents.merge import merge, refuse_other_types
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Address
from lrs.xapi.request import JSON, too_large
from lrs.xapi.statements.identity import agent_of, identifier_of

PAGE = 64
"""Records come with their bodies: 64 of them are at most 16 MiB."""


class TooLargeToMerge(Exception):
    """The merge is no work for the writer: do it outside, against *old*, and decide again."""

    def __init__(self, old: Record) -> None:
        super().__init__(old.id)
        self.old = old


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants done to the document at *address*, under *conditions*; *source* is who it is.

    *merged* holds what merges done outside the writer came to, by the ETag of the document they started from.
    """

    address: Address
    conditions: Conditions
    version: str
    content: Content
    source: str = ""
    limit: int = INLINE
    merged: Mapping[str, Content] = field(default_factory=dict)


def put(tx: Tx, change: Change) -> None:
    """Creates or replaces the document. Refuses as ``concurrency.check_put`` says."""
    old = tx.get(change.address.kind, change.address.id)
    check_put(change.conditions, _etag(old), change.version, profile=change.address.kind != STATE.kind)
    _keep(tx, old, change, change.content)


def post(tx: Tx, change: Change) -> None:
    """Creates the document, or merges into the one that is there. Raises ``TooLargeToMerge``."""
    old = tx.get(change.address.kind, change.address.id)
    check(change.conditions, _etag(old), change.version)
    _keep(tx, old, change, change.content if old is None else _merged(old, change))


def delete(tx: Tx, address: Address, conditions: Conditions, version: str) -> None:
    """Removes the document if it is there."""
    old = tx.get(address.kind, address.id)
    check(conditions, _etag(old), version)
    if old is not None:
        tx.delete(old.kind, old.id)


def delete_all(tx: Tx, address: Address) -> int:
    """Removes every document of the context; how many."""
    ids: list[str] = []
    start: str | None = None
    while True:
        page = tx.find(address.kind, [address.context_key], limit=PAGE, start=start)
        ids.extend(record.id for record in page.records)
        start = page.next
        if start is None:
            break
    for id in ids:
        tx.delete(address.kind, id)
    return len(ids)


def _etag(old: Record | None) -> str | None:
    return None if old is None else str(old.meta["etag"])


def _merged(old: Record, change: Change) -> Content:
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


def _keep(tx: Tx, old: Record | None, change: Change, content: Content) -> None:
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


def _meta(change: Change, content: Content) -> dict[str, Any]:
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


KINDS = (
    Kind(STATE.kind, "fact", subjects=_agent, blobs=_blob, retention="document", exported=True),
    Kind(ACTIVITY_PROFILE.kind, "fact", subjects=None, blobs=_blob, retention="document", exported=True),
    Kind(AGENT_PROFILE.kind, "fact", subjects=_agent, blobs=_blob, retention="document", exported=True),
)
"""What a document says is its sender's affair and is not looked into: it is about the agent that it is kept under."""
