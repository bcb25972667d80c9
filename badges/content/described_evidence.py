"""The evidence in a badge, described for people: what it was, who saw it, when, with which score. Pure.

A badge names a few pieces, the first and the newest, and says how many there are: an employer reads a few, and each
takes time to sign.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from badges.content.compose import CitedEvidence
from lrs.competency.dates import day_of, micros_in
from lrs.competency.shapes import Award, Proof
from lrs.competency.witnessed import Witnessed
from lrs.kernel.durations import hours_and_minutes
from lrs.kernel.plain_text import cleaned
from lrs.web.dates import written_day

FIRST, NEWEST = 2, 3
"""How many of the first and of the newest pieces a badge names."""
_LONGEST_NAME, _LONGEST_WHO = 150, 80
_KINDS: Mapping[str, str] = {
    "demonstrated": "Observation",
    "observed": "Observation",
    "performed": "Observation",
    "passed": "Assessment",
    "failed": "Assessment",
    "mastered": "Assessment",
    "scored": "Assessment",
    "evaluated": "Assessment",
    "attended": "Attendance",
    "completed": "Completed course or task",
    "experienced": "Learning",
}
"""Kinds of assessment by the last part of the verb's IRI."""
_SORTS: Mapping[str, str] = {"performance": "Observation", "assessment": "Assessment"}
"""The same by the last part of the type of the activity, which says more than the verb."""


def named(award: Award) -> tuple[Proof, ...]:
    """The pieces that the badge of *award* names."""
    pieces = award.evidence
    return pieces if len(pieces) <= FIRST + NEWEST else (*pieces[:FIRST], *pieces[-NEWEST:])


def described(award: Award, seen: Mapping[str, Witnessed], zone: str) -> tuple[CitedEvidence, ...]:
    """The evidence of the badge of *award*; *seen* is what is known of statements, days are days in *zone*."""
    pieces = named(award)
    return (*(_piece(one, seen.get(one.statement), zone) for one in pieces), *_counted(award, pieces))


def _piece(proof: Proof, seen: Witnessed | None, zone: str) -> CitedEvidence:
    when = micros_in(proof.timestamp)
    day = written_day(day_of(when, zone)) if when is not None else ""
    name = cleaned(seen.activity, _LONGEST_NAME) if seen else ""
    return CitedEvidence(
        uuid.UUID(proof.statement).urn,
        name or (f"Learning record of {day}" if day else "Learning record"),
        " ".join(_sentences(proof, seen, day)),
        _kind(seen) if seen else "",
    )


def _sentences(proof: Proof, seen: Witnessed | None, day: str) -> Iterator[str]:
    if seen is not None and seen.observed:
        who = ", ".join(cleaned(one, _LONGEST_WHO) for one in seen.observers)
        yield f"Supervised: seen by {who}." if who else "Supervised by somebody whom the record does not name."
    if seen is not None and seen.score:
        yield f"Score: {seen.score}."
    length = hours_and_minutes(seen.duration) if seen is not None else ""
    if length:
        yield f"It took {length}."
    recorded = f"Recorded by {cleaned(proof.source, _LONGEST_WHO)}"
    yield f"{recorded}, {day}." if day else f"{recorded}."


def _kind(seen: Witnessed) -> str:
    verb, sort = (iri.rstrip("/").rpartition("/")[2] for iri in (seen.verb, seen.sort))
    return _SORTS.get(sort) or _KINDS.get(verb, "")


def _counted(award: Award, pieces: Sequence[Proof]) -> Iterator[CitedEvidence]:
    """A line that says how much evidence there is beyond what is named, at the time of signing."""
    count = award.evidence_count or len(award.evidence)
    if count > len(pieces):
        yield CitedEvidence(None, f"{count} learning records in all; {len(pieces)} of them are named here")
