"""What learners say of themselves: skills that their former occupation suggests, and that they confirmed.

It is no evidence: it makes no level, no badge and no part of a profile, and no service is told of it. It stands beside
what is proven, and what is proven takes its place.

Records: ``self-declared`` (id: the person).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from lrs.competency.shapes import ProfileEntry
from lrs.kernel.errors import Refused
from lrs.matching.occupations import Occupation
from lrs.matching.roles.gap import COUNTS
from lrs.storage import Reader, Record, Tx
from lrs.storage.about import by_ids
from lrs.storage.kinds import Kind, of_person_by_id
from lrs.tenancy import audit

KIND = "self-declared"


class DeclaredSkill(msgspec.Struct, frozen=True):
    """A skill that somebody says they have: its id, and what it is called."""

    id: str
    label: str


class SelfDeclared(msgspec.Struct, frozen=True):
    """What *person* said at a time (microseconds UTC): a former occupation, and which of its skills they have."""

    person: str
    occupation: str
    label: str
    skills: tuple[DeclaredSkill, ...]
    at: int
    v: int = 1


def declare(tx: Tx, person: str, known: Occupation, ticked: Iterable[str], now: int, *, by: str) -> SelfDeclared:
    """Keeps that *person* was in the occupation *known* and has the skills *ticked* of those that it suggests.

    It takes the place of what they said before. Raises ``Refused`` (400) for a skill that it does not suggest.
    """
    wanted = set(ticked)
    foreign = wanted - {one.id for one in known.skills}
    if foreign:
        raise Refused("This occupation does not suggest one of these skills. Reload the page.", error="bad_skill")
    skills = tuple(DeclaredSkill(one.id, one.label) for one in known.skills if one.id in wanted)
    one = SelfDeclared(person, known.id, known.label, skills, now)
    tx.put(Record(KIND, person, msgspec.json.encode(one)))
    audit.append(tx, by, "skills.declared", {"person": person, "occupation": known.id, "skills": str(len(skills))})
    return one


def take_back(tx: Tx, persons: Sequence[str], *, by: str) -> bool:
    """Deletes what *persons*, who are one, said of themselves; ``False`` if they said nothing."""
    gone = [person for person in persons if tx.delete(KIND, person)]
    for person in gone:
        audit.append(tx, by, "skills.undeclared", {"person": person})
    return bool(gone)


def said_by(reader: Reader, persons: Sequence[str]) -> SelfDeclared | None:
    """What *persons*, who are one, said last."""
    found = reader.get_many(KIND, persons) if persons else {}
    told = [msgspec.json.decode(record.body, type=SelfDeclared) for record in found.values()]
    return max(told, key=lambda one: one.at, default=None)


def beside(said: SelfDeclared | None, held: Iterable[ProfileEntry]) -> tuple[DeclaredSkill, ...]:
    """The skills that somebody *said* they have, and that nothing proves: those *held* take their place.

    A skill is the same if it has the same id or code, or is called the same.
    """
    if said is None:
        return ()
    about = [one.competency for one in held if one.state in COUNTS]
    proven = {name.casefold() for one in about for name in (one.id, one.code, one.label or "") if name}
    return tuple(one for one in said.skills if proven.isdisjoint((one.id.casefold(), one.label.casefold())))


KINDS = (
    Kind(
        KIND, "fact", SelfDeclared, 1, subjects=of_person_by_id, retention="consent", exported=True, find=by_ids(KIND)
    ),
)
