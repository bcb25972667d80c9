"""The load: requests made beforehand, sent over connections that each wait for their answer. Knows no xAPI.

It shares the cores with the server, so it does as little as it can: the bytes are ready, of an answer only the status
and the length are read. What it costs is measured and printed (``Load.cpu``).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvloop

HOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds after the last answer until a run is given up."""
_LENGTH = b"content-length: "
_END = b"\r\n\r\n"


@dataclass(slots=True)
class Load:
    """What came of a run: *seconds* it took, *times* in seconds of each answer, *cpu* seconds this process used.

    *size* is the bytes of all answers, *wrong* the first answer with an unexpected status, *lost* requests without any.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    size: int = 0
    lost: int = 0
    wrong: bytes = b""
    times: list[float] = field(default_factory=list)
    statuses: Counter[bytes] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds if self.seconds else 0.0

    @property
    def errors(self) -> int:
        """Answers that were not 2xx, and requests without an answer."""
        return self.lost + sum(count for status, count in self.statuses.items() if not status.startswith(b"2"))

    @property
    def cost(self) -> float:
        """Microseconds of this process's CPU for each request."""
        return self.cpu / max(1, len(self.times)) * 1e6

    def percentile(self, share: float) -> float:
        """The time in milliseconds that *share* (0 to 1) of the answers did not exceed."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3 if ordered else float("nan")


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], load: Load, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._load = load
        self._done = done
        self._buffer = b""
        self._missing = 0
        self._begun = 0.0
        self._waiting = False
        self._transport: Any = None  # uvloop's is no asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
            if self._missing <= 0:
                self._answered()
            return
        if self._buffer:
            data = self._buffer + data
        end = data.find(_END)
        if end < 0:
            self._buffer = data
            return
        self._buffer = b""
        status = data[9:12]
        self._load.statuses[status] += 1
        at = data.find(_LENGTH, 0, end)
        length = int(data[at + len(_LENGTH) : data.find(b"\r", at)]) if at > 0 else 0
        self._load.size += length
        if status[0] != 50 and not self._load.wrong:
            self._load.wrong = data[:2_000]
        self._missing = end + len(_END) + length - len(data)
        if self._missing <= 0:
            self._answered()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.lost += self._waiting
        self._finish()

    def _answered(self) -> None:
        self._waiting = False
        self._missing = 0
        self._load.times.append(time.perf_counter() - self._begun)
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None or self._transport is None:
            self._finish()
            return
        self._waiting = True
        self._begun = time.perf_counter()
        self._transport.write(request)

    def _finish(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if not self._done.done():
            self._done.set_result(None)


async def send(port: int, requests: Iterable[bytes], connections: int, load: Load | None = None) -> Load:
    """All *requests* over *connections*; a server that stays silent for ``PATIENCE`` ends the run."""
    load = Load() if load is None else load
    loop = asyncio.get_running_loop()
    shared = iter(requests)
    dones = [loop.create_future() for _ in range(connections)]
    cpu, begun = time.process_time(), time.perf_counter()
    for done in dones:
        await loop.create_connection(partial(Connection, shared, load, done), HOST, port)
    pending = set(dones)
    while pending:
        known = len(load.times)
        finished, pending = await asyncio.wait(pending, timeout=PATIENCE)
        if not finished and len(load.times) == known:
            load.lost += len(pending)
            break
    load.seconds = time.perf_counter() - begun
    load.cpu = time.process_time() - cpu
    return load


def run(port: int, requests: Iterable[bytes], connections: int) -> Load:
    """``send``, waited for."""
    return uvloop.run(send(port, requests, connections))


def within(seconds: float, requests: Iterable[bytes]) -> Iterator[bytes]:
    """*requests* until *seconds* after the first was taken."""
    end = time.perf_counter() + seconds
    for request in requests:
        yield request
        if time.perf_counter() > end:
            return
