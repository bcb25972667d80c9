"""Where the tool is, as platforms are told it, and whether they can reach it. Follows from settings alone.

The addresses are under ``/t/<tenant>/lti``, also for the default tenant: platforms keep them for years.
"""

from __future__ import annotations

from lrs.kernel.addresses import web_address
from lrs.kernel.settings import Settings
from lrs.tenancy.pages import PORT

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
NEEDS_HTTPS = (
    "Learning platforms show this product in a frame, and browsers keep its cookies there only over https. Ask the"
    " operator of this server for an https address."
)
"""For people of an organisation and for learning platforms, who set nothing here."""
FOR_OPERATORS = (
    "Set LRS_PUBLIC_URL to the address at which people reach this server, like https://skills.example.org, and start it"
    " again."
)


def tool_root(settings: Settings, tenant: str, port: int = PORT) -> str:
    """The address in front of all addresses of the tool, without a slash at its end."""
    return f"{settings.pages_root or f'http://localhost:{port}'}/t/{tenant}/lti"


def why_unusable(settings: Settings) -> str:
    """Why no platform can launch this tool: sentences for people who set nothing here; empty if one can.

    Without https it works on this machine only, for a trial.
    """
    root = settings.pages_root
    if root is None:
        return NEEDS_HTTPS
    parts = web_address(root)
    return "" if parts.scheme == "https" or parts.host in _THIS_MACHINE else NEEDS_HTTPS
