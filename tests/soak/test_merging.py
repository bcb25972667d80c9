"""Ten million search keys on disk, written as statements write them and merged beside it: what each step costs.

The segments' tables alone, without records. With ``LRS_SOAK_KEYS`` another number.
"""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import statistics
import time
from contextlib import closing, nullcontext

import pytest

from lrs.storage.sqlite.keys import USUAL_SEGMENTS, SearchKeys
from lrs.storage.sqlite.merge import Merging
from lrs.storage.sqlite.schema import migrate
from lrs.storage.sqlite.store import PAGES_BETWEEN_CHECKPOINTS

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]
KEYS = int(os.environ.get("LRS_SOAK_KEYS", "10000000"))
A_STATEMENT, A_COMMIT = 15, 240
MOST_HELD_MS = 50


def test_ten_million_keys_are_merged_in_short_steps_and_cost_no_more_bytes_than_levels(tmp_path, row):
    chosen = random.Random(1)
    with closing(sqlite3.connect(tmp_path / "keys.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_BETWEEN_CHECKPOINTS}")
        migrate(connection, "keys.db")
        merging = Merging(connection, nullcontext(), USUAL_SEGMENTS, lambda error: error)
        steps: list[float] = []
        one_step = merging.step

        def timed() -> int:
            begun = time.thread_time()
            done = one_step()
            steps.append(time.thread_time() - begun)
            return done

        merging.step = timed
        written, seq = _written(), 1
        most = 0
        for _ in range(0, KEYS, A_COMMIT):
            seq = _commit(connection, merging, seq, chosen)
            merging.run(lambda: True)
            most = max(most, connection.execute("SELECT count(*) FROM segment").fetchone()[0])
        merging.run(lambda: False)
        levels = connection.execute("SELECT max(level) FROM segment").fetchone()[0]
        count = connection.execute("SELECT count(*) FROM segment_key").fetchone()[0]
        kb = (_written() - written) / (KEYS / A_STATEMENT) / 1e3

    assert count == (KEYS + A_COMMIT - 1) // A_COMMIT * A_COMMIT
    row("merge-step-p99", statistics.quantiles(steps, n=100)[-1] * 1e3, "ms CPU", at_most=MOST_HELD_MS)
    row("merge-segments", most, f"segments at most, {levels} levels", at_most=USUAL_SEGMENTS.fan_out * (levels + 2))
    row("merge-written", kb, "KB a statement for its keys alone", at_most=4 + 1.5 * (levels + 1))


def _commit(connection: sqlite3.Connection, merging: Merging, seq: int, chosen: random.Random) -> int:
    """Writes the keys of a group of statements: one in five is shared by many, as verbs and activities are."""
    connection.execute("BEGIN IMMEDIATE")
    keys = SearchKeys(connection, USUAL_SEGMENTS)
    records = []
    for _ in range(A_COMMIT // A_STATEMENT):
        seq += 1_024
        own = [chosen.getrandbits(62) if n % 5 else chosen.randrange(1_000) for n in range(A_STATEMENT)]
        records.append((sorted({*own}), seq, seq >> 10))
    padded = [((*some, *(1 << 62 | n for n in range(A_STATEMENT - len(some)))), at, row) for some, at, row in records]
    keys.insert(padded)
    began = keys.finish(seq, seq >> 10)
    connection.execute("COMMIT")
    merging.wrote(keys.written, began=began)
    return seq


def _written() -> int:
    """Bytes that this process has written, in blocks of the system."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_oublock * 512
