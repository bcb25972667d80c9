"""The JSON that services send and get, as the published OpenAPI document describes it. Only shapes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lrs.matching.examples import EXAMPLES

_SUBJECT = "The learner's name towards this service alone."
_VERSION = "Grows with every change about this learner; the highest is the newest."
_TIMESTAMP = "RFC 3339 time at which the event was queued."
_REFERENCE = "What the service gave with its link."


def _with_example(schema: dict[str, Any], model: type[BaseModel]) -> None:
    if model.__name__ in EXAMPLES:
        schema["examples"] = [EXAMPLES[model.__name__]]


class Shape(BaseModel):
    """Names are camelCase outside; what is not described here is refused or left out."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", json_schema_extra=_with_example
    )


class TokenProblem(Shape):
    """An error of the token endpoint (RFC 6749 section 5.2)."""

    model_config = ConfigDict(alias_generator=None, extra="forbid")
    error: str
    error_description: str


class Token(Shape):
    """An access token (RFC 6749 section 5.1)."""

    model_config = ConfigDict(alias_generator=None, extra="forbid")
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (the name of a kind of token)
    expires_in: int = Field(description="Seconds.")
    scope: str


class Competency(Shape):
    """What is held: an item of a framework."""

    id: str
    label: str | None = None
    framework: str | None = None
    version: str | int | None = None
    code: str | None = None


class Level(Shape):
    """How well it is held: a step of the framework's level scale."""

    ordinal: int
    code: str | None = None
    label: str | None = None


class Held(Shape):
    """One competency the learner has proven."""

    competency: Competency
    level: Level | None = None
    state: str = Field(description="held, expiring or expired.")
    since: str | None = Field(None, description="ISO 8601 date.")
    valid_until: str | None = Field(None, description="ISO 8601 date; the last day it holds.")
    evidence_count: int | None = Field(None, description="Only with the scope profiles:read.evidence.")


class Badge(Shape):
    """An Open Badges 3.0 credential the learner holds."""

    id: str = Field(
        description="The badge's name towards this service alone. With badges:read, the badge itself is at"
        " /api/profiles/{subject}/badges/{id}."
    )
    state: Literal["issued", "revoked"]
    achievement: str | None = None
    name: str | None = None
    valid_from: str | None = Field(None, description="To the second only with badges:read; otherwise its day, UTC.")
    valid_until: str | None = None


class Profile(Shape):
    """What the learner agreed to show this service."""

    subject: str = Field(description="The learner's name towards this service alone.")
    version: int = Field(description="Grows with every change; the highest is the newest.")
    competencies: list[Held]
    badges: list[Badge]


class Change(Shape):
    """A profile that changed, or, if ``deleted``, one that must be forgotten."""

    subject: str
    version: int
    changed: str = Field(description="RFC 3339 time.")
    deleted: bool
    etag: str | None = None
    profile: Profile | None = None


class Feed(Shape):
    """A page of changes."""

    profiles: list[Change]
    cursor: str = Field(description="Where to go on: at once while more is true, later for what changes then.")
    more: bool


class Requirement(Shape):
    """What a role asks for; without a level any will do."""

    competency: str
    label: str | None = None
    framework: str | None = None
    level: int | None = None
    essential: bool
    weight: float


class Role(Shape):
    """A role and what it asks for."""

    id: str
    label: str
    source: str | None = None
    valid_from: str | None = Field(None, description="The first day on which the role has effect, if it is named.")
    valid_until: str | None = Field(None, description="The last day on which the role has effect, if it is named.")
    requirements: list[Requirement]


class Roles(Shape):
    """All roles."""

    roles: list[Role]


class RoleName(Shape):
    """Which role a gap is about."""

    id: str
    label: str


class Essentials(Shape):
    """The essential requirements apart; ``match`` in percent."""

    required: int
    met: int
    match: float | None = None


class GapRow(Shape):
    """One requirement and how it is met; ``shortfall`` in levels."""

    competency: str
    label: str | None = None
    essential: bool
    weight: float
    required: int | None = None
    level: int | None = None
    result: Literal["met", "expiring", "shortfall", "missing", "not comparable"]
    shortfall: int | None = None
    valid_until: str | None = None


class Gap(Shape):
    """What a learner still needs for a role. ``match`` is in percent, ``full`` only if nothing is missing."""

    subject: str
    on: str = Field(description="The day that was asked for; today if none was.")
    in_effect: bool = Field(description="Whether the role has effect on that day.")
    valid_from: str | None = Field(None, description="The first day on which the role has effect, if it says one.")
    valid_until: str | None = Field(None, description="The last day on which the role has effect, if it says one.")
    role: RoleName
    match: float | None = None
    full: bool
    essentials: Essentials
    requirements: list[GapRow]


class NearRole(Shape):
    """A role, and what the learner lacks for it; essential requirements come first."""

    role: RoleName
    match: float | None = None
    full: bool
    essentials: Essentials
    lacking: list[GapRow]


class NearestRoles(Shape):
    """The roles in effect on a day that come nearest to what a learner holds, the nearest first."""

    subject: str
    on: str
    roles: list[NearRole]


class ConsentGiven(Shape):
    """A learner agreed, and there is a record of the learner."""

    subject: str = Field(description=_SUBJECT)
    version: int = Field(description=_VERSION)
    reference: str | None = Field(None, description=_REFERENCE)
    scopes: list[str] = Field(description="All that the learner agrees to now.")
    purpose: str = Field(description="What the learner read and agreed to.")
    given: str = Field(description="RFC 3339 time at which the learner agreed.")
    expires: str | None = Field(None, description="RFC 3339 time at which the consent ends by itself, if it does.")


class ConsentWithdrawn(Shape):
    """A learner no longer agrees to ``scopes``; forget what came with them. With profiles:read all others go."""

    subject: str = Field(description=_SUBJECT)
    version: int = Field(description=_VERSION)
    reference: str | None = Field(None, description=_REFERENCE)
    scopes: list[str] = Field(description="What ended. If profiles:read is not among them, the profile goes on.")


class BadgeTold(Shape):
    """A badge was issued or revoked."""

    subject: str = Field(description=_SUBJECT)
    version: int = Field(description=_VERSION)
    badge: Badge = Field(description="The badge, and whether it is issued or revoked.")


class ProfileTold(Profile):
    """A profile as an event has it."""

    nearest_roles: list[NearRole] | None = Field(
        None, description="With gap:read: the five roles in effect today that come nearest, the nearest first."
    )


class ProfileUpdated(Shape):
    """Event ``profile.updated``."""

    type: Literal["profile.updated"]
    timestamp: str = Field(description=_TIMESTAMP)
    data: ProfileTold


class ConsentGivenEvent(Shape):
    """Event ``consent.given``."""

    type: Literal["consent.given"]
    timestamp: str = Field(description=_TIMESTAMP)
    data: ConsentGiven


class ConsentWithdrawnEvent(Shape):
    """Event ``consent.withdrawn``."""

    type: Literal["consent.withdrawn"]
    timestamp: str = Field(description=_TIMESTAMP)
    data: ConsentWithdrawn


class TestTold(Shape):
    """What a test event says: the service that it is for, and a sentence."""

    service: str = Field(description="The client id of the service.")
    message: str = Field(description="A sentence for whoever reads along.")


class TestEvent(Shape):
    """Event ``service.test``."""

    type: Literal["service.test"]
    timestamp: str = Field(description=_TIMESTAMP)
    data: TestTold


class BadgeEvent(Shape):
    """Events ``badge.issued`` and ``badge.revoked``."""

    type: Literal["badge.issued", "badge.revoked"]
    timestamp: str = Field(description=_TIMESTAMP)
    data: BadgeTold
