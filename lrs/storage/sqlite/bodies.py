"""How the body of a record is kept in its row: compressed by itself, where that is shorter. Knows no table.

A compressed body is a frame of Zstandard (RFC 8878) without a checksum, made with a dictionary of what statements have
in common. The frame holds the body and a comma, so frames that follow one another are decoded by one call to bodies
that are joined by commas. Beside it stands the size of the body; 0 says that the body is kept as it came.

The dictionary is made up (``tests/contract/frozen/dictionary.py``) and the same for all stores: one made of a store's
own records would keep words of persons after their records are erased. What is kept can be read only with the very
dictionary, so it never changes. Another one gets a file and a number of its own, which each frame names, and a schema
of its own, so that programs that do not have it refuse the store.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import zstandard
from zstandard import frame_content_size

from lrs.kernel.errors import Damaged
from lrs.storage.records import SMALL_BODY

DICTIONARY = "bodies-1.zdict"
_LEVEL = -5
"""Levels from 1 on make a body a third shorter, but a page takes longer to read (DECISIONS, 206)."""
_SHORTEST = 48
"""Bytes of the shortest body that may become shorter."""
_WINDOW = 1 << 17
"""Bytes that a frame may ask for while it is decoded; a damaged one could ask for any number."""


class KeptBody(NamedTuple):
    """A body as it is kept: its size if it is compressed, else 0; and the bytes that are kept."""

    size: int
    kept: bytes


class _Codec(threading.local):
    """A compressor and a decompressor for each thread, because neither may be used by two at once."""

    def __init__(self) -> None:
        data = _dictionary()
        compressor = zstandard.ZstdCompressor(_LEVEL, data)
        self.compress, self.compress_all = compressor.compress, compressor.multi_compress_to_buffer
        decompressor = zstandard.ZstdDecompressor(data, max_window_size=_WINDOW)
        self.decompress, self.reader = decompressor.decompress, decompressor.stream_reader


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    data = zstandard.ZstdCompressionDict(files(__package__).joinpath(DICTIONARY).read_bytes())
    data.precompute_compress(_LEVEL)
    return data


@cache
def _codec() -> _Codec:
    return _Codec()


def kept(bodies: Sequence[bytes]) -> list[KeptBody]:
    """*bodies* as they are kept, in their order.

    Large ones stay as they are: they are few, and a commit must not take long. Many are compressed by one call, which
    lets go of the interpreter's lock once (see ``rows``).
    """
    found = [KeptBody(0, body) for body in bodies]
    places = [place for place, body in enumerate(bodies) if _SHORTEST <= len(body) <= SMALL_BODY]
    for place, frame in zip(places, _frames([bodies[place] + b"," for place in places]), strict=True):
        if len(frame) < len(bodies[place]):
            found[place] = KeptBody(len(bodies[place]), frame)
    return found


def _frames(texts: list[bytes | bytearray | memoryview]) -> list[bytes]:
    if len(texts) < 2:
        return [_codec().compress(text) for text in texts]
    made = _codec().compress_all(texts)
    return [made[place].tobytes() for place in range(len(texts))]


def body_of(size: int, kept: bytes) -> bytes:
    """The body that is *kept* so. Raises ``Damaged`` if it cannot be decoded to that size."""
    if not size:
        return kept
    try:
        # Looked at first, because as many bytes are asked for as a frame says it has.
        if frame_content_size(kept) == size + 1:
            return _codec().decompress(kept)[:-1]
    except zstandard.ZstdError as error:
        raise Damaged(_DAMAGED) from error
    raise Damaged(_DAMAGED)


_DAMAGED = "the body of a record of the store is damaged; restore it from a backup"


def joined_bodies(frames: bytes, size: int) -> bytes | None:
    """The first *size* bytes of the bodies in *frames*, joined by commas. ``None`` if these are no such frames."""
    reader = _codec().reader(frames, read_size=len(frames), read_across_frames=True)
    try:
        text = reader.read(size + 1)
    except zstandard.ZstdError:
        return None
    return text[:-1] if len(text) == size + 1 else None
