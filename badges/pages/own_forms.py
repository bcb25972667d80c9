"""The forms in which learners get their own badges, for their pages, and the picture that these pages show."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from badges.achievements.counts import note
from badges.achievements.image import image_for_badge
from badges.content.medal import medal_of, picture_svg
from badges.credentials.stored import stored_badge
from badges.forms import FORMS, Form
from lrs.pages.me.badges import BadgeForm, BadgeForms
from lrs.tenancy.tenants import Tenant

PICTURE = "picture"


def own_forms() -> BadgeForms:
    """All forms, by name; and the picture without the badge in it, for pages: who sees that has not taken the badge."""
    return {form.name: _own(form) for form in FORMS} | {PICTURE: BadgeForm("image/svg+xml", ".svg", _picture)}


def _own(form: Form) -> BadgeForm:
    def make(tenant: Tenant, id: str, credential: bytes) -> bytes:
        made = form.make(stored_badge(tenant, id, credential))
        note(tenant, id, "claimed")
        return made

    return BadgeForm(form.media_type, form.ending, make)


def _picture(tenant: Tenant, id: str, credential: bytes) -> bytes:
    told = json.loads(credential)
    made: bytes = ET.tostring(picture_svg(medal_of(told), image_for_badge(tenant, id, told)), encoding="utf-8")
    return made
