"""A real server that is killed, told to stop, and left without room on its disk (P1, P2)."""

from __future__ import annotations

import random
import socket
import sqlite3
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from lrs.access.keys import create_key
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.programs import PATIENCE, Programs, children, programs, runs, until
from tests.reliability.writers import SIZE, Writers, statement, stored

pytestmark = pytest.mark.timeout(300)


def key_for(data: Path) -> tuple[str, str]:
    tenant = open_tenant(Settings(data=data))
    new = create_key(tenant, "writers", ["all"])
    tenant.store.close()
    return new.key, new.secret


def store_of(held: Programs) -> Path:
    return held.data / "tenants" / "default" / "store.db"


def integrity(path: Path) -> list[tuple[str]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()


def test_a_server_killed_under_eight_writers_has_all_it_acknowledged_and_no_part_of_a_batch(tmp_path):
    with programs(tmp_path) as held:
        auth = key_for(held.data)
        after = random.randint(5, 40)
        server, address = held.serve(worker="false")
        writers = Writers(address, auth)
        writers.start()
        until(lambda: len(writers.acknowledged) >= after, "acknowledged batches")
        server.kill()
        writers.wait()
        again, address = held.serve(worker="false")

        found = stored(address, auth, [id for batch in writers.sent for id in batch])

        there = {
            batch[0]: sum(found[start : start + SIZE])
            for batch, start in zip(writers.sent, range(0, len(found), SIZE), strict=True)
        }
        assert {batch[0]: SIZE for batch in writers.acknowledged}.items() <= there.items()
        assert set(there.values()) <= {0, SIZE}
        assert set(writers.statuses) == {200}
        again.terminate()
        assert again.wait(30) == 0
        assert integrity(store_of(held)) == [("ok",)]


def test_a_server_told_to_stop_answers_what_it_has_begun_and_leaves_one_whole_file(tmp_path):
    with programs(tmp_path) as held:
        auth = key_for(held.data)
        server, address = held.serve()
        until(lambda: children(server.pid), "the worker")
        worker = children(server.pid)[0]
        writers = Writers(address, auth)
        writers.start()
        until(lambda: len(writers.acknowledged) >= 8, "acknowledged batches")
        half = Half(address, auth)

        server.terminate()
        until(lambda: refused(address), "the server to stop listening")
        stopped = time.monotonic()
        until(lambda: not runs(worker), "the worker to end, which waits for no request")
        until(lambda: time.monotonic() > stopped + 0.5, "more than the moment that uvicorn gives everybody")
        status = half.finish()
        ended = server.wait(30)

        writers.wait()
        assert (status, ended) == (200, 0)
        assert set(writers.statuses) <= {200, 503}
        assert not store_of(held).with_name("store.db-wal").exists()
        assert integrity(store_of(held)) == [("ok",)]
        _, address = held.serve(worker="false")
        acknowledged = [id for batch in writers.acknowledged for id in batch]
        assert all(stored(address, auth, [*acknowledged, half.id]))


class Half:
    """A request of which the server has the first half."""

    def __init__(self, address: str, auth: tuple[str, str]) -> None:
        body = statement()
        self.id = body["id"]
        content = msgspec.json.encode(body)
        self._rest = content[20:]
        parts = urlsplit(address)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        head = (
            f"POST /xapi/statements HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Experience-API-Version: 1.0.3\r\n"
            f"Authorization: Basic {b64encode(':'.join(auth).encode()).decode()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        # The server asks for the body once it has the head, so the request has begun.
        assert self._socket.recv(4_096).startswith(b"HTTP/1.1 100 ")
        self._socket.sendall(content[:20])

    def finish(self) -> int:
        """Sends the other half; the status of the answer."""
        with self._socket:
            self._socket.sendall(self._rest)
            return int(self._socket.recv(4_096).split()[1])


def refused(address: str) -> bool:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False
