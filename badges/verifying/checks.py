"""Checks badges for anybody: how many at once, how often for one client, and for how long. Knows no page.

A check waits for other people's servers and may compute for half a second, so it is made in threads of its own: the
event loop does not wait, and no lock is held. Nothing that was handed in is kept.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from badges.verifying.containers import MAX_IMAGE
from badges.verifying.lookup import outbound_within, resolver, status_lists
from badges.verifying.verdict import Verdict
from badges.verifying.verify import verify
from lrs.access.throttle import Throttle
from lrs.kernel.admission import CHECKING, RetryLater
from lrs.tenancy.tenants import Tenant

AT_ONCE = 4
WAITING = 12
"""Checks that are being made or wait for it, in one process."""
SHARE, SHARE_WAITING = 2, 6
"""The same for one client: at once, and with those that wait."""
OFTEN = (30, 60)
"""Checks for one client address at one tenant, in so many seconds."""
SECONDS = 8.0
"""For all calls of one check together."""
MOST_BYTES = MAX_IMAGE + 64 * 1024
"""Of a request with a badge in it."""
Take = Callable[[], tuple[bytes, str]]
"""Gives what is to be checked and an e-mail address, or an empty text. Called in the thread of the check."""


@dataclass(slots=True)
class _Client:
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SHARE))
    waiting: int = 0


class BadgeChecks:
    """The checks of one process."""

    def __init__(self) -> None:
        self._often = Throttle(*OFTEN)
        self._threads = ThreadPoolExecutor(AT_ONCE, "check")
        self._waiting = 0
        self._clients: dict[str, _Client] = {}

    def admit(self, tenant: Tenant, client: str) -> None:
        """Counts one check for *client*, before anything of it is read. Raises ``RetryLater`` (429)."""
        left = self._often.left(tenant.id, client)
        if left is not None:
            raise RetryLater(CHECKING, "That was asked too often from here: try again later.", seconds=left)
        self._check_room(client)
        self._often.note(tenant.id, client)

    async def check(self, tenant: Tenant, client: str, take: Take) -> Verdict:
        """The verdict on what *take* gives; with an e-mail address, also whether it is that person's.

        Whoever goes away before it is made holds their share until it is. Raises ``RetryLater`` (429), and what *take*
        raises.
        """
        self._check_room(client)
        return await asyncio.shield(asyncio.ensure_future(self._made(tenant, client, take)))

    def _check_room(self, client: str) -> None:
        mine = self._clients.get(network_of(client))
        if self._waiting >= WAITING or (mine is not None and mine.waiting >= SHARE_WAITING):
            raise RetryLater(CHECKING)

    async def _made(self, tenant: Tenant, client: str, take: Take) -> Verdict:
        network = network_of(client)
        mine = self._clients.setdefault(network, _Client())
        self._waiting += 1
        mine.waiting += 1
        try:
            async with mine.turn:
                return await asyncio.get_running_loop().run_in_executor(self._threads, _checked, tenant, take)
        finally:
            self._waiting -= 1
            mine.waiting -= 1
            if not mine.waiting:
                del self._clients[network]


def network_of(client: str) -> str:
    """What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that one line is given."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else client


def _checked(tenant: Tenant, take: Take) -> Verdict:
    content, address = take()
    calls = outbound_within(tenant.settings, SECONDS)
    resolve, fetch = resolver(tenant, calls), status_lists(tenant, calls)
    return verify(content, at=tenant.clock(), resolve=resolve, fetch=fetch, address=address)
