"""The step "deliver": sends what is owed, through whichever channel, and stores what became of it.

claim -> a line for each destination -> the channel composes what may be said now -> send, in a thread, outside any
transaction -> settle as delivered, or hand the claim back for later, or give up visibly -> the next of that line.

To one destination one call is made at a time, in the order of the deliveries; different destinations are called at the
same time. All but the calls is done in the worker's thread.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import NamedTuple

from lrs.kernel.times import SECOND
from lrs.outbox import deliveries, fate
from lrs.outbox.channel import LONGEST, Channels, Outcome
from lrs.outbox.destinations import record_id
from lrs.outbox.fate import Jitter, Outgoing, StoredOutcome
from lrs.outbox.senders import Senders
from lrs.outbox.turns import HeldTurns
from lrs.storage import Claim, Stale
from lrs.tenancy.tenants import Tenant

BATCH = 16
"""Deliveries that are claimed at once; more would wait in a line, and their leases run out."""
SLOW = 1.0
"""Seconds from which on a call counts as slow."""
_Failures = list[tuple[Claim, Exception]]


class _Waiting(NamedTuple):
    """A claim in a line, until when it is leased (microseconds UTC), and whether that was a moment ago."""

    claim: Claim
    until: int
    fresh: bool = True


@dataclass(slots=True)
class _Line:
    """What is claimed for one destination: those that wait, and the call under way. *slow*: the last one was."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    call: Outgoing | None = None

    @property
    def claims(self) -> list[Claim]:
        """All of it."""
        return [*([self.call.claim] if self.call else []), *(one.claim for one in self.waiting)]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the call of a line came to, and the seconds that it took."""

    name: str
    future: Future[Outcome]
    seconds: float


class Sending:
    """The deliveries of one tenant that this process has claimed. The worker's thread calls all its methods.

    *wake* is called from other threads when ``put_down`` has something to do, or ``begin`` has room again.
    """

    def __init__(
        self,
        channels: Channels,
        senders: Senders,
        wake: Callable[[], None] = lambda: None,
        *,
        jitter: Jitter = random.random,
    ) -> None:
        self._channels = channels
        self._senders = senders
        self._wake_worker = wake
        self._jitter = jitter
        self._turns = HeldTurns()
        self._lines: dict[str, _Line] = {}
        self._slow: set[str] = set()
        self._answers: deque[_Answer] = deque()
        self._storing: list[StoredOutcome] = []
        self._happened = threading.Event()

    @property
    def claims(self) -> list[Claim]:
        """What was begun and is not settled."""
        waiting = [claim for line in self._lines.values() for claim in line.claims]
        return waiting + [stored.claim for stored in self._storing]

    def wait(self) -> None:
        """Waits until there is something for ``put_down``, or room for more calls."""
        self._happened.wait()

    def room(self, tenant: Tenant) -> tuple[int, Sequence[int]]:
        """How many entries can be claimed now, and keys of the records to leave out: there is a line for them.

        Or another process sends there.
        """
        free = self._senders.free_or(self._wake)
        if not free:
            return 0, ()
        busy = [name for name, line in self._lines.items() if line.claims]
        return min(BATCH, free), [*map(_key_of, busy), *map(_key_of, self._turns.of_others(tenant))]

    def begin(self, tenant: Tenant, claims: Sequence[Claim], until: int) -> _Failures:
        """Sends what *claims* owe, which are leased *until* (microseconds UTC), each in the line of its destination.

        Gives those that failed unforeseen, with the reason.
        """
        ordered = sorted(claims, key=lambda claim: claim.record.seq)
        named = [(record_id(*fate.where(claim.record, self._channels)), claim) for claim in ordered]
        busy = {name for name, line in self._lines.items() if line.claims}
        try:
            ours = self._turns.take(tenant, dict.fromkeys(name for name, _ in named), LONGEST)
        except Exception as error:  # noqa: BLE001 (the worker hands the claims back with the reason)
            return [(claim, error) for claim in claims]
        left: list[Claim] = []
        for name, claim in named:
            if name in ours and (name not in busy or _key_of(name) in claim.record.keys):
                self._lines.setdefault(name, _Line()).waiting.append(_Waiting(claim, until))
            else:
                left.append(claim)
        fate.leave(tenant, left, self._channels)
        return self._advance(tenant)

    def put_down(self, tenant: Tenant) -> _Failures:
        """Stores what the calls that ended came to, and begins the next of their lines.

        Gives those that failed unforeseen. It does not wait for the commits: what they come to is seen the next time.
        """
        self._happened.clear()
        failures = self._stored()
        while self._answers:
            self._store(tenant, self._answers.popleft(), failures)
        return failures + self._advance(tenant)

    def rest(self, tenant: Tenant) -> None:
        """Leaves the turns of destinations for which nothing is left. To be called when nothing more can be claimed."""
        done = [name for name, line in self._lines.items() if not line.claims]
        for name in done:
            del self._lines[name]
        self._turns.leave(tenant, done)

    def release(self, tenant: Tenant) -> None:
        """Hands back what was not begun."""
        for line in self._lines.values():
            _release(tenant, line)

    def _advance(self, tenant: Tenant) -> _Failures:
        """Begins the next call of each line in which none is under way."""
        failures: _Failures = []
        for name, line in self._lines.items():
            while line.waiting and not line.call and self._next(tenant, name, line, failures):
                pass
            line.waiting = deque(one._replace(fresh=False) for one in line.waiting)
        return failures

    def _next(self, tenant: Tenant, name: str, line: _Line, failures: _Failures) -> bool:
        """Takes the first of *line*, and sends what it owes if there is something to send. ``False`` without room."""
        slow = name in self._slow
        if not self._senders.reserve(self._wake, slow=slow):
            return False
        one = line.waiting.popleft()
        with _kept(one.claim, failures):
            line.call = self._call(tenant, name, line, one)
        if line.call is None:
            self._senders.give_back(slow=slow)
            return True
        begun = monotonic()

        def ended(future: Future[Outcome]) -> None:
            self._answers.append(_Answer(name, future, monotonic() - begun))
            self._wake()

        self._senders.send(partial(line.call.message.send, tenant.settings), ended, slow=slow)
        return True

    def _call(self, tenant: Tenant, name: str, line: _Line, one: _Waiting) -> Outgoing | None:
        """What to send; ``None`` if there is nothing to send, or not enough time left for it."""
        begun = fate.begin(tenant, one.claim, self._channels, fresh=one.fresh)
        if isinstance(begun, StoredOutcome):
            self._note(begun)
        if not isinstance(begun, Outgoing):
            return None
        longest = begun.message.longest
        has_time = one.fresh or one.until >= tenant.clock() + round(longest * SECOND)
        if has_time and self._turns.take(tenant, [name], longest):
            return begun
        line.waiting.appendleft(one)
        _release(tenant, line)
        return None

    def _store(self, tenant: Tenant, answer: _Answer, failures: _Failures) -> None:
        line = self._lines[answer.name]
        call, line.call = line.call, None
        assert call is not None  # noqa: S101 (an answer is to a call)
        (self._slow.add if answer.seconds > SLOW else self._slow.discard)(answer.name)
        with _kept(call.claim, failures):
            if stored := fate.end(tenant, call, answer.future, self._jitter):
                self._note(stored)

    def _note(self, stored: StoredOutcome) -> None:
        self._storing.append(stored)
        stored.commit.add_done_callback(lambda _: self._wake())

    def _stored(self) -> _Failures:
        """Looks at the commits that are done."""
        failures: _Failures = []
        storing, self._storing = self._storing, []
        for stored in storing:
            if stored.commit.done():
                with _kept(stored.claim, failures):
                    stored.finish()
            else:
                self._storing.append(stored)
        return failures

    def _wake(self) -> None:
        self._happened.set()
        self._wake_worker()


@contextmanager
def _kept(claim: Claim, failures: _Failures) -> Iterator[None]:
    """Goes on whatever fails, and keeps why; a claim that somebody else has by now is no failure."""
    try:
        yield
    except Stale:
        pass
    except Exception as error:  # noqa: BLE001 (the worker hands the claim back with the reason)
        failures.append((claim, error))


def _release(tenant: Tenant, line: _Line) -> None:
    tenant.store.release([one.claim for one in line.waiting])
    line.waiting.clear()


def _key_of(name: str) -> int:
    """The key of what waits for the destination with the record *name*."""
    channel, _, to = name.partition("/")
    return deliveries.waiting_key(channel, to)
