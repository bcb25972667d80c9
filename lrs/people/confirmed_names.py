"""Names that staff confirmed, after they had seen a proof of identity. Knows no page and no badge.

A name that is signed into a badge, or shown beside a shared one, has to be somebody's word: that of an identity
authority, which sends it, or that of a member of staff, kept here with when and how they saw it. Whether it is put into
a badge is the learner's decision all the same. It is shown wherever all names of a person may be read.

kind ``confirmed-name``, id that of the oldest of the persons who are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import hidden_character
from lrs.people.persons import LISTING, members_of, owe_badges
from lrs.people.sent_names import authority_name
from lrs.storage import Owed, Reader, Record, Tx, each
from lrs.storage.about import by_ids, without
from lrs.storage.kinds import Kind, of_person_by_id
from lrs.tenancy import audit

KIND = "confirmed-name"
LONGEST = 100
"""Characters of a name, and of how the proof was seen."""
_NOBODY = "There is no such learner."


class ConfirmedName(msgspec.Struct, frozen=True):
    """The body of a record: the *name*, *how* the proof was seen, when (microseconds UTC), and by whom."""

    name: str
    how: str
    at: int
    by: str
    v: int = 1


class VouchedName(msgspec.Struct, frozen=True):
    """A name that may be signed, and who vouches for it: the identity authority *source*, or staff at the time *at*."""

    text: str
    source: str = ""
    at: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Whether staff confirmed it."""
        return not self.source


def vouched_name(reader: Reader, person: str) -> VouchedName | None:
    """The name of *person* that somebody vouches for; what staff confirmed comes before what an authority sends."""
    members = members_of(reader, person)
    if confirmed := confirmed_name(reader, members):
        return VouchedName(confirmed.name, at=confirmed.at)
    told = authority_name(reader, members[0]) if members else None
    return VouchedName(*told) if told else None


def confirmed_name(reader: Reader, members: Iterable[str]) -> ConfirmedName | None:
    """The name that staff confirmed of *members*, persons who are one; the newest if several were joined."""
    found = [read(record) for record in reader.get_many(KIND, members).values()]
    return max(found, key=lambda one: one.at, default=None)


def confirmed_names(reader: Reader) -> Iterator[tuple[str, str]]:
    """Everybody of whom staff confirmed a name, by the id of the person, with that name."""
    for record in each(reader, KIND):
        yield record.id, read(record).name


def confirm(tx: Tx, person: str, confirmed: ConfirmedName) -> str:
    """Keeps with this commit what somebody saw of *person*, in the place of what was confirmed before.

    Gives the name as it is kept. Badges that say another confirmed name are issued anew without it. Raises ``Refused``:
    404 for an unknown *person*, 400 with the field for a text that cannot be kept.
    """
    members = members_of(tx, person)
    if not members:
        raise Refused(_NOBODY, status=404, error="not_found")
    name, how = _checked(confirmed.name, "name", "The name"), _checked(confirmed.how, "how", "How you saw it")
    for member in members[1:]:
        tx.delete(KIND, member)
    body = msgspec.json.encode(msgspec.structs.replace(confirmed, name=name, how=how))
    tx.put(Record(KIND, members[0], body))
    _follow(tx, members)
    audit.append(tx, confirmed.by, "person.name-confirmed", {"person": members[0]})
    return name


def withdraw(tx: Tx, person: str, *, by: str) -> bool:
    """Takes back with this commit that a name of *person* is confirmed; ``False`` if none was.

    Badges that say it are issued anew without it. Raises ``Refused`` (404) for an unknown *person*.
    """
    members = members_of(tx, person)
    if not members:
        raise Refused(_NOBODY, status=404, error="not_found")
    if not sum(tx.delete(KIND, member) for member in members):
        return False
    _follow(tx, members)
    audit.append(tx, by, "person.name-withdrawn", {"person": members[0]})
    return True


def read(record: Record) -> ConfirmedName:
    """The name in *record*."""
    return msgspec.json.decode(record.body, type=ConfirmedName)


def _checked(text: str, field: str, what: str) -> str:
    """*text* on one line. Raises ``Refused`` (400) with the place."""
    if hidden_character(text):
        message = f"{what} has a character in it that cannot be seen: type it anew."
    elif not any(char.isalpha() for char in text):
        message = f"{what} is missing: write it in words."
    elif len(" ".join(text.split())) > LONGEST:
        message = f"{what} takes at most {LONGEST} characters."
    else:
        return " ".join(text.split())
    raise Refused(message, error=f"bad_{field}", pointer=f"/{field}")


def _follow(tx: Tx, members: Sequence[str]) -> None:
    """The badges of the persons *members*, who are one, and their row in the list of learners follow the name."""
    tx.owe("person", members[0], Owed(LISTING))
    for member in members:
        owe_badges(tx, member)


KINDS = (
    Kind(
        KIND,
        "fact",
        ConfirmedName,
        1,
        subjects=of_person_by_id,
        retention="consent",
        exported=True,
        find=by_ids(KIND),
        shown=without("by"),
    ),
)
