"""Signs of life of the processes that write to one database; ends the sessions of writers that give none.

A process that dies during a commit leaves its transaction open until the server ends it (60 s unless
``transactionLifetimeLimitSeconds`` is set). So a writer that waits long for the head ends the sessions of silent
writers. Times are the server's, so they do not depend on a machine's clock. Knows no record and no transaction.
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
"""Seconds. A writer with a group under way gives a sign every ``BEAT_S``; this is more than three of them."""


class Heartbeat:
    """The ``writer`` document of one process, by the id of its session.

    It is written only while a group is under way.
    """

    def __init__(self, database: Mongo, session: ClientSession) -> None:
        self._admin = database.client.admin
        # A sign may be lost in an election, because the next one follows soon. So it does not wait for a majority.
        self._writers = database.get_collection(
            "writer", write_concern=WriteConcern(1), read_concern=ReadConcern("local")
        )
        self._id = session.session_id["id"]
        self._busy, self._closing = threading.Event(), threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._run, name="mongo-heartbeat", daemon=True)
        self._thread.start()

    def busy(self) -> None:
        """A group starts."""
        self._busy.set()

    def idle(self) -> None:
        """The group has ended, so nobody waits for this process."""
        self._busy.clear()

    def end_the_silent(self) -> None:
        """Ends the sessions of all writers that were silent for ``SILENT_S``.

        One that is alive runs its group again.
        """
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
        """Deletes the document."""
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
    """When a writer was last seen. Version 0.2.0 does not write it."""
    return alive.replace(tzinfo=UTC) if alive else datetime.min.replace(tzinfo=UTC)
