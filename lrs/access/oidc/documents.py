"""What a provider says of itself: its discovery document and its keys, fetched, checked, kept for a while.

Both are fetched anew after ``FRESH`` seconds. Where that fails, what was known is used until it is ``STALE`` seconds
old; then nobody signs in there until the provider answers again. An unknown ``kid`` makes the keys be fetched at once,
so that people sign in right after a rotation: ``UNKNOWN`` times in a row, then once in ``AGAIN`` seconds, or anybody
could make us ask as often as they send tokens. Sources: OpenID Connect Discovery 1.0 3 and 4.3; RFC 8414; RFC 7517.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from lrs.access.oidc.id_token import ALGORITHMS, Untrusted
from lrs.access.oidc.providers import Provider
from lrs.kernel import outbound, strict_json
from lrs.kernel.addresses import web_address
from lrs.kernel.admission import SIGNING_IN, Overloaded
from lrs.kernel.allowance import Allowance
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import Tenant

FRESH, STALE, AGAIN = 3_600.0, 24 * 3_600.0, 60.0
UNKNOWN = 3
MOST_KEYS = 100
AT_ONCE = 8
"""Calls to providers under way; each holds a thread, and a provider that hangs must not hold all of them."""
_FULL = 1_000
_places = threading.BoundedSemaphore(AT_ONCE)
_log = structlog.get_logger()


class Discovery(msgspec.Struct, frozen=True):
    """What is used of a discovery document that was checked."""

    authorization: str
    token: str
    keys: str
    is_posting_secret: bool


@dataclass(slots=True)
class _Known:
    value: Any
    at: float
    tried: float
    unknown: Allowance


class Documents:
    """The documents of all providers, as one process knows them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str, str], _Known] = {}

    def discovery(self, tenant: Tenant, provider: Provider) -> Discovery:
        """The endpoints of *provider*. Raises ``Refused`` (502, 503) if it cannot be believed, or does not answer."""
        url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: Discovery = self._fetched(
            provider.label,
            (tenant.id, f"{provider.name} {provider.created}", url),
            lambda: checked(provider, _json(url, tenant.settings, provider), tenant.settings),
        )
        return found

    def keys(self, tenant: Tenant, provider: Provider, discovery: Discovery, kid: str | None) -> list[dict[str, Any]]:
        """The public keys of *provider*, among them the one with *kid* if it has it. Raises ``Refused``."""
        name = (tenant.id, f"{provider.name} {provider.created}", discovery.keys)

        def fetch() -> list[dict[str, Any]]:
            return _keys_in(provider, _json(discovery.keys, tenant.settings, provider))

        found: list[dict[str, Any]] = self._fetched(provider.label, name, fetch)
        if kid is not None and all(one.get("kid") != kid for one in found):
            found = self._fetched(provider.label, name, fetch, is_lacking=True)
        return found

    def _fetched(
        self, label: str, name: tuple[str, str, str], fetch: Callable[[], Any], *, is_lacking: bool = False
    ) -> Any:
        """The value called *name*, fetched where it is old, or where it *is_lacking* something and that is allowed.

        *label* is what people call the provider.
        """
        known, now = self._known.get(name), self._clock()
        if known is not None and not _is_due(known, now, is_lacking=is_lacking):
            return _usable(known, now, unreachable(label))
        try:
            value = fetch()
        except Refused as refused:
            if known is None or isinstance(refused, Untrusted):
                raise
            known.tried = now
            return _usable(known, now, refused)
        if len(self._known) >= _FULL:
            self._known.clear()
        self._known[name] = _Known(value, now, now, known.unknown if known else Allowance(UNKNOWN, AGAIN))
        return value


def checked(provider: Provider, document: Mapping[str, Any], settings: Settings) -> Discovery:
    """What is used of *document*. Raises ``Untrusted`` where it lies or lacks something.

    It must name its issuer exactly as the tenant did, and endpoints on the issuer's host or on one that the tenant
    named: by https, unless the issuer itself is reached by http (on hosts of ``LRS_OUTBOUND_ALLOW`` only).
    """
    if document.get("issuer") != provider.issuer:
        raise lie(provider, "it calls itself by another issuer than the one that was set up")
    endpoints = [
        _endpoint(provider, document, name, settings)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    ]
    if "code" not in _listed(document, "response_types_supported", "code"):
        raise lie(provider, "it does not offer the authorization code flow")
    if not ALGORITHMS & set(_listed(document, "id_token_signing_alg_values_supported", "RS256")):
        raise lie(provider, f"it signs in none of {', '.join(sorted(ALGORITHMS))}")
    if "S256" not in _listed(document, "code_challenge_methods_supported", "S256"):
        raise lie(provider, "it does not know PKCE with S256")
    methods = _listed(document, "token_endpoint_auth_methods_supported", "client_secret_basic")
    posting = "client_secret_basic" not in methods and "client_secret_post" in methods
    authorization, token, keys = endpoints
    return Discovery(authorization, token, keys, is_posting_secret=posting)


@contextmanager
def calling() -> Iterator[None]:
    """Around each call to a provider. Raises ``Overloaded`` if too many are under way."""
    if not _places.acquire(blocking=False):
        raise Overloaded(SIGNING_IN)
    try:
        yield
    finally:
        _places.release()


def lie(provider: Provider, why: str) -> Untrusted:
    """That *provider* cannot be believed; the log says so, too."""
    _log.warning("a sign-in provider is not believed", provider=provider.name, why=why)
    return Untrusted(f"The provider {provider.label} cannot be used for signing in: {why}. Tell your administrator.")


def unreachable(label: str) -> Refused:
    """That a provider does not answer."""
    message = f"The provider {label} does not answer at present. Try again in a few minutes, or sign in another way."
    return Refused(message, status=503, error="unavailable", headers=(("retry-after", "60"),))


def _is_due(known: _Known, now: float, *, is_lacking: bool) -> bool:
    if is_lacking:
        return known.unknown.take(now)
    return now - known.at >= FRESH and now - known.tried >= AGAIN


def _usable(known: _Known, now: float, refused: Refused) -> Any:
    """What is known, unless it is too old."""
    if now - known.at >= STALE:
        raise refused
    return known.value


def _endpoint(provider: Provider, document: Mapping[str, Any], name: str, settings: Settings) -> str:
    url = document.get(name)
    issuer = web_address(provider.issuer)
    try:
        parts = web_address(url) if isinstance(url, str) else None
    except ValueError:
        parts = None
    if parts is None or not isinstance(url, str):
        raise lie(provider, f"its {name} is no address")
    if parts.scheme != "https" and not (issuer.scheme == "http" and settings.outbound_allow):
        raise lie(provider, f"its {name} is not reached by https")
    if parts.host.lower() not in {issuer.host.lower(), *(host.lower() for host in provider.hosts)}:
        raise lie(provider, f"its {name} is on {parts.host}, which was not set up as a host of it")
    if parts.fragment:
        raise lie(provider, f"its {name} has a fragment")
    return url


def _listed(document: Mapping[str, Any], name: str, otherwise: str) -> list[str]:
    found = document.get(name, [otherwise])
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _keys_in(provider: Provider, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = document.get("keys")
    if not isinstance(keys, list) or not keys or len(keys) > MOST_KEYS:
        raise lie(provider, "its list of keys is none")
    return [one for one in keys if isinstance(one, dict) and one.get("kty") in {"RSA", "EC", "OKP"}]


def _json(url: str, settings: Settings, provider: Provider) -> dict[str, Any]:
    try:
        with calling():
            body = outbound.fetch(url, settings)
    except outbound.Blocked as blocked:
        raise lie(provider, f"the settings of this server allow no call to it ({blocked})") from blocked
    except outbound.Unreachable as error:
        _log.warning("a sign-in provider does not answer", provider=provider.name, why=str(error))
        raise unreachable(provider.label) from error
    try:
        found = strict_json.parse(body)
    except Refused as error:
        raise lie(provider, "its answer is no JSON") from error
    if not isinstance(found, dict):
        raise lie(provider, "its answer is no JSON object")
    return found
