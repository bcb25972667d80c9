"""Texts that we give out and later recognise as ours: ``more`` links, cursors, consent links, form tokens.

``seal`` gives ``base64url(MAC || JSON)`` with a keyed BLAKE2b of 16 bytes (RFC 7693 2.9). Such a text can be decoded by
anybody and carries no rights. ``hide`` encrypts as well: ChaCha20-Poly1305 (RFC 8439) with the MAC of the JSON as
nonce, so equal values give equal texts, and a nonce is used for one value only. Knows not what the texts say.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from lrs.kernel.base64url import base64url, from_base64url

T = TypeVar("T")
_MAC = 16
_NONCE = 12
_LONGEST = 65_536


class NotOurs(Exception):
    """The text was not sealed with this secret, or was changed since."""


def seal(secret: bytes, told: Any) -> str:
    """*told* (any JSON value) as a text for a URL, which ``unseal`` with the same *secret* accepts."""
    text = msgspec.json.encode(told)
    return base64url(_mac(secret, text) + text)


def unseal(secret: bytes, text: str, kind: type[T]) -> T:
    """The value, a *kind*, that was sealed with *secret*. Raises ``NotOurs``."""
    raw = _read(text)
    if not hmac.compare_digest(raw[:_MAC], _mac(secret, raw[_MAC:])):
        raise NotOurs
    return _decoded(raw[_MAC:], kind)


def hide(secret: bytes, told: Any) -> str:
    """As ``seal``, but whoever gets the text cannot read what it says."""
    text = msgspec.json.encode(told)
    nonce = _mac(secret, text)[:_NONCE]
    return base64url(nonce + _cipher(secret).encrypt(nonce, text, None))


def reveal(secret: bytes, text: str, kind: type[T]) -> T:
    """The value, a *kind*, that was hidden with *secret*. Raises ``NotOurs``."""
    raw = _read(text)
    try:
        return _decoded(_cipher(secret).decrypt(raw[:_NONCE], raw[_NONCE:], None), kind)
    except (InvalidTag, ValueError) as error:  # the latter where there is not even a whole nonce
        raise NotOurs from error


def digest_of(token: str) -> str:
    """The name under which a random *token* is known to a store, which does not have the token itself.

    A token has 256 random bits, so one hash is enough, and half of the hash identifies it.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _cipher(secret: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hashlib.blake2b(b"hidden", key=secret, digest_size=32).digest())


def _read(text: str) -> bytes:
    if len(text) > _LONGEST or not text.isascii():
        raise NotOurs
    try:
        raw = from_base64url(text)
    except ValueError as error:
        raise NotOurs from error
    # The decoder overlooks foreign characters and spare bits; only the writing that was given out counts.
    if base64url(raw) != text:
        raise NotOurs
    return raw


def _decoded(text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:  # sealed by another release, in which this said something else
        raise NotOurs from error


def _mac(secret: bytes, text: bytes) -> bytes:
    return hashlib.blake2b(text, key=secret, digest_size=_MAC).digest()
