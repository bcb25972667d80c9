"""What is wrong with the head of a request by the rules of RFC 9112. Pure; knows no connection."""

from __future__ import annotations

import re

from lrs.kernel.errors import Refused

_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]{0,5})?")
"""A host by RFC 3986 3.2.2, without the comma with which a proxy joins two."""


def head_fault(version: str, hosts: list[bytes], codings: list[bytes]) -> Refused | None:
    """The fault in a head of HTTP *version* with these values of ``Host`` and ``Transfer-Encoding``, if there is one.

    Source: RFC 9112 3.2, 6.1; RFC 9110 15.6.6.
    """
    if version not in {"1.1", "1.0"}:
        return Refused("this server speaks HTTP/1.1", status=505, error="http_version")
    if len(hosts) != 1 and not (version == "1.0" and not hosts):
        return Refused(f"header Host {'was sent twice' if hosts else 'is missing'}: send it once")
    if hosts and not _HOST.fullmatch(hosts[0]):
        return Refused("header Host is no host: send the name or address of this server, and its port")
    if codings and version == "1.0":
        return Refused("HTTP/1.0 has no Transfer-Encoding: send a Content-Length")
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        return Refused("the only known transfer coding is chunked", status=501, error="not_implemented")
    return None
