"""Writes what statements mean, in a transaction: persons, joins, evidence, and the evaluations that follow.

Writes only what differs from the stored records, so a second run changes nothing and owes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lrs.competency import tallies, uncompletions
from lrs.competency.decide import Evidence
from lrs.competency.evidence import Meaning, evidence_from, former_id, statement_key
from lrs.competency.owing import owe_evaluation, owe_issue, owe_match
from lrs.people import persons
from lrs.people.joins import link
from lrs.people.persons import Mint, ensure
from lrs.storage import Record, Tx, each


def reads_of(meanings: Sequence[Meaning], mint: Mint) -> list[tuple[str, str]]:
    """The records (kind, id) that ``bring`` will look at, as far as they are known before."""
    reads = list(persons.reads_of((one for meaning in meanings for one in meaning.learners), mint))
    for record in (record for meaning in meanings for record in meaning.evidence):
        one = evidence_from(record)
        reads += [("evidence", record.id), ("evidence", former_id(one.statement, one.rule, one.identifier))]
    return reads


def bring(tx: Tx, meanings: Sequence[Meaning], mint: Mint, zone: str) -> None:
    """Brings persons, evidence, tallies and uncompletions up to date. Days are days in *zone*."""
    ensure(tx, (one for meaning in meanings for one in meaning.learners), mint)
    touched, lost = _write(tx, [record for meaning in meanings for record in meaning.evidence], zone)
    for meaning in meanings:
        for other in meaning.same:
            for learner in meaning.learners:
                link(tx, learner, other, source=meaning.source, mint=mint)
    off = uncompletions.keep(tx, [one for meaning in meanings for one in meaning.uncompletions])
    lost |= _take_back(tx, meanings, zone) | off
    owe_evaluation(tx, touched | lost)
    owe_issue(tx, lost)
    owe_match(tx, off)


def _write(tx: Tx, evidence: Sequence[Record], zone: str) -> tuple[set[str], set[str]]:
    """Inserts or replaces evidence.

    Gives the identifiers whose evidence changed, and those some of whose evidence no longer counts.
    """
    said = {record.id: evidence_from(record) for record in evidence}
    names = {id: former_id(one.statement, one.rule, one.identifier) for id, one in said.items()}
    there = tx.get_many("evidence", [*names, *names.values()]) if evidence else {}
    went: list[Evidence] = []
    came: list[Evidence] = []
    for record in evidence:
        if names[record.id] in there:  # stored before there were tallies, so it is in none
            tx.delete("evidence", names[record.id])
        known = there.get(record.id)
        if known and (known.body, known.seq, set(known.keys)) == (record.body, record.seq, set(record.keys)):
            continue
        tx.put(msgspec.structs.replace(record, rev=known.rev) if known else record)
        went += [evidence_from(known)] if known and tallies.in_tally(known) else []
        came.append(said[record.id])
    counted = [one for one in came if one.reason is None]
    tallies.keep(tx, went, counted, zone)
    lost = {(one.identifier, one.statement) for one in went} - {(one.identifier, one.statement) for one in counted}
    return {one.identifier for one in came}, {identifier for identifier, _ in lost}


def _take_back(tx: Tx, meanings: Sequence[Meaning], zone: str) -> set[str]:
    """Removes the evidence and uncompletions of voided statements, all at once. Gives the identifiers concerned."""
    found = [
        record
        for meaning in meanings
        for identifier in meaning.voided
        for record in each(tx, "evidence", statement_key(identifier, meaning.statement))
    ]
    tallies.remove(tx, found, zone)
    voided = [(meaning.statement, identifier) for meaning in meanings for identifier in meaning.voided]
    return {evidence_from(record).identifier for record in found} | uncompletions.remove(tx, voided)
