"""Gives a badge to a wallet: the badge anew with the wallet's DID as its subject, under its id, in one commit.

Signing is done before the decision, which writes if nothing changed meanwhile; otherwise it is done again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec

from badges.achievements import counts
from badges.credentials.records import ISSUED
from badges.held import holders, stops
from badges.held.holders import BadgeHolder
from badges.issuing.desk import Desk
from badges.issuing.issue import ATTEMPTS, BadgeChange, change_of, write_change
from badges.keys.issuer import issuer_of
from lrs.kernel.errors import Refused
from lrs.people import persons
from lrs.storage import Record, Stale, Tx
from lrs.tenancy.tenants import Tenant


class HandOver(msgspec.Struct, frozen=True):
    """Which *badge* (id) goes to which *did*, and by what *way*. *also* is decided in the same commit."""

    tenant: Tenant
    badge: str
    did: str
    way: str
    also: Callable[[Tx], None]

    def done(self) -> Record:
        """The badge, whose subject is the DID from this commit on.

        Raises ``Refused``: 410 for a badge that does not count, and what *also* raises; then nothing is changed.
        """
        for _ in range(ATTEMPTS - 1):
            with suppress(Stale):
                return self._tried()
        return self._tried()

    def _tried(self) -> Record:
        return self.tenant.store.write(partial(self._decide, change=self._change())).result()

    def _change(self) -> BadgeChange:
        tenant, issuer = self.tenant, issuer_of(self.tenant)
        did, reader = issuer.did_document(), tenant.store
        desk = Desk(tenant, issuer, did, persons.identifiers_of, secrets.randbelow, reader, holder=self.did)
        return change_of(desk, stops.award_of(reader, self.badge))

    def _decide(self, tx: Tx, *, change: BadgeChange) -> Record:
        self.also(tx)
        write_change(tx, tenant=self.tenant, change=change)
        held = tx.get("credential", self.badge)
        if held is None or held.meta["state"] != ISSUED:
            raise Refused("This badge does not count any more.", status=410, error="badge_gone")
        if holders.holder_of(tx, self.badge) != self.did:
            holders.hold(tx, held, BadgeHolder(self.did, self.way, self.tenant.clock()))
        counts.count(tx, self.badge, "claimed", self.tenant.clock())
        return held
