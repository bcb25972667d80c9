"""How the records about somebody are found, and what that somebody is shown of them. Knows no room.

Each kind that is about people declares both (``Kind.find``, ``Kind.shown``), so that subject access goes through the
table of kinds and names none. Nobody is shown anything of others, nor a secret: not even one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from lrs.kernel.keys import key
from lrs.kernel.times import SECOND, timestamp_of_micros
from lrs.storage.contract import Reader, each
from lrs.storage.records import Record, micros_of


class Whose(NamedTuple):
    """One learner by everything that records call them: ids of persons, ids of identifiers, and these as agents.

    An agent has nothing but its identifier, as in xAPI; a mailbox stands there by its hash, too.
    """

    persons: tuple[str, ...]
    identifiers: tuple[str, ...]
    agents: tuple[Mapping[str, Any], ...]


FindRecords = Callable[[Reader, Whose], Iterator[Record]]
"""The records that may be about somebody; whether they are is what the kind's ``subjects`` say."""
ShownTo = Callable[[Record, Whose], dict[str, Any]]
"""What somebody is shown of a record that is about them, as JSON values."""
_NAMES = (
    "abandoned accepted access_until answered asked at closed consented corrected created decided ends event expires"
    " factor_used first given initialized last launched left made scopes starts terminated told until updated withdrawn"
)
TIMES = frozenset(_NAMES.split())
"""The fields of bodies that are times, in microseconds UTC; all other whole numbers count something."""
_SET = range(946_684_800 * SECOND, 4_102_444_800 * SECOND)
"""Times of the years 2000 to 2099. A time that is not known is 0."""


def by_keys(kind: str, keys: Callable[[Whose], Iterable[int]]) -> FindRecords:
    """Finds the records of *kind* with any of the search *keys*, each record once."""

    def find(reader: Reader, whose: Whose) -> Iterator[Record]:
        wanted = list(dict.fromkeys(keys(whose)))
        for place, index in enumerate(wanted):
            before = set(wanted[:place])
            yield from (record for record in each(reader, kind, index) if before.isdisjoint(record.keys))

    return find


def by_person(kind: str, name: str) -> FindRecords:
    """Finds the records of *kind* that have the person's id as their search key *name*."""
    return by_keys(kind, lambda whose: (key(name, one) for one in whose.persons))


def by_ids(kind: str) -> FindRecords:
    """Finds the records of *kind* whose id is that of a person."""

    def find(reader: Reader, whose: Whose) -> Iterator[Record]:
        yield from (reader.get_many(kind, whose.persons) if whose.persons else {}).values()

    return find


def body_shown(record: Record, whose: Whose) -> dict[str, Any]:  # noqa: ARG001 (it stands where a ``ShownTo`` stands)
    """The body, a JSON object, as ``shown_as`` shows it."""
    return shown_as(record, msgspec.json.decode(record.body) if record.body else {})


def without(*fields: str) -> ShownTo:
    """Shows the body but for *fields*."""

    def shown(record: Record, whose: Whose) -> dict[str, Any]:
        return {name: value for name, value in body_shown(record, whose).items() if name not in fields}

    return shown


def shown_as(record: Record, told: Mapping[str, Any]) -> dict[str, Any]:
    """*told*, with the record's id, and its place in the order as a time. Its own times are ISO 8601, too."""
    return {
        "id": record.id,
        "at": timestamp_of_micros(micros_of(record.seq)),
        **{name: _said(told[name], name) for name in told},
    }


def _said(value: Any, field: str) -> Any:
    """*value* of *field* with times as people read them: bodies have them in microseconds, in fields of ``TIMES``."""
    if isinstance(value, Mapping):
        return {name: _said(one, field if field in TIMES else name) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_said(one, field) for one in value]
    is_time = field in TIMES and isinstance(value, int) and value in _SET
    return timestamp_of_micros(value) if is_time else value


def sort_of(subject: str) -> str:
    """Who did something, without saying who: ``staff``, ``key``, ``learner``, ``operator``."""
    return subject.partition(" ")[0]
