"""What a change of evidence owes: an evaluation of whoever it is about, and a look at the badges that may name it."""

from __future__ import annotations

from collections.abc import Collection

from lrs.competency.evidence import evidence_from
from lrs.competency.tallies import counted_key
from lrs.kernel.keys import key
from lrs.people.persons import holders, identifiers_in, members_of
from lrs.storage import Owed, Tx, pages


def owe_evaluation(tx: Tx, identifiers: Collection[str]) -> None:
    """Makes the persons who hold what *identifiers* (by name) prove owe an evaluation."""
    for holder in _holders(tx, identifiers):
        tx.owe("person", holder, Owed("evaluate"))


def owe_issue(tx: Tx, identifiers: Collection[str]) -> None:
    """Makes their awards owe their badges: one may name evidence that counts no more, and no award names."""
    for holder in _holders(tx, identifiers):
        for award in pages(tx, "award", key("award", holder)):
            tx.owe("award", award.id, Owed("issue"))


def owe_match(tx: Tx, identifiers: Collection[str]) -> None:
    """Makes their statements owe a match whose evidence is from before it said what was completed."""
    for holder in _holders(tx, identifiers):
        for one in identifiers_in(tx, members_of(tx, holder)):
            for record in pages(tx, "evidence", counted_key(one.id)):
                tx.owe("statement", evidence_from(record).statement, Owed("match"))


def _holders(tx: Tx, identifiers: Collection[str]) -> list[str]:
    if not identifiers:
        return []
    persons = {record.meta["person"] for record in tx.get_many("identifier", identifiers).values()}
    return sorted(set(holders(tx, persons).values()))
