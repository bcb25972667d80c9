"""HTTP Basic credentials at the door: checked, remembered for half a second, guesses slowed down. Knows no route."""

from __future__ import annotations

import base64
import binascii
import time

from lrs.access import Caller
from lrs.access.keys import check_key
from lrs.access.operators import PREFIX, check_operator_key
from lrs.kernel.errors import Refused
from lrs.tenancy.control import Control
from lrs.tenancy.tenants import Tenant

REMEMBERED = 0.5
"""Seconds; revocation holds everywhere within one second."""
BAD_LOGINS = 100
"""A minute, from one address; the next ones are answered 429. Right credentials are always served."""
_FULL = 10_000
_LONGEST_KEPT = 256
"""Longest header that is cached, in characters. A valid header may be padded with blanks to any length."""
_CHALLENGE = (("www-authenticate", 'Basic realm="xAPI", charset="UTF-8"'),)


class Door:
    """Turns an ``Authorization`` header into a caller."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], tuple[float, Caller]] = {}
        self._bad: dict[str, tuple[float, int]] = {}

    def known(self, tenant: Tenant, header: str | None) -> Caller | None:
        """Who sends *header*, if that was found out just now: reads nothing."""
        known = self._known.get((tenant.id, header))
        return known[1] if known is not None and known[0] > time.monotonic() else None

    def caller(self, tenant: Tenant, header: str | None, client: str) -> Caller:
        """Who sends *header*. Refuses with 401, or 429 after too many wrong ones from *client*.

        None at all is no guess: clients that wait to be asked send every first request without.
        """
        if header is None:
            message = "credentials are missing: send HTTP Basic with an API key and its secret"
            raise Refused(message, status=401, error="unauthorized", headers=_CHALLENGE)
        known = self.known(tenant, header)
        if known is not None:
            return known
        now = time.monotonic()
        credentials = decode_basic(header)
        found = check_key(tenant, *credentials) if credentials else None
        if found is None:
            raise self._refused(client, now)
        if len(self._known) >= _FULL:
            self._known.clear()
        if len(header) <= _LONGEST_KEPT:
            self._known[tenant.id, header] = (now + REMEMBERED, found)
        return found

    def operator(self, control: Control, header: str | None, client: str) -> Caller | None:
        """The installation's operator who sends *header*; ``None`` if it has no key of one. Refuses as ``caller``."""
        credentials = decode_basic(header)
        if credentials is None or not credentials[0].startswith(PREFIX):
            return None
        found = check_operator_key(control, *credentials)
        if found is None:
            raise self._refused(client, time.monotonic())
        return found

    def _refused(self, client: str, now: float) -> Refused:
        since, count = self._bad.get(client, (now, 0))
        if now - since > 60:
            since, count = now, 0
        if len(self._bad) >= _FULL:
            self._bad.clear()
        self._bad[client] = (since, count + 1)
        if count >= BAD_LOGINS:
            wait = str(max(1, int(61 - (now - since))))
            message = "too many wrong credentials from this address; try again later"
            return Refused(message, status=429, error="too_many_attempts", headers=(("retry-after", wait),))
        message = "the credentials are wrong: send HTTP Basic with an API key and its secret"
        return Refused(message, status=401, error="unauthorized", headers=_CHALLENGE)


def decode_basic(header: str | None) -> tuple[str, str] | None:
    """User and password of a Basic header, or ``None`` if it is missing or malformed (RFC 7617)."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None
