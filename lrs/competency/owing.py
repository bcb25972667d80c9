"""Owes what follows from a change of evidence: evaluations of persons, and checks of badges that may name it."""

from __future__ import annotations

from collections.abc import Collection

from lrs.competency.evidence import evidence_from
from lrs.competency.tallies import counted_key
from lrs.kernel.keys import key
from lrs.people.persons import holders, identifiers_in, members_of
from lrs.storage import Owed, Tx, each


def owe_evaluation(tx: Tx, identifiers: Collection[str]) -> None:
    """Makes the holders for *identifiers* (by id) owe an evaluation."""
    for holder in _holders(tx, identifiers):
        tx.owe("person", holder, Owed("evaluate"))


def owe_issue(tx: Tx, identifiers: Collection[str]) -> None:
    """Makes their awards owe ``issue``: a badge may name evidence that no longer counts and that no award names."""
    for holder in _holders(tx, identifiers):
        for award in each(tx, "award", key("award", holder)):
            tx.owe("award", award.id, Owed("issue"))


def owe_match(tx: Tx, identifiers: Collection[str]) -> None:
    """Makes statements of the persons with *identifiers* owe a match, where evidence does not say what was completed.

    That is evidence which was stored before there were tallies.
    """
    for holder in _holders(tx, identifiers):
        for one in identifiers_in(tx, members_of(tx, holder)):
            for record in each(tx, "evidence", counted_key(one.id)):
                tx.owe("statement", evidence_from(record).statement, Owed("match"))


def _holders(tx: Tx, identifiers: Collection[str]) -> list[str]:
    if not identifiers:
        return []
    persons = {record.meta["person"] for record in tx.get_many("identifier", identifiers).values()}
    return sorted(set(holders(tx, persons).values()))
