"""Writing what statements mean into a transaction: persons, joins, evidence, and the evaluations that follow.

Writes only what is different from what stands there, so running it again changes nothing and owes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lrs.competencies.evidence import Meaning, evidence_from, statement_key
from lrs.competencies.rulesets import owe_evaluation
from lrs.learners.joins import link
from lrs.learners.persons import Mint, ensure
from lrs.storage import Record, Tx, pages


def bring(tx: Tx, meanings: Sequence[Meaning], mint: Mint) -> None:
    """Brings persons and evidence of all these statements to current."""
    ensure(tx, (one for meaning in meanings for one in meaning.learners), mint)
    touched = _write(tx, [record for meaning in meanings for record in meaning.evidence])
    for meaning in meanings:
        for other in meaning.same:
            for learner in meaning.learners:
                link(tx, learner, other, source=meaning.source, mint=mint)
        for identifier in meaning.voided:
            if _take_back(tx, meaning.statement, identifier):
                touched.add(identifier)
    if touched:
        owe_evaluation(tx, touched)


def _write(tx: Tx, evidence: Sequence[Record]) -> set[str]:
    """Inserts or replaces evidence; gives the identifiers for whom something is different now."""
    there = tx.get_many("evidence", [record.id for record in evidence]) if evidence else {}
    touched = set()
    for record in evidence:
        known = there.get(record.id)
        if known is None:
            tx.insert(record)
        elif (known.body, known.seq, set(known.keys)) != (record.body, record.seq, set(record.keys)):
            tx.replace(msgspec.structs.replace(record, rev=known.rev))
        else:
            continue
        touched.add(evidence_from(record).identifier)
    return touched


def _take_back(tx: Tx, statement: str, identifier: str) -> bool:
    """Removes what a voided statement was evidence of for *identifier*; whether it was any."""
    found = list(pages(tx, "evidence", statement_key(identifier, statement)))
    for record in found:
        tx.delete("evidence", record.id)
    return bool(found)
