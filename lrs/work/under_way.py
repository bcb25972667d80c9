"""A step that goes on in other threads while its lane does something else. Knows no step."""

from __future__ import annotations

import time
from collections.abc import Sequence

from lrs.kernel.times import SECOND
from lrs.storage import Claim
from lrs.tenancy.tenants import Tenant
from lrs.work.step import ALONE, Failures, Step, UnderWay, failed, give_up_lost

SHARE = 20
"""A look that found nothing to begin is followed by the next after so many times the seconds that it took.

It takes long where much is due that cannot be begun now.
"""


class Aside:
    """What is *under_way* of one step for one tenant, and the entry among it whose worker died."""

    def __init__(self, name: str, step: Step, under_way: UnderWay) -> None:
        self.under_way = under_way
        self._name = name
        self._step = step
        self._lost: Claim | None = None
        self._look = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether something was begun and is not settled."""
        return bool(self.under_way.claims)

    def run(self, tenant: Tenant) -> tuple[int, bool]:
        """Stores what has ended, and begins what there is room for. Gives how many, and whether there may be more."""
        self._put_down(tenant)
        begun = time.monotonic()
        if begun < self._look and self.is_busy:
            return 0, False
        limit, without = self.under_way.room(tenant)
        more = self._begin(tenant, limit, without) + self._begin_lost(tenant, without) if limit else 0
        if not more:
            self._look = time.monotonic() + SHARE * (time.monotonic() - begun)
            self.under_way.rest(tenant)
        return more, more > 0

    def wind_down(self, tenant: Tenant) -> None:
        """Hands back what was not begun, and stores what has ended. Waits for nothing."""
        self.under_way.release(tenant)
        self._put_down(tenant)
        if not self.is_busy:
            self.under_way.rest(tenant)

    def _begin(self, tenant: Tenant, limit: int, without: Sequence[int]) -> int:
        until = self._until(tenant)
        claims = tenant.store.claim(
            [self._name], limit=limit, lease=self._step.lease * SECOND, oldest=True, without=without
        )
        if claims:
            self._fail(tenant, self.under_way.begin(tenant, claims, until))
        return len(claims)

    def _begin_lost(self, tenant: Tenant, without: Sequence[int]) -> int:
        """Begins one entry whose worker died, if none is run in this process."""
        if not ALONE.take(self):
            return 0
        until = self._until(tenant)
        try:
            claim = tenant.store.claim_lost([self._name], lease=self._step.lease * SECOND, without=without)
            if claim and claim.owed.tries < self._step.tries:
                self._lost = claim
                self._fail(tenant, self.under_way.begin(tenant, [claim], until))
            elif claim:
                give_up_lost(tenant, self._step, claim)
            return 1 if claim else 0
        finally:
            self._give_if_done()

    def _put_down(self, tenant: Tenant) -> None:
        self._fail(tenant, self.under_way.put_down(tenant))
        self._give_if_done()

    def _give_if_done(self) -> None:
        """Lets others run an entry whose worker died, unless one is under way here."""
        if self._lost and self._lost.token not in {claim.token for claim in self.under_way.claims}:
            self._lost = None
        if self._lost is None:
            ALONE.give(self)

    def _fail(self, tenant: Tenant, failures: Failures) -> None:
        for claim, error in failures:
            failed(tenant, self._step, claim, error)

    def _until(self, tenant: Tenant) -> int:
        return tenant.clock() + self._step.lease * SECOND
