"""What a form of a badge is, and what it is made of. Knows no form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from badges.issuer import Issuer


@dataclass(frozen=True, slots=True)
class Badge:
    """What forms are made of: the credential, JSON in UTF-8 as it was signed and stored, and who issues now."""

    id: str
    credential: bytes
    issuer: Issuer


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    *name* is what ``--form`` takes, *media_type* what ``Accept`` asks for, *ending* that of a file's name. *make* is
    given any stored badge, a revoked one too, and gives the same bytes for the same badge and key. Raises ``Refused``
    with the reason if this badge cannot be had in the form.
    """

    name: str
    media_type: str
    ending: str
    make: Callable[[Badge], bytes]
