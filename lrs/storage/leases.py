"""Tokens of leases, and how far ahead of now an entry may be due. Pure; knows no engine.

The token of a lease is eight random bytes. One more byte follows if the entry was leased alone because an earlier lease
on it ran out. If that lease runs out too, the worker died while it ran this entry.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from lrs.storage.records import Claim

T = TypeVar("T")
TOKEN_BYTES = 8
_ALONE = b"\x01"


class Ahead(msgspec.Struct, frozen=True):
    """How far ahead of now entries of one step may be due, in microseconds.

    Entries further ahead were written by a wrong clock. *lease* applies to ends of leases, *tried* to entries that were
    handed back, *untried* to those that were not; ``None`` for *untried* means that they may be owed for any day.
    """

    lease: int
    tried: int
    untried: int | None = None

    @property
    def least(self) -> int:
        """Entries no further ahead than this are in order, whatever they are."""
        return min(self.lease, self.tried, self.lease if self.untried is None else self.untried)


def new_token(*, alone: bool = False) -> bytes:
    """The token of a new lease."""
    return secrets.token_bytes(TOKEN_BYTES) + (_ALONE if alone else b"")


def is_alone(token: bytes | None) -> bool:
    """Whether the entry with this *token* was leased alone."""
    return token is not None and len(token) > TOKEN_BYTES


def first_leased(look: Callable[[], list[T]], lease: Callable[[T], Sequence[Claim]]) -> Claim | None:
    """A claim that *lease* gives for what *look* finds, taken at random. Looks again if others were faster.

    What is found and cannot be leased was settled, or leased by another process, since the look. So each look finds
    other entries, or none.
    """
    while found := look():
        random.shuffle(found)
        for one in found:
            for claim in lease(one):
                return claim
    return None
