"""Identifiers and suggestions under the ids of identifiers instead of their names. Knows what neither is used for."""

from __future__ import annotations

import msgspec

from lrs.kernel.keys import key
from lrs.people.ids import Ids, is_name
from lrs.people.persons import members_of
from lrs.people.suggestions import Suggestion, suggestion_id
from lrs.storage import Record, Tx, pages


def rename_group(tx: Tx, record: Record, ids: Ids) -> list[tuple[str, str]]:
    """Gives its id to an ``identifier`` and to all others of whoever is one with its person; names and ids.

    All at once: what a person holds is asked by all its identifiers, and names and ids are never compared. Places in
    the order stay, and so who is named first.
    """
    person = record.meta["person"]
    found = [
        one
        for member in members_of(tx, person) or (person,)
        for one in pages(tx, "identifier", key("identifier-person", member))
        if is_name(one.id)
    ]
    for one in found:
        tx.delete("identifier", one.id)
        tx.insert(msgspec.structs.replace(one, id=ids(one.id), rev=0))
    return [(one.id, ids(one.id)) for one in found]


def rename_suggestion(tx: Tx, record: Record, ids: Ids) -> None:
    """Gives a ``suggestion`` the ids of both; whether it was dismissed stays."""
    known = msgspec.json.decode(record.body, type=Suggestion)
    first, second = sorted(map(ids, known.identifiers))
    id = suggestion_id(first, second)
    if id == record.id:
        return
    tx.delete(record.kind, record.id)
    if tx.get(record.kind, id) is None:
        body = msgspec.json.encode(msgspec.structs.replace(known, identifiers=(first, second)))
        tx.insert(msgspec.structs.replace(record, id=id, body=body, rev=0))
