"""Decides what is sent for a claim, and stores what became of it. Runs in the worker's thread; sends nothing.

Knows no channel: the table of them is passed in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from lrs.kernel import outbound
from lrs.kernel.admission import OutcomeUnknown
from lrs.kernel.plain_text import counted
from lrs.kernel.times import SECOND
from lrs.outbox import deliveries, destinations
from lrs.outbox.channel import ACTIVE, UNKNOWN, Channel, Channels, End, Message, Outcome, Undeliverable, Unneeded
from lrs.outbox.schedule import FAILED_OFTEN, LONGEST_OF_STREAM, next_try
from lrs.storage import Claim, Owed, Record, Stale, Tx, put_aside
from lrs.tenancy.tenants import Tenant

Jitter = Callable[[], float]
"""Gives numbers from 0 to 1."""
LATER = 5
"""Seconds after which an entry that another process cannot leave out by a key is due again."""


class Outgoing(msgspec.Struct, frozen=True):
    """The call for a claim: through which channel, to which destination, with which message."""

    claim: Claim
    channel: Channel
    to: str
    message: Message


FailedClaims = list[tuple[Claim, Exception]]
"""Claims that failed unforeseen, with the reason."""


class StoredOutcome(NamedTuple):
    """The commit that stores what became of *claims*. *finish* waits for it, and gives what has failed."""

    claims: Sequence[Claim]
    commit: Future[Any]
    finish: Callable[[], FailedClaims]


class Settled(msgspec.Struct, frozen=True):
    """A delivery that is over: the new meta of its record. It is stored with others in one commit (``settle``)."""

    claim: Claim
    meta: Mapping[str, Any]


class _Held(Exception):
    """The destination is paused. Carries the channel and its name."""

    def __init__(self, channel: Channel, to: str) -> None:
        super().__init__()
        self.channel = channel
        self.to = to


def where(record: Record, channels: Channels) -> tuple[str, str]:
    """The channel and the destination for *record*. Each unreadable record has a destination of its own."""
    name = deliveries.channel_of(record)
    to = record.meta.get("to")  # a delivery of 0.2.0 has it in its body
    if to is None and name in channels:
        to = channels[name].about(record)["to"]
    return (UNKNOWN, record.id) if to in {None, UNKNOWN} else (name, str(to))


def begin(
    tenant: Tenant, claim: Claim, channels: Channels, *, fresh: bool, seen: Tenant | None = None
) -> Outgoing | Settled | StoredOutcome | None:
    """The call for the claim, or how the claim ended without one.

    A delivery that is over is not sent again. *fresh*: the claim was made a moment ago, so its record is not read
    again. *seen* is the tenant with records that were read ahead (see ``Foreseen``).
    """
    seen = seen or tenant
    record = claim.record if fresh else seen.store.get(claim.record.kind, claim.record.id)
    if record is None or (record.kind == deliveries.KIND and record.meta["state"] != deliveries.QUEUED):
        return None
    name = deliveries.channel_of(record)
    if name not in channels:
        give_up(tenant, claim, f"there is no channel {name}")
        return None
    try:
        return _composed(seen, claim, record, channels[name])
    except Unneeded as unneeded:
        return Settled(claim, {"state": unneeded.state, "reason": str(unneeded)})
    except _Held as held:
        hold = functools.partial(destinations.hold, channel=held.channel, to=held.to, id=claim.record.id)

        def store(_: Claim) -> Future[Any]:
            return tenant.store.settle([claim], hold)

        return _storing(tenant, [claim], store(claim), store)
    except Undeliverable as undeliverable:
        give_up(tenant, claim, str(undeliverable))
    except msgspec.MsgspecError as error:
        give_up(tenant, claim, f"cannot be composed: {type(error).__name__}")
    return None


def give_up(tenant: Tenant, claim: Claim, reason: str) -> None:
    """Puts a delivery aside, visibly. What waited for it becomes due. Does nothing if the lease was lost."""
    _put_aside(tenant, claim, lambda _: reason)


def _put_aside(tenant: Tenant, claim: Claim, why: Callable[[Tx], str]) -> None:
    def decide(tx: Tx) -> str:
        if claim.record.kind == deliveries.KIND:
            deliveries.give_up(tx, claim.record.id)
        return why(tx)

    put_aside(tenant.store, claim, decide, tenant.clock())


@contextmanager
def kept(claim: Claim, failures: FailedClaims) -> Iterator[None]:
    """Adds an error of the block to *failures* and goes on. A claim that somebody else has by now is no failure."""
    try:
        yield
    except Stale:
        pass
    except Exception as error:  # noqa: BLE001 (the worker hands the claim back with the reason)
        failures.append((claim, error))


def end(tenant: Tenant, call: Outgoing, answer: Outcome | Exception, jitter: Jitter) -> Settled | StoredOutcome | None:
    """Begins to store what became of a call. ``None`` if that is done.

    A delivery that arrived is given back, to be stored with others. If the store does not know whether something was
    stored, it is asked, and it is stored once more if it was not: the call was made, and must not be made again for
    that. Raises what the call has raised unforeseen.
    """
    outcome, claim = _outcome(answer), call.claim
    if outcome.end is End.DELIVERED and not call.message.advance:
        return Settled(claim, {"state": deliveries.DELIVERED, "status": outcome.status, "at": tenant.clock()})

    def store(_: Claim) -> Future[Any] | None:
        return _end(tenant, call, outcome, jitter)

    try:
        commit = store(claim)
    except OutcomeUnknown:
        if tenant.store.holds(claim) and (again := store(claim)):
            again.result()
        return None
    return _storing(tenant, [claim], commit, store) if commit else None


def settle(tenant: Tenant, over: Sequence[Settled]) -> StoredOutcome:
    """Begins to store that the deliveries of *over* are over, all in one commit."""
    by_token = {one.claim.token: one for one in over}

    def alone(claim: Claim) -> Future[Any]:
        return _settle(tenant, [by_token[claim.token]])

    def lost(claim: Claim) -> Future[Any]:
        arrived = functools.partial(deliveries.arrived_anyway, id=claim.record.id, meta=by_token[claim.token].meta)
        return tenant.store.write(arrived)

    return _storing(tenant, [one.claim for one in over], _settle(tenant, over), alone, lost)


def _storing(
    tenant: Tenant,
    claims: Sequence[Claim],
    commit: Future[Any],
    again: Callable[[Claim], Future[Any] | None],
    lost: Callable[[Claim], Future[Any] | None] = lambda _: None,
) -> StoredOutcome:
    """If *commit* fails or its outcome is unknown, each claim that is still leased is stored *again*, by itself.

    What is still to be done for a claim that is not leased any more does *lost*.
    """

    def finish() -> FailedClaims:
        failures: FailedClaims = []
        for claim in claims if commit.exception() else ():
            with kept(claim, failures):
                if anew := (again if tenant.store.holds(claim) else lost)(claim):
                    anew.result()
        return failures

    return StoredOutcome(claims, commit, finish)


def _settle(tenant: Tenant, over: Sequence[Settled]) -> Future[Any]:
    decide = functools.partial(deliveries.mark, outcomes={one.claim.record.id: one.meta for one in over})
    reads = [(one.claim.record.kind, one.claim.record.id) for one in over]
    return tenant.store.settle([one.claim for one in over], decide, reads=reads)


def leave(tenant: Tenant, claims: Sequence[Claim], channels: Channels) -> None:
    """Hands back claims that are not sent now.

    A delivery without the key by which others leave it out could be claimed again at once, so it gets the key. Anything
    else without it is due a little later.
    """
    placed = [(claim, *where(claim.record, channels)) for claim in claims]
    odd = [one for one in placed if deliveries.waiting_key(*one[1:]) not in one[0].record.keys]
    for claim, channel, to in odd:
        decide: Callable[[Tx], None]
        if claim.record.kind == deliveries.KIND:
            decide = functools.partial(deliveries.rejoin, id=claim.record.id, channel=channel, to=to)
        else:
            again = Owed(deliveries.STEP, due=tenant.clock() + LATER * SECOND)
            decide = functools.partial(_owe, record=claim.record, owed=again)
        tenant.store.settle([claim], decide).result()
    lost = {claim.token for claim, _, _ in odd}
    tenant.store.release([claim for claim in claims if claim.token not in lost])


def _owe(tx: Tx, *, record: Record, owed: Owed) -> None:
    tx.owe(record.kind, record.id, owed)


def _composed(tenant: Tenant, claim: Claim, record: Record, channel: Channel) -> Outgoing:
    """The call for *record*. Raises as ``Channel.compose`` does."""
    name, to = where(record, {channel.name: channel})
    if name == UNKNOWN:
        raise Undeliverable("cannot be composed: it names no destination")
    destination = destinations.find(tenant, channel, to)
    if destination is None:
        raise Undeliverable(f"there is no destination {to} of the channel {channel.name}")
    if destination.state != ACTIVE:
        why = destinations.stopped(destination.state, destination.reason)
        if record.kind == destinations.KIND:
            raise Unneeded(destination.state, why)  # a stream goes on by itself once it is active again
        if destinations.waits(channel, destination):
            raise _Held(channel, to)
        raise Undeliverable(why)
    return Outgoing(claim, channel, to, channel.compose(tenant, record, destination))


def _outcome(answer: Outcome | Exception) -> Outcome:
    if isinstance(answer, outbound.Blocked):
        return Outcome(End.REFUSED, f"not sent: {answer}")
    if isinstance(answer, outbound.Unreachable):
        return Outcome(End.LATER, str(answer))
    if isinstance(answer, Exception):
        raise answer
    return answer


def _end(tenant: Tenant, call: Outgoing, outcome: Outcome, jitter: Jitter) -> Future[Any] | None:
    """Stores what became of a call. Gives the commit of a stream that goes on."""
    claim, message = call.claim, call.message
    is_over = message.advance and outcome.end is End.FAILED and claim.owed.tries >= FAILED_OFTEN
    if outcome.end in {End.LATER, End.FAILED} and not is_over:
        _later(tenant, call, outcome, jitter)
    elif outcome.end in {End.DENIED, End.GONE}:
        _stop(tenant, call, outcome)
    elif message.advance:
        advance = message.advance
        return tenant.store.settle([claim], lambda tx: advance(tx, outcome))
    else:
        give_up(tenant, claim, outcome.reason)
    return None


def _stop(tenant: Tenant, call: Outgoing, outcome: Outcome) -> None:
    """Stops the destination before anything else is sent there.

    If it is paused, its deliveries wait, and a stream goes on where it is once it is resumed.
    """
    stop = functools.partial(destinations.stop, channel=call.channel, id=call.to, outcome=outcome)

    def stop_and_hold(tx: Tx) -> None:
        stop(tx)
        destinations.hold(tx, call.channel, call.to, call.claim.record.id)

    if call.message.advance:
        tenant.store.settle([call.claim], stop).result()
    elif outcome.end is End.DENIED and not call.channel.own:
        tenant.store.settle([call.claim], stop_and_hold).result()
    else:
        _put_aside(tenant, call.claim, stop)


def _later(tenant: Tenant, call: Outgoing, outcome: Outcome, jitter: Jitter) -> None:
    claim, tries = call.claim, call.claim.owed.tries
    count = min(tries, LONGEST_OF_STREAM) if call.message.advance else tries
    due = next_try(count, tenant.clock(), outcome.retry_after, jitter())
    if due is None:
        give_up(tenant, claim, f"given up after {counted(tries + 1, 'try', 'tries')}: {outcome.reason}")
    else:
        tenant.store.defer(claim, due=due, error=outcome.reason)
