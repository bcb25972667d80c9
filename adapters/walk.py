"""What the walk through the file of a job does: fetches it, runs it, writes what it came to, and asks to commit.

It has no effects on the store's records: what is to be written there it asks for (``Asked``). Knows no thread.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from adapters.apply import Delivery, Piece, Refusals, pieces, prepared
from adapters.job import Job, Told
from adapters.ledger import Ledger
from adapters.pipeline import CHUNK, Due
from adapters.report import Report
from adapters.returned import Answer, write_answer
from adapters.run import Order, run_file
from lrs.kernel.errors import Refused

_BLOCK = 1 << 20


class Commit(msgspec.Struct, frozen=True):
    """Asks for *piece* to be stored, and to put down that *rows* of the file have been worked through."""

    piece: Piece
    rows: int


class Finished(msgspec.Struct, frozen=True):
    """The file has been worked through: what it came to, and the blobs of what goes back."""

    told: Told
    returned: str
    report: str
    rows: int


Asked = Commit | Finished


class Walker:
    """The walk through the file of *job*."""

    def __init__(self, delivery: Delivery, job: Job) -> None:
        self._delivery = delivery
        self._tenant = delivery.tenant
        self._job = job
        self._rows = 0

    def run(self, ask: Callable[[Asked], Refusals], breathe: Callable[[], None]) -> Asked:
        """Walks; *ask* has something committed and gives what was refused of it, *breathe* is called at every row.

        Raises ``Refused`` for a file nobody can read.
        """
        with TemporaryDirectory(prefix="import-") as made:
            folder = Path(made)
            job = self._job
            path = folder / "upload"
            self._fetch(path, breathe)
            order = Order(job.adapter, job.provider, path, job.file, job.profile, job.dry_run)
            ledger = Ledger(self._tenant.store, job.adapter, job.provider, job.id)

            def apply(due: Sequence[Due], rows: int) -> Refusals:
                return self._apply(due, rows, ask)

            return self._finished(run_file(order, ledger, now=job.at, apply=apply, breathe=breathe), folder)

    def _fetch(self, path: Path, breathe: Callable[[], None]) -> None:
        try:
            chunks = self._tenant.store.blobs.open(self._job.blobs["file"])
        except KeyError as missing:
            gone = "the file is no longer kept: send it again"
            raise Refused(gone, status=410, error="file_gone") from missing
        with path.open("wb") as file:
            for chunk in chunks:
                breathe()
                file.write(chunk)

    def _apply(self, due: Sequence[Due], rows: int, ask: Callable[[Asked], Refusals]) -> Refusals:
        self._rows += rows
        refused: Refusals = {}
        for some in pieces(due, min(CHUNK, self._tenant.settings.max_batch)):
            piece, wrong = prepared(self._delivery, some)
            refused |= wrong
            if piece.rows:
                refused |= ask(Commit(piece, self._rows))
        if not due:
            ask(Commit(Piece(), self._rows))
        return refused

    def _finished(self, report: Report, folder: Path) -> Finished:
        written = [write_answer(Answer(folder / name, name == "report"), report) for name in ("report", "returned")]
        told = Told(
            counts=report.counts,
            usable=report.usable,
            text=report.text(),
            notes=report.notes,
            waiting=tuple(report.waiting()),
            media_type=written[1].media_type,
        )
        blobs = self._tenant.store.blobs
        returned, whole = (blobs.put(blocks_of(folder / name)) for name in ("returned", "report"))
        return Finished(told, returned, whole, len(report.rows))


def blocks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def new_worker() -> str:
    """A name for a process that works at jobs."""
    return secrets.token_hex(8)
