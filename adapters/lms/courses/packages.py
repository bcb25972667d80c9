"""Packages as zip archives: which files are in them, within limits, and nothing outside. Knows no course.

A name that leads out of the package is refused, not repaired: ``zipfile`` would silently write it elsewhere. No file is
unpacked to a disk: each becomes a blob, by which it is served.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, BinaryIO, TypeVar, cast

from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.storage import Blobs

MOST_BYTES = 512 * MIB
"""Bytes of a package as it is sent."""
MOST_UNPACKED = 2048 * MIB
"""Bytes of all its files together."""
MOST_RATIO = 200
"""How many times larger a package may become. Text packs about ten to one, and a bomb a thousand to one."""
MAX_DIRECTORY = 4 * MIB
"""Bytes of its directory: some 40,000 short names. ``zipfile`` reads it at once, with an object for each entry."""
LONGEST_NAME = 1_000
_PIECE = 256 * 1024
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError, ValueError)
NO_PACKAGE, NOT_A_ZIP, NO_STRUCTURE = "cmi5 14.0.0.0-1", "cmi5 14.1.0.0-1", "cmi5 14.1.0.0-2"
OF_NO_PACKAGE = frozenset({NO_PACKAGE, NOT_A_ZIP, NO_STRUCTURE})
"""Rules that a file breaks which is no package at all: programs read them, and to a person they say nothing."""

PackageFiles = Mapping[str, tuple[str, int]]
"""The files of a package: by their path, the name of the blob and the size in bytes."""


def bad_package(message: str, rule: str | None = None, *, status: int = 400) -> Refused:
    """The refusal of a package."""
    return Refused(message, status=status, error="bad_package", rule=rule)


T = TypeVar("T")
MOST_FAULTS = 20


class PackageFaults:
    """What is wrong in one document of a package, so that its author is told all of it at once."""

    def __init__(self) -> None:
        self._found: list[Refused] = []

    def tried(self, read: Callable[..., T], *given: Any, otherwise: T) -> T:
        """What *read* gives; *otherwise* if it refuses, which is kept."""
        try:
            return read(*given)
        except Refused as refused:
            self._found.append(refused)
            return otherwise

    def check(self) -> None:
        """Refuses (400) with all that was kept, and the rule of the first; does nothing if there is nothing."""
        if self._found:
            raise bad_package(listed([one.message for one in self._found]), self._found[0].rule)


def listed(faults: Iterable[str]) -> str:
    """*faults* in one message, each once, at most ``MOST_FAULTS``."""
    each = list(dict.fromkeys(faults))
    more = f"; and {len(each) - MOST_FAULTS} more" if len(each) > MOST_FAULTS else ""
    return "; ".join(each[:MOST_FAULTS]) + more


class PackageArchive:
    """The zip archive in *file*. Raises ``Refused`` if it is none, if it is too large, or if a name in it is no path.

    *names* are the paths of its files. Close it after use.
    """

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = zipfile.ZipFile(cast("IO[bytes]", _InPieces(file)))
        except _DAMAGED as error:
            raise bad_package("the file is not a zip archive", NOT_A_ZIP) from error
        try:
            self._members = _members(self._archive.infolist())
        except Refused:
            self.close()
            raise
        self.names = frozenset(self._members)

    def close(self) -> None:
        """Closes it; the file stays open."""
        self._archive.close()

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file. Refuses (413) more than *most*. Raises ``KeyError`` if there is none."""
        member = self._members[name]
        if member.file_size > most:
            raise bad_package(f"{name} has {member.file_size} bytes, the limit is {most}", status=413)
        return b"".join(self._chunks(member))

    def keep(self, blobs: Blobs) -> PackageFiles:
        """Stores every file as a blob. Refuses a damaged one by its name."""
        return {name: (blobs.put(self._chunks(one)), one.file_size) for name, one in sorted(self._members.items())}

    def _chunks(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._archive.open(member) as file:
                while chunk := file.read(_PIECE):
                    yield chunk
        except _DAMAGED as error:
            raise bad_package(f"{_shown(member.filename)} in the package is damaged: {error}", NOT_A_ZIP) from error


def _members(found: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for one in found:
        _check_member(one)
        if one.filename in members:
            raise bad_package(f"{_shown(one.filename)} is in the package twice", NOT_A_ZIP)
        if not one.is_dir():
            members[one.filename] = one
    unpacked = sum(one.file_size for one in members.values())
    packed = sum(one.compress_size for one in members.values())
    if unpacked > MOST_UNPACKED:
        raise bad_package(f"the package unpacks to {unpacked} bytes, the limit is {MOST_UNPACKED}", status=413)
    if unpacked > MIB and unpacked > MOST_RATIO * packed:
        raise bad_package(f"the package unpacks to more than {MOST_RATIO} times its size: it is made to fill a disk")
    return members


def _check_member(member: zipfile.ZipInfo) -> None:
    """Refuses an entry that is no plain file or folder within the package."""
    name = member.orig_filename
    parts = name.rstrip("/").split("/")
    if len(name) > LONGEST_NAME:
        raise bad_package(f"a name in the package has more than {LONGEST_NAME} characters: {_shown(name)}")
    if "\\" in name or "\0" in name or name.startswith("/") or ":" in parts[0] or not all(parts):
        raise bad_package(f"{_shown(name)} is no path within the package: use relative paths with /")
    if {".", ".."} & set(parts):
        raise bad_package(f"{_shown(name)} leads out of the package: take . and .. out of its names")
    mode = member.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise bad_package(f"{_shown(name)} is a link or a device: packages have files and folders only")
    if member.flag_bits & _ENCRYPTED:
        raise bad_package(f"{_shown(name)} is encrypted: send the package without a password")


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:77]}...")


class _InPieces:
    """A file that gives at most ``MAX_DIRECTORY`` bytes at once: nothing but a directory is read in one piece."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        if size > MAX_DIRECTORY:
            raise bad_package(f"the package's directory has more than {MAX_DIRECTORY} bytes", status=413)
        return self._file.read(size)
