"""Statements prepared for storing: the struct that ``prepare`` makes and ``store_in`` takes.

Knows no store, and not how a plan is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Record
from lrs.xapi.statements.subscriptions import Subscriptions

KIND = "statement"
AWAITED = "awaited"
"""The kind of records for statements that were referred to before they arrived. The body is the place where passing on
keys continues.
"""
_STAMPED = re.compile(rb'\{"stored":"([^"]+)","timestamp":"\1",')


class Prepared(msgspec.Struct, frozen=True):
    """A statement ready for the writer: everything that does not depend on what is already stored.

    The stored text is ``{"stored":…,`` + (``"timestamp":…,`` if *stamped*) + *added* + *rest*. *side* are insert-only
    records that it brings along. *index* is its place in its array, ``None`` if it was sent alone.
    """

    id: str
    tree: dict[str, Any]
    added: bytes
    rest: bytes
    stamped: bool
    keys: tuple[int, ...]
    meta: dict[str, Any]
    refers: str | None = None
    voids: bool = False
    side: tuple[Record, ...] = ()
    index: int | None = None

    def text(self, stored: bytes) -> bytes:
        """The statement as it is stored and returned. *stored* is its time as JSON text without quotes."""
        stamp = b'"timestamp":"%s",' % stored if self.stamped else b""
        return b'{"stored":"%s",%s%s%s' % (stored, stamp, self.added, self.rest)

    @property
    def sent_id(self) -> str:
        """The id in upper or lower case as it was sent."""
        return str(self.tree.get("id", self.id))


class Plan(msgspec.Struct, frozen=True):
    """Statements that are stored together or not at all, in one decision, with whatever else that decision writes.

    *side* are insert-only records that they bring along and that may not be stored yet. *weight* is about how many rows
    they will be, *reads* are the records (kind, id) that storing them looks at: both are for ``Store.write``, added up
    if a decision stores several plans. *equal* are ids whose stored statement was already compared
    (``write.compared``).
    """

    statements: Sequence[Prepared]
    side: Sequence[Record]
    subscriptions: Subscriptions
    weight: int
    reads: list[tuple[str, str]]
    equal: frozenset[str] = frozenset()

    @property
    def ids(self) -> list[str]:
        """The statements' ids in order, in lower case."""
        return [one.id for one in self.statements]


def is_stamped(text: bytes) -> bool:
    """Whether the ``timestamp`` of a stored statement (see ``Prepared.text``) was set by the server.

    It can be seen in every stored statement: both times are at the start of the text, and equal.
    """
    return _STAMPED.match(text) is not None


def in_batch(refused: Refused, index: int | None) -> Refused:
    """*refused* with the index of the statement in its array, also in an array of one."""
    return refused.inside("" if index is None else f"/{index}", index)
