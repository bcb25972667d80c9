"""What a document is, by its contexts and types: an Open Badge of which edition, a presentation, or something else.

Sources: 1EdTech Open Badges 3.0, B.1 ("Data models"); W3C VCDM 1.1 and 2.0; 1EdTech Open Badges 2.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from badges.proofs.contexts import CREDENTIALS_V1, CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_FORMER
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification
from lrs.kernel.plain_text import one_line, quoted
from lrs.kernel.strict_json import JsonView

OPEN_BADGES_2 = "https://w3id.org/openbadges/v2"
_FORMER = ("https://w3id.org/openbadges/v1", "https://openbadgespec.org/v1", "https://openbadges.org/v1")
_KINDS = {"OpenBadgeCredential", "AchievementCredential"}


def is_presentation(document: JsonView) -> bool:
    """Whether *document* holds credentials that somebody shows."""
    return "VerifiablePresentation" in types_of(document)


def is_assertion(document: JsonView) -> bool:
    """Whether *document* is a badge of Open Badges 2. Raises ``Invalid`` for an older edition."""
    contexts = contexts_of(document)
    if {"Assertion"} & types_of(document) and OPEN_BADGES_2 in contexts:
        return True
    is_older = not contexts and {"badge", "recipient"} <= document.keys()
    if is_older or any(isinstance(one, str) and one.startswith(_FORMER) for one in contexts):
        raise Invalid("this version is not supported: Open Badges 1 and before", "version_not_supported")
    return False


def contexts_of(document: JsonView) -> list[Any]:
    """The contexts of *document*, as a list."""
    named = document.get("@context", [])
    return named if isinstance(named, list) else [named]


def is_of_vcdm_1(document: JsonView) -> bool:
    """Whether it is a credential of VCDM 1.1."""
    return contexts_of(document)[:1] == [CREDENTIALS_V1]


def check_plain(credential: JsonView, asked: Verification) -> str:
    """Checks that the JSON tree can be read in one way only: its id is used for nothing else inside it."""
    asked.canonical({name: value for name, value in credential.items() if name != "proof"})
    own = credential.get("id")
    named = [part for part in objects_in(credential) if part.get("id") == own]
    if not isinstance(own, str) or sum(not _is_endorsed(part) for part in named) != 1:
        raise Invalid("the badge has no id of its own", "ambiguous_id")
    return "JSON-LD with every term defined"


def _is_endorsed(part: JsonView) -> bool:
    """Whether *part* is the subject of an endorsement, and says nothing else of what it names."""
    return types_of(part) == {"EndorsementSubject"} and part.keys() <= {"id", "type", "endorsementComment"}


def objects_in(value: Any) -> Iterator[JsonView]:
    """Each object in *value*, itself included."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, Mapping):
            yield part
            left.extend(one for one in part.values() if not isinstance(one, str))
        elif isinstance(part, list):
            left.extend(one for one in part if not isinstance(one, str))


def check_badge(credential: JsonView) -> str:
    """Checks that it is an Open Badge 3.0 with what one must have, and says what it is and whose."""
    contexts = contexts_of(credential)
    if contexts[:1] not in ([CREDENTIALS_V2], [CREDENTIALS_V1]) or not {OPEN_BADGES, *OPEN_BADGES_FORMER} & {
        one for one in contexts if isinstance(one, str)
    }:
        raise Invalid(
            "@context does not begin with credentials/v2 (or v1) and Open Badges 3.0: this version is not supported",
            "version_not_supported",
        )
    kinds = types_of(credential)
    if "VerifiableCredential" not in kinds or not kinds & _KINDS:
        raise Invalid("not an OpenBadgeCredential", "not_a_badge")
    issuer = part_of(credential, "issuer", "Profile")
    subject = part_of(credential, "credentialSubject", "AchievementSubject")
    if not subject.get("id") and not subject.get("identifier"):
        raise Invalid("credentialSubject has neither id nor identifier", "incomplete")
    achievement = part_of(subject, "achievement", "Achievement")
    if any(not achievement.get(name) for name in ("id", "name", "description", "criteria")):
        raise Invalid("the achievement lacks id, name, description or criteria", "incomplete")
    return f"{named(achievement.get('name'))}, issued by {named(issuer.get('name'))}"


def part_of(parent: JsonView, name: str, kind: str, code: str = "incomplete") -> JsonView:
    """The one object *name* of *parent*. Raises ``Invalid`` unless it has the type *kind*."""
    part = parent.get(name)
    if not isinstance(part, Mapping) or kind not in types_of(part):
        raise Invalid(f"{name} is not one object of type {kind}", code)
    return part


def types_of(part: JsonView) -> set[str]:
    """The types of *part*."""
    kinds = part.get("type")
    return {kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)}


def named(value: Any) -> str:
    """A name from outside, for a sentence of ours."""
    return one_line(quoted(value)) if isinstance(value, str) else "without a name"


def issuer_id(credential: JsonView) -> str:
    """Who issued it. Raises ``Invalid``."""
    issuer = credential.get("issuer")
    id = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    if not isinstance(id, str):
        raise Invalid("issuer has no id", "incomplete")
    return id
