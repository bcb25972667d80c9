"""What one request can make the writer and the event loop do, at most. In one process, but for the loop's row.

The process does nothing else, so its CPU from handing a decision over to its commit is the time that the writer is
held, however busy the machine is; the wait for the disk is not in it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.matching.sync import sync
from lrs.storage import Claim, Owed, Store, Tx
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.xapi.statements.limits import MOST_KEYS
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.references import refs
from lrs.xapi.statements.write import store_in
from tests.bench.load import Load, run, send, within
from tests.bench.report import Row, row_of
from tests.bench.rows import Bench, Plan, faults
from tests.bench.statements import statements
from tests.matching import world

LONGEST_MS = 500.0
"""No decision holds the writer for longer."""
STALL_MS = 50.0
"""Nor does anything hold up the event loop."""
FIRST = 1_000
"""From one seed to the next the statements begin so many places later, as many as a batch has at the most."""
WIDEST_AT_ONCE = 28
"""Of ``FIRST`` statements: a request of the widest that there may be has no more rows than is allowed."""
MEMBER_KEYS = 5
SETTLED = 5
"""Batches that fill the store before anything is measured."""
Json = dict[str, Any]
Target = Callable[[int, int], int | None]
"""The place that the statement at a place of so many refers to."""


def bounds(bench: Bench, folder: Path) -> Iterator[Row]:
    """The rows; *bench* has the running server, whose event loop is looked at."""
    with _opened(folder, bench.plan.bounded) as tenant:
        held: dict[str, float] = {}
        yield _chained(tenant, bench.plan, held)
        yield _widest(tenant, bench.plan, held)
        _late(tenant, bench.plan.bounded, held)
        _voiding(tenant, _widest_at_once(bench.plan), held)
        _telling(tenant, held)
        longest = max(held.values())
        note = ", ".join(f"{name} {ms:.0f}" for name, ms in sorted(held.items(), key=lambda one: -one[1])[:8])
        yield row_of("writer-held", [(longest, LONGEST_MS)], note=note, less=True)
    yield _stalls(bench)


@contextmanager
def _opened(folder: Path, count: int) -> Iterator[Tenant]:
    tenant = open_tenant(Settings(data=folder, outbound_allow=("127.0.0.1",)))
    try:
        for seed in range(SETTLED):
            _store(tenant, _plain(count, seed))
        yield tenant
    finally:
        tenant.store.close()


def _store(tenant: Tenant, batch: Sequence[Json]) -> tuple[float, float]:
    """Stores *batch* as a request would; milliseconds of CPU to prepare it, and while the writer was held."""
    caller = Caller(
        "key bench", "bench", b'{"mbox":"mailto:bench@example.org"}', rights_of_key({"all"}), tenant.id, KEY
    )
    body = json.dumps(batch).encode()
    begun = time.process_time()
    plan = prepare(caller, "1.0.3", body, Terms(tenant.settings, SUBSCRIPTIONS, tenant.seen, tenant=tenant))
    ready = time.process_time()
    tenant.store.write(partial(store_in, plan=plan), weight=plan.weight, reads=plan.reads).result()
    return (ready - begun) * 1e3, (time.process_time() - ready) * 1e3


def _plain(count: int, seed: int) -> list[Json]:
    return [json.loads(one.raw) | {"id": str(uuid.uuid4())} for one in statements(count, seed=seed, first=seed * FIRST)]


def _referring(count: int, seed: int, target: Target) -> list[Json]:
    """Plain statements, each but for its object, a reference to the one at the place *target* gives, of so many."""
    batch = _plain(count, seed)
    for place, one in enumerate(batch):
        other = target(place, count)
        if other is not None:
            one["object"] = {"objectType": "StatementRef", "id": batch[other]["id"]}
            for name in ("revision", "platform"):  # which only a statement about an activity may have
                one["context"].pop(name, None)
    return batch


SHAPES: dict[str, Target] = {
    "chain": lambda place, _: place - 1 if place else None,
    "chain, newest first": lambda place, count: place + 1 if place + 1 < count else None,
    "ring": lambda place, count: (place + 1) % count,
    "all to one": lambda place, _: 0 if place else None,
    "each to itself": lambda place, _: place,
}


def _chained(tenant: Tenant, plan: Plan, held: dict[str, float]) -> Row:
    """1,000 statements that refer to each other, in the dearest way, and the same without references."""
    pairs = []
    seeds = itertools.count(100)
    for _ in range(plan.rounds):
        plain = _store(tenant, _plain(plan.bounded, next(seeds)))
        held["plain"] = max(held.get("plain", 0.0), plain[1])
        dearest = 0.0
        for name, target in SHAPES.items():
            took = _store(tenant, _referring(plan.bounded, next(seeds), target))
            held[name] = max(held.get(name, 0.0), took[1])
            dearest = max(dearest, sum(took))
        pairs.append((dearest, sum(plain)))
    return row_of("chained-1000", pairs, note=f"the dearest of {', '.join(SHAPES)}", less=True)


def _widest(tenant: Tenant, plan: Plan, held: dict[str, float]) -> Row:
    """One statement with as many keys as it may have in the fewest bytes, and plain ones of as many bytes."""
    pairs = []
    sizes: list[int] = []
    for turn in range(plan.rounds):
        one = wide(MOST_KEYS // MEMBER_KEYS - 2)
        plain = _plain(max(1, round(len(json.dumps(one)) / 1_100)), 500 + turn)
        took, yard = _store(tenant, [one]), _store(tenant, plain)
        held["widest"] = max(held.get("widest", 0.0), took[1])
        sizes.append(len(plain))
        pairs.append((sum(took), sum(yard)))
    took = _store(tenant, [wide(MOST_KEYS // MEMBER_KEYS - 2) for _ in range(_widest_at_once(plan))])
    held["a request of widest"] = took[1]
    return row_of("widest", pairs, note=f"{sizes[0]} plain statements have as many bytes", less=True)


def _widest_at_once(plan: Plan) -> int:
    return max(1, plan.bounded * WIDEST_AT_ONCE // FIRST)


def wide(members: int) -> Json:
    """A statement of a group; each member has five keys."""
    return {
        "id": str(uuid.uuid4()),
        "actor": {
            "objectType": "Group",
            "member": [{"mbox": f"mailto:{uuid.uuid4().hex[:8]}@b.c"} for _ in range(members)],
        },
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
        "object": {"id": "http://example.org/lecture"},
        "context": {"registration": str(uuid.uuid4())},
        "timestamp": "2026-01-01T00:00:00Z",
    }


def _late(tenant: Tenant, count: int, held: dict[str, float]) -> None:
    """*count* targets that as many statements wait for, and what is owed of it afterwards."""
    targets = _plain(count, 900)
    waiting = _plain(count, 901)
    for one, target in zip(waiting, targets, strict=True):
        one["object"] = {"objectType": "StatementRef", "id": target["id"]}
        one["context"] = {"registration": str(uuid.uuid4())}
    _store(tenant, waiting)
    held["late targets"] = _store(tenant, targets)[1]
    while claims := tenant.store.claim(["refs"], limit=1, lease=60_000_000):
        begun = time.process_time()
        refs(tenant, claims)
        held["step refs"] = max(held.get("step refs", 0.0), (time.process_time() - begun) * 1e3)


def _voiding(tenant: Tenant, count: int, held: dict[str, float]) -> None:
    """As many of the widest statements voided at once as a request may."""
    target = [wide(MOST_KEYS // MEMBER_KEYS - 2) for _ in range(count)]
    _store(tenant, target)
    voided = "http://adlnet.gov/expapi/verbs/voided"
    actor = {"mbox": "mailto:a@example.org"}
    voiders = [
        {"actor": actor, "verb": {"id": voided}, "object": {"objectType": "StatementRef", "id": one["id"]}}
        for one in target
    ]
    held["voiding widest"] = _store(tenant, voiders)[1]


def _telling(tenant: Tenant, held: dict[str, float]) -> None:
    """40 learners with 10 badges each, of whom a service is told nothing new."""
    world.put_service(tenant, "http://127.0.0.1:9/hook")
    learners = [world.put_person(tenant, f"mailto:learner{number}@example.org") for number in range(40)]
    for learner in learners:
        world.put_profile(tenant, learner, world.held("gown"))
        world.agree(tenant, learner)
        for number in range(10):
            world.put_badge(tenant, learner, f"{learner}-{number}")
    world.run_sync(tenant)
    for learner in learners:
        tenant.store.write(lambda tx, learner=learner: tx.owe("profile", learner, Owed("sync"))).result()
    claims = tenant.store.claim(["sync"], limit=100, lease=60_000_000)
    timed = _Timed(tenant.store)
    sync(replace(tenant, store=timed), claims)
    held["step sync, all of it"] = sum(timed.took) * 1e3


class _Timed:
    """The store, noting the CPU of each decision that settles something."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.took: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def settle(self, claims: Sequence[Claim], decide: Callable[[Tx], Any], **more: Any) -> Any:
        def timed(tx: Tx) -> Any:
            begun = time.thread_time()
            try:
                return decide(tx)
            finally:
                self.took.append(time.thread_time() - begun)

        return self._store.settle(claims, timed, **more)


def _stalls(bench: Bench) -> Row:
    """How long a small request waits on another connection, while pages of large statements are asked for."""
    large = "x" * 900_000
    verb = f"https://example.org/{uuid.uuid4()}"
    for one in _plain(20, 950):
        one |= {"verb": {"id": verb}, "result": {"extensions": {"https://example.org/notes": large}}}
        run(bench.server.port, [bench.server.post(json.dumps(one).encode())], 1)
    small = itertools.repeat(bench.server.get("about"))
    pages = itertools.repeat(bench.server.get(f"statements?verb={verb}&limit=50"))
    pairs, loads = [], []
    for _ in range(bench.plan.rounds):
        idle = run(bench.server.port, within(bench.plan.seconds, small), 1)
        beside, asked = uvloop.run(_beside(bench, small, pages))
        loads += [idle, beside, asked]
        pairs.append((max(0.1, beside.percentile(0.99) - idle.percentile(0.99)), STALL_MS))
    note = "p99 of a small request beside pages of 16 MB, less that of the idle server"
    return row_of("loop-stall", pairs, note=note, invalid=faults(loads), less=True)


async def _beside(bench: Bench, small: Iterator[bytes], pages: Iterator[bytes]) -> tuple[Load, Load]:
    port = bench.server.port
    asking = asyncio.ensure_future(send(port, within(max(bench.plan.seconds, 0.2), pages), 1))
    beside = await send(port, itertools.takewhile(lambda _: not asking.done(), small), 1)
    return beside, await asking
