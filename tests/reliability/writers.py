"""Clients that post batches until the server is gone, and remember what it said yes to."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

SIZE = 5
HEADERS = {"X-Experience-API-Version": "1.0.3"}


def statement(**parts) -> dict:
    return {
        "id": str(uuid4()),
        "actor": {"mbox": f"mailto:{uuid4().hex}@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": "https://example.org/course"},
        **parts,
    }


@dataclass
class Writers:
    """Eight connections, each posting one batch after the other; *sent* and *acknowledged* are lists of batches."""

    address: str
    auth: tuple[str, str]
    pause: float = 0.0
    """Seconds before each next batch: without any, the writers leave other processes little of the machine."""
    sent: list[list[str]] = field(default_factory=list)
    acknowledged: list[list[str]] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, count: int = 8) -> None:
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until every writer has found the server gone."""
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        with httpx.Client(
            base_url=self.address, auth=self.auth, headers=HEADERS, trust_env=False, timeout=30
        ) as client:
            while True:
                batch = [statement() for _ in range(SIZE)]
                ids = [each["id"] for each in batch]
                self.sent.append(ids)
                try:
                    answer = client.post("/xapi/statements", json=batch)
                except httpx.TransportError:
                    return
                time.sleep(self.pause)
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    assert answer.json() == ids
                    self.acknowledged.append(ids)


def stored(address: str, auth: tuple[str, str], ids: list[str]) -> list[bool]:
    """For each id whether the server has that statement."""
    with httpx.Client(base_url=address, auth=auth, headers=HEADERS, trust_env=False, timeout=30) as client:
        statuses = [client.get("/xapi/statements", params={"statementId": id}).status_code for id in ids]
    assert set(statuses) <= {200, 404}
    return [status == 200 for status in statuses]
