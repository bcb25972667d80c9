"""The parts of a multipart/mixed statement request, streamed into files as they arrive. Knows no statement.

Rules: xAPI 1.0.3 Communication 1.5.2. The data of each part is hashed and compared with its header.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha224, sha256, sha384, sha512
from typing import IO, TYPE_CHECKING

import msgspec
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from lrs.kernel.errors import Refused
from lrs.xapi.citations import rule

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

IN_MEMORY = 64 * 1024
LONGEST_HEADER = 4_096
MOST_HEADERS = 20
_DIGESTS = {56: sha224, 64: sha256, 96: sha384, 128: sha512}


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(IN_MEMORY)


@dataclass(slots=True)
class BodyPart:
    """One part: its headers by lower-case name, and its data in a file that is in memory while it is small.

    *number* is its position in the request; the statements are part 1.
    """

    number: int
    headers: dict[str, str] = field(default_factory=dict)
    data: IO[bytes] = field(default_factory=_spool)
    size: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The data from its beginning."""
        self.data.seek(0)
        while chunk := self.data.read(64 * 1024):
            yield chunk

    def read(self, most: int = -1) -> bytes:
        """The data, at most *most* bytes."""
        self.data.seek(0)
        return self.data.read(most)


class Parts:
    """Parses the body while it arrives."""

    def __init__(
        self, content_type: str, hold: Callable[[int], None], version: str, *, most_parts: int, largest_first: int
    ) -> None:
        """*hold* is called with the number of bytes that stay in memory, and may raise.

        *version* is that of the request.
        """
        self._version = version
        self.parts: list[BodyPart] = []
        self._name = self._value = b""
        self._headers = 0
        self._hold = hold
        self._ended = False
        self._most_parts = most_parts
        self._largest_first = largest_first
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_end": self._end,
        }
        # The parser's own limit is 8, and its error does not name the limit.
        boundary = boundary_of(content_type, version)
        self._first_line = b"\n--" + boundary
        self._parser = MultipartParser(boundary, callbacks, max_header_count=MOST_HEADERS + 1)

    async def take(self, chunks: AsyncIterator[bytes]) -> list[BodyPart]:
        """Reads all *chunks* and gives the parts. Refuses a body that is incomplete or malformed."""
        async for chunk in self._without_preamble(chunks):
            try:
                self._parser.write(chunk)
            except MultipartParseError as error:
                raise malformed(
                    "the multipart body is malformed: each boundary and each header needs a line of its own that ends"
                    " with CR LF, and an empty line stands before the data",
                    self._version,
                ) from error
        if not self.parts:
            raise malformed("the boundary of the Content-Type does not occur in the body", self._version)
        if not self._ended:
            raise malformed("the multipart body ends before its closing boundary", self._version)
        return self.parts

    async def _without_preamble(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """*chunks* from the first boundary on. A preamble is ignored (RFC 2046 5.1.1)."""
        read = b"\n"
        async for chunk in chunks:
            read += chunk
            start = read.find(self._first_line)
            if start >= 0:
                yield read[start + 1 :]
                break
            read = read[-len(self._first_line) :]
        async for chunk in chunks:
            yield chunk

    def _begin(self) -> None:
        if len(self.parts) > self._most_parts:
            raise Refused(f"more than {self._most_parts} attachments", status=413, error="too_large")
        self.parts.append(BodyPart(len(self.parts) + 1))
        self._name = self._value = b""
        self._headers = 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._name) + len(self._value) > LONGEST_HEADER or self._headers >= MOST_HEADERS:
            raise malformed(
                f"a part has a header longer than {LONGEST_HEADER} bytes, or more than {MOST_HEADERS}", self._version
            )

    def _header_end(self) -> None:
        self._headers += 1
        self._hold(len(self._name) + len(self._value))
        name = self._name.decode("latin-1").strip().lower()
        self.parts[-1].headers[name] = self._value.decode("latin-1").strip()
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self.parts[-1]
        part.size += end - start
        if len(self.parts) == 1 and part.size > self._largest_first:
            limit = self._largest_first
            raise Refused(f"the statements are larger than {limit} bytes", status=413, error="too_large")
        if (in_memory := min(end - start, IN_MEMORY - part.size + end - start)) > 0:
            self._hold(in_memory)
        part.data.write(data[start:end])

    def _end(self) -> None:
        self._ended = True


def malformed(message: str, version: str) -> Refused:
    """The refusal of a malformed request with attachments."""
    return Refused(message, rule=rule("Communication 1.5.2", version))


def boundary_of(content_type: str, version: str) -> bytes:
    """The boundary parameter. Refuses a content type without one."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary or len(boundary) > 200:
        raise malformed("the Content-Type multipart/mixed has no usable boundary parameter", version)
    return boundary


def close_parts(taken: Parts) -> None:
    """Closes the files of the parts."""
    for part in taken.parts:
        part.data.close()


class Attached(msgspec.Struct, frozen=True):
    """A part with the data of attachments: its *sha2*, and the name of its *blob*."""

    sha2: str
    blob: str
    part: BodyPart


def attached(part: BodyPart, version: str) -> Attached:
    """*part* with the SHA-2 in its header, which is compared with the data. Refuses a part that is no attachment."""
    if part.headers.get("content-transfer-encoding", "").lower() != "binary":
        raise malformed(f"part {part.number}, an attachment, needs Content-Transfer-Encoding: binary", version)
    told = part.headers.get("x-experience-api-hash", "").lower()
    digest = _DIGESTS.get(len(told))
    if digest is None:
        raise malformed(f"part {part.number}, an attachment, needs X-Experience-API-Hash with a SHA-2 in hex", version)
    computed = digest()
    named = computed if digest is sha256 else sha256()
    for chunk in part.chunks():
        computed.update(chunk)
        if named is not computed:
            named.update(chunk)
    if computed.hexdigest() != told:
        raise malformed(f"part {part.number} has not the data that its X-Experience-API-Hash says", version)
    return Attached(told, named.hexdigest(), part)
