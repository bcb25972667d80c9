"""Open Badges 3.0 as JSON-LD with a Data Integrity proof: the stored badge, byte for byte.

Source: 1EdTech Open Badges 3.0, 8.2.2; media type: W3C VCDM 2.0, 6.3.
"""

from __future__ import annotations

from badges.forms.form import Form, StoredBadge


def _stored(badge: StoredBadge) -> bytes:
    return badge.credential


FORM = Form(
    name="json",
    media_type="application/vc",
    ending=".json",
    make=_stored,
    title="File (JSON)",
    about="For a wallet or a service that checks badges.",
    place=30,
)
