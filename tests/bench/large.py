"""The rows with 2 million statements: whether a filter costs as much there as among 50,000, and what a page costs.

Both stores are filled through the storage layer, in process, and asked through HTTP in turns, by servers without the
worker process: what the filling owes would keep it busy for hours.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.storage import Walk, micros_of
from lrs.tenancy.tenants import open_tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import learn, store_in
from tests.bench.arrivals import arrivals
from tests.bench.load import Load, run
from tests.bench.report import Row
from tests.bench.rows import PAGE, body, faults, fetch, of_pair
from tests.bench.server import Server, create_key, credentials_in, serving
from tests.bench.statements import (
    BUSY,
    COURSES,
    VERBS,
    activity_id,
    agent,
    course_id,
    instructor,
    registration,
    statements,
    verb_id,
)

GROUP = 250
RARE = 20
"""Every 20th group is of the source that ``read/mine`` asks for."""
STEP = 1_000
"""Microseconds from one time to the next, by the clock the store is filled with: a statement takes two."""
SMALL_PAGE = 4
_AUTHORITY = b'{"account":{"homePage":"http://localhost/t/default","name":"bench"}}'


@dataclass(frozen=True, slots=True)
class Size:
    """How many statements on the two sides, which page by ``more``, how many turns of how many requests."""

    few: int = 50_000
    many: int = 2_000_000
    pages: int = 10_000
    turns: int = 7
    requests: int = 60


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two stores, being served: how many statements, of which span, and by which key its rare source reads.

    *admin* is a key that opens the pages, and its secret.
    """

    count: int
    begun: int
    ended: int
    server: Server
    mine: Server
    pages: int
    admin: tuple[str, str]

    def at(self, share: float) -> str:
        """The time by which *share* of the statements were stored, for a URL."""
        micros = self.begun + int((self.ended - self.begun) * share)
        return quote(datetime.fromtimestamp(micros / 1e6, UTC).isoformat().replace("+00:00", "Z"))

    def days(self) -> list[str]:
        """The days of the first and the last statement."""
        return [datetime.fromtimestamp(end / 1e6, UTC).date().isoformat() for end in (self.begun, self.ended)]


Paths = Callable[[Side], list[str]]
Ask = Callable[[Side], list[bytes]]


def large(folder: Path, size: Size) -> list[Row]:
    """The rows of the large store: the worst filter's p95 with few statements over that with many; and arrivals."""
    with ExitStack() as stack:
        sides = [_side(stack, folder / f"of-{count}", count, size.pages) for count in (size.few, size.many)]
        many = sides[-1]
        return [_filters(sides, size), arrivals(many.server, many.admin, many.days(), size.turns, size.requests)]


def _filters(sides: Sequence[Side], size: Size) -> Row:
    measured = [(name, *_compared(sides, ask, size)) for name, ask in _asked(sides).items()]
    measured.sort(key=lambda each: each[1] / each[2])
    name, at_few, at_many, _ = measured[0]
    wrong = faults(load for each in measured for load in each[3])
    each = ", ".join(f"{name} {few / many:.2f} ({few:.2f}/{many:.2f})" for name, few, many, _ in measured)
    return Row("filters-2m", at_many, at_few, at_few / at_many, f"worst is {name}; {each}", wrong)


def _side(stack: ExitStack, data: Path, count: int, pages: int) -> Side:
    begun, ended = fill(data, count)  # before its keys: what is stored later has a later time
    headers, mine = create_key(data), create_key(data, "statements/read/mine", "rare")
    admin = credentials_in(create_key(data, "admin", "operator"))
    server = stack.enter_context(serving(data, headers, {"LRS_WORKER": "false"}))
    return Side(count, begun, ended, server, replace(server, headers=mine), min(pages, count // SMALL_PAGE - 1), admin)


def _compared(sides: Sequence[Side], ask: Ask, size: Size) -> tuple[float, float, list[Load]]:
    loads: list[list[Load]] = [[] for _ in sides]
    requests = [ask(side) for side in sides]
    for turn in range(size.turns + 1):
        for place, side in enumerate(sides):
            load = run(side.server.port, islice(cycle(requests[place]), size.requests), 1)
            if turn:  # the first only brings the pages in
                loads[place].append(load)
    few, many = (statistics.median(load.percentile(0.95) for load in side) for side in loads)
    return few, many, [load for side in loads for load in side]


def _asked(sides: Sequence[Side]) -> dict[str, Ask]:
    """Every filter's requests. What is asked for fills a page on both sides, so that both do the same work."""
    busy, last = range(BUSY), len(VERBS) - 1
    plain: dict[str, Paths] = {
        "agent": lambda _: [f"agent={quote(agent(n))}" for n in busy],
        "verb": lambda _: [f"verb={quote(verb_id(n))}" for n in range(len(VERBS))],
        "activity": lambda _: [f"activity={quote(activity_id(n))}" for n in busy],
        "registration": lambda _: [f"registration={registration(n, 0)}" for n in busy],
        "agent+verb": lambda _: [of_pair((n, v)) for n in busy for v in range(last)],
        "activity+verb": lambda _: [f"activity={quote(activity_id(n))}&verb={quote(verb_id(n % 6))}" for n in busy],
        "~agent": lambda _: [f"agent={quote(instructor(n))}&related_agents=true" for n in range(COURSES)],
        "~activity": lambda _: [f"activity={quote(course_id(n))}&related_activities=true" for n in range(COURSES)],
        "anti-correlated agent+verb": lambda _: [of_pair((0, last))],
        "since": lambda side: [f"since={side.at(share / 10)}&ascending=true" for share in range(9)],
        "until": lambda side: [f"until={side.at(share / 10)}" for share in range(1, 10)],
        "since+until+verb": lambda side: [
            f"since={side.at(share / 10)}&until={side.at(0.95)}&verb={quote(verb_id(1))}" for share in range(9)
        ],
        "no filter": lambda _: ["ascending=false"],
    }
    asked = {name: _requests(paths) for name, paths in plain.items()}
    asked["read/mine"] = lambda side: [side.mine.get(f"statements?limit={PAGE}")]
    asked[f"page {min(side.pages for side in sides):,} by more"] = lambda side: [side.server.get(_last_page(side))]
    return asked


def _requests(paths: Paths) -> Ask:
    return lambda side: [side.server.get(f"statements?limit={PAGE}&{path}") for path in paths(side)]


def _last_page(side: Side) -> str:
    """Follows ``more`` from the first page on; the last one's address."""
    path = f"statements?limit={SMALL_PAGE}"
    for _ in range(side.pages):
        path = str(fetch(side.server, path)["more"]).rpartition("/xapi/")[2]
    return path


def fill(data: Path, count: int) -> tuple[int, int]:
    """Stores *count* statements under *data*, where nothing is yet; the times of first and last in microseconds.

    Each time that is asked for is ``STEP`` after the one before it, and the last is in the past.
    """
    begun = time.time_ns() // 1_000 - 3 * count * STEP - 10_000_000
    ticks = iter(range(begun, 1 << 62, STEP))
    tenant = open_tenant(Settings(data=data), clock=lambda: next(ticks))
    callers = [
        Caller(f"key {name}", name, _AUTHORITY, rights_of_key({"all"}), tenant.id, KEY) for name in ("bench", "rare")
    ]
    last: Future[Any] | None = None
    try:
        for place, text in enumerate(_groups(count)):
            terms = Terms(tenant.settings, SUBSCRIPTIONS, tenant.seen, tenant=tenant)
            plan = prepare(callers[place % RARE == 0], "1.0.3", text, terms)
            if last is not None:  # nothing ever queues, so nothing is refused for having waited
                last.result()
            last = tenant.store.write(partial(store_in, plan=plan), weight=plan.weight)
            learn(tenant, plan)
        if last is not None:
            last.result()
        ends = [tenant.store.find(Walk("statement", newest_first=newest, limit=1)) for newest in (False, True)]
    finally:
        tenant.store.close()
    first, newest = (micros_of(page.records[0].seq) for page in ends)
    return first, newest


def _groups(count: int) -> Iterator[bytes]:
    made = statements(count)
    while group := list(islice(made, GROUP)):
        yield body(group)
