"""What one stored statement is evidence of, as records. Pure: the same statement and rules give the same bytes.

A statement that does not count leaves evidence too, with the reason, so that it can be explained later. Knows no store
and no person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import msgspec

from lrs.access import is_of_content, is_own
from lrs.competency.completion import Uncompletion, completion_in
from lrs.competency.dates import day_of
from lrs.competency.decide import Evidence
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rules import CLOCK_SKEW, Match, matches
from lrs.competency.seen import (
    BY_STAFF,
    Moment,
    SeenStatement,
    event_time,
    instructors,
    is_group,
    learners,
    look,
    moment_of,
    names_given,
    same_person,
)
from lrs.competency.shapes import RuleRef
from lrs.competency.uncompletions import uncompletions_in
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.identifiers import NOBODY, matches_nobody
from lrs.people.ids import Ids
from lrs.storage import Record, first_seq
from lrs.storage.about import by_keys, without
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import Identifier
from lrs.xapi.statements.validate import VOIDED

KIND = "evidence"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a statement says about persons: its evidence, its learners, and which identifiers are one person's (*same*).

    *names* are the names that it gives to identifiers,
    *uncompletions* the completion marks that it takes off. A voided statement says nothing any more; *voided* are
    the identifiers that it was about. Whoever voids a statement is not its learner: that says nothing of persons.
    """

    statement: str
    source: str
    evidence: tuple[Record, ...] = ()
    learners: tuple[Identifier, ...] = ()
    same: tuple[Identifier, ...] = ()
    voided: tuple[str, ...] = ()
    uncompletions: tuple[Uncompletion, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def meaning_of(record: Record, rules: InForce, ids: Ids, zone: str, nobody: frozenset[str] = NOBODY) -> Meaning:
    """The meaning of a ``statement`` record. Days are days in *zone*; *nobody* are the names for nobody of its source.

    Raises ``msgspec.DecodeError`` if the body is not a statement.
    """
    moment = moment_of(record)
    if is_own(moment.source) or moment.trial == BY_STAFF:
        return Meaning(record.id, moment.source)
    seen = look(record)
    if seen.verb.id == VOIDED:
        return Meaning(record.id, moment.source)
    if record.meta.get("voided"):
        return Meaning(record.id, moment.source, voided=tuple(one.id for one in learners(seen, ids)))
    met = _met(record, seen, moment, rules)
    about = learners(seen, ids) if met or not is_group(seen) else []
    unknown = {one.id: reason for one in about if (reason := matches_nobody(one, nobody))}
    by = tuple(one.id for one in instructors(seen, ids)) if met else ()
    event = event_time(seen, moment.stored)
    day = day_of(event, zone)
    told = [_Told(one, unknown.get(one.id), by, moment, event, day) for one in about]
    evidence = tuple(_record(record, seen, match, one) for match in met for one in told)
    known = tuple(one for one in about if one.id not in unknown)
    same = () if is_group(seen) or is_of_content(moment.source) else tuple(same_person(seen, ids))
    off = tuple(uncompletions_in(record, seen, ids))
    return Meaning(record.id, moment.source, evidence, known, same, uncompletions=off, names=names_given(seen, ids))


def _met(record: Record, seen: SeenStatement, moment: Moment, rules: InForce) -> list[Match]:
    """Matches by the rules in force, and by former rules that were in force when it was stored, each version once."""
    met = matches(seen, moment, rules.rules)
    for former in rules.former:
        if record.seq <= former.replaced:
            known = {match.rule for match in met}
            met += [match for match in matches(seen, moment, former.rules) if match.rule not in known]
    return met


def evidence_id(statement: str, rule: RuleRef, identifier: str) -> str:
    """The id of the evidence that *statement* is to a version of a rule for *identifier*."""
    return name("evidence", statement, rule.item, rule.version, identifier)


def former_id(statement: str, rule: RuleRef, identifier: str) -> str:
    """The id that evidence had when only one version of each rule was known."""
    return name("evidence", statement, rule.item, identifier)


def statement_key(identifier: str, statement: str) -> int:
    """The search key of the evidence of *statement* for *identifier*."""
    return key("ev-statement", identifier, statement)


def completion_key(identifier: str, source: str, activity: str) -> int:
    """The search key of evidence that exists because *source* said that *activity* is completed."""
    return key("ev-completion", identifier, source, activity)


def evidence_keys(evidence: Evidence) -> tuple[int, ...]:
    """The search keys of a piece of evidence."""
    found = (
        key("ev", evidence.identifier, evidence.rule.item),
        key("ev-person-identifier", evidence.identifier),
        statement_key(evidence.identifier, evidence.statement),
    )
    done = evidence.completes
    return (*found, completion_key(evidence.identifier, evidence.source, done.activity)) if done else found


def evidence_from(record: Record) -> Evidence:
    """The evidence in an ``evidence`` record."""
    return _decode(record.body)


_decode = msgspec.json.Decoder(Evidence).decode


class _Told(NamedTuple):
    """What a statement tells of one learner under any rule; *unknown* says why it stands for nobody, if so.

    *event* is when it happened, in microseconds UTC, on that *day*.
    """

    learner: Identifier
    unknown: str | None
    instructors: tuple[str, ...]
    moment: Moment
    event: int
    day: date


def _record(statement: Record, seen: SeenStatement, match: Match, told: _Told) -> Record:
    moment, event = told.moment, told.event
    evidence = Evidence(
        v=1,
        statement=statement.id,
        identifier=told.learner.id,
        rule=RuleRef(match.rule.item, match.rule.version),
        source=moment.source,
        timestamp=seen.timestamp,
        event=event,
        score=match.score,
        reason=match.reason or told.unknown,
        instructors=told.instructors,
        completes=completion_in(seen, statement.seq),
        day=told.day,
    )
    return Record(
        KIND,
        evidence_id(statement.id, evidence.rule, told.learner.id),
        msgspec.json.encode(evidence),
        keys=evidence_keys(evidence),
        seq=first_seq(max(1, min(event, moment.stored + CLOCK_SKEW))),
    )


def _about(record: Record) -> Subjects:
    evidence = evidence_from(record)
    return subjects(identifiers=(evidence.identifier, *evidence.instructors))


KINDS = (
    Kind(
        KIND,
        "derived",
        Evidence,
        1,
        subjects=_about,
        retention="derived",
        exported=False,
        find=by_keys(KIND, lambda whose: (key("ev-person-identifier", one) for one in whose.identifiers)),
        shown=without("instructors"),
    ),
)
