"""What a matching service sees: how soon a level arrives, and how long others wait when many are awarded at once.

The service is in this process, so that one clock says when a statement was answered and when its consequence came.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from lrs.matching.consent import consent
from lrs.matching.consent.consent import Grant, Subject
from lrs.people.ids import identified, ids_of
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant
from tests.bench.load import HOST, PATIENCE, Load, send
from tests.bench.programme import RULES, looking, prepared, wait_for
from tests.bench.receiver import Told, receiving
from tests.bench.report import Row, row_of
from tests.bench.rows import Plan, body, faults
from tests.bench.server import Server, create_key, free_port, lrs, serving
from tests.bench.statements import HOME, LEARNERS, Made, passed

EVERY = ("refs", "match", "evaluate", "issue", "sync", "deliver")
RATE = 50
"""Statements a second of the row ``receipt-p95``."""
PAUSES = 16
"""Between two learners 100 to 250 ms pass, in this many steps, so that no rhythm of the worker decides."""
SERVICE = "career-converter"
PURPOSE = "To suggest jobs that fit what you can do"
OUTBOUND = {"LRS_OUTBOUND_ALLOW": f'["{HOST}/32"]'}


@dataclass(frozen=True, slots=True)
class Works:
    """A server with rules, a look into its store, and the port of the matching service it delivers to."""

    plan: Plan
    server: Server
    tenant: Tenant
    webhook: int


@contextmanager
def at_work(plan: Plan, folder: Path) -> Iterator[Works]:
    """A server on a new store under *folder*, with rules and a matching service."""
    data = Path(shutil.copytree(prepared(folder), folder / "work"))
    headers, webhook = create_key(data), free_port()
    address = f"http://{HOST}:{webhook}/webhook"
    asked = ("--webhook", address, "--scopes", "profiles:read", "--purpose", PURPOSE)
    lrs(data, "services", "add", SERVICE, *asked, settings=OUTBOUND)
    with serving(data, headers, OUTBOUND) as server, looking(data) as tenant:
        yield Works(plan, server, tenant, webhook)


def receipt(works: Works) -> Row:
    """From the answer to a statement until the level it proves has arrived, with 50 statements a second coming in."""
    learners = range(LEARNERS, LEARNERS + works.plan.offered)
    _agree(works, learners)
    made = list(passed(learners, RULES, seed=1))
    answered, told, load = uvloop.run(_offered(works, made))
    waits = [told.levels[name] - at for name, at in answered.items() if name in told.levels]
    badges = [told.badges[name] - at for name, at in answered.items() if name in told.badges]
    missing = "" if len(badges) == len(made) else f"{len(made) - len(badges)} of {len(made)} never arrived"
    note = (
        f"{RATE} statements/s for {len(made) / RATE:.0f} s; level p50 {_share(waits, 0.5):.2f}"
        f" p95 {_share(waits, 0.95):.2f} s; with its badge p95 {_share(badges, 0.95):.2f} s; {told.events} events"
    )
    return row_of("receipt-p95", [(_share(waits, 0.95), 5.0)], note=note, invalid=faults([load]) or missing, less=True)


async def _offered(works: Works, made: Sequence[Made]) -> tuple[dict[str, float], Told, Load]:
    told, load = Told(), Load()
    answered: dict[str, float] = {}

    async def one(after: float, statement: Made) -> None:
        await asyncio.sleep(after)
        await send(works.server.port, [works.server.post(statement.raw)], 1, load)
        answered[str(statement.learner)] = time.perf_counter()

    async with receiving(works.webhook, told):
        await asyncio.gather(*(one(place / RATE, statement) for place, statement in enumerate(made)))
        await asyncio.to_thread(wait_for, works.tenant, EVERY)
    return answered, told, load


def receipt_of_one(works: Works) -> Row:
    """One learner at a time, nothing else going on: from the answer to a statement until the profile has arrived."""
    first = LEARNERS + works.plan.offered + works.plan.burst + 1
    learners = range(first, first + works.plan.alone)
    _agree(works, learners)
    wait_for(works.tenant, EVERY)
    waits, load = uvloop.run(_one_by_one(works, list(passed(learners, RULES, seed=3))))
    p50, p95 = _share(waits, 0.5) * 1e3, _share(waits, 0.95) * 1e3
    spread = f"from {min(waits) * 1e3:.0f} to {max(waits) * 1e3:.0f} ms"
    note = f"{len(waits)} learners, one after another, else quiet; p95 {p95:.0f} ms, {spread}"
    return row_of("receipt-one", [(p50, 100.0)], note=note, invalid=faults([load]), less=True)


async def _one_by_one(works: Works, made: Sequence[Made]) -> tuple[list[float], Load]:
    told, load, waits = Told(), Load(), list[float]()
    async with receiving(works.webhook, told):
        for place, statement in enumerate(made):
            await asyncio.sleep(0.1 + place % PAUSES / 100)
            await send(works.server.port, [works.server.post(statement.raw)], 1, load)
            answered = time.perf_counter()
            while str(statement.learner) not in told.levels:
                told.heard.clear()
                await asyncio.wait_for(told.heard.wait(), PATIENCE)
            waits.append(told.levels[str(statement.learner)] - answered)
        await asyncio.to_thread(wait_for, works.tenant, EVERY)
    return waits, load


def awards(works: Works) -> Row:
    """500 awards at once, then one of another learner: from its answer until its badge has arrived."""
    first = LEARNERS + works.plan.offered
    learners = range(first, first + works.plan.burst + 1)
    _agree(works, learners)
    seconds, whole, load = uvloop.run(_burst(works, list(passed(learners, RULES, seed=2))))
    note = f"{works.plan.burst} awards in one request before it; all delivered after {whole:.1f} s"
    return row_of("awards-500", [(seconds, 30.0)], note=note, invalid=faults([load]), less=True)


async def _burst(works: Works, made: Sequence[Made]) -> tuple[float, float, Load]:
    """Seconds until the last of *made* has its badge at the service, and until everything is delivered."""
    told, load = Told(), Load()
    async with receiving(works.webhook, told):
        await send(works.server.port, [works.server.post(body(made[:-1])), works.server.post(made[-1].raw)], 1, load)
        answered = time.perf_counter()
        await asyncio.to_thread(wait_for, works.tenant, EVERY)
    return told.badges[str(made[-1].learner)] - answered, time.perf_counter() - answered, load


def _agree(works: Works, learners: Iterable[int]) -> None:
    """Writes down that *learners* agreed, each by its number as the service's reference."""

    ids = ids_of(works.tenant)

    def agree(tx: Tx) -> None:
        for learner in learners:
            known = identified({"account": {"homePage": HOME, "name": f"learner-{learner:05}"}}, ids)
            assert known is not None
            subject = Subject(identifier=known.id)
            grant = Grant(subject, SERVICE, ("profiles:read",), PURPOSE, "operator", "bench", str(learner))
            consent.give(tx, grant)

    works.tenant.store.write(agree).result()


def _share(times: list[float], share: float) -> float:
    return Load(times=times).percentile(share) / 1e3
