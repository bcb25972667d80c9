"""Badges of Open Badges 2.0 and 2.1 that are hosted: the badge is what is at its own address, on the issuer's site.

Source: 1EdTech Open Badges 2.0, "Verification" (hosted) and "Revocation".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from badges.verifying.shape import OPEN_BADGES_2, contexts_of, named, types_of
from badges.verifying.verdict import Invalid, Unavailable
from badges.verifying.verification import Verification, moment, site_of
from lrs.kernel.strict_json import Json, JsonView

_MEMBERS = frozenset(
    {"@context", "id", "type", "recipient", "verification", "verify", "issuedOn", "expires"}
    | {"image", "evidence", "narrative", "revoked", "revocationReason"}
)
"""Of an assertion, beside its badge. What else stands in it nobody checked, so it is left out."""


def check_hosted(shown: JsonView, asked: Verification) -> Json:
    """The assertion at the address that *shown* has as its id, with badge class and issuer put in.

    Raises ``Invalid`` if it says something else there, and ``Unavailable``.
    """
    if is_said_to_be_signed(shown):
        why = "the badge says that it is signed, and this is not its signed text: hand in that, or the image with it"
        raise Invalid(why, "no_proof")
    id = shown.get("id")
    if not isinstance(id, str) or not id.startswith("https://"):
        raise Invalid("the badge has no https address of its own", "not_hosted")
    hosted = _hosted(id, asked)
    if hosted.get("id") != id or OPEN_BADGES_2 not in contexts_of(hosted):
        raise Invalid("at the badge's address is another badge", "hosted_differs")
    for name in ("recipient", "badge", "issuedOn", "expires"):
        if name in shown and _id_of(shown[name]) != _id_of(hosted.get(name)):
            raise Invalid(f"the badge says another {name} than what is at its address", "hosted_differs")
    badge = object_at(hosted.get("badge"), asked)
    return {**known_members(hosted), "badge": {**badge, "issuer": _issuer(badge.get("issuer"), id, asked)}}


def _issuer(part: Any, assertion: str, asked: Verification) -> JsonView:
    """The issuer's profile.

    One that stands inside says something only for the site of the *assertion*; of any other, what is at its own
    address counts.
    """
    home = part.get("id") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping) and site_of(home).netloc == site_of(assertion).netloc:
        return part
    return object_at(part if home is None else home, asked)


def _hosted(id: str, asked: Verification) -> Json:
    """What is at the badge's address; an issuer may say by 410 that it was revoked."""
    try:
        return asked.document(id)
    except Unavailable as error:
        if error.code == "gone":
            raise Invalid("revoked: there is no badge at its address any more", "revoked") from error
        raise


def known_members(assertion: JsonView) -> Json:
    """The members of *assertion* that Open Badges 2 defines, without its badge: nobody checked the others."""
    return {name: value for name, value in assertion.items() if name in _MEMBERS}


def is_said_to_be_signed(assertion: JsonView) -> bool:
    """Whether *assertion* says that it is checked by a signature, and not by what is at its address."""
    told = assertion.get("verification", assertion.get("verify"))
    kind = told.get("type") if isinstance(told, Mapping) else None
    return isinstance(kind, str) and kind.lower().startswith("signed")


def _id_of(part: Any) -> Any:
    """What to compare: an address stands for the object that is there."""
    return part["id"] if isinstance(part, Mapping) and isinstance(part.get("id"), str) else part


def object_at(part: Any, asked: Verification) -> JsonView:
    """*part*, or what is at its address. Raises ``Invalid``, and ``Unavailable``."""
    if isinstance(part, str) and part.startswith("https://"):
        found = asked.document(part)
        if found.get("id") not in (part, None):
            raise Invalid(f"at {part} is something else", "hosted_differs")
        return {**found, "id": part}
    if isinstance(part, Mapping):
        return part
    raise Invalid("badge or issuer is neither an object nor an https address", "incomplete")


def check_assertion(assertion: JsonView) -> str:
    """Checks that it has what one must have, and says what it is and whose."""
    badge = assertion["badge"]
    issuer = badge["issuer"]
    if not isinstance(assertion.get("recipient"), Mapping):
        raise Invalid("the badge names no recipient", "incomplete")
    if not badge.get("name") or not issuer.get("name") or "BadgeClass" not in types_of(badge):
        raise Invalid("the badge class lacks its type, its name or its issuer's name", "incomplete")
    return f"{named(badge.get('name'))}, issued by {named(issuer.get('name'))}"


def check_site(assertion: JsonView) -> str:
    """Checks that the badge is at its issuer's site, or where the issuer says that its badges are."""
    issuer = assertion["badge"]["issuer"]
    home = site_of(issuer.get("id"))
    told = issuer.get("verification")
    origins = _texts(told.get("allowedOrigins")) if isinstance(told, Mapping) else []
    starts = _texts(told.get("startsWith")) if isinstance(told, Mapping) else []
    site = site_of(assertion["id"]).netloc
    if site not in (origins or [home.netloc]):
        raise Invalid("the badge is not at the site of its issuer", "key_not_issuers")
    if starts and not str(assertion["id"]).startswith(tuple(starts)):
        raise Invalid("the badge is not where its issuer says that its badges are", "key_not_issuers")
    return f"hosted by its issuer at {site}"


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def check_hosted_dates(assertion: JsonView, at: int) -> str:
    """Checks ``issuedOn`` and ``expires`` at *at* (microseconds UTC)."""
    if moment(assertion, "issuedOn") > at:
        raise Invalid(f"not valid before {assertion['issuedOn']}", "not_yet_valid")
    if assertion.get("expires") is not None and moment(assertion, "expires") < at:
        raise Invalid(f"expired at {assertion['expires']}", "expired")
    return f"issued on {assertion['issuedOn']}"


def check_not_revoked(assertion: JsonView) -> str:
    """Checks that what is hosted does not say that it was revoked."""
    if assertion.get("revoked") not in (None, False):
        raise Invalid("revoked", "revoked")
    return "not revoked by its issuer"
