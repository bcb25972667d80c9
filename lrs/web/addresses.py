"""Finds the line of the table of rights for a path, and checks that each route has its line.

A pattern applies at the root and behind ``/t/<tenant>``, except patterns that begin with ``/t/{tenant}``, and those of
the server and of a tenant's metadata at the root. Of the framework it knows only the shape of its lists of routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from lrs.access.policy.lines import PolicyTable
from lrs.access.policy.table import OF_SERVER, OF_TENANT
from lrs.tenancy.tenants import DEFAULT, TENANT_ID
from lrs.web.exchange import RequestPlace

_TENANT = re.compile(r"(/t/([a-z0-9][a-z0-9-]{0,39}))(/.*)?", re.DOTALL)
_PART = re.compile(r"\{(\w+)(:path)?\}")


def _any(part: re.Match[str]) -> str:
    return rf"(?P<{part[1]}>.*)" if part[2] else rf"(?P<{part[1]}>[^/]+)"


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(_PART.sub(_any, pattern), re.DOTALL)


class _Patterns:
    """Patterns of paths, as in Starlette's routes: a part in braces stands for anything without a slash.

    With ``:path`` it stands for anything at all.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._plain = set()
        self._others = []
        for pattern in sorted(patterns):
            if "{" in pattern:
                self._others.append((pattern.partition("{")[0], pattern))
            else:
                self._plain.add(pattern)

    def match(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The pattern that matches *path*, and the values of its named parts."""
        if path in self._plain:
            return path, {}
        for begin, pattern in self._others:
            if path.startswith(begin) and (found := _expression(pattern).fullmatch(path)) is not None:
                return pattern, found.groupdict()
        return None


class Addresses:
    """The patterns of *table*, by where they apply."""

    def __init__(self, table: PolicyTable) -> None:
        patterns = {pattern for _, pattern in table}
        named = {pattern for pattern in patterns if pattern.startswith(OF_TENANT)}
        self._named = _Patterns(named)
        self._anywhere = _Patterns(patterns - named - OF_SERVER - _well_known(patterns - named))
        self._at_root = _Patterns(patterns - named)

    def place(self, path: str) -> RequestPlace:
        """The place of *path*, without a proxy's prefix.

        Nothing if *path* ends in a line end, which the framework would ignore.
        """
        if path.endswith("\n"):
            return RequestPlace()
        in_tenant = _TENANT.fullmatch(path)
        if in_tenant is None:
            pattern, named = self._at_root.match(path) or ("", {})
            tenant = named.get("tenant", DEFAULT)
            if not TENANT_ID.fullmatch(tenant):
                return RequestPlace()
            return RequestPlace(tenant, "", pattern, pattern or "other", named)
        base, tenant, rest = in_tenant.groups()
        if (found := self._named.match(path)) is not None:
            return RequestPlace(tenant, "", found[0], found[0], found[1])
        if (found := self._anywhere.match(rest or "")) is not None:
            return RequestPlace(tenant, base, found[0], found[0], found[1])
        # the framework redirects to the path with a slash more or less
        other = rest.rstrip("/") if rest and rest.endswith("/") else f"{rest or ''}/"
        return RequestPlace(tenant, base if self._anywhere.match(other) else "")


def _well_known(patterns: Iterable[str]) -> set[str]:
    """Those that end with the tenant, ``/.well-known/NAME/t/{tenant}`` (RFC 8615): they hold only at the root."""
    return {pattern for pattern in patterns if pattern.endswith(OF_TENANT)}


def operations(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of each of the framework's *routes*."""
    return ((method, route.path) for route in routes for method in route.methods - {"HEAD"})


def check(table: PolicyTable, found: Iterable[tuple[str, str]]) -> None:
    """Raises ``LookupError`` if a method and path in *found* has no line in *table*, or a line has no route."""
    there = set(found)
    if there - table.keys():
        raise LookupError(f"no line in the table of rights for {sorted(there - table.keys())}")
    if table.keys() - there:
        raise LookupError(f"a line in the table of rights, but no route: {sorted(table.keys() - there)}")
