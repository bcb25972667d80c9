"""What a lease is called, and how far ahead of now an entry may lie. Pure; knows no engine.

A lease has eight bytes of chance as its token. One more stands behind them if the entry was leased by itself, because
an earlier lease on it ran out: if that one runs out too, the entry is what was being run when its worker ended.
"""

from __future__ import annotations

import secrets

import msgspec

TOKEN_BYTES = 8
_ALONE = b"\x01"


class Ahead(msgspec.Struct, frozen=True):
    """How far ahead of now entries of one step may lie, in microseconds; what lies further waits for a wrong clock.

    *lease* is for the ends of leases, *tried* for entries that were handed back, *untried* for those that were not; no
    *untried* means that they may be owed for any day to come.
    """

    lease: int
    tried: int
    untried: int | None = None

    @property
    def least(self) -> int:
        """What lies no further than this is in order, whatever it is."""
        return min(self.lease, self.tried, self.lease if self.untried is None else self.untried)


def new_token(*, alone: bool = False) -> bytes:
    """The token of a new lease."""
    return secrets.token_bytes(TOKEN_BYTES) + (_ALONE if alone else b"")


def is_alone(token: bytes | None) -> bool:
    """Whether the entry with this *token* was leased by itself."""
    return token is not None and len(token) > TOKEN_BYTES
