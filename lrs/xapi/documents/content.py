"""The bytes of a document on their way in and out: small ones beside the record, large ones as blobs.

Knows no concurrency and no parameters.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha1
from typing import IO

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import parse
from lrs.storage import Record, Store
from lrs.storage.edge import read
from lrs.xapi.documents.merge import media_type, merge
from lrs.xapi.request import JSON, Request, too_large

INLINE = 256 * 1024
"""Larger contents are blobs: 16 MiB and its envelope do not fit into one BSON document (architecture.md 2)."""

_ON_THE_LOOP = 64 * 1024
_PIECE = 64 * 1024
_DEFAULT_TYPE = "application/octet-stream"
_LONGEST_TYPE = 1_024
WHAT = "document"


@dataclass(frozen=True, slots=True)
class Content:
    """What a document is: its content type as sent, SHA-1 in hex, size in bytes, and the bytes.

    *blob* names where the bytes are kept if they are too large for the record. JSON is also in *body* then: it has to
    be whole to be checked and merged.
    """

    type: str
    etag: str
    size: int
    body: bytes = b""
    blob: str = ""


async def receive(request: Request) -> Content:
    """The request's body: checked (400) if it says that it is JSON, a blob if it is large, 413 over the limit."""
    content_type = _content_type(request)
    settings = request.tenant.settings
    if media_type(content_type) != JSON:
        chunks = request.chunks(settings.max_document, WHAT)
        return await _receive_any(request.tenant.store, content_type, chunks)
    body = await request.body(settings.max_document, WHAT)
    check = partial(parse, body, max_depth=settings.max_depth)
    if len(body) <= _ON_THE_LOOP:
        check()
    else:
        await read(check)
    return await _kept(request.tenant.store, content_type, body)


async def _receive_any(store: Store, content_type: str, chunks: AsyncIterator[bytes]) -> Content:
    """A large body goes to a draft as it arrives, and no thread waits for the caller meanwhile."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > INLINE:
            break
    else:
        return small(content_type, b"".join(parts))
    with tempfile.TemporaryFile() as draft:
        digest = sha1(b"".join(parts), usedforsecurity=False)
        await read(draft.writelines, parts)
        async for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            await read(draft.write, chunk)
        draft.seek(0)
        blob = await read(store.blobs.put, _pieces(draft))
    return Content(content_type, digest.hexdigest(), size, blob=blob)


async def _kept(store: Store, content_type: str, body: bytes) -> Content:
    return small(content_type, body) if len(body) <= INLINE else await read(keep, store, content_type, body)


def small(content_type: str, body: bytes) -> Content:
    """A content that fits into its record."""
    return Content(content_type, sha1(body, usedforsecurity=False).hexdigest(), len(body), body)


def keep(store: Store, content_type: str, body: bytes) -> Content:
    """A content of any size; a large one is a blob, durable on return."""
    if len(body) <= INLINE:
        return small(content_type, body)
    blob = store.blobs.put(body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
    return Content(content_type, sha1(body, usedforsecurity=False).hexdigest(), len(body), body, blob)


def merged(store: Store, old: Record, new: Content, limit: int, version: str) -> Content:
    """*new* merged into the document *old*, of any size. Refuses more than *limit* bytes with 413."""
    text = merge(b"".join(stored_bytes(store, old)), new.body, version)
    if len(text) > limit:
        raise too_large("merged document", limit)
    return keep(store, JSON, text)


def stored_bytes(store: Store, record: Record) -> Iterable[bytes]:
    """The content of a stored document, in pieces."""
    blob = record.meta.get("blob")
    return store.blobs.open(blob) if blob else (record.body,)


def _content_type(request: Request) -> str:
    """As sent; it goes back as a header, so it must be able to stand in one."""
    content_type = request.headers.get("content-type", "").strip() or _DEFAULT_TYPE
    if len(content_type) > _LONGEST_TYPE or not (content_type.isascii() and content_type.isprintable()):
        raise Refused("the Content-Type of the document is not one line of at most 1024 ASCII characters")
    return content_type


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
