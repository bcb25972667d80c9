"""Several processes on one store: nothing missed, nothing twice, the order never decreases, promises hold.

What the stand-in for MongoDB cannot show, and a real replica set must (``LRS_TEST_MONGO_URL``): that ``w: majority``
and majority reads hold through an election; how long a writer waits for the head when many want it (the stand-in
answers a write conflict at once and may starve a writer, so numbers are small); shards; the limits of 16 MiB a document
and 100 levels; that the planner takes the indexes untold. Lost answers are made with fail points: ``test_mongo.py``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from lrs.storage import open_store
from tests.contract.acts import walk

ROOT = Path(__file__).parents[2]
EACH = {"sqlite": 40, "mongodb": 6}
"""Records a writer inserts; the stand-in takes about 300 single inserts a second from all of them."""


class Child:
    """One process, held until ``go``."""

    def __init__(self, stack: ExitStack, act: str, url: str, *words: object) -> None:
        command = [sys.executable, "-m", "tests.contract.process", act, url, *map(str, words)]
        self.process = stack.enter_context(
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(self.process.kill)

    def ready(self) -> None:
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def said(self) -> str:
        out, _ = self.process.communicate(timeout=100)
        assert self.process.returncode == 0
        return out


def run(writers, readers):
    """Starts all at the same time; what the readers said."""
    everyone = [*writers, *readers]
    for child in everyone:
        child.ready()
    for child in everyone:
        child.go()
    for child in writers:
        child.said()
    return [json.loads(child.said()) for child in readers]


@pytest.mark.parametrize(
    "jumping", [pytest.param([], marks=pytest.mark.soak), ["jumping"]], ids=["steady", "jumping-back-an-hour"]
)
def test_four_processes_write_and_two_poll_and_a_third_holds_them_to_the_horizon(store_url, jumping):
    each = EACH[store_url.partition(":")[0]]
    total = 4 * 4 * each
    with ExitStack() as stack:
        writers = [
            Child(stack, "write", store_url, f"w{n}", 4, each, "small", *(jumping if n == 0 else [])) for n in range(4)
        ]
        readers = [Child(stack, act, store_url, total) for act in ("since", "more", "horizon")]
        since, more, promised = run(writers, readers)

    expected = {f"w{n}-{writer}-{i}" for n in range(4) for writer in range(4) for i in range(each)}
    for seen in (since, more):
        places = [seq for seq, _ in seen]
        assert len(seen) == total
        assert {id for _, id in seen} == expected
        assert places == sorted(set(places))
    assert promised["seen"] == total
    assert promised["late"] == 0
    assert promised["promises"] > 1
    store = open_store(store_url)
    assert [[record.seq, record.id] for record in walk(store, limit=1_000)] == since == more
    store.close()
