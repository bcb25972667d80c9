"""The hosts of uploaded content, as ``LRS_CONTENT_URL`` names them: one for all tenants, or one for each. Pure.

To a browser a host is a stranger to another one: each has cookies, storage and caches of its own, and reads nothing
of the other (RFC 6454). So with ``{tenant}`` in the address, content of one tenant cannot reach that of another.
"""

from __future__ import annotations

import re

from lrs.kernel.addresses import web_address

TENANT = "{tenant}"
_ONE = "tenant"
_FIRST_LABEL = re.compile(r"https?://\{tenant\}\.[^{}]+")
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]*")


def as_example(url: str) -> str:
    """*url* with a tenant's name in it, to be checked as an address. Raises ``ValueError`` for a mark elsewhere."""
    if TENANT in url and not _FIRST_LABEL.fullmatch(url):
        raise ValueError("{tenant} must be the first part of the host, like https://{tenant}.content.example.org")
    return url.replace(TENANT, _ONE)


def origin_for(url: str, tenant: str) -> str:
    """The origin of the content of *tenant*."""
    return url.replace(TENANT, tenant)


def is_content_host(url: str, host: str) -> bool:
    """Whether *host*, in small letters and without a port, serves content: of whichever tenant."""
    known = web_address(as_example(url)).host.lower()
    if TENANT not in url:
        return host == known
    rest = known.removeprefix(_ONE)
    return host.endswith(rest) and _LABEL.fullmatch(host.removesuffix(rest)) is not None


def beside(pages: str) -> str:
    """An address that could serve content where people reach the pages at *pages*, which may have a path.

    On one's own machine that is its other name, with the same port: a browser takes them for two hosts. Elsewhere it is
    a name that has to be made.
    """
    parts = web_address(pages)
    host = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(parts.host.lower(), f"content.{parts.host}")
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def settings_for(pages: str, *, is_set: bool) -> list[str]:
    """The settings by which packages are served; *is_set*: the address of the *pages* is a setting already."""
    parts = web_address(pages)
    own = f"{parts.scheme}://{parts.host}" + (f":{parts.port}" if parts.port else "")
    return [*([] if is_set else [f"LRS_PAGES_URL={own}"]), f"LRS_CONTENT_URL={beside(pages)}"]
