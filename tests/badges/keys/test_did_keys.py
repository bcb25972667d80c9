"""Keys of wallets as DIDs and JWKs. The vectors are those of the did:key specification and of RFC 8037, appendix A."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from badges.keys.did_keys import did_of, jwk_of, key_of_did, key_of_jwk
from badges.keys.invalid import Invalid
from badges.keys.public_keys import is_signed, of_jwk, of_pem
from lrs.kernel.base64url import base64url, from_base64url
from tests.rows import each_of

ED25519 = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
P256 = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
P256_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI",
    "y": "hW2ojTNfH7Jbi8--CJUo3OCbH3y5n91g-IMA9MLMbTU",
}
TWICE = json.dumps(P256_JWK).replace("{", '{"kty": "OKP", ')
DID_TWICE = f"did:jwk:{base64url(TWICE.encode())}"
"""A JWK that says its kind twice."""
RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@each_of("bits", [1_024, 4_104])
def test_an_rsa_key_that_is_weak_or_slow_is_not_taken(bits):
    number = 2 ** (bits - 1) + 1
    pem = RSAPublicNumbers(65_537, number).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(Invalid, match="RSA 2048 to 4096"):
        of_jwk({"kty": "RSA", "e": "AQAB", "n": base64url(number.to_bytes(bits // 8))})
    with pytest.raises(Invalid, match="RSA 2048 to 4096"):
        of_pem(pem.decode())


def test_a_did_key_is_read_and_written_for_both_curves():
    assert did_of(key_of_did(ED25519)) == ED25519
    assert jwk_of(key_of_did(P256)) == P256_JWK
    assert did_of(key_of_jwk(P256_JWK)) == P256


def test_a_did_jwk_is_the_key_in_it():
    did = f"did:jwk:{base64url(json.dumps(P256_JWK).encode())}"

    assert jwk_of(key_of_did(did)) == P256_JWK


@each_of(
    "did",
    [
        "did:web:example.org",
        "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",  # X25519
        "did:key:zzzz",
        "did:key:0",
        "did:jwk:bm90IGpzb24",
        DID_TWICE,
        "",
        "did:key:z" + "1" * 2_000,
    ],
)
def test_a_did_that_is_no_key_of_these_is_refused(did):
    with pytest.raises(Invalid):
        key_of_did(did)


@pytest.mark.parametrize(
    "changed",
    [{"d": "AAAA"}, {"crv": "P-384"}, {"x": "AAAA"}, {"y": P256_JWK["x"]}, {"kty": "RSA"}, {"x": None}],
    ids=str,
)
def test_a_jwk_with_a_private_part_or_of_another_kind_is_refused(changed):
    with pytest.raises(Invalid):
        key_of_jwk(P256_JWK | changed)


def test_the_signature_of_rfc_8037_is_one_by_both_names_of_its_algorithm_and_no_other():
    signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = from_base64url("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
    key = key_of_jwk(RFC_8037)

    assert is_signed(key, "EdDSA", signature, signed)
    assert is_signed(key, "Ed25519", signature, signed)
    assert not is_signed(key, "ES256", signature, signed)
    assert not is_signed(key, "EdDSA", signature, signed + b".")
    assert not is_signed(key_of_jwk(P256_JWK), "ES256", signature, signed)
