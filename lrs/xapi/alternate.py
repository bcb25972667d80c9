"""The alternate request syntax of xAPI 1.0.3 (Communication 1.3): a form that stands for a request. Knows no resource.

The form is read before its sender is known, because the credentials may be in it. So it has a size limit of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage.edge import read
from lrs.web.browsers import is_foreign
from lrs.web.codings import unsupported
from lrs.xapi.request import JSON, Request, query_of

FORM = "application/x-www-form-urlencoded"
FROM_ANYBODY = 1024 * 1024
"""Bytes of a form that are read without credentials in the header. A larger form needs them there."""
RULE = "xAPI 1.0.3 Communication 1.3"
_ON_THE_LOOP = 64 * 1024
"""Bytes. Larger forms are parsed in a thread, because they would block the event loop (measured: 16 MiB took 3.7 s)."""
_METHODS = ("GET", "PUT", "POST", "DELETE")
_HEADERS = frozenset(
    {"authorization", "x-experience-api-version", "content-type", "content-length", "if-match", "if-none-match"}
    | {"accept", "accept-language", "content-transfer-encoding", "x-experience-api-hash", "content-encoding"}
)
_FIELD = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
"""The characters of Latin-1 that a header may hold (RFC 9110 5.5)."""


class AlternateRequest(msgspec.Struct, frozen=True):
    """A parsed form: parameters as sent, header fields by lower-case name, the body."""

    query: list[tuple[str, str]]
    headers: dict[str, str]
    content: bytes


def method_of(request: Request) -> str:
    """The method that *request* stands for. Refuses what is not this syntax before anything of the form is read."""
    method = request.query[0][1].upper() if len(request.query) == 1 and request.query[0][0] == "method" else ""
    if request.method != "POST":
        raise Refused("parameter 'method' is for POST only", rule=RULE)
    if method not in _METHODS:
        raise Refused(
            "the alternate request syntax takes ?method=GET, PUT, POST or DELETE and no other parameter in the URL",
            rule=RULE,
        )
    if request.media_type not in {FORM, ""}:
        raise Refused(f"the alternate request syntax needs Content-Type {FORM}", rule=RULE)
    return method


async def undo(request: Request, limit: int, *, known: bool) -> None:
    """Turns ``POST …?method=PUT`` with a form into the request that it stands for.

    A form field overrides a header of the same name, because content in browsers can only set the former. The exception
    is the header ``Authorization``: a form does not decide who sends the request. *known* says that the sender's
    credentials have been checked, so that the form may have *limit* bytes.
    """
    method = method_of(request)
    if "authorization" in request.headers and is_foreign(request.headers):
        raise Refused(
            "a page in a browser puts its credentials into the form, as the field Authorization; "
            "the header may be a login that the browser remembered",
            status=403,
            error="forbidden",
        )
    if known or limit <= FROM_ANYBODY:
        raw = await request.gather(limit)
    else:
        raw = await request.gather(FROM_ANYBODY, "form whose credentials are not in the header Authorization")
    form = form_of(raw) if len(raw) <= _ON_THE_LOOP else await read(form_of, raw)
    if form.headers.get("content-encoding", "identity").lower() != "identity":
        raise unsupported()  # a form holds text; only the form as a whole may be compressed
    request.method, request.query, request.content = method, form.query, form.content
    request.headers = _with_fields(request.headers, form, method)


def form_of(raw: bytes) -> AlternateRequest:
    """Parses *raw*. Refuses text that is not UTF-8, header fields that no header can hold, and fields that come twice.

    A parameter that comes twice is refused where the parameters are read.
    """
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    content: bytes | None = None
    for name, value in query_of(raw.replace(b"\r\n", b"")):
        lower = name.lower()
        if lower in headers or (name == "content" and content is not None):
            raise Refused(f"form field {name!r} was sent twice", rule=RULE)
        if name == "content":
            content = value.encode()
        elif lower in _HEADERS:
            if not _FIELD.fullmatch(value):
                raise Refused(f"form field {name!r} has characters that no header can have", rule=RULE)
            headers[lower] = value.strip(" \t")
        else:
            query.append((name, value))
    return AlternateRequest(query, headers, content or b"")


def _with_fields(headers: Mapping[str, str], form: AlternateRequest, method: str) -> dict[str, str]:
    found = {name: value for name, value in headers.items() if not name.startswith("content-")}
    found.update(form.headers)
    if "authorization" in headers:
        found["authorization"] = headers["authorization"]
    if method in {"PUT", "POST"}:
        found.setdefault("content-type", JSON)
    found["content-length"] = str(len(form.content))
    return found
