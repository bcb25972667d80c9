"""The path in front of every address of this server: that of ``LRS_PUBLIC_URL``, like ``https://example.org/engraft``.

A proxy may take it off before it passes a request on, or leave it: both reach the same address. What is sent out
(links, redirects, paths of cookies, ``more``) always has it. Knows no route, only their paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lrs.kernel.errors import Misconfigured

_OF_XAPI = {"xapi", "t"}


def own_path(path: str, prefix: str) -> str:
    """*path* as this server's routes know it, whether or not *prefix* still stands in front."""
    if not prefix or not f"{path}/".startswith(f"{prefix}/"):
        return path
    return path[len(prefix) :] or "/"


def check_prefix(prefix: str, routes: list[Any]) -> str:
    """*prefix*, if no address of *routes* begins as it does. Raises ``Misconfigured``.

    Such a path would have two meanings, for nobody can see whether a proxy has taken the prefix off.
    """
    first = f"{prefix}/".split("/")[1]
    if first in _OF_XAPI | {path.split("/")[1] for path in _paths(routes)} and prefix:
        raise Misconfigured(
            f"LRS_PUBLIC_URL: its path begins with /{first}, as addresses of this server do: choose another one, like"
            " https://example.org/engraft"
        )
    return prefix


def _paths(routes: list[Any]) -> Iterator[str]:
    for route in routes:
        for part in route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]:
            yield part.path
