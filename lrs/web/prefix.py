"""The path in front of every address of this server: that of ``LRS_PUBLIC_URL``, like ``https://example.org/engraft``.

A proxy may take it off before it passes a request on, or leave it: both reach the same address. What is sent out
(links, redirects, paths of cookies, ``more``) always has it. Knows no route, only their paths.
"""

from __future__ import annotations

from lrs.access.policy_lines import PolicyTable
from lrs.kernel.errors import Misconfigured


def own_path(path: str, prefix: str) -> str:
    """*path* as this server's routes know it, whether or not *prefix* still stands in front."""
    if not prefix or not f"{path}/".startswith(f"{prefix}/"):
        return path
    return path[len(prefix) :] or "/"


def check_prefix(prefix: str, table: PolicyTable) -> str:
    """*prefix*, if no address in *table* begins as it does. Raises ``Misconfigured``.

    Such a path would have two meanings, for nobody can see whether a proxy has taken the prefix off.
    """
    first = f"{prefix}/".split("/")[1]
    if prefix and first in {"t"} | {pattern.split("/")[1] for _, pattern in table}:
        raise Misconfigured(
            f"LRS_PUBLIC_URL: its path begins with /{first}, as addresses of this server do: choose another one, like"
            " https://example.org/engraft"
        )
    return prefix
