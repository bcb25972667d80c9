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
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from adapters.matching import deliveries
from adapters.matching.payload import Unneeded, payload
from lrs import outbound
from lrs.outbound import Answer
from lrs.profiles import services
from lrs.profiles.services import Service
from lrs.storage import Claim, Record, Stale, Tx
from lrs.tenants import Tenant

MINUTE, HOUR = 60, 3_600
SCHEDULE = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds to wait after each failed try; after one more it is given up."""

JITTER = 0.1
AT_ONCE = 8
_SECOND = 1_000_000

Jitter = Callable[[], float]


class _Undeliverable(Exception):
    """Nobody to send to, until an operator changes that."""


def deliver(tenant: Tenant, claims: Sequence[Claim], *, jitter: Jitter = random.random) -> None:
    """Settles, defers or parks each claim on a ``delivery`` record. *jitter* gives numbers from 0 to 1.

    Receivers are called at the same time, so that one that is slow does not hold up the others beyond their leases.
    Raises the first unforeseen failure, after all others are done; what failed stays owed.
    """
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliver") as pool:
        started: list[Future[None]] = [pool.submit(_one, tenant, claim, jitter) for claim in claims]
    for future in started:
        future.result()


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
    wait = max(SCHEDULE[tries] * (1 + JITTER * jitter), min(_asked(retry_after, now), SCHEDULE[-1]))
    return now + round(wait * _SECOND)


def _one(tenant: Tenant, claim: Claim, jitter: Jitter) -> None:
    """A delivery that is done by now (the claim was held too long, or is run again) is not sent a second time."""
    record = tenant.store.get(deliveries.KIND, claim.record.id)
    if record is None or record.meta["state"] != deliveries.QUEUED:
        return
    with contextlib.suppress(Stale):
        try:
            service, body = _prepared(tenant, record)
        except Unneeded as unneeded:
            _settle(tenant, claim, {"state": unneeded.state, "reason": str(unneeded)})
        except _Undeliverable as undeliverable:
            _park(tenant, claim, str(undeliverable))
        except msgspec.MsgspecError as error:
            _park(tenant, claim, f"cannot be put together: {type(error).__name__}")
        else:
            _send(tenant, claim, service, body, jitter)


def _prepared(tenant: Tenant, record: Record) -> tuple[Service, bytes]:
    delivery = deliveries.read(record)
    service = services.get(tenant.store, delivery.service)
    if service is None or service.webhook is None:
        raise _Undeliverable("the service is not registered for deliveries")
    if not service.active:
        raise _Undeliverable(f"the service is disabled: {service.reason}")
    return service, payload(tenant, service, record)


def _send(tenant: Tenant, claim: Claim, service: Service, body: bytes, jitter: Jitter) -> None:
    seconds = tenant.clock() // _SECOND
    id = claim.record.id
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(services.webhook_secret(tenant, service), id, seconds, body),
    }
    try:
        answer = outbound.post(service.webhook or "", body, headers, tenant.settings)
    except outbound.Blocked as blocked:
        _park(tenant, claim, f"not sent: {blocked}")
    except outbound.Unreachable as unreachable:
        _later(tenant, claim, str(unreachable), None, jitter)
    else:
        _answered(tenant, claim, service, answer, jitter)


def _answered(tenant: Tenant, claim: Claim, service: Service, answer: Answer, jitter: Jitter) -> None:
    if 200 <= answer.status < 300:
        _settle(tenant, claim, {"state": deliveries.DELIVERED, "status": answer.status, "at": tenant.clock()})
    elif answer.status == 410:
        reason = "it answered 410 Gone"
        tenant.store.write(lambda tx: services.disable(tx, service.id, reason, by=f"service {service.id}")).result()
        _park(tenant, claim, f"the service is disabled: {reason}")
    else:
        _later(tenant, claim, f"answered {answer.status}", answer.headers.get("retry-after"), jitter)


def _later(tenant: Tenant, claim: Claim, reason: str, retry_after: str | None, jitter: Jitter) -> None:
    due = next_try(claim.owed.tries, tenant.clock(), retry_after, jitter())
    if due is None:
        _park(tenant, claim, f"given up after {claim.owed.tries + 1} tries: {reason}")
    else:
        tenant.store.defer(claim, due=due, error=reason)


def _park(tenant: Tenant, claim: Claim, reason: str) -> None:
    if claim.record.meta.get("awaited"):  # what waited for it goes without; before it is aside, so that nothing hangs
        given_up = functools.partial(deliveries.mark, id=claim.record.id, meta={"state": deliveries.QUEUED})
        tenant.store.write(given_up).result()
    tenant.store.defer(claim, due=tenant.clock(), error=reason, parked=True)


def _settle(tenant: Tenant, claim: Claim, meta: dict[str, object]) -> None:
    decide: Callable[[Tx], None] = functools.partial(deliveries.mark, id=claim.record.id, meta=meta)
    tenant.store.settle([claim], decide).result()


def _asked(retry_after: str | None, now: int) -> float:
    """The seconds that Retry-After asks for; what cannot be read asks for nothing."""
    if retry_after is None:
        return 0
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
        return (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now / _SECOND
    except ValueError:
        return 0
