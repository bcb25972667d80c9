"""Who would gain and lose levels if other rules came into force. Worked out from the statements beforehand.

A loss is a level that is held today under the rules in force and would not be held under the others, or would end
earlier. A level that is in review already is no loss of the new rules. The statements are read outside the write lock,
and those that arrive meanwhile are added, so that the work ends even if statements keep coming. Inside the write lock
``unchanged`` then checks that the result still holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from lrs.competency.completion import NO_MARKS, UNCOMPLETED, Uncompletion, latest
from lrs.competency.dates import day_of
from lrs.competency.decide import Evidence, HeldPeriod, Tally, decide, taken_back
from lrs.competency.evidence import evidence_from, meaning_of
from lrs.competency.rules.in_force import FormerRuleset, InForce
from lrs.competency.rules.review import CompetencyLevel
from lrs.competency.rules.rules import Index, RuleCompetency, Ruleset, index_rules, rules_for
from lrs.competency.rules.rulesets import current, in_force
from lrs.competency.rules.walk import anchors
from lrs.competency.seen import look, moment_of
from lrs.competency.tallies import tallied
from lrs.competency.uncompletions import uncompletions_in
from lrs.people.ids import Ids, check_renamed, ids_of
from lrs.people.nobody import names_by_source
from lrs.people.persons import holders, identifiers_in, members_of
from lrs.storage import NEWEST, Reader, Record, Walk, newest_place, pages, walked
from lrs.tenancy.audit import AuditEntry
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.keys import verb_key

PAGE = 500
"""How many statements are read at once, and how many may have arrived since the last look for ``unchanged`` to pass."""
TAKES_BACK = frozenset({"http://adlnet.gov/expapi/verbs/voided"}) | UNCOMPLETED


@dataclass(frozen=True, slots=True, order=True)
class Swing:
    """A level that a change of rules would give or take: of whom, of which competency, and until when it is held.

    *competency* is its key (id and version): two frameworks may have one code and label. If *ends* is set, the level is
    only lost from that day on, which is earlier than before.
    """

    person: str
    code: str
    label: str
    level: int
    gained: bool
    ends: date | None = None
    competency: str = field(kw_only=True, compare=False)


class Changed(Exception):
    """Something that counts has changed since the look."""


@dataclass(slots=True)
class LossSurvey:
    """What was found in statements up to the place *until*: tallies of all *rules*, by what they are about.

    *rules* are the rules about the competencies and levels that change: the new ones, then the ones in force.
    *completed* is evidence, with its tally, that one of *uncompleted* may take back; whether it does depends on who is
    one person.
    """

    after: Ruleset
    rules: InForce
    ids: Ids
    rev: int
    today: date
    until: int
    audited: int
    tallies: dict[tuple[str, str, int, date, tuple[str, ...]], Tally] = field(default_factory=dict)
    uncompleted: list[Uncompletion] = field(default_factory=list)
    completed: list[tuple[Evidence, Tally]] = field(default_factory=list)


def look_at(tenant: Tenant, ruleset: Ruleset) -> LossSurvey:
    """Reads all statements that a difference between the rules in force and *ruleset* may concern.

    Raises ``Changed`` if a statement was voided or taken back meanwhile.
    """
    check_renamed(tenant)
    store, zone = tenant.store, tenant.settings.zone
    head, before = in_force(store), current(store)
    rules = _touched(before, ruleset)
    today = day_of(tenant.clock(), zone)
    seen = LossSurvey(
        ruleset,
        rules,
        ids_of(tenant),
        head.rev,
        today,
        until=newest_place(store, "statement"),
        audited=newest_place(store, "audit"),
    )
    for verb in sorted(UNCOMPLETED):
        for record in walked(store, Walk("statement", [verb_key(verb)], until=seen.until, limit=PAGE)):
            seen.uncompleted += _taken_off(record, seen.ids)
    for anchor in sorted({key for index in rules.every() for rule in index.by_item.values() for key in anchors(rule)}):
        for page in pages(store, Walk("statement", [anchor], until=seen.until, limit=PAGE)):
            _fold(store, seen, page.records, zone)
    _catch_up(store, seen, zone)
    return seen


def _catch_up(reader: Reader, seen: LossSurvey, zone: str) -> None:
    for page in pages(reader, Walk("statement", after=seen.until, limit=PAGE)):
        if any(_takes_back(record) for record in page.records):
            raise Changed
        _fold(reader, seen, page.records, zone)
        seen.until = page.records[-1].seq if page.records else seen.until


def look_on(tenant: Tenant, seen: LossSurvey) -> set[str]:
    """Adds the statements that arrived since the look. Gives the identifiers that they are about.

    Raises ``Changed`` if something else than evidence changed, so that everything has to be read again.
    """
    audited = tenant.store.find(Walk("audit", after=seen.audited, limit=PAGE))
    if (
        in_force(tenant.store).rev != seen.rev
        or day_of(tenant.clock(), tenant.settings.zone) != seen.today
        or audited.next
        or any(_is_about_persons(record) for record in audited.records)
    ):
        raise Changed
    known, completed = set(seen.tallies), len(seen.completed)
    _catch_up(tenant.store, seen, tenant.settings.zone)
    fresh = {about[0] for about in seen.tallies.keys() - known}
    return fresh | {tally.identifier for _, tally in seen.completed[completed:]}


def swings_now(reader: Reader, seen: LossSurvey, before: Sequence[Swing], touched: Collection[str]) -> list[Swing]:
    """As ``swings``, where the result was *before* and statements about the identifiers *touched* were added since."""
    theirs = {*_persons(reader, set(touched)).values(), *touched}  # an identifier without a person stood for itself
    own = {one.id for holder in theirs for one in identifiers_in(reader, members_of(reader, holder))}.union(touched)
    of_them = replace(
        seen,
        tallies={about: one for about, one in seen.tallies.items() if about[0] in own},
        uncompleted=[one for one in seen.uncompleted if one.identifier in own],
        completed=[pair for pair in seen.completed if pair[1].identifier in own],
    )
    return sorted([one for one in before if one.person not in theirs] + swings(reader, of_them))


def swings(reader: Reader, seen: LossSurvey) -> list[Swing]:
    """Who would gain and lose levels, by person."""
    groups: dict[str, list[Tally]] = {}
    tallies = [*seen.tallies.values(), *(tally for _, tally in seen.completed)]
    about = {one.identifier for one in tallies} | {one.identifier for one in seen.uncompleted}
    persons = _persons(reader, about)
    for one in _still_counted(seen, persons):
        groups.setdefault(persons[one.identifier], []).append(one)
    found: list[Swing] = []
    for holder, tallies in groups.items():
        own = {one.id for one in identifiers_in(reader, members_of(reader, holder))} or {holder}
        found += _swings(holder, tallies, own, seen)
    return sorted(found)


def _still_counted(seen: LossSurvey, persons: Mapping[str, str]) -> Iterator[Tally]:
    """All tallies except those of evidence that the same person's uncompletions take back."""
    off: dict[str, list[Uncompletion]] = {}
    for one in seen.uncompleted:
        off.setdefault(persons[one.identifier], []).append(one)
    marks = {holder: latest(found) for holder, found in off.items()}
    yield from seen.tallies.values()
    for evidence, tally in seen.completed:
        if not taken_back(evidence, marks.get(persons[evidence.identifier], NO_MARKS)):
            yield tally


def unchanged(tx: Reader, seen: LossSurvey, today: date) -> None:
    """Raises ``Changed`` if the look may no longer be right.

    Its cost is bounded, because it runs inside the write lock.
    """
    newer = tx.find(Walk("statement", after=seen.until, limit=PAGE))
    audited = tx.find(Walk("audit", after=seen.audited, limit=PAGE))
    if (
        in_force(tx).rev != seen.rev
        or today != seen.today
        or newer.next
        or audited.next
        or any(_takes_back(record) or _meets(record, seen) for record in newer.records)
        or any(_is_about_persons(record) for record in audited.records)
    ):
        raise Changed


def _touched(before: Ruleset, after: Ruleset) -> InForce:
    """All rules about the competencies and levels for which any rule differs."""
    different = set(before.rules) ^ set(after.rules)
    about = {(rule.competency, rule.level) for rule in different}
    kept = [
        index_rules(
            Ruleset(
                one.version,
                tuple(rule for rule in one.rules if (rule.competency, rule.level) in about),
                one.competencies,
            )
        )
        for one in (after, before)
    ]
    return InForce(kept[0], 0, (FormerRuleset(before.version, kept[1], NEWEST, 0, after.version),))


def _fold(reader: Reader, seen: LossSurvey, records: Sequence[Record], zone: str) -> None:
    """Adds the first piece of each tally. Later pieces of a day make no period longer."""
    nobody = names_by_source(reader, {moment_of(record).source for record in records})
    marks = {(one.source, one.activity) for one in seen.uncompleted}
    for record in records:
        try:
            meaning = meaning_of(record, seen.rules, seen.ids, zone, nobody[moment_of(record).source])
        except msgspec.MsgspecError:
            continue  # Its match step is put aside with the reason; it is no evidence before or after.
        counted = [one for one in map(evidence_from, meaning.evidence) if one.reason is None]
        may_go = [one for one in counted if one.completes and (one.source, one.completes.activity) in marks]
        seen.completed += [(one, tally) for one in may_go for tally in tallied([one], zone)]
        for tally in tallied((one for one in counted if one not in may_go), zone):
            about = (tally.identifier, tally.rule.item, tally.rule.version, tally.day, tally.instructors)
            known = seen.tallies.get(about)
            if known is None or tally.pieces[0] < known.pieces[0]:
                seen.tallies[about] = tally


def _persons(reader: Reader, identifiers: set[str]) -> dict[str, str]:
    """The holder for each identifier. An identifier without a person yet stands for itself."""
    known = {id: record.meta["person"] for id, record in reader.get_many("identifier", identifiers).items()}
    held = holders(reader, set(known.values()))
    return {id: held[known[id]] if id in known else id for id in identifiers}


def _swings(holder: str, tallies: list[Tally], own: set[str], seen: LossSurvey) -> Iterator[Swing]:
    now, then = seen.rules.former[0].rules, seen.rules.rules
    before, after = (_last_held(tallies, index, own, seen.today) for index in (now, then))
    competencies = seen.rules.competencies()
    for about in sorted({*before, *after}):
        was, will = before.get(about), after.get(about)
        competency = competencies[about[0]]
        if will is None:
            yield _swing(holder, competency, about[1], gained=False)
        elif was is None:
            yield _swing(holder, competency, about[1], gained=True)
        elif will.valid_until and (was.valid_until is None or will.valid_until < was.valid_until):
            yield _swing(holder, competency, about[1], gained=False, ends=will.valid_until)


def _swing(holder: str, of: RuleCompetency, level: int, *, gained: bool, ends: date | None = None) -> Swing:
    return Swing(holder, of.code, of.label, level, gained, ends, competency=of.key)


def _last_held(tallies: list[Tally], index: Index, own: set[str], today: date) -> dict[CompetencyLevel, HeldPeriod]:
    """The period that has not ended, for each competency and level that has one."""
    of_index = [one for one in tallies if (one.rule.item, one.rule.version) in index.versions]
    last = {(one.competency, one.level): one.periods[-1] for one in decide(of_index, index.by_item, own)}
    return {about: held for about, held in last.items() if held.valid_until is None or held.valid_until >= today}


def _takes_back(record: Record) -> bool:
    """Whether a statement may void another or take it back. One that cannot be read does neither."""
    try:
        return look(record).verb.id in TAKES_BACK
    except msgspec.DecodeError:
        return False


def _taken_off(record: Record, ids: Ids) -> list[Uncompletion]:
    """The marks that a statement takes off, if it is not voided."""
    try:
        return [] if record.meta.get("voided") else list(uncompletions_in(record, look(record), ids))
    except msgspec.DecodeError:
        return []


def _meets(record: Record, seen: LossSurvey) -> bool:
    try:
        statement = look(record)
    except msgspec.DecodeError:
        return False
    return any(rules_for(statement, index) for index in seen.rules.every())


def _is_about_persons(record: Record) -> bool:
    return msgspec.json.decode(record.body, type=AuditEntry).action.startswith("persons.")
