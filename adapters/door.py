"""The way in: the xAPI endpoint as everyone sees it, through ``tincan``. Knows no adapter and no ledger.

``tincan`` builds the statements and shapes the requests; what it lacks is added here: a time limit, closing what was
opened, retrying 429, 502, 503, 504 and lost connections (as ``Retry-After`` says), and concurrency headers, which its
own document calls lose. Resending is safe because every statement has its id.
"""

from __future__ import annotations

import base64
import http.client
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from tincan import RemoteLRS, Statement, StatementList
from tincan.http_request import HTTPRequest
from tincan.lrs_response import LRSResponse

from lrs.kernel.addresses import web_address
from lrs.kernel.retry_after import seconds_asked

TRIES = 8
LONGEST_WAIT = 120.0
_PASSING = frozenset({429, 502, 503, 504})
_CONTENT_REFUSED = frozenset({400, 409, 413})


class Closed(Exception):
    """The endpoint cannot be used as things are: unreachable, wrong key, missing right. Nothing more was sent."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class StatementsRefused(Exception):
    """The store said no to these statements; none of them was stored."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Changed(Exception):
    """A document was changed by somebody else in between."""


class Document(NamedTuple):
    """A stored document and the ETag that replaces it."""

    content: bytes
    etag: str


class _Client(RemoteLRS):  # type: ignore[misc]  # tincan has no types
    """``tincan`` with our way to the network in the place of its own."""

    _props = (*RemoteLRS._props, "carry")  # noqa: SLF001 (how tincan declares what may be set)

    def _send_request(self, request: HTTPRequest) -> LRSResponse:
        return self.carry(request)


class Door:
    """One xAPI endpoint and one credential."""

    def __init__(
        self, endpoint: str, authorization: str, *, sleep: Callable[[float], None] = time.sleep, timeout: float = 60
    ) -> None:
        try:
            web_address(endpoint)
        except ValueError as error:
            raise Closed(f"{endpoint!r} is no endpoint ({error}): use http(s)://host/path/xapi") from error
        parts = urlsplit(endpoint)
        self._target = parts._replace(path=parts.path.rstrip("/") + "/")
        self._authorization = authorization
        self._client = _Client(endpoint=self._target.geturl(), auth=authorization, carry=self._carry)
        self._sleep = sleep
        self._timeout = timeout

    def send(self, statements: Sequence[Statement]) -> None:
        """Stores *statements*, all or none. Raises ``StatementsRefused`` or ``Closed``."""
        answer = self._client.save_statements(StatementList(statements))
        if answer.response.status in _CONTENT_REFUSED:
            raise StatementsRefused(answer.response.status, _message(answer))
        _require(answer)

    def read(self, activity: str, name: str) -> Document | None:
        """The document *name* of *activity*'s profile, or ``None``."""
        answer = self._profile("GET", activity, name)
        if answer.response.status == 404:
            return None
        _require(answer)
        return Document(answer.data.encode(), answer.response.getheader("ETag") or "")

    def write(self, activity: str, name: str, content: bytes, etag: str | None) -> str:
        """Replaces the document with *etag*, or makes it (``None``); the new ETag. Raises ``Changed``."""
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        answer = self._profile("PUT", activity, name, content, {"Content-Type": "application/json"} | condition)
        if answer.response.status not in {409, 412}:
            _require(answer)
            if told := answer.response.getheader("ETag"):
                return str(told)
        stored = self.read(activity, name)
        if stored is None or stored.content != content:
            raise Changed(name)
        return stored.etag  # also after a 412: the answer to our own first try may have been lost

    def owner(self) -> str:
        """The source that the key stands for, as ``GET /api/imports`` beside the endpoint tells it; else ``""``."""
        beside = self._target.path.removesuffix("xapi/") + "api/imports"
        answer = self._carry(HTTPRequest(method="GET", resource=beside))
        if answer.response.status != 200:
            return ""
        try:
            return str(msgspec.json.decode(answer.data, type=dict[str, str])["provider"])
        except (msgspec.MsgspecError, KeyError):
            return ""

    def _profile(
        self,
        method: str,
        activity: str,
        name: str,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> LRSResponse:
        request = HTTPRequest(method=method, resource="activities/profile", content=content, headers=headers or {})
        request.query_params = {"activityId": activity, "profileId": name}
        return self._carry(request)

    def _carry(self, request: HTTPRequest) -> LRSResponse:
        """The answer to *request*, tried again while that may help."""
        for tried in range(TRIES):
            wait = min(0.25 * 2**tried, 30.0)
            try:
                response, data = self._once(request)
            except (OSError, http.client.HTTPException) as error:
                reason = f"{self._target.hostname} does not answer: {type(error).__name__}"
            else:
                status = response.status
                if status not in _PASSING:
                    return LRSResponse(success=200 <= status < 300, request=request, response=response, data=data)
                reason = f"{self._target.hostname} answers {status}"
                wait = max(wait, seconds_asked(response.getheader("Retry-After"), time.time()))
            if tried + 1 < TRIES:
                self._sleep(min(wait, LONGEST_WAIT))
        raise Closed(f"{reason}; given up after {TRIES} tries")

    def _once(self, request: HTTPRequest) -> tuple[http.client.HTTPResponse, bytes]:
        target = self._target
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(target.hostname), target.port, timeout=self._timeout)
        resource = request.resource if request.resource.startswith("/") else target.path + request.resource
        query = f"?{urlencode(request.query_params)}" if request.query_params else ""
        body = request.content.encode() if request.content is not None else None
        headers = {"X-Experience-API-Version": "1.0.3", "Authorization": self._authorization, **request.headers}
        try:
            connection.request(request.method, resource + query, body, headers)
            with connection.getresponse() as response:
                return response, response.read()
        finally:
            connection.close()


def basic(key: str, secret: str) -> str:
    """The ``Authorization`` header of an API key."""
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def _require(answer: LRSResponse) -> None:
    status = answer.response.status
    if 200 <= status < 300:
        return
    why = {401: "the key or its secret is wrong", 403: "the key lacks a right", 404: "there is no xAPI endpoint"}
    raise Closed(f"{why.get(status, 'the store refused')} ({status}): {_message(answer)}", status)


def _message(answer: LRSResponse) -> str:
    return str(answer.data or "")[:300].strip()
