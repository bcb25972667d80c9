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
