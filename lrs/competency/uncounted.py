"""Finds statements that are no longer evidence, among those that a badge names. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from lrs.competency.completion import LatestUncompletions
from lrs.competency.decide import why_not
from lrs.competency.evidence import evidence_from, statement_key
from lrs.competency.uncompletions import marks_of
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Reader, each


def uncounted(reader: Reader, person: str, statements: Collection[str]) -> set[str]:
    """Those of *statements* that are voided, or no longer count for *person* and the persons merged with it.

    A statement that is not in the store is left out, because nothing is known of it.
    """
    own = {identifier.id for identifier in identifiers_in(reader, members_of(reader, person))}
    marks = marks_of(reader, own)
    there = filter(None, (reader.get("statement", id) for id in statements))  # one at a time: each may have megabytes
    return {one.id for one in there if one.meta.get("voided") or not _counts(reader, one.id, own, marks)}


def _counts(reader: Reader, statement: str, own: Collection[str], marks: LatestUncompletions) -> bool:
    return any(
        why_not(evidence_from(record), own, marks) is None
        for identifier in own
        for record in each(reader, "evidence", statement_key(identifier, statement))
    )
