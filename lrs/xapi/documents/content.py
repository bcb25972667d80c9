"""The bytes of a document, received and stored: small ones in the record, large ones as blobs.

Knows no concurrency and no parameters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial
from hashlib import sha1

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import parse
from lrs.storage import Record, Store
from lrs.storage.edge import read
from lrs.storage.edge import receive as receive_blob
from lrs.xapi.documents.merge import media_type, merge
from lrs.xapi.request import JSON, Request, too_large

INLINE = 256 * 1024
"""Bytes. Larger contents are blobs: 16 MiB and the record's other fields do not fit into one BSON document."""

_ON_THE_LOOP = 64 * 1024
_PIECE = 64 * 1024
_DEFAULT_TYPE = "application/octet-stream"
_LONGEST_TYPE = 1_024
WHAT = "document"


class Content(msgspec.Struct, frozen=True):
    """The content of a document: its content type as sent, SHA-1 in hex, size in bytes, and the bytes.

    *blob* names the blob if the bytes are too large for the record. JSON is then also in *body*, because it is checked
    and merged as a whole.
    """

    type: str
    etag: str
    size: int
    body: bytes = b""
    blob: str = ""


async def receive(request: Request) -> Content:
    """The body of the request.

    JSON is checked (400), a large body becomes a blob, one over the limit is refused (413).
    """
    content_type = _content_type(request)
    settings = request.tenant.settings
    if media_type(content_type) != JSON:
        return await _receive_any(request, content_type)
    body = await request.body(settings.max_document, WHAT)
    check = partial(parse, body, max_depth=settings.max_depth)
    if len(body) <= _ON_THE_LOOP:
        check()
    else:
        await read(check)
    return await _kept(request.tenant.store, content_type, body)


async def _receive_any(request: Request, content_type: str) -> Content:
    """A body of any type. A large one becomes a blob while it arrives, so it is never in memory as a whole."""
    chunks = request.chunks(request.tenant.settings.max_document, WHAT)
    begun = bytearray()
    async for chunk in chunks:
        request.share.hold(len(chunk))
        begun += chunk
        if len(begun) > INLINE:
            break
    else:
        request.share.begin(len(begun))
        return small(content_type, bytes(begun))
    digest, size = sha1(begun, usedforsecurity=False), len(begun)

    async def whole() -> AsyncIterator[bytes]:
        nonlocal size
        yield bytes(begun)
        async for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
            yield chunk
        request.share.begin(size)

    blob = await receive_blob(request.tenant.store.blobs, whole())
    return Content(content_type, digest.hexdigest(), size, blob=blob)


async def _kept(store: Store, content_type: str, body: bytes) -> Content:
    return small(content_type, body) if len(body) <= INLINE else await read(keep, store, content_type, body)


def small(content_type: str, body: bytes) -> Content:
    """A content that fits into its record."""
    return Content(content_type, sha1(body, usedforsecurity=False).hexdigest(), len(body), body)


def keep(store: Store, content_type: str, body: bytes) -> Content:
    """A content of any size. A large one is a blob, durable when this returns."""
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
    """The content of a stored document, in chunks."""
    blob = record.meta.get("blob")
    return store.blobs.open(blob) if blob else (record.body,)


def _content_type(request: Request) -> str:
    """The content type as sent. It is sent back as a header later, so it must be valid in one."""
    content_type = request.headers.get("content-type", "").strip() or _DEFAULT_TYPE
    if len(content_type) > _LONGEST_TYPE or not (content_type.isascii() and content_type.isprintable()):
        raise Refused("the Content-Type of the document is not one line of at most 1024 ASCII characters")
    return content_type
