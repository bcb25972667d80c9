"""Receives a request whose body has a file, with limits while it arrives. Knows no form and no route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import sized
from lrs.kernel.tables.file import MAX_BYTES
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of

IN_MEMORY = 2 * 1024 * 1024
"""About how many bytes of an arriving file are in memory; the rest is on disk."""


@asynccontextmanager
async def arriving(request: Request, tenant: Tenant, most: int = MAX_BYTES) -> AsyncIterator[Request]:
    """*request*, whose body is or contains a file. Refuses (413) more than *most* bytes.

    Before reading, it refuses (507) if the tenant has stored as much as it may, and raises ``Overloaded`` while other
    files are being received.
    """
    tenant.record.check_room()
    share, size = exchange_of(request).share, 0
    share.receive(_announced(request.headers, most))

    async def counted() -> Message:
        nonlocal size
        message = await request.receive()
        length = len(message.get("body", b""))
        share.hold(max(0, min(length, IN_MEMORY - size)))
        size += length
        if size > most:
            raise _too_large(most)
        return message

    try:
        yield Request(request.scope, counted)
    except ClientDisconnect as gone:  # nobody gets the answer; the log has a refusal and no fault of the program
        raise Refused("the file ended too early: send it again", error="upload_broken_off") from gone
    finally:
        share.give_back()  # the file is stored as a blob by now, or nowhere; the request may wait for the import


def _announced(headers: Headers, most: int) -> int:
    """The number of bytes that will arrive. Without a length, or for a compressed body, the largest number allowed."""
    told = headers.get("content-length", "")
    if "content-encoding" in headers or not (told.isascii() and told.isdigit()):
        return most
    if len(told) > len(str(most)) or int(told) > most:
        raise _too_large(most)
    return int(told)


def _too_large(most: int) -> Refused:
    return Refused(f"a file may have {sized(most)}: split it, or make it smaller", status=413, error="file_too_large")
