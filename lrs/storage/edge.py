"""From the event loop to the blocking store and back. Knows no xAPI.

Reads run in the loop's default executor (the app bounds it with ``loop.set_default_executor``). Writes run in the
store's writer thread; the many results of one commit come back with one wake-up of the loop, not one each.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from lrs.storage import ROWS, Store, Tx

T = TypeVar("T")


async def read(function: Callable[..., T], *args: Any) -> T:
    """``function(*args)`` in the executor: for anything that waits for a disk or a database."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def compute(function: Callable[..., T], *args: Any) -> T:
    """``function(*args)``, which computes for long: in one thread, one after the other."""
    return await asyncio.get_running_loop().run_in_executor(_computing, function, *args)


async def write(
    store: Store, decide: Callable[[Tx], T], weight: int = ROWS, reads: Sequence[tuple[str, str]] = ()
) -> T:
    """What *decide* returned, once its commit is durable; what it raised otherwise. ``Overloaded`` comes at once.

    A cancelled caller takes its decision back only if that has not started.
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


async def turn() -> None:
    """Lets one caller on in each round of the event loop: whoever comes meanwhile is served between two of them."""
    loop = asyncio.get_running_loop()
    turns = getattr(_here, "turns", None)
    if turns is None or turns.loop is not loop:
        turns = _here.turns = _Turns(loop)
    await turns.take()


class _Turns:
    """Those who wait for their turn on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    async def take(self) -> None:
        """Returns when it is the caller's turn; the turn ends with the round."""
        if self._taken:
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._waiting.append(waiter)
            await waiter
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
        """In the writer's thread. The result is queued before the flag is read, so a hand-over never misses it."""
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
            except BaseException as error:  # noqa: BLE001 (it is the caller's)
                waiter.set_exception(error)


_here = threading.local()
