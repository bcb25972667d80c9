"""Blobs in GridFS, named by their content and durable before records name them. Knows no record.

A blob has no entry in ``blob.files`` before its last chunk is written, so it is complete or not there. If the same
bytes are put twice at the same time, both may stay; a sweep deletes both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pymongo
from gridfs import GridFSBucket
from gridfs.errors import NoFile
from gridfs.synchronous.grid_file import GridOut

from lrs.kernel.times import SECOND
from lrs.storage.mongo.link import answering
from lrs.storage.mongo.schema import Mongo
from lrs.storage.records import Clock

_BUCKET = "blob"
_TOUCHED = "metadata.touched"
_PAGE = 500
_SEARCH_S = 600
"""Timeout in seconds of the query that looks at every blob."""
_ORPHANS: list[dict[str, Any]] = [
    {"$match": {"n": 0}},
    {"$project": {"files_id": 1}},
    {"$lookup": {"from": f"{_BUCKET}.files", "localField": "files_id", "foreignField": "_id", "as": "file"}},
    {"$match": {"file": []}},
]


class GridBlobs:
    """See ``Blobs``."""

    def __init__(self, database: Mongo, clock: Clock) -> None:
        self._bucket = GridFSBucket(database, _BUCKET)
        self._files = database[f"{_BUCKET}.files"]
        self._chunks = database[f"{_BUCKET}.chunks"]
        self._clock = clock

    @answering()
    def put(self, chunks: Iterable[bytes]) -> str:
        """Uploads without a name. Then updates the time of an existing blob, or gives the upload its name."""
        digest = sha256()
        upload = self._bucket.open_upload_stream("", metadata={"touched": self._clock()})
        try:
            for chunk in chunks:
                digest.update(chunk)
                upload.write(chunk)
            name = digest.hexdigest()
            touch = {"$set": {_TOUCHED: self._clock()}}
            if self._files.update_many({"filename": name}, touch).matched_count:
                upload.abort()
            else:
                upload.filename = name
                upload.close()
        except BaseException:
            upload.abort()
            raise
        return name

    @answering()
    def open(self, sha256: str) -> Iterator[bytes]:
        """See ``Blobs.open``. A chunk is one of GridFS, 255 KiB."""
        file = self._file(sha256)
        read = answering()(file.readchunk)

        def chunks() -> Iterator[bytes]:
            with file:
                while chunk := read():
                    yield chunk

        return chunks()

    @answering()
    def size(self, sha256: str) -> int:
        """See ``Blobs.size``."""
        return self._file(sha256).length

    @answering()
    def sweep(self, keep: Callable[[str], bool], older_than: int) -> int:
        """Deletes old blobs that *keep* does not hold, and chunks left by a crash."""
        dropped = 0
        for file in self._older(older_than):
            if keep(file["filename"]):
                continue
            # The condition is repeated in the deletion itself, because somebody may have put it meanwhile.
            if self._files.delete_one({"_id": file["_id"], _TOUCHED: {"$lt": older_than}}).deleted_count:
                self._chunks.delete_many({"files_id": file["_id"]})
                dropped += 1
        born_before = datetime.fromtimestamp(older_than / SECOND, UTC)
        with pymongo.timeout(_SEARCH_S):
            orphans = list(self._chunks.aggregate(_ORPHANS))
        for orphan in orphans:
            if orphan["files_id"].generation_time < born_before:
                self._chunks.delete_many({"files_id": orphan["files_id"]})
        return dropped

    def _older(self, than: int) -> Iterator[dict[str, Any]]:
        """Blobs not put since *than*, a page at a time, because checking them may take longer than a cursor lives."""
        after: dict[str, Any] = {}
        while True:
            query = {_TOUCHED: {"$lt": than}, **after}
            page = list(self._files.find(query, {"filename": 1}).sort("_id").limit(_PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = {"_id": {"$gt": page[-1]["_id"]}}

    def _file(self, name: str) -> GridOut:
        try:
            return self._bucket.open_download_stream_by_name(name)
        except NoFile as error:
            raise KeyError(name) from error
