"""Endorsements inside a badge: credentials of others that say something of it, of its achievement or its issuer.

Source: 1EdTech Open Badges 3.0, B.4 (EndorsementCredential) and 8.1, step "Verify endorsements".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from badges.verifying.containers import MAX_BADGE
from badges.verifying.dates import check_dates
from badges.verifying.proofs import check_proofs
from badges.verifying.shape import issuer_id, types_of
from badges.verifying.statuses import check_status
from badges.verifying.tokens import check_times, check_token, credential_in, read_token
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification
from lrs.kernel.strict_json import JsonView

MOST = 6


def endorsed_parts(credential: JsonView) -> Iterator[JsonView]:
    """The parts of a badge that may be endorsed."""
    yield credential
    subject = credential.get("credentialSubject")
    for part in (credential.get("issuer"), subject.get("achievement") if isinstance(subject, Mapping) else None):
        if isinstance(part, Mapping):
            yield part


def has_endorsements(credential: JsonView) -> bool:
    """Whether there is one in it."""
    return any(name in part for part in endorsed_parts(credential) for name in ("endorsement", "endorsementJwt"))


def check_endorsements(credential: JsonView, asked: Verification) -> str:
    """Checks each endorsement in *credential* as a badge is. Raises ``Invalid``, ``Unsafe``, ``Unavailable``."""
    found = [(part.get("id"), one) for part in endorsed_parts(credential) for one in _of(part)]
    if len(found) > MOST:
        raise Invalid(f"more than {MOST} endorsements", "too_complex")
    for about, one in found:
        try:
            _check(one, about, asked)
        except Invalid as error:
            raise Invalid(f"an endorsement is not valid: {error}", f"endorsement_{error.code}") from error
    return f"{len(found)} valid"


def endorsements_in(part: JsonView) -> Iterator[JsonView]:
    """The endorsements in a *part* of a badge, of which each was checked. Of a JWT the credential in it."""
    for one in _of(part):
        yield credential_in(read_token(one, MAX_BADGE).claims) if isinstance(one, str) else one


def _of(part: JsonView) -> Iterator[Any]:
    for name in ("endorsement", "endorsementJwt"):
        value = part.get(name, [])
        yield from value if isinstance(value, list) else [value]


def _check(endorsement: Any, about: Any, asked: Verification) -> None:
    if isinstance(endorsement, str):
        token = read_token(endorsement, MAX_BADGE)
        credential = credential_in(token.claims)
        asked.canonical(credential)
        check_token(token, issuer_id(credential), asked)
        check_times(token.claims, asked.at)
    elif isinstance(endorsement, dict):
        credential = endorsement
        check_proofs(credential, issuer_id(credential), asked)
    else:
        raise Invalid("neither an object nor a JWT", "incomplete")
    subject = credential.get("credentialSubject")
    if "EndorsementCredential" not in types_of(credential) or not isinstance(subject, Mapping):
        raise Invalid("not an EndorsementCredential", "not_an_endorsement")
    if not about or subject.get("id") != about:
        raise Invalid("it is about something else", "about_another")
    check_dates(credential, asked.at)
    check_status(credential, asked)
