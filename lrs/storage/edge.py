"""Calls the blocking store from the event loop. Knows no xAPI.

Reads run in the loop's default executor (the app sets its size with ``loop.set_default_executor``). Writes run in the
store's writer thread, or in the loop where they are small and the disk is quick. All results of one commit come back
together.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import IO, Any, TypeVar
from weakref import WeakValueDictionary

from lrs.kernel.admission import CLOSING, Overloaded
from lrs.storage.contract import Blobs, Store, Tx
from lrs.storage.records import ROWS, Record, RecordName

T = TypeVar("T")
GATHERED = 8
"""Rounds of the loop that a written decision waits at most for others that come or are being prepared, so that they
share a commit of the loop. With 16, a reader beside 16 writers waited half as long again.
"""
ASKED_TOGETHER = 3
"""Rounds of the loop in which those who ask for one record gather, while there are several. One round brings some four
of 16 connections, three bring nearly all.
"""
BLOCK = 256 * 1024
"""Bytes of a large body that are passed on at a time."""


async def read(function: Callable[..., T], *args: Any) -> T:
    """``function(*args)`` in the executor, for anything that waits for a disk or a database.

    Raises ``Overloaded`` if the executor was shut down, because the server ends.
    """
    try:
        waiting = asyncio.get_running_loop().run_in_executor(None, function, *args)
    except RuntimeError as error:  # nothing else makes an executor refuse
        raise Overloaded(CLOSING) from error
    return await waiting


async def look_up(store: Store, kind: str, id: str) -> Record | None:
    """The record, or ``None``. Read on the loop, so only from a store that does not wait.

    While several callers ask in one round of the loop, each is answered with the others, by one question.
    """
    loop = asyncio.get_running_loop()
    lookups: _Lookups | None = getattr(_here, "lookups", None)
    if lookups is None or lookups.loop is not loop:
        lookups = _here.lookups = _Lookups(loop)
    return await lookups.ask(store, (kind, id)) if lookups.are_several() else store.get(kind, id)


async def compute(whose: str, function: Callable[..., T], *args: Any) -> T:
    """``function(*args)``, a long computation, in the one thread for these, one after the other.

    The tenants (*whose*) take turns, because each has at most one in the queue of the thread.
    """
    locks: WeakValueDictionary[str, asyncio.Lock] = _here.__dict__.setdefault("computing", WeakValueDictionary())
    async with locks.setdefault(whose, asyncio.Lock()):
        return await asyncio.get_running_loop().run_in_executor(_computing, function, *args)


async def write(
    store: Store,
    decide: Callable[[Tx], T],
    weight: int = ROWS,
    reads: Sequence[tuple[str, str]] = (),
    *,
    brief: bool = False,
) -> T:
    """The result of *decide* when its commit is durable, or its exception. ``Overloaded`` is raised at once.

    If the caller is cancelled, a decision that has not started is dropped. If *brief*, it writes little, so the loop
    commits it itself where the store finds that quick.
    """
    loop = asyncio.get_running_loop()
    arrivals = getattr(_here, "arrivals", None)
    if arrivals is None or arrivals.loop is not loop:
        arrivals = _here.arrivals = _Arrivals(loop)
    future = store.write(decide, weight=weight, reads=reads, brief=brief)
    if brief:
        arrivals.commit_soon(store)
    waiter: asyncio.Future[T] = loop.create_future()
    future.add_done_callback(partial(arrivals.add, waiter))
    try:
        return await waiter
    except asyncio.CancelledError:
        future.cancel()
        raise


async def receive(blobs: Blobs, chunks: AsyncIterable[bytes]) -> str:
    """Stores the bytes of *chunks* as they arrive, and gives the blob's name. Stores nothing if *chunks* raises.

    They go to a draft (``TMPDIR``) first. No thread waits for the sender, who is read at the speed of the disk.
    """
    with tempfile.TemporaryFile() as draft:
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
            if len(gathered) >= BLOCK:
                block, gathered = gathered, bytearray()
                await read(draft.write, block)
        await read(draft.write, gathered)
        draft.seek(0)
        return await read(blobs.put, read_blocks(draft))


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of *file* from its present position, a block at a time."""
    while block := file.read(BLOCK):
        yield block


async def turn() -> None:
    """Lets one caller continue in each round of the event loop, so that other requests are served in between."""
    await _turns(asyncio.get_running_loop()).take()


class _Turns:
    """Callers that wait for their turn on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    def is_wanted(self) -> bool:
        """Whether somebody waits for a turn."""
        return bool(self._waiting)

    async def take(self) -> None:
        """Returns when it is the caller's turn. The turn ends with the round."""
        if self._taken:
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if not waiter.cancelled():  # the turn was given already: the next one has it
                    self._next()
                raise
        self._taken = True
        self.loop.call_soon(self._next)

    def _next(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._taken = False


def _turns(loop: asyncio.AbstractEventLoop) -> _Turns:
    """Those of *loop*, which runs in this thread."""
    turns: _Turns | None = getattr(_here, "turns", None)
    if turns is None or turns.loop is not loop:
        turns = _here.turns = _Turns(loop)
    return turns


class _Lookups:
    """Records that are asked for on one loop, with those who wait for them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._asked: dict[Store, list[tuple[RecordName, asyncio.Future[Record | None]]]] = {}
        self._several = False
        """Whether the last question was for more than one, or the last round brought more than one."""
        self._in_round = 0

    def are_several(self) -> bool:
        """Whether the caller should ask together with others. To be called once by each."""
        if not self._several:
            if not self._in_round:
                self.loop.call_soon(self._end_round)
            self._in_round += 1
        return self._several

    def _end_round(self) -> None:
        self._several, self._in_round = self._in_round > 1, 0

    def ask(self, store: Store, name: RecordName) -> asyncio.Future[Record | None]:
        if not self._asked:
            self.loop.call_soon(self._answer, ASKED_TOGETHER)
        waiter: asyncio.Future[Record | None] = self.loop.create_future()
        self._asked.setdefault(store, []).append((name, waiter))
        return waiter

    def _answer(self, rounds: int) -> None:
        if rounds:
            self.loop.call_soon(self._answer, rounds - 1)
            return
        asked, self._asked = self._asked, {}
        self._several = any(len(some) > 1 for some in asked.values())
        for store, some in asked.items():
            known = _together(store, [name for name, _ in some])
            for name, waiter in some:
                if waiter.done():
                    continue
                try:
                    waiter.set_result(known[name] if name in known else store.get(*name))
                except Exception as error:  # noqa: BLE001 (the caller gets it)
                    waiter.set_exception(error)


def _together(store: Store, names: Sequence[RecordName]) -> dict[RecordName, Record | None]:
    """What is stored by *names*, in one question. Nothing if they are one, too large together, or one is damaged."""
    if len(names) == 1:
        return {}
    try:
        found = store.get_all(names)
    except Exception:  # noqa: BLE001 (each is asked for by itself now, and has its own answer)
        return {}
    return {name: found.get(name) for name in names}


_computing = ThreadPoolExecutor(1, "compute")


class _Arrivals:
    """Results on their way from writers to one loop, and the stores where that loop is about to commit."""

    __slots__ = ("_results", "_stores", "_woken", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False
        self._stores: dict[Store, bool] = {}
        """Whether something was written there in the present round."""

    def commit_soon(self, store: Store) -> None:
        """Has *store* commit what was written there, once a round brought nothing more and nobody is being prepared."""
        if store not in self._stores:
            self.loop.call_soon(self._commit, store, GATHERED)
        self._stores[store] = True

    def _commit(self, store: Store, rounds: int) -> None:
        if rounds and (self._stores.get(store) or _turns(self.loop).is_wanted()):
            self._stores[store] = False
            self.loop.call_soon(self._commit, store, rounds - 1)
            return
        self._stores.pop(store, None)
        self._woken = True  # the results are handed over by the call below, whatever happens in the commit
        self.loop.call_soon(self._hand_over)  # so a reader who came meanwhile does not wait for all the answers
        store.commit_here(partial(self._freed, store))

    def _freed(self, store: Store) -> None:
        """Called in the writer's thread."""
        with suppress(RuntimeError):  # the loop was closed
            self.loop.call_soon_threadsafe(self._commit, store, 0)

    def add(self, waiter: asyncio.Future[Any], result: Future[Any]) -> None:
        """Called by who commits. Queues the result before it reads the flag, so no result is missed."""
        self._results.append((waiter, result))
        if self._woken:
            return
        self._woken = True
        try:
            self.loop.call_soon_threadsafe(self._hand_over)
        except RuntimeError:
            self._results.clear()  # the loop was closed: nobody waits any more
            self._woken = False

    def _hand_over(self) -> None:
        self._woken = False
        while self._results:
            waiter, result = self._results.popleft()
            if waiter.done():
                continue
            try:
                waiter.set_result(result.result())
            except CancelledError:
                waiter.cancel()
            except BaseException as error:  # noqa: BLE001 (the caller gets it)
                waiter.set_exception(error)


_here = threading.local()
