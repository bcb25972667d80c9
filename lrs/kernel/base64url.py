"""Bytes as text in base64url without padding (RFC 4648 5; RFC 7515 2): JOSE, tokens, status lists."""

from __future__ import annotations

import base64


def base64url(value: bytes) -> str:
    """*value* as text."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """The bytes of *text*. Raises ``ValueError``; characters of another alphabet are left out, as Python does."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
