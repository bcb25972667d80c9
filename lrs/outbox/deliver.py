"""The step "deliver": sends what is owed, through whichever channel, and stores what became of it.

claim -> a line for each destination -> the channel composes what may be said now -> send, in a thread, outside any
transaction -> settle as delivered, or hand the claim back for later, or give up visibly -> the next of that line.

To one destination one call is made at a time, in the order of the deliveries; different destinations are called at the
same time. All but the calls is done in the worker's thread. What deliveries will look up is read for many of them at
once. Those of one line that were composed from it are sent by one thread, as long as each arrives, so that no call
waits for another thread. Deliveries that arrive during a commit are settled together by the next one.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from lrs.kernel.times import SECOND
from lrs.outbox import deliveries, fate
from lrs.outbox.channel import LONGEST, Channels
from lrs.outbox.destinations import record_id
from lrs.outbox.fate import FailedClaims, Jitter, Outgoing, Settled, StoredOutcome, kept
from lrs.outbox.foreseen import AT_ONCE, FRESH, Foreseen, is_foreseeable
from lrs.outbox.lines import IN_A_ROW, SLOW, CallMade, CallsOver, Composed, InLine, Line, make
from lrs.outbox.senders import Senders
from lrs.outbox.turns import HeldTurns
from lrs.storage import Claim
from lrs.tenancy.tenants import Tenant

BATCH = 16
"""Deliveries that are claimed at once. More would wait in a line until their leases run out."""


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
        self._lines: dict[str, Line] = {}
        self._slow: set[str] = set()
        self._answers: deque[CallsOver] = deque()
        self._over: list[Settled] = []
        self._settling: StoredOutcome | None = None
        self._storing: list[StoredOutcome] = []
        self._foreseen: Foreseen | None = None
        self._is_handing_back = False
        self._happened = threading.Event()

    @property
    def claims(self) -> list[Claim]:
        """All claims that are not settled."""
        waiting = [claim for line in self._lines.values() for claim in line.claims]
        storing = [claim for stored in self._storing for claim in stored.claims]
        return [*waiting, *(one.claim for one in self._over), *storing]

    def wait(self) -> None:
        """Waits until ``put_down`` has something to do, or more calls can begin."""
        self._happened.wait()

    def room(self, tenant: Tenant) -> tuple[int, Sequence[int]]:
        """How many entries can be claimed now, and the keys of records to leave out.

        These are the records for destinations that have a line here, or to which another process sends.
        """
        free = self._senders.free_or(self._wake)
        if not free:
            return 0, ()
        busy = [name for name, line in self._lines.items() if line.claims]
        return min(BATCH, free), [*map(_key_of, busy), *map(_key_of, self._turns.of_others(tenant))]

    def begin(self, tenant: Tenant, claims: Sequence[Claim], until: int) -> FailedClaims:
        """Sends what *claims* owe, each in the line of its destination. They are leased *until* (microseconds UTC).

        Gives those that failed unforeseen, with the reason.
        """
        self._is_handing_back = False
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
                self._lines.setdefault(name, Line()).waiting.append(InLine(claim, until))
            else:
                left.append(claim)
        fate.leave(tenant, left, self._channels)
        failures = self._advance(tenant)
        return failures + self._settle(tenant)

    def put_down(self, tenant: Tenant) -> FailedClaims:
        """Stores the outcomes of calls that ended, and begins the next call of each line.

        Gives those that failed unforeseen. Does not wait for the commits: their results are looked at the next time.
        """
        self._happened.clear()
        failures = self._stored()
        while self._answers:
            self._store(tenant, self._answers.popleft(), failures)
        if self._is_handing_back:
            self.release(tenant)
        failures += self._advance(tenant)
        return failures + self._settle(tenant)

    def rest(self, tenant: Tenant) -> None:
        """Gives up the turns of destinations that have no claims left. Call it when nothing more can be claimed."""
        done = [name for name, line in self._lines.items() if not line.claims]
        for name in done:
            del self._lines[name]
        self._turns.leave(tenant, done)

    def release(self, tenant: Tenant) -> None:
        """Hands back the claims whose calls have not begun; until ``begin``, also those that a row leaves over."""
        self._is_handing_back = True
        for line in self._lines.values():
            _release(tenant, line)

    def _advance(self, tenant: Tenant) -> FailedClaims:
        """Begins the next calls in each line without a call under way."""
        failures: FailedClaims = []
        for name, line in self._lines.items():
            while line.waiting and not line.calls and self._next(tenant, name, line, failures):
                pass
            line.waiting = deque(one._replace(fresh=False) for one in line.waiting)
        return failures

    def _next(self, tenant: Tenant, name: str, line: Line, failures: FailedClaims) -> bool:
        """Takes the first claims of *line* and sends what they owe, one after another, if there is something to send.

        ``False`` without room.
        """
        slow = name in self._slow
        if not self._senders.reserve(self._wake, slow=slow):
            return False
        line.calls = self._calls(tenant, name, line, failures)
        if not line.calls:
            self._senders.give_back(slow=slow)
            return True

        def ended(future: Future[Sequence[CallMade]]) -> None:
            self._answers.append(CallsOver(name, future))
            self._wake()

        self._senders.send(partial(make, line.calls, tenant.settings), ended, slow=slow)
        return True

    def _calls(self, tenant: Tenant, name: str, line: Line, failures: FailedClaims) -> list[Composed]:
        """The next calls of *line*: several if they are composed from what was read ahead, and it is not slow."""
        calls: list[Composed] = []
        most = 1 if name in self._slow else IN_A_ROW
        while line.waiting and len(calls) < most and (not calls or self._is_foreseeable(line.waiting[0])):
            one, call = line.waiting.popleft(), None
            with kept(one.claim, failures):
                call = self._call(tenant, name, line, one)
            if call is not None:
                calls.append(Composed(one, call, self._foreseen.until if self._foreseen else 0.0))
            if not self._is_foreseeable(one):
                break
        return calls

    def _is_foreseeable(self, one: InLine) -> bool:
        return is_foreseeable(one.claim.record, self._channels)

    def _call(self, tenant: Tenant, name: str, line: Line, one: InLine) -> Outgoing | None:
        """The call for the claim; ``None`` if there is nothing to send, or too little time left."""
        seen = self._seen(tenant, one) if self._is_foreseeable(one) else None
        begun = fate.begin(tenant, one.claim, self._channels, fresh=one.fresh, seen=seen)
        if not isinstance(begun, Outgoing):
            self._note(begun)
            return None
        longest = begun.message.longest + (FRESH if seen else 0)
        has_time = one.fresh or one.until >= tenant.clock() + round(longest * SECOND)
        if has_time and self._turns.take(tenant, [name], longest):
            return begun
        line.waiting.appendleft(one)
        _release(tenant, line)
        return None

    def _seen(self, tenant: Tenant, one: InLine) -> Tenant:
        """*tenant* with what was read ahead for *one*, together with what waits in the lines that are not slow."""
        if self._foreseen is None or not self._foreseen.covers(one.claim):
            lines = [line for name, line in self._lines.items() if name not in self._slow]
            waiting = [one, *(other for line in lines for other in line.waiting)]
            some = [other for other in waiting if self._is_foreseeable(other)][:AT_ONCE]
            fresh = [other.claim for other in some if other.fresh]
            self._foreseen = Foreseen(tenant, [other.claim for other in some], fresh, self._channels)
        return self._foreseen.tenant

    def _store(self, tenant: Tenant, answer: CallsOver, failures: FailedClaims) -> None:
        line, ended = self._lines[answer.name], answer.future.result()
        calls, line.calls = line.calls, ()
        line.take_back(calls[len(ended) :])
        for one, made in zip(calls, ended, strict=False):
            (self._slow.add if made.seconds > SLOW else self._slow.discard)(answer.name)
            with kept(one.waiting.claim, failures):
                stored = None
                try:
                    stored = fate.end(tenant, one.call, made.outcome, self._jitter)
                finally:
                    if not isinstance(stored, Settled):  # the destination may be stopped now: it must be read again
                        self._foreseen = None
                self._note(stored)

    def _settle(self, tenant: Tenant) -> FailedClaims:
        """Stores in one commit the deliveries that are over.

        While one commit is under way, they gather for the next.
        """
        if not self._over or self._settling in self._storing:
            return []
        over, self._over = self._over, []
        try:
            self._settling = fate.settle(tenant, over)
        except Exception as error:  # noqa: BLE001 (the worker hands the claims back with the reason)
            return [(one.claim, error) for one in over]
        self._note(self._settling)
        return []

    def _note(self, stored: Settled | StoredOutcome | None) -> None:
        if isinstance(stored, Settled):
            self._over.append(stored)
        elif stored:
            self._storing.append(stored)
            stored.commit.add_done_callback(lambda _: self._wake())

    def _stored(self) -> FailedClaims:
        """Looks at the commits that are done, and gives what failed."""
        failures: FailedClaims = []
        storing, self._storing = self._storing, []
        for stored in storing:
            if stored.commit.done():
                failures += stored.finish()
            else:
                self._storing.append(stored)
        return failures

    def _wake(self) -> None:
        self._happened.set()
        self._wake_worker()


def _release(tenant: Tenant, line: Line) -> None:
    tenant.store.release([one.claim for one in line.waiting])
    line.waiting.clear()


def _key_of(name: str) -> int:
    """The key of all deliveries that wait for the destination with the record *name*."""
    channel, _, to = name.partition("/")
    return deliveries.waiting_key(channel, to)
