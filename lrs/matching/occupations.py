"""Occupations and the skills that go with them, from the CSV files of ESCO: read, stored, found. Knows no learner.

A folder has three tables, as ESCO gives them for a language (https://esco.ec.europa.eu, v1.1 and later):
``occupations*.csv`` (``conceptUri``, ``preferredLabel``, ``altLabels``), ``skills*.csv`` (``conceptUri``,
``preferredLabel``) and ``occupationSkillRelations*.csv`` (``occupationUri``, ``relationType``, ``skillUri``).

Records: ``occupation`` (id: its URI). Its names stand in ``meta``, too, so that looking for one reads no skills.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from lrs.competency.tables import read_table
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row
from lrs.storage import Reader, Record, Store, Tx, Walk, walked
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "occupation"
AT_ONCE = 100
"""Occupations in one commit."""
MOST_SKILLS = 300
"""Skills of one occupation; those of ESCO have far fewer."""
_OCCUPATIONS = {"conceptUri": (), "preferredLabel": (), "altLabels": ()}
_SKILLS = {"conceptUri": (), "preferredLabel": ()}
_RELATIONS = {"occupationUri": (), "relationType": (), "skillUri": ()}


class OccupationSkill(msgspec.Struct, frozen=True):
    """A skill that goes with an occupation: its URI, what it is called, and whether it is essential."""

    id: str
    label: str
    essential: bool


class Occupation(msgspec.Struct, frozen=True):
    """An occupation. *others* are its other names; essential skills come first, each sort by its label."""

    id: str
    label: str
    others: tuple[str, ...] = ()
    skills: tuple[OccupationSkill, ...] = ()
    v: int = 1


@dataclass(slots=True)
class ReadOccupations:
    """What a folder holds, and what could not be used: the file, its row, and why."""

    found: list[Occupation] = field(default_factory=list)
    lost: list[tuple[str, int, str]] = field(default_factory=list)


def read_folder(folder: Path) -> ReadOccupations:
    """The occupations in the tables of *folder*. Raises ``Refused`` for a table that is missing or is none."""
    read = ReadOccupations()
    named = _named(read, folder, "occupations*.csv", _OCCUPATIONS)
    skills = {id: label for id, (label, _) in _named(read, folder, "skills*.csv", _SKILLS).items()}
    of: dict[str, dict[str, OccupationSkill]] = {id: {} for id in named}
    file = _file(folder, "occupationSkillRelations*.csv")
    rows, faults = read_table(file, _RELATIONS, needed=tuple(_RELATIONS))
    read.lost += [(file.name, one.row, one.reason) for one in faults]
    for row in rows:
        reason = _fault(row, of, skills)
        if reason:
            read.lost.append((file.name, row.place.row, reason))
        else:
            one = OccupationSkill(row["skillUri"], skills[row["skillUri"]], row["relationType"] == "essential")
            of[row["occupationUri"]].setdefault(one.id, one)
    read.found = [Occupation(id, label, others, _ordered(of[id])) for id, (label, others) in named.items()]
    return read


def keep_all(store: Store, found: list[Occupation], by: str) -> dict[str, str]:
    """Stores *found*, in commits of ``AT_ONCE``. Gives ``new``, ``updated`` or ``unchanged`` for each, by its id."""
    done: dict[str, str] = {}
    for first in range(0, len(found), AT_ONCE):
        part = found[first : first + AT_ONCE]
        done |= store.write(partial(_keep, found=part, by=by)).result()
    return done


def occupation(reader: Reader, id: str) -> Occupation:
    """The occupation *id*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    if record is None:
        raise Refused("There is no such occupation here.", status=404, error="occupation_unknown")
    return msgspec.json.decode(record.body, type=Occupation)


def names(reader: Reader) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The id, the label and the other names of each occupation."""
    for record in walked(reader, Walk(KIND, limit=500, bare=True)):
        yield record.id, str(record.meta["label"]), tuple(record.meta["others"])


def looked_for(reader: Reader, text: str, most: int) -> list[tuple[str, str]]:
    """The first *most* occupations with *text* in a name: those whose label begins with it first, then by label."""
    sought = " ".join(text.split()).casefold()
    found = [
        (not label.casefold().startswith(sought), label.casefold(), id, label)
        for id, label, others in names(reader)
        if sought in label.casefold() or any(sought in other.casefold() for other in others)
    ]
    return [(id, label) for _, _, id, label in sorted(found)[:most]]


def _named(
    read: ReadOccupations, folder: Path, pattern: str, columns: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The label and the other names of each concept in a table, by its URI."""
    file = _file(folder, pattern)
    rows, faults = read_table(file, columns, needed=("conceptUri", "preferredLabel"))
    read.lost += [(file.name, one.row, one.reason) for one in faults]
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row in rows:
        id, label = row["conceptUri"], " ".join(row["preferredLabel"].split())
        if not id or not label:
            read.lost.append((file.name, row.place.row, "conceptUri and preferredLabel must not be empty"))
        else:
            others = row["altLabels"] if "altLabels" in columns else ""
            found[id] = label, tuple(dict.fromkeys(filter(None, map(str.strip, others.splitlines()))))
    return found


def _file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise Refused(f"{folder} has no file {pattern}: unpack the CSV files of ESCO there", error="bad_file")
    return found[0]


def _fault(row: Row, of: Mapping[str, Mapping[str, OccupationSkill]], skills: Mapping[str, str]) -> str:
    if row["occupationUri"] not in of:
        return "its occupation is not in the table of occupations"
    if row["skillUri"] not in skills:
        return "its skill is not in the table of skills"
    if row["relationType"] not in {"essential", "optional"}:
        return "relationType must be essential or optional"
    if len(of[row["occupationUri"]]) >= MOST_SKILLS:
        return f"an occupation has at most {MOST_SKILLS} skills"
    return ""


def _ordered(found: dict[str, OccupationSkill]) -> tuple[OccupationSkill, ...]:
    return tuple(sorted(found.values(), key=lambda one: (not one.essential, one.label.casefold(), one.id)))


def _keep(tx: Tx, found: list[Occupation], by: str) -> dict[str, str]:
    done = {}
    for one in found:
        body, known = msgspec.json.encode(one), tx.get(KIND, one.id)
        if known is not None and known.body == body:
            done[one.id] = "unchanged"
            continue
        done[one.id] = "updated" if known else "new"
        meta = {"label": one.label, "others": list(one.others)}
        tx.put(Record(KIND, one.id, body, meta=meta, rev=known.rev if known else 0))
    changed = sum(what != "unchanged" for what in done.values())
    if changed:
        audit.append(tx, by, "occupations.imported", {"occupations": str(changed)})
    return done


KINDS = (Kind(KIND, "fact", Occupation, 1, subjects=None, retention="configuration", exported=True),)
