"""What is handed in to be checked, by a form or by a program: read into memory, within limits. Knows no badge."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from badges.verifying.checks import MOST_BYTES
from badges.verifying.containers import MAX_BADGE
from badges.verifying.verdict import Invalid
from badges.verifying.verification import read
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import sized
from lrs.web.exchange import exchange_of

TOO_LARGE = (
    f"The file is too large: a badge may have {sized(MOST_BYTES)} with its image. Choose the file of the badge itself."
)
UNREAD = "The form did not arrive as a whole. Choose one file, and send it again."
NOTHING = "Choose a file, or paste a badge or its address."
EMPTY = "The file is empty. Choose another one, or get the badge again from where it came."

LONGEST_ADDRESS = 320
_AROUND = 8 * 1024
"""Bytes beside the badge in an object that holds it."""


class HandedIn(msgspec.Struct, frozen=True):
    """A form: what is to be checked (the file before the *text*), and its fields."""

    content: bytes
    text: str
    fields: Mapping[str, str]
    is_empty_file: bool = False


async def body_of(request: Request) -> bytes:
    """The body. Refuses (413) more than ``MOST_BYTES``."""
    share, body = exchange_of(request).share, bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(TOO_LARGE, status=413, error="too_large")
        share.hold(len(chunk))
    return bytes(body)


def check_something(handed: HandedIn) -> None:
    """Refuses (400) a form with nothing in it, and says whether it is the file that is empty."""
    if handed.is_empty_file:
        raise Refused(EMPTY, error="empty_file")
    if not handed.content:
        raise Refused(NOTHING, error="no_file")


async def form_of(request: Request) -> HandedIn:
    """The form in the body. Refuses (400) one that cannot be read, or has more than one file."""
    try:
        return await _form_of(request)
    except HTTPException as error:  # the framework's word for a broken form
        raise Refused(UNREAD, error="form_unread") from error


async def _form_of(request: Request) -> HandedIn:
    body = await body_of(request)

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(request.scope, again).form(max_files=1, max_fields=5, max_part_size=MOST_BYTES) as form:
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
        is_named = isinstance(file, UploadFile) and bool(file.filename)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    text = fields.get("text", "")
    return HandedIn(content or text.strip().encode("utf-8", "replace"), text, fields, is_named and not content)


def asked_in(body: bytes) -> tuple[bytes, str]:
    """The badge in the *body* of a program, and the e-mail address. An object without contexts holds both (VC-API).

    Raises ``Refused`` (400) for options that are no object, and an address that is no text.
    """
    if body.lstrip()[:1] != b"{":
        return body, ""
    try:
        told = read(body, MAX_BADGE + _AROUND)
    except Invalid:
        return body, ""  # the verdict says what is wrong
    if "@context" in told or "verifiableCredential" not in told:
        return body, ""
    badge, options = told["verifiableCredential"], told.get("options", {})
    if not isinstance(options, dict):
        raise Refused("the options are an object", error="bad_request", pointer="/options")
    email = options.get("email", "")
    if not isinstance(email, str):
        raise Refused("the e-mail address is a text", error="bad_request", pointer="/options/email")
    content = badge if isinstance(badge, str) else json.dumps(badge)
    return content.encode("utf-8", "replace"), email[:LONGEST_ADDRESS]
