"""The forms a badge is given out in: one small module each, over the credential as it is stored. Signs no new badge.

A form says the same as the stored credential: same id, same dates, same place in the status list. So revoking works for
all of them. To add one, write a module with a ``FORM`` and name it in ``FORMS``: the address of a badge then answers
with it by ``Accept``, and ``lrs badges show --form`` prints it (docs/adding-a-badge-form.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from badges.forms import data_integrity
from badges.forms.form import Badge, Form, NotInThisForm

FORMS: Sequence[Form] = (data_integrity.FORM,)
"""The first one is given to whoever asks for none of them."""

__all__ = ["FORMS", "Badge", "Form", "NotInThisForm", "form_named"]


def form_named(name: str) -> Form:
    """The form with this name. Raises ``KeyError``."""
    return {form.name: form for form in FORMS}[name]
