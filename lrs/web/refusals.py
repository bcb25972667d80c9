"""Writes what this server refused to a small file beside the data, without what was sent.

A line has the time, the name of the key, the resource, the place in the body and the rule. It has no value, and of the
message only a sentence that is ours alone (``Refused.plain``), because others may quote what was sent. A place has only
names that xAPI and our interface know.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from lrs.kernel.admission import RetryLater
from lrs.kernel.errors import Refused
from lrs.storage.private import private_file, private_folder

FILE = "refusals.jsonl"
MOST_BYTES = 1024 * 1024
"""Size at which the file is renamed to ``refusals.jsonl.1``, which replaces the former one."""
AT_ONCE = 200
"""Lines of one write. Further refusals in that time are only counted, because under overload there may be thousands."""
PAUSE = 0.2
"""Seconds between two writes."""
NOBODY = "-"
_NAMES = """
id actor verb object result context timestamp stored authority version attachments objectType name mbox account
mbox_sha1sum openid homePage member display definition description type moreInfo extensions interactionType
correctResponsesPattern choices scale source target steps score scaled raw min max success completion response
duration registration instructor team contextActivities parent grouping category other revision platform
language statement contextAgents contextGroups agent group relevantTypes usageType contentType length sha2
fileUrl reference learner scopes purpose consentDays file adapter provider mapping dryRun cursor limit role
"""
_KNOWN = frozenset(_NAMES.split())
_NUMBERED = """
member attachments parent grouping category other choices scale source target steps correctResponsesPattern
contextAgents contextGroups relevantTypes scopes
"""
_LISTS = frozenset(_NUMBERED.split())
"""Members whose places are numbers. Anywhere else digits are a name, such as a learner number or a telephone number."""
_LONGEST_NUMBER = 3
_log = structlog.get_logger()


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. *at* is an ISO 8601 time, *place* a JSON pointer, *dropped* the number of further refusals.

    *cause* is why the sender was asked to come back later (see ``lrs.kernel.admission``), if so. *says* is the sentence
    of the answer, if it has nothing that was sent. *key* is the id of the key, only where ``kept_refusals`` knows it.
    """

    at: str
    source: str
    tenant: str = ""
    method: str = ""
    resource: str = ""
    status: int = 0
    error: str = ""
    cause: str = ""
    index: int | None = None
    place: str | None = None
    rule: str | None = None
    request: str = ""
    dropped: int = 0
    says: str = ""
    key: str = ""


def refusal_of(refused: Refused, *, tenant: str, source: str, method: str, resource: str, request: str) -> Refusal:
    """The line for *refused*. *resource* is one of our few names, never a text of the client."""
    return Refusal(
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        tenant=tenant,
        source=source or NOBODY,
        method=method[:10],
        resource=resource,
        status=refused.status,
        error=refused.error,
        cause=refused.cause.name if isinstance(refused, RetryLater) else "",
        index=refused.index,
        place=place_of(refused.pointer, refused.index),
        rule=refused.rule,
        request=request,
        says=refused.plain,
    )


def place_of(pointer: str | None, index: int | None = None) -> str | None:
    """*pointer* with ``…`` in place of each name that we do not know. *index* is that of the statement."""
    if pointer is None:
        return None
    before = "batch"
    shown = []
    for part in pointer.split("/"):
        shown.append(part if not part or part in _KNOWN or _is_number(part, before, index) else "…")
        before = part or before
    return "/".join(shown)


def _is_number(part: str, before: str, index: int | None) -> bool:
    """Whether *part*, after *before*, is an index of a list."""
    if before == "batch":
        return part == str(index)
    return before in _LISTS and len(part) <= _LONGEST_NUMBER and part.isascii() and part.isdigit()


class Noted(NamedTuple):
    """A refusal that waits to be written. *key* is the API key as it was sent, with the right secret or a wrong one."""

    refusal: Refusal
    key: str = ""


Keep = Callable[[Sequence[Noted]], None]
"""Stores refusals in another place as well. It is called in the writing thread and must not fail."""


def _keeps_nothing(_: Sequence[Noted]) -> None:
    return


class Refusals:
    """Writes refusals in a thread of its own. It makes *folder* with the first one, and also calls *keep*."""

    def __init__(self, folder: Path, keep: Keep = _keeps_nothing) -> None:
        self._path = folder / FILE
        self._keep = keep
        self._waiting: deque[Noted] = deque()
        self._dropped = 0
        self._called = threading.Event()
        self._over = threading.Event()
        self._fails = False
        self._thread: threading.Thread | None = None

    def note(self, refusal: Refusal, key: str = "") -> None:
        """Adds *refusal*. Never waits, never fails. Only the thread of the event loop calls it."""
        if len(self._waiting) < AT_ONCE:
            self._waiting.append(Noted(refusal, key))
        else:
            self._dropped += 1
        self._called.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="refusals", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Writes the added refusals."""
        self._over.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join()

    def _write_all(self) -> None:
        while not self._over.is_set():
            self._called.wait()
            self._called.clear()
            self._write()
            self._over.wait(PAUSE)
        self._write()

    def _write(self) -> None:
        noted = [self._waiting.popleft() for _ in range(len(self._waiting))]
        lines = [one.refusal for one in noted]
        dropped, self._dropped = self._dropped, 0
        if dropped and lines:
            lines.append(Refusal(lines[-1].at, NOBODY, dropped=dropped))
        try:
            if lines:
                _append(self._path, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
            self._fails = False
        except OSError as error:
            if not self._fails:  # logged once, not for each refusal
                _log.warning("refusals cannot be written down", error=type(error).__name__)
            self._fails = True
        if noted:
            self._keep(noted)


def _append(path: Path, text: bytes) -> None:
    private_folder(path.parent)
    with suppress(FileNotFoundError):
        if path.stat().st_size >= MOST_BYTES:
            path.replace(path.with_name(f"{FILE}.1"))
    private_file(path)
    with path.open("ab") as file:
        file.write(text)


def newest(folder: Path, count: int, source: str | None = None) -> list[Refusal]:
    """The last *count* lines, of *source* if one is named; oldest first."""
    found: deque[Refusal] = deque(maxlen=count)
    for name in (f"{FILE}.1", FILE):
        with suppress(FileNotFoundError):
            found.extend(one for one in _read(folder / name)[0] if source in {None, one.source})
    return list(found)


class Follower:
    """Gives the lines that are added to the file after this object was made, also when the file is renamed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._at, self._file = self._end()

    def added(self) -> Iterator[Refusal]:
        """The lines since the last call."""
        before = self._file
        size, self._file = self._end()
        if self._file != before:
            old = self._path.with_name(f"{FILE}.1")
            with suppress(FileNotFoundError):
                if before is not None and old.stat().st_ino == before:
                    yield from _read(old, self._at)[0]
            self._at = 0
        if size > self._at:
            with suppress(FileNotFoundError):
                found, self._at = _read(self._path, self._at)
                yield from found

    def _end(self) -> tuple[int, int | None]:
        try:
            told = self._path.stat()
        except FileNotFoundError:
            return 0, None
        return told.st_size, told.st_ino


def _read(path: Path, start: int = 0) -> tuple[list[Refusal], int]:
    """The complete lines from *start* on, and where they end. The file may grow meanwhile."""
    found = []
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):  # the line is being written, or a full disk cut it off
                break
            start += len(line)
            with suppress(msgspec.MsgspecError):  # the rest of a line that was cut off, and the next one
                found.append(msgspec.json.decode(line, type=Refusal))
    return found, start
