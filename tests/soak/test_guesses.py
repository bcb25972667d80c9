"""Whether a guess tells by its time that a key exists."""

from __future__ import annotations

import random
import socket
import time
from base64 import b64encode
from secrets import token_hex, token_urlsafe
from statistics import median
from urllib.parse import urlsplit

import pytest

from lrs.access.keys import create_key
from lrs.access.throttle import WRONG_SECRETS
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.programs import programs

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
ROUNDS = 200
KEYS = 50


def guess(connection: socket.socket, key: str) -> float:
    """Seconds until the server has said 401."""
    auth = b64encode(f"{key}:{token_urlsafe(32)}".encode()).decode()
    request = (
        "GET /xapi/statements?limit=1 HTTP/1.1\r\nHost: soak\r\nX-Experience-API-Version: 1.0.3\r\n"
        f"Authorization: Basic {auth}\r\n\r\n"
    ).encode()
    begun = time.perf_counter()
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65_536)
    took = time.perf_counter() - begun
    assert answer.startswith(b"HTTP/1.1 401 ")
    return took


def test_an_unknown_key_and_a_wrong_secret_take_the_same_time(tmp_path, row):
    with programs(tmp_path) as held:
        tenant = open_tenant(Settings(data=held.data))
        keys = [create_key(tenant, f"source {n}", ["all"]).key for n in range(KEYS)]
        tenant.store.close()
        _, address = held.serve(worker="false")
        where = urlsplit(address)
        times: dict[str, list[float]] = {"wrong secret": [], "unknown key": []}
        for number in range(ROUNDS):
            # An address of its own for each round, so that no guess is answered 429.
            source = f"127.1.{number // 250}.{number % 250 + 1}"
            with socket.create_connection((where.hostname, where.port), 30, source_address=(source, 0)) as connection:
                for _ in range(WRONG_SECRETS[0] // 2):
                    guesses = [("wrong secret", random.choice(keys)), ("unknown key", f"default.{token_hex(8)}")]
                    for kind, key in random.sample(guesses, 2):
                        times[kind].append(guess(connection, key))

    wrong, unknown = (median(taken) for taken in times.values())
    row("guesses: median of a wrong secret", wrong * 1e6, "us")
    row("guesses: median of an unknown key", unknown * 1e6, "us")
    row("guesses: the longer over the shorter", max(wrong, unknown) / min(wrong, unknown), "ratio", at_most=1.1)
