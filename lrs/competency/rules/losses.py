"""Who would gain and lose what if other rules came into force: worked out from the statements, before anything changes.

A loss is a level that is held today under the rules in force and would not be under the others, or that would end
earlier. What is in review already goes by the rules before it and is no loss of these. The looking is done outside the
write lock, in a fold that is continued with what comes in meanwhile, so that it ends however much does; ``unchanged``
then says, inside it, whether what was seen still holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from lrs.competency.completion import NO_MARKS, UNCOMPLETED, Uncompletion, latest
from lrs.competency.dates import day_of
from lrs.competency.decide import Evidence, Held, Tally, decide, taken_back
from lrs.competency.evidence import evidence_from, meaning_of
from lrs.competency.rules.review import About
from lrs.competency.rules.rules import Competency, Index, Ruleset, index_rules, rules_for
from lrs.competency.rules.rulesets import Former, InForce, current, in_force
from lrs.competency.rules.walk import anchors
from lrs.competency.seen import look, moment_of
from lrs.competency.tallies import tallied
from lrs.competency.uncompletions import uncompletions_in
from lrs.people.ids import Ids, check_renamed, ids_of
from lrs.people.nobody import names_by_source
from lrs.people.persons import holders, identifiers_in, members_of
from lrs.storage import NEWEST, Page, Reader, Record
from lrs.tenancy.audit import Entry
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.keys import verb_key

PAGE = 500
"""How many statements are read at once, and how many may have come since the last look for it to be checked."""
TAKES_BACK = frozenset({"http://adlnet.gov/expapi/verbs/voided"}) | UNCOMPLETED


@dataclass(frozen=True, slots=True, order=True)
class Swing:
    """A level that a change of rules would give or take: whose, of which competency, and until when it is held.

    A loss that *ends* on a day goes on being held until then, which is earlier than before.
    """

    person: str
    code: str
    label: str
    level: int
    gained: bool
    ends: date | None = None


class Changed(Exception):
    """Something that counts has changed since the look."""


@dataclass(slots=True)
class Look:
    """What was seen of statements up to the place *until*: the tallies of all *rules*, by what they are of.

    *rules* are those of the competencies and levels that are touched: the new ones, then the ones in force. *completed*
    is evidence, and its tally, that one of *uncompleted* may take back, which depends on who is one person.
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


def look_at(tenant: Tenant, ruleset: Ruleset) -> Look:
    """Reads all statements that the difference between the rules in force and *ruleset* could be about.

    Raises ``Changed`` if one was voided or taken back meanwhile.
    """
    check_renamed(tenant)
    store, zone = tenant.store, tenant.settings.zone
    head, before = in_force(store), current(store)
    rules = _touched(before, ruleset)
    today = day_of(tenant.clock(), zone)
    seen = Look(
        ruleset,
        rules,
        ids_of(tenant),
        head.rev,
        today,
        until=_newest(store, "statement"),
        audited=_newest(store, "audit"),
    )
    for verb in sorted(UNCOMPLETED):
        for page in _walk(store, (verb_key(verb),), until=seen.until):
            seen.uncompleted += [one for record in page.records for one in _taken_off(record, seen.ids)]
    for anchor in sorted({key for index in rules.every() for rule in index.by_item.values() for key in anchors(rule)}):
        for page in _walk(store, (anchor,), until=seen.until):
            _fold(store, seen, page.records, zone)
    _catch_up(store, seen, zone)
    return seen


def _catch_up(reader: Reader, seen: Look, zone: str) -> None:
    for page in _walk(reader, (), after=seen.until):
        if any(_takes_back(record) for record in page.records):
            raise Changed
        _fold(reader, seen, page.records, zone)
        seen.until = page.records[-1].seq if page.records else seen.until


def look_on(tenant: Tenant, seen: Look) -> set[str]:
    """Takes in what has come since the look; gives the identifiers that it is about.

    Raises ``Changed`` if that is no matter of evidence alone, and everything has to be looked at anew.
    """
    audited = tenant.store.find("audit", after=seen.audited, limit=PAGE)
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


def swings_now(reader: Reader, seen: Look, before: Sequence[Swing], touched: Collection[str]) -> list[Swing]:
    """``swings``, if they were *before* and since then something was seen of the identifiers *touched* alone."""
    theirs = {*_persons(reader, set(touched)).values(), *touched}  # what nobody had been minted for stood for itself
    own = {one.id for holder in theirs for one in identifiers_in(reader, members_of(reader, holder))}.union(touched)
    of_them = replace(
        seen,
        tallies={about: one for about, one in seen.tallies.items() if about[0] in own},
        uncompleted=[one for one in seen.uncompleted if one.identifier in own],
        completed=[pair for pair in seen.completed if pair[1].identifier in own],
    )
    return sorted([one for one in before if one.person not in theirs] + swings(reader, of_them))


def swings(reader: Reader, seen: Look) -> list[Swing]:
    """Who would gain and who would lose what, by person."""
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


def _still_counted(seen: Look, persons: Mapping[str, str]) -> Iterator[Tally]:
    """All tallies but of what was taken back from the same person."""
    off: dict[str, list[Uncompletion]] = {}
    for one in seen.uncompleted:
        off.setdefault(persons[one.identifier], []).append(one)
    marks = {holder: latest(found) for holder, found in off.items()}
    yield from seen.tallies.values()
    for evidence, tally in seen.completed:
        if not taken_back(evidence, marks.get(persons[evidence.identifier], NO_MARKS)):
            yield tally


def unchanged(tx: Reader, seen: Look, today: date) -> None:
    """Raises ``Changed`` if what was seen may not be so any more; bounded, for the write lock."""
    newer = tx.find("statement", after=seen.until, limit=PAGE)
    audited = tx.find("audit", after=seen.audited, limit=PAGE)
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
    """All rules about the competencies and levels of which a rule is different."""
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
    return InForce(kept[0], 0, (Former(before.version, kept[1], NEWEST, 0, after.version),))


def _walk(reader: Reader, keys: tuple[int, ...], *, after: int = 0, until: int = NEWEST) -> Iterator[Page]:
    start: str | None = None
    while True:
        page = reader.find("statement", keys, after=after, until=until, limit=PAGE, start=start)
        yield page
        start = page.next
        if start is None:
            return


def _fold(reader: Reader, seen: Look, records: Sequence[Record], zone: str) -> None:
    """Keeps the first piece of each tally: what comes later on the day makes nothing longer."""
    nobody = names_by_source(reader, {moment_of(record).source for record in records})
    marks = {(one.source, one.activity) for one in seen.uncompleted}
    for record in records:
        try:
            meaning = meaning_of(record, seen.rules, seen.ids, nobody[moment_of(record).source])
        except msgspec.MsgspecError:
            continue  # Its match step is parked with the reason; it is no evidence before or after.
        counted = [one for one in map(evidence_from, meaning.evidence) if one.reason is None]
        may_go = [one for one in counted if one.completes and (one.source, one.completes.activity) in marks]
        seen.completed += [(one, tally) for one in may_go for tally in tallied([one], zone)]
        for tally in tallied((one for one in counted if one not in may_go), zone):
            about = (tally.identifier, tally.rule.item, tally.rule.version, tally.day, tally.instructors)
            known = seen.tallies.get(about)
            if known is None or tally.pieces[0] < known.pieces[0]:
                seen.tallies[about] = tally


def _persons(reader: Reader, identifiers: set[str]) -> dict[str, str]:
    """Who holds what each identifier proves; one that nobody has been minted for yet stands for itself."""
    known = {id: record.meta["person"] for id, record in reader.get_many("identifier", identifiers).items()}
    held = holders(reader, set(known.values()))
    return {id: held[known[id]] if id in known else id for id in identifiers}


def _swings(holder: str, tallies: list[Tally], own: set[str], seen: Look) -> Iterator[Swing]:
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


def _swing(holder: str, of: Competency, level: int, *, gained: bool, ends: date | None = None) -> Swing:
    return Swing(holder, of.code, of.label, level, gained, ends)


def _last_held(tallies: list[Tally], index: Index, own: set[str], today: date) -> dict[About, Held]:
    """The period of each competency and level that has not ended."""
    of_index = [one for one in tallies if (one.rule.item, one.rule.version) in index.versions]
    last = {(one.competency, one.level): one.periods[-1] for one in decide(of_index, index.by_item, own)}
    return {about: held for about, held in last.items() if held.valid_until is None or held.valid_until >= today}


def _newest(reader: Reader, kind: str) -> int:
    newest = reader.find(kind, newest_first=True, limit=1).records
    return newest[0].seq if newest else 0


def _takes_back(record: Record) -> bool:
    """Whether a statement may void another, or take it back; one that cannot be read counts for nothing."""
    try:
        return look(record).verb.id in TAKES_BACK
    except msgspec.DecodeError:
        return False


def _taken_off(record: Record, ids: Ids) -> list[Uncompletion]:
    """The marks that a statement which holds takes off."""
    try:
        return [] if record.meta.get("voided") else list(uncompletions_in(record, look(record), ids))
    except msgspec.DecodeError:
        return []


def _meets(record: Record, seen: Look) -> bool:
    try:
        statement = look(record)
    except msgspec.DecodeError:
        return False
    return any(rules_for(statement, index) for index in seen.rules.every())


def _is_about_persons(record: Record) -> bool:
    return msgspec.json.decode(record.body, type=Entry).action.startswith("persons.")
