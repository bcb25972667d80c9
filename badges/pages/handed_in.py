"""What is handed in to be checked, by a form or by a program: read into memory, within limits. Knows no badge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.types import Message

from badges.checks import MOST_BYTES
from lrs.kernel.errors import Refused
from lrs.web.exchange import exchange_of

NOTHING = "Choose a file, or paste a badge or its address."


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A form: what is to be checked (the file before the *text*), and its fields."""

    content: bytes
    text: str
    fields: Mapping[str, str]


def client_of(request: Request) -> str:
    """The address from which *request* came."""
    return request.client.host if request.client is not None else ""


async def body_of(request: Request) -> bytes:
    """The body. Refuses (413) more than ``MOST_BYTES``."""
    share, body = exchange_of(request).share, bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(f"a badge may have {MOST_BYTES} bytes with its image", status=413, error="too_large")
        share.hold(len(chunk))
    return bytes(body)


async def form_of(request: Request) -> HandedIn:
    """The form in the body."""
    body = await body_of(request)

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(request.scope, again).form(max_files=1, max_fields=5, max_part_size=MOST_BYTES) as form:
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    text = fields.get("text", "")
    return HandedIn(content or text.strip().encode("utf-8", "replace"), text, fields)
