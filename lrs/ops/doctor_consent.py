"""The part of ``lrs doctor`` about consent: whether learners are told who asks them, and who keeps the record."""

from __future__ import annotations

from collections.abc import Iterator

from lrs.matching import services
from lrs.matching.services import Service
from lrs.ops.doctor import Finding
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import Tenant


def of_consent(tenant: Tenant) -> Iterator[Finding]:
    """Whether learners who are asked for consent are told who asks, and who keeps the record."""
    active = [one for one in services.everyone(tenant.store) if one.active]
    if active and (lacks := _lacking(tenant.record)):
        message = f"learners are not told the organisation's {lacks}: lrs tenants set {tenant.id} sets it"
        yield Finding("consent", "warning", message)
    for one in active:
        if lacks := _lacking(one):
            message = f"learners are not told its {lacks}: lrs services set {one.id} sets it"
            yield Finding(f"consent {one.id}", "warning", message)


def _lacking(asks: TenantRecord | Service) -> str:
    """What is not known of who asks, or who keeps the record."""
    told = {"name": asks.name, "contact": asks.contact, "privacy notice": asks.privacy_notice}
    return " and ".join(name for name, value in told.items() if not value)
