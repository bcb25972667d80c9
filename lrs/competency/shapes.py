"""What an award, a level and a profile look like in the store: written here once. Pure; decides nothing.

Competencies write them; badges, matching services and pages read them. Dates are days in the tenant's zone. Versions of
a body are told by ``v``.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from lrs.competency.frameworks.levels import Level, LevelScale

State = Literal["held", "expiring", "expired"]


class RuleRef(msgspec.Struct, frozen=True):
    """A rule by its lasting id, and the version of it that was applied."""

    item: str
    version: int


class Review(msgspec.Struct, frozen=True):
    """Rules of version *rules* have taken a period away, or days of it; it is held *until* then (microseconds UTC)."""

    until: int
    rules: int


class Proof(msgspec.Struct, frozen=True):
    """A statement that supports an award."""

    statement: str
    source: str
    timestamp: str


class AboutCompetency(msgspec.Struct, frozen=True):
    """The competency of an award; *framework* is a URI, *version* the one in which it came to mean this."""

    id: str
    label: str
    framework: str
    version: int
    code: str


class Award(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an ``award`` record; *person* is who holds it now.

    *evidence* is what ``decide.cited`` names; where that is not all, *evidence_count* says how much there is. With a
    *review* rules alone have taken it away, and it is held until that ends.
    """

    v: int
    person: str
    competency: AboutCompetency
    level: Level
    scale: LevelScale
    held_from: date
    valid_until: date | None
    state: Literal["held", "withdrawn", "expired"]
    evidence: tuple[Proof, ...]
    rule: RuleRef
    evidence_count: int | None = None
    review: Review | None = None


class ProfileEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One competency of a profile: the highest level held, or, if none is, the one held last."""

    competency: AboutCompetency
    level: Level
    state: State
    since: date
    valid_until: date | None
    evidence_count: int
    award: str
    review: Review | None = None


class Profile(msgspec.Struct, frozen=True):
    """The body of a ``profile`` record; *version* counts its changes. *merged_into* is who holds it all instead."""

    v: int
    person: str
    version: int
    competencies: tuple[ProfileEntry, ...]
    merged_into: str | None = None
