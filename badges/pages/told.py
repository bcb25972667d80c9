"""What a learner's own pages show of badges beside their files: what is shared, and what was taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from badges.content.awards import credential_uuid
from badges.held import certificates, shares, stops
from badges.held.shares import BadgeShare
from badges.pages.own import add_taking
from badges.pages.own_forms import own_forms
from badges.pages.taking import shared_address
from lrs.kernel.keys import key
from lrs.pages.me.badges import BadgesTold, GoneBadge, SharedBadge
from lrs.storage import Walk
from lrs.tenancy.tenants import Tenant


def badges_told() -> BadgesTold:
    """All of it, for the pages."""
    return BadgesTold(own_forms(), _shared, _gone, add_taking, credential_uuid)


def _shared(tenant: Tenant, members: Sequence[str], root: str) -> Sequence[SharedBadge]:
    found = []
    for member in members:
        walk = Walk(shares.KIND, [key("badge-share.person", member)], newest_first=True, limit=shares.LISTED)
        for record in tenant.store.find(walk).records:
            share = shares.share_of(tenant.store, record.id)
            if share is not None and share.person == member:
                found.append(_one(tenant, record.id, share, root))
    return sorted(found, key=lambda one: one.name.casefold())


def _one(tenant: Tenant, badge: str, share: BadgeShare, root: str) -> SharedBadge:
    record = tenant.store.get("credential", badge)
    name = str(json.loads(record.body)["credentialSubject"]["achievement"]["name"]) if record else ""
    return SharedBadge(badge, name, shared_address(tenant, share, root), share.at, share.name)


def _gone(tenant: Tenant, badges: Sequence[str]) -> Mapping[str, GoneBadge]:
    reader = tenant.store
    stopped = reader.get_many(stops.KIND, badges)
    shared = reader.get_many(shares.KIND, badges)
    found = {}
    for badge in badges:
        told = stops.read(stopped[badge]) if badge in stopped else None
        reason, at = (told.reason, told.at) if told else ("", 0)
        is_suspended = told is not None and told.state == "suspended"
        has_code = certificates.check_address(tenant, badge) is not None
        found[badge] = GoneBadge(is_suspended, reason, at, badge in shared, has_code, told is not None)
    return found
