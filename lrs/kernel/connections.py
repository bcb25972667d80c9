"""Connections of outbound calls: to an address that was checked, until a deadline, kept open for the next call."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpcore2

IDLE = 10.0
"""Seconds after a call until its connection is closed."""
OLDEST = 60.0
"""Seconds after which a connection serves no further call: the next one looks the name up and checks its address."""
TIMER = "kept-connections"
"""The name of the thread that closes idle connections."""
EACH, ALL = 4, 64
"""Idle connections to one place, and to all places."""


_PIECE = 16 * 1024
"""Bytes that are sent before it is asked again how much time is left."""


@dataclass(slots=True)
class Deadline:
    """When the call under way on a connection ends, by ``time.monotonic``. Each call sets it anew."""

    at: float


@dataclass(slots=True)
class Opened:
    """A pool of one connection, its *deadline*, and when it was opened and last used (``time.monotonic``)."""

    pool: httpcore2.ConnectionPool
    deadline: Deadline
    opened: float = field(default_factory=time.monotonic)
    used: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the next request can use its connection, as far as is known here."""
        return any(each.is_idle() and not each.has_expired() for each in self.pool.connections)

    def is_over(self, now: float) -> bool:
        """Whether no further call may use it."""
        return now > self.used + IDLE or now > self.opened + OLDEST


class KeptConnections:
    """Idle connections by place. Each is used by one call at a time: who takes one gives it back after the call."""

    def __init__(self) -> None:
        self._idle: dict[Hashable, list[Opened]] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self, place: Hashable) -> Opened | None:
        """The connection to *place* that was used last, if one is open and not too old."""
        now = time.monotonic()
        with self._lock:
            some = self._idle.get(place)
            found = some.pop() if some else None
            if not some:
                self._idle.pop(place, None)
        if found is not None and (found.is_over(now) or not found.is_open):
            found.pool.close()
            return None
        return found

    def give(self, place: Hashable, one: Opened) -> None:
        """Keeps *one* for the next call, unless it is closed, too old, or there are enough."""
        one.used = now = time.monotonic()
        with self._lock:
            some = self._idle.get(place, [])
            full = len(some) >= EACH or sum(map(len, self._idle.values())) >= ALL
            keep = one.is_open and not full and not one.is_over(now)
            if keep:
                self._idle.setdefault(place, []).append(one)
                self._wait()
        if not keep:
            one.pool.close()

    def close(self, *, everything: bool = True) -> None:
        """Closes idle connections: *everything*, or those whose time is over."""
        now = time.monotonic()
        with self._lock:
            over = [one for some in self._idle.values() for one in some if everything or one.is_over(now)]
            for place in [*self._idle]:
                left = [one for one in self._idle[place] if not any(one is each for each in over)]
                if left:
                    self._idle[place] = left
                else:
                    del self._idle[place]
            self._timer = None
            if self._idle:
                self._wait()
        for one in over:
            one.pool.close()

    def _wait(self) -> None:
        """Looks once more after ``IDLE`` seconds, so that nothing stays open when no further call comes."""
        if self._timer is None:
            self._timer = threading.Timer(IDLE, self.close, kwargs={"everything": False})
            self._timer.name, self._timer.daemon = TIMER, True
            self._timer.start()


class CheckedAddress(httpcore2.NetworkBackend):
    """Connects once to *address*, whatever host the URL names, until *deadline* at the latest."""

    def __init__(self, address: str, deadline: Deadline) -> None:
        self._address = address
        self._is_used = False
        self._deadline = deadline
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 (that is the point)
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """See ``httpcore2.NetworkBackend``."""
        if self._is_used:
            raise httpcore2.ConnectError("the address was checked for one connection")
        self._is_used = True
        stream = self._network.connect_tcp(self._address, port, timeout, local_address, socket_options)
        return UntilDeadline(stream, self._deadline)


class UntilDeadline(httpcore2.NetworkStream):
    """A connection whose call ends at *deadline*, even if the other side keeps sending, or takes things slowly."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See ``httpcore2.NetworkStream``."""
        return self._stream.read(max_bytes, self._left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See ``httpcore2.NetworkStream``. In pieces, because the time is only looked at before each."""
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """See ``httpcore2.NetworkStream``."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """See ``httpcore2.NetworkStream``."""
        left = self._left(timeout, httpcore2.ConnectTimeout)
        return UntilDeadline(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See ``httpcore2.NetworkStream``."""
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, over: type[httpcore2.TimeoutException]) -> float:
        left = self._deadline.at - time.monotonic()
        if left <= 0:
            raise over
        return left if timeout is None else min(timeout, left)
