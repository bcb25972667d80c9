"""The one order of a running server beside ``lrs keys`` and another process that writes into the same file."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.programs import PATIENCE, programs, until
from tests.reliability.test_server import key_for
from tests.reliability.writers import HEADERS, statement

ROOT = Path(__file__).parents[2]
WRITERS = 4
BATCH = 3
pytestmark = pytest.mark.timeout(300)


class Here:
    """The running server as one key sees it; when to stop writing, and when all is written that will be."""

    def __init__(self, address: str, auth: tuple[str, str], pause: float) -> None:
        self._address, self._auth = address, auth
        self._pause = pause
        self.enough = threading.Event()
        self.quiet = threading.Event()

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self._address, auth=self._auth, headers=HEADERS, trust_env=False, timeout=PATIENCE)

    def write(self) -> list[str]:
        """Posts batches of *BATCH* until it is enough; the ids that were acknowledged."""
        ids: list[str] = []
        with self.client() as client:
            while not self.enough.wait(self._pause):
                answer = client.post("/xapi/statements", json=[statement() for _ in range(BATCH)])
                assert answer.status_code == 200, answer.text
                ids += answer.json()
        return ids

    def poll_since(self) -> list[tuple[str, str]]:
        """What one sees who believes an answer as far as ``X-Experience-API-Consistent-Through`` says."""
        seen: list[tuple[str, str]] = []
        promised = ""
        with self.client() as client:

            def ask() -> None:
                nonlocal promised
                bounds = {"since": promised} if promised else {}
                page = client.get("/xapi/statements", params={"ascending": "true", "limit": 50, **bounds})
                now = page.headers["x-experience-api-consistent-through"]
                assert now >= promised
                while add(seen, page, now):
                    page = client.get(page.json()["more"])
                promised = now

            self._keep_asking(ask, lambda: promised)
        return seen

    def poll_more(self) -> list[tuple[str, str]]:
        """What one sees who follows ``more`` to its end and goes on behind the last statement."""
        seen: list[tuple[str, str]] = []
        with self.client() as client:

            def ask() -> None:
                bounds = {"since": seen[-1][0]} if seen else {}
                page = client.get("/xapi/statements", params={"ascending": "true", "limit": 7, **bounds})
                while add(seen, page):
                    page = client.get(page.json()["more"])

            self._keep_asking(ask, lambda: "9")
        return seen

    def _keep_asking(self, ask, reached) -> None:
        """Until what was stored before it became quiet has been asked for."""
        while not self.quiet.wait(self._pause):
            ask()
        with self.client() as client:
            newest = client.get("/xapi/statements", params={"limit": 1}).json()["statements"][0]["stored"]
        end = time.monotonic() + PATIENCE
        ask()
        while reached() < newest:
            assert time.monotonic() < end, (reached(), newest)
            ask()


def add(seen: list[tuple[str, str]], page: httpx.Response, until: str = "9") -> bool:
    """Puts down (stored, id) of what is on *page* and was stored up to *until*; whether there may be more of it."""
    assert page.status_code == 200, page.text
    found = [(one["stored"], one["id"]) for one in page.json()["statements"]]
    within = [one for one in found if one[0] <= until]
    seen += within
    return bool(page.json()["more"]) and within == found


@contextmanager
def beside(data: Path, pause: float):
    """A process that writes into *data* until it is told to end; what it stored is in the list it gives."""
    command = [sys.executable, "-m", "tests.reliability.beside", str(data), str(pause)]
    stored: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "ready\n"
            yield stored
            stored += json.loads(other.communicate(timeout=PATIENCE)[0])
            assert other.returncode == 0
        finally:
            other.kill()


def keys_come_and_go(held, address: str) -> None:
    """A key made by ``lrs keys`` opens the running server at once, and no more soon after it is revoked."""
    created = held.start("keys", "create", "--name", "passing", "--json")
    new = json.loads(created.communicate(timeout=PATIENCE)[0])

    def status() -> int:
        auth = (new["key"], new["secret"])
        params = {"limit": 1}
        url = f"{address}/xapi/statements"
        return httpx.get(url, params=params, auth=auth, headers=HEADERS, trust_env=False, timeout=PATIENCE).status_code

    assert status() == 200
    assert held.start("keys", "revoke", new["key"]).wait(PATIENCE) == 0
    until(lambda: status() == 401, "the key to be refused")


@pytest.mark.parametrize(("pause", "rounds"), [(0.05, 1), pytest.param(0.0, 2, marks=pytest.mark.soak)])
def test_pollers_miss_nothing_and_see_nothing_twice_beside_lrs_keys_and_a_second_writer(tmp_path, pause, rounds):
    with programs(tmp_path) as held, ThreadPoolExecutor(WRITERS + 2) as pool:
        auth = key_for(held.data)
        _, address = held.serve(worker="false")
        here = Here(address, auth, pause)
        try:
            with beside(held.data, pause) as theirs:
                since, more = pool.submit(here.poll_since), pool.submit(here.poll_more)
                ours = [pool.submit(here.write) for _ in range(WRITERS)]
                for _ in range(rounds):
                    keys_come_and_go(held, address)
                here.enough.set()
                answered = [id for writer in ours for id in writer.result(PATIENCE)]
        finally:
            here.enough.set()
            here.quiet.set()

        acknowledged = sorted([*theirs, *answered])
        for seen in (since.result(PATIENCE), more.result(PATIENCE)):
            times = [stored for stored, _ in seen]
            assert times == sorted(set(times))
            assert sorted(id for _, id in seen) == acknowledged
        assert since.result() == more.result()
        assert min(len(theirs), len(answered)) > rounds
