"""Which statements are evidence no more: asked for those that a badge names. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from lrs.competency.completion import Marks
from lrs.competency.decide import why_not
from lrs.competency.evidence import evidence_from, statement_key
from lrs.competency.uncompletions import marks_of
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Reader, pages


def uncounted(reader: Reader, person: str, statements: Collection[str]) -> set[str]:
    """Those of *statements* that are voided, or no longer count for *person* and whoever is one with it.

    Of one that is not in the store nothing is known, so it is not among them.
    """
    own = {identifier.id for identifier in identifiers_in(reader, members_of(reader, person))}
    marks = marks_of(reader, own)
    there = reader.get_many("statement", statements)
    return {id for id, record in there.items() if record.meta.get("voided") or not _counts(reader, id, own, marks)}


def _counts(reader: Reader, statement: str, own: Collection[str], marks: Marks) -> bool:
    return any(
        why_not(evidence_from(record), own, marks) is None
        for identifier in own
        for record in pages(reader, "evidence", statement_key(identifier, statement))
    )
