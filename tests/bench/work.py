"""The rows of owed work: evidence a second, and the record store's rows again with rules in force and work running."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lrs.tenants import Tenant
from tests.bench import costs
from tests.bench.load import run
from tests.bench.programme import RULES, bring_in, looking, wait_for
from tests.bench.receipts import Works, at_work, awards, receipt
from tests.bench.report import WITH_RULES, Row, row_of
from tests.bench.rows import (
    BATCH,
    Bench,
    body,
    by_id,
    faults,
    post_batch,
    post_single,
    query,
    read_under_write,
    timing,
)
from tests.bench.server import Server, create_key, serving
from tests.bench.statements import LEARNERS, passed, shuffled
from tests.bench.yardsticks import RawSqlite

AGAIN = (post_single, post_batch, query, by_id, read_under_write)


def owed_work(bench: Bench, folder: Path) -> Iterator[Row]:
    """The rows measured while the server without rules runs, whose store is ``store`` in *folder*."""
    with at_work(bench.plan, folder / "work") as works:
        yield receipt(works)
        yield awards(works)
        with looking(folder / "store") as plain:
            yield evaluated(works, bench, plain)
    yield costs.learners(folder / "learners", bench.plan)
    yield costs.rules(folder / "rules", bench.plan)


def evaluated(works: Works, bench: Bench, plain: Tenant) -> Row:
    """The same statements to a server without rules, and to one whose rules all of them meet, until all is evaluated.

    Each is of another learner, so that no evaluation stands for two of them, and most lead to a new award. Nobody
    waits for the badges that follow: they are signed beside what is measured.
    """
    pairs, loads = [], []
    for turn in range(bench.plan.again):
        made = list(passed(shuffled(bench.plan.evidence, seed=turn), RULES, seed=100 + turn))
        yard = run(bench.server.port, [bench.server.post(one.raw) for one in made], 16)
        wait_for(plain)
        known = works.tenant.store.count("evidence")
        begun = time.perf_counter()
        load = run(works.server.port, [works.server.post(one.raw) for one in made], 16)
        wait_for(works.tenant)
        pairs.append((len(made) / (time.perf_counter() - begun), yard.rate))
        loads.extend((yard, load))
        if works.tenant.store.count("evidence") - known != len(made):
            return row_of("evaluated", pairs, note="", invalid="not every statement became evidence")
    waiting = sum(one.waiting for one in works.tenant.store.backlog())
    note = f"{RULES} rules, {timing(loads[1::2])} while posting; {waiting} awards waited for their badge at the end"
    return row_of("evaluated", pairs, note=note, invalid=faults(loads))


def with_rules(bench: Bench, folder: Path) -> Iterator[Row]:
    """The rows of ``AGAIN`` on a store of their own with 200 rules in force, the worker never out of awards to sign."""
    data = folder / "ruled"
    headers = create_key(data)
    bring_in(data)
    raw = RawSqlite(folder / "ruled-raw.db")
    plan = replace(bench.plan, rounds=bench.plan.again)
    try:
        with serving(data, headers) as server, looking(data) as tenant:
            again = Bench(plan, server, bench.nothing, raw, bench.made)
            for place, measured in enumerate(AGAIN):
                _feed(server, range(LEARNERS + place * plan.feed, LEARNERS + (place + 1) * plan.feed))
                row = measured(again)
                waiting = ", ".join(f"{one.waiting} {one.step}" for one in tenant.store.backlog())
                yield replace(row, name=row.name + WITH_RULES, note=f"{row.note}; owed at the end: {waiting}")
    finally:
        raw.close()


def _feed(server: Server, learners: Sequence[int]) -> None:
    made = list(passed(learners, RULES, seed=learners[0]))
    load = run(server.port, [server.post(body(made[at : at + BATCH])) for at in range(0, len(made), BATCH)], 4)
    if wrong := faults([load]):
        raise RuntimeError(wrong)
