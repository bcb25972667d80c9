"""Short texts that we hand out and later recognise as ours: cursors, links, form tokens. Knows not what they say.

``base64url(JSON array || first 16 bytes of HMAC-SHA256)``: opaque by convention, not secret; never carries rights.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

_MAC = 16
_LONGEST = 1_024


class NotOurs(Exception):
    """The text was not sealed with this secret, or was changed since."""


def seal(secret: bytes, *parts: str | int) -> str:
    """A text that fits in a URL and that only ``unseal`` with the same *secret* accepts."""
    told = msgspec.json.encode(parts)
    return base64.urlsafe_b64encode(told + _mac(secret, told)).rstrip(b"=").decode()


def unseal(secret: bytes, text: str) -> list[Any]:
    """The parts that were sealed. Raises ``NotOurs``."""
    if len(text) > _LONGEST or not text.isascii():
        raise NotOurs
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise NotOurs from error
    told, mac = raw[:-_MAC], raw[-_MAC:]
    if not hmac.compare_digest(mac, _mac(secret, told)):
        raise NotOurs
    parts: list[Any] = msgspec.json.decode(told, type=list)
    return parts


def _mac(secret: bytes, told: bytes) -> bytes:
    return hmac.digest(secret, told, hashlib.sha256)[:_MAC]
