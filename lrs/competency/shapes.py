"""The forms of an award, a level and a profile in the store, defined once. Pure; decides nothing.

The room competency writes them; badges, matching services and pages read them. Dates are days in the tenant's zone.
``v`` is the version of a body.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from lrs.competency.frameworks.levels import Level, LevelScale

AwardState = Literal["held", "expiring", "expired"]


class RuleRef(msgspec.Struct, frozen=True):
    """A rule by its lasting id, and the version of it that was applied."""

    item: str
    version: int


class Review(msgspec.Struct, frozen=True):
    """A change to rules of version *rules* has taken days of a period away.

    They stay held *until* then (microseconds UTC).
    """

    until: int
    rules: int


class Proof(msgspec.Struct, frozen=True):
    """A statement that supports an award."""

    statement: str
    source: str
    timestamp: str


class AboutCompetency(msgspec.Struct, frozen=True):
    """The competency of an award. *framework* is a URI, *version* the version since which it has this meaning."""

    id: str
    label: str
    framework: str
    version: int
    code: str

    @property
    def key(self) -> str:
        """The competency together with its version, as ``RuleCompetency.key``."""
        return f"{self.id}@{self.version}"


class Award(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an ``award`` record; *person* is its holder now.

    *evidence* is what ``decide.cited`` names; if that is not all, *evidence_count* is the number of all. If *review* is
    set, only a change of rules has taken the award away, and it is held until the review ends.
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
    """One competency of a profile: the highest level held, or the one held last if none is."""

    competency: AboutCompetency
    level: Level
    state: AwardState
    since: date
    valid_until: date | None
    evidence_count: int
    award: str
    review: Review | None = None


class Profile(msgspec.Struct, frozen=True):
    """The body of a ``profile`` record. *version* counts its changes.

    *merged_into* is the person who holds everything now.
    """

    v: int
    person: str
    version: int
    competencies: tuple[ProfileEntry, ...]
    merged_into: str | None = None
