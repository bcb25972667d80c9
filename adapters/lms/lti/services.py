"""Calls to the services of a platform: an access token by a signed assertion, kept while it holds, and the call itself.

What needs the store (the assertion is signed there) is made before; the call then runs in whatever thread sends it. All
addresses come from outside, so all go through the guarded client. Sources: 1EdTech Security Framework 1.1, 4.1; RFC
7523.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from adapters.lms.lti import tool_keys
from adapters.lms.lti.platforms import LtiPlatform
from lrs.kernel import outbound, strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.outbound import Response
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.tenancy.tenants import Tenant

ASSERTION_LASTS = 300
"""Seconds for which an assertion holds."""
EARLY = 60
"""Seconds before its end at which an access token is no longer used."""
SHORTEST, LONGEST = 60, 3_600
WORDS = 300
"""Characters of a platform's answer that are kept, for people."""
_FULL = 500
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ServiceFailed(Exception):
    """A platform gave no token, or no usable answer. *status* is its answer's, 0 without one."""

    def __init__(self, why: str, status: int = 0, retry_after: str | None = None) -> None:
        super().__init__(why)
        self.why, self.status, self.retry_after = why, status, retry_after


class ServiceAccess(msgspec.Struct, frozen=True):
    """What is needed to call a platform's services: where a token is got, by which assertion, for which scopes."""

    key: tuple[str, str, str]
    address: str
    assertion: str

    @property
    def scopes(self) -> str:
        """The scopes, separated by blanks."""
        return self.key[2]


class AccessTokens:
    """The access tokens that this process has, by tenant, platform and scopes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], tuple[str, float]] = {}

    def get(self, access: ServiceAccess, settings: Settings, *, anew: bool = False) -> str:
        """A token for *access*; with *anew*, another than the one that was refused. Raises ``ServiceFailed``."""
        with self._lock:
            token, until = self._known.get(access.key, ("", 0.0))
        if token and not anew and time.monotonic() < until:
            return token
        token, lasts = _asked(access, settings)
        with self._lock:
            if len(self._known) >= _FULL:
                self._known.clear()
            self._known[access.key] = (token, time.monotonic() + lasts - EARLY)
        return token


TOKENS = AccessTokens()


def access_to(tenant: Tenant, platform: LtiPlatform, scopes: Sequence[str]) -> ServiceAccess:
    """What calls the services of *platform*. Raises ``Refused`` (503) without a key to sign with."""
    now = tenant.clock() // SECOND
    claims = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.audience or platform.token,
        "iat": now,
        "exp": now + ASSERTION_LASTS,
        "jti": secrets.token_urlsafe(24),
    }
    key = (tenant.id, platform.id, " ".join(sorted(scopes)))
    return ServiceAccess(key, platform.token, tool_keys.sign(tenant, claims))


def call(
    access: ServiceAccess,
    settings: Settings,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Response:
    """The answer to a GET of *url*, or to a POST of *body*; with one more token if the first is refused (401).

    Raises ``ServiceFailed``.
    """
    answer = _call(TOKENS.get(access, settings), settings, url, headers, body)
    if answer.status == 401:
        answer = _call(TOKENS.get(access, settings, anew=True), settings, url, headers, body)
    return answer


def below(url: str, part: str, **query: str) -> str:
    """*url* with *part* added to its path: Moodle has a query in addresses of columns, which stays."""
    parts = urlsplit(url)
    more = urlencode(query)
    told = "&".join(filter(None, (parts.query, more)))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{part}", query=told))


NO_REASON = ", and gave no reason"
"""What stands in place of the words of a platform that said none, such as Moodle's ``[]``."""


def words_of(answer: Response) -> str:
    """What a platform said, in short, as people can read it."""
    said = " ".join(answer.body[: 4 * WORDS].decode("utf-8", "replace").split())[:WORDS]
    return f"answered {answer.status}{f': {said}' if any(map(str.isalnum, said)) else NO_REASON}"


def next_page(headers: Mapping[str, str]) -> str:
    """The address of the next page in a ``Link`` header (RFC 8288); empty at the end."""
    return next(_next_links(headers.get("link", "")), "")


def _next_links(header: str) -> Iterator[str]:
    for part in header.split(","):
        address, _, parameters = part.strip().partition(";")
        is_next = any(one.strip().replace('"', "") == "rel=next" for one in parameters.split(";"))
        if is_next and address.startswith("<") and address.endswith(">"):
            yield address[1:-1]


def _call(token: str, settings: Settings, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
    sent = {**headers, "authorization": f"Bearer {token}"}
    try:
        if body is None:
            return outbound.ask(url, sent, settings)
        return outbound.post(url, body, sent, settings)
    except outbound.Blocked as blocked:
        raise ServiceFailed(f"this server may not call {url[:200]} ({blocked})") from blocked
    except outbound.Unreachable as error:
        raise ServiceFailed(str(error)) from error


def _asked(access: ServiceAccess, settings: Settings) -> tuple[str, float]:
    """A new token, and for how many seconds it holds."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": _JWT_BEARER,
        "client_assertion": access.assertion,
        "scope": access.scopes,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    try:
        answer = outbound.post(access.address, urlencode(form).encode(), headers, settings)
    except outbound.Blocked as blocked:
        raise ServiceFailed(f"this server may not call {access.address[:200]} ({blocked})") from blocked
    except outbound.Unreachable as error:
        raise ServiceFailed(f"no token: {error}") from error
    if answer.status != 200:
        raise ServiceFailed(f"no token: {words_of(answer)}", answer.status, answer.headers.get("retry-after"))
    told = _object(answer.body)
    token, lasts = told.get("access_token"), told.get("expires_in", SHORTEST)
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise ServiceFailed("no token: the platform's answer has none")
    seconds = float(lasts) if isinstance(lasts, int | float) and not isinstance(lasts, bool) else SHORTEST
    return token, min(max(seconds, SHORTEST), LONGEST)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = strict_json.parse(body)
    except Refused as error:
        raise ServiceFailed("no token: the platform's answer is no JSON") from error
    if not isinstance(told, dict):
        raise ServiceFailed("no token: the platform's answer is no JSON object")
    return told
