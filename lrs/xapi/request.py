"""xAPI's rules common to all resources: versions, parameters, bodies, headers, answers. Knows no resource.

It is plain ASGI, because a framework's routing costs half the rate of statements (measured). The rules are those of
xAPI 1.0.3 Communication 1 and 3, and IEEE 9274.1.1 4.1 and 4.2.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from functools import lru_cache
from time import gmtime
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.types import Receive, Scope, Send

from lrs.access import NOBODY, Caller
from lrs.kernel.admission import LARGE_ANSWER, Share
from lrs.kernel.errors import Headers, Refused
from lrs.storage.edge import read
from lrs.tenancy.tenants import Tenant
from lrs.web.browsers import CLOSED
from lrs.xapi.citations import rule
from lrs.xapi.statements.subscriptions import Subscriptions

JSON = "application/json"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VERSION_1 = re.compile(r"1\.0(\.\d{1,4})?")
_VERSION_2 = re.compile(r"2\.0(\.\d{1,4})?")
MOST_PARAMETERS = 100
_XAPI_NAMES = frozenset(
    {"activity", "activityid", "agent", "ascending", "attachments", "format", "limit", "method", "profileid"}
    | {"registration", "related_activities", "related_agents", "since", "stateid", "statementid", "until", "verb"}
    | {"voidedstatementid"}
)
"""All parameter names of xAPI in lower case. One of them in the wrong place or case is a fault, and no foreign
parameter.
"""


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class Request(msgspec.Struct):
    """One xAPI request, after the alternate syntax of 1.0.3 has been undone.

    ``version`` is ``"1.0.3"`` or ``"2.0.0"``: the rules that apply. ``query`` has the parameters as sent.
    ``subscriptions`` say which steps its statements owe. ``share`` is its share of the server's limits.
    """

    method: str
    resource: str
    prefix: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    tenant: Tenant
    receive: Receive
    subscriptions: Subscriptions
    share: Share
    version: str = ""
    caller: Caller = NOBODY
    content: bytes | None = None
    client: str = ""
    ignored: int = 0

    def parameters(
        self, allowed: Collection[str], required: Collection[str] = (), *, lenient: bool = False
    ) -> dict[str, str]:
        """The query as a dictionary. Refuses unknown, wrong-case, repeated and missing parameters by name.

        If *lenient*, parameters that are not xAPI's in any case are ignored and counted in ``ignored``: content copies
        the parameters of its launch into each request (TinCanJS), and would otherwise lose all its statements.
        """
        found: dict[str, str] = {}
        for name, value in self.query:
            if name not in allowed:
                if lenient and name.strip().casefold() not in _XAPI_NAMES and not set('{"') & set(name):
                    self.ignored += 1
                    continue
                # JSON sent as a form arrives as a parameter's name. It may contain personal data, so it is not shown.
                shown = "" if len(name) > 60 or set('{"@') & set(name) else f" {name!r}"
                raise self.wrong(f"unknown parameter{shown}: this resource takes {', '.join(sorted(allowed))}")
            if name in found:
                raise self.wrong(f"parameter {name!r} was sent twice")
            found[name] = value
        for name in required:
            if name not in found:
                raise self.wrong(f"parameter {name!r} is missing")
        return found

    def wrong(self, message: str, section: str = "Communication 3.2") -> Refused:
        """The refusal for breaking the rule in *section* of 1.0.3, cited as in the caller's version."""
        return Refused(message, rule=rule(section, self.version))

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self, limit: int, what: str = "request body") -> AsyncIterator[bytes]:
        """The body as it arrives.

        Refuses more than *limit* bytes with 413, before reading it if the length is declared.
        """
        told = self.headers.get("content-length", "")
        if told.isascii() and told.isdigit() and len(told) < 19 and int(told) > limit:
            raise too_large(what, limit)
        if self.content is not None:
            if len(self.content) > limit:
                raise too_large(what, limit)
            yield self.content
            return
        total = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            total += len(chunk)
            if total > limit:
                raise too_large(what, limit)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def gather(self, limit: int, what: str = "request body") -> bytes:
        """The whole body, at most *limit* bytes. Held in memory, and not yet admitted as work."""
        parts = []
        async for chunk in self.chunks(limit, what):
            self.share.hold(len(chunk))
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def body(self, limit: int, what: str = "request body") -> bytes:
        """The whole body, at most *limit* bytes. Raises ``Overloaded`` while too much other work is under way."""
        if self.content is None:
            whole = await self.gather(limit, what)
        else:
            whole = self.content  # held since it came in its form
            if len(whole) > limit:
                raise too_large(what, limit)
        self.share.begin(len(whole))
        return whole


class Answer(msgspec.Struct):
    """The answer to a request: *body* whole, or as chunks (then without Content-Length)."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Headers = ()


Resource = Callable[[Request], Awaitable[Answer]]


def too_large(what: str, limit: int) -> Refused:
    """The refusal 413, which names the limit."""
    return Refused(f"the {what} is larger than {limit} bytes", status=413, error="too_large")


def json_answer(value: object, *, status: int = 200, headers: Headers = ()) -> Answer:
    """*value* as JSON."""
    return Answer(status, msgspec.json.encode(value), (("content-type", JSON), *headers))


def refusal(refused: Refused, request_id: str) -> Answer:
    """A refusal as an answer with the common error body."""
    return json_answer(refused.shown(request_id), status=refused.status, headers=refused.headers)


@lru_cache(maxsize=64)
def rules_of(told: str | None) -> str:
    """The version whose rules apply to this ``X-Experience-API-Version``. Refuses a missing or unsupported one."""
    if told is None:
        message = "header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0"
        missing = Refused(message, rule="xAPI 1.0.3 Communication 3.3")
        missing.plain = "The header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0."
        raise missing
    if _VERSION_2.fullmatch(told):
        return "2.0.0"
    if _VERSION_1.fullmatch(told):
        return "1.0.3"
    raise Refused(
        f"X-Experience-API-Version {told[:20]!r} is not supported: send 1.0.x or 2.0.x",
        rule="xAPI 1.0.3 Communication 3.3",
    )


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name. Values of a repeated one are joined with commas (RFC 9110 5.3)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        text = value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def query_of(query_string: bytes) -> list[tuple[str, str]]:
    """The parameters in order. Refuses more than 100, and bytes that are not UTF-8 after decoding."""
    if query_string.count(b"&") >= MOST_PARAMETERS:  # checked before they are decoded
        raise Refused(f"the query has more than {MOST_PARAMETERS} parameters")
    parts = [part.partition(b"=") for part in query_string.replace(b"+", b" ").split(b"&") if part]
    try:
        return [(_decoded(name), _decoded(value)) for name, _, value in parts]
    except UnicodeDecodeError as error:
        raise Refused("the query is not UTF-8") from error


def _decoded(part: bytes) -> str:
    return (unquote_to_bytes(part) if b"%" in part else part).decode()


@lru_cache(maxsize=4_096)
def http_date(seconds: int) -> str:
    """*seconds* since 1970 as RFC 9110 5.6.7 writes it: ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    year, month, day, hour, minute, second, weekday, *_ = gmtime(seconds)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"


async def send_answer(answer: Answer, send: Send, *, headers: Headers, head: bool) -> None:
    """Sends the answer, which is never a page of ours; for HEAD the same headers as for GET and no body."""
    body = answer.body
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*answer.headers, *headers)]
    sent += CLOSED
    if isinstance(body, bytes):
        if answer.status not in {204, 304}:
            sent.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await _send_piece(b"" if head else body, send, is_last=True)
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": sent})
    chunks = iter(() if head else body)
    while (chunk := await read(next, chunks, None)) is not None:  # in a thread: it may read from a disk
        await _send_piece(chunk, send, is_last=False)
    await send({"type": "http.response.body", "body": b""})


async def _send_piece(piece: bytes, send: Send, *, is_last: bool) -> None:
    """Sends *piece*. A large one is sent as fast as the client reads it, so that it does not fill the buffer."""
    start = 0
    while len(piece) - start > LARGE_ANSWER:
        await send({"type": "http.response.body", "body": piece[start : start + LARGE_ANSWER], "more_body": True})
        await asyncio.sleep(0)  # the transport sends it now, and so knows how fast the client reads
        start += LARGE_ANSWER
    await send({"type": "http.response.body", "body": piece[start:], "more_body": not is_last})
