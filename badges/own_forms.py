"""The forms in which learners get their own badges, for their pages."""

from __future__ import annotations

from badges.forms import Form, StoredBadge, form_named
from badges.keys import ring_of
from lrs.pages.me.badges import BadgeForm, BadgeForms
from lrs.tenancy.tenants import Tenant

_FOR_LEARNERS = ("json", "svg", "png", "pdf")


def own_forms() -> BadgeForms:
    """The file, the picture (two kinds) and the certificate, by name."""
    return {name: _own(form_named(name)) for name in _FOR_LEARNERS}


def _own(form: Form) -> BadgeForm:
    def make(tenant: Tenant, id: str, credential: bytes) -> bytes:
        return form.make(StoredBadge(id, credential, ring_of(tenant)))

    return BadgeForm(form.media_type, form.ending, make)
