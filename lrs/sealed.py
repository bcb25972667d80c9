"""Texts that we hand out and later recognise as ours: ``more`` links, cursors, links, form tokens.

``base64url(MAC || JSON)`` with a keyed BLAKE2b of 16 bytes (RFC 7693 2.9): opaque by convention, not secret; it never
carries rights. Knows not what the texts say.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_MAC = 16
_LONGEST = 65_536


class NotOurs(Exception):
    """The text was not sealed with this secret, or was changed since."""


def seal(secret: bytes, told: Any) -> str:
    """*told*, JSON-able, as a text that fits in a URL and that only ``unseal`` with the same *secret* accepts."""
    text = msgspec.json.encode(told)
    return _written(_mac(secret, text) + text)


def unseal(secret: bytes, text: str, kind: type[T]) -> T:
    """What was sealed with *secret*, which was a *kind*. Raises ``NotOurs``."""
    if len(text) > _LONGEST or not text.isascii():
        raise NotOurs
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise NotOurs from error
    # The decoder overlooks foreign characters and spare bits; only the writing that was given out counts.
    if _written(raw) != text or not hmac.compare_digest(raw[:_MAC], _mac(secret, raw[_MAC:])):
        raise NotOurs
    try:
        return msgspec.json.decode(raw[_MAC:], type=kind)
    except msgspec.ValidationError as error:  # sealed by another release, in which this said something else
        raise NotOurs from error


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(secret: bytes, text: bytes) -> bytes:
    return hashlib.blake2b(text, key=secret, digest_size=_MAC).digest()
