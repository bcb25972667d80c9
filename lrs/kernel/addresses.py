"""What an address on the web must be, wherever somebody gives us one. Calls nobody and looks no name up."""

from __future__ import annotations

import ipaddress
import re

import httpx

_NAME = re.compile(r"(?=.{1,253}\.?$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
"""A host by RFC 1123 2.1, and the underscore that some have."""


def web_address(url: str) -> httpx.URL:
    """*url* in its parts: http or https, a host that there can be, no user name.

    Raises ``ValueError`` that says why it is none. A name in other letters is taken, and is in its IDNA form in
    ``raw_host`` (RFC 5891).
    """
    try:
        parts = httpx.URL(url)
        host = parts.host  # decodes a name that begins with xn--, and may find that it is none
    except (httpx.InvalidURL, TypeError, UnicodeError) as error:
        raise ValueError("not a URL") from error
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError("only https URLs with a host")
    if parts.port is not None and not 0 < parts.port < 65_536:
        raise ValueError("no such port")
    if parts.userinfo:
        raise ValueError("no user name or password in a URL")
    if not (_NAME.fullmatch(parts.raw_host.decode("ascii")) or _is_address(host)):
        raise ValueError("the host has a blank or another sign that no host has, or is too long")
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
