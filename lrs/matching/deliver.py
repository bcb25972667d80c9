"""The step "deliver": sends what is owed, by Standard Webhooks, and puts down what became of it.

claim -> what may still be said (``payload``) -> sign -> post, outside any transaction -> settle as delivered, or hand
the claim back for later, or give up visibly. Source: Standard Webhooks, "Signature scheme", "Deliverability and
reliability"; its schedule of tries is ``SCHEDULE``.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import hmac
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import msgspec

from lrs.kernel import outbound
from lrs.kernel.outbound import Answer
from lrs.kernel.retry_after import seconds_asked
from lrs.kernel.settings import Settings
from lrs.matching import deliveries, services
from lrs.matching.payload import Unneeded, payload
from lrs.matching.services import Service
from lrs.storage import Claim, Record, Stale, Tx
from lrs.tenancy.tenants import Tenant

MINUTE, HOUR = 60, 3_600
SCHEDULE = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds to wait after each failed try; after one more it is given up."""

JITTER = 0.1
AT_ONCE = 16
"""Calls under way; more claims than that would wait, and what they say grow old."""
_senders = ThreadPoolExecutor(AT_ONCE, "deliver")
_SECOND = 1_000_000

Jitter = Callable[[], float]


class _Undeliverable(Exception):
    """Nobody to send to, until an operator changes that."""


def deliver(tenant: Tenant, claims: Sequence[Claim], *, jitter: Jitter = random.random) -> None:
    """Settles, defers or parks each claim on a ``delivery`` record. *jitter* gives numbers from 0 to 1.

    Receivers are called at the same time, so that one that is slow does not hold up the others beyond their leases;
    what became of a call is put down when its answer comes. Raises the first unforeseen failure, after all others are
    done; what failed stays owed.
    """
    calls: dict[Future[Answer], _Call] = {}
    ends: list[Future[None] | None] = []
    failures: list[Exception] = []
    for claim in claims:
        with _kept(failures):
            begun = _begin(tenant, claim)
            if isinstance(begun, _Call):
                calls[_senders.submit(begun.post, tenant.settings)] = begun
            else:
                ends.append(begun)
    for answer in as_completed(calls):
        with _kept(failures):
            ends.append(_end(tenant, calls[answer], answer, jitter))
    for end in ends:
        with _kept(failures):
            if end:
                end.result()
    if failures:
        raise failures[0]


def sign(secret: str, id: str, seconds: int, body: bytes) -> str:
    """The ``webhook-signature`` of *body* (Standard Webhooks, symmetric): ``v1,<base64 of HMAC-SHA256>``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{id}.{seconds}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def next_try(tries: int, now: int, retry_after: str | None, jitter: float) -> int | None:
    """When to try again (microseconds UTC) after *tries* earlier failures and this one; ``None``: never.

    A receiver may ask for a longer wait by Retry-After (RFC 9110 section 10.2.3), up to the longest of ours.
    """
    if tries >= len(SCHEDULE):
        return None
    asked = seconds_asked(retry_after, now / _SECOND)
    wait = max(SCHEDULE[tries] * (1 + JITTER * jitter), min(asked, SCHEDULE[-1]))
    return now + round(wait * _SECOND)


def give_up(tenant: Tenant, claim: Claim, reason: str) -> None:
    """Puts a delivery aside, visibly; what waited for it goes without."""
    if claim.record.meta.get("awaited"):  # before it is aside, so that nothing hangs
        given_up = functools.partial(deliveries.mark, id=claim.record.id, meta={"state": deliveries.QUEUED})
        tenant.store.write(given_up).result()
    tenant.store.defer(claim, due=tenant.clock(), error=reason, parked=True)


@dataclass(frozen=True, slots=True)
class _Call:
    """What is sent for a claim, and to whom."""

    claim: Claim
    service: Service
    headers: dict[str, str]
    body: bytes

    def post(self, settings: Settings) -> Answer:
        """Sends it. Raises as ``outbound.post`` does."""
        return outbound.post(self.service.webhook or "", self.body, self.headers, settings)


@contextlib.contextmanager
def _kept(failures: list[Exception]) -> Iterator[None]:
    """Goes on whatever fails, and keeps why; a claim that somebody else has by now is no failure."""
    try:
        yield
    except Stale:
        pass
    except Exception as error:  # noqa: BLE001 (raised once the others are done)
        failures.append(error)


def _begin(tenant: Tenant, claim: Claim) -> _Call | Future[None] | None:
    """What to send, or how the claim ended without that.

    A delivery that is done by now (the claim was held too long, or is run again) is not sent a second time.
    """
    record = tenant.store.get(deliveries.KIND, claim.record.id)
    if record is None or record.meta["state"] != deliveries.QUEUED:
        return None
    try:
        service, body = _prepared(tenant, record)
    except Unneeded as unneeded:
        return _settle(tenant, claim, {"state": unneeded.state, "reason": str(unneeded)})
    except _Undeliverable as undeliverable:
        give_up(tenant, claim, str(undeliverable))
    except msgspec.MsgspecError as error:
        give_up(tenant, claim, f"cannot be put together: {type(error).__name__}")
    else:
        return _Call(claim, service, _headers(tenant, service, claim.record.id, body), body)
    return None


def _prepared(tenant: Tenant, record: Record) -> tuple[Service, bytes]:
    delivery = deliveries.read(record)
    service = services.get(tenant.store, delivery.service)
    if service is None or service.webhook is None:
        raise _Undeliverable("the service is not registered for deliveries")
    if not service.active:
        raise _Undeliverable(f"the service is disabled: {service.reason}")
    return service, payload(tenant, service, record)


def _headers(tenant: Tenant, service: Service, id: str, body: bytes) -> dict[str, str]:
    seconds = tenant.clock() // _SECOND
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(services.webhook_secret(tenant, service), id, seconds, body),
    }


def _end(tenant: Tenant, call: _Call, answer: Future[Answer], jitter: Jitter) -> Future[None] | None:
    """Puts down what became of a call; what is given back is the commit that says it arrived."""
    try:
        got = answer.result()
    except outbound.Blocked as blocked:
        give_up(tenant, call.claim, f"not sent: {blocked}")
    except outbound.Unreachable as unreachable:
        _later(tenant, call.claim, str(unreachable), None, jitter)
    else:
        if 200 <= got.status < 300:
            arrived = {"state": deliveries.DELIVERED, "status": got.status, "at": tenant.clock()}
            return _settle(tenant, call.claim, arrived)
        _refused(tenant, call, got, jitter)
    return None


def _refused(tenant: Tenant, call: _Call, answer: Answer, jitter: Jitter) -> None:
    if answer.status == 410:
        id, reason = call.service.id, "it answered 410 Gone"
        tenant.store.write(lambda tx: services.disable(tx, id, reason, by=f"service {id}")).result()
        give_up(tenant, call.claim, f"the service is disabled: {reason}")
    else:
        _later(tenant, call.claim, f"answered {answer.status}", answer.headers.get("retry-after"), jitter)


def _later(tenant: Tenant, claim: Claim, reason: str, retry_after: str | None, jitter: Jitter) -> None:
    due = next_try(claim.owed.tries, tenant.clock(), retry_after, jitter())
    if due is None:
        give_up(tenant, claim, f"given up after {claim.owed.tries + 1} tries: {reason}")
    else:
        tenant.store.defer(claim, due=due, error=reason)


def _settle(tenant: Tenant, claim: Claim, meta: dict[str, object]) -> Future[None]:
    decide: Callable[[Tx], None] = functools.partial(deliveries.mark, id=claim.record.id, meta=meta)
    return tenant.store.settle([claim], decide)
