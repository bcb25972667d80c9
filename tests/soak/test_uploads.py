"""What large attachments cost the server in memory, sent and fetched by several at once (P7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import pytest

from tests.programs import peak_memory, programs
from tests.reliability.test_server import key_for
from tests.reliability.writers import HEADERS, statement

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
CLIENTS = 6
PIECE = 1_048_576
PIECES = 120
AT_MOST_MORE = 64
"""MB that all of them together may cost; what is sent is 720."""
BOUNDARY = "soak-boundary"


def pieces(number: int) -> Iterator[bytes]:
    """What the client with that *number* sends, a piece at a time."""
    for at in range(PIECES):
        yield bytes([number, at]) * (PIECE // 2)


def digest(parts: Iterator[bytes]) -> str:
    found = sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def body(one: dict, sha2: str, number: int) -> Iterator[bytes]:
    """A request with *one* and its data."""
    line = f"--{BOUNDARY}\r\n"
    yield f"{line}Content-Type: application/json\r\n\r\n{json.dumps(one)}\r\n".encode()
    yield (
        f"{line}Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        f"X-Experience-API-Hash: {sha2}\r\n\r\n"
    ).encode()
    yield from pieces(number)
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def test_large_attachments_are_never_in_memory_whole(tmp_path, row):
    with programs(tmp_path) as held:
        auth = key_for(held.data)
        server, address = held.serve(worker="false")
        client = httpx.Client(base_url=address, auth=auth, headers=HEADERS, trust_env=False, timeout=300)

        def send(number: int) -> str:
            sha2 = digest(pieces(number))
            attachment = {"usageType": "https://example.org/usage", "display": {}, "sha2": sha2}
            attachment |= {"contentType": "application/octet-stream", "length": PIECES * PIECE}
            one = statement(attachments=[attachment])
            kind = {"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"}
            answer = client.post("/xapi/statements", content=body(one, sha2, number), headers=kind)
            assert (answer.status_code, answer.json()) == (200, [one["id"]])
            return one["id"]

        def fetch(statement_id: str) -> int:
            params = {"statementId": statement_id, "attachments": "true"}
            with client.stream("GET", "/xapi/statements", params=params) as answer:
                assert answer.status_code == 200
                return sum(map(len, answer.iter_raw()))

        def more(work: Callable, each: Iterable) -> tuple[list, float]:
            before = peak_memory(server.pid)
            with ThreadPoolExecutor(CLIENTS) as pool:
                found = list(pool.map(work, each))
            return found, peak_memory(server.pid) - before

        with client:
            assert client.post("/xapi/statements", json=[statement() for _ in range(100)]).status_code == 200
            ids, sending = more(send, range(CLIENTS))
            sizes, fetching = more(fetch, ids)

        assert all(size > PIECES * PIECE for size in sizes)
        row("uploads: sent at once", CLIENTS * PIECES, "MB", at_least=600)
        row("uploads: more memory while sent", sending, "MB", at_most=AT_MOST_MORE)
        row("uploads: more memory while fetched", fetching, "MB", at_most=AT_MOST_MORE)
        row("uploads: memory at most", peak_memory(server.pid), "MB", at_most=300)
