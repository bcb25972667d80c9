"""What the readers of bytes that others made say: of each kind that is read, on both sides of each border, and damaged."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from badges.keys import did_keys, public_keys
from badges.keys.multikey import base58
from badges.verifying import cbor, containers, pdf_files
from lrs.kernel.base64url import base64url
from tests.told.story import Story

ED = bytes(range(32))
MULTIKEYS = {
    "Ed25519": "z" + base58(public_keys.ED25519 + ED),
    "a byte short": "z" + base58(public_keys.ED25519 + ED[:-1]),
    "a byte more": "z" + base58(public_keys.ED25519 + ED + b"\0"),
    "P-256 of no point": "z" + base58(public_keys.P256 + b"\2" + b"\xff" * 32),
    "P-256 cut off": "z" + base58(public_keys.P256 + b"\2"),
    "another kind": "z" + base58(b"\x12\x34" + ED),
    "another base": "u" + base64url(public_keys.ED25519 + ED),
    "no base58": "z0OIl",
    "empty": "",
}
X = base64url(ED)
JWKS: dict[str, Any] = {
    "Ed25519": {"kty": "OKP", "crv": "Ed25519", "x": X},
    "a byte short": {"kty": "OKP", "crv": "Ed25519", "x": base64url(ED[:-1])},
    "without x": {"kty": "OKP", "crv": "Ed25519"},
    "X25519": {"kty": "OKP", "crv": "X25519", "x": X},
    "of no point": {"kty": "EC", "crv": "P-256", "x": X, "y": X},
    "a curve that is a list": {"kty": "EC", "crv": ["P-256"], "x": X, "y": X},
    "another curve": {"kty": "EC", "crv": "P-521", "x": X, "y": X},
    "RSA of 2047 bits": {"kty": "RSA", "e": "AQAB", "n": base64url((2**2047 - 1).to_bytes(256))},
    "RSA of 2048 bits": {"kty": "RSA", "e": "AQAB", "n": base64url((2**2047 + 1).to_bytes(256))},
    "RSA of 4096 bits": {"kty": "RSA", "e": "AQAB", "n": base64url((2**4095 + 1).to_bytes(512))},
    "RSA of 4097 bits": {"kty": "RSA", "e": "AQAB", "n": base64url((2**4096 + 1).to_bytes(513))},
    "with its private part": {"kty": "OKP", "crv": "Ed25519", "x": X, "d": X},
    "nothing": {},
}
P384 = ec.derive_private_key(5, ec.SECP384R1()).public_key()
P521 = ec.derive_private_key(5, ec.SECP521R1()).public_key()
SMALL = rsa.RSAPublicNumbers(65537, 2**1023 + 1).public_key()
DSA = dsa.DSAPublicNumbers(2, dsa.DSAParameterNumbers(2**2047 + 9, 2**255 + 95, 2)).public_key()


def pem(key: Any) -> str:
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


PEMS: dict[str, Any] = {
    "P-384": pem(P384),
    "P-521": pem(P521),
    "RSA of 1024 bits": pem(SMALL),
    "no text": 5,
    "no PEM": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "too long": pem(P384) + "\n" * 20_000,
}
DIDS = {
    "did:key": f"did:key:{MULTIKEYS['Ed25519']}",
    "did:jwk": f"did:jwk:{base64url(json.dumps(JWKS['Ed25519']).encode())}",
    "did:jwk of a list": f"did:jwk:{base64url(b'[]')}",
    "did:jwk of RSA": f"did:jwk:{base64url(json.dumps(JWKS['RSA of 2048 bits']).encode())}",
    "did:jwk with its private part": f"did:jwk:{base64url(json.dumps(JWKS['with its private part']).encode())}",
    "did:jwk of no JSON": "did:jwk:AAAA",
    "did:web": "did:web:college.example",
    "of 1,000 characters": "did:key:".ljust(1_000, "z"),
    "of 1,001 characters": "did:key:".ljust(1_001, "z"),
}
CBOR = {
    "23": b"\x17",
    "24": b"\x18\x18",
    "a number of 8 bytes": b"\x1b" + bytes(8),
    "cut off in the head": b"\x19\x01",
    "of no length": b"\x9f",
    "bytes": b"\x43abc",
    "bytes, cut off": b"\x43ab",
    "an array": b"\x82\x01\x41a",
    "an array, cut off": b"\x82\x01",
    "a map": b"\xa1\x01\x41a",
    "a map with a key twice": b"\xa2\x01\x02\x01\x03",
    "bytes behind": b"\x01\x01",
    "nothing": b"",
    "a text": b"\x61a",
    "a negative number": b"\x20",
    "4 within one another": b"\x81" * 4 + b"\x01",
    "5 within one another": b"\x81" * 5 + b"\x01",
    "4,096 parts": b"\x99\x10\x00" + b"\x01" * 4096,
    "4,097 parts": b"\x99\x10\x01" + b"\x01" * 4097,
}


def chunk(kind: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    check = zlib.crc32(kind + data) if crc is None else crc
    return len(data).to_bytes(4) + kind + data + check.to_bytes(4)


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


END, PACKED = chunk(b"IEND", b""), zlib.compress(b"a badge")
KEYWORD = b"openbadgecredential\0"
PNGS = {
    "a plain text": png(chunk(b"tEXt", KEYWORD + b"a badge"), END),
    "an international text": png(chunk(b"iTXt", KEYWORD + b"\0\0\0\0a badge"), END),
    "a packed text": png(chunk(b"iTXt", KEYWORD + b"\1\0\0\0" + PACKED), END),
    "a packed text that is cut off": png(chunk(b"iTXt", KEYWORD + b"\1\0\0\0" + PACKED[:-6]), END),
    "a packed text that is none": png(chunk(b"iTXt", KEYWORD + b"\1\0\0\0a badge"), END),
    "another checksum": png(chunk(b"tEXt", KEYWORD + b"a badge", crc=1), END),
    "another word": png(chunk(b"tEXt", b"author\0a badge"), END),
    "two of them": png(*[chunk(b"tEXt", KEYWORD + b"a badge")] * 2, END),
    "without an end": png(chunk(b"tEXt", b"author\0somebody")),
}


def pdf(entry: bytes, data: bytes) -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<< /Type /EmbeddedFile " + entry + b" >>\nstream\n" + data + b"\nendstream\nendobj\n"


PDFS = {
    "plain": pdf(b"/Length 7", b"a badge"),
    "plain, of no length": pdf(b"", b"a badge"),
    "packed": pdf(b"/Filter /FlateDecode /Length 15", PACKED),
    "packed, in an array": pdf(b"/Filter [ /FlateDecode ] /Length 15", PACKED),
    "packed, in a short word": pdf(b"/Length 15/Filter/Fl/Params<<>>", PACKED),
    "packed, cut off": pdf(b"/Filter /FlateDecode", PACKED[:-6])[: -len(b"\nendstream\nendobj\n")],
    "packed, and none": pdf(b"/Filter /FlateDecode", b"a badge"),
    "of another form": pdf(b"/Filter /LZWDecode", b"a badge"),
    "of two forms": pdf(b"/Filter [/FlateDecode /FlateDecode]", PACKED),
    "encrypted": pdf(b"", b"a badge") + b"trailer << /Encrypt 5 0 R >>",
    "no file": b"%PDF-1.7\n",
}
READ: list[tuple[str, Callable[[Any], Any], Mapping[str, Any]]] = [
    ("Multikeys", public_keys.of_multibase, MULTIKEYS),
    ("JWKs", public_keys.of_jwk, JWKS),
    ("JWKs of wallets", did_keys.key_of_jwk, JWKS | {"a list": []}),
    ("keys in PEM", public_keys.of_pem, PEMS),
    ("DIDs of wallets", did_keys.key_of_did, DIDS),
    ("CBOR", cbor.decode, CBOR),
    ("badges in a PNG", containers.taken_from, PNGS),
    ("files in a PDF", lambda given: list(pdf_files.attached_files(given, 20)), PDFS),
]


def test_what_is_read(told: Any) -> None:
    story = Story()
    for what, read, cases in READ:
        story.head(what)
        story.say(*(f"{case}: {tried(read, given)}" for case, given in cases.items()))
    told(str(story), is_tidy=True)


def tried(read: Callable[[Any], Any], given: Any) -> str:
    """What was read, or why not."""
    try:
        found = read(given)
        found = list(found) if isinstance(found, Iterable) and not isinstance(found, bytes | dict | list) else found
    except Exception as error:  # noqa: BLE001 (it is told)
        return f"{type(error).__name__} {getattr(error, 'code', '')}: {error}"
    return shown(found)


def shown(found: Any) -> str:
    if hasattr(found, "public_bytes"):
        raw = found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"{type(found).__name__} {base64.b64encode(raw).decode()[:40]}"
    text = repr(found)
    return text if len(text) < 80 else f"{text[:60]}… ({len(found)})"
