"""How often an import asks a MongoDB."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from adapters.imports import step
from adapters.imports.here import job_here
from adapters.imports.job import find
from adapters.imports.run import Order
from lrs.composition.steps import drain
from lrs.kernel.settings import Settings
from lrs.storage import open_store
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from tests.conftest import SetClock
from tests.round_trips import Heard

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"
MOST = 60
ROWS = 50
"""Of a chunk, instead of the usual 250: it takes as many round trips."""
"""Round trips for a file of one chunk, with its blobs and the files that go back: 56."""
MOST_A_CHUNK = 10
"""Round trips for each further chunk of 250 rows: 7."""


@pytest.fixture
def tenant(heard: Heard, mongo_url: str, tmp_path: Path, clock: SetClock):  # noqa: ARG001 (listens to later clients)
    store = open_store(mongo_url, clock=clock, secret=bytes(32))
    yield Tenant("default", store, Settings(data=tmp_path, max_batch=ROWS), Secrets(bytes(32)), clock)
    store.close()


def test_a_further_chunk_of_a_file_takes_few_round_trips(tenant, heard, tmp_path, monkeypatch):
    monkeypatch.setattr(step, "SLICE", 60.0)  # a turn lasts until its chunk was read, however busy the machine is
    path = tmp_path / "file.csv"
    taken = []
    for chunks in (1, 3):
        rows = (f"P-{n % 100},ST1406,1.0,E{chunks}-{n},K1,2025-11-03,accepted,Log\n" for n in range(ROWS * chunks))
        path.write_text(HEADER + "".join(rows))
        job = job_here(tenant, Order("eportfolio", "north", path, "file.csv"))

        with heard.listens():
            drain(tenant, ["import"])

        assert find(tenant.store, job.id).told.counts["new"] == ROWS * chunks
        taken.append(len(heard.commands))

    asked = Counter(name for name, _ in heard.commands)
    assert taken[0] <= MOST, asked
    assert taken[1] - taken[0] <= 2 * MOST_A_CHUNK, asked
