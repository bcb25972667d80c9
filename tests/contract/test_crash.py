"""``kill -9`` under eight writers: every acknowledged batch is there and whole, no batch is there in part (P1, P2)."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from lrs.storage import open_store
from tests.contract.acts import insert, walk

ROOT = Path(__file__).parents[2]
ROUNDS = {"sqlite": 2, "mongodb": 1}


def write_until_killed(url: str, name: str, after: int) -> set[str]:
    """Lets a child write, kills it once it has acknowledged *after* batches; those it had acknowledged by then."""
    command = [sys.executable, "-m", "tests.contract.process", "crash", url, name, "8", "small"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        acknowledged = [child.stdout.readline().strip() for _ in range(after)]
        child.kill()
        rest = child.stdout.read()
    # The last line may have been cut short by the kill; a whole one ends with a newline.
    return {*acknowledged, *(line for line in rest.splitlines(keepends=False)[: rest.count("\n")])}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("often", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_a_killed_process_loses_nothing_it_acknowledged_and_leaves_no_part_of_a_batch(store_url, random_kills, often):
    acknowledged: set[str] = set()
    for number, after in enumerate(random_kills[: often * ROUNDS[store_url.partition(":")[0]]]):
        acknowledged |= write_until_killed(store_url, f"round{number}", after)

        store = open_store(store_url)
        records = walk(store, kind="part", limit=1_000)
        insert(store, f"after-{number}")
        store.close()

        parts = Counter(record.id.partition("/")[0] for record in records)
        assert acknowledged <= parts.keys()
        assert set(parts.values()) == {5}
        assert {len(record.body) for record in records} == {500}
    integrity(store_url)


def integrity(url: str) -> None:
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            levels = {level for (level,) in connection.execute("SELECT level FROM segment")}
            assert len(levels) > 1, "nothing was merged"
        store = open_store(url)
        assert store.mend_keys() == 0
        store.close()


@pytest.fixture
def random_kills() -> list[int]:
    """After how many acknowledged batches each round is killed; pytest-randomly seeds it, and prints its seed."""
    return [random.randint(30, 60), *(random.randint(1, 60) for _ in range(5))]
