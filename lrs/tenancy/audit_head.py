"""Writes the head of the record of actions outside the store: to the log, and to the file ``LRS_AUDIT_HEAD``.

Whoever can write the store and has an older copy of it can replace the store, and so remove the newest entries. The
head outside shows that. The file only grows, by one JSON line each time the head has changed, so it may be a file that
can only be appended to (``chattr +a``).
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from lrs.kernel.logs import AUDIT
from lrs.kernel.times import SECOND
from lrs.storage import Store
from lrs.storage.private import FILE
from lrs.tenancy import audit
from lrs.tenancy.audit import Head
from lrs.tenancy.tenants import Tenant

LOOK = 1.0
"""Seconds between two looks at the heads."""
NEWEST_LINES = 10_000
"""How many lines of a store are compared."""
_log = structlog.get_logger(AUDIT)


class HeadLine(msgspec.Struct, frozen=True):
    """One line: the last entry of *tenant*'s chain at a time (ISO 8601), and its store (see ``store_name``)."""

    tenant: str
    store: str
    number: int
    hash: str
    at: str


class Differs(msgspec.Struct, frozen=True):
    """How a file and a chain differ.

    *line* is the one that the chain does not have, *agreed* the last entry in both, *restored* the time of a restore
    between them.
    """

    line: HeadLine
    agreed: int
    restored: int | None


def store_name(store: Store) -> str:
    """A name that tells the lines of different stores apart. Copies of a store have the same name."""
    return store.mac(b"audit store").hex()[:16]


def put_down(path: Path, tenant: Tenant, head: Head) -> None:
    """Appends a line, durable when it returns. Raises ``OSError``."""
    at = datetime.fromtimestamp(tenant.clock() / SECOND, UTC).isoformat(timespec="seconds")
    line = msgspec.json.encode(HeadLine(tenant.id, store_name(tenant.store), head.number, head.hash, at)) + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE)
    try:
        size = os.fstat(descriptor).st_size
        torn = size and os.pread(descriptor, 1, size - 1) != b"\n"  # by a process that died in the middle of a line
        left = memoryview(b"\n" + line if torn else line)
        while left:  # a disk that is nearly full takes a part, and says no only to the rest
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def putting_down(tenant: Tenant) -> Iterator[None]:
    """Writes the head to ``LRS_AUDIT_HEAD`` if the block has changed it, because commands run without a worker.

    Raises ``OSError``, which names the file.
    """
    path = tenant.settings.audit_head
    before = audit.head_of(tenant.store) if path else None
    try:
        yield
    finally:
        if path and (head := audit.head_of(tenant.store)) is not None and head != before:
            put_down(path, tenant, head)


def lines_of(path: Path, store: Store) -> tuple[list[HeadLine], set[str]]:
    """The newest lines of *store* in their order, and the tenants of the other lines.

    Raises ``OSError``. Lines of another form are skipped.
    """
    ours: deque[HeadLine] = deque(maxlen=NEWEST_LINES)
    others = set()
    name = store_name(store)
    with path.open("rb") as file:
        for text in file:
            try:
                line = msgspec.json.decode(text, type=HeadLine)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if line.store == name:
                ours.append(line)
            else:
                others.add(line.tenant)
    return list(ours), others


def compare(lines: Sequence[HeadLine], found: Mapping[int, str], restored: Iterable[int]) -> Differs | None:
    """The first of *lines* that the chain contradicts. *found* has the hashes of the entries that they name.

    *restored* are the numbers of entries that record a restore. A restore explains lines from its number on that were
    written before any line of a later entry.
    """
    restores = sorted(restored)
    agreed = 0
    differing: Differs | None = None
    for line in lines:
        if line.number == 0 or found.get(line.number) == line.hash:
            agreed = max(agreed, line.number)
            continue
        restore = max((number for number in restores if number <= line.number), default=None)
        explained = restore if restore is not None and agreed < restore else None
        if differing is None or (differing.restored is not None and explained is None):
            differing = Differs(line, agreed, explained)
    return msgspec.structs.replace(differing, agreed=agreed) if differing else None


class Publisher:
    """A thread that writes the head of each of *tenants* when it has changed.

    It is written to the file each time. It is logged too: each time, or, if *every* is more than 0, only the newest
    after so many seconds.
    """

    def __init__(
        self, tenants: Callable[[], Iterable[Tenant]], path: Path | None, look: float = LOOK, *, every: float = 0
    ) -> None:
        self._tenants = tenants
        self._path = path
        self._look = look
        self._every = every
        self._unsaid: dict[str, Head] = {}
        self._said = time.monotonic()
        self._known: dict[str, Head] = {}
        self._failed: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-head")
        self._thread.start()

    def close(self) -> None:
        """Looks once more, and ends."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            over = self._stop.is_set()
            try:
                for tenant in self._tenants():
                    self.look_at(tenant)
            except Exception as error:  # noqa: BLE001 (the control store may be away: tried again in a moment)
                self._heard("", error)
            if over or time.monotonic() - self._said >= self._every:
                self._say()
            if over:
                return
            self._stop.wait(self._look)

    def look_at(self, tenant: Tenant) -> None:
        """Writes the tenant's head if it has changed."""
        with self._lock:
            self._look_at(tenant)

    def _look_at(self, tenant: Tenant) -> None:
        try:
            head = audit.head_of(tenant.store)
            if head is None or head == self._known.get(tenant.id):
                return
            if self._path is not None:
                put_down(self._path, tenant, head)
        except Exception as error:  # noqa: BLE001 (one tenant's trouble is not another's; it is tried again)
            self._heard(tenant.id, error)
            return
        self._known[tenant.id] = head
        self._failed.discard(tenant.id)
        self._unsaid[tenant.id] = head

    def _say(self) -> None:
        """Logs the heads that were not logged yet."""
        self._said = time.monotonic()
        with self._lock:
            unsaid, self._unsaid = self._unsaid, {}
        for tenant, head in unsaid.items():
            _log.info("end of the record of actions", tenant=tenant, number=head.number, hash=head.hash)

    def _heard(self, tenant: str, error: Exception) -> None:
        """Logs only the first failure, so that a file that cannot be written for a day gives one line."""
        if tenant not in self._failed:
            self._failed.add(tenant)
            _log.warning("the end of the record of actions is not put down", tenant=tenant, error=type(error).__name__)
