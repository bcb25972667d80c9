"""The file of an import on its way from the event loop to a blob: by a thread, with few blocks between the two.

The loop writes no file and waits for no disk; who sends faster than the disk takes is read more slowly. Knows no route.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterator
from queue import SimpleQueue

from lrs.storage import Store
from lrs.storage.edge import read

BLOCK = 256 * 1024
WAITING = 8
"""Blocks that may be on their way."""


class _HandOver:
    """Blocks from the event loop to one thread, which iterates over them."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(WAITING)
        self._blocks: SimpleQueue[bytes | BaseException | None] = SimpleQueue()

    async def put(self, block: bytes) -> None:
        """Hands *block* over once there is room for it."""
        await self._room.acquire()
        self._blocks.put(block)

    def end(self, error: BaseException | None = None) -> None:
        """There is no further block; with an *error* the thread raises it, and nothing is kept."""
        self._blocks.put(error)

    def __iter__(self) -> Iterator[bytes]:
        while (block := self._blocks.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            self._loop.call_soon_threadsafe(self._room.release)
            yield block


class _BrokenOff(Exception):
    """The upload did not come to its end."""


async def keep(store: Store, chunks: AsyncIterable[bytes]) -> str:
    """Keeps the bytes of *chunks* as a blob, durable on return, and gives its name; nothing if *chunks* raises."""
    handing = _HandOver()
    kept = asyncio.ensure_future(read(store.blobs.put, handing))
    try:
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
            if len(gathered) >= BLOCK:
                await _either(handing.put(bytes(gathered)), kept)
                gathered.clear()
        await _either(handing.put(bytes(gathered)), kept)
    except BaseException:
        handing.end(_BrokenOff())
        await asyncio.wait([kept])
        kept.exception()  # it is not told: what broke the upload off is
        raise
    handing.end()
    return await kept


async def _either(handed: object, kept: asyncio.Future[str]) -> None:
    """Waits until a block is *handed* over, or raises why the thread does not take it any more."""
    putting = asyncio.ensure_future(handed)  # type: ignore[call-overload]  # a coroutine
    await asyncio.wait([putting, kept], return_when=asyncio.FIRST_COMPLETED)
    if kept.done():
        putting.cancel()
        kept.result()
    await putting
