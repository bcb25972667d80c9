"""Checks a URL that somebody gives us. Makes no call and resolves no name."""

from __future__ import annotations

import ipaddress
import re

import httpx2

_NAME = re.compile(r"(?=.{1,253}\.?$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
"""A host name by RFC 1123 2.1; underscores are accepted as well, because some hosts have them."""


def web_address(url: str) -> httpx2.URL:
    """The parts of *url*, which must have the scheme http or https, a valid host, and no user name or password.

    Raises ``ValueError``; its text says what is wrong. A host name in other letters is accepted; ``raw_host`` has its
    IDNA form (RFC 5891).
    """
    try:
        parts = httpx2.URL(url)
        host = parts.host
    except (httpx2.InvalidURL, TypeError, UnicodeError) as error:
        raise ValueError("not a URL") from error
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError("only https URLs with a host")
    if parts.port is not None and not 0 < parts.port < 65_536:
        raise ValueError("no such port")
    if parts.userinfo:
        raise ValueError("no user name or password in a URL")
    if "xn--" in host:  # what can be decoded is shown in its own letters
        raise ValueError("not a URL")
    if not (_NAME.fullmatch(parts.raw_host.decode("ascii")) or _is_address(host)):
        raise ValueError("the host has a blank or another sign that no host has, or is too long")
    return parts


def origin(address: str) -> str:
    """The origin of *address* as a browser writes it; empty if it has none."""
    try:
        parts = web_address(address)
    except ValueError:
        return ""
    host = parts.raw_host.decode("ascii").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
