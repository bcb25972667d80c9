"""The second factor of a member of staff: codes of an app (TOTP), and recovery codes. Knows no account and no page.

Source: RFC 6238, with what every app takes: SHA-1, six digits, 30 seconds. A code is taken from 30 seconds before to
30 after its time, and each only once: a counter that was used, or one before it, is refused (RFC 6238 5.2).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence

import pyotp

from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.kernel.times import SECOND
from lrs.tenancy.tenants import Tenant

PERIOD = 30 * SECOND
RECOVERY_CODES = 10
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_secret() -> str:
    """A random secret for an app, in base 32."""
    return pyotp.random_base32()


def hidden(tenant: Tenant, secret: str) -> str:
    """*secret* as a record keeps it."""
    return hide(tenant.secret("second-factor"), secret)


def revealed(tenant: Tenant, kept: str) -> str | None:
    """The secret that was ``hidden``; ``None`` if it was hidden by another installation."""
    try:
        return reveal(tenant.secret("second-factor"), kept, str)
    except NotOurs:
        return None


def counter_of(secret: str, code: str, now: int, used: int) -> int | None:
    """The counter whose code *code* is, if it may be taken at *now* (microseconds UTC); *used* was the last one."""
    digits = "".join(code.split())
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return None
    totp, middle = pyotp.TOTP(secret), now // PERIOD
    for counter in range(max(used + 1, middle - 1), middle + 2):
        if hmac.compare_digest(totp.generate_otp(counter), digits):
            return counter
    return None


def address_for_app(secret: str, account: str, organisation: str) -> str:
    """What an app is given: the ``otpauth`` address of *secret*."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=organisation)


def new_recovery_codes() -> list[str]:
    """Codes for whoever has lost the app, each good for one sign-in: 50 random bits, to be written on paper."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)
    ]


def digest_of_code(tenant: Tenant, member: str, code: str) -> str:
    """What is kept of a recovery *code* of *member*, however it was typed."""
    plain = "".join(code.upper().replace("-", " ").split())
    return hmac.digest(tenant.secret("recovery-code"), f"{member} {plain}".encode("utf-8", "replace"), "sha256").hex()


def without(kept: Sequence[str], digest: str) -> tuple[str, ...] | None:
    """The digests in *kept* but for *digest*; ``None`` if it is not among them."""
    left = tuple(one for one in kept if not hmac.compare_digest(one.encode(), digest.encode()))
    return left if len(left) < len(kept) else None
