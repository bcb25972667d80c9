"""Of which course an activity is: the search keys of the parts of a version of a course, and what they are asked."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.lms.courses.structure import Structure, parts_of
from lrs.kernel.keys import key
from lrs.storage import Reader, Walk

VERSION = "course-version"
"""The kind of the records."""
_MOST = 100
"""Versions that are looked at, the newest first."""


def part_keys(structure: Structure) -> set[int]:
    """The search keys of a version: of the course, its blocks and units, by the publisher's ids and by ours."""
    parts = (structure, *parts_of(structure.children))
    return {_key(id) for part in parts for id in (part.id, part.activity)}


def first_of_another(reader: Reader, ids: Iterable[str], course: str) -> str | None:
    """The first of *ids* that names a part of another course than *course*; ``None`` if none does."""
    for id in ids:
        found = reader.find(Walk(VERSION, [_key(id)], newest_first=True, limit=_MOST, bare=True)).records
        owners = {record.id.partition(".")[0] for record in found}
        if owners and course not in owners:
            return id
    return None


def _key(id: str) -> int:
    return key("course.part", id)
