"""Reads the ledgers of version 0.1 and 0.2 into records, once, so that the next file knows of earlier corrections.

Those versions kept them in documents of the Activity Profile: ``page-0`` … with entries by key, ``runs`` with the
result of the last run of each file, and ``lock``. The documents stay and can be read as before; nobody changes them any
more. A process may end at any time, and two may do this at once: records that exist are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import unquote
from uuid import uuid5

import msgspec
import structlog

from adapters.imports.job import Job, JobResult, Sender, record_of
from adapters.ledger.diff import LedgerEntry
from adapters.ledger.ledger import ROWS_EACH, LedgerRecord
from adapters.ledger.ledger import record_of as row_of
from adapters.reading.vocabulary import NAMESPACE, canonical
from lrs.kernel.times import micros_of_timestamp
from lrs.storage import NEWEST, Record, Store, Tx, each, first_seq
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant
from lrs.xapi.documents.content import stored_bytes
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, LEDGERS

MARK, READ = "import-ledgers", "documents"
"""The record that says that all of them have been read."""
AT_ONCE = 500
KINDS = (Kind(MARK, "working", subjects=None, retention="operational", exported=False),)
_log = structlog.get_logger()


class _Page(msgspec.Struct):
    rows: dict[str, LedgerEntry]


class _Run(msgspec.Struct, frozen=True):
    at: str
    counts: dict[str, int]
    quarantine: tuple[dict[str, object], ...] = ()


def read_documents(tenant: Tenant) -> None:
    """Makes records of the old ledgers, unless that was done before."""
    store = tenant.store
    if store.get(MARK, READ) is not None:
        return
    for document in each(store, ACTIVITY_PROFILE.kind, limit=64):
        if str(document.meta.get("activity", "")).startswith(LEDGERS):
            for some in _batches(_records(store, document)):
                _add(store, some)
    _add(store, [Record(MARK, READ)])


def _add(store: Store, records: Sequence[Record]) -> None:
    def decide(tx: Tx) -> None:
        for record in records:
            if tx.get(record.kind, record.id) is None:
                tx.insert(record)

    store.write(decide, weight=ROWS_EACH * len(records)).result()


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while some := list(islice(records, AT_ONCE)):
        yield some


def _records(store: Store, document: Record) -> Iterator[Record]:
    """The records for *document*. All of it is read before the first is given: it is left out as a whole.

    Anybody with the right scope could write one, so documents of another form are left out.
    """
    adapter, _, provider = (unquote(part) for part in document.meta["activity"].removeprefix(LEDGERS).partition("/"))
    name, text = str(document.meta.get("document", "")), b"".join(stored_bytes(store, document))
    try:
        if name.startswith("page-"):
            rows = msgspec.json.decode(text, type=_Page).rows
            return iter([row_of(f"{adapter}/{provider}", key, LedgerRecord(entry)) for key, entry in rows.items()])
        if name == "runs":
            runs = msgspec.json.decode(text, type=dict[str, _Run])
            return iter([_job(adapter, provider, file, run) for file, run in runs.items()])
    except (msgspec.MsgspecError, ValueError) as error:
        _log.warning("a document of an earlier import cannot be read", document=document.id, error=type(error).__name__)
    return iter(())


def _job(adapter: str, provider: str, file: str, run: _Run) -> Record:
    """A finished job. It has no files and no report, only the result of the file.

    Raises ``ValueError`` for a time that has no place in the order.
    """
    at = micros_of_timestamp(run.at)
    if not 0 <= first_seq(at) <= NEWEST:
        raise ValueError("there was no import at that time")
    id = uuid5(NAMESPACE, canonical(["import", adapter, provider, file]).decode()).hex
    told = JobResult(run.counts, usable=True, waiting=run.quarantine)
    sender = Sender(provider, "")
    job = Job(id, adapter, provider, file, sender, at, state="done", ended=at, told=told, rows=sum(run.counts.values()))
    return record_of(job, seq=first_seq(at))
