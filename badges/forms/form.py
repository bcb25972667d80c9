"""What a form of a badge is, and what it is made of. Knows no form and no store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges.issuer import Issuer, issuer_named
from lrs.kernel.errors import Refused


class NotInThisForm(Refused):
    """A badge that cannot be had in the form asked for: *why* is a sentence. Over HTTP it is 406."""

    def __init__(self, why: str) -> None:
        super().__init__(why, status=406, error="not_in_this_form")


@dataclass(frozen=True, slots=True)
class Badge:
    """What forms are made of: the credential, JSON in UTF-8 as it was signed and stored, and the tenant's *key* now."""

    id: str
    credential: bytes
    key: Ed25519PrivateKey

    def signer(self) -> Issuer:
        """The issuer as the credential names it, whatever it is called now, with the key that signed the credential.

        A form that signs, signs as this one: so it cannot contradict what it holds. Raises ``NotInThisForm`` if that
        key signs no more.
        """
        told = json.loads(self.credential)
        issuer = issuer_named(told["issuer"], self.key)
        if told["proof"][0]["verificationMethod"] != issuer.method:
            raise NotInThisForm("The key that signed this badge signs no more: the badge is to be had as JSON only.")
        return issuer


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    *name* is what ``--form`` takes, *media_type* what ``Accept`` asks for, *ending* that of the name under which a
    browser saves it. *make* is given any stored badge, a revoked one too, and gives the same bytes for the same badge
    and key. Raises ``NotInThisForm`` with the reason if this badge cannot be had in the form.
    """

    name: str
    media_type: str
    ending: str
    make: Callable[[Badge], bytes]
