"""Receives a request whose body has a file: bounded, and counted while it arrives. Knows no form and no route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from lrs.kernel.errors import Refused
from lrs.kernel.tables.file import MAX_BYTES
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of

IN_MEMORY = 2 * 1024 * 1024
"""About how many bytes of a file are in memory while it arrives; the rest is on disk."""


@asynccontextmanager
async def arriving(request: Request, tenant: Tenant, most: int = MAX_BYTES) -> AsyncIterator[Request]:
    """*request*, whose body is, or has in it, a file that arrives. Refuses (413) more than *most* bytes.

    Refuses (507) while the tenant has as much as it may store, and raises ``Overloaded`` while other files are being
    received, before anything of this one is read.
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
    except ClientDisconnect as gone:  # nobody gets the answer; the log has a refusal and not a fault of the program
        raise Refused("the file did not come to its end: send it again", error="upload_broken_off") from gone
    finally:
        share.give_back()  # it is among the blobs, or nowhere; the request may wait for the import


def _announced(headers: Headers, most: int) -> int:
    """How many bytes will arrive. If no length is given, or the body is compressed, the largest number allowed."""
    told = headers.get("content-length", "")
    if "content-encoding" in headers or not (told.isascii() and told.isdigit()):
        return most
    if len(told) > len(str(most)) or int(told) > most:
        raise _too_large(most)
    return int(told)


def _too_large(most: int) -> Refused:
    return Refused(f"a file may have {most} bytes: split it", status=413, error="file_too_large")
