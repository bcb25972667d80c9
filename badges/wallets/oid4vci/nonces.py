"""Nonces for key proofs: anybody can ask for one, and each is good for one proof, for ``LASTS``.

One that is given out is not stored: it carries its time, under a MAC. One that is used is, until its time is over; so
asking for nonces fills no store. Source: OpenID4VCI 1.0, 7. kind ``badge-nonce``: one that was used.
"""

from __future__ import annotations

import secrets

from badges.wallets.oid4vci.refusals import WalletRefused
from lrs.kernel.sealed import NotOurs, digest_of, seal, unseal
from lrs.kernel.times import MINUTE
from lrs.storage import Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = "badge-nonce"
LASTS = 5 * MINUTE


def make(tenant: Tenant) -> str:
    """A new nonce."""
    return seal(tenant.secret(KIND), (secrets.token_urlsafe(12), tenant.clock() + LASTS))


def use(tx: Tx, tenant: Tenant, nonce: str) -> None:
    """Uses *nonce* with this commit. Raises ``Refused`` for one that is not ours, too old, or used."""
    now = tenant.clock()
    try:
        _, until = unseal(tenant.secret(KIND), nonce, tuple[str, int])
    except NotOurs:
        until = 0
    id = digest_of(nonce)
    if until <= now or tx.get(KIND, id) is not None:
        raise WalletRefused(
            "invalid_nonce", "The nonce is unknown, too old or was used. Ask the nonce endpoint for one."
        )
    tx.insert(Record(KIND, id, meta={"until": until}))


KINDS = (
    Kind(
        KIND,
        "working",
        subjects=None,
        retention="operational",
        exported=False,
        ends=lambda record: int(record.meta["until"]),
    ),
)
