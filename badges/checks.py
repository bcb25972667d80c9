"""Checks badges for anybody: how many at once, how often for one client, and for how long. Knows no page.

A check waits for other people's servers and may compute for half a second, so it is made in threads of its own: the
event loop does not wait, and no lock is held. Nothing that was handed in is kept.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from badges.lookup import outbound_within, resolver, status_lists
from badges.verify import verify
from badges.verifying.containers import MAX_IMAGE
from badges.verifying.verdict import Verdict
from lrs.access.throttle import Throttle
from lrs.kernel.admission import CHECKING, RetryLater
from lrs.tenancy.tenants import Tenant

AT_ONCE = 3
WAITING = 12
"""Checks that are being made or wait for it, in one process."""
OFTEN = (30, 60)
"""Checks for one client address at one tenant, in so many seconds."""
SECONDS = 20.0
"""For all calls of one check together."""
MOST_BYTES = MAX_IMAGE + 64 * 1024
"""Of a request with a badge in it."""


class BadgeChecks:
    """The checks of one process."""

    def __init__(self) -> None:
        self._often = Throttle(*OFTEN)
        self._threads = ThreadPoolExecutor(AT_ONCE, "check")
        self._waiting = 0

    def admit(self, tenant: Tenant, client: str) -> None:
        """Counts one check for *client*, before anything of it is read. Raises ``RetryLater`` (429)."""
        left = self._often.left(tenant.id, client)
        if left is not None:
            raise RetryLater(CHECKING, "That was asked too often from here: try again later.", seconds=left)
        if self._waiting >= WAITING:
            raise RetryLater(CHECKING)
        self._often.note(tenant.id, client)

    async def check(self, tenant: Tenant, content: bytes, address: str) -> Verdict:
        """The verdict on *content*; with an e-mail *address*, also whether it is that person's."""
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _checked, tenant, content, address)
        finally:
            self._waiting -= 1


def _checked(tenant: Tenant, content: bytes, address: str) -> Verdict:
    calls = outbound_within(tenant.settings, SECONDS)
    resolve, fetch = resolver(tenant, calls), status_lists(tenant, calls)
    return verify(content, at=tenant.clock(), resolve=resolve, fetch=fetch, address=address)
