"""Gives identifiers and suggestions the ids of identifiers instead of their names. Knows no use of either."""

from __future__ import annotations

import msgspec

from lrs.kernel.keys import key
from lrs.people.ids import Ids, is_name
from lrs.people.persons import members_of
from lrs.people.suggestions import Suggestion, suggestion_id, suggestion_keys
from lrs.storage import Record, Tx, each


def rename_group(tx: Tx, record: Record, ids: Ids) -> list[tuple[str, str]]:
    """Renames the ``identifier`` in *record* and all others of the same group. Gives the names and ids.

    All are renamed at once, because a person is looked up by all its identifiers, and names and ids are never compared.
    The places in the order stay, and with them the order of the identifiers.
    """
    person = record.meta["person"]
    found = [
        one
        for member in members_of(tx, person) or (person,)
        for one in each(tx, "identifier", key("identifier-person", member))
        if is_name(one.id)
    ]
    for one in found:
        tx.delete("identifier", one.id)
        tx.insert(msgspec.structs.replace(one, id=ids(one.id), rev=0))
    return [(one.id, ids(one.id)) for one in found]


def rename_suggestion(tx: Tx, record: Record, ids: Ids) -> None:
    """Renames both identifiers of a ``suggestion``, and makes them its search keys. Whether it was dismissed stays."""
    known = msgspec.json.decode(record.body, type=Suggestion)
    first, second = sorted(map(ids, known.identifiers))
    id = suggestion_id(first, second)
    if id == record.id:
        return
    tx.delete(record.kind, record.id)
    if tx.get(record.kind, id) is None:
        body = msgspec.json.encode(msgspec.structs.replace(known, identifiers=(first, second)))
        keys = suggestion_keys(first, second)
        tx.insert(msgspec.structs.replace(record, id=id, body=body, keys=keys, rev=0))
