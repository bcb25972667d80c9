"""Every outbound call to an address that somebody else chose goes through this module. Knows no purpose of a call.

It resolves the name, checks every address, and connects to exactly the address that was checked, so a second answer of
the resolver has no effect. It follows no redirect, reads at most ``MAX_BODY`` and waits at most ``SECONDS`` for each
part. Source: OWASP Server-Side Request Forgery Prevention; Standard Webhooks, "SSRF".
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

import httpcore2
import httpx2

from lrs.kernel.addresses import web_address
from lrs.kernel.settings import MIB, Settings

SECONDS = 5.0
"""For each part of a call: connecting, sending, waiting for the next bytes of the response."""

IN_ALL = 15.0
"""Seconds for the whole call, so that a response that comes one byte at a time ends too."""

MAX_BODY = MIB
_PIECE = 16 * 1024
"""Bytes that are sent before it is asked again how much time is left."""
_reading = threading.Lock()
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
ResolveHost = Callable[[str, int], Sequence[str]]


class Blocked(Exception):
    """The settings do not allow calls to this URL. Trying again does not help until they change."""


class Unreachable(Exception):
    """No usable response: the name does not resolve, no connection, too slow, or too long. A later call may succeed."""


class Silent(Unreachable):
    """The request was sent, and no response came in time. The request may have been too much work at once."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the other server answered.

    Names in ``headers`` are in lower case; ``body`` is raw, at most ``MAX_BODY`` bytes.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def resolve_name(host: str, port: int) -> Sequence[str]:
    """All addresses of *host* by the system's resolver. Raises ``Unreachable``."""
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
    resolve: ResolveHost = resolve_name,
    seconds: float | None = None,
) -> Response:
    """Posts *body* to *url*. Any status is a response; a longer body is cut at ``MAX_BODY``.

    A *body* in parts needs its length in *headers*. *seconds* replaces ``IN_ALL`` as the limit for the whole call.
    Raises ``Blocked`` or ``Unreachable``.
    """
    return _call("POST", url, settings, resolve, headers=headers, body=body, seconds=seconds)


def ask(
    url: str,
    headers: Mapping[str, str],
    settings: Settings,
    *,
    resolve: ResolveHost = resolve_name,
    seconds: float | None = None,
) -> Response:
    """GET of *url*. Any status is a response; a longer body is cut at ``MAX_BODY``.

    *seconds* replaces ``IN_ALL``. Raises ``Blocked`` or ``Unreachable``.
    """
    return _call("GET", url, settings, resolve, headers=headers, seconds=seconds)


def fetch(url: str, settings: Settings, *, resolve: ResolveHost = resolve_name) -> bytes:
    """The body at *url*.

    Raises ``Blocked``, and ``Unreachable`` for a status other than 200 or a body over ``MAX_BODY``.
    """
    answer = _call("GET", url, settings, resolve)
    if answer.status != 200:
        raise Unreachable(f"answered {answer.status}")
    if len(answer.body) >= MAX_BODY:
        raise Unreachable(f"the answer is longer than {MAX_BODY} bytes")
    return answer.body


def check(url: str, settings: Settings, *, resolve: ResolveHost = resolve_name) -> str:
    """The address that a call to *url* would connect to. Raises ``Blocked`` or ``Unreachable``."""
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


def parse(url: str) -> httpx2.URL:
    """*url* in its parts, if it is a valid address for a call. Raises ``Blocked``."""
    try:
        return web_address(url)
    except ValueError as error:
        raise Blocked(str(error)) from error


def is_public(address: IPAddress) -> bool:
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


def _is_allowed(host: str, address: IPAddress, allow: Sequence[str]) -> bool:
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
    """The certificate authorities of this system, or of ``SSL_CERT_FILE``. Loaded once, because loading takes 15 ms."""
    return httpx2.create_ssl_context()


def _call(
    method: str,
    url: str,
    settings: Settings,
    resolve: ResolveHost,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterator[bytes] | None = None,
    seconds: float | None = None,
) -> Response:
    end = time.monotonic() + (IN_ALL if seconds is None else seconds)
    way = _Way(check(url, settings, resolve=resolve), end)
    sent = [*{"accept-encoding": "identity", "user-agent": "engraft", **(headers or {})}.items()]
    wait = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)}
    with _reading:  # several threads may make the first call at the same time
        authorities = trusted()
    pool = httpcore2.ConnectionPool(ssl_context=authorities, network_backend=way)
    try:
        with pool, pool.stream(method, str(parse(url)), headers=sent, content=body, extensions=wait) as response:
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Response(response.status, told, _read(response))
    except httpcore2.ReadTimeout as error:
        raise Silent("no answer: ReadTimeout") from error
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise Unreachable(f"no answer: {type(error).__name__}") from error


def _read(response: httpcore2.Response) -> bytes:
    """The raw body, cut at ``MAX_BODY``. It is not decoded, so a compressed response cannot grow here."""
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= MAX_BODY:
            return bytes(body[:MAX_BODY])
    return bytes(body)


class _Way(httpcore2.NetworkBackend):
    """Connects to *address*, whatever host the URL names, and at *end* (``time.monotonic``) at the latest."""

    def __init__(self, address: str, end: float) -> None:
        self._address = address
        self._end = end
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 (that is the point)
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """See ``httpcore2.NetworkBackend``."""
        stream = self._network.connect_tcp(self._address, port, timeout, local_address, socket_options)
        return _UntilTheEnd(stream, self._end)


class _UntilTheEnd(httpcore2.NetworkStream):
    """A connection that ends at *end*, even if the other side keeps sending, or takes what is sent slowly."""

    def __init__(self, stream: httpcore2.NetworkStream, end: float) -> None:
        self._stream = stream
        self._end = end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See ``httpcore2.NetworkStream``."""
        return self._stream.read(max_bytes, self._left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See ``httpcore2.NetworkStream``. In pieces, because the time is only looked at before each."""
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """See ``httpcore2.NetworkStream``."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """See ``httpcore2.NetworkStream``."""
        left = self._left(timeout, httpcore2.ConnectTimeout)
        return _UntilTheEnd(self._stream.start_tls(ssl_context, server_hostname, left), self._end)

    def get_extra_info(self, info: str) -> Any:
        """See ``httpcore2.NetworkStream``."""
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, over: type[httpcore2.TimeoutException]) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise over
        return left if timeout is None else min(timeout, left)
