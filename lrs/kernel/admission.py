"""Backpressure: how much is let in at once, and what is told to whoever does not fit (P7). Knows no request, no store.

Whoever refuses because there is too much uses a limit of this module and one of ``CAUSES``. A limit counts what the
work costs: bytes in memory or on their way, rows to be written, the age of the oldest. A cause has the status, the
message and the seconds of ``Retry-After``, and is the name under which ``/metrics`` counts the refusals.

Limits are for one thread, that of the event loop; a ``QueueLimit`` has no state.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.tables.file import MAX_BYTES

MEMORY_BYTES = 64 * 1024 * 1024
"""Default of ``LRS_QUEUE_BYTES``."""
QUEUE_STATEMENTS = 4_096
"""Default of ``LRS_QUEUE_COUNT``."""
QUEUE_SECONDS = 1.0
"""Default of ``LRS_QUEUE_AGE``."""
FILES_BYTES = 2 * MAX_BYTES
"""Bytes of files of imports that are being received at a time."""

LARGE_ANSWER = 256 * 1024
"""Bytes of an answer from which on it is counted, and sent a piece of this size at a time."""
ANSWERS_BYTES = 128 * 1024 * 1024
"""Bytes of large answers that are being sent at a time: some eight of the largest pages."""

IN_TIME = 0.5
"""Seconds from the arrival of a body to its answer; with the wait before it, the client sees about twice that."""
LEAST, FIRST, MOST = 256 * 1024, 512 * 1024, 64 * 1024 * 1024
"""Bytes being worked on: what is always let in at once, the bound at the start, and the highest."""
COUNTED = 64 * 1024
"""A larger body counts as this many bytes of work. Otherwise the largest would never be let in."""
FIRST_BYTES = 4 * 1024
"""Where not even these fit, a write is refused before anything is read of it."""
_LOWER = 0.75


class Cause(NamedTuple):
    """Why somebody is told to come back. *name* is its label in ``/metrics``, *seconds* stand in ``Retry-After``."""

    name: str
    seconds: int = 1
    status: int = 503
    error: str = "overloaded"
    message: str = "the server is busy: send this again"


MEMORY = Cause("memory")
"""The bytes of bodies in memory (``LRS_QUEUE_BYTES``)."""
WORK = Cause("work")
"""The bytes of bodies being worked on: more would not be answered in time."""
ROWS = Cause("queue_rows")
"""The rows that wait to be written (``LRS_QUEUE_COUNT``)."""
AGE = Cause("queue_age")
"""For how long the oldest of them has waited (``LRS_QUEUE_AGE``)."""
FILES = Cause("files", 30, error="imports_busy", message="other files are being received: send this one later")
"""The bytes of files of imports that are being received."""
ANSWERS = Cause("answers")
"""The bytes of large answers that others have not taken yet."""
CONFLICT = Cause("conflict")
"""Others changed the same document again and again while this change to it was worked out."""
CLOSING = Cause("closing")
"""The store is being closed: the server ends."""
LOCK = Cause("lock")
"""Another process did not let go of the store's file."""
DATABASE = Cause("database", 5)
"""The database is away, or does not answer in time."""
UNKNOWN = Cause(
    "outcome_unknown",
    5,
    error="outcome_unknown",
    message="the database did not answer in time, so this may be stored or not: look before you send it again",
)
"""The database did not say whether it has kept the write."""
DISK_FULL = Cause("disk_full", 30, 507, "store_full", "the disk is full: nothing of this request was stored")
READ_ONLY = Cause("read_only", 30, error="store_read_only", message="the store's folder is read-only")
TENANT = Cause(
    "tenant",
    30,
    error="unavailable",
    message="the store of this tenant cannot be opened at present; lrs doctor tells its operator why",
)
OPENING = Cause("opening", 5, message="the stores of many tenants are being opened: send this again")
"""The tenants that are being opened for requests."""
IMPORT = Cause("import", 30, error="import_failed", message="the import was given up; send the file again")
CREDENTIALS = Cause(
    "credentials", 60, 429, "too_many_attempts", "too many wrong credentials from this address; try again later"
)
"""Guesses are slowed down: no backpressure, but told in the same way."""
SIGNING_IN = Cause("signing_in", 2, message="many people are signing in: try again in a moment")
"""The passwords that are being hashed, and the sign-in providers that are being asked."""
CHECKING = Cause("checking", 10, 429, "too_many_checks", "many badges are being checked: try again in a moment")
"""The badges that are being checked for anybody."""

LOOKING = Cause(
    "looking", 10, 429, "too_many_requests", "this was asked for too often from here: try again in a moment"
)
"""What everybody may look at without signing in, and what is worked out for each request."""

CAUSES = (
    *(MEMORY, WORK, ROWS, AGE, FILES, ANSWERS, CONFLICT, CLOSING, LOCK, DATABASE, UNKNOWN),
    *(DISK_FULL, READ_ONLY, TENANT, OPENING, IMPORT, CREDENTIALS, SIGNING_IN, CHECKING, LOOKING),
)


class RetryLater(Refused):
    """A refusal of what may be sent again as it is, after the seconds in ``Retry-After``."""

    def __init__(self, cause: Cause, message: str = "", *, seconds: int = 0) -> None:
        super().__init__(
            message or cause.message,
            status=cause.status,
            error=cause.error,
            headers=(("retry-after", str(seconds or cause.seconds)),),
        )
        self.cause = cause


class Overloaded(Exception):
    """There is too much to do, or the store does not get to it; a client is told ``RetryLater`` with *cause*."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(f"there is too much to do ({cause.name})")
        self.cause = cause


class OutcomeUnknown(Overloaded):
    """The store did not answer whether it has kept the write: it may have. Nothing of it is tried again by itself."""

    def __init__(self) -> None:
        super().__init__(UNKNOWN)


class QueueLimit(msgspec.Struct, frozen=True):
    """Of decisions that wait to be written: the rows of all, and the age of the oldest in seconds."""

    rows: int
    age: float

    def check(self, rows: int, age: float) -> None:
        """Raises ``Overloaded`` if *rows* with one more decision, or the *age* of the oldest, are over the limit."""
        if rows > self.rows:
            raise Overloaded(ROWS)
        if age > self.age:
            raise Overloaded(AGE)


class Limit:
    """So many bytes may be inside at once; *cause* is told of what does not fit."""

    __slots__ = ("bound", "cause", "inside")

    def __init__(self, cause: Cause, bound: float) -> None:
        self.cause = cause
        self.bound = bound
        self.inside = 0

    def enter(self, size: int) -> None:
        """Lets *size* bytes in. Raises ``Overloaded`` if they do not fit."""
        if self.inside + size > self.bound:
            raise Overloaded(self.cause)
        self.inside += size

    def leave(self, size: int) -> None:
        """*size* bytes are no longer inside."""
        self.inside -= size


class AdaptiveLimit:
    """A limit on the bytes being worked on, whose bound is found by trying: as much as is answered in time.

    An event loop that is offered four times what it can do spends itself on requests whose answer comes too late. So an
    answer that took too long lowers the bound, answers in time raise it again. One that is alone always fits.
    """

    __slots__ = ("_clock", "_lowered", "bound", "cause", "inside")

    def __init__(self, cause: Cause, clock: Callable[[], float] = perf_counter) -> None:
        self.cause = cause
        self.bound = float(FIRST)
        self.inside = 0
        self._clock = clock
        self._lowered = 0.0

    def check(self, size: int) -> None:
        """Raises ``Overloaded`` if *size* bytes do not fit beside others."""
        if self.inside and self.inside + size > self.bound:
            raise Overloaded(self.cause)

    def enter(self, size: int) -> float:
        """Lets *size* bytes in, and gives the time. Raises ``Overloaded`` if they do not fit beside others."""
        self.check(size)
        self.inside += size
        return self._clock()

    def leave(self, size: int, since: float) -> None:
        """*size* bytes, which came in at the time *since*, are answered."""
        now = self._clock()
        if now - since > IN_TIME:
            if now - self._lowered > IN_TIME:  # once for all that were inside together
                self.bound = max(LEAST, self.bound * _LOWER)
                self._lowered = now
        elif 2 * self.inside > self.bound:
            self.bound = min(MOST, self.bound + size / 4)
        self.inside -= size


class Admission:
    """The limits of one server: bodies in memory (*memory_bytes*), bodies being worked on, files and answers."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES, clock: Callable[[], float] = perf_counter) -> None:
        self.memory = Limit(MEMORY, memory_bytes)
        self.work = AdaptiveLimit(WORK, clock)
        self.files = Limit(FILES, FILES_BYTES)
        self.answers = Limit(ANSWERS, ANSWERS_BYTES)


class Share:
    """What one request has inside. Each of its limits may raise ``Overloaded``."""

    __slots__ = ("_admission", "_answer", "_file", "_since", "_working", "held")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.held = self._working = self._file = self._answer = 0
        self._since = 0.0

    def check(self) -> None:
        """Asked of a write before anything of its body is read."""
        self._admission.work.check(FIRST_BYTES)

    def hold(self, size: int) -> None:
        """Bytes came that stay in memory until the answer."""
        self._admission.memory.enter(size)
        self.held += size

    def begin(self, size: int) -> None:
        """The body, of *size* bytes, is whole: work on it begins.

        Not before: whoever sends slowly would keep others out.
        """
        size = min(size, COUNTED)
        self._since = self._admission.work.enter(size)
        self._working = size

    def receive(self, size: int) -> None:
        """A file of *size* bytes is going to come, which is not held in memory."""
        self._admission.files.enter(size)
        self._file += size

    def send(self, size: int) -> None:
        """An answer of *size* bytes is going to be sent. Small ones do not count: the connection takes them whole."""
        if size > LARGE_ANSWER:
            self._admission.answers.enter(size)
            self._answer += size

    def sent(self) -> None:
        """The answer was sent. Again is harmless."""
        if self._answer:
            self._admission.answers.leave(self._answer)
            self._answer = 0

    def give_back(self) -> None:
        """Nothing of the body is inside any more: it is answered, or what came is kept. Again is harmless."""
        if self.held:
            self._admission.memory.leave(self.held)
            self.held = 0
        if self._working:
            self._admission.work.leave(self._working, self._since)
            self._working = 0
        if self._file:
            self._admission.files.leave(self._file)
            self._file = 0
