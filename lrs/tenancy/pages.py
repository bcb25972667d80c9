"""Where the pages of a tenant are, for links that are sent or printed. Follows from settings alone, never a request."""

from __future__ import annotations

from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import CONTROL, DEFAULT

PORT = 8080
"""Where ``lrs serve`` listens unless told otherwise."""


def pages_address(settings: Settings, tenant: str, port: int = PORT) -> str:
    """The address of the pages of *tenant*, without a slash at its end; on this machine if none is configured.

    Those of the installation (``CONTROL``) are its operator's.
    """
    root = settings.pages_root or f"http://127.0.0.1:{port}"
    if tenant == CONTROL:
        return f"{root}/operator"
    return root if tenant == DEFAULT else f"{root}/t/{tenant}"


def root_of_names(settings: Settings, tenant: str) -> str:
    """What the names begin with that *tenant* gives to activities and accounts: permanent, so it is the public address.

    Without one it is that of a machine that nobody else can reach.
    """
    return f"{(settings.public_url or 'http://localhost').rstrip('/')}/t/{tenant}"
