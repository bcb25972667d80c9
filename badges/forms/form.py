"""The interface of a form of a badge, and what it is made from. Knows no form and no store."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

from badges.keys.issuer import Issuer, issuer_named
from badges.keys.ring import KeyRing
from lrs.kernel.errors import Refused


class NotInThisForm(Refused):
    """The badge is not available in this form; *why* is a sentence. Over HTTP it is 406."""

    def __init__(self, why: str) -> None:
        super().__init__(why, status=406, error="not_in_this_form")


class StoredBadge(msgspec.Struct, frozen=True):
    """What forms are made from: the stored credential, JSON in UTF-8, and the tenant's keys.

    *picture* is the image, a PNG, that a steward uploaded for what it stands for; ``None`` for the drawn one. *check*
    is the address in the code of a certificate (``badges.certificates``); ``None`` if this server has no address.
    """

    id: str
    credential: bytes
    ring: KeyRing
    picture: bytes | None = None
    check: str | None = None

    def signer(self) -> Issuer:
        """The issuer as the credential names it, whatever its name is now, with the keys of now.

        A form with a signature of its own signs as this issuer, so that it does not contradict the credential. Raises
        ``NotInThisForm`` if the issuer is a key that is not ours, or the credential was signed by a compromised key.
        """
        told = json.loads(self.credential)
        issuer = issuer_named(told["issuer"], self.ring)
        lost = issuer.demonstration and self.ring.of_did_key(issuer.id) is None
        if lost or not issuer.answers_for(told["proof"][0]["verificationMethod"]):
            raise NotInThisForm("The key that signed this badge signs no more: the badge is to be had as JSON only.")
        return issuer


class Form(msgspec.Struct, frozen=True):
    """One form.

    *name* is what ``--form`` takes, *media_type* what ``Accept`` asks for, *ending* that of the file name under which a
    browser saves it. *make* is given any stored badge, also a revoked one, and gives the same bytes for the same badge
    and key. It raises ``NotInThisForm`` with the reason if this badge is not available in the form. *title* and *about*
    are what learners read on the page of their badge, in the order of *place*; both are texts of the catalogue.
    """

    name: str
    media_type: str
    ending: str
    make: Callable[[StoredBadge], bytes]
    title: str
    about: str
    place: int = 100
