"""A badge of the store as forms need it: with the keys of its tenant and the image that a steward uploaded."""

from __future__ import annotations

import json

from badges.achievements.image import image_for_badge
from badges.forms import StoredBadge
from badges.keys.ring import ring_of
from lrs.tenancy.tenants import Tenant


def stored_badge(tenant: Tenant, id: str, credential: bytes) -> StoredBadge:
    """The badge *id* of *tenant*, whose signed JSON is *credential*."""
    return StoredBadge(id, credential, ring_of(tenant), image_for_badge(tenant, json.loads(credential)))
