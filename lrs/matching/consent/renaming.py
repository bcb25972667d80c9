"""Moves consents and links that wait for an identifier from its name to its id. Knows no persons."""

from __future__ import annotations

import msgspec

from lrs.matching.consent import consent, links
from lrs.matching.consent.consent import Subject
from lrs.people.ids import Ids
from lrs.storage import Owed, Record, Tx


def rename_waiting(tx: Tx, name: str, id: str) -> None:
    """Moves consents from the *name* of an identifier to its *id*.

    What is stored under the id owes its step again, because its person may have been known by the name alone.
    """
    for one in consent.of_subject(tx, Subject(identifier=id)):
        tx.owe(consent.KIND, one.id, Owed(consent.STEP))
    consent.move(tx, Subject(identifier=name), Subject(identifier=id))


def rename_consent(tx: Tx, record: Record, ids: Ids) -> None:
    """Moves one ``consent`` that waits for an unknown learner."""
    name = consent.read(record).subject.identifier
    if name is not None and ids(name) != name:
        rename_waiting(tx, name, ids(name))


def rename_link(tx: Tx, record: Record, ids: Ids) -> None:
    """Gives a ``consent-link`` the id of its learner, and the present search keys."""
    link = msgspec.json.decode(record.body, type=links.ConsentLink)
    name = link.subject.identifier
    if name is not None and ids(name) != name:
        link = msgspec.structs.replace(link, subject=Subject(identifier=ids(name)))
    renamed = msgspec.structs.replace(record, body=msgspec.json.encode(link), keys=links.keys_of(link))
    if renamed != record:
        tx.replace(renamed)
