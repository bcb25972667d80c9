"""Opens a tenant when it is needed. One that cannot be opened is not tried again for some seconds."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import structlog

from lrs.kernel.admission import TENANT, RetryLater
from lrs.kernel.settings import Settings
from lrs.storage import Clock
from lrs.tenancy.control import Control
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import UNREADABLE, Tenant, open_tenant

AGAIN_AFTER = 30.0
"""Seconds after which a tenant that could not be opened is tried again."""

_log = structlog.get_logger()


class TenantUnusable(RetryLater):
    """A tenant's store cannot be opened. The message for a caller names no file; *reason*, for the operator, does."""

    def __init__(self, tenant: str, reason: str) -> None:
        super().__init__(TENANT, seconds=round(AGAIN_AFTER))
        self.tenant = tenant
        self.reason = reason


class Opener:
    """Opens tenants by *settings* and their records, and knows which could not be opened.

    The reason is logged once, from ``tell`` on.
    """

    def __init__(self, settings: Settings, control: Control, clock: Clock) -> None:
        self._settings = settings
        self._control = control
        self._clock = clock
        # These are never raised: an exception that is raised again keeps the frames of every raise in memory.
        self._unusable: dict[str, tuple[TenantUnusable, float]] = {}
        self._tells = False

    def open(self, tenant: str, record: TenantRecord) -> Tenant:
        """The tenant with this *record*. Raises ``TenantUnusable``."""
        known, again = self._unusable.get(tenant, (None, 0.0))
        if known and time.monotonic() < again:
            raise TenantUnusable(tenant, known.reason) from known.__cause__
        try:
            opened = open_tenant(
                record.decided.settings(self._settings),
                tenant,
                clock=self._clock,
                committed=partial(self._control.due.committed, tenant),
            )
        except UNREADABLE as error:
            unusable = TenantUnusable(tenant, str(error))
            unusable.__cause__ = error
            if self._tells and (known is None or known.reason != unusable.reason):
                _tell(unusable)
            self._unusable[tenant] = (unusable, time.monotonic() + AGAIN_AFTER)
            raise TenantUnusable(tenant, unusable.reason) from error
        self._unusable.pop(tenant, None)
        return replace(opened, record=record)

    def unusable(self) -> list[TenantUnusable]:
        """The tenants that could not be opened when they were last needed."""
        return [error for error, _ in list(self._unusable.values())]

    def tell(self) -> None:
        """Logs which tenants could not be opened so far, and from now on each new one."""
        if not self._tells:
            self._tells = True
            for one in self.unusable():
                _tell(one)


def _tell(one: TenantUnusable) -> None:
    _log.error("a tenant cannot be opened; the others are served", tenant=one.tenant, reason=one.reason)
