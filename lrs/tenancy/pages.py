"""Where the pages of a tenant are, for links that are sent or printed. Follows from settings, never from a request.

Where no address is set, they are on this machine, at the port of the last server of the data folder.
"""

from __future__ import annotations

from contextlib import suppress

from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import CONTROL, DEFAULT

PORT = 8080
"""Where ``lrs serve`` listens unless told otherwise."""
SERVED = "served-port"
"""The file in the data folder that has the port of its last server: commands and the worker do not know it."""


def note_port(settings: Settings, port: int) -> None:
    """Keeps the *port* at which the server of this data folder listens."""
    with suppress(OSError):  # a folder that cannot be written: links then lead to the usual port
        (settings.data / SERVED).write_text(f"{port}\n", "ascii")


def port_kept(settings: Settings) -> int:
    """The port at which the last server of this data folder listened; the usual one if none did."""
    with suppress(OSError, ValueError):
        return int((settings.data / SERVED).read_text("ascii"))
    return PORT


def pages_address(settings: Settings, tenant: str, port: int | None = None) -> str:
    """The address of the pages of *tenant*, without a slash at its end; on this machine if none is configured.

    Those of the installation (``CONTROL``) are its operator's.
    """
    root = settings.pages_root or f"http://127.0.0.1:{port or port_kept(settings)}"
    if tenant == CONTROL:
        return f"{root}/operator"
    return root if tenant == DEFAULT else f"{root}/t/{tenant}"


def root_of_names(settings: Settings, tenant: str) -> str:
    """What the names begin with that *tenant* gives to activities and accounts: permanent, so it is the public address.

    Without one it is that of a machine that nobody else can reach.
    """
    return f"{(settings.public_url or 'http://localhost').rstrip('/')}/t/{tenant}"
