"""The file of a backup: a plain tar, written and read in one pass. Knows no store and no key.

Members in order: ``backup.json`` (what this is), the stores and blobs, ``manifest.json``, and ``end.json`` with the
length and SHA-256 of everything before it. Any tar program lists and unpacks it. Reading is strict: a member of
another sort, a byte that was changed anywhere, padding included, or an end that is missing is ``Damaged``.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO

import msgspec

from lrs.kernel.errors import Misconfigured

FORMAT = 1
HEADER, MANIFEST, END = "backup.json", "manifest.json", "end.json"
CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_CLOSING = bytes(2 * _BLOCK)
_LARGE = 8 << 30
"""Bytes from which the size of a member no longer fits the common header of tar."""
_MOST_JSON = 16 << 20
_NAMES = re.compile(
    r"backup\.json|manifest\.json|master\.key\.sealed|control\.db"
    r"|tenants/[a-z0-9][a-z0-9-]{0,39}/(store\.db|blobs/[0-9a-f]{64})"
)
Mac = Callable[[bytes], str]


class Damaged(Misconfigured):
    """The file is no backup, was cut off, or was changed."""


class End(msgspec.Struct, frozen=True):
    """The last member: bytes before it, their SHA-256, and the MAC of that under a key of the installation."""

    bytes: int
    sha256: str
    mac: str


class Writer:
    """Members into *file*, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()
        self._bytes = 0

    def add(self, name: str, size: int, chunks: Iterable[bytes]) -> str:
        """Adds a member of *size* bytes; its SHA-256. Raises ``Damaged`` if *chunks* come to another size."""
        self._write(_head_of(name, size))
        digest, written = sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            written += len(chunk)
            self._write(chunk)
        if written != size:
            raise Damaged(f"{name} has {written} bytes where {size} were found: it was changed while it was read")
        self._write(bytes(-size % _BLOCK))
        return digest.hexdigest()

    def add_json(self, name: str, content: object) -> None:
        """Adds *content* as JSON."""
        text = msgspec.json.format(msgspec.json.encode(content), indent=1)
        self.add(name, len(text), [text])

    def end(self, mac: Mac) -> None:
        """Adds the last member."""
        self._file.write(_ending(self._bytes, self._digest.digest(), mac(self._digest.digest())))

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)
        self._bytes += len(chunk)


class Reader:
    """Members out of *file*, which is called *name* in messages. Every one has to be read to its end."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._digest = sha256()
        self._bytes = 0
        self.end: End | None = None

    def members(self) -> Iterator[tuple[str, int, Iterator[bytes]]]:
        """Name, size and chunks of each member but the last, which is checked and is ``end`` afterwards."""
        while True:
            before = self._bytes, self._digest.digest()
            head = self._read(_BLOCK)
            if not head.strip(b"\0"):
                raise self._changed("it ends without its last member")
            try:
                told = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
            except (tarfile.HeaderError, UnicodeDecodeError) as error:
                raise self._changed("what follows is no member") if self._bytes > _BLOCK else self._foreign() from error
            if told.name == END:
                self._finish(told.size, head, *before)
                return
            if not _NAMES.fullmatch(told.name) or head != _head_of(told.name, told.size):
                raise self._changed(f"it has a member {told.name[:80]!r}") if self._bytes > _BLOCK else self._foreign()
            yield told.name, told.size, self._content(told.size)

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            chunk = self._read(min(CHUNK, left))
            left -= len(chunk)
            yield chunk
        if self._read(-size % _BLOCK).strip(b"\0"):
            raise self._changed("there is something between two members")

    def _finish(self, size: int, head: bytes, at: int, digest: bytes) -> None:
        text = self._read(min(size, _MOST_JSON))
        try:
            self.end = msgspec.json.decode(text, type=End)
        except msgspec.MsgspecError as error:
            raise self._changed("its last member cannot be read") from error
        found = head + text + self._file.read(_BLOCK + len(_CLOSING) + 1)
        if found != _ending(at, digest, self.end.mac):
            raise self._changed("its length or its SHA-256 is not what its end says")

    def _read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        if len(chunk) < size:
            raise Damaged(f"{self._name} was cut off after {self._bytes + len(chunk)} bytes: get a whole copy of it")
        self._digest.update(chunk)
        self._bytes += size
        return chunk

    def _changed(self, why: str) -> Damaged:
        return Damaged(f"{self._name} was changed since it was written, before byte {self._bytes}: {why}")

    def _foreign(self) -> Damaged:
        return Damaged(f"{self._name} is no backup of this program")


def json_of(chunks: Iterable[bytes], size: int) -> bytes:
    """A small member whole. Raises ``Damaged`` for one of more than 16 MiB."""
    if size > _MOST_JSON:
        raise Damaged(f"a member that is JSON has {size} bytes")
    return b"".join(chunks)


def _head_of(name: str, size: int) -> bytes:
    told = tarfile.TarInfo(name)
    told.size, told.mode = size, 0o600
    return told.tobuf(tarfile.GNU_FORMAT if size >= _LARGE else tarfile.USTAR_FORMAT, "utf-8", "strict")


def _ending(size: int, digest: bytes, mac: str) -> bytes:
    text = msgspec.json.encode(End(size, digest.hex(), mac))
    return _head_of(END, len(text)) + text + bytes(-len(text) % _BLOCK) + _CLOSING
