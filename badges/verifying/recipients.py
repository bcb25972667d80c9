"""Whether a badge is about somebody, by their e-mail address: badges show it hashed with a salt.

Source: 1EdTech Open Badges 3.0, B.1.13 (IdentityObject, IdentityHash); Open Badges 2.0, IdentityObject.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from badges.verifying.verdict import Invalid
from lrs.kernel.strict_json import JsonView

_E_MAIL = ("emailAddress", "email")
_DIGESTS = {"sha256": hashlib.sha256, "md5": hashlib.md5}
_MOST = 20


def check_recipient(credential: JsonView, address: str) -> str:
    """Checks that *credential* was issued to the e-mail *address*, written in any case. Raises ``Invalid``."""
    told = list(_identities(credential))[:_MOST]
    if not told:
        raise Invalid("the badge names no e-mail address, so whose it is cannot be seen from one", "no_address")
    wanted = address.strip().removeprefix("mailto:")
    if not any(_is(one, text) for one in told for text in {wanted, wanted.lower()}):
        raise Invalid("the badge was not issued to this e-mail address", "another_recipient")
    return "it was issued to this e-mail address"


def _identities(credential: JsonView) -> Iterator[JsonView]:
    subject, recipient = credential.get("credentialSubject"), credential.get("recipient")
    listed = subject.get("identifier") if isinstance(subject, Mapping) else None
    for one in [*(listed if isinstance(listed, list) else [listed]), recipient]:
        if isinstance(one, Mapping) and (one.get("identityType") or one.get("type")) in _E_MAIL:
            yield one


def _is(identity: JsonView, address: str) -> bool:
    value, salt = identity.get("identityHash", identity.get("identity")), identity.get("salt", "")
    if not isinstance(value, str) or not isinstance(salt, str) or len(salt) > 1_024:
        return False
    name, _, digest = value.partition("$")
    if identity.get("hashed") is not True:
        return value.removeprefix("mailto:").lower() == address.lower()
    if name not in _DIGESTS:
        return False
    made: Any = _DIGESTS[name]
    found: str = made((address + salt).encode("utf-8", "surrogatepass")).hexdigest()
    return hmac.compare_digest(found.encode(), digest.lower().encode())
