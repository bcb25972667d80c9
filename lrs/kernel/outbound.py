"""The one way out: every call to an address that somebody else chose goes through here.

Resolve, check every address, connect to exactly the address that was checked (so a second answer of the resolver has
no effect), follow no redirect, read no more than ``MAX_BODY``, wait no longer than ``SECONDS`` for any part. What a
call is for, it does not know. Source: OWASP Server-Side Request Forgery Prevention; Standard Webhooks, "SSRF".
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

from lrs.kernel.addresses import web_address
from lrs.kernel.settings import MIB, Settings

SECONDS = 5.0
"""For each part: connecting, sending, the next bytes of the answer."""

IN_ALL = 15.0
"""Seconds for the whole call, so that an answer of one byte at a time ends too."""

MAX_BODY = MIB
_reading = threading.Lock()
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class Blocked(Exception):
    """The URL leads where outbound calls may not go; trying again will not help until the settings change."""


class Unreachable(Exception):
    """No usable answer came: no name, no connection, too slow, too long; it may work later."""


class Silent(Unreachable):
    """All was sent, and no answer came in time: it may have been too much at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``headers`` have lower-case names; ``body`` is raw and at most ``MAX_BODY`` bytes long."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def resolve_name(host: str, port: int) -> Sequence[str]:
    """All addresses of *host*, as the system knows them. Raises ``Unreachable``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host} cannot be resolved") from error
    return [str(entry[4][0]) for entry in found]


def post(
    url: str,
    body: bytes | Iterator[bytes],
    headers: Mapping[str, str],
    settings: Settings,
    *,
    resolve: Resolve = resolve_name,
    seconds: float | None = None,
) -> Answer:
    """Posts *body* to *url*; any status is an answer, and a longer answer is cut at ``MAX_BODY``.

    A *body* in pieces needs its length in *headers*; *seconds* is for the whole call in the place of ``IN_ALL``.
    Raises ``Blocked`` or ``Unreachable``.
    """
    return _call("POST", url, settings, resolve, headers=headers, body=body, seconds=seconds)


def ask(url: str, headers: Mapping[str, str], settings: Settings, *, resolve: Resolve = resolve_name) -> Answer:
    """GET of *url*; any status is an answer, and a longer answer is cut at ``MAX_BODY``.

    Raises ``Blocked`` or ``Unreachable``.
    """
    return _call("GET", url, settings, resolve, headers=headers)


def fetch(url: str, settings: Settings, *, resolve: Resolve = resolve_name) -> bytes:
    """The body at *url*. Raises ``Blocked``, or ``Unreachable`` for any status but 200 and for a longer answer."""
    answer = _call("GET", url, settings, resolve)
    if answer.status != 200:
        raise Unreachable(f"answered {answer.status}")
    if len(answer.body) >= MAX_BODY:
        raise Unreachable(f"the answer is longer than {MAX_BODY} bytes")
    return answer.body


def check(url: str, settings: Settings, *, resolve: Resolve = resolve_name) -> str:
    """The address a call to *url* would connect to. Raises ``Blocked`` or ``Unreachable``."""
    target = parse(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    addresses = [ipaddress.ip_address(text) for text in resolve(target.host, port)]
    if not addresses:
        raise Unreachable(f"the name {target.host} has no address")
    allowed = [_is_allowed(target.host, address, settings.outbound_allow) for address in addresses]
    if target.scheme != "https" and not all(allowed):
        raise Blocked("only https, except to what LRS_OUTBOUND_ALLOW names")
    for address, is_listed in zip(addresses, allowed, strict=True):
        if not is_listed and not is_public(address):
            raise Blocked(f"{target.host} leads to an address outside the public internet (see LRS_OUTBOUND_ALLOW)")
    return str(addresses[0])


def parse(url: str) -> httpx.URL:
    """*url*, if it is one that a call could be made to. Raises ``Blocked``."""
    try:
        return web_address(url)
    except ValueError as error:
        raise Blocked(str(error)) from error


def is_public(address: Address) -> bool:
    """Whether *address*, and any address hidden inside it, belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo:
            inner = address.teredo[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not odd


def _is_allowed(host: str, address: Address, allow: Sequence[str]) -> bool:
    for entry in allow:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            if entry.lower() == host.lower():
                return True
            continue
        if address.version == network.version and address in network:
            return True
    return False


@functools.cache
def trusted() -> ssl.SSLContext:
    """The certificate authorities of httpx and of this system; made once, reading them takes 15 ms."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _call(
    method: str,
    url: str,
    settings: Settings,
    resolve: Resolve,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterator[bytes] | None = None,
    seconds: float | None = None,
) -> Answer:
    end = time.monotonic() + (IN_ALL if seconds is None else seconds)
    way = _Way(check(url, settings, resolve=resolve), end)
    sent = [*{"accept-encoding": "identity", "user-agent": "engraft", **(headers or {})}.items()]
    wait = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)}
    with _reading:  # the first calls may come at the same time
        authorities = trusted()
    pool = httpcore.ConnectionPool(ssl_context=authorities, network_backend=way)
    try:
        with pool, pool.stream(method, str(parse(url)), headers=sent, content=body, extensions=wait) as response:
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, told, _read(response))
    except httpcore.ReadTimeout as error:
        raise Silent("no answer: ReadTimeout") from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable(f"no answer: {type(error).__name__}") from error


def _read(response: httpcore.Response) -> bytes:
    """The raw body, cut at ``MAX_BODY``; undecoded, so a compressed answer cannot grow here."""
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= MAX_BODY:
            return bytes(body[:MAX_BODY])
    return bytes(body)


class _Way(httpcore.NetworkBackend):
    """Connects to *address*, whatever host the URL names, and only until *end* (``time.monotonic``)."""

    def __init__(self, address: str, end: float) -> None:
        self._address = address
        self._end = end
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 (that is the point)
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """See ``httpcore.NetworkBackend``."""
        stream = self._network.connect_tcp(self._address, port, timeout, local_address, socket_options)
        return _UntilTheEnd(stream, self._end)


class _UntilTheEnd(httpcore.NetworkStream):
    """A connection that hangs up at *end*, however often the other side sends one more byte."""

    def __init__(self, stream: httpcore.NetworkStream, end: float) -> None:
        self._stream = stream
        self._end = end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See ``httpcore.NetworkStream``."""
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See ``httpcore.NetworkStream``."""
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """See ``httpcore.NetworkStream``."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """See ``httpcore.NetworkStream``."""
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _UntilTheEnd(self._stream.start_tls(ssl_context, server_hostname, left), self._end)

    def get_extra_info(self, info: str) -> Any:
        """See ``httpcore.NetworkStream``."""
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, over: type[httpcore.TimeoutException]) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise over
        return left if timeout is None else min(timeout, left)
