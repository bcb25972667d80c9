"""Data Integrity proofs with the suite eddsa-rdfc-2022: what they sign, and making one.

Source: W3C "Data Integrity EdDSA Cryptosuites v1.0", section 3.2. Knows neither the owner of the key nor the meaning of
the document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from badges.keys.multikey import base58
from badges.proofs.graph import canonical
from badges.proofs.unsafe import Unsafe

SUITE = "eddsa-rdfc-2022"
PURPOSE = "assertionMethod"
LARGEST_PROOF = 8 * 1024
"""Characters of a proof's options as JSON. They are made canonical like the document."""


class Signs(Protocol):
    """An Ed25519 key, wherever its private part is."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature, 64 bytes (RFC 8032)."""


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


def options_of(document: Mapping[str, Any], proof: Mapping[str, Any]) -> dict[str, Any]:
    """What of *proof* is signed: all but its value, in the context of *document*. Raises ``Unsafe`` if it is long."""
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    options["@context"] = document.get("@context")
    if len(json.dumps(options)) > LARGEST_PROOF:
        raise Unsafe(f"the proof is longer than {LARGEST_PROOF} characters", "too_complex")
    return options


def _signed_bytes(document: Mapping[str, Any], proof: Mapping[str, Any]) -> bytes:
    """The hash of the proof's options, then the hash of the document without proofs."""
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    return b"".join(hashlib.sha256(canonical(part)).digest() for part in (options_of(document, proof), unsecured))
