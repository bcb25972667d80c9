"""Verifies an Open Badge 3.0, ours or anybody's, with a reason for every failed check.

Knows no network and no store: DID documents and status lists come from functions that are passed in. A check that
cannot be made fails. Sources: 1EdTech "Open Badges 3.0", section "Verification"; W3C Data Integrity 1.0, section 4.4;
W3C Bitstring Status List 1.0, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges import multikey, status
from badges.contexts import CREDENTIALS_V2, OPEN_BADGES
from badges.graph import MAX_DEPTH, canonical
from badges.sign import PURPOSE, SUITE, NotSigned, check_signature
from badges.unsafe import Unsafe
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import quoted
from lrs.kernel.strict_json import JsonView, parse
from lrs.kernel.times import micros_of_timestamp, zoned_micros

MAX_BADGE = 256 * 1024
MAX_LIST = 1024 * 1024

Resolve = Callable[[str], JsonView]
"""The DID document of a DID. Raises ``Unavailable``."""
Fetch = Callable[[str], bytes]
"""The status list credential at an address. Raises ``Unavailable``."""


class Unavailable(Exception):
    """A DID document or a status list cannot be had."""


class Invalid(Exception):
    """The badge fails a check; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; ``why`` says what was found."""

    name: str
    ok: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks in the order they were made. ``credential`` is the document, ``None`` if it could not be read."""

    checks: tuple[Check, ...]
    credential: JsonView | None = None

    @property
    def valid(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)

    def shown(self) -> dict[str, Any]:
        """As JSON: ``{"valid", "checks": [{"name", "ok", "why"}]}``."""
        return {"valid": self.valid, "checks": [{"name": c.name, "ok": c.ok, "why": c.why} for c in self.checks]}


def verify(document: bytes, *, at: int, resolve: Resolve, fetch: Fetch) -> Verdict:
    """The verdict on *document* at the time *at* (microseconds UTC). Never raises."""
    try:
        credential = read(document, MAX_BADGE)
    except Invalid as error:
        return Verdict((Check("form", ok=False, why=str(error)),))
    questions: tuple[tuple[str, Callable[[], str]], ...] = (
        ("form", lambda: _plain(credential)),
        ("badge", lambda: _badge(credential)),
        ("signature", lambda: _signature(credential, at, resolve)),
        ("dates", lambda: _dates(credential, at)),
        ("status", lambda: _status(credential, at, resolve, fetch)),
    )
    return Verdict(tuple(_answer(name, question) for name, question in questions), credential)


def read(document: bytes, limit: int) -> dict[str, Any]:
    """The JSON object in *document*.

    Raises ``Invalid`` for anything else, for more than *limit* bytes and for a repeated key.
    """
    if len(document) > limit:
        raise Invalid(f"larger than {limit} bytes")
    try:
        value = parse(document, max_depth=MAX_DEPTH)
    except Refused as error:
        raise Invalid(error.message) from error
    if not isinstance(value, dict):
        raise Invalid("not a JSON object")
    return value


def _answer(name: str, question: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, why=question())
    except (Invalid, Unsafe, NotSigned, Unavailable) as error:
        return Check(name, ok=False, why=str(error))


def _plain(credential: JsonView) -> str:
    """Checks that the JSON tree can be read in one way only: its id is used for nothing else inside it."""
    canonical({name: value for name, value in credential.items() if name != "proof"})
    own = credential.get("id")
    if not isinstance(own, str) or sum(part.get("id") == own for part in _objects(credential)) != 1:
        raise Invalid("the badge has no id of its own")
    return "JSON-LD with every term defined"


def _objects(value: Any) -> Iterator[JsonView]:
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    for part in value if isinstance(value, list) else []:
        yield from _objects(part)


def _badge(credential: JsonView) -> str:
    context = credential.get("@context")
    if not isinstance(context, list) or context[:2] != [CREDENTIALS_V2, OPEN_BADGES]:
        raise Invalid("@context does not begin with credentials/v2 and Open Badges 3.0.3")
    kinds = _types(credential)
    if "VerifiableCredential" not in kinds or not kinds & {"OpenBadgeCredential", "AchievementCredential"}:
        raise Invalid("not an OpenBadgeCredential")
    issuer = _part(credential, "issuer", "Profile")
    subject = _part(credential, "credentialSubject", "AchievementSubject")
    if not subject.get("id") and not subject.get("identifier"):
        raise Invalid("credentialSubject has neither id nor identifier")
    achievement = _part(subject, "achievement", "Achievement")
    if any(not achievement.get(name) for name in ("id", "name", "description", "criteria")):
        raise Invalid("the achievement lacks id, name, description or criteria")
    return f"{_text(achievement.get('name'))}, issued by {_text(issuer.get('name'))}"


def _part(parent: JsonView, name: str, kind: str) -> JsonView:
    part = parent.get(name)
    if not isinstance(part, Mapping) or kind not in _types(part):
        raise Invalid(f"{name} is not one object of type {kind}")
    return part


def _types(part: JsonView) -> set[str]:
    kinds = part.get("type")
    return {kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)}


def _text(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else "without a name"


def _signature(credential: JsonView, at: int, resolve: Resolve) -> str:
    proofs = credential.get("proof")
    for proof in proofs if isinstance(proofs, list) else [proofs]:
        if not isinstance(proof, Mapping) or proof.get("type") != "DataIntegrityProof":
            continue
        if proof.get("cryptosuite") == SUITE and proof.get("proofPurpose") == PURPOSE:
            if "expires" in proof and _time(proof, "expires") < at:
                raise Invalid("the proof has expired")
            check_signature(credential, proof, _key(_issuer(credential), proof, resolve))
            return f"{SUITE}, by {proof['verificationMethod']}"
    raise Invalid(f"no proof of the suite {SUITE} for {PURPOSE}")


def _issuer(credential: JsonView) -> str:
    issuer = credential.get("issuer")
    id = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    if not isinstance(id, str):
        raise Invalid("issuer has no id")
    return id


def _key(issuer: str, proof: JsonView, resolve: Resolve) -> Ed25519PublicKey:
    """The key that a proof names, if *issuer* itself lists it for assertions."""
    method = proof.get("verificationMethod")
    if not isinstance(method, str) or not method.startswith(f"{issuer}#"):
        raise Invalid("the key is not the issuer's own")
    did = _did_document(issuer, resolve)
    allowed, keys = did.get("assertionMethod"), did.get("verificationMethod")
    if did.get("id") != issuer or not isinstance(allowed, list) or method not in allowed:
        raise Invalid("the issuer does not list this key as its assertionMethod")
    for key in keys if isinstance(keys, list) else []:
        if isinstance(key, Mapping) and key.get("id") == method and key.get("controller") == issuer:
            try:
                return multikey.public_key(str(key.get("publicKeyMultibase")))
            except ValueError as error:
                raise Invalid(str(error)) from error
    raise Invalid("the issuer's DID document does not hold the key")


def _did_document(did: str, resolve: Resolve) -> JsonView:
    if did.startswith("did:key:"):
        return multikey.did_document(did, did.removeprefix("did:key:"))
    if did.startswith("did:web:"):
        return resolve(did)
    raise Invalid("the issuer is neither a did:key nor a did:web")


def _dates(credential: JsonView, at: int) -> str:
    start = _time(credential, "validFrom")
    if start > at:
        raise Invalid(f"not valid before {credential['validFrom']}")
    if "validUntil" not in credential:
        return f"valid from {credential['validFrom']}, without end"
    if _time(credential, "validUntil") < at:
        raise Invalid(f"expired at {credential['validUntil']}")
    return f"valid from {credential['validFrom']} until {credential['validUntil']}"


def _time(part: JsonView, name: str) -> int:
    """A time in microseconds UTC."""
    text = str(part.get(name))
    try:
        micros_of_timestamp(text)
    except ValueError as error:
        raise Invalid(f"{name} is not a date and time") from error
    try:
        return zoned_micros(text)
    except ValueError as error:
        raise Invalid(f"{name} has no time zone") from error


def _status(credential: JsonView, at: int, resolve: Resolve, fetch: Fetch) -> str:
    if "credentialStatus" not in credential:
        return "the issuer keeps no status list for it"
    entry = _part(credential, "credentialStatus", "BitstringStatusListEntry")
    purpose, index, url = (entry.get(n) for n in ("statusPurpose", "statusListIndex", "statusListCredential"))
    if purpose not in (status.REVOCATION, status.SUSPENSION) or not isinstance(url, str):
        raise Invalid("neither a revocation nor a suspension list is named")
    if not isinstance(index, str) or not index.isascii() or not index.isdigit() or len(index) > 9:
        raise Invalid("statusListIndex is not a whole number in a string")
    listed = read(fetch(url), MAX_LIST)
    if listed.get("id") != url or _issuer(listed) != _issuer(credential):
        raise Invalid("the status list is another one, or another issuer's")
    _signature(listed, at, resolve)
    _dates(listed, at)
    try:
        held = status.is_set(status.bits_of(listed, purpose), int(index))
    except (ValueError, IndexError) as error:
        raise Invalid(f"status list: {error}") from error
    if held:
        raise Invalid("revoked" if purpose == status.REVOCATION else "suspended")
    return f"not on the {purpose} list"
