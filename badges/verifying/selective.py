"""Proofs of the suite ecdsa-sd-2023 as a holder shows them: only some statements of what the issuer signed.

Source: W3C Data Integrity ECDSA Cryptosuites 1.0, 3.4 and 3.5.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from badges.keys.public_keys import P256, VerifyingKey, algorithm_of, is_signed
from badges.proofs.sign import options_of
from badges.verifying import cbor
from badges.verifying.verdict import Invalid
from badges.verifying.verification import Verification
from lrs.kernel.base64url import base64url, from_base64url
from lrs.kernel.strict_json import JsonView

SUITE = "ecdsa-sd-2023"
LONGEST = 96 * 1024
"""Characters of a proof value."""
MOST_SIGNATURES = 500
_BASE, _DERIVED = b"\xd9\x5d\x00", b"\xd9\x5d\x01"
_LABEL = re.compile(r"_:(c14n\d+)")


class _Derived(msgspec.Struct, frozen=True):
    """The parts of the proof value of a derived proof."""

    base: bytes
    public: bytes
    signatures: list[bytes]
    labels: Mapping[str, str]
    mandatory: set[int]


def check(document: JsonView, proof: JsonView, key: VerifyingKey, asked: Verification) -> None:
    """Raises ``Invalid`` unless *key* signed all that *document* says."""
    found = _read(proof.get("proofValue"))
    if algorithm_of(key) != "ES256":
        raise Invalid("the key is of another kind than the suite of the proof", "bad_key")
    unsecured = {name: part for name, part in document.items() if name != "proof"}
    options = hashlib.sha256(asked.canonical(options_of(document, proof))).digest()
    lines = sorted(_labelled(line, found.labels) for line in asked.canonical(unsecured).decode().splitlines(True))
    shown = [line for place, line in enumerate(lines) if place not in found.mandatory]
    always = "".join(line for place, line in enumerate(lines) if place in found.mandatory)
    if max(found.mandatory, default=-1) >= len(lines) or len(shown) != len(found.signatures):
        raise _wrong()
    signed = options + found.public + hashlib.sha256(always.encode()).digest()
    one_time = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), found.public[2:])
    if not is_signed(key, "ES256", found.base, signed):
        raise _wrong()
    for line, signature in zip(shown, found.signatures, strict=True):
        if not is_signed(one_time, "ES256", signature, line.encode()):
            raise _wrong()


def _wrong() -> Invalid:
    return Invalid("the signature does not fit what the badge says", "bad_signature")


def _labelled(line: str, labels: Mapping[str, str]) -> str:
    """*line* of the canonical form with the holder's names of blank nodes. What stands inside a text stays."""
    subject, predicate, value = line.removesuffix(" .\n").split(" ", 2)
    before, _, last = value.rpartition(" ")
    terms = [subject, predicate, *([before, last] if before and _LABEL.fullmatch(last) else [value])]
    return " ".join(_renamed(term, labels) for term in terms) + " .\n"


def _renamed(term: str, labels: Mapping[str, str]) -> str:
    found = _LABEL.fullmatch(term)
    if found is None:
        return term
    if found[1] not in labels:
        raise _wrong()
    return f"_:{labels[found[1]]}"


def _read(value: Any) -> _Derived:
    if not isinstance(value, str) or not value.startswith("u") or len(value) > LONGEST:
        raise Invalid("proofValue is not in base64url", "bad_proof")
    try:
        raw = from_base64url(value[1:])
        if raw.startswith(_BASE):
            raise Invalid("the proof is the issuer's own, from which holders make what they show", "proof_not_derived")
        if not raw.startswith(_DERIVED):
            raise ValueError("no derived proof")
        return _parts(cbor.decode(raw[len(_DERIVED) :]))
    except (ValueError, TypeError) as error:
        raise Invalid("proofValue is no derived proof of ecdsa-sd-2023", "bad_proof") from error


def _parts(parts: Any) -> _Derived:
    base, public, signatures, labels, mandatory = parts
    if len(signatures) > MOST_SIGNATURES:
        raise Invalid(f"more than {MOST_SIGNATURES} signatures", "too_complex")
    if not isinstance(public, bytes) or len(public) != 35 or not public.startswith(P256):
        raise ValueError("the public key is none of P-256")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public[2:])
    if not all(isinstance(one, bytes) for one in [base, *signatures, *labels.values()]):
        raise ValueError("not bytes")
    if not all(type(one) is int for one in [*labels, *mandatory]):
        raise ValueError("not numbers")
    named = {f"c14n{number}": f"u{base64url(label)}" for number, label in labels.items()}
    return _Derived(base, public, signatures, named, set(mandatory))
