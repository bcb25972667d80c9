"""What a change of evidence owes: an evaluation of whoever it is about, and a look at the badges that may name it."""

from __future__ import annotations

from collections.abc import Collection

from lrs.keys import key
from lrs.learners.persons import holders
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


def _holders(tx: Tx, identifiers: Collection[str]) -> list[str]:
    if not identifiers:
        return []
    persons = {record.meta["person"] for record in tx.get_many("identifier", identifiers).values()}
    return sorted(set(holders(tx, persons).values()))
