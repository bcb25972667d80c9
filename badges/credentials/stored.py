"""A badge of the store as forms need it: with the keys of its tenant, its image, and the address of its check."""

from __future__ import annotations

import json

from badges.achievements.image import image_for_badge
from badges.forms import StoredBadge
from badges.held.certificates import check_address
from badges.keys.ring import ring_of
from lrs.tenancy.tenants import Tenant


def stored_badge(tenant: Tenant, id: str, credential: bytes) -> StoredBadge:
    """The badge *id* of *tenant*, whose signed JSON is *credential*."""
    picture = image_for_badge(tenant, id, json.loads(credential))
    return StoredBadge(id, credential, ring_of(tenant), picture, check_address(tenant, id))
