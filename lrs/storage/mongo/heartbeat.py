"""Signs of life of the processes that write to one database, and the end of those that show none.

A process that dies in a commit leaves its transaction open until the server ends it (60 s unless
``transactionLifetimeLimitSeconds`` is set). Who waits long for the head therefore ends the sessions of writers that are
silent. Times are the server's, so that no machine's clock decides it. Knows no record and no transaction.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from lrs.storage.mongo.schema import Mongo

BEAT_S = 3.0
SILENT_S = 10.0
"""A writer with a group under way shows itself every ``BEAT_S``; so this is three beats, and some more."""


class Heartbeat:
    """The ``writer`` document of one process, by the id of its session; written only while a group is under way."""

    def __init__(self, database: Mongo, session: ClientSession) -> None:
        self._admin = database.client.admin
        # A beat that an election takes back is followed by the next one: it need not wait for a majority.
        self._writers = database.get_collection(
            "writer", write_concern=WriteConcern(1), read_concern=ReadConcern("local")
        )
        self._id = session.session_id["id"]
        self._busy, self._closing = threading.Event(), threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._run, name="mongo-heartbeat", daemon=True)
        self._thread.start()

    def busy(self) -> None:
        """A group begins."""
        self._busy.set()

    def idle(self) -> None:
        """The group has ended; there is nothing that anybody could wait for."""
        self._busy.clear()

    def end_the_silent(self) -> None:
        """Ends the sessions of all writers that were silent for ``SILENT_S``; one that lives runs its group again."""
        now = self._admin.command("hello")["localTime"].replace(tzinfo=UTC)
        silent = [
            writer
            for writer in self._writers.find({"_id": {"$ne": self._id}})
            if now - _seen(writer.get("alive")) > timedelta(seconds=SILENT_S)
        ]
        if not silent:
            return
        self._admin.command({"killSessions": [{"id": writer["_id"]} for writer in silent]})
        for writer in silent:
            self._writers.delete_one({"_id": writer["_id"], "alive": writer.get("alive")})

    def close(self) -> None:
        """Signs off."""
        self._closing.set()
        self._busy.set()
        self._thread.join()
        with suppress(PyMongoError):  # a server that is away has no use for it
            self._writers.delete_one({"_id": self._id})

    def _run(self) -> None:
        while not self._closing.wait(BEAT_S) and self._busy.wait() and not self._closing.is_set():
            with suppress(PyMongoError):  # the writer meets the same server, and tells of it
                self._beat()

    def _beat(self) -> None:
        self._writers.update_one({"_id": self._id}, {"$currentDate": {"alive": True}}, upsert=True)


def _seen(alive: datetime | None) -> datetime:
    """When a writer was last seen; one of 0.2.0 does not say it."""
    return alive.replace(tzinfo=UTC) if alive else datetime.min.replace(tzinfo=UTC)
