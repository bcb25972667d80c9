"""The message for an address where there is nothing: it names the endpoint of xAPI.

Learning platforms ask for an endpoint and append ``statements``, each with its own slashes, capital letters and path.
Does not check whether a tenant exists.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from lrs.kernel.errors import Refused

_OF_TENANT = re.compile(r"/t/[a-z0-9][a-z0-9-]{0,39}(?=/)")


def nowhere(path: str, base: str, resources: Collection[str]) -> Refused:
    """404 for *path* (without a prefix), with the address that was probably meant.

    *base* is in front of every path, *resources* are xAPI's: ``/xAPI/Statements`` at ``https://lrs.example`` probably
    meant ``https://lrs.example/xapi/statements``.
    """
    tenant = _OF_TENANT.match(path)
    endpoint = f"{base}{tenant[0] if tenant else ''}/xapi"
    lower = path.lower().rstrip("/")
    meant = max((one for one in resources if lower.endswith(f"/{one}")), key=len, default="")
    way = f"this resource is {endpoint}/{meant}" if meant else f"statements go to {endpoint}/statements"
    return _not_found(f"there is nothing at this address: the endpoint of xAPI is {endpoint}, {way}; see {base}/docs")


def no_tenant(base: str) -> Refused:
    """404 for a tenant that does not exist."""
    return _not_found(
        f"there is no tenant of this name: the endpoint of xAPI is {base}/xapi, that of a further tenant"
        f" {base}/t/TENANT/xapi"
    )


def _not_found(message: str) -> Refused:
    return Refused(message, status=404, error="not_found")
