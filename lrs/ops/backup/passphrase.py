"""The master key inside a backup, sealed by a passphrase: scrypt (RFC 7914) and ChaCha20-Poly1305 (RFC 8439).

The costs of scrypt are fixed by the format of the backup, so that a file that was made to harm cannot ask for more.
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
"""128 MiB and a few tenths of a second for each try."""
_LONGEST = 65_536


class Sealed(msgspec.Struct, frozen=True):
    """What ``master.key.sealed`` holds, bytes as base64; ``n``, ``r`` and ``p`` are for who reads it elsewhere."""

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

    What is typed alike is alike, whichever editor or machine wrote it: line ends and a byte order mark do not count,
    and letters with marks are composed (NFC, as RFC 8265 has it). Raises ``Misconfigured`` for none, and for two.
    """
    path = file or settings.backup_passphrase_file
    if path is None:
        told = settings.backup_passphrase
        return _as_typed(os.fsencode(told.get_secret_value())) if told else None
    if settings.backup_passphrase:
        raise Misconfigured(
            "a passphrase stands in LRS_BACKUP_PASSPHRASE, and a file of one is named: leave one of them"
        )
    with path.open("rb") as read:
        text = _as_typed(read.read(_LONGEST + 1))
    if not text or len(text) > _LONGEST:
        raise Misconfigured(f"{path} holds no passphrase: it is empty, or longer than {_LONGEST} bytes")
    return text


def _as_typed(text: bytes) -> bytes:
    """*text* as everybody writes it; bytes that are no UTF-8 as they are."""
    plain = text.removeprefix(BOM_UTF8).rstrip(b"\r\n")
    try:
        return unicodedata.normalize("NFC", plain.decode()).encode()
    except UnicodeDecodeError:
        return plain


def seal(key: bytes, passphrase: bytes, backup: str) -> Sealed:
    """*key*, to be had back by who knows *passphrase*, and only as the key of the backup with this id."""
    salt, nonce = os.urandom(16), os.urandom(12)
    return Sealed(salt, nonce, _cipher(passphrase, salt).encrypt(nonce, key, backup.encode()))


def unseal(sealed: Sealed, passphrase: bytes, backup: str) -> bytes:
    """The key. Raises ``Misconfigured`` if the passphrase is another one, or what was sealed was changed."""
    try:
        return _cipher(passphrase, sealed.salt).decrypt(sealed.nonce, sealed.key, backup.encode())
    except (InvalidTag, ValueError) as error:
        raise Misconfigured("the passphrase does not open the master key in this backup: give the right one") from error


def _cipher(passphrase: bytes, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase))
