"""The alternate request syntax of xAPI 1.0.3 (Communication 1.3): a form that stands for a request. Knows no resource.

The form is read before its sender is known, because the credentials may stand in it: so it has a limit of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lrs.kernel.errors import Refused
from lrs.storage.edge import read
from lrs.web.browsers import is_foreign
from lrs.web.codings import unsupported
from lrs.xapi.request import JSON, Request, query_of

FORM = "application/x-www-form-urlencoded"
FROM_ANYBODY = 1024 * 1024
"""Bytes of a form that are read before there are credentials; for more, they have to be in the header."""
RULE = "xAPI 1.0.3 Communication 1.3"
_ON_THE_LOOP = 64 * 1024
"""Smaller forms are taken apart at once; larger ones would hold up the loop (measured: 16 MiB took 3.7 s)."""
_METHODS = ("GET", "PUT", "POST", "DELETE")
_HEADERS = frozenset(
    {"authorization", "x-experience-api-version", "content-type", "content-length", "if-match", "if-none-match"}
    | {"accept", "accept-language", "content-transfer-encoding", "x-experience-api-hash", "content-encoding"}
)
_FIELD = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
"""What a header may hold (RFC 9110 5.5), of what Latin-1 can show."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form taken apart: parameters as sent, header fields by lower-case name, the body."""

    query: list[tuple[str, str]]
    headers: dict[str, str]
    content: bytes


def method_of(request: Request) -> str:
    """The method *request* stands for. Refuses what is not the syntax, before anything of the form is read."""
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
    """Turns ``POST …?method=PUT`` with a form into the request it stands for.

    A form field beats a header of the same name: content in browsers can set only the former. But never the header
    ``Authorization``: who asks is not for a form to say. *known*: whether the sender's credentials have been checked,
    so that the form may have *limit* bytes.
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
        raise unsupported()  # a form holds text; the form as a whole may be packed
    request.method, request.query, request.content = method, form.query, form.content
    request.headers = _with_fields(request.headers, form, method)


def form_of(raw: bytes) -> Form:
    """Takes *raw* apart. Refuses what is not UTF-8, header fields that no header could hold, and what stands twice.

    A parameter that stands twice is refused where the parameters are read.
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
    return Form(query, headers, content or b"")


def _with_fields(headers: Mapping[str, str], form: Form, method: str) -> dict[str, str]:
    found = {name: value for name, value in headers.items() if not name.startswith("content-")}
    found.update(form.headers)
    if "authorization" in headers:
        found["authorization"] = headers["authorization"]
    if method in {"PUT", "POST"}:
        found.setdefault("content-type", JSON)
    found["content-length"] = str(len(form.content))
    return found
