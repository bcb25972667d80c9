"""Statements prepared for storing: the struct that ``prepare`` makes and ``store_in`` takes.

Knows no store, and not how a plan is made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Record
from lrs.xapi.citations import rule
from lrs.xapi.statements.subscriptions import StepQuestions, Subscriptions

KIND = "statement"
QUARANTINED = "quarantined"
AWAITED = "awaited"
"""The kind of records for statements that were referred to before they arrived. The body is the place where passing on
keys continues.
"""
_STAMPED = re.compile(rb'\{"stored":"([^"]+)","timestamp":"\1",')


class Prepared(msgspec.Struct, frozen=True):
    """A statement ready for the writer: everything that does not depend on what is already stored.

    The stored text is ``{"stored":…,`` + (``"timestamp":…,`` if *stamped*) + *added* + *rest*. *side* are insert-only
    records that it brings along. *index* is its place in its array, ``None`` if it was sent alone. *fingerprint* is
    there if it came without an id and its source asked for that (``fingerprints``).
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
    fingerprint: str = ""

    def text(self, stored: bytes) -> bytes:
        """The statement as it is stored and returned. *stored* is its time as JSON text without quotes."""
        stamp = b'"timestamp":"%s",' % stored if self.stamped else b""
        return b'{"stored":"%s",%s%s%s' % (stored, stamp, self.added, self.rest)

    @property
    def sent_id(self) -> str:
        """The id in upper or lower case as it was sent."""
        return str(self.tree.get("id", self.id))


class SetAside(msgspec.Struct, frozen=True):
    """A statement that is not stored but kept in quarantine (``quarantine``): invalid by a known habit of its sender.

    *text* is as received, *mended* what it is after its mends, *habits* their names. *refused* says what is wrong.
    *keys* are those of the agents in it. *sender* is what it needs to be stored later.
    """

    id: str
    sent_id: str
    text: bytes
    mended: dict[str, Any]
    habits: tuple[str, ...]
    refused: Refused
    keys: tuple[int, ...]
    sender: AsideSender
    index: int | None = None
    fingerprint: str = ""


class AsideSender(msgspec.Struct, frozen=True):
    """Who sent a statement that is in quarantine. *rights* are the few that change how a statement is stored."""

    source: str
    key: str
    authority: msgspec.Raw
    version: str
    rights: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """Statements that are stored together or not at all, in one decision, with whatever else that decision writes.

    *side* are insert-only records that they bring along and that may not be stored yet. *weight* is about how many rows
    they will be, *reads* are the records (kind, id) that storing them looks at: both are for ``Store.write``, added up
    if a decision stores several plans. *equal* are ids whose stored statement was already compared
    (``write.compared``). *aside* are statements of the same text that go into quarantine, in the same decision.
    *questions* are asked in the writer: what the statements owe.
    """

    statements: Sequence[Prepared]
    side: Sequence[Record]
    subscriptions: Subscriptions
    weight: int
    reads: list[tuple[str, str]]
    questions: StepQuestions
    equal: frozenset[str] = frozenset()
    aside: Sequence[SetAside] = ()

    @property
    def in_order(self) -> Sequence[Prepared | SetAside]:
        """All statements in the order in which they were sent, those for the quarantine among them."""
        if not self.aside:
            return self.statements
        return sorted([*self.statements, *self.aside], key=lambda one: one.index or 0)

    @property
    def has_prints(self) -> bool:
        """Whether any of them has a fingerprint."""
        return any(one.fingerprint for one in self.in_order)

    def without(self, ids: Collection[str]) -> Plan:
        """The plan without the statements *ids*."""
        kept = [one for one in self.statements if one.id not in ids]
        return msgspec.structs.replace(self, statements=kept, aside=[one for one in self.aside if one.id not in ids])

    def as_sent(self, ids: Sequence[str]) -> list[str]:
        """*ids*, which ``store_in`` gave for this plan, in upper or lower case as they were sent."""
        return [one.sent_id if one.id == id else id for one, id in zip(self.in_order, ids, strict=True)]

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


def conflict_of(id: str, version: str, index: int | None) -> Refused:
    """The refusal (409) of another statement under the *id* of a known one."""
    conflict = Refused(
        f"statement {id} is stored already with other content",
        status=409,
        error="conflict",
        rule=rule("Communication 2.1.1", version),
    )
    return in_batch(conflict, index)
