"""The image of an achievement: what a steward uploaded, else the drawn one. Knows no badge and no signature."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from badges.achievements.achievements import version_id
from badges.content.medal import Medal, medal_for, picture_svg, png
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant


def png_of(tenant: Tenant, record: Record) -> bytes:
    """The image of the version in an ``achievement`` *record*, as PNG."""
    return uploaded_image(tenant, record) or _png(_medal(record))


def svg_of(tenant: Tenant, record: Record) -> bytes:
    """The same as SVG."""
    root = picture_svg(_medal(record), uploaded_image(tenant, record))
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _medal(record: Record) -> Medal:
    return medal_for(json.loads(record.body), "")


def uploaded_image(tenant: Tenant, record: Record) -> bytes | None:
    """The PNG that a steward uploaded for the version in *record*."""
    blob = record.meta.get("blob")
    return b"".join(tenant.store.blobs.open(str(blob))) if blob else None


def image_for_badge(tenant: Tenant, id: str, credential: Mapping[str, Any]) -> bytes | None:
    """The uploaded PNG of the version that the badge *id* of ours, whose JSON is *credential*, has.

    ``None`` for the drawn one. The record of the badge says its version: what the badge calls it need be no address.
    """
    held = tenant.store.get("credential", id)
    of, number = (held.meta.get("achievement"), held.meta.get("version")) if held else (None, None)
    named = str(credential["credentialSubject"]["achievement"]["id"]).rpartition("/")[2]
    record = tenant.store.get("achievement", version_id(str(of), int(number)) if of and number else named)
    return uploaded_image(tenant, record) if record else None


@functools.lru_cache(maxsize=64)
def _png(medal: Medal) -> bytes:
    return png(medal)
