"""The store contract: one kind of record, one order, decisions made inside the writer.

Two engines keep it (``sqlite``, ``mongo``); ``tests/contract`` holds both to it. The contract knows nothing of
xAPI, badges or HTTP.

**Order.** ``seq`` is ``stored`` in microseconds UTC << 10. It is given inside the write transaction and strictly
increases in commit order, also if the clock jumps back: a reader that has read up to ``seq`` has seen everything
before it.

**Decisions.** ``write(decide)`` runs ``decide(tx)`` in the write transaction; it may be run again and must touch
nothing but ``tx``. Many callers' decisions share one commit; one that raises keeps nothing of what it wrote and
leaves the others untouched.

**Owed work.** An ``Owed`` entry is written in the same commit as the fact it follows from. ``claim`` leases entries,
``settle`` clears them together with the writes of its own decision, ``defer`` hands one back. If a step is owed again
while it is leased, the lease becomes stale, so the newer fact is never lost. A lease that ran out shows that a worker
died, but not which entry it was working on: such entries are claimed one by one (``claim_lost``).
"""

from lrs.storage.contract import Blobs, Reader, Store, Tx, each, newest_place, pages, put_aside, walked
from lrs.storage.opening import drop_store, open_store, open_to_read
from lrs.storage.records import (
    LARGEST,
    MOST_AT_ONCE,
    NEWEST,
    PAGE_BYTES,
    ROW_BYTES,
    ROWS,
    TIE_BITS,
    USUAL,
    Backlog,
    Claim,
    Clock,
    Exists,
    JoinedPage,
    Load,
    Owed,
    Page,
    Record,
    RecordName,
    Stale,
    Walk,
    first_seq,
    last_seq,
    mac_with,
    micros_of,
    wall_clock,
)

__all__ = [
    "LARGEST",
    "MOST_AT_ONCE",
    "NEWEST",
    "PAGE_BYTES",
    "ROWS",
    "ROW_BYTES",
    "TIE_BITS",
    "USUAL",
    "Backlog",
    "Blobs",
    "Claim",
    "Clock",
    "Exists",
    "JoinedPage",
    "Load",
    "Owed",
    "Page",
    "Reader",
    "Record",
    "RecordName",
    "Stale",
    "Store",
    "Tx",
    "Walk",
    "drop_store",
    "each",
    "first_seq",
    "last_seq",
    "mac_with",
    "micros_of",
    "newest_place",
    "open_store",
    "open_to_read",
    "pages",
    "put_aside",
    "walked",
    "wall_clock",
]
