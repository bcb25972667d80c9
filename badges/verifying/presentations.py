"""Presentations: badges that a holder shows together, signed by the holder or not.

Sources: W3C VCDM 2.0, 4.13 (presentations, enveloped credentials); VCDM 1.1, 6.3.1 (``vp`` claim).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from badges.verifying.controllers import ASSERTION, AUTHENTICATION
from badges.verifying.proofs import check_proofs
from badges.verifying.tokens import SignedToken, check_times, check_token
from badges.verifying.verdict import Invalid, Passed
from badges.verifying.verification import Verification
from lrs.kernel.strict_json import JsonView

MOST = 8
_ENVELOPES = ("data:application/vc+jwt,", "data:application/vc-ld+jwt,", "data:application/dc+sd-jwt,")


def shown_in(document: JsonView) -> Iterator[bytes]:
    """The text of each credential in a presentation. Raises ``Invalid`` for none, too many, or another form."""
    wrapped = document.get("vp")
    held = (wrapped if isinstance(wrapped, Mapping) else document).get("verifiableCredential", [])
    listed = held if isinstance(held, list) else [held]
    if not 0 < len(listed) <= MOST:
        raise Invalid(f"the presentation shows no badge, or more than {MOST}", "bad_presentation")
    return map(_text, listed)


def _text(one: Any) -> bytes:
    if isinstance(one, Mapping) and isinstance(one.get("id"), str):
        for start in _ENVELOPES:
            if one["id"].startswith(start):
                return str(one["id"].removeprefix(start)).encode()
    return one.encode() if isinstance(one, str) else json.dumps(one).encode()


def check_holder(document: JsonView, token: SignedToken | None, asked: Verification) -> Passed:
    """Checks the signature of whoever shows the badges, if there is one.

    Nobody asked for it here, so it does not show who hands it in: it may have been made for somebody else.
    """
    if token is not None:
        wrapped = document.get("vp")
        holder = wrapped.get("holder") if isinstance(wrapped, Mapping) else document.get("holder")
        owner = document.get("iss", holder)
        if not isinstance(owner, str):
            raise Invalid("the presentation does not say who signed it", "bad_presentation")
        check_times(document, asked.at)
        return Passed(check_token(token, owner, asked))
    if "proof" not in document:
        return Passed("nobody signed the presentation; each badge is checked by itself", "not_signed")
    holder = document.get("holder")
    id = holder.get("id") if isinstance(holder, Mapping) else holder
    proofs = document["proof"]
    first = proofs[0] if isinstance(proofs, list) and proofs else proofs
    method = first.get("verificationMethod") if isinstance(first, Mapping) else None
    owner = id if isinstance(id, str) else str(method).partition("#")[0]
    is_authentication = isinstance(first, Mapping) and first.get("proofPurpose") == AUTHENTICATION
    return Passed(check_proofs(document, owner, asked, AUTHENTICATION if is_authentication else ASSERTION))
