"""How long a key still opens a running server after another process has revoked it."""

from __future__ import annotations

import json
import threading
import time

import httpx
import pytest

from tests.programs import PATIENCE, programs
from tests.reliability.writers import HEADERS

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
ROUNDS = 10
SERVERS = 2


def last_let_in(address: str, auth: tuple[str, str], last: list[float]) -> None:
    """Asks without a pause until it is 401; puts down when the last request that was let in was sent (Unix time)."""
    with httpx.Client(base_url=address, auth=auth, headers=HEADERS, trust_env=False) as client:
        while True:
            sent = time.time()
            status = client.get("/xapi/statements", params={"limit": 1}).status_code
            if status == 401:
                return
            assert status == 200
            last[0] = sent


def test_a_key_that_another_process_revokes_opens_no_server_for_longer_than_a_second(tmp_path, row):
    longest = 0.0
    with programs(tmp_path) as held:
        addresses = [held.serve(worker="false")[1] for _ in range(SERVERS)]

        def said(*words: str) -> str:
            told: str = held.start(*words).communicate(timeout=PATIENCE)[0]
            return told

        for number in range(ROUNDS):
            made = json.loads(said("keys", "create", "--name", f"soak {number}", "--scope", "all/read", "--json"))
            last = [[0.0] for _ in addresses]
            askers = [
                threading.Thread(target=last_let_in, args=(address, (made["key"], made["secret"]), one))
                for address, one in zip(addresses, last, strict=True)
            ]
            for asker in askers:
                asker.start()
            assert said("keys", "revoke", made["key"]) == f"revoked {made['key']}\n"
            for asker in askers:
                asker.join(PATIENCE)
                assert not asker.is_alive()
            key = next(one for one in json.loads(said("keys", "list", "--json")) if one["key"] == made["key"])
            assert all(sent > 0 for (sent,) in last)
            longest = max(longest, *(sent - key["revoked"] / 1e6 for (sent,) in last))
    row("revocation: last request let in after it", longest, "s", at_most=1)
