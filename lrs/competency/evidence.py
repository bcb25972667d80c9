"""What one stored statement is evidence of, as records. Pure: the same statement and rules give the same bytes.

A statement that does not count leaves evidence too, with the reason, so that nothing has to be guessed later. Knows no
store and no person.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from lrs.access import OWN_SOURCE
from lrs.competency.completion import Uncompletion, completion_in
from lrs.competency.decide import Evidence
from lrs.competency.rules.rules import CLOCK_SKEW, Match, matches
from lrs.competency.rules.rulesets import InForce
from lrs.competency.seen import Moment, Seen, event_time, instructors, is_group, learners, look, moment_of, same_person
from lrs.competency.shapes import RuleRef
from lrs.competency.uncompletions import uncompletions_in
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.identifiers import NOBODY, matches_nobody
from lrs.people.ids import Ids
from lrs.storage import Record, first_seq
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import Identifier

KIND = "evidence"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a statement says about persons: its evidence, whom to know, and who is said to be the same person.

    *uncompletions* are the completion marks that it takes off.

    A voided one says nothing any more; *voided* names the identifiers of which it once said something.
    """

    statement: str
    source: str
    evidence: tuple[Record, ...] = ()
    learners: tuple[Identifier, ...] = ()
    same: tuple[Identifier, ...] = ()
    voided: tuple[str, ...] = ()
    uncompletions: tuple[Uncompletion, ...] = ()


def meaning_of(record: Record, rules: InForce, ids: Ids, nobody: frozenset[str] = NOBODY) -> Meaning:
    """Reads a ``statement`` record; *nobody* are its source's names for nobody.

    Raises ``msgspec.DecodeError`` for a body that is no statement.
    """
    moment = moment_of(record)
    if moment.source == OWN_SOURCE:
        return Meaning(record.id, moment.source)
    seen = look(record)
    if record.meta.get("voided"):
        return Meaning(record.id, moment.source, voided=tuple(one.id for one in learners(seen, ids)))
    met = _met(record, seen, moment, rules)
    about = learners(seen, ids) if met or not is_group(seen) else []
    unknown = {one.id: reason for one in about if (reason := matches_nobody(one, nobody))}
    by = tuple(one.id for one in instructors(seen, ids)) if met else ()
    evidence = tuple(_record(record, seen, match, (one, unknown.get(one.id)), by) for match in met for one in about)
    known = tuple(one for one in about if one.id not in unknown)
    same = () if is_group(seen) else tuple(same_person(seen, ids))
    off = tuple(uncompletions_in(record, seen, ids))
    return Meaning(record.id, moment.source, evidence, known, same, uncompletions=off)


def _met(record: Record, seen: Seen, moment: Moment, rules: InForce) -> list[Match]:
    """By the rules in force, and by former ones that were in force when it was stored; each version of a rule once."""
    met = matches(seen, moment, rules.rules)
    for former in rules.former:
        if record.seq <= former.replaced:
            known = {match.rule for match in met}
            met += [match for match in matches(seen, moment, former.rules) if match.rule not in known]
    return met


def evidence_id(statement: str, rule: RuleRef, identifier: str) -> str:
    """The name of what *statement* means to a version of a rule for *identifier*."""
    return name("evidence", statement, rule.item, rule.version, identifier)


def former_id(statement: str, rule: RuleRef, identifier: str) -> str:
    """The name it had when of each rule only one version was known."""
    return name("evidence", statement, rule.item, identifier)


def statement_key(identifier: str, statement: str) -> int:
    """What *statement* is evidence of for *identifier*."""
    return key("ev-statement", identifier, statement)


def completion_key(identifier: str, source: str, activity: str) -> int:
    """What is evidence because *source* said that *activity* is completed."""
    return key("ev-completion", identifier, source, activity)


def evidence_keys(evidence: Evidence) -> tuple[int, ...]:
    """What a piece of evidence is found by."""
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


def _record(
    statement: Record, seen: Seen, match: Match, about: tuple[Identifier, str | None], by: tuple[str, ...]
) -> Record:
    """*about* is the learner, and why it stands for nobody if it does; *by* are the instructors."""
    learner, unknown = about
    moment = moment_of(statement)
    event = event_time(seen, moment.stored)
    evidence = Evidence(
        v=1,
        statement=statement.id,
        identifier=learner.id,
        rule=RuleRef(match.rule.item, match.rule.version),
        source=moment.source,
        timestamp=seen.timestamp,
        event=event,
        score=match.score,
        reason=match.reason or unknown,
        instructors=by,
        completes=completion_in(seen, statement.seq),
    )
    return Record(
        KIND,
        evidence_id(statement.id, evidence.rule, learner.id),
        msgspec.json.encode(evidence),
        keys=evidence_keys(evidence),
        seq=first_seq(max(1, min(event, moment.stored + CLOCK_SKEW))),
    )


def _about(record: Record) -> Subjects:
    evidence = evidence_from(record)
    return subjects(identifiers=(evidence.identifier, *evidence.instructors))


KINDS = (Kind(KIND, "derived", Evidence, 1, subjects=_about, retention="derived", exported=False),)
