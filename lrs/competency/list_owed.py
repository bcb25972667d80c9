"""What owes the step ``list``, which writes the list of learners (``lrs.competency.listed``): news of somebody.

Also everybody who was there before the list had its present form, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lrs.competency.evidence import Meaning
from lrs.competency.listed import KIND, MARK, MOST_NAMES, ListedLearner, read
from lrs.people.persons import LISTING, Mint, holders
from lrs.storage import ROWS, Owed, Reader, Record, RecordName, Tx, each
from lrs.tenancy.tenants import Tenant

_MARKS_BEFORE = ("all", "called")
_BATCH = 200


def unlisted(reader: Reader, meanings: Sequence[Meaning]) -> set[str]:
    """The persons in *meanings* whose record lacks the source or the name. Their identifiers exist."""
    told = [(one.id, meaning) for meaning in meanings for one in meaning.learners]
    if not told:
        return set()
    person = {id: one.meta["person"] for id, one in reader.get_many("identifier", {id for id, _ in told}).items()}
    holder = holders(reader, set(person.values()))
    rows = {id: read(record) for id, record in reader.get_many(KIND, set(holder.values())).items()}
    return {
        person[id]
        for id, meaning in told
        if _is_news(rows.get(holder[person[id]]), id, meaning.source, meaning.names.get(id, ""))
    }


def rows_of(meanings: Sequence[Meaning], mint: Mint) -> Iterator[RecordName]:
    """The records that ``unlisted`` will read, as far as they are known before."""
    return ((KIND, mint(one.id)) for meaning in meanings for one in meaning.learners)


def _is_news(row: ListedLearner | None, identifier: str, source: str, name: str) -> bool:
    known = next((one.sources for one in row.known if one.id == identifier), ()) if row else ()
    if row is None or source not in known:
        return True
    called = [one.text for one in row.called if source in one.sources]
    return bool(name) and name not in called and len(called) < MOST_NAMES


def owe_listing(tx: Tx, persons: Iterable[str]) -> None:
    """Makes *persons*, who are there, owe the step."""
    for person in sorted(persons):
        tx.owe("person", person, Owed(LISTING))


def list_those_before(tenant: Tenant) -> None:
    """Owes the step, once, for everybody who was there before this form of the list."""
    store = tenant.store
    if store.get(*MARK) is not None:
        return
    batch: list[str] = []
    for person in each(store, "person"):
        batch.append(person.id)
        if len(batch) == _BATCH:
            _owe(tenant, batch)
            batch = []
    _owe(tenant, batch)
    store.write(_mark).result()


def _mark(tx: Tx) -> None:
    tx.put(Record(*MARK))
    for before in _MARKS_BEFORE:
        tx.delete(MARK[0], before)


def _owe(tenant: Tenant, persons: Sequence[str]) -> None:
    if persons:
        tenant.store.write(lambda tx: owe_listing(tx, persons), weight=ROWS * len(persons)).result()
