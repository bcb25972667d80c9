"""HTTP Basic credentials: checked, cached for half a second, and guesses limited. Knows no route."""

from __future__ import annotations

import base64
import binascii
import time

from lrs.access import Caller
from lrs.access.keys import check_key
from lrs.access.operators import PREFIX, check_operator_key
from lrs.access.throttle import WRONG_SECRETS, Throttle
from lrs.kernel.errors import Refused
from lrs.tenancy.control import Control
from lrs.tenancy.tenants import Tenant

REMEMBERED = 0.5
"""Seconds for which a checked credential is cached. Revocation takes effect everywhere within one second."""
_FULL = 10_000
_LONGEST_KEPT = 256
"""Characters of the longest header that is cached. A valid header may be padded with blanks to any length."""
CHALLENGE = (("www-authenticate", 'Basic realm="xAPI", charset="UTF-8"'),)
"""The header of each 401 that asks for a key."""


class WrongSecret(Refused):
    """The refusal (401) of credentials that are wrong. *key* is the user name that was sent; it is told to nobody."""

    def __init__(self, key: str) -> None:
        message = "the credentials are wrong: send HTTP Basic with an API key and its secret"
        super().__init__(message, status=401, error="unauthorized", headers=CHALLENGE)
        self.key = key


class BasicAuth:
    """Finds the caller for an ``Authorization`` header."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], tuple[float, Caller]] = {}
        self._guesses = Throttle(*WRONG_SECRETS)

    def known(self, tenant: Tenant, header: str | None) -> Caller | None:
        """The caller that sends *header*, if it is cached. Reads nothing."""
        known = self._known.get((tenant.id, header))
        return known[1] if known is not None and known[0] > time.monotonic() else None

    def caller(self, tenant: Tenant, header: str | None, client: str) -> Caller:
        """The caller that sends *header*. Refuses with 401, or with 429 after too many wrong ones from *client*.

        A missing header does not count as a guess: many clients send each first request without one.
        """
        if header is None:
            message = "credentials are missing: send HTTP Basic with an API key and its secret"
            raise Refused(message, status=401, error="unauthorized", headers=CHALLENGE)
        known = self.known(tenant, header)
        if known is not None:
            return known
        credentials = decode_basic(header)
        found = check_key(tenant, *credentials) if credentials else None
        if found is None:
            raise self._refused(tenant.id, client, credentials[0] if credentials else "")
        if len(self._known) >= _FULL:
            self._known.clear()
        if len(header) <= _LONGEST_KEPT:
            self._known[tenant.id, header] = (time.monotonic() + REMEMBERED, found)
        return found

    def operator(self, control: Control, header: str | None, client: str) -> Caller | None:
        """The operator of the installation that sends *header*; ``None`` if it is no operator's key.

        Refuses as ``caller`` does.
        """
        credentials = decode_basic(header)
        if credentials is None or not credentials[0].startswith(PREFIX):
            return None
        found = check_operator_key(control, *credentials)
        if found is None:
            raise self._refused("", client)
        return found

    def _refused(self, tenant: str, client: str, key: str = "") -> Refused:
        """What is said to *client*: each tenant is told of its own guesses only."""
        return self._guesses.wrong(tenant, client) or WrongSecret(key)


def decode_basic(header: str | None) -> tuple[str, str] | None:
    """User and password in a Basic header; ``None`` if it is missing or malformed (RFC 7617)."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None
