"""The forms in which a stored badge is given out: one small module each. A form is made without signing a new badge.

A form says the same as the stored credential: same id, same dates, same place in the status list. So revoking applies
to all of them. To add one, write a module with a ``FORM`` and add it to ``FORMS``: the address of a badge then answers
with it by ``Accept``, and ``lrs badges show --form`` prints it (docs/adding-a-badge-form.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from badges.forms import baked, data_integrity, pdf, sd_jwt, vc_jwt
from badges.forms.form import Form, NotInThisForm, StoredBadge

FORMS: Sequence[Form] = (data_integrity.FORM, vc_jwt.FORM, baked.PNG, baked.SVG, sd_jwt.FORM, pdf.FORM)
"""The first one is used if a request accepts none of them."""

__all__ = ["FORMS", "Form", "NotInThisForm", "StoredBadge", "form_named"]


def form_named(name: str) -> Form:
    """The form with this name. Raises ``KeyError``."""
    return {form.name: form for form in FORMS}[name]
