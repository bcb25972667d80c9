"""How often one client may look at the public pages of catalogue and roles, most of which are made for each request."""

from __future__ import annotations

from starlette.requests import Request

from lrs.access.throttle import Throttle
from lrs.kernel.admission import LOOKING, RetryLater
from lrs.tenancy.tenants import Tenant
from lrs.web.origins import client_of

OFTEN = (600, 60)
"""Requests from one address at one tenant, in so many seconds. A proxy is one address: so it is no small number."""


class PublicLooks:
    """The counts of one application."""

    def __init__(self) -> None:
        self._often = Throttle(*OFTEN)

    def admit(self, request: Request, tenant: Tenant) -> None:
        """Counts one request, before anything is read for it. Raises ``RetryLater`` (429)."""
        who = tenant.id, client_of(request)
        left = self._often.left(*who)
        if left is not None:
            raise RetryLater(LOOKING, seconds=left)
        self._often.note(*who)
