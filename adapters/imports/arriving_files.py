"""Files as they arrive, block by block, before any of them is kept: returns are filtered, all others pass.

A return has ethnicity, disability, National Insurance numbers and addresses of learners. So XML is never stored as it
was sent, whatever it was sent as: it is read as a return (``ilr.filtering``), or refused. A table with such columns is
refused by its job, and then not kept. Knows no store and no HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.apprenticeship.ilr.filtering import ReturnFilter
from adapters.apprenticeship.ilr.source import IlrSource
from lrs.kernel.errors import Refused
from lrs.kernel.tables.sort import is_xml, zipped_xml

_ENOUGH = 8192
"""Bytes by which the sort of a file is known."""
ILR = IlrSource.name


class ArrivingFile:
    """A file in blocks. *adapter* is what it was sent for, ``""`` if that is still to be found; *name* is its own.

    Raises ``Refused`` for XML that is no return that can be read, for a return that was sent for another adapter, for
    one in an archive, and for anything else that was sent as a return.
    """

    def __init__(self, adapter: str = "", name: str = "") -> None:
        self._adapter = adapter
        self._name = name
        self._start = b""
        self._filter: ReturnFilter | None = None
        self._passes = False

    def feed(self, block: bytes) -> bytes:
        """What is to be kept, after *block* arrived."""
        if self._passes:
            return block
        if self._filter:
            return self._filter.feed(block)
        self._start += block
        return self._begin() if len(self._start) >= _ENOUGH else b""

    def close(self) -> bytes:
        """What is to be kept besides, once all of the file has arrived."""
        first = b"" if self._passes or self._filter else self._begin()
        return first + (self._filter.close() if self._filter else b"")

    def _begin(self) -> bytes:
        start, self._start = self._start, b""
        if is_xml(start):
            if self._adapter not in {"", ILR}:
                message = f"the file is XML, which only an ILR return may be: send one for the adapter {ILR}"
                raise Refused(message, error="no_table")
            self._filter = ReturnFilter(self._name)
            return self._filter.feed(start)
        if zipped_xml(start):
            raise Refused(
                "the file is an archive with XML in it: unpack it and send the return itself", error="no_table"
            )
        if self._adapter == ILR:
            raise Refused("an ILR return is an XML file, and this is none: send the file itself", error="no_ilr")
        self._passes = True
        return start


def filtered(blocks: Iterable[bytes], adapter: str = "", name: str = "") -> Iterator[bytes]:
    """What is to be kept of a file that is there as a whole."""
    arriving = ArrivingFile(adapter, name)
    for block in blocks:
        if some := arriving.feed(block):
            yield some
    if rest := arriving.close():
        yield rest
