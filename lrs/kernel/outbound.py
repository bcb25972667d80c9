"""Every outbound call to an address that somebody else chose goes through this module. Knows no purpose of a call.

It resolves the name, checks every address, and connects to exactly the address that was checked, so a second answer of
the resolver has no effect. It follows no redirect, reads at most ``MAX_BODY`` and waits at most ``SECONDS`` for each
part. A call may leave its connection open for the next one to the same place, which then needs no look-up: see
``KeptConnections`` for how long. Source: OWASP Server-Side Request Forgery Prevention; Standard Webhooks, "SSRF".
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import httpcore2
import httpx2

from lrs.kernel.addresses import web_address
from lrs.kernel.connections import CheckedAddress, Deadline, KeptConnections, Opened
from lrs.kernel.settings import MIB, Settings
from lrs.kernel.unreached import why

SECONDS = 5.0
"""For each part of a call: connecting, sending, waiting for the next bytes of the response."""

IN_ALL = 15.0
"""Seconds for the whole call, so that a response that comes one byte at a time ends too."""

MAX_BODY = MIB
_reading = threading.Lock()
_kept = KeptConnections()
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
    """Posts *body* to *url*, over a connection of its own. Any status is a response, cut at ``MAX_BODY``.

    A *body* in parts needs its length in *headers*. *seconds* replaces ``IN_ALL`` as the limit for the whole call.
    Raises ``Blocked`` or ``Unreachable``.
    """
    return _call("POST", url, settings, resolve, headers=headers, body=body, seconds=seconds)


def post_again(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> Response:
    """As ``post``, over a connection that an earlier call has left open, and leaves its own open.

    For calls that may arrive twice: if the other side has just closed the connection, the call is made once more.
    """
    return _call("POST", url, settings, resolve_name, headers=headers, body=body, keep=True)


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
    keep: bool = False,
) -> Response:
    end = time.monotonic() + (IN_ALL if seconds is None else seconds)
    target = parse(url)
    sent = [*{"accept-encoding": "identity", "user-agent": "engraft", **(headers or {})}.items()]
    request = _Request(method, str(target), sent, body, end)
    place = (target.scheme, target.host, target.port, settings.outbound_allow) if keep else None
    try:
        if place is not None and (answer := _over_a_kept_one(request, place)) is not None:
            return answer
        return _exchange(request, _opened(check(url, settings, resolve=resolve), end), place)
    except httpcore2.ReadTimeout as error:
        raise Silent("no answer: it did not answer in time") from error
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise Unreachable(f"no answer: {why(error)}") from error


class _Request(NamedTuple):
    """One request, and when its call ends (``time.monotonic``)."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | Iterator[bytes] | None
    end: float


def _opened(address: str, end: float) -> Opened:
    """A pool that connects to *address* when it is first used."""
    with _reading:  # several threads may make the first call at the same time
        authorities = trusted()
    deadline = Deadline(end)
    pool = httpcore2.ConnectionPool(
        ssl_context=authorities, max_connections=1, network_backend=CheckedAddress(address, deadline)
    )
    return Opened(pool, deadline)


def _over_a_kept_one(request: _Request, place: Hashable) -> Response | None:
    """The answer over a connection that was left open; ``None`` if there is none, or if it turned out to be closed."""
    one = _kept.take(place)
    if one is None:
        return None
    try:
        return _exchange(request, one, place)
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        return None


def _exchange(request: _Request, over: Opened, place: Hashable) -> Response:
    """One request and its answer; then the connection is kept for *place*, or closed if that is ``None``."""
    over.deadline.at = request.end
    wait = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)}
    method, url, headers, body, _ = request
    try:
        with over.pool.stream(method, url, headers=headers, content=body, extensions=wait) as response:
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            answer = Response(response.status, told, _read(response))
    except BaseException:
        over.pool.close()
        raise
    if place is None:
        over.pool.close()
    else:
        _kept.give(place, over)
    return answer


def _read(response: httpcore2.Response) -> bytes:
    """The raw body, cut at ``MAX_BODY``. It is not decoded, so a compressed response cannot grow here."""
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= MAX_BODY:
            return bytes(body[:MAX_BODY])
    return bytes(body)
