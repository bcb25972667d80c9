"""Proofs inside a JSON document: Data Integrity, and Ed25519Signature2020, which wallets still sign with.

Sources: W3C Data Integrity 1.0, 4.4 and 4.5 (proof sets); W3C EdDSA and ECDSA cryptosuites 1.0; W3C CCG "Ed25519
Signature 2020". What is signed is worked out by ``badges.proofs.sign``; selective disclosure is a module of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from badges.keys.multikey import from_base58
from badges.keys.public_keys import VerifyingKey, algorithm_of, is_signed
from badges.proofs.sign import SUITE, options_of
from badges.verifying import selective
from badges.verifying.controllers import ASSERTION, key_of
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification, moment
from lrs.kernel.strict_json import JsonView

MOST_PROOFS = 4
ED25519_2020 = "Ed25519Signature2020"
_DATA_INTEGRITY = "DataIntegrityProof"


def check_proofs(document: JsonView, owner: str, asked: Verification, purpose: str = ASSERTION) -> str:
    """Checks every proof of *owner* for *purpose* in *document*, and says by what it is signed.

    One proof is enough, and each of a suite that is supported has to be right. Raises ``Invalid``, ``Unsafe`` and
    ``Unavailable``.
    """
    proofs = document.get("proof")
    listed = [one for one in (proofs if isinstance(proofs, list) else [proofs]) if isinstance(one, dict)]
    known = [one for one in listed if one.get("proofPurpose") == purpose and suite_of(one) in _SUITES]
    if not known:
        used = {suite_of(one) for one in listed}
        code = "suite_not_supported" if used - _SUITES.keys() else "no_proof"
        raise Invalid(f"no proof of the suite {', '.join(_SUITES)} for {purpose}", code)
    if len(listed) > MOST_PROOFS:
        raise Invalid(f"more than {MOST_PROOFS} proofs", "too_complex")
    for proof in known:
        _check_proof(document, proof, owner, asked, purpose)
    return ", ".join(f"{suite_of(proof)}, by {proof['verificationMethod']}" for proof in known)


def suite_of(proof: JsonView) -> str:
    """The name of the suite of *proof*; of a proof that is none, its type."""
    kind = proof.get("cryptosuite") if proof.get("type") == _DATA_INTEGRITY else proof.get("type")
    return kind if isinstance(kind, str) else ""


def _check_proof(document: JsonView, proof: JsonView, owner: str, asked: Verification, purpose: str) -> None:
    if "expires" in proof and moment(proof, "expires") < asked.at:
        raise Invalid("the proof has expired", "proof_expired")
    if "previousProof" in proof:
        raise Invalid("the proof is part of a chain of proofs, which is not supported", "suite_not_supported")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise Invalid("the proof has a context of its own", "bad_proof")
    _SUITES[suite_of(proof)](document, proof, key_of(proof.get("verificationMethod"), owner, asked, purpose), asked)


def _eddsa(document: JsonView, proof: JsonView, key: VerifyingKey, asked: Verification) -> None:
    _check_whole(document, proof, key, asked, {"EdDSA": "sha256"})


def _ecdsa(document: JsonView, proof: JsonView, key: VerifyingKey, asked: Verification) -> None:
    _check_whole(document, proof, key, asked, {"ES256": "sha256", "ES384": "sha384"})


def _check_whole(
    document: JsonView, proof: JsonView, key: VerifyingKey, asked: Verification, digests: dict[str, str]
) -> None:
    """A proof over the whole document, with a key of one of the algorithms of *digests*."""
    value, algorithm = proof.get("proofValue"), algorithm_of(key)
    if not isinstance(value, str) or not value.startswith("z"):
        raise Invalid("proofValue is not in base58btc", "bad_proof")
    if algorithm not in digests:
        raise Invalid("the key is of another kind than the suite of the proof", "bad_key")
    unsecured = {name: part for name, part in document.items() if name != "proof"}
    digest = digests[algorithm]
    signed = b"".join(
        hashlib.new(digest, asked.canonical(part, digest)).digest() for part in (options_of(document, proof), unsecured)
    )
    try:
        is_right = is_signed(key, algorithm, from_base58(value[1:]), signed)
    except ValueError:
        is_right = False
    if not is_right:
        raise Invalid("the signature does not fit what the badge says", "bad_signature")


_Suite = Callable[[JsonView, Any, VerifyingKey, Verification], None]
_SUITES: dict[str, _Suite] = {
    SUITE: _eddsa,
    "ecdsa-rdfc-2019": _ecdsa,
    selective.SUITE: selective.check,
    ED25519_2020: _eddsa,
}
