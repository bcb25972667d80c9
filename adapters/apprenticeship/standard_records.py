"""Records of apprenticeship standards, as Skills England publishes them: read from JSON, stored by version, listed.

A standard in one version has knowledge, skills and behaviours. K1 is the first of the list: a place, which moves
between versions. The GUID is the identity. The code in the register of learning aims (LARS) is the same in all
versions: by it ILR returns and the apprenticeship service name the standard. Source: Skills England,
``/api/apprenticeshipstandards``, and SkillsFundingAgency, das-courses-api (StandardImport).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.kernel.plain_text import one_line
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "apprenticeship-standard"
MOST_BYTES = 128 * 1024 * 1024
"""Bytes of one file. The list of all standards has about 79 million."""
_LISTS = (("K", "knowledges", "knowledgeId"), ("S", "skills", "skillId"), ("B", "behaviours", "behaviourId"))
"""The letter of a code, the member with the list, and the member with the GUID."""
_REFERENCE = re.compile(r"[A-Z]{2}[0-9]{4}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_LONGEST = 4_000


class Criterion(msgspec.Struct, frozen=True):
    """One of the knowledge, skills and behaviours: *code* is its place in this version, *guid* its identity."""

    code: str
    guid: str
    text: str


class StandardRecord(msgspec.Struct, frozen=True):
    """A standard in one *version*. *lars* is its code in the register of learning aims, if it has one."""

    reference: str
    version: str
    title: str
    level: int | None
    lars: int | None
    status: str
    options: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    v: int = 1

    def shown(self) -> dict[str, Any]:
        """The standard without its criteria, for people and programs."""
        counts = {letter: sum(one.code[0] == letter for one in self.criteria) for letter, _, _ in _LISTS}
        return {
            "reference": self.reference,
            "version": self.version,
            "title": self.title,
            "level": self.level,
            "lars": self.lars,
            "status": self.status,
            "options": list(self.options),
            "knowledge": counts["K"],
            "skills": counts["S"],
            "behaviours": counts["B"],
        }


class _Coded(msgspec.Struct, frozen=True):
    """What names a standard: so its criteria, nearly all of a record, need not be decoded."""

    reference: str
    lars: int | None


class StandardFault(msgspec.Struct, frozen=True):
    """A record of the file that was not used: its place from 1, its reference if it has one, and the reason."""

    place: int
    reference: str
    reason: str


KINDS = (Kind(KIND, "fact", StandardRecord, 1, subjects=None, retention="configuration", exported=True),)


def read_standards(content: bytes) -> tuple[list[StandardRecord], list[StandardFault]]:
    """The standards in *content*, one record or a list of them; and those that cannot be used, which are left out.

    Raises ``Refused`` (400, 413) for a file that is no such JSON.
    """
    if len(content) > MOST_BYTES:
        raise Refused(f"the file has more than {MOST_BYTES} bytes", status=413, error="file_too_large")
    try:
        read = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = "the file is no JSON: send the record of a standard as Skills England's address gives it"
        raise Refused(message, error="bad_file") from error
    listed = read if isinstance(read, list) else [read]
    if not listed or not all(isinstance(one, dict) for one in listed):
        raise Refused("the file has no record of a standard: one object, or a list of them", error="bad_file")
    found: dict[tuple[str, str], StandardRecord] = {}
    faults: list[StandardFault] = []
    for place, one in enumerate(listed, 1):
        try:
            standard = _standard(one)
            if (standard.reference, standard.version) in found:
                raise ValueError(f"version {standard.version} comes twice in the file")
            found[standard.reference, standard.version] = standard
        except ValueError as error:
            faults.append(StandardFault(place, one_line(str(one.get("referenceNumber") or ""))[:20], str(error)))
    return list(found.values()), faults


def keep(tx: Tx, standard: StandardRecord, *, by: str) -> str:
    """Stores *standard* in its version, which *by* brings in. Gives ``new``, ``updated`` or ``unchanged``."""
    id = name(KIND, standard.reference, standard.version)
    body = msgspec.json.encode(standard)
    known = tx.get(KIND, id)
    if known and known.body == body:
        return "unchanged"
    tx.put(msgspec.structs.replace(known or Record(KIND, id), body=body))
    outcome = "updated" if known else "new"
    about = {"standard": standard.reference, "version": standard.version, "outcome": outcome}
    audit.append(tx, by, "standard.changed", about)
    return outcome


def every_standard(reader: Reader) -> Iterator[StandardRecord]:
    """All standards in all versions, in the order they came in."""
    for record in each(reader, KIND):
        yield msgspec.json.decode(record.body, type=StandardRecord)


def standard_called(reader: Reader, reference: str, version: str = "") -> StandardRecord:
    """The standard in *version*, ``""`` for the newest. Raises ``Refused`` (404)."""
    wanted = reference.strip().upper()
    found = [one for one in every_standard(reader) if one.reference == wanted and version in {"", one.version}]
    if not found:
        what = f"{wanted} {version}".strip()
        message = f"the standard {what} is not here: lrs standards import FILE brings it in"
        raise Refused(message, status=404, error="standard_unknown")
    return max(found, key=lambda one: _ordered(one.version))


def lars_codes(reader: Reader) -> Mapping[int, str]:
    """The reference of each standard that has a code in the register of learning aims, by that code."""
    coded = (msgspec.json.decode(record.body, type=_Coded) for record in each(reader, KIND))
    return {one.lars: one.reference for one in coded if one.lars is not None}


def _ordered(version: str) -> tuple[int, ...]:
    """Versions in their order: 1.10 comes after 1.9."""
    return tuple(int(part) for part in version.split("."))


def _standard(told: Mapping[str, Any]) -> StandardRecord:
    """One record. Raises ``ValueError`` with the reason."""
    reference = _text(told, "referenceNumber").upper()
    if not _REFERENCE.fullmatch(reference):
        raise ValueError("referenceNumber is no reference of a standard, such as ST1406")
    version = _text(told, "version") or _text(told, "versionNumber")
    if not _VERSION.fullmatch(version):
        raise ValueError("version is no version, such as 1.0")
    title = _text(told, "title")
    if not title:
        raise ValueError("title is empty")
    criteria = tuple(one for letter, member, id in _LISTS for one in _criteria(told, letter, member, id))
    if not criteria:
        raise ValueError("there are no knowledges, skills and behaviours")
    if len({one.guid for one in criteria}) < len(criteria):
        raise ValueError("one identifier stands for two criteria")
    options = told.get("options") or []
    names = tuple(_text(one, "title") for one in options if isinstance(one, dict)) if isinstance(options, list) else ()
    return StandardRecord(
        reference,
        version,
        title,
        _number(told, "level"),
        _number(told, "larsCode") or None,
        _text(told, "status"),
        tuple(filter(None, names)),
        criteria,
    )


def _criteria(told: Mapping[str, Any], letter: str, member: str, id: str) -> Iterator[Criterion]:
    listed = told.get(member) or []
    if not isinstance(listed, list):
        raise ValueError(f"{member} is no list")  # noqa: TRY004 (a fault of the file, told with the others)
    for place, one in enumerate(listed, 1):
        guid = _text(one, id) if isinstance(one, dict) else ""
        if not _GUID.fullmatch(guid):
            raise ValueError(f"{member}: {letter}{place} has no identifier ({id})")
        yield Criterion(f"{letter}{place}", guid.lower(), _text(one, "detail"))


def _text(told: Mapping[str, Any], member: str) -> str:
    found = told.get(member)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    return one_line(found)[:_LONGEST] if isinstance(found, str) else ""


def _number(told: Mapping[str, Any], member: str) -> int | None:
    found = _text(told, member)
    return int(found) if re.fullmatch(r"[0-9]{1,6}", found) else None
