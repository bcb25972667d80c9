"""The walk through the file of a job: fetches it, runs it, writes the returned files, and asks for commits.

It writes no records of the store: it asks for that (``WalkRequest``). Knows no thread.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.apprenticeship.standard_records import lars_codes
from adapters.imports.finding import found
from adapters.imports.job import BASE, FILE, SAMPLES, Job, JobResult
from adapters.imports.look import Look, look_given
from adapters.imports.run import Order, run_file
from adapters.ledger.apply import ImportChunk, ImportTarget, RefusedRows, chunks, named, prepared
from adapters.ledger.ledger import Ledger
from adapters.ledger.pipeline import CHUNK, FactWrite, FileNames
from adapters.reports.report import Report
from adapters.reports.returned import write_answers
from lrs.competency.rules.rulesets import current
from lrs.kernel.errors import Refused
from lrs.storage.drafts import draft_folder, drafts_in
from lrs.storage.edge import read_blocks


class Commit(msgspec.Struct, frozen=True):
    """Asks to store *chunk*, and to record that *rows* of the file have been processed.

    *written* is how many lines of the file that goes back are written; 0 before the last row was processed.
    """

    chunk: ImportChunk
    rows: int
    written: int = 0


class FileLookedAt(msgspec.Struct, frozen=True):
    """Asks to record what the file was found to be, before it is read: as which *job* it is worked through."""

    job: Job


class Finished(msgspec.Struct, frozen=True):
    """The end of the file: its result, its *look*, and the *blobs* that go back, by name."""

    told: JobResult
    look: Look
    blobs: Mapping[str, str]
    rows: int


WalkRequest = Commit | FileLookedAt | Finished


class Walker:
    """The walk through the file of *job*."""

    def __init__(self, target: ImportTarget, job: Job) -> None:
        self._target = target
        self._tenant = target.tenant
        self._job = job
        self._rows = 0

    def run(self, ask: Callable[[WalkRequest], RefusedRows], breathe: Callable[[], None]) -> WalkRequest:
        """Runs the file. *ask* has something committed and gives what was refused, *breathe* is called at every row.

        Raises ``Refused`` for an unreadable file.
        """
        with draft_folder(drafts_in(self._tenant.settings.data)) as folder:
            path = folder / "upload"
            self._fetch(FILE, path, breathe)
            if self._job.guess:
                self._job = self._looked(path)
                ask(FileLookedAt(self._job))
            job = self._job
            bases = tuple(folder / f"{BASE}{at}" for at in range(len(job.bases)))
            for base in bases:
                self._fetch(base.name, base, breathe)
            standards = lars_codes(self._tenant.store)
            anchors = tuple((rule.match, rule.activity) for rule in current(self._tenant.store).rules)
            order = Order(
                job.adapter, job.provider, path, job.file, job.profile, job.dry_run, bases, anchors, standards
            )
            ledger = Ledger(self._tenant.store, job.adapter, job.provider, job.id)

            def apply(names: FileNames, rows: int, due: Sequence[FactWrite]) -> RefusedRows:
                refused = self._apply(due, rows, ask)
                for chunk in named(self._target, names):
                    ask(Commit(chunk, self._rows))
                return refused

            def wrote(lines: int) -> None:
                breathe()
                if lines % CHUNK == 0:
                    ask(Commit(ImportChunk(), self._rows, lines))

            return self._finished(run_file(order, ledger, now=job.at, apply=apply, breathe=breathe), folder, wrote)

    def _looked(self, path: Path) -> Job:
        """The job with its adapter and its columns; the first values of each are in a blob, as they name persons."""
        job, samples = found(self._tenant.store, self._job, path)
        blob = self._tenant.store.blobs.put([msgspec.json.encode(samples)])
        return msgspec.structs.replace(job, blobs={**job.blobs, SAMPLES: blob})

    def _fetch(self, name: str, path: Path, breathe: Callable[[], None]) -> None:
        try:
            chunks = self._tenant.store.blobs.open(self._job.blobs[name])
        except KeyError as missing:
            gone = "the file is no longer kept: send it again"
            raise Refused(gone, status=410, error="file_gone") from missing
        with path.open("wb") as file:
            for chunk in chunks:
                breathe()
                file.write(chunk)

    def _apply(self, due: Sequence[FactWrite], rows: int, ask: Callable[[WalkRequest], RefusedRows]) -> RefusedRows:
        self._rows += rows
        refused: RefusedRows = {}
        for some in chunks(due, min(CHUNK, self._tenant.settings.max_batch)):
            chunk, wrong = prepared(self._target, some)
            refused |= wrong
            if chunk.rows:
                refused |= ask(Commit(chunk, self._rows))
        if not due:
            ask(Commit(ImportChunk(), self._rows))
        return refused

    def _finished(self, report: Report, folder: Path, wrote: Callable[[int], None]) -> Finished:
        written = write_answers(report, self._job.id, folder, wrote)
        told = JobResult(
            counts=report.counts,
            usable=report.usable,
            text=report.text(),
            notes=report.notes,
            waiting=tuple(report.waiting()),
            media_type=written.media_type,
            asks=report.asks,
        )
        blobs, look = self._tenant.store.blobs, self._job.look or look_given(report.table)
        back = {name: blobs.put(blocks_of(folder / name)) for name in written.names}
        return Finished(told, look, back, len(report.rows))


def blocks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with path.open("rb") as file:
        yield from read_blocks(file)


def new_worker() -> str:
    """A new name for a process that works at jobs."""
    return secrets.token_hex(8)
