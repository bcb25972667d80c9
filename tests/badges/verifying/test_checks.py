"""Checks for anybody: where they are made, and that no client takes all of them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from badges.verifying.checks import SHARE, SHARE_WAITING, BadgeChecks, network_of
from lrs.kernel.admission import RetryLater

ONE, OTHER = "192.0.2.1", "192.0.2.2"


class Slow:
    """Badges that are handed over only when they are let go. Remembers in which threads that was."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.threads: list[str] = []
        self._begun = threading.Semaphore(0)

    def __call__(self) -> tuple[bytes, str]:
        self.threads.append(threading.current_thread().name)
        self._begun.release()
        self.let_go.wait(10)
        return b"{}", ""

    async def has_begun(self, count: int) -> None:
        for _ in range(count):
            assert await asyncio.to_thread(self._begun.acquire, timeout=10)


def test_one_client_holds_a_share_of_the_threads_and_another_one_is_still_served(issued):
    async def story() -> None:
        checks, slow = BadgeChecks(), Slow()
        mine = [asyncio.ensure_future(checks.check(issued, ONE, slow)) for _ in range(SHARE_WAITING)]
        await slow.has_begun(SHARE)

        theirs = await checks.check(issued, OTHER, lambda: (b"nonsense", ""))
        with pytest.raises(RetryLater):
            checks.admit(issued, ONE)
        with pytest.raises(RetryLater):
            await checks.check(issued, ONE, slow)

        assert (theirs.checks[0].code, len(slow.threads)) == ("not_json", SHARE)
        slow.let_go.set()
        await asyncio.gather(*mine)
        checks.admit(issued, ONE)
        assert all(name.startswith("check") for name in slow.threads)

    asyncio.run(story())


def test_whoever_goes_away_holds_their_share_until_the_check_is_made(issued):
    async def story() -> None:
        checks, slow = BadgeChecks(), Slow()
        mine = [asyncio.ensure_future(checks.check(issued, ONE, slow)) for _ in range(SHARE_WAITING)]
        await slow.has_begun(SHARE)
        for one in mine:
            one.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

        with pytest.raises(RetryLater):
            await checks.check(issued, ONE, slow)

        slow.let_go.set()

    asyncio.run(story())


def test_a_line_of_ipv6_is_one_client():
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert (network_of(ONE), network_of("")) == (ONE, "")
