"""What is known of statements before the store is looked at: the shape that ``prepare`` makes and ``store_in`` takes.

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
"""Names a statement that was referred to before it came; its body is the place where giving it keys goes on."""
_STAMPED = re.compile(rb'\{"stored":"([^"]+)","timestamp":"\1",')


class Prepared(msgspec.Struct, frozen=True):
    """A statement ready for the writer: all that does not depend on what is stored already.

    The stored text is ``{"stored":…,`` + (``"timestamp":…,`` if *stamped*) + *added* + *rest*. *side* are insert-only
    records it brings along; *index* is its place in the array it came in, ``None`` if it came by itself.
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
        """The statement as it is kept and answered; *stored* is its time as JSON text without quotes."""
        stamp = b'"timestamp":"%s",' % stored if self.stamped else b""
        return b'{"stored":"%s",%s%s%s' % (stored, stamp, self.added, self.rest)

    @property
    def sent_id(self) -> str:
        """The id in the case in which it was sent."""
        return str(self.tree.get("id", self.id))


class Plan(msgspec.Struct, frozen=True):
    """Statements that are stored together or not at all, in one decision, beside whatever else that decision writes.

    *side* are insert-only records that they bring along and that are not known to be stored. *weight* is about how
    many rows they will be, *reads* are the records (kind, id) that storing them looks at: both are for
    ``Store.write``, added up where a decision stores several plans. *equal* are ids whose stored statement was compared
    already (``write.compared``).
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
    """Whether the ``timestamp`` of a statement as it is kept (see ``Prepared.text``) is the server's, not its sender's.

    To be seen in every statement ever stored: both times stand in front, and are one text.
    """
    return _STAMPED.match(text) is not None


def in_batch(refused: Refused, index: int | None) -> Refused:
    """*refused* as it is told: of an array, also of one, which statement."""
    return refused.inside("" if index is None else f"/{index}", index)
