"""The path in front of every address of this server: that of ``LRS_PUBLIC_URL``, as in ``https://example.org/engraft``.

A proxy may remove it before it passes a request on, or leave it. Both reach the same address. Everything we send
(links, redirects, paths of cookies, ``more``) has it. Knows no route, only paths.
"""

from __future__ import annotations

import re

from lrs.access.policy.lines import PolicyTable
from lrs.kernel.errors import Misconfigured

_WELL_KNOWN = re.compile(r"/\.well-known/[^/]+")


def own_path(path: str, prefix: str) -> str:
    """*path* as the routes of this server know it, with or without *prefix* in front.

    Metadata of an address with a path stand at ``/.well-known/NAME``, then that path (RFC 8414, 3.1): there the prefix
    is behind the name.
    """
    if not prefix:
        return path
    if (known := _WELL_KNOWN.match(path)) is not None:
        return known[0] + own_path(path[known.end() :], prefix) if path[known.end() :] else path
    if not f"{path}/".startswith(f"{prefix}/"):
        return path
    return path[len(prefix) :] or "/"


def check_prefix(prefix: str, table: PolicyTable) -> str:
    """*prefix*, if no address in *table* begins with it. Raises ``Misconfigured``.

    Such a path would have two meanings, because nobody can see whether a proxy has removed the prefix.
    """
    first = f"{prefix}/".split("/")[1]
    if prefix and first in {"t"} | {pattern.split("/")[1] for _, pattern in table}:
        raise Misconfigured(
            f"LRS_PUBLIC_URL: its path begins with /{first}, as addresses of this server do: choose another one, like"
            " https://example.org/engraft"
        )
    return prefix
