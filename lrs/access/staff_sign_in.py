"""How a member of staff signs in with a password, and with a second factor where there is one. Knows no page.

With an unknown mailbox as much is computed as with a known one, and the answer is the same. Guesses are counted by
account and by address (``tries``); a browser in which the member signed in before is counted by itself, so that others
who guess do not lock its owner out (OWASP Authentication Cheat Sheet, "device cookies").
"""

from __future__ import annotations

import msgspec

from lrs.access import passwords, second_factor, sessions, staff, tries
from lrs.access.sessions import SigningIn
from lrs.access.staff import ACTIVE, SUBJECT, Member
from lrs.access.tries import Try, TryLimit
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, digest_of, seal, unseal
from lrs.kernel.times import MINUTE
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

OF_ACCOUNT, OF_ADDRESS = TryLimit(10, 15 * 60), TryLimit(60, 60)
"""Wrong tries: for an account (and for a known browser), and for an address."""
_HALF_WAY = 5 * MINUTE
_WRONG = "The e-mail address or the password is wrong."


class Attempt(msgspec.Struct, frozen=True):
    """What somebody sent: from which *client* (its address), in a browser that shows *device*, if it has one."""

    email: str
    password: str
    client: str
    device: str | None = None


class _HalfWay(msgspec.Struct, frozen=True):
    """That a member gave the right password, to the browser with this *nonce*. *proof* ends with the password."""

    id: str
    nonce: str
    until: int
    proof: str


def check_password(tenant: Tenant, attempt: Attempt) -> tuple[str, Member]:
    """The id and the member whose mailbox and password these are. Raises ``Refused`` (401), ``RetryLater``."""
    account, address = Try(_who(tenant, attempt), OF_ACCOUNT), Try(("address", attempt.client), OF_ADDRESS)
    tries.count(tenant, account, address)
    record = staff.with_email(tenant.store, attempt.email)
    found = staff.member_of(record) if record else None
    is_right = passwords.is_right(attempt.password, found.password if found else None)
    if record is None or found is None or not is_right or found.state != ACTIVE:
        raise Refused(_WRONG, status=401, error="unauthorized")
    tries.was_right(tenant, account, address)
    return record.id, found


def check_factor(tenant: Tenant, half_way: str, nonce: str, code: str, way: SigningIn) -> str:
    """Signs in whoever gave the right password before (*half_way*) and the right *code* now. Gives the token.

    Raises ``Refused`` (401), also where the password is too long ago, and ``RetryLater``.
    """
    id = _gone_half(tenant, half_way, nonce)
    account = Try(("factor", id), OF_ACCOUNT)
    tries.count(tenant, account)
    token = tenant.store.write(lambda tx: _with_code(tx, tenant, id, code, way)).result()
    if token is None:
        raise Refused("The code is wrong, or was used already.", status=401, error="unauthorized")
    tries.was_right(tenant, account)
    return token


def _who(tenant: Tenant, attempt: Attempt) -> tuple[str, ...]:
    email = attempt.email.strip().casefold()
    if attempt.device and is_device_of(tenant, attempt.device, email):
        return ("device", attempt.device)
    return ("account", email)


def signed_in(tenant: Tenant, id: str, password: str, way: SigningIn) -> str:
    """Opens a session for the member *id*, whose *password* was right, and who has no second factor."""
    found = staff.member(tenant.store, id)
    outdated = found is not None and found.password is not None and passwords.is_outdated(found.password)
    renewed = passwords.hashed(passwords.accepted(password)) if outdated else None

    def decide(tx: Tx) -> str:
        record, before = staff.existing(tx, id)
        if renewed and found and before.password == found.password:
            staff.put(tx, id, msgspec.structs.replace(before, password=renewed), record)
        return sessions.open_in(tx, SUBJECT + id, tenant.clock(), way)

    return tenant.store.write(decide).result()


def half_way(tenant: Tenant, id: str, found: Member, nonce: str) -> str:
    """What the form for the second factor brings back: that the password was right, in the browser with *nonce*."""
    told = _HalfWay(id, nonce, tenant.clock() + _HALF_WAY, digest_of(found.password or ""))
    return seal(tenant.secret("staff-half-way"), told)


def device_token(tenant: Tenant, email: str) -> str:
    """What a browser keeps to show that this member signed in there before. It lets nobody in."""
    return seal(tenant.secret("staff-device"), digest_of(email.strip().casefold()))


def is_device_of(tenant: Tenant, device: str, email: str) -> bool:
    """Whether *device* is a token of the browser of this member."""
    try:
        return unseal(tenant.secret("staff-device"), device, str) == digest_of(email.strip().casefold())
    except NotOurs:
        return False


def _gone_half(tenant: Tenant, text: str, nonce: str) -> str:
    try:
        told = unseal(tenant.secret("staff-half-way"), text, _HalfWay)
    except NotOurs:
        told = None
    found = staff.member(tenant.store, told.id) if told else None
    if told is None or found is None or told.nonce != nonce or told.until <= tenant.clock():
        raise Refused("Sign in again: the code came too late.", status=401, error="unauthorized")
    if found.state != ACTIVE or digest_of(found.password or "") != told.proof:
        raise Refused("Sign in again: the account was changed.", status=401, error="unauthorized")
    return told.id


def _with_code(tx: Tx, tenant: Tenant, id: str, code: str, way: SigningIn) -> str | None:
    record, before = staff.existing(tx, id)
    after = with_code(tenant, id, before, code)
    if after is None:
        return None
    staff.put(tx, id, after, record)
    if after.recovery != before.recovery:
        audit.append(tx, SUBJECT + id, "staff.recovery-code", {"staff": id})
    return sessions.open_in(tx, SUBJECT + id, tenant.clock(), way)


def with_code(tenant: Tenant, id: str, before: Member, code: str) -> Member | None:
    """The member after *code* was used, of the app or for recovery; ``None`` if it cannot be taken."""
    secret = second_factor.revealed(tenant, before.factor) if before.factor else None
    counter = second_factor.counter_of(secret, code, tenant.clock(), before.factor_used) if secret else None
    if counter is not None:
        return msgspec.structs.replace(before, factor_used=counter)
    left = second_factor.without(before.recovery, second_factor.digest_of_code(tenant, id, code))
    return None if left is None else msgspec.structs.replace(before, recovery=left)
