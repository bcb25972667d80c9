"""Data Integrity proofs with the suite eddsa-rdfc-2022: made, and checked with a given key.

Source: W3C "Data Integrity EdDSA Cryptosuites v1.0", section 3.2. Knows neither the owner of the key nor the meaning of
the document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges.graph import canonical
from badges.multikey import base58, from_base58
from badges.unsafe import Unsafe

SUITE = "eddsa-rdfc-2022"
PURPOSE = "assertionMethod"
LARGEST_PROOF = 8 * 1024
"""Characters of a proof's options as JSON. They are made canonical like the document."""


class Signs(Protocol):
    """An Ed25519 key, wherever its private part is."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature, 64 bytes (RFC 8032)."""


class NotSigned(Exception):
    """The signature does not fit the document and the key."""


def sign(document: Mapping[str, Any], key: Signs, method: str, created: str) -> dict[str, Any]:
    """*document* with one proof, in an array. *method* is the key's absolute id, *created* an ISO 8601 time with zone.

    Raises ``Unsafe`` if the document has content that the signature would not cover.
    """
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": created,
        "verificationMethod": method,
        "proofPurpose": PURPOSE,
    }
    value = "z" + base58(key.sign(_signed_bytes(document, proof)))
    return {**document, "proof": [{**proof, "proofValue": value}]}


def check_signature(document: Mapping[str, Any], proof: Mapping[str, Any], key: Ed25519PublicKey) -> None:
    """Returns if *proof* is a proof of *document* by *key*. Raises ``NotSigned``, or ``Unsafe`` as ``sign`` does."""
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise NotSigned("proofValue is not in base58btc")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise NotSigned("the proof has a context of its own")
    try:
        key.verify(from_base58(value[1:]), _signed_bytes(document, proof))
    except (InvalidSignature, ValueError) as error:
        raise NotSigned("the signature does not fit what the badge says") from error


def _signed_bytes(document: Mapping[str, Any], proof: Mapping[str, Any]) -> bytes:
    """The hash of the proof's options, then the hash of the document without proofs."""
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    options["@context"] = document.get("@context")
    if len(json.dumps(options)) > LARGEST_PROOF:
        raise Unsafe(f"the proof is longer than {LARGEST_PROOF} characters")
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(unsecured)).digest()
