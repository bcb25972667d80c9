"""Where the record of actions has got to, put down outside the store: in the log, and in the file ``LRS_AUDIT_HEAD``.

Whoever can write the store, and has an older copy of it, can put that back and so take the newest entries away. What
stands outside shows it. The file only grows, one JSON line each time the end of a chain was seen elsewhere than before,
so it may be one that can be appended to and nothing else (``chattr +a``).
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
from lrs.storage import Store
from lrs.storage.private import FILE
from lrs.tenancy import audit
from lrs.tenancy.audit import Head
from lrs.tenancy.tenants import Tenant

LOOK = 1.0
"""Seconds between two looks at the ends of the chains."""
NEWEST_LINES = 10_000
"""How many lines of a store are compared."""
_log = structlog.get_logger(AUDIT)


class Line(msgspec.Struct, frozen=True):
    """One line: the last entry of *tenant*'s chain then, in which store (see ``store_name``), at which time (ISO)."""

    tenant: str
    store: str
    number: int
    hash: str
    at: str


class Differs(msgspec.Struct, frozen=True):
    """How a file and a chain differ: the line that the chain has not, the last entry in both, the restore between."""

    line: Line
    agreed: int
    restored: int | None


def store_name(store: Store) -> str:
    """Tells one store's lines from another's; the same for copies of it."""
    return store.mac(b"audit store").hex()[:16]


def put_down(path: Path, tenant: Tenant, head: Head) -> None:
    """Appends a line, durable on return. Raises ``OSError``."""
    at = datetime.fromtimestamp(tenant.clock() / 1_000_000, UTC).isoformat(timespec="seconds")
    line = msgspec.json.encode(Line(tenant.id, store_name(tenant.store), head.number, head.hash, at)) + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE)
    try:
        size = os.fstat(descriptor).st_size
        torn = size and os.pread(descriptor, 1, size - 1) != b"\n"  # by a process that died in the middle of a line
        os.write(descriptor, b"\n" + line if torn else line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def putting_down(tenant: Tenant) -> Iterator[None]:
    """Puts the end of the chain down in ``LRS_AUDIT_HEAD`` if the block has moved it: commands run without a worker.

    Raises ``OSError`` that names the file.
    """
    path = tenant.settings.audit_head
    before = audit.head_of(tenant.store) if path else None
    try:
        yield
    finally:
        if path and (head := audit.head_of(tenant.store)) is not None and head != before:
            put_down(path, tenant, head)


def lines_of(path: Path, store: Store) -> tuple[list[Line], set[str]]:
    """The newest lines of *store* in the order they were put down, and which tenants the others are of.

    Raises ``OSError``. What is no line of ours is passed over.
    """
    ours: deque[Line] = deque(maxlen=NEWEST_LINES)
    others = set()
    name = store_name(store)
    with path.open("rb") as file:
        for text in file:
            try:
                line = msgspec.json.decode(text, type=Line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if line.store == name:
                ours.append(line)
            else:
                others.add(line.tenant)
    return list(ours), others


def compare(lines: Sequence[Line], found: Mapping[int, str], restored: Iterable[int]) -> Differs | None:
    """The first of *lines* that the chain does not bear out; *found* has the hashes of the entries they name.

    *restored* are the numbers of entries that tell of a restore. One explains the lines from its number on that were
    put down before any line of what came after it.
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
    """A thread that puts down the end of each chain of *tenants* when it is not where it was.

    In the file, each time. In the log too, unless *every* is more than 0: then the newest after so many seconds.
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
            except Exception as error:  # noqa: BLE001 (the register may be away: looked at again in a moment)
                self._heard("", error)
            if over or time.monotonic() - self._said >= self._every:
                self._say()
            if over:
                return
            self._stop.wait(self._look)

    def look_at(self, tenant: Tenant) -> None:
        """Puts the end of its chain down, if that is not where it was."""
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
        """Logs the ends that were not logged yet."""
        self._said = time.monotonic()
        with self._lock:
            unsaid, self._unsaid = self._unsaid, {}
        for tenant, head in unsaid.items():
            _log.info("end of the record of actions", tenant=tenant, number=head.number, hash=head.hash)

    def _heard(self, tenant: str, error: Exception) -> None:
        """Logs only when it begins: a file that cannot be written for a day is one line."""
        if tenant not in self._failed:
            self._failed.add(tenant)
            _log.warning("the end of the record of actions is not put down", tenant=tenant, error=type(error).__name__)
