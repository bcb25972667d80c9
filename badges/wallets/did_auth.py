"""What a wallet sends to prove its DID: a presentation that it signed for us, for this once. Pure; knows no store.

Two suites: ``Ed25519Signature2020``, which the Learner Credential Wallet signs with, and ``eddsa-rdfc-2022``. Both sign
the same bytes: the hash of the proof's options in canonical form, then that of the document. The DID is a did:key of
Ed25519. Sources: W3C CCG "VC API", "DIDAuthentication"; W3C "Data Integrity EdDSA Cryptosuites v1.0", 3.2; W3C CCG
"Ed25519 Signature 2020", 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges.keys.did_keys import key_of_did
from badges.keys.invalid import Invalid
from badges.keys.multikey import from_base58
from badges.proofs.graph import canonical
from badges.proofs.unsafe import Unsafe
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import JsonView

DI, OLD, SUITE = "DataIntegrityProof", "Ed25519Signature2020", "eddsa-rdfc-2022"
_LARGEST = 8 * 1024


def challenge_in(presentation: JsonView) -> str:
    """The challenge that *presentation* answers, not yet checked; empty if it answers none."""
    return str(_proof(presentation).get("challenge", ""))


def holder_in(presentation: JsonView, challenge: str, domain: str, *, domain_needed: bool = True) -> str:
    """The DID whose key signed *presentation* for this *challenge* and *domain*.

    An old wallet signs no domain: only where that is not needed (*domain_needed*). Raises ``Refused`` (400).
    """
    proof = _proof(presentation)
    if proof.get("proofPurpose") != "authentication":
        raise _wrong("its proof is not for authentication", "/proof/proofPurpose", "wrong_purpose")
    if not challenge or proof.get("challenge") != challenge:
        raise _wrong("it answers another challenge", "/proof/challenge", "wrong_challenge")
    domains = proof.get("domain")
    if domain not in (domains if isinstance(domains, list) else [domains]) and (domain_needed or domains is not None):
        raise _wrong("it was made for another domain", "/proof/domain", "wrong_domain")
    did, _, fragment = str(proof.get("verificationMethod", "")).partition("#")
    if f"did:key:{fragment}" != did:
        raise _wrong("its key is not that of a did:key", "/proof/verificationMethod", "bad_key")
    holder = presentation.get("holder", did)
    if (holder.get("id") if isinstance(holder, Mapping) else holder) != did:
        raise _wrong("its holder is not who signed it", "/holder", "other_key")
    try:
        key = key_of_did(did)
    except Invalid as error:
        raise _wrong(str(error), "/proof/verificationMethod", "bad_key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _wrong("its key is no Ed25519 key", "/proof/verificationMethod", "bad_key")
    _check(presentation, proof, key)
    return did


def _proof(presentation: JsonView) -> JsonView:
    kinds = presentation.get("type")
    if "VerifiablePresentation" not in (kinds if isinstance(kinds, list) else [kinds]):
        raise _wrong("it is no VerifiablePresentation", "/type", "bad_presentation")
    proofs = presentation.get("proof")
    found = proofs if isinstance(proofs, list) else [proofs]
    if len(found) != 1 or not isinstance(found[0], Mapping):
        raise _wrong("it has not one proof", "/proof", "bad_presentation")
    proof = found[0]
    kind = proof.get("type")
    if kind != OLD and (kind != DI or proof.get("cryptosuite") != SUITE):
        raise _wrong(f"its proof is neither {OLD} nor {SUITE}", "/proof/type", "bad_suite")
    return proof


def _check(presentation: JsonView, proof: JsonView, key: Ed25519PublicKey) -> None:
    options: dict[str, Any] = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured = {name: value for name, value in presentation.items() if name != "proof"}
    if "@context" in proof and proof["@context"] != presentation.get("@context"):
        raise _wrong("its proof has a context of its own", "/proof/@context", "bad_presentation")
    options["@context"] = presentation.get("@context")
    value = str(proof.get("proofValue", ""))
    try:
        if len(json.dumps(options)) > _LARGEST:
            raise Unsafe(f"its proof is longer than {_LARGEST} characters")
        signed = hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(unsecured)).digest()
        key.verify(from_base58(value.removeprefix("z")), signed)
    except Unsafe as error:
        raise _wrong(str(error), "", "bad_presentation") from error
    except (InvalidSignature, ValueError) as error:
        raise _wrong("the signature is not of this key", "/proof/proofValue", "not_signed") from error


def _wrong(why: str, pointer: str, code: str) -> Refused:
    message = f"The presentation was not taken: {why}. Ask for a new challenge and sign again."
    return Refused(message, status=400, error=code, pointer=pointer or None)
