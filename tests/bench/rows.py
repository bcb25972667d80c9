"""The rows: each measures the product and its yardstick in turns, so that a noisy minute hits both.

They run in the order of ``ROWS`` on one store, which they fill together; the yardstick's table holds the same rows.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import uvloop

from tests.bench.load import HOST, Load, run, send, within
from tests.bench.report import Row, row_of
from tests.bench.server import Server
from tests.bench.statements import BUSY, VERBS, Made, agent, statements, verb_id
from tests.bench.yardsticks import RawSqlite

BATCH = 100
PAGE = 50
WRITTEN_KB, WRITTEN_BATCH_KB = 45.0, 35.0
"""Kilobytes that a statement may make the server write to the disk: alone in a request, and in a batch."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: *singles* and *batches* a round, *seconds* of reading a round, no round over *longest*.

    *starts* is how often each cold start is measured; reading is, with *stored* statements. The rest is of the rows of
    owed work: *learners* of a large store, *turns* between it and a small one, *evidence* statements a round, *offered*
    in all at a steady rate, a *burst* of awards, *alone* one after the other, *again* rounds with rules.
    *bounded* is the statements of a batch that holds the writer, *profiled* the requests under a profiler,
    *proofs* the pieces of evidence of one learner, *badges* those issued and verified a round.
    """

    rounds: int = 7
    warm: int = 500
    singles: int = 2_000
    batches: int = 35
    seconds: float = 1.0
    longest: float = 8.0
    starts: int = 3
    stored: int = 50_000
    learners: int = 10_000
    turns: int = 10
    evidence: int = 1_500
    offered: int = 500
    burst: int = 500
    alone: int = 40
    again: int = 4
    bounded: int = 1_000
    profiled: int = 500
    proofs: int = 5_000
    badges: int = 60


@dataclass(slots=True)
class Bench:
    """What the rows work with. The statements before *at* are stored, on both sides."""

    plan: Plan
    server: Server
    nothing: Server
    raw: RawSqlite
    made: list[Made]
    at: int = 0
    costs: list[float] = field(default_factory=list)
    written: defaultdict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """By statements a request: bytes that the server wrote to the disk, and statements that they were for."""

    def post(self, count: int, size: int, connections: int) -> tuple[Load, float, float]:
        """Sends the next *count* statements, *size* a request, then the same to the yardstick.

        Gives the load, the yardstick's rows a second, and the server's CPU in microseconds a statement.
        """
        groups = [self.made[start : start + size] for start in range(self.at, self.at + count, size)]
        requests = [self.server.post(body(group)) for group in groups]
        before, written = self.server.cpu(), self.server.written()
        load = run(self.server.port, within(self.plan.longest, requests), connections)
        cpu = self.server.cpu() - before
        sent = (len(load.times) + load.lost) * size
        self.written[size].append((self.server.written() - written, len(self.made[self.at : self.at + sent])))
        yard = self.raw.insert(self.made[self.at : self.at + sent], size)
        self.at += sent
        return load, yard, cpu / max(1, sent) * 1e6


def body(group: Sequence[Made]) -> bytes:
    """One statement as it is, several as an array."""
    return group[0].raw if len(group) == 1 else b"[" + b",".join(one.raw for one in group) + b"]"


def faults(loads: Iterable[Load]) -> str:
    """What went wrong in *loads*, or nothing."""
    bad = [load for load in loads if load.errors or not load.times]
    if not bad:
        return ""
    statuses = ", ".join(f"{status.decode()}: {count}" for status, count in sum_of(bad).items())
    wrong = next((load.wrong for load in bad if load.wrong), b"").decode(errors="replace")
    return f"answers {statuses or 'none'}, {sum(load.lost for load in bad)} without answer {wrong[:600]}"


def sum_of(loads: Iterable[Load]) -> dict[bytes, int]:
    """Answers by status."""
    total: dict[bytes, int] = {}
    for load in loads:
        for status, count in load.statuses.items():
            total[status] = total.get(status, 0) + count
    return total


def timing(loads: Sequence[Load], cpu: float | None = None) -> str:
    """Percentiles and costs over all rounds."""
    whole = Load(times=[time for load in loads for time in load.times], cpu=sum(load.cpu for load in loads))
    text = f"p50 {whole.percentile(0.5):.2f} p95 {whole.percentile(0.95):.2f} ms"
    return text if cpu is None else f"{text}; CPU us: server {cpu:.0f} each, load {whole.cost:.0f} a request"


# -- writing --------------------------------------------------------------------------------------------------------


def post_single(bench: Bench) -> Row:
    """One statement a request, 16 connections; the first ones only warm the server up."""
    bench.post(bench.plan.warm, 1, 16)
    return _posted(bench, "post-single-c16", bench.plan.singles, 1, 16)


def post_batch(bench: Bench) -> Row:
    """100 statements a request, 4 connections; then whatever was left out for lack of time."""
    row = _posted(bench, "post-batch-c4", bench.plan.batches * BATCH, BATCH, 4)
    while bench.at < bench.plan.stored:
        before = bench.at
        bench.post(min(BATCH * 100, bench.plan.stored - bench.at), BATCH, 4)
        if bench.at == before:
            break
    return row


def _posted(bench: Bench, name: str, count: int, size: int, connections: int) -> Row:
    rounds = [bench.post(count, size, connections) for _ in range(bench.plan.rounds)]
    loads = [load for load, _, _ in rounds]
    cpu = sum(cpu for _, _, cpu in rounds) / len(rounds)
    pairs = [(load.rate * size, yard) for load, yard, _ in rounds]
    return row_of(name, pairs, note=timing(loads, cpu), invalid=faults(loads))


def written_bytes(bench: Bench) -> Row:
    """Bytes written to the disk for a statement, in all of the rounds above, with checkpoints and merges.

    The ratio is the worse of those of single statements, which are committed in groups of 16 at most, and of batches.
    """
    singles, batches = (
        sum(w for w, _ in bench.written[size]) / sum(n for _, n in bench.written[size]) / 1e3 for size in (1, BATCH)
    )
    note = f"batches of {BATCH} write {batches:.1f} KB a statement, against {WRITTEN_BATCH_KB:.0f}"
    return Row("written-bytes", singles, WRITTEN_KB, min(WRITTEN_KB / singles, WRITTEN_BATCH_KB / batches), note)


# -- reading --------------------------------------------------------------------------------------------------------


def busy_pairs() -> list[tuple[int, int]]:
    """Learners and verbs that fill a page, in an order that no cache foresees."""
    pairs = [(learner, verb) for learner in range(BUSY) for verb in range(len(VERBS)) if (learner, verb) != (0, 5)]
    random.Random(4).shuffle(pairs)
    return pairs


def of_pair(pair: tuple[int, int]) -> str:
    """A learner and verb as parameters."""
    return f"agent={quote(agent(pair[0]))}&verb={quote(verb_id(pair[1]))}"


def query_path(pair: tuple[int, int]) -> str:
    """The newest page of a learner and verb."""
    return f"statements?{of_pair(pair)}&limit={PAGE}"


def query(bench: Bench) -> Row:
    """Agent and verb, newest 50, one connection; both sides have to give the same number of statements."""
    pairs = busy_pairs()
    requests = [bench.server.get(query_path(pair)) for pair in pairs]
    seconds = bench.plan.seconds
    rounds, loads = [], []
    before = bench.server.cpu()
    for _ in range(bench.plan.rounds):
        load = run(bench.server.port, within(seconds, itertools.cycle(requests)), 1)
        loads.append(load)
        rounds.append((load.rate, bench.raw.query(pairs, seconds / 4)))
    cpu = (bench.server.cpu() - before) / max(1, sum(len(load.times) for load in loads)) * 1e6
    wrong = faults(loads) or _differing(bench, pairs[:5])
    return row_of("query-50k", rounds, note=f"{bench.at} stored; {timing(loads, cpu)}", invalid=wrong)


def _differing(bench: Bench, pairs: Sequence[tuple[int, int]]) -> str:
    for pair in pairs:
        expected = bench.raw.count(pair)
        found = len(fetch(bench.server, query_path(pair))["statements"])
        if found != expected:
            return f"{query_path(pair)} gave {found} statements instead of {expected}"
    return ""


def fetch(server: Server, path: str) -> dict[str, Any]:
    """The answer to a GET, decoded."""
    lines = server.headers.decode().strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    request = urllib.request.Request(f"http://{HOST}:{server.port}/xapi/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def by_id(bench: Bench) -> Row:
    """One statement by its id, 16 connections."""
    chosen = random.Random(5).sample(bench.made[: bench.at], min(5_000, bench.at))
    requests = itertools.cycle([bench.server.get(f"statements?statementId={one.id}") for one in chosen])
    empty = itertools.repeat(bench.nothing.get("statements?statementId=none"))
    pairs, loads = [], []
    before = bench.server.cpu()
    for _ in range(bench.plan.rounds):
        loads.append(run(bench.server.port, within(bench.plan.seconds, requests), 16))
        yard = run(bench.nothing.port, within(bench.plan.seconds / 2, empty), 16)
        pairs.append((loads[-1].rate, yard.rate))
        bench.costs.append(yard.cost)
    cpu = (bench.server.cpu() - before) / max(1, sum(len(load.times) for load in loads)) * 1e6
    return row_of("by-id-c16", pairs, note=timing(loads, cpu), invalid=faults(loads))


def memory(bench: Bench) -> Row:
    """Peak resident memory of the server and of every process it started, after all of the above."""
    peaks = bench.server.peak()
    note = f"{bench.at} stored; by process: {', '.join(f'{peak:.0f}' for peak in peaks.values())} MB"
    return row_of("memory", [(sum(peaks.values()), 220.0)], note=note, less=True)


def read_under_write(bench: Bench) -> Row:
    """The query's p95 idle, and while 16 connections write."""
    queries = itertools.cycle([bench.server.get(query_path(pair)) for pair in busy_pairs()])
    fresh = statements(10**9, first=10**9)
    pairs: list[tuple[float, float]] = []
    loads: list[Load] = []
    written: list[Load] = []
    for _ in range(bench.plan.rounds):
        idle = run(bench.server.port, within(bench.plan.seconds, queries), 1)
        writes = [bench.server.post(one.raw) for one in itertools.islice(fresh, bench.plan.singles * 2)]
        busy, writing = uvloop.run(_both(bench, queries, writes))
        loads.extend((idle, busy))
        written.append(writing)
        pairs.append((busy.percentile(0.95), idle.percentile(0.95)))
    note = f"{timing(loads[1::2])} under {sum(load.rate for load in written) / len(written):.0f} writes/s"
    return row_of("read-under-write", pairs, note=note, invalid=faults([*loads, *written]), less=True)


async def _both(bench: Bench, queries: Iterator[bytes], writes: list[bytes]) -> tuple[Load, Load]:
    port = bench.server.port
    writing = asyncio.ensure_future(send(port, within(bench.plan.seconds, writes), 16))
    busy = await send(port, itertools.takewhile(lambda _: not writing.done(), queries), 1)
    return busy, await writing


ROWS: list[Callable[[Bench], Row]] = [post_single, post_batch, written_bytes, query, by_id, memory, read_under_write]
"""Writing comes first: it fills the store that the others read."""
