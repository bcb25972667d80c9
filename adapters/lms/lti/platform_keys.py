"""The public keys of platforms: fetched through the guarded client, kept for a while, never asked for too often.

They are fetched anew after ``FRESH`` seconds, or what the answer's ``max-age`` says within bounds. Where that fails,
what was known holds until it is ``STALE`` seconds old. A ``kid`` that is not among them makes them be fetched at once,
``UNKNOWN`` times in a row, then once in ``AGAIN`` seconds: so a platform may change its keys at any time, and whoever
sends tokens cannot make us ask as often as they like.
Those of one platform are fetched ``AT_ONCE`` times at once: one that does not answer holds up no sign-in elsewhere.
Nor is one that failed asked again for ``FAILED`` seconds.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.lms.lti.launch_token import Rejected
from adapters.lms.lti.platforms import LtiPlatform
from lrs.access.oidc.documents import calling
from lrs.kernel import outbound, strict_json
from lrs.kernel.admission import SIGNING_IN, Overloaded
from lrs.kernel.allowance import Allowance
from lrs.kernel.errors import Refused
from lrs.kernel.settings import KIB, Settings
from lrs.tenancy.tenants import Tenant

FRESH, STALE, AGAIN, LONGEST_FRESH = 3_600.0, 24 * 3_600.0, 600.0, 24 * 3_600.0
UNKNOWN = 3
FAILED = 30.0
"""Seconds for which a platform whose keys could not be fetched is not asked again, where none of them are known."""
AT_ONCE = 2
"""Calls for the keys of one platform that are under way. All platforms and providers have eight together."""
MOST_KEYS = 50
LARGEST = 256 * KIB
_FULL = 1_000
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")
_log = structlog.get_logger()

PublicKeys = list[dict[str, Any]]
_Name = tuple[str, str, str]


@dataclass(slots=True)
class _Known:
    keys: PublicKeys
    at: float
    tried: float
    fresh: float
    unknown: Allowance


class PlatformKeys:
    """The keys of all platforms, as one process knows them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[_Name, _Known] = {}
        self._failed: dict[_Name, tuple[float, Rejected]] = {}
        self._asking: Counter[_Name] = Counter()
        self._lock = threading.Lock()

    def find(self, tenant: Tenant, platform: LtiPlatform, kid: str) -> PublicKeys:
        """The keys of *platform*, among them that with *kid* if there is one. Raises ``Rejected`` (502, 503)."""
        name, now = (tenant.id, platform.id, platform.jwks), self._clock()
        known = self._known.get(name)
        if known is not None and now - known.tried < known.fresh and now - known.at < STALE:
            has_it = any(one.get("kid") == kid for one in known.keys)
            if has_it or not known.unknown.take(now):
                return known.keys
        if name in self._failed and now - self._failed[name][0] < FAILED:
            raise self._failed[name][1].with_traceback(None)
        try:
            with self._turn(name):
                keys, fresh = fetch_keys(platform, tenant.settings)
        except Overloaded:
            if known is None or now - known.at >= STALE:
                raise
            return known.keys
        except Rejected as rejected:
            if known is None or rejected.status != 503 or now - known.at >= STALE:
                self._fail(name, now, rejected)
                raise
            known.tried = now
            return known.keys
        if len(self._known) >= _FULL:
            self._known.clear()
        self._failed.pop(name, None)
        self._known[name] = _Known(keys, now, now, fresh, known.unknown if known else Allowance(UNKNOWN, AGAIN))
        return keys

    def _fail(self, name: _Name, now: float, rejected: Rejected) -> None:
        """Remembers that fetching failed: each launch would otherwise wait as long as the platform lets it."""
        if len(self._failed) >= _FULL:
            self._failed.clear()
        self._failed[name] = (now, rejected)

    @contextmanager
    def _turn(self, name: _Name) -> Iterator[None]:
        """Around each call. Raises ``Overloaded`` if too many for this platform are under way."""
        with self._lock:
            if self._asking[name] >= AT_ONCE:
                raise Overloaded(SIGNING_IN)
            self._asking[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking[name] -= 1
                self._asking += Counter()  # without those that ended


def fetch_keys(platform: LtiPlatform, settings: Settings) -> tuple[PublicKeys, float]:
    """The keys that *platform* publishes now, and for how many seconds. Raises ``Rejected`` (502, 503)."""
    try:
        with calling():
            answer = outbound.ask(platform.jwks, {"accept": "application/json"}, settings)
    except outbound.Blocked as blocked:
        raise _wrong(platform, "keys_blocked", f"this server may not fetch its keys ({blocked})") from blocked
    except outbound.Unreachable as error:
        raise _wrong(platform, "keys_unreachable", f"its keys cannot be fetched ({error})", status=503) from error
    if answer.status != 200:
        raise _wrong(platform, "keys_unreachable", f"it answered {answer.status} for its keys", status=503)
    if len(answer.body) > LARGEST:
        raise _wrong(platform, "keys_invalid", f"its list of keys is longer than {LARGEST // KIB} KiB")
    return keys_in(platform, answer.body), _fresh(answer.headers)


def keys_in(platform: LtiPlatform, body: bytes) -> PublicKeys:
    """The keys in a JWK set (RFC 7517 5). Raises ``Rejected`` (502)."""
    try:
        told: Any = strict_json.parse(body)
    except Refused as error:
        raise _wrong(platform, "keys_invalid", "its list of keys is no JSON") from error
    keys = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(keys, list) or not keys or len(keys) > MOST_KEYS:
        raise _wrong(platform, "keys_invalid", "its list of keys is none")
    return [one for one in keys if isinstance(one, dict)]


def _fresh(headers: Mapping[str, str]) -> float:
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(max(float(found[1]), AGAIN), LONGEST_FRESH) if found else FRESH


def _wrong(platform: LtiPlatform, code: str, why: str, *, status: int = 502) -> Rejected:
    _log.warning("the keys of a learning platform cannot be used", platform=platform.id, why=why)
    return Rejected(code, why, status=status)
