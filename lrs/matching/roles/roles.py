"""Roles: read from CSV or XLSX, stored, listed. Knows no learner.

Columns (in any order, in upper or lower case): ``role``, ``competency``; optional ``role_label``, ``label``,
``framework``, ``level`` (ordinal from 1), ``importance`` (essential, optional; default essential), ``weight`` (default
1), ``source``, ``valid_from`` and ``valid_until`` (ISO dates, both included). One row is one requirement; rows of one
role follow its order in the file. A role is taken completely or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from lrs.competency.frameworks.frameworks import published
from lrs.competency.frameworks.levels import LevelScale
from lrs.competency.tables import read_table
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row
from lrs.matching.roles.gap import Requirement, Role
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind

KIND = "role"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "role": (),
    "role_label": (),
    "competency": (),
    "label": (),
    "framework": (),
    "level": (),
    "importance": (),
    "weight": (),
    "source": (),
    "valid_from": (),
    "valid_until": (),
}
_HEAVIEST = 1_000_000
_NEEDED = ("role", "competency")


class RoleFault(msgspec.Struct, frozen=True):
    """A row that was not used: its number in the file (the header is 1), and the reason."""

    row: int
    reason: str


def read_roles(content: Path | bytes) -> tuple[list[Role], list[RoleFault]]:
    """The roles in a file, and the rows that could not be used. Raises ``Refused`` for a file that is no role table.

    If one row of a role cannot be used, the whole role is left out, because it would ask for less than is meant. If
    nobody can say to which role such a row belongs, all roles are left out.
    """
    rows, faults = read_table(content, COLUMNS, needed=_NEEDED)
    found: dict[str, list[Requirement]] = {}
    about: dict[str, Row] = {}
    lost = [(RoleFault(fault.row, str(fault).partition(": ")[2]), dict(fault.says).get("role", "")) for fault in faults]
    for row in rows:
        try:
            requirement = _requirement(row, found.get(row["role"], ()))
            _check_effect(row, about.get(row["role"], row))
        except ValueError as error:
            lost.append((RoleFault(row.place.row, str(error)), row["role"]))
            continue
        found.setdefault(row["role"], []).append(requirement)
        about.setdefault(row["role"], row)
    if not found and not lost:
        raise Refused("the file holds no roles: it has no rows", error="bad_file")
    incomplete = {role for _, role in lost}
    whole = [] if "" in incomplete else [role for role in found if role not in incomplete]
    problems = [RoleFault(one.row, f"{one.reason}; {_left(role)}") for one, role in lost]
    return [_role(id, about[id], found[id]) for id in whole], sorted(problems, key=lambda one: one.row)


def _left(role: str) -> str:
    return f"the role {role} is left as it was" if role else "nobody knows of which role it is, so all are left"


def keep(tx: Tx, role: Role) -> str:
    """Stores *role*, or replaces an earlier one. Gives ``new``, ``updated`` or ``unchanged``."""
    body = msgspec.json.encode(role)
    known = tx.get(KIND, role.id)
    if known and msgspec.json.decode(known.body, type=Role) == role:
        return "unchanged"
    tx.put(msgspec.structs.replace(known or Record(KIND, role.id), body=body))
    return "updated" if known else "new"


def get(reader: Reader, id: str) -> Role:
    """The role with this *id*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    if record is None:
        raise Refused("there is no such role", status=404, error="role_unknown")
    return msgspec.json.decode(record.body, type=Role)


def some(reader: Reader, ids: Iterable[str]) -> list[Role]:
    """Those roles of *ids* that there are."""
    wanted = list(ids)
    found = reader.get_many(KIND, wanted) if wanted else {}
    return [msgspec.json.decode(record.body, type=Role) for record in found.values()]


def labelled(reader: Reader, found: Sequence[Role]) -> list[Role]:
    """The roles *found*; a requirement without a label gets the label of the published framework."""
    if all(asked.label for role in found for asked in role.requirements):
        return list(found)
    words = _words(reader)

    def in_words(asked: Requirement) -> Requirement:
        label = asked.label or words.get((asked.framework, asked.competency))
        return msgspec.structs.replace(asked, label=label)

    return [
        msgspec.structs.replace(role, requirements=tuple(in_words(asked) for asked in role.requirements))
        for role in found
    ]


def unknown(reader: Reader, found: Sequence[Role]) -> list[str]:
    """A sentence for each requirement of *found* that nobody can meet.

    No published framework has its competency, or the scale of levels there does not go as far.
    """
    scales = _scales(reader)
    told = (
        _unmet(role, asked, scales.get((asked.framework, asked.competency)))
        for role in found
        for asked in role.requirements
    )
    return [said for said in told if said]


def _unmet(role: Role, asked: Requirement, scale: LevelScale | None) -> str:
    if scale is None:
        hint = "" if asked.framework else "; a code needs the column framework beside it"
        return f"{role.id} asks for {asked.competency}, which is in no published framework{hint}"
    most = max((level.ordinal for level in scale.levels), default=0)
    if (asked.level or 0) > most:
        ends = f"its framework's scale ({scale.name}) ends at {most}"
        return f"{role.id} asks for level {asked.level} of {asked.competency}, and {ends}"
    return ""


def _scales(reader: Reader) -> dict[tuple[str | None, str], LevelScale]:
    """The scales of the published frameworks, by the names that a requirement may give a competency."""
    return {
        name: framework.scale
        for framework in published(reader)
        for item in framework.items
        for name in ((framework.id, item.code), (framework.id, item.id), (None, item.id))
    }


def _words(reader: Reader) -> dict[tuple[str | None, str], str]:
    """The labels of the published frameworks, by the names that a requirement may give a competency."""
    words: dict[tuple[str | None, str], str] = {}
    for framework in published(reader):
        for item in framework.items:
            words[framework.id, item.code] = words[framework.id, item.id] = words[None, item.id] = item.label
    return words


def everyone(reader: Reader) -> Iterator[Role]:
    """All roles, in the order they came in."""
    for record in each(reader, KIND):
        yield msgspec.json.decode(record.body, type=Role)


def _requirement(row: Row, before: Sequence[Requirement]) -> Requirement:
    """One row, after those *before* it of the same role. Raises ``ValueError`` with the reason."""
    for needed in _NEEDED:
        if not row[needed]:
            raise ValueError(f"{needed} is empty")
    if any(one.competency == row["competency"] for one in before):
        raise ValueError(f"the role asks for {row['competency']} twice")
    importance = row["importance"].casefold() or "essential"
    if importance not in {"essential", "optional"}:
        raise ValueError("importance must be essential or optional")
    return Requirement(
        competency=row["competency"],
        label=row["label"] or None,
        framework=row["framework"] or None,
        level=_level(row["level"]),
        essential=importance == "essential",
        weight=_weight(row["weight"]),
    )


def _level(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not text.isascii() or not 1 <= len(text) <= 3 or int(text) < 1:
        raise ValueError("level must be a whole number from 1 to 999")
    return int(text)


def _weight(text: str) -> str:
    try:
        weight = Decimal(text or "1")
    except InvalidOperation as error:
        raise ValueError("weight must be a number") from error
    if not weight.is_finite() or not 0 < weight <= _HEAVIEST or weight.as_tuple().exponent < -6:  # type: ignore[operator]  # finite: an int
        raise ValueError(f"weight must be above 0, at most {_HEAVIEST}, with at most 6 decimals")
    return format(weight.normalize(), "f")


def _check_effect(row: Row, first: Row) -> None:
    """Raises ``ValueError`` for days that are none, that end before they begin, or are others than in the first row."""
    begins, ends = (_day(row, name) for name in ("valid_from", "valid_until"))
    if begins and ends and ends < begins:
        raise ValueError("valid_until is before valid_from")
    for name in ("valid_from", "valid_until"):
        if row[name] and row[name] != first[name]:
            raise ValueError(f"{name} is another one than in the first row of the role")


def _day(row: Row, name: str) -> date | None:
    try:
        return date.fromisoformat(row[name]) if row[name] else None
    except ValueError as error:
        raise ValueError(f"{name} must be a date such as 2028-01-31") from error


def _role(id: str, row: Row, requirements: list[Requirement]) -> Role:
    begins, ends = _day(row, "valid_from"), _day(row, "valid_until")
    label, source = row["role_label"] or id, row["source"] or None
    return Role(id, label, tuple(requirements), source, valid_from=begins, valid_until=ends)


KINDS = (Kind(KIND, "fact", Role, 1, subjects=None, retention="configuration", exported=True),)
