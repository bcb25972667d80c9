"""What imports of version 0.1 and 0.2 remembered, read once into records: the next file must not forget corrections.

They kept it in documents of the Activity Profile: ``page-0`` … with entries by key, ``runs`` with what the last run of
each file came to, and ``lock``. The documents stay where they are, to be read by whoever could; nobody changes them any
more. A process may end anywhere, and two may do this at once: what is a record already is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import unquote
from uuid import uuid5

import msgspec
import structlog

from adapters.diff import Entry
from adapters.job import Job, Sender, Told, record_of
from adapters.ledger import ROWS_EACH, Kept
from adapters.ledger import record_of as row_of
from adapters.vocabulary import NAMESPACE, canonical
from lrs.kernel.times import micros_of_timestamp
from lrs.storage import Record, Store, Tx, first_seq, pages
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
    rows: dict[str, Entry]


class _Run(msgspec.Struct, frozen=True):
    at: str
    counts: dict[str, int]
    quarantine: tuple[dict[str, object], ...] = ()


def read_documents(tenant: Tenant) -> None:
    """Makes records of the ledgers of before, unless that was done."""
    store = tenant.store
    if store.get(MARK, READ) is not None:
        return
    for document in pages(store, ACTIVITY_PROFILE.kind, limit=64):
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
    """What *document* comes to. Anybody with the right scope could write one, so what is no ledger is left out."""
    adapter, _, provider = (unquote(part) for part in document.meta["activity"].removeprefix(LEDGERS).partition("/"))
    name, text = str(document.meta.get("document", "")), b"".join(stored_bytes(store, document))
    try:
        if name.startswith("page-"):
            rows = msgspec.json.decode(text, type=_Page).rows
            return (row_of(f"{adapter}/{provider}", key, Kept(entry)) for key, entry in rows.items())
        if name == "runs":
            runs = msgspec.json.decode(text, type=dict[str, _Run])
            return (_job(adapter, provider, file, run) for file, run in runs.items())
    except (msgspec.MsgspecError, ValueError) as error:
        _log.warning("a document of an earlier import cannot be read", document=document.id, error=type(error).__name__)
    return iter(())


def _job(adapter: str, provider: str, file: str, run: _Run) -> Record:
    """A job that is over: it has no files and no report, but says what came of the file."""
    at = micros_of_timestamp(run.at)
    id = uuid5(NAMESPACE, canonical(["import", adapter, provider, file]).decode()).hex
    told = Told(run.counts, usable=True, waiting=run.quarantine)
    sender = Sender(provider, "")
    job = Job(id, adapter, provider, file, sender, at, state="done", ended=at, told=told, rows=sum(run.counts.values()))
    return record_of(job, seq=first_seq(at))
