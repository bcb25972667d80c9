"""The key that a signature names, if the one who is said to have signed lists it for that purpose.

Sources: W3C Controlled Identifiers 1.0, 2.2 and 3.3; did:web, did:key and did:jwk method specifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from badges.keys.multikey import did_document
from badges.keys.public_keys import VerifyingKey, of_jwk, of_multibase
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification, moment, read
from lrs.kernel.base64url import from_base64url
from lrs.kernel.strict_json import JsonView

ASSERTION, AUTHENTICATION = "assertionMethod", "authentication"


def key_of(method: Any, owner: str, asked: Verification, purpose: str = ASSERTION) -> VerifyingKey:
    """The key *method* of *owner*, a DID or an https address. Raises ``Invalid`` and ``Unavailable``."""
    if not isinstance(method, str) or not method.startswith(f"{owner}#"):
        raise Invalid("the key is not the issuer's own", "key_not_issuers")
    document = _document(owner, asked)
    listed = document.get(purpose)
    entries = listed if isinstance(listed, list) else []
    names = {_absolute(entry.get("id") if isinstance(entry, Mapping) else entry, owner) for entry in entries}
    if document.get("id") != owner or method not in names:
        raise Invalid(f"the issuer does not list this key as its {purpose}", "key_not_listed")
    return _read(_entry(document, entries, method, owner), asked)


def listed_keys(owner: str, asked: Verification) -> Iterator[tuple[str, JsonView]]:
    """The name and the entry of each key that *owner* lists for assertions."""
    document = _document(owner, asked)
    entries = document.get(ASSERTION)
    names = {_absolute(entry, owner) for entry in (entries if isinstance(entries, list) else []) if entry}
    methods = document.get("verificationMethod")
    for method in methods if isinstance(methods, list) and document.get("id") == owner else ():
        if isinstance(method, Mapping) and _absolute(method.get("id"), owner) in names - {None}:
            yield str(_absolute(method.get("id"), owner)), method


def _document(owner: str, asked: Verification) -> JsonView:
    if owner.startswith("did:key:"):
        return _alone(did_document(owner, owner.removeprefix("did:key:")))
    if owner.startswith("did:jwk:"):
        return _of_did_jwk(owner)
    if owner.startswith("did:web:"):
        return asked.did_document(owner)
    if owner.startswith("https://"):
        return asked.document(owner)
    raise Invalid("the issuer is neither a did:key nor a did:web, a did:jwk or an https address", "did_not_supported")


def _alone(document: dict[str, object]) -> JsonView:
    """The document of a DID that is its own key, which is good for each purpose."""
    return {**document, AUTHENTICATION: document[ASSERTION]}


def _of_did_jwk(did: str) -> JsonView:
    try:
        jwk = read(from_base64url(did.removeprefix("did:jwk:")), 8 * 1024)
    except ValueError as error:
        raise Invalid("the did:jwk cannot be read", "bad_key") from error
    method = {"id": f"{did}#0", "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk}
    return _alone({"id": did, "verificationMethod": [method], ASSERTION: [f"{did}#0"]})


def _absolute(id: Any, owner: str) -> Any:
    return owner + id if isinstance(id, str) and id.startswith("#") else (id if isinstance(id, str) else None)


def _entry(document: JsonView, entries: list[Any], method: str, owner: str) -> JsonView:
    listed = document.get("verificationMethod")
    for entry in [*(listed if isinstance(listed, list) else []), *entries]:
        if isinstance(entry, Mapping) and _absolute(entry.get("id"), owner) == method:
            if entry.get("controller") == owner:
                return entry
            break
    raise Invalid("the issuer's DID document does not hold the key", "key_not_listed")


def _read(entry: JsonView, asked: Verification) -> VerifyingKey:
    """The key of *entry*. Raises ``Invalid`` if it was revoked or has expired."""
    if "revoked" in entry and moment(entry, "revoked") <= asked.at:
        raise Invalid(f"the issuer revoked this key at {entry['revoked']}", "key_revoked")
    if "expires" in entry and moment(entry, "expires") <= asked.at:
        raise Invalid(f"this key expired at {entry['expires']}", "key_expired")
    jwk, multibase = entry.get("publicKeyJwk"), entry.get("publicKeyMultibase")
    if isinstance(jwk, Mapping) and multibase is None:
        return of_jwk(jwk)
    return of_multibase(str(multibase))
