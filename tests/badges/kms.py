"""A stand-in for a KMS: a process of its own that makes keys and signs; a private part never leaves it.

Run as a program it speaks lines of JSON. ``signer`` is what ``LRS_SIGNER`` names.
"""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

MADE: list[Kms] = []
"""Those that were asked for in this process, newest last."""


class Kms:
    """The client: a ``Signer``."""

    name = "stand-in"

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def make(self, id: str, algorithm: str) -> Any:
        from lrs.tenancy.signers import FreshKey  # noqa: PLC0415 (not in the program)

        told = self._ask({"make": algorithm, "id": id})
        return FreshKey(serialization.load_pem_public_key(told["public"].encode()), told["kept"])

    def sign(self, id: str, kept: str, message: bytes) -> bytes:
        return b64decode(self._ask({"sign": kept, "id": id, "message": b64encode(message).decode()})["signature"])

    def _ask(self, asked: dict[str, str]) -> dict[str, str]:
        from lrs.tenancy.signers import SignerAway  # noqa: PLC0415 (not in the program)

        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps(asked), file=self.process.stdin, flush=True)
            told: dict[str, str] = json.loads(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            raise SignerAway("the KMS does not answer") from error
        return told

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def signer() -> Kms:
    """One KMS for this process."""
    if not MADE:
        MADE.append(Kms())
    return MADE[-1]


def _made(algorithm: str) -> Any:
    if algorithm == "Ed25519":
        return Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65_537, 2048)


def _signed(key: Any, message: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), SHA256())
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def main() -> None:
    keys: dict[str, Any] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "make" in asked:
            kept = f"kms:{len(keys)}"
            keys[kept] = _made(asked["make"])
            form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            told = {"kept": kept, "public": keys[kept].public_key().public_bytes(*form).decode()}
        else:
            told = {"signature": b64encode(_signed(keys[asked["sign"]], b64decode(asked["message"]))).decode()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
