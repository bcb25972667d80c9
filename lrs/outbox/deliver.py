"""The step "deliver": sends what is owed, through whichever channel, and puts down what became of it.

claim -> the channel composes what may be said now -> send, outside any transaction -> settle as delivered, or hand the
claim back for later, or give up visibly. Knows no channel: the table of them is passed in.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import msgspec

from lrs.kernel import outbound
from lrs.outbox import deliveries
from lrs.outbox.channel import Channel, Channels, End, Message, Outcome, Undeliverable, Unneeded
from lrs.outbox.schedule import FAILED_OFTEN, LONGEST_OF_STREAM, next_try
from lrs.storage import Claim, Stale, Tx
from lrs.tenancy.tenants import Tenant

AT_ONCE = 16
"""Calls under way; more claims than that would wait, and what they say grow old."""
_senders = ThreadPoolExecutor(AT_ONCE, "deliver")

Jitter = Callable[[], float]


def deliver(tenant: Tenant, claims: Sequence[Claim], *, channels: Channels, jitter: Jitter = random.random) -> None:
    """Settles, defers or parks each claim. *jitter* gives numbers from 0 to 1.

    Receivers are called at the same time, so that one that is slow does not hold up the others beyond their leases;
    what became of a call is put down when its answer comes. Raises the first unforeseen failure, after all others are
    done; what failed stays owed.
    """
    calls: dict[Future[Outcome], _Call] = {}
    ends: list[Future[None] | None] = []
    failures: list[Exception] = []
    for claim in claims:
        with _kept(failures):
            begun = _begin(tenant, claim, channels)
            if isinstance(begun, _Call):
                calls[_senders.submit(begun.message.send, tenant.settings)] = begun
            else:
                ends.append(begun)
    for answer in as_completed(calls):
        with _kept(failures):
            ends.append(_end(tenant, calls[answer], _outcome(answer), jitter))
    for end in ends:
        with _kept(failures):
            if end:
                end.result()
    if failures:
        raise failures[0]


def give_up(tenant: Tenant, claim: Claim, reason: str) -> None:
    """Puts a delivery aside, visibly; what waited for it goes without."""
    if claim.record.kind == deliveries.KIND:  # before it is aside, so that nothing hangs
        tenant.store.write(functools.partial(deliveries.give_up, id=claim.record.id)).result()
    tenant.store.defer(claim, due=tenant.clock(), error=reason, parked=True)


@dataclass(frozen=True, slots=True)
class _Call:
    """What is sent for a claim, and through which channel."""

    claim: Claim
    channel: Channel
    message: Message


@contextlib.contextmanager
def _kept(failures: list[Exception]) -> Iterator[None]:
    """Goes on whatever fails, and keeps why; a claim that somebody else has by now is no failure."""
    try:
        yield
    except Stale:
        pass
    except Exception as error:  # noqa: BLE001 (raised once the others are done)
        failures.append(error)


def _begin(tenant: Tenant, claim: Claim, channels: Channels) -> _Call | Future[None] | None:
    """What to send, or how the claim ended without that.

    A delivery that is done by now (the claim was held too long, or is run again) is not sent a second time.
    """
    record = tenant.store.get(claim.record.kind, claim.record.id)
    if record is None or (record.kind == deliveries.KIND and record.meta["state"] != deliveries.QUEUED):
        return None
    name = deliveries.channel_of(record)
    if name not in channels:
        give_up(tenant, claim, f"there is no channel {name}")
        return None
    try:
        return _Call(claim, channels[name], channels[name].compose(tenant, record))
    except Unneeded as unneeded:
        return _settle(tenant, claim, {"state": unneeded.state, "reason": str(unneeded)})
    except Undeliverable as undeliverable:
        give_up(tenant, claim, str(undeliverable))
    except msgspec.MsgspecError as error:
        give_up(tenant, claim, f"cannot be put together: {type(error).__name__}")
    return None


def _outcome(answer: Future[Outcome]) -> Outcome:
    try:
        return answer.result()
    except outbound.Blocked as blocked:
        return Outcome(End.REFUSED, f"not sent: {blocked}")
    except outbound.Unreachable as unreachable:
        return Outcome(End.LATER, str(unreachable))


def _end(tenant: Tenant, call: _Call, outcome: Outcome, jitter: Jitter) -> Future[None] | None:
    """Puts down what became of a call; what is given back is the commit that says it arrived."""
    claim, message = call.claim, call.message
    is_over = message.advance and outcome.end is End.FAILED and claim.owed.tries >= FAILED_OFTEN
    if outcome.end in {End.LATER, End.FAILED} and not is_over:
        _later(tenant, call, outcome, jitter)
    elif message.advance:
        advance = message.advance
        return tenant.store.settle([claim], lambda tx: advance(tx, outcome))
    elif outcome.end is End.DELIVERED:
        arrived: dict[str, object] = {"state": deliveries.DELIVERED, "status": outcome.status, "at": tenant.clock()}
        return _settle(tenant, claim, arrived)
    elif outcome.end is End.REFUSED:
        give_up(tenant, claim, outcome.reason)
    else:
        stop = functools.partial(call.channel.stop, to=message.to, outcome=outcome)
        give_up(tenant, claim, tenant.store.write(stop).result())
    return None


def _later(tenant: Tenant, call: _Call, outcome: Outcome, jitter: Jitter) -> None:
    claim, tries = call.claim, call.claim.owed.tries
    counted = min(tries, LONGEST_OF_STREAM) if call.message.advance else tries
    due = next_try(counted, tenant.clock(), outcome.retry_after, jitter())
    if due is None:
        give_up(tenant, claim, f"given up after {tries + 1} tries: {outcome.reason}")
    else:
        tenant.store.defer(claim, due=due, error=outcome.reason)


def _settle(tenant: Tenant, claim: Claim, meta: dict[str, object]) -> Future[None]:
    decide: Callable[[Tx], None] = functools.partial(deliveries.mark, id=claim.record.id, meta=meta)
    return tenant.store.settle([claim], decide)
