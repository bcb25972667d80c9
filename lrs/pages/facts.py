"""What the pages show, read from the store; bounded, whatever the store holds. Decides nothing and formats nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrs.competency.explain import Explanation, explain
from lrs.competency.rules.rulesets import in_force
from lrs.competency.rules.unmatched import Unmatched, legible, unmatched
from lrs.competency.shapes import ProfileEntry
from lrs.kernel.keys import key
from lrs.matching import consent, services, view
from lrs.matching.consent import Consent, Subject
from lrs.matching.services import Service
from lrs.matching.view import Badge
from lrs.outbox.channel import Destination
from lrs.people import joins
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Backlog, Owed, Record, Store, pages
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier

LOOKED_AT = 500
"""So many of the newest statements are looked at for what no rule is about."""
LISTED = 100


@dataclass(frozen=True, slots=True)
class Run:
    """What the last import of one file came to; *at* is RFC 3339, *waiting* the rows to be repaired.

    *state* says how far it is, *reason* why it is not done.
    """

    adapter: str
    provider: str
    file: str
    at: str
    counts: Mapping[str, int]
    waiting: Sequence[Mapping[str, Any]]
    state: str = "done"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What lies in parts that the record store does not know; whoever puts the app together fills it in."""

    imports: Callable[[Store], Sequence[Run]]
    failed: Callable[[Tenant], Sequence[Mapping[str, Any]]]
    resend: Callable[[Tenant, str], int]
    destinations: Callable[[Tenant], Sequence[Destination]]


@dataclass(frozen=True, slots=True)
class LearnerFacts:
    """One learner: the group of persons that are one, and all that is known of it."""

    members: tuple[str, ...]
    identifiers: Mapping[str, Sequence[Identifier]]
    explanation: Explanation
    held: tuple[ProfileEntry, ...]
    badges: tuple[tuple[str, Badge], ...]
    consents: tuple[Consent, ...]
    services: Mapping[str, Service]
    suggestions: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class WorkFacts:
    """What waits, what failed, what came in. *unmatched* is about the newest statements, *looked_at* of them."""

    backlog: Sequence[Backlog]
    failing: Sequence[tuple[Record, Owed]]
    parked: Sequence[tuple[Record, Owed]]
    failed: Sequence[Mapping[str, Any]]
    destinations: Sequence[Destination]
    imports: Sequence[Run]
    services: Sequence[Service]
    rules: int
    unmatched: Sequence[Unmatched]
    looked_at: int


def learner_facts(tenant: Tenant, who: str) -> LearnerFacts:
    """About *who*: a person's id, or an identifier as people type it. Raises ``Refused`` (404)."""
    reader, explanation = tenant.store, explain(tenant, who)
    members = members_of(reader, explanation.person) if explanation.person else ()
    identifiers = {member: identifiers_in(reader, [member]) for member in members}
    given = tuple(one for subject in subjects(identifiers) for one in consent.of_subject(reader, subject))
    profile = reader.get("profile", members[0]) if members else None
    own = {one.id for known in identifiers.values() for one in known}
    badges = [record for member in members for record in pages(reader, "credential", key("credential.person", member))]
    return LearnerFacts(
        members=members,
        identifiers=identifiers,
        explanation=explanation,
        held=view.read_profile(profile).competencies if profile else (),
        badges=tuple((record.id, view.read_badge(record)) for record in badges),
        consents=given,
        services={one.id: one for one in services.everyone(reader)},
        suggestions=tuple(joins.shown(reader, one) for one in joins.suggestions_about(reader, own)),
    )


def subjects(identifiers: Mapping[str, Sequence[Identifier]]) -> list[Subject]:
    """All that consents of the persons in *identifiers* may stand under: the persons and their identifiers."""
    names = [Subject(identifier=one.id) for known in identifiers.values() for one in known]
    return [*(Subject(person=member) for member in identifiers), *names]


def work_facts(tenant: Tenant, neighbours: Neighbours) -> WorkFacts:
    """What the work of *tenant* looks like now."""
    store = tenant.store
    index = in_force(store).rules
    newest = store.find("statement", newest_first=True, limit=LOOKED_AT).records
    seen = list(legible(newest))
    return WorkFacts(
        backlog=store.backlog(),
        failing=store.failing(limit=LISTED),
        parked=store.parked(limit=LISTED),
        failed=neighbours.failed(tenant),
        destinations=neighbours.destinations(tenant),
        imports=neighbours.imports(store),
        services=list(services.everyone(store)),
        rules=len(index.by_item),
        unmatched=unmatched(seen, index),
        looked_at=len(seen),
    )
