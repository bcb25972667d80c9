"""From when until when a credential is valid. No clock skew is allowed. Source: W3C VCDM 2.0, 4.9; VCDM 1.1, 4.6."""

from __future__ import annotations

from badges.verifying.shape import is_of_vcdm_1
from badges.verifying.verdict import Invalid
from badges.verifying.verification import moment
from lrs.kernel.strict_json import JsonView


def check_dates(credential: JsonView, at: int) -> str:
    """Checks that *credential* is valid at *at* (microseconds UTC), and says from when until when it is."""
    start, end = ("validFrom", "validUntil")
    if is_of_vcdm_1(credential):
        start, end = (
            new if new in credential and old not in credential else old
            for new, old in (("validFrom", "issuanceDate"), ("validUntil", "expirationDate"))
        )
    if moment(credential, start) > at:
        raise Invalid(f"not valid before {credential[start]}", "not_yet_valid")
    if end not in credential:
        return f"valid from {credential[start]}, without end"
    if moment(credential, end) < at:
        raise Invalid(f"expired at {credential[end]}", "expired")
    return f"valid from {credential[start]} until {credential[end]}"
