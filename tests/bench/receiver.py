"""A matching service's web server in this process: notes when each event came, and answers 204. Knows no statement."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.bench.load import HOST

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Told:
    """When a learner's level and badge came (``time.perf_counter``), by the reference the consent was given with."""

    levels: dict[str, float] = field(default_factory=dict)
    badges: dict[str, float] = field(default_factory=dict)
    events: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each event."""
    _references: dict[str, str] = field(default_factory=dict)
    _early: dict[str, list[tuple[float, dict[str, Any]]]] = field(default_factory=dict)

    def take(self, at: float, event: dict[str, Any]) -> None:
        """Notes one event that came *at* that time; a profile may come before the consent that says whose it is."""
        self.events += 1
        self.heard.set()
        data = event["data"]
        subject = data["subject"]
        if event["type"] == "consent.given":
            self._references[subject] = data["reference"]
            for earlier, profile in self._early.pop(subject, []):
                self._note(earlier, data["reference"], profile)
        elif event["type"] == "profile.updated" and subject in self._references:
            self._note(at, self._references[subject], data)
        elif event["type"] == "profile.updated":
            self._early.setdefault(subject, []).append((at, data))

    def _note(self, at: float, reference: str, profile: dict[str, Any]) -> None:
        for part, times in (("competencies", self.levels), ("badges", self.badges)):
            if profile[part]:
                times[reference] = min(at, times.get(reference, at))


class Door(asyncio.Protocol):
    """One connection: requests one after the other, each with its answer."""

    def __init__(self, told: Callable[[float, dict[str, Any]], None], doors: set[Door]) -> None:
        self._told = told
        self._doors = doors
        self._buffer = b""
        self._transport: Any = None  # uvloop's is no asyncio.Transport
        self._lost = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._doors.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._doors.discard(self)
        self._lost.set()

    async def shut(self) -> None:
        self._transport.abort()
        await self._lost.wait()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(_END)
        if end and len(body) >= int(head.lower().partition(_LENGTH)[2].partition(b"\r")[0]):
            at = time.perf_counter()
            self._buffer = b""
            self._transport.write(_ANSWER)
            self._told(at, json.loads(body))


@asynccontextmanager
async def receiving(port: int, told: Told) -> AsyncIterator[None]:
    """Listens on *port* for what *told* is to know. Leaves no connection, by which closing the loop would fail."""
    doors: set[Door] = set()
    server = await asyncio.get_running_loop().create_server(partial(Door, told.take, doors), HOST, port)
    async with server:
        yield
    await asyncio.gather(*(door.shut() for door in doors))
