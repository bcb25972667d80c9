"""xAPI's rules common to all resources: versions, parameters, bodies, headers, answers. Knows no resource.

A plain ASGI edge: statements must not pay for a framework's routing (measured: it costs half their rate). The rules are
those of xAPI 1.0.3 Communication 1 and 3, and IEEE 9274.1.1 4.1 and 4.2.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from functools import lru_cache
from time import gmtime, perf_counter
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from lrs.access import NOBODY, Caller
from lrs.kernel.errors import Overloaded, Refused
from lrs.storage.edge import read
from lrs.tenancy.tenants import Tenant
from lrs.web.pace import Pace
from lrs.xapi.citations import rule
from lrs.xapi.statements.subscriptions import Subscriptions

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = tuple[tuple[str, str], ...]

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
"""Every parameter xAPI has anywhere, in lower case: one of these in the wrong place or case is a fault, not foreign."""
COUNTED = 64 * 1024
"""A larger body counts as this many bytes in admission. Otherwise the largest would never be admitted."""


class Closed(Exception):
    """The client went away before its request was whole."""


class Budget:
    """Bytes of bodies that may be in memory at once, over all requests of a process."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, count: int) -> None:
        """Raises ``Overloaded`` if that many are not left."""
        if count > self._left:
            raise Overloaded
        self._left -= count

    def give_back(self, count: int) -> None:
        """After the answer."""
        self._left += count


class Request(msgspec.Struct):
    """One xAPI request, after the alternate syntax of 1.0.3 has been undone.

    ``version`` is ``"1.0.3"`` or ``"2.0.0"``: the rules that answer it. ``query`` keeps the parameters as sent.
    ``subscriptions`` say which steps its statements owe.
    """

    method: str
    resource: str
    prefix: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    tenant: Tenant
    receive: Receive
    subscriptions: Subscriptions
    version: str = ""
    caller: Caller = NOBODY
    content: bytes | None = None
    client: str = ""
    budget: Budget | None = None
    held: int = 0
    pace: Pace | None = None
    entered: int = 0
    since: float = 0.0
    ignored: int = 0

    def parameters(
        self, allowed: Collection[str], required: Collection[str] = (), *, lenient: bool = False
    ) -> dict[str, str]:
        """The query as a dictionary. Refuses unknown, wrong-case, repeated and missing parameters by name.

        *lenient*: what is no parameter of xAPI in any case is left out and counted in ``ignored``: content copies the
        parameters of its launch into each request (TinCanJS), and would lose everything.
        """
        found: dict[str, str] = {}
        for name, value in self.query:
            if name not in allowed:
                if lenient and name.strip().casefold() not in _XAPI_NAMES and not set('{"') & set(name):
                    self.ignored += 1
                    continue
                # JSON that was sent as a form arrives as a name, and may say whose it is: that is not repeated.
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
        """The refusal of what breaks the rule in *section* of 1.0.3, by the specification of the caller's version."""
        return Refused(message, rule=rule(section, self.version))

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self, limit: int, what: str = "request body") -> AsyncIterator[bytes]:
        """The body as it arrives. Refuses more than *limit* bytes with 413, before reading it where that is told."""
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
                raise Closed
            chunk = message.get("body", b"")
            total += len(chunk)
            if total > limit:
                raise too_large(what, limit)
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    async def gather(self, limit: int, what: str = "request body") -> bytes:
        """The whole body, at most *limit* bytes, held in memory but not yet let in."""
        parts = []
        async for chunk in self.chunks(limit, what):
            self.hold(len(chunk))
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def body(self, limit: int, what: str = "request body") -> bytes:
        """The whole body, at most *limit* bytes. Raises ``Overloaded`` while others' bodies fill the memory."""
        if self.content is None:
            whole = await self.gather(limit, what)
        else:
            whole = self.content  # held since it came in its form
            if len(whole) > limit:
                raise too_large(what, limit)
        self.enter(len(whole))
        return whole

    def hold(self, count: int) -> None:
        """Counts bytes that stay in memory until the answer. Raises ``Overloaded`` while others' fill it."""
        if self.budget is not None:
            self.budget.take(count)
            self.held += count

    def enter(self, count: int) -> None:
        """The body, of *count* bytes, is whole: work on it begins. Raises ``Overloaded`` while there is too much.

        Not before: whoever sends slowly would keep others out.
        """
        if self.pace is not None:
            count = min(count, COUNTED)
            self.pace.enter(count)
            self.entered = count
            self.since = perf_counter()

    def let_go(self) -> None:
        """After the answer: nothing of the body is in memory any more."""
        if self.budget is not None:
            self.budget.give_back(self.held)
        if self.pace is not None and self.entered:
            self.pace.leave(self.entered, perf_counter() - self.since)


class Answer(msgspec.Struct):
    """What goes back: *body* whole, or as chunks (then without a length)."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Headers = ()


Resource = Callable[[Request], Awaitable[Answer]]


def too_large(what: str, limit: int) -> Refused:
    """413 with the limit named."""
    return Refused(f"the {what} is larger than {limit} bytes", status=413, error="too_large")


def json_answer(value: object, *, status: int = 200, headers: Headers = ()) -> Answer:
    """*value* as JSON."""
    return Answer(status, msgspec.json.encode(value), (("content-type", JSON), *headers))


def refusal(refused: Refused, request_id: str) -> Answer:
    """The one error shape."""
    return json_answer(refused.shown(request_id), status=refused.status, headers=refused.headers)


@lru_cache(maxsize=64)
def rules_of(told: str | None) -> str:
    """Which rules answer a request with this ``X-Experience-API-Version``. Refuses a missing or unknown version."""
    if told is None:
        raise Refused(
            "header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0", rule="xAPI 1.0.3 Communication 3.3"
        )
    if _VERSION_2.fullmatch(told):
        return "2.0.0"
    if _VERSION_1.fullmatch(told):
        return "1.0.3"
    raise Refused(
        f"X-Experience-API-Version {told[:20]!r} is not supported: send 1.0.x or 2.0.x",
        rule="xAPI 1.0.3 Communication 3.3",
    )


def headers_of(scope: Scope, limit: int) -> dict[str, str]:
    """The request's headers by lower-case name; a repeated one is joined with commas (RFC 9110 5.3).

    Refuses 431 if they are larger than *limit* bytes together.
    """
    found: dict[str, str] = {}
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if size > limit:
            raise Refused(f"the headers are larger than {limit} bytes", status=431, error="too_large")
        key = name.decode("latin-1")
        text = value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def query_of(query_string: bytes) -> list[tuple[str, str]]:
    """The parameters in order. Refuses more than 100, and bytes that are not UTF-8 after decoding."""
    if query_string.count(b"&") >= MOST_PARAMETERS:  # asked before anything is made of them
        raise Refused(f"the query has more than {MOST_PARAMETERS} parameters")
    parts = [part.partition(b"=") for part in query_string.replace(b"+", b" ").split(b"&") if part]
    try:
        return [(unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()) for name, _, value in parts]
    except UnicodeDecodeError as error:
        raise Refused("the query is not UTF-8") from error


@lru_cache(maxsize=4_096)
def http_date(seconds: int) -> str:
    """*seconds* since 1970 as RFC 9110 5.6.7 writes it: ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    year, month, day, hour, minute, second, weekday, *_ = gmtime(seconds)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"


async def send_answer(answer: Answer, send: Send, *, headers: Headers, head: bool) -> None:
    """Writes the answer; for HEAD the same headers as GET and no body."""
    body = answer.body
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*answer.headers, *headers)]
    if isinstance(body, bytes):
        if answer.status not in {204, 304}:
            sent.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if head else body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": sent})
    chunks = iter(() if head else body)
    while (chunk := await read(next, chunks, None)) is not None:  # a chunk may wait for a disk
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
