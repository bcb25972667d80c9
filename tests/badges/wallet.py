"""A wallet, made here: it has a key, and signs presentations and proofs as wallets do."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges.keys.multikey import base58, multibase_of_public
from badges.proofs.graph import canonical
from lrs.kernel.base64url import base64url

CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/suites/ed25519-2020/v1"]


@dataclass(frozen=True)
class Wallet:
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def multikey(self) -> str:
        return multibase_of_public(self.key.public_key().public_bytes_raw())

    @property
    def did(self) -> str:
        return f"did:key:{self.multikey}"

    @property
    def jwk(self) -> dict[str, str]:
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(self.key.public_key().public_bytes_raw())}

    def presented(self, challenge: str, domain: str | None, *, old: bool = False, **changed: Any) -> dict[str, Any]:
        """A presentation that proves the DID; *changed* are members of its proof that are others."""
        suite = (
            {"type": "Ed25519Signature2020"}
            if old
            else {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}
        )
        proof = {
            **suite,
            "created": "2026-11-21T12:00:00Z",
            "verificationMethod": f"{self.did}#{self.multikey}",
            "proofPurpose": "authentication",
            "challenge": challenge,
            **({"domain": domain} if domain else {}),
            **changed,
        }
        context = CONTEXT if old else CONTEXT[:1]
        presentation = {"@context": context, "type": ["VerifiablePresentation"], "holder": self.did}
        signed = hashlib.sha256(canonical({**proof, "@context": context})).digest()
        signed += hashlib.sha256(canonical(presentation)).digest()
        return presentation | {"proof": {**proof, "proofValue": f"z{base58(self.key.sign(signed))}"}}

    def proof(self, audience: str, nonce: str | None, at: int, *, header: Any = None, **changed: Any) -> str:
        """A key proof of OpenID4VCI; *header* and *changed* are members of header and payload that are others."""
        head = {"alg": "EdDSA", "typ": "openid4vci-proof+jwt", "jwk": self.jwk} | (header or {})
        told = {"aud": audience, "iat": at, **({"nonce": nonce} if nonce else {}), **changed}
        parts = [{name: value for name, value in one.items() if value is not None} for one in (head, told)]
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        return f"{text}.{base64url(self.key.sign(text.encode()))}"
