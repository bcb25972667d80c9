"""What a provider's earlier files came to, kept at the xAPI endpoint itself. Knows no rows and no statements.

**Where.** Documents in the Activity Profile of one activity per adapter and provider: ``page-0`` … hold up to
``PAGE`` entries each, ``lock`` says who is running, ``runs`` what the last run of each file came to. So the state
lives behind the same door as the statements: any machine with the provider's key sees it, a backup of the store holds
it, and nothing but xAPI is needed. Activity Profile rather than State, because both xAPI versions demand ETags there.
Asking the store statement by statement instead would cost a request per row, and cannot tell a correction from a
first telling. Pages rather than one document: 50,000 rows are some 5 MB, and a document may have 16 MiB; only pages
with changes are written again.

**Crashes.** Intent is written before statements are sent, and settled after (see ``diff``). Whatever is lost in
between, the next run knows what may be out, and either sends the very same again or voids it.

**Two at once.** The lock turns the second run away in good time; it is a lease, so a killed run frees it. What keeps
a run whose lease ran out from doing harm is that every page is written under its ETag, and no statement goes out
before its page: of two runs one is told ``Changed`` before it has sent anything the other does not know of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from adapters.diff import Entry
from adapters.door import Changed, Door
from adapters.vocabulary import iri
from lrs.storage import Clock

PAGE = 1_000
LEASE = 30_000_000
RUNS_KEPT = 50
_POLL = 2.0


class Busy(Exception):
    """Another run for this provider is under way."""


class _Page(msgspec.Struct):
    rows: dict[str, Entry]
    etag: str | None = None


class _Lock(msgspec.Struct, frozen=True):
    run: str
    until: int


class _Rows(msgspec.Struct):
    rows: dict[str, Entry]
    v: int = 1


class Ledger:
    """The entries of one *adapter* and *provider*, read once, written page by page."""

    def __init__(self, door: Door, adapter: str, provider: str, *, clock: Clock) -> None:
        self._door = door
        self._clock = clock
        self._pages: list[_Page] = []
        self._where: dict[str, int] = {}
        self._lock: tuple[_Lock, str] | None = None
        self.source = f"{adapter}/{provider}"
        self.activity = iri("ledgers", adapter, provider)

    def load(self) -> None:
        """Reads every page. Call it again after ``acquire``: what was read before may be old."""
        self._pages, self._where = [], {}
        while document := self._door.read(self.activity, f"page-{len(self._pages)}"):
            rows = msgspec.json.decode(document.content, type=_Rows).rows
            self._where.update(dict.fromkeys(rows, len(self._pages)))
            self._pages.append(_Page(rows, document.etag))

    def get(self, key: str) -> Entry | None:
        """What is known of *key*."""
        page = self._where.get(key)
        return None if page is None else self._pages[page].rows.get(key)

    def put(self, entries: Mapping[str, Entry | None]) -> None:
        """Writes *entries* (``None`` forgets), each page once and under its ETag. Raises ``Changed``."""
        touched: set[int] = set()
        for key, entry in entries.items():
            page = self._where.get(key)
            if page is None:
                if entry is None:
                    continue
                page = self._open_page()
                self._where[key] = page
            if entry is None:
                del self._pages[page].rows[key]
                del self._where[key]
            else:
                self._pages[page].rows[key] = entry
            touched.add(page)
        for page in sorted(touched):
            self._write(page)

    def _open_page(self) -> int:
        if not self._pages or len(self._pages[-1].rows) >= PAGE:
            self._pages.append(_Page({}))
        return len(self._pages) - 1

    def _write(self, number: int) -> None:
        page = self._pages[number]
        content = msgspec.json.encode(_Rows(page.rows))
        page.etag = self._door.write(self.activity, f"page-{number}", content, page.etag)

    def acquire(self, run: str, *, wait: float, sleep: Callable[[float], None]) -> None:
        """Takes the lock for *run*, waiting up to *wait* seconds for a lease to end. Raises ``Busy``."""
        waited = 0.0
        while True:
            document = self._door.read(self.activity, "lock")
            held = msgspec.json.decode(document.content, type=_Lock) if document else None
            now = self._clock()
            # One that ends later than a lease can is of a clock that was ahead; those of two machines differ a little.
            if held is None or not now < held.until <= now + 2 * LEASE:
                with suppress(Changed):
                    self._take(run, document.etag if document else None)
                    return
            if waited >= wait:
                raise Busy("another run for this provider is under way, or was stopped less than 30 seconds ago")
            sleep(_POLL)
            waited += _POLL

    def renew(self) -> None:
        """Keeps the lock while work goes on. Raises ``Changed`` if another run has taken it."""
        if self._lock and not LEASE // 2 <= self._lock[0].until - self._clock() <= LEASE:
            self._take(self._lock[0].run, self._lock[1])

    def release(self) -> None:
        """Frees the lock, if it is still ours."""
        if self._lock:
            lock, etag = self._lock
            self._lock = None
            with suppress(Changed):
                self._door.write(self.activity, "lock", msgspec.json.encode(_Lock(lock.run, 0)), etag)

    def _take(self, run: str, etag: str | None) -> None:
        lock = _Lock(run, self._clock() + LEASE)
        self._lock = (lock, self._door.write(self.activity, "lock", msgspec.json.encode(lock), etag))

    def note(self, file: str, told: Mapping[str, Any]) -> None:
        """Keeps what the last run of *file* came to, its quarantine included; of the ``RUNS_KEPT`` newest files."""
        document = self._door.read(self.activity, "runs")
        runs: dict[str, Any] = msgspec.json.decode(document.content) if document else {}
        runs.pop(file, None)
        runs[file] = told
        kept = dict(list(runs.items())[-RUNS_KEPT:])
        self._door.write(self.activity, "runs", msgspec.json.encode(kept), document.etag if document else None)
