"""Keys as text, against the key pair printed in W3C "Data Integrity EdDSA Cryptosuites v1.0", appendix B.1."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from badges.keys.multikey import base58, from_base58, multibase_of_public, public_key
from badges.keys.public_keys import thumbprint
from tests.rows import each_of

PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"


def test_the_key_pair_of_the_specification_comes_out_as_printed():
    seed = from_base58(SECRET[1:])[2:]

    assert multibase_of_public(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()) == PUBLIC
    assert public_key(PUBLIC).public_bytes_raw().hex().startswith("b00d8d938e7f773d")


RSA = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
    "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
    "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


@each_of(
    ("jwk", "printed"),
    [
        ({"kty": "RSA", "n": RSA, "e": "AQAB"}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ],
)
def test_the_thumbprints_of_rfc_7638_and_rfc_8037_come_out_as_printed_whatever_a_key_is_called(jwk, printed):
    assert thumbprint(jwk) == thumbprint(jwk | {"kid": "one", "use": "sig"}) == printed
    for name in jwk.keys() - {"kty"}:
        assert thumbprint(jwk | {name: "other"}) != printed


@each_of(
    "text",
    [
        "",
        "z",
        "z6Mk",
        "u" + PUBLIC[1:],
        PUBLIC[:-1],
        "z" + "1" * 500,
        "z6Mk0OIl",
        "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    ],
)
def test_anything_but_an_ed25519_multikey_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        public_key(text)


@given(st.binary(max_size=80))
def test_base58_comes_back_with_leading_zeros_kept(value):
    assert from_base58(base58(value)) == value


def test_base58_is_written_as_the_draft_shows_it():
    assert base58(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    assert base58(bytes.fromhex("0000287fb4cd")) == "11233QC4"
