"""Imports a file at a server on another machine: uploads it, and follows the import until it is over.

Knows no columns.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

import httpx2
import msgspec

from adapters.imports.run import Order
from lrs.kernel.addresses import web_address
from lrs.kernel.retry_after import seconds_asked
from lrs.kernel.strict_json import Json

TRIES = 8
LONGEST_WAIT = 120.0
_PASSING = frozenset({429, 502, 503, 504})
_LOOK = 0.25
_WHY = {
    401: "the key or its secret is wrong",
    403: "the key lacks a right",
    404: "there is no such endpoint",
}


class ServerUnusable(Exception):
    """The server cannot be used: unreachable, wrong key, missing right; or it refused the file."""


class Elsewhere:
    """One server and one key. *endpoint* is its xAPI endpoint; the address of imports follows from it."""

    def __init__(
        self,
        endpoint: str,
        key: tuple[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 60,
    ) -> None:
        try:
            web_address(endpoint)
        except ValueError as error:
            raise ServerUnusable(f"{endpoint!r} is no endpoint ({error}): use http(s)://host/path/xapi") from error
        parts = urlsplit(endpoint)
        base = parts._replace(path=parts.path.rstrip("/").removesuffix("/xapi") + "/api/imports", query="", fragment="")
        self._host = parts.hostname
        self._base = base.geturl()
        self._sleep = sleep
        self._client = httpx2.Client(auth=key, timeout=timeout, trust_env=False, verify=ssl.create_default_context())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def upload(self, order: Order) -> Json:
        """Sends the file and gives its import."""
        profile = msgspec.structs.replace(order.profile, provider=order.provider)
        asked = {"adapter": order.adapter, "dry_run": "true" if order.dry_run else "false"}

        def send() -> httpx2.Response:
            with order.path.open("rb") as file:
                told = ("profile.json", msgspec.json.encode(profile))
                return self._client.post(
                    self._base, params=asked, files=[("file", (order.file, file)), ("profile", told)]
                )

        return self._read(send)

    def look(self, id: str) -> Json:
        """The present state of the import."""
        return self._read(lambda: self._client.get(f"{self._base}/{id}"))

    def report(self, id: str) -> Json:
        """The result of every row."""
        return self._read(lambda: self._client.get(f"{self._base}/{id}/report"))

    def follow(self, shown: Json, say: Callable[[Json], None]) -> Json:
        """The import when it is over. *say* is called with its progress."""
        while shown["state"] in {"waiting", "running"}:
            say(shown)
            self._sleep(_LOOK)
            shown = self.look(shown["id"])
        return shown

    def _read(self, ask: Callable[[], httpx2.Response]) -> Json:
        answer = self._asked(ask)
        if not answer.is_success:
            raise ServerUnusable(_refusal(answer))
        try:
            return msgspec.json.decode(answer.content, type=Json)
        except msgspec.MsgspecError as error:
            message = f"{self._host} answers as no server of this version does: is it an older one? Update it first"
            raise ServerUnusable(message) from error

    def _asked(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """The answer. Asks again as long as that may help."""
        for tried in range(TRIES):
            wait = min(0.25 * 2**tried, 30.0)
            try:
                answer = ask()
            except httpx2.HTTPError as error:
                reason = f"{self._host} does not answer: {type(error).__name__}"
            else:
                if answer.status_code not in _PASSING:
                    return answer
                reason = f"{self._host} answers {answer.status_code}"
                wait = max(wait, seconds_asked(answer.headers.get("Retry-After"), time.time()))
            if tried + 1 < TRIES:
                self._sleep(min(wait, LONGEST_WAIT))
        raise ServerUnusable(f"{reason}; given up after {TRIES} tries")


def _refusal(answer: httpx2.Response) -> str:
    """The message about a refusal: about the key, or the server's own message about the file."""
    try:
        told = msgspec.json.decode(answer.content, type=Json)
        message = str(told.get("message", ""))
    except msgspec.MsgspecError:
        message = answer.text[:300].strip()
    status = answer.status_code
    return f"{_WHY[status]} ({status}): {message}" if status in _WHY else message or f"the server answers {status}"
