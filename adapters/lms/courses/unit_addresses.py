"""The addresses of units in a package: whether one can be launched, and which file of the package it names. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

AddressFault = Literal["form", "scheme", "taken", "alone", "missing"]
"""It is no URL; not http; it has the name of a parameter that the launch adds; relative without files; no such file."""
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
"""The characters of RFC 3986, which RFC 1738 became."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SAFE = "-._~:/?#[]@!$&'()*+,;=%"


def fault_of(url: str, files: Collection[str] | None, taken: Collection[str]) -> tuple[AddressFault, str] | None:
    """What is wrong with *url*, and in words; ``None`` if it can be launched.

    *files* are the paths in its package, ``None`` if there is no package; *taken* the parameters that a launch adds.
    """
    scheme = _SCHEME.match(url)
    if not _URL.fullmatch(url) or not _is_address(url):
        return "form", f"{url[:200]!r} is no URL: blanks and such are written as %20"
    own = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)} & {*taken}
    if own:
        return "taken", f"the query has the parameter {min(own)}, which the launch adds itself"
    if scheme is not None:
        is_web = scheme[1].lower() in {"http", "https"}
        return None if is_web else ("scheme", "only http and https addresses can be launched")
    if files is None:
        return "alone", "the address is relative, and a structure without a package has no files"
    if path_of(url) not in files:
        return "missing", f"{path_of(url)[:200]!r} is not in the package"
    return None


def written_out(url: str) -> str:
    """*url* with what may not stand in an address as ``%20`` and so on: authoring tools write blanks and umlauts."""
    return quote(url, safe=_SAFE)


def path_of(url: str) -> str:
    """The path of a file that the relative *url* names in its package."""
    return unquote(url.partition("#")[0].partition("?")[0])


def _is_address(url: str) -> bool:
    """Whether *url* can be taken apart, and has a host if it has a scheme."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme in {"http", "https"} else True
