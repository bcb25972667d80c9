"""Whether staff noted a learner as under age, so that the learner's own consent is not enough.

Knows no consent and no page.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lrs.kernel.times import SECOND
from lrs.people.minors import is_minor
from lrs.storage import Reader
from lrs.tenancy.tenants import Tenant


def is_under_age(tenant: Tenant, reader: Reader, members: Iterable[str], at: int) -> bool:
    """Whether one of *members*, who are joined, is noted so *at* that time. Never if the tenant asks no guardian."""
    return tenant.record.guardian_age is not None and is_minor(reader, members, _day(tenant, at))


def _day(tenant: Tenant, at: int) -> date:
    """The day *at* that time (microseconds UTC) in the zone of *tenant*."""
    return datetime.fromtimestamp(at / SECOND, ZoneInfo(tenant.settings.zone)).date()
