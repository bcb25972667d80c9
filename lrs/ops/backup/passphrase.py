"""The master key in a backup, encrypted with a passphrase: scrypt (RFC 7914) and ChaCha20-Poly1305 (RFC 8439).

The format fixes the cost of scrypt, so that a malicious file cannot demand more.
"""

from __future__ import annotations

import os
import unicodedata
from codecs import BOM_UTF8
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings

_N, _R, _P = 1 << 17, 8, 1
"""128 MiB and some tenths of a second for each try.
"""
_LONGEST = 65_536


class Sealed(msgspec.Struct, frozen=True):
    """The content of ``master.key.sealed``; bytes are base64.

    ``n``, ``r`` and ``p`` are for other programs that read it.
    """

    salt: bytes
    nonce: bytes
    key: bytes
    kdf: str = "scrypt"
    n: int = _N
    r: int = _R
    p: int = _P
    cipher: str = "chacha20-poly1305"


def passphrase_of(settings: Settings, file: Path | None) -> bytes | None:
    """The passphrase from *file*, ``LRS_BACKUP_PASSPHRASE_FILE`` or ``LRS_BACKUP_PASSPHRASE``; ``None`` without any.

    Line ends and a byte order mark are removed and letters with marks are composed (NFC, RFC 8265), so that the same
    text gives the same passphrase on every machine. Raises ``Misconfigured`` for an empty one, and if two are given.
    """
    path = file or settings.backup_passphrase_file
    if path is None:
        told = settings.backup_passphrase
        return _as_typed(os.fsencode(told.get_secret_value())) if told else None
    if settings.backup_passphrase:
        raise Misconfigured("LRS_BACKUP_PASSPHRASE and a passphrase file are both given: give one of them")
    with path.open("rb") as read:
        text = _as_typed(read.read(_LONGEST + 1))
    if not text or len(text) > _LONGEST:
        raise Misconfigured(f"{path} holds no passphrase: it is empty, or longer than {_LONGEST} bytes")
    return text


def _as_typed(text: bytes) -> bytes:
    """*text* in its normal form; bytes that are not UTF-8 stay as they are."""
    plain = text.removeprefix(BOM_UTF8).rstrip(b"\r\n")
    try:
        return unicodedata.normalize("NFC", plain.decode()).encode()
    except UnicodeDecodeError:
        return plain


def seal(key: bytes, passphrase: bytes, backup: str) -> Sealed:
    """*key*, encrypted with *passphrase* and bound to the backup with this id."""
    salt, nonce = os.urandom(16), os.urandom(12)
    return Sealed(salt, nonce, _cipher(passphrase, salt).encrypt(nonce, key, backup.encode()))


def unseal(sealed: Sealed, passphrase: bytes, backup: str) -> bytes:
    """The key. Raises ``Misconfigured`` if the passphrase is wrong or the data was changed."""
    try:
        return _cipher(passphrase, sealed.salt).decrypt(sealed.nonce, sealed.key, backup.encode())
    except (InvalidTag, ValueError) as error:
        raise Misconfigured("the passphrase does not open the master key in this backup: give the right one") from error


def _cipher(passphrase: bytes, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase))
