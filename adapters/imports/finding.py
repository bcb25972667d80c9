"""Finds how a file of an import is to be read that came without an adapter and without a mapping profile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from adapters.imports.job import BASE, FILE, MOST_BASES, Job, arrived_key, job_of
from adapters.imports.job import KIND as IMPORT
from adapters.imports.look import FoundFile, Look, look_at
from adapters.imports.mappings import saved_for
from adapters.imports.sources import SOURCES
from lrs.kernel.errors import Refused
from lrs.storage import Reader, Walk


def found(reader: Reader, job: Job, path: Path) -> tuple[Job, Mapping[str, tuple[str, ...]]]:
    """*job* with adapter and columns, by a look at its file at *path*. An adapter that it has was chosen, and stays.

    With it the first values beneath each header. A file that repairs rows of another import is read as that one was.
    Raises ``Refused`` for a file that is no table, and for rows of an import that is not this provider's, or whose file
    is not kept any more.
    """
    seen = look_at(path, saved_for(reader, [job.provider]), job.adapter, _before(reader, job))
    if not seen.mends:
        return replace(job, adapter=seen.adapter, profile=seen.profile, look=seen.look, guess=False), seen.samples
    record = reader.get(IMPORT, seen.mends)
    other = job_of(record) if record else None
    if other is None or other.provider != job.provider:
        message = (
            "these rows were taken from a file that this provider did not send: take the column with their numbers away"
        )
        raise Refused(message, status=404, error="bad_repairs")
    before = (*other.bases, other.blobs.get(FILE, ""))
    if not before[-1] or len(before) > MOST_BASES:
        message = "the file that these rows were taken from is no longer kept: send the whole file again"
        raise Refused(message, status=410, error="file_gone")
    blobs = {**job.blobs, **{f"{BASE}{at}": blob for at, blob in enumerate(before)}}
    look, mends = replace(seen.look, known="", before="", guesses=()), other.id
    told = replace(job, adapter=other.adapter, profile=other.profile, blobs=blobs, look=look, mends=mends, guess=False)
    return told, seen.samples


def _before(reader: Reader, job: Job) -> list[FoundFile]:
    """The newest file of *job*'s provider that came in by each adapter, newest first, and how it was read."""
    newest = [
        record
        for name in SOURCES
        for record in reader.find(
            Walk(IMPORT, (arrived_key(replace(job, adapter=name)),), newest_first=True, limit=1)
        ).records
    ]
    return [_read(job_of(one)) for one in sorted(newest, key=lambda one: one.seq, reverse=True)]


def _read(job: Job) -> FoundFile:
    look = job.look or Look("", (), (), given=True)
    return FoundFile(replace(look, before=job.file), job.adapter, job.profile)
