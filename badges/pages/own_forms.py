"""The forms in which learners get their own badges, for their pages."""

from __future__ import annotations

from badges.achievements.counts import note
from badges.credentials.stored import stored_badge
from badges.forms import FORMS, Form
from lrs.pages.me.badges import BadgeForm, BadgeForms
from lrs.tenancy.tenants import Tenant


def own_forms() -> BadgeForms:
    """All forms, by name."""
    return {form.name: _own(form) for form in FORMS}


def _own(form: Form) -> BadgeForm:
    def make(tenant: Tenant, id: str, credential: bytes) -> bytes:
        made = form.make(stored_badge(tenant, id, credential))
        note(tenant, id, "claimed")
        return made

    return BadgeForm(form.media_type, form.ending, make)
