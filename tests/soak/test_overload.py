"""Four times what the server can do; 300 clients that dawdle; a slow disk; a start after a kill (P1, P7)."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from lrs.access.keys import create_key
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.bench.load import run, within
from tests.bench.shown import slow_library
from tests.programs import peak_memory, programs
from tests.reliability.writers import Writers, statement, stored
from tests.soak.offered import offer

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
BATCH = 100
OVERLOAD_S = 60
SLOW = 300


@pytest.fixture
def held(tmp_path):
    with programs(tmp_path) as started:
        yield started


@pytest.fixture
def auth(held):
    tenant = open_tenant(Settings(data=held.data))
    new = create_key(tenant, "soak", ["all"])
    tenant.store.close()
    return new.key, new.secret


def post(auth, count: int) -> bytes:
    """A POST of *count* statements without ids: the server gives them, so it may be sent again and again."""
    batch = [{name: part for name, part in statement().items() if name != "id"} for _ in range(count)]
    body = json.dumps(batch).encode()
    head = (
        "POST /xapi/statements HTTP/1.1\r\nHost: soak\r\nX-Experience-API-Version: 1.0.3\r\n"
        f"Authorization: Basic {b64encode(':'.join(auth).encode()).decode()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def forever(request: bytes):
    while True:
        yield request


def test_overload_is_shed_and_the_rest_is_served(held, auth, row):
    server, address = held.serve(worker="false")
    port, request = urlsplit(address).port, post(auth, BATCH)
    run(port, within(5, forever(request)), 8)
    peak = run(port, within(15, forever(request)), 8)
    assert set(peak.statuses) == {b"200"}

    told = offer(port, request, 4 * peak.rate, OVERLOAD_S)

    memory = peak_memory(server.pid)
    after = run(port, within(15, forever(request)), 8)
    assert set(told.statuses) <= {200, 429, 503}
    assert (told.lost, told.without_wait) == (0, 0)
    # Others use this machine too: the peak is what was reached before and afterwards.
    reached = (peak.rate + after.rate) / 2
    row("overload: offered over peak", told.sent / told.seconds / reached, "ratio", at_least=3)
    row("overload: goodput over peak", len(told.times) / told.seconds / reached, "ratio", at_least=0.8)
    row("overload: p99 of the accepted", told.percentile(0.99), "s", at_most=2)
    row("overload: memory at most", memory, "MB", at_most=600)
    row("overload: rate afterwards over peak", after.rate / peak.rate, "ratio", at_least=0.6)


def test_slow_connections_do_not_slow_the_others(held, auth, row):
    _, address = held.serve(worker="false")
    parts, request = urlsplit(address), post(auth, 1)
    run(parts.port, within(3, forever(request)), 4)
    alone = run(parts.port, within(10, forever(request)), 4)

    slow = [socket.create_connection((parts.hostname, parts.port)) for _ in range(SLOW)]
    for number, connection in enumerate(slow):
        connection.sendall(request[: 20 + number])
    among = run(parts.port, trickling(within(10, forever(request)), slow, request), 4)
    for connection in slow:
        connection.close()

    assert set(among.statuses) == {b"200"}
    row("slow connections: p95 over p95 without", among.percentile(0.95) / alone.percentile(0.95), "ratio", at_most=2)


def trickling(requests, slow, request):
    """*requests*, and now and then another byte from one of those who dawdle."""
    for number, each in enumerate(requests):
        if number % 10 == 0:
            at = number // 10 % len(slow)
            slow[at].sendall(request[20 + at : 21 + at])
        yield each


def test_a_killed_server_starts_within_five_seconds(held, auth, row):
    server, address = held.serve()
    run(urlsplit(address).port, within(20, forever(post(auth, BATCH))), 4)
    server.kill()
    server.wait()
    begun = time.monotonic()

    held.serve()

    row("start after a kill", time.monotonic() - begun, "s", at_most=5)


def test_a_slow_disk_loses_nothing(tmp_path, held, auth, row):
    library = slow_library(tmp_path)
    if library is None:
        pytest.skip("there is no gcc to build the library that slows fsync down")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(library))
        server, address = held.serve()
    writers = Writers(address, auth)
    writers.start()
    time.sleep(20)  # the time is what is asked for here
    server.kill()
    writers.wait()

    _, address = held.serve()
    acknowledged = [id for batch in writers.acknowledged for id in batch]
    assert all(stored(address, auth, acknowledged))
    row("slow disk: acknowledged batches", len(writers.acknowledged) / 20, "1/s", at_least=20)
