"""The rows of owed work: evidence a second, and the record store's rows again with rules in force and work running."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from lrs.tenancy.tenants import Tenant
from tests.bench import badges, costs
from tests.bench.content import content
from tests.bench.load import Load, run, send
from tests.bench.pages import learner_page
from tests.bench.programme import RULES, looking, prepared, wait_for
from tests.bench.receipts import RATE, Works, at_work, awards, receipt, receipt_of_one
from tests.bench.report import WITH_RULES, Row, row_of
from tests.bench.rows import (
    Bench,
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
MISSED = 10
"""So many learners may be missing beside a row: one of the small run is over before they would have come."""


def owed_work(bench: Bench, folder: Path) -> Iterator[Row]:
    """The rows measured while the server without rules runs, whose store is ``store`` in *folder*."""
    with at_work(bench.plan, folder) as works:
        yield receipt(works)
        yield awards(works)
        yield receipt_of_one(works)
        with looking(folder / "store") as plain:
            yield evaluated(works, bench, plain)
    yield costs.learners(folder, bench.plan)
    yield costs.rules(folder, bench.plan)
    yield badges.issued(folder, bench.plan)
    yield badges.verified(folder, bench.plan)
    yield learner_page(folder, bench.plan)
    yield from content(folder, bench.plan)


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
    """The rows of ``AGAIN`` on a store of their own with 200 rules in force, and work never done.

    Beside what is measured, evidence of another learner comes in 50 times a second: matched, evaluated, signed for.
    """
    data = Path(shutil.copytree(prepared(folder), folder / "ruled"))
    headers = create_key(data)
    raw = RawSqlite(folder / "ruled-raw.db")
    plan = replace(bench.plan, rounds=bench.plan.again)
    try:
        with serving(data, headers) as server, looking(data) as tenant, coming_in(server) as beside:
            again = Bench(plan, server, bench.nothing, raw, bench.made)
            for measured in AGAIN:
                answered, sent, begun = len(beside.load.times), beside.sent, time.perf_counter()
                row = measured(again)
                answered, sent = len(beside.load.times) - answered, beside.sent - sent
                told, few = beside_of(answered, sent, time.perf_counter() - begun)
                waiting = ", ".join(f"{one.waiting} {one.step}" for one in tenant.store.backlog())
                note = f"{row.note}; {told}; owed at the end: {waiting}"
                wrong = row.invalid or faults([beside.load]) or few
                yield replace(row, name=row.name + WITH_RULES, note=note, invalid=wrong)
    finally:
        raw.close()


@dataclass(slots=True)
class Beside:
    """Evidence that comes in beside what is measured: how many statements were *sent*, and what came of them."""

    load: Load
    sent: int = 0


def beside_of(answered: int, sent: int, seconds: float) -> tuple[str, str]:
    """What is said of so many statements beside a row that took *seconds*, and why it must not be believed.

    A server that does not answer what was sent does less than the row says. Where little was sent, the machine had no
    time for the load: that is said, but it is no fault of the row.
    """
    few = seconds * RATE / 2 - MISSED
    told = f"{answered / seconds:.0f} learners/s beside"
    if sent < few:
        return f"{told}, for the load got to send no more: the machine is busy with other things", ""
    return told, "too little of what came in beside was answered" if answered < few else ""


@contextmanager
def coming_in(server: Server) -> Iterator[Beside]:
    """Posts evidence of one learner after the other, ``RATE`` a second, until the end; gives what comes of it.

    Each is sent when it is due, whether or not those before it were answered.
    """
    over, beside = threading.Event(), Beside(Load())

    async def paced() -> None:
        begun, answers = time.perf_counter(), []
        for place, one in enumerate(passed(itertools.count(LEARNERS), RULES, seed=7)):
            await asyncio.sleep(max(0.0, begun + place / RATE - time.perf_counter()))
            if over.is_set():
                break
            beside.sent += 1
            answers.append(asyncio.ensure_future(send(server.port, [server.post(one.raw)], 1, beside.load)))
        await asyncio.gather(*answers)

    thread = threading.Thread(target=lambda: uvloop.run(paced()), name="beside")
    thread.start()
    try:
        yield beside
    finally:
        over.set()
        thread.join()
