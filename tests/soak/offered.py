"""Load that does not wait: requests are offered at a fixed rate, whatever becomes of the earlier ones."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import uvloop

HOST = "127.0.0.1"
_LENGTH = b"content-length: "


@dataclass
class Offered:
    """What came of it: *times* in seconds of the accepted ones, *statuses* of all, *lost* without an answer."""

    seconds: float = 0.0
    sent: int = 0
    lost: int = 0
    times: list[float] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    without_wait: int = 0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def offer(port: int, request: bytes, rate: float, seconds: float) -> Offered:
    """Sends *request* at *rate* a second for *seconds*; connections are used again, as many as it takes."""
    return uvloop.run(_offer(port, request, rate, seconds))


async def _offer(port: int, request: bytes, rate: float, seconds: float) -> Offered:
    told, idle, tasks = Offered(), [], set()
    begun = time.perf_counter()
    while (now := time.perf_counter() - begun) < seconds:
        while told.sent < now * rate:
            told.sent += 1
            task = asyncio.ensure_future(_one(port, request, idle, told))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.002)
    told.seconds = time.perf_counter() - begun
    if tasks:
        await asyncio.wait(tasks, timeout=30)
    for task in tasks:
        task.cancel()
    for _, writer in idle:
        writer.close()
    return told


async def _one(port: int, request: bytes, idle: list, told: Offered) -> None:
    begun = time.perf_counter()
    try:
        reader, writer = idle.pop() if idle else await asyncio.open_connection(HOST, port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.find(_LENGTH)
        await reader.readexactly(int(head[at + len(_LENGTH) : head.find(b"\r", at)]) if at > 0 else 0)
    except (OSError, asyncio.IncompleteReadError):
        told.lost += 1
        return
    idle.append((reader, writer))
    status = int(head[9:12])
    told.statuses[status] += 1
    if status == 200:
        told.times.append(time.perf_counter() - begun)
    elif b"retry-after: " not in head:
        told.without_wait += 1
