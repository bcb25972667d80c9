"""The data of the pages, read from the store, with bounds. Decides nothing and formats nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from lrs.access import Caller, learners
from lrs.access.learners import LearnerAccount
from lrs.access.sessions import Session, sessions_of
from lrs.competency.explain import Explanation, LevelExplanation, explain
from lrs.competency.listed import awards_of
from lrs.competency.rules.rulesets import in_force
from lrs.competency.rules.unmatched import Unmatched, legible, unmatched
from lrs.competency.shapes import Award, ProfileEntry
from lrs.kernel.keys import key
from lrs.matching import services, view
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Consent, Subject
from lrs.matching.services import Service
from lrs.matching.view import BadgeSummary
from lrs.outbox.listing import DestinationStatus
from lrs.pages import reach
from lrs.people import joins
from lrs.people.persons import identifiers_in, members_of, person_named
from lrs.storage import Backlog, Owed, Reader, Record, Store, Tx, Walk
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier
from lrs.xapi.statements.subscriptions import Subscriptions

LOOKED_AT = 500
"""How many of the newest statements are searched for those that no rule is about."""
LISTED = 100
"""How many badges of a person, services, and failed entries are listed: the newest badges."""


class Run(msgspec.Struct, frozen=True):
    """The result of the last import of one file. *at* is RFC 3339, *waiting* the rows to repair.

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


class EntryNames(msgspec.Struct, frozen=True):
    """What an entry of owed work is about: the id and the name of a learner, and where it is sent; empty if unknown."""

    person: str = ""
    name: str = ""
    to: str = ""


class Neighbours(msgspec.Struct, frozen=True):
    """Functions of parts that the record store does not know. The composition root sets them.

    *stopped* gives how badges are stopped by hand, by their ids; *unclosed* how many training sessions of some centres,
    or of all, are today or over, and still open; *unsigned* how many checklists wait for somebody's signature;
    *to_repair* how many rows of files that somebody may see wait; *to_plan* what is missing for planning; *by_file* the
    sources of which files came in, which need no key.
    """

    imports: Callable[[Store], Sequence[Run]]
    deliveries: Callable[[Tenant, Sequence[str]], Sequence[Mapping[str, Any]]]
    sent: Callable[[Tenant, str], Sequence[Mapping[str, Any]]]
    subscriptions: Subscriptions
    failed: Callable[[Tenant], Sequence[Mapping[str, Any]]]
    badge: Callable[[str], str]
    retry: Callable[[Tx, str, str, str], bool]
    undone: Callable[[str, str], str]
    destinations: Callable[[Tenant], Sequence[DestinationStatus]]
    names: Callable[[Tenant, Record], EntryNames]
    stopped: Callable[[Reader, Sequence[str]], Mapping[str, str]]
    unclosed: Callable[[Tenant, Collection[str] | None], int]
    to_repair: Callable[[Tenant, Caller], int]
    unsigned: Callable[[Tenant, Caller, Collection[str] | None], int]
    to_plan: Callable[[Tenant], int]
    by_file: Callable[[Reader], frozenset[str]]


class LearnerFacts(msgspec.Struct, frozen=True):
    """One learner: the joined persons, and what is known of them."""

    members: tuple[str, ...]
    identifiers: Mapping[str, Sequence[Identifier]]
    explanation: Explanation
    held: tuple[ProfileEntry, ...]
    badges: tuple[tuple[str, BadgeSummary], ...]
    consents: tuple[Consent, ...]
    services: Mapping[str, Service]
    suggestions: tuple[dict[str, Any], ...]
    deliveries: tuple[Mapping[str, Any], ...]
    account: LearnerAccount | None
    sessions: tuple[Session, ...]
    stopped: Mapping[str, str]
    """How badges are stopped by hand, by their ids."""


class WorkFacts(msgspec.Struct, frozen=True):
    """Waiting and failed work, and new statements.

    *unmatched* is about the newest statements, *looked_at* in number.
    """

    backlog: Sequence[Backlog]
    failing: Sequence[tuple[Record, Owed]]
    parked: Sequence[tuple[Record, Owed]]
    undone: Callable[[str, str], str]
    failed: Sequence[Mapping[str, Any]]
    destinations: Sequence[DestinationStatus]
    imports: Sequence[Run]
    services: Sequence[Service]
    rules: int
    unmatched: Sequence[Unmatched]
    looked_at: int
    names: Mapping[str, EntryNames]
    """By the ids of records that fail or were put aside."""


def learner_facts(tenant: Tenant, neighbours: Neighbours, who: str) -> LearnerFacts:
    """The learner *who*: a person's id, or an identifier as people type it. Raises ``Refused`` (404)."""
    reader, explanation = tenant.store, explain(tenant, who, find=person_named)
    members = members_of(reader, explanation.person) if explanation.person else ()
    identifiers = {member: identifiers_in(reader, [member]) for member in members}
    given = tuple(one for subject in subjects(identifiers) for one in consent.of_subject(reader, subject))
    profile = reader.get("profile", members[0]) if members else None
    own = {one.id for known in identifiers.values() for one in known}
    badges = [record for member in members for record in _newest_badges(reader, member)]
    return LearnerFacts(
        members=members,
        identifiers=identifiers,
        explanation=explanation,
        held=view.read_profile(profile).competencies if profile else (),
        badges=tuple((record.id, view.read_badge(record)) for record in badges),
        consents=given,
        services=services.named(reader, {one.service for one in given}),
        suggestions=tuple(joins.shown(reader, one) for one in joins.suggestions_about(reader, own)),
        deliveries=tuple(neighbours.deliveries(tenant, members)),
        account=next(filter(None, (learners.account_of(reader, member) for member in members)), None),
        sessions=tuple(
            one for member in members for one in sessions_of(reader, learners.SUBJECT + member, tenant.clock())
        ),
        stopped=neighbours.stopped(reader, [record.id for record in badges]),
    )


def _newest_badges(reader: Reader, person: str) -> Sequence[Record]:
    walk = Walk("credential", (key("credential.person", person),), newest_first=True, limit=LISTED)
    return reader.find(walk).records


def within_reach(tenant: Tenant, neighbours: Neighbours, caller: Caller, found: LearnerFacts) -> LearnerFacts:
    """*found* as far as *caller* may see it.

    With a narrow reach that is what evidence of the caller's own sources proves: no evidence of others, no names and
    identifiers that only others use, and not who else may see the learner.
    """
    sources = reach.own_sources(caller)
    if sources is None:
        return found
    reader, answers = tenant.store, found.explanation.answers
    named = {one.award for one in found.held} | {str(each["award"]) for one in answers for each in one.awards}
    awards = {id: one for id, one in awards_of(reader, named).items() if reach.cites(one, sources)}
    kept = tuple(one for one in (_answer_within(each, awards, sources) for each in answers) if one)
    issued = {neighbours.badge(id) for id in awards}
    own = {member: reach.known_to(reader, caller, known) for member, known in found.identifiers.items()}
    members = tuple(member for member, known in own.items() if known)
    name = reach.name_told(reader, [one for known in own.values() for one in known], sources)
    return replace(
        found,
        members=members,
        identifiers={member: own[member] for member in members},
        explanation=msgspec.structs.replace(found.explanation, answers=kept, name=name),
        held=tuple(_held_within(one, awards[one.award], sources) for one in found.held if one.award in awards),
        badges=tuple((id, one) for id, one in found.badges if id in issued),
        consents=(),
        suggestions=(),
        deliveries=(),
        account=None,
        sessions=(),
    )


def _answer_within(one: LevelExplanation, awards: Collection[str], sources: Collection[str]) -> LevelExplanation | None:
    """The part of *one* that is proven by evidence of *sources*: the awards among *awards*; ``None`` if nothing is."""
    shown = tuple(award for award in one.awards if award["award"] in awards)
    evidence = tuple(each for each in one.evidence if each.source in sources)
    return msgspec.structs.replace(one, awards=shown, evidence=evidence) if shown or evidence else None


def _held_within(one: ProfileEntry, award: Award, sources: Collection[str]) -> ProfileEntry:
    return msgspec.structs.replace(one, evidence_count=sum(proof.source in sources for proof in award.evidence))


def subjects(identifiers: Mapping[str, Sequence[Identifier]]) -> list[Subject]:
    """The subjects under which consents of the persons in *identifiers* may be stored."""
    names = [Subject(identifier=one.id) for known in identifiers.values() for one in known]
    return [*(Subject(person=member) for member in identifiers), *names]


def work_facts(tenant: Tenant, neighbours: Neighbours) -> WorkFacts:
    """The work of *tenant* at present."""
    store = tenant.store
    index = in_force(store).rules
    newest = store.find(Walk("statement", newest_first=True, limit=LOOKED_AT)).records
    seen = list(legible(newest))
    failing, parked = store.failing(limit=LISTED), store.parked(limit=LISTED)
    return WorkFacts(
        backlog=store.backlog(),
        failing=failing,
        parked=parked,
        names={record.id: neighbours.names(tenant, record) for record, _ in (*failing, *parked)},
        undone=neighbours.undone,
        failed=neighbours.failed(tenant),
        destinations=neighbours.destinations(tenant),
        imports=neighbours.imports(store),
        services=list(islice(services.everyone(store), LISTED)),
        rules=len(index.by_item),
        unmatched=unmatched(seen, index),
        looked_at=len(seen),
    )
