"""Owes ``issue`` for badges that another issuer signed, or that name a former address. Issues nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from badges.content.awards import credential_uuid, read_award
from badges.credentials.lists import is_current
from badges.credentials.records import ISSUED
from badges.keys.issuer import issuer_of
from lrs.storage import Owed, Tx, each
from lrs.tenancy.tenants import Tenant

AT_ONCE = 500
"""Awards in one commit."""


def renew(tenant: Tenant) -> int:
    """Owes ``issue`` for every held award whose badge is not the present issuer's. Gives their number."""
    former = _former(tenant)
    count = 0
    while some := list(islice(former, AT_ONCE)):
        tenant.store.write(partial(_owe, awards=some)).result()
        count += len(some)
    return count


def _owe(tx: Tx, awards: list[str]) -> None:
    there = tx.get_many("award", awards)
    for award in awards:
        if award in there:
            tx.owe("award", award, Owed("issue"))


def _former(tenant: Tenant) -> Iterator[str]:
    issuer, current = issuer_of(tenant), dict[str, bool]()
    for award in each(tenant.store, "award"):
        held = tenant.store.get("credential", credential_uuid(award.id))
        if held is None or held.meta["state"] != ISSUED or read_award(award.body).state != "held":
            continue
        name = str(held.meta["list"])
        if name not in current:
            current[name] = is_current(tenant, tenant.store, issuer, name)
        if not current[name]:
            yield award.id
