"""The file of a backup: a plain tar, written and read in one pass. Knows no store and no key.

Members in order: ``backup.json`` (the header), the stores and blobs, ``manifest.json``, and ``end.json`` with the
length and SHA-256 of everything before it. Any tar program can list and unpack it. Reading is strict: it raises
``BackupDamaged`` for a member of another type, for any changed byte, also in padding, and for a missing end.
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
"""From this size in bytes on, a member does not fit the common header of tar."""
_MOST_JSON = 16 << 20
_NAMES = re.compile(
    r"backup\.json|manifest\.json|master\.key\.sealed|control\.db"
    r"|tenants/[a-z0-9][a-z0-9-]{0,39}/(store\.db|blobs/[0-9a-f]{64})"
)
Mac = Callable[[bytes], str]


class BackupDamaged(Misconfigured):
    """The file is no backup, is incomplete, or was changed."""


class Trailer(msgspec.Struct, frozen=True):
    """The last member: the number of bytes before it, their SHA-256, and a MAC of that.

    The key of the MAC comes from the installation's master key.
    """

    bytes: int
    sha256: str
    mac: str


class Writer:
    """Writes members to *file*, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()
        self._bytes = 0

    def add(self, name: str, size: int, chunks: Iterable[bytes]) -> str:
        """Adds a member of *size* bytes and gives its SHA-256.

        Raises ``BackupDamaged`` if *chunks* have another size.
        """
        self._write(_head_of(name, size))
        digest, written = sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            written += len(chunk)
            self._write(chunk)
        if written != size:
            raise BackupDamaged(f"{name} has {written} bytes where {size} were found: it was changed while it was read")
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


class ArchiveReader:
    """Reads members from *file*, which messages call *name*. Each member must be read to its end."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._digest = sha256()
        self._bytes = 0
        self.end: Trailer | None = None

    def members(self) -> Iterator[tuple[str, int, Iterator[bytes]]]:
        """Name, size and chunks of each member except the last, which is checked and then available as ``end``."""
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
            self.end = msgspec.json.decode(text, type=Trailer)
        except msgspec.MsgspecError as error:
            raise self._changed("its last member cannot be read") from error
        found = head + text + self._file.read(_BLOCK + len(_CLOSING) + 1)
        if found != _ending(at, digest, self.end.mac):
            raise self._changed("its length or its SHA-256 is not what its end says")

    def _read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        if len(chunk) < size:
            raise BackupDamaged(
                f"{self._name} was cut off after {self._bytes + len(chunk)} bytes: get a whole copy of it"
            )
        self._digest.update(chunk)
        self._bytes += size
        return chunk

    def _changed(self, why: str) -> BackupDamaged:
        return BackupDamaged(f"{self._name} was changed since it was written, before byte {self._bytes}: {why}")

    def _foreign(self) -> BackupDamaged:
        return BackupDamaged(f"{self._name} is no backup of this program")


def json_of(chunks: Iterable[bytes], size: int) -> bytes:
    """A small member as a whole. Raises ``BackupDamaged`` if it has more than 16 MiB."""
    if size > _MOST_JSON:
        raise BackupDamaged(f"a member that is JSON has {size} bytes")
    return b"".join(chunks)


def _head_of(name: str, size: int) -> bytes:
    told = tarfile.TarInfo(name)
    told.size, told.mode = size, 0o600
    return told.tobuf(tarfile.GNU_FORMAT if size >= _LARGE else tarfile.USTAR_FORMAT, "utf-8", "strict")


def _ending(size: int, digest: bytes, mac: str) -> bytes:
    text = msgspec.json.encode(Trailer(size, digest.hex(), mac))
    return _head_of(END, len(text)) + text + bytes(-len(text) % _BLOCK) + _CLOSING
