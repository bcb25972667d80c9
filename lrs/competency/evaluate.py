"""Two steps of owed work: ``match`` updates the evidence of statements, ``evaluate`` what persons hold.

Both bring records to a state and do not depend on events: run twice, late or in any order, they leave the same records.
What follows from a change (``issue`` for an award, ``sync`` for a profile) is owed in the commit that makes the change;
more evidence, or other pieces that are named, is no such change. ``evidence``, ``decide`` and ``awards`` decide; this
module only reads and writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future

import msgspec

from lrs.competency.awards import AwardPlan, Facts, Lineage, plan
from lrs.competency.bring import bring, reads_of
from lrs.competency.dates import day_of, midnight
from lrs.competency.decide import Span, Standing, Tally, decide
from lrs.competency.evidence import KIND as EVIDENCE
from lrs.competency.evidence import Meaning, meaning_of
from lrs.competency.held import AWARD, HEAD, LINEAGE, PROFILE, write_awards, write_profile
from lrs.competency.list_owed import owe_listing, rows_of, unlisted
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rematch import rematch
from lrs.competency.rules.review import CompetencyLevel, FormerDecision, reviewed
from lrs.competency.rules.rules import Index
from lrs.competency.rules.rulesets import CURRENT, in_force
from lrs.competency.seen import source_of
from lrs.competency.tallies import KIND as TALLY
from lrs.competency.tallies import counted_key, tallies_of
from lrs.competency.uncompletions import KIND as UNCOMPLETION
from lrs.competency.uncompletions import marks_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.people.ids import ids_of
from lrs.people.nobody import names_by_source, names_of_sources
from lrs.people.persons import Mint, minter
from lrs.storage import Claim, Owed, Reader, Record, RecordName, Stale, Store, Tx, each
from lrs.storage.ahead import ReadAhead
from lrs.tenancy.tenants import Tenant

AT_ONCE = 50
"""Persons whose records are read together, and are in memory together."""
EvaluationPlan = tuple[Claim, AwardPlan | None]
"""Who is evaluated, and what is to be stored for that holder; ``None`` for a person who is another's."""


class _RulesChanged(Exception):
    """Another rule set came into force after the statements were read and before their evidence was written."""


# -- match ----------------------------------------------------------------------------------------------------------


def match(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step ``match``: writes, replaces or removes the evidence of all claimed statements in one commit.

    A statement that cannot be read is put aside with the reason. An entry whose lease was lost is left to its new
    owner.
    """
    mint = minter(tenant.secret("person-ids"))
    statements = [claim for claim in claims if claim.record.kind == "statement"]
    if not _matched(tenant, statements, mint):
        for claim in statements:
            _matched(tenant, [claim], mint)
    for claim in claims:
        if claim.record.kind == "rematch":
            _rematched(tenant, claim)


def _matched(tenant: Tenant, claims: Sequence[Claim], mint: Mint) -> bool:
    """Whether no lease was lost. If one of several claims lost its lease, none of them is done."""
    while claims:
        try:
            claims = _settle_matches(tenant, claims, mint)
        except _RulesChanged:
            continue
        except Stale:
            return len(claims) == 1
    return True


def _settle_matches(tenant: Tenant, claims: Sequence[Claim], mint: Mint) -> Sequence[Claim]:
    """Settles the claims and gives those that are left: none. Raises ``_RulesChanged`` or ``Stale``."""
    store = tenant.store
    ahead = ReadAhead(store)
    ahead.load([CURRENT, *names_of_sources(_sources(claims))])
    rules = in_force(ahead)
    readable, meanings = _read(tenant, claims, rules, names_by_source(ahead, _sources(claims)))

    def settle(tx: Tx) -> None:
        if in_force(tx).rev != rules.rev:
            raise _RulesChanged
        bring(tx, meanings, mint, tenant.settings.zone)
        owe_listing(tx, unlisted(tx, meanings))

    if readable:
        reads = [CURRENT, *reads_of(meanings, mint), *rows_of(meanings, mint)]
        store.settle(readable, settle, reads=reads).result()
    return ()


def _sources(claims: Sequence[Claim]) -> set[str]:
    return {source_of(claim.record) for claim in claims}


def _read(
    tenant: Tenant, claims: Sequence[Claim], rules: InForce, nobody: Mapping[str, frozenset[str]]
) -> tuple[list[Claim], list[Meaning]]:
    store, ids, zone = tenant.store, ids_of(tenant), tenant.settings.zone
    readable, meanings = [], []
    for claim in claims:
        try:
            meanings.append(meaning_of(claim.record, rules, ids, zone, nobody[source_of(claim.record)]))
            readable.append(claim)
        except msgspec.MsgspecError as error:
            store.defer(claim, due=claim.owed.due, error=f"the statement cannot be read: {error}", parked=True)
    return readable, meanings


def _rematched(tenant: Tenant, claim: Claim) -> None:
    try:
        rematch(tenant, claim)
    except Stale:
        return  # Another process has done this page, and owes the next.


# -- evaluate -------------------------------------------------------------------------------------------------------


def evaluate(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step ``evaluate``: writes what each claimed person holds.

    Whoever changes evidence or groups meanwhile owes the step again, which makes the lease stale; then nothing is
    written here. If one person fails, the others are done, and the first error is raised at the end. All are written
    in one decision; if anybody was changed meanwhile, each in one of its own. What they follow from is read for many
    persons at once.
    """
    plans: list[EvaluationPlan] = []
    errors: list[BaseException] = []
    for some in (claims[at : at + AT_ONCE] for at in range(0, len(claims), AT_ONCE)):
        reader = _read_ahead(tenant.store, [claim.record for claim in some])
        rules = in_force(reader)
        for claim in some:
            person = claim.record
            try:
                plans.append((claim, None if person.meta["into"] else plan_for(reader, person, rules, tenant)))
            except Exception as error:  # noqa: BLE001 (raised below, after the others are done)
                errors.append(error)
    if _settle_evaluations(tenant, plans).exception():
        failures = [one.exception() for one in [_settle_evaluations(tenant, [plan]) for plan in plans]]
        errors += [failure for failure in failures if failure and not isinstance(failure, Stale)]
    if errors:
        raise errors[0]


def _read_ahead(store: Store, holders: Sequence[Record]) -> Reader:
    """What ``plan_for`` will ask for about *holders*: the store itself if that is too much to be in memory together."""
    ahead = ReadAhead(store)
    members = [member for holder in holders if not holder.meta["into"] for member in holder.meta["members"]]
    try:
        ahead.load([CURRENT])
        found = ahead.load_with("identifier", (key("identifier-person", member) for member in members))
        identifiers = [record.id for record in found]
        for kind in (UNCOMPLETION, TALLY):
            ahead.load_with(kind, (key(kind, one) for one in identifiers))
        ahead.load_with(EVIDENCE, map(counted_key, identifiers))
        ahead.load_with(LINEAGE, (key("lineage", member) for member in members))
    except Refused:
        return store
    return ahead


def _settle_evaluations(tenant: Tenant, plans: Sequence[EvaluationPlan]) -> Future[None]:
    def settle(tx: Tx) -> None:
        for claim, made in plans:
            _write_evaluation(tx, tenant, claim.record, made)

    reads = [name for claim, made in plans for name in _reads_of(claim.record.id, made)]
    return tenant.store.settle([claim for claim, _ in plans], settle, reads=reads)


def _reads_of(person: str, made: AwardPlan | None) -> Iterator[RecordName]:
    yield from (("person", person), (HEAD, person), (PROFILE, person))
    if made:
        yield from ((LINEAGE, id) for id in made.lineages)
        yield from ((AWARD, id) for id in made.awards)


def _write_evaluation(tx: Tx, tenant: Tenant, person: Record, made: AwardPlan | None) -> None:
    now = tx.get("person", person.id)
    if now is None or now.rev != person.rev:
        raise Stale("person", person.id)
    if made:
        write_awards(tx, person.id, made)
    write_profile(tx, person, made.entries if made else ())
    if made and made.next_day:
        tx.owe("person", person.id, Owed("evaluate", due=midnight(made.next_day, tenant.settings.zone)))
    if made and made.review_ends and made.review_ends > tenant.clock():
        tx.owe("person", person.id, Owed("evaluate", due=made.review_ends))


def plan_for(reader: Reader, person: Record, rules: InForce, tenant: Tenant) -> AwardPlan:
    """What follows now by *rules* from the evidence of *person* (a holder) and of everybody in its group.

    *rules* were read before the evidence is.
    """
    now, zone = tenant.clock(), tenant.settings.zone
    minted_for = {
        record.id: member
        for member in person.meta["members"]
        for record in each(reader, "identifier", key("identifier-person", member))
    }
    marks = marks_of(reader, minted_for)
    tallies = [tally for identifier in minted_for for tally in tallies_of(reader, identifier, zone, marks)]
    lineages = lineages_of(reader, person.meta["members"])
    former = [
        *((one.rules, one.until, one.by) for one in rules.in_review(now)),
        *((one.rules, one.at, one.by) for one in rules.on_its_way(reader)),
    ]
    standings = standings_of(tallies, rules, minted_for.keys(), former, spans_of(lineages.values()))
    facts = Facts(person.id, minted_for, rules.competencies(), lineages)
    return plan(standings, facts, day_of(now, zone))


def standings_of(
    tallies: Sequence[Tally],
    rules: InForce,
    own: Collection[str],
    former: Sequence[tuple[Index, int, int]],
    spans: Mapping[CompetencyLevel, Sequence[Span]],
) -> tuple[Standing, ...]:
    """What is held by the rules in force, and what is still held by *former* rules.

    Each former rule set comes with the end of its review and the version that replaced it.
    """
    gave = [
        FormerDecision(decide(_of_versions(tallies, one), one.by_item, own), until, by) for one, until, by in former
    ]
    counting = [one for one in tallies if rules.counts(one.rule)]
    return reviewed(decide(counting, rules.rules.by_item, own), gave, spans)


def spans_of(lineages: Iterable[Lineage]) -> dict[CompetencyLevel, list[Span]]:
    """The spans of all awards there ever were, by competency and level."""
    spans: dict[CompetencyLevel, list[Span]] = {}
    for one in lineages:
        spans.setdefault((one.competency.key, one.level.ordinal), []).extend(one.spans)
    return spans


def _of_versions(tallies: Sequence[Tally], rules: Index) -> list[Tally]:
    return [one for one in tallies if (one.rule.item, one.rule.version) in rules.versions]


def lineages_of(reader: Reader, members: Sequence[str]) -> dict[str, Lineage]:
    """The lineages minted for *members*, by id, oldest first."""
    records = [record for member in members for record in each(reader, LINEAGE, key("lineage", member))]
    records.sort(key=lambda record: (record.seq, record.id))
    return {one.id: one for one in (msgspec.json.decode(record.body, type=Lineage) for record in records)}
