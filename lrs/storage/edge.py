"""Calls the blocking store from the event loop. Knows no xAPI.

Reads run in the loop's default executor (the app sets its size with ``loop.set_default_executor``). Writes run in the
store's writer thread. All results of one commit come back with one wake-up of the loop.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import IO, Any, TypeVar
from weakref import WeakValueDictionary

from lrs.kernel.admission import CLOSING, Overloaded
from lrs.storage.contract import Blobs, Store, Tx
from lrs.storage.records import ROWS

T = TypeVar("T")
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


async def compute(whose: str, function: Callable[..., T], *args: Any) -> T:
    """``function(*args)``, a long computation, in the one thread for these, one after the other.

    The tenants (*whose*) take turns, because each has at most one in the queue of the thread.
    """
    locks: WeakValueDictionary[str, asyncio.Lock] = _here.__dict__.setdefault("computing", WeakValueDictionary())
    async with locks.setdefault(whose, asyncio.Lock()):
        return await asyncio.get_running_loop().run_in_executor(_computing, function, *args)


async def write(
    store: Store, decide: Callable[[Tx], T], weight: int = ROWS, reads: Sequence[tuple[str, str]] = ()
) -> T:
    """The result of *decide* when its commit is durable, or its exception. ``Overloaded`` is raised at once.

    If the caller is cancelled, a decision that has not started is dropped.
    """
    loop = asyncio.get_running_loop()
    arrivals = getattr(_here, "arrivals", None)
    if arrivals is None or arrivals.loop is not loop:
        arrivals = _here.arrivals = _Arrivals(loop)
    future = store.write(decide, weight=weight, reads=reads)
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
    loop = asyncio.get_running_loop()
    turns = getattr(_here, "turns", None)
    if turns is None or turns.loop is not loop:
        turns = _here.turns = _Turns(loop)
    await turns.take()


class _Turns:
    """Callers that wait for their turn on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

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


_computing = ThreadPoolExecutor(1, "compute")


class _Arrivals:
    """Results on their way from writer threads to one loop."""

    __slots__ = ("_results", "_woken", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False

    def add(self, waiter: asyncio.Future[Any], result: Future[Any]) -> None:
        """Called in the writer's thread. Queues the result before it reads the flag, so no result is missed."""
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
