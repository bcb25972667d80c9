"""The one way out: every call to an address that somebody else chose goes through here.

Resolve, check every address, connect to exactly the address that was checked (so a second answer of the resolver has
no effect), follow no redirect, read no more than ``MAX_BODY``, wait no longer than ``SECONDS`` for any part. What a
call is for, it does not know. Source: OWASP Server-Side Request Forgery Prevention; Standard Webhooks, "SSRF".
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from lrs.settings import MIB, Settings

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
    url: str, body: bytes, headers: Mapping[str, str], settings: Settings, *, resolve: Resolve = resolve_name
) -> Answer:
    """Posts *body* to *url*; any status is an answer, and a longer answer is cut at ``MAX_BODY``.

    Raises ``Blocked`` or ``Unreachable``.
    """
    return _call("POST", url, settings, resolve, headers=headers, body=body)


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
        target = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise Blocked("not a URL") from error
    if target.scheme not in {"https", "http"} or not target.host:
        raise Blocked("only https URLs with a host")
    if target.port is not None and not 0 < target.port < 65_536:
        raise Blocked("no such port")
    if target.userinfo:
        raise Blocked("no user name or password in a URL")
    return target


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
    body: bytes | None = None,
) -> Answer:
    address = check(url, settings, resolve=resolve)
    target = parse(url)
    pinned = target.copy_with(host=address)
    sent = {"accept-encoding": "identity", "user-agent": "engraft", **(headers or {}), "host": target.netloc.decode()}
    cut = _Cut()
    extensions: dict[str, Any] = {"sni_hostname": target.raw_host.decode(), "trace": cut.trace}
    with _reading:  # the first calls may come at the same time
        authorities = trusted()
    client = httpx.Client(verify=authorities, trust_env=False, follow_redirects=False, timeout=SECONDS)
    try:
        with cut, client, client.stream(method, pinned, headers=sent, content=body, extensions=extensions) as response:
            return Answer(response.status_code, dict(response.headers), _read(response))
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise Unreachable(f"no answer: {type(error).__name__}") from error


def _read(response: httpx.Response) -> bytes:
    """The raw body, cut at ``MAX_BODY``; undecoded, so a compressed answer cannot grow here."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) >= MAX_BODY:
            return bytes(body[:MAX_BODY])
    return bytes(body)


class _Cut:
    """Hangs up after ``IN_ALL`` seconds; httpx only limits the wait for the next bytes."""

    def __init__(self) -> None:
        self._stream: Any = None
        self._timer = threading.Timer(IN_ALL, self._hang_up)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore as the call goes on; keeps the newest connection."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._stream = info["return_value"]

    def _hang_up(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
