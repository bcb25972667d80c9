"""Learners of whom staff have noted that they are under age, and until which day. Knows no consent and no service.

Dates of birth are kept nowhere: what counts is the day from which somebody decides alone. Whatever shows something of a
learner in public asks ``is_minor`` first; what a learner agrees to holds only if a guardian agreed, too
(``lrs.matching.consent.under_age``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from lrs.people.persons import members_of, owe_badges
from lrs.storage import Owed, Reader, Record, Tx
from lrs.storage.about import by_ids
from lrs.storage.kinds import Kind, of_person_by_id
from lrs.tenancy import audit

KIND = "minor"


class Minor(msgspec.Struct, frozen=True):
    """*until* is the first day on which the person is of age; ``None`` while nobody knows it."""

    until: date | None = None
    v: int = 1


def note(tx: Tx, person: str, until: date | None, *, by: str) -> None:
    """Notes with this commit that *person* is under age, in the place of what was noted before.

    It is noted of each who is one with *person*: it stays with all of them if they are parted.
    """
    members = members_of(tx, person) or (person,)
    for member in members:
        tx.put(Record(KIND, member, msgspec.json.encode(Minor(until)), rev=_rev(tx, member)))
    _owe(tx, members)
    audit.append(tx, by, "person.under-age", {"person": person})


def clear(tx: Tx, person: str, *, by: str) -> bool:
    """Takes the note back with this commit, of all who are one with *person*; ``False`` if there was none."""
    members = members_of(tx, person) or (person,)
    if not sum(tx.delete(KIND, member) for member in members):
        return False
    _owe(tx, members)
    audit.append(tx, by, "person.of-age", {"person": person})
    return True


def is_minor(reader: Reader, members: Iterable[str], today: date) -> bool:
    """Whether one of *members*, persons who are one, is under age on the day *today* in the organisation's zone."""
    found = reader.get_many(KIND, members).values()
    untils = [msgspec.json.decode(record.body, type=Minor).until for record in found]
    return any(until is None or today < until for until in untils)


def _owe(tx: Tx, members: Sequence[str]) -> None:
    """What services are told of *members*, who are one, and their badges, are worked out anew.

    A name is taken out, or put in again; what they gave alone may hold no more, or again.
    """
    if tx.get("person", members[0]) is not None:
        tx.owe("person", members[0], Owed("sync"))
    for member in members:
        owe_badges(tx, member)  # a badge does not name somebody who is under age


def _rev(tx: Tx, person: str) -> int:
    known = tx.get(KIND, person)
    return known.rev if known else 0


KINDS = (Kind(KIND, "fact", Minor, 1, subjects=of_person_by_id, retention="consent", exported=True, find=by_ids(KIND)),)
