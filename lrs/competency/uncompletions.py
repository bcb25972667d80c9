"""Records ``uncompletion``: derived, each from one statement alone, whatever the rules and persons are.

So a change of rules or a merge does not change them; only voiding the statement removes one. The record ``read-again``
says that the statements stored before there were such records have been looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lrs.competency.completion import UNCOMPLETED, LatestUncompletions, Uncompletion, latest
from lrs.competency.rules.rules import CLOCK_SKEW
from lrs.competency.rules.walk import read_verbs_again
from lrs.competency.seen import SeenStatement, event_time, is_group, learners, moment_of
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.ids import Ids
from lrs.storage import Reader, Record, Tx, Walk, each
from lrs.storage.about import by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.keys import verb_key

KIND = "uncompletion"
_READ = Record("read-again", KIND)
_decode = msgspec.json.Decoder(Uncompletion).decode


def uncompletions_in(record: Record, seen: SeenStatement, ids: Ids) -> Iterator[Uncompletion]:
    """The marks that a ``statement`` record takes off.

    As with completions, groups, statements from the future, and launches in which nothing counts do not count.
    """
    about = seen.object
    if seen.verb.id not in UNCOMPLETED or about.objectType != "Activity" or is_group(seen):
        return
    moment = moment_of(record)
    event = event_time(seen, moment.stored)
    if event > moment.stored + CLOCK_SKEW or moment.trial or about.id in moment.outside:
        return
    for one in learners(seen, ids):
        yield Uncompletion(1, record.id, one.id, moment.source, about.id, seen.timestamp, event, record.seq)


def uncompletion_from(record: Record) -> Uncompletion:
    """The uncompletion in an ``uncompletion`` record."""
    return _decode(record.body)


def marks_of(reader: Reader, identifiers: Iterable[str]) -> LatestUncompletions:
    """The latest uncompletions of the person with *identifiers* (by id)."""
    return latest(uncompletion_from(record) for one in identifiers for record in each(reader, KIND, key(KIND, one)))


def read_those_before(tenant: Tenant) -> None:
    """Owes, once, that statements of a store of 0.1.0 are read again if they take marks off."""
    store = tenant.store
    if store.get(_READ.kind, _READ.id) or not any(
        store.find(Walk("statement", [verb_key(verb)], limit=1)).records for verb in UNCOMPLETED
    ):
        return

    def decide(tx: Tx) -> None:
        if tx.get(_READ.kind, _READ.id) is None:
            tx.insert(_READ)
            read_verbs_again(tx, KIND, UNCOMPLETED)

    store.write(decide).result()


def keep(tx: Tx, found: Sequence[Uncompletion]) -> set[str]:
    """Writes those that are not stored yet. Gives the identifiers of those written."""
    said = {uncompletion_id(one.statement, one.identifier): one for one in found}
    there = tx.get_many(KIND, said) if said else {}
    for id in said.keys() - there.keys():
        tx.insert(Record(KIND, id, msgspec.json.encode(said[id]), keys=(key(KIND, said[id].identifier),)))
    return {said[id].identifier for id in said.keys() - there.keys()}


def remove(tx: Tx, voided: Iterable[tuple[str, str]]) -> set[str]:
    """Removes the uncompletions of voided statements, given as (statement, identifier).

    Gives the identifiers concerned.
    """
    names = {uncompletion_id(statement, identifier): identifier for statement, identifier in voided}
    there = tx.get_many(KIND, names) if names else {}
    for id in there:
        tx.delete(KIND, id)
    return {names[id] for id in there}


def uncompletion_id(statement: str, identifier: str) -> str:
    """The id of the record for the mark that *statement* takes off *identifier*."""
    return name(KIND, statement, identifier)


def _about(record: Record) -> Subjects:
    return subjects(identifiers=[_decode(record.body).identifier])


KINDS = (
    Kind(
        KIND,
        "derived",
        Uncompletion,
        1,
        subjects=_about,
        retention="derived",
        exported=False,
        find=by_keys(KIND, lambda whose: (key(KIND, one) for one in whose.identifiers)),
    ),
    Kind(_READ.kind, "working", subjects=None, retention="operational", exported=False),
)
