"""Records ``uncompletion``: derived, each from one statement alone; neither rules nor persons are asked.

So they stay as they are whatever rules come and whoever is merged; only voiding the statement takes one away. Record
``read-again`` says that the statements of before there were any have been looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lrs.competency.completion import UNCOMPLETED, Marks, Uncompletion, latest
from lrs.competency.rules.rules import CLOCK_SKEW
from lrs.competency.rules.walk import read_verbs_again
from lrs.competency.seen import Seen, event_time, is_group, learners, moment_of
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.ids import Ids
from lrs.storage import Reader, Record, Tx, pages
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.keys import verb_key

KIND = "uncompletion"
_READ = Record("read-again", KIND)
_decode = msgspec.json.Decoder(Uncompletion).decode


def uncompletions_in(record: Record, seen: Seen, ids: Ids) -> Iterator[Uncompletion]:
    """What a ``statement`` record takes off; like a completion it counts neither of a group nor from the future."""
    moment = moment_of(record)
    event = event_time(seen, moment.stored)
    about = seen.object
    if seen.verb.id not in UNCOMPLETED or about.objectType != "Activity" or is_group(seen):
        return
    if event > moment.stored + CLOCK_SKEW:
        return
    for one in learners(seen, ids):
        yield Uncompletion(1, record.id, one.id, moment.source, about.id, seen.timestamp, event, record.seq)


def uncompletion_from(record: Record) -> Uncompletion:
    """What an ``uncompletion`` record says."""
    return _decode(record.body)


def marks_of(reader: Reader, identifiers: Iterable[str]) -> Marks:
    """The marks that were taken off the person with *identifiers* (by name)."""
    return latest(uncompletion_from(record) for one in identifiers for record in pages(reader, KIND, key(KIND, one)))


def read_those_before(tenant: Tenant) -> None:
    """Owes, once, that the statements are read which took marks off before that was known (0.1.0)."""
    store = tenant.store
    if store.get(_READ.kind, _READ.id) or not any(
        store.find("statement", [verb_key(verb)], limit=1).records for verb in UNCOMPLETED
    ):
        return

    def decide(tx: Tx) -> None:
        if tx.get(_READ.kind, _READ.id) is None:
            tx.insert(_READ)
            read_verbs_again(tx, KIND, UNCOMPLETED)

    store.write(decide).result()


def keep(tx: Tx, found: Sequence[Uncompletion]) -> set[str]:
    """Writes what is not there yet; for which identifiers."""
    said = {uncompletion_id(one.statement, one.identifier): one for one in found}
    there = tx.get_many(KIND, said) if said else {}
    for id in said.keys() - there.keys():
        tx.insert(Record(KIND, id, msgspec.json.encode(said[id]), keys=(key(KIND, said[id].identifier),)))
    return {said[id].identifier for id in said.keys() - there.keys()}


def remove(tx: Tx, voided: Iterable[tuple[str, str]]) -> set[str]:
    """Removes what voided statements took off, each with an identifier; for which identifiers it was anything."""
    names = {uncompletion_id(statement, identifier): identifier for statement, identifier in voided}
    there = tx.get_many(KIND, names) if names else {}
    for id in there:
        tx.delete(KIND, id)
    return {names[id] for id in there}


def uncompletion_id(statement: str, identifier: str) -> str:
    """The id of the mark that *statement* takes off *identifier*."""
    return name(KIND, statement, identifier)


def _about(record: Record) -> Subjects:
    return subjects(identifiers=[_decode(record.body).identifier])


KINDS = (
    Kind(KIND, "derived", Uncompletion, 1, subjects=_about, retention="derived", exported=False),
    Kind(_READ.kind, "working", subjects=None, retention="operational", exported=False),
)
