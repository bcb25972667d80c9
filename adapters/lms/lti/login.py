"""The first half of a launch: a platform says that somebody comes, and the browser is sent to its sign-in.

What was asked is kept for ten minutes as a record ``lti-login`` (id: the hash of ``state``), and used once, by the
launch that comes back. So a launch that was made up, or is sent again, finds nothing. Source: 1EdTech Security
Framework 1.1, 5.1.1; OpenID Connect Core 1.0, 3.2.2.1.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import msgspec

from adapters.lms.lti import platforms
from adapters.lms.lti.platforms import LtiPlatform
from lrs.access.throttle import Throttle
from lrs.kernel.admission import CREDENTIALS, RetryLater
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import digest_of
from lrs.kernel.settings import KIB
from lrs.kernel.times import MINUTE
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = "lti-login"
LASTS = 10 * MINUTE
"""Microseconds from the beginning of a launch to its end."""
_CLEARED = 50
"""How many that ended are deleted when one begins."""
_ASK = "Try again later; if it goes on, tell your teacher, or whoever looks after the learning platform."
_LONGEST = 4_000
"""Characters of a parameter."""
LARGEST = 8 * KIB
"""Bytes of all that one login keeps: anybody may begin one, and each is kept for ten minutes."""
FROM_ONE, OF_A_TENANT = (600, 600), (10_000, 600)
"""Logins from one address, and at one tenant, in so many seconds: a lecture hall at once, and 80 MiB at most."""
KEPT = ("iss", "client_id", "lti_deployment_id", "login_hint", "lti_message_hint", "target_link_uri")


class LtiLogin(msgspec.Struct, frozen=True):
    """What a platform asked for. *nonce* is the hash of what its token must repeat; *given* are its parameters.

    *storage* is the frame that keeps values for us where the browser keeps no cookie; empty if the platform has none.
    """

    platform: str
    nonce: str
    begun: int
    given: dict[str, str]
    storage: str = ""
    v: int = 1


class BegunLaunch(msgspec.Struct, frozen=True):
    """A login that was begun: where the browser goes next, and what shows later that it is the same browser."""

    platform: LtiPlatform
    state: str
    proof: str
    address: str
    storage: str


_decoder = msgspec.json.Decoder(LtiLogin)


class Logins:
    """Counts the logins that are begun, in the memory of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._from_one, self._of_a_tenant = Throttle(*FROM_ONE, clock), Throttle(*OF_A_TENANT, clock)

    def count(self, tenant: Tenant, client: str) -> None:
        """Counts one from the address *client*. Raises ``RetryLater`` (429) if there are too many."""
        left = self._from_one.left(tenant.id, client) or self._of_a_tenant.left(tenant.id)
        if left is not None:
            message = "Too many people come from there at once. Go back, wait a moment, and open it again."
            raise RetryLater(CREDENTIALS, message, seconds=left)
        self._from_one.note(tenant.id, client)
        self._of_a_tenant.note(tenant.id)


def begin(tenant: Tenant, given: Mapping[str, str], root: str) -> BegunLaunch:
    """Begins a launch. *root* is the address of the tool. Raises ``Refused`` (400, 403, 404)."""
    target = given.get("target_link_uri", "")
    if not (target == root or target.startswith((f"{root}/", f"{root}?"))):
        raise Refused(f"The platform asks for {target[:200]!r}, which is not ours: the address begins with {root}/.")
    if not given.get("login_hint"):
        raise Refused("The platform did not say who comes (login_hint).")
    if any(len(value) > _LONGEST for value in given.values()):
        raise Refused(f"A parameter of the login is longer than {_LONGEST} characters.")
    if sum(len(given.get(name, "").encode()) for name in (*KEPT, "lti_storage_target")) > LARGEST:
        raise Refused(f"The parameters of the login have together more than {LARGEST // KIB} KiB.")
    platform = wanted(tenant.store, given)
    state, nonce, storage = secrets.token_urlsafe(32), secrets.token_urlsafe(32), given.get("lti_storage_target", "")
    kept = {name: given[name] for name in KEPT if given.get(name)}
    login = LtiLogin(platform.id, digest_of(nonce), tenant.clock(), kept, storage)
    tenant.store.write(lambda tx: _keep(tx, state, login)).result()
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": f"{root}/launch",
        "login_hint": given["login_hint"],
        "state": state,
        "nonce": nonce,
    }
    if given.get("lti_message_hint"):
        asked["lti_message_hint"] = given["lti_message_hint"]
    sign = "&" if "?" in platform.authorization else "?"
    address = f"{platform.authorization}{sign}{urlencode(asked)}"
    return BegunLaunch(platform, state, proof_of(tenant, state), address, storage)


def wanted(reader: Reader, given: Mapping[str, str]) -> LtiPlatform:
    """The platform that *given* names. Raises ``Refused``: 404 if it is unknown, 400 if it could be several."""
    issuer, client_id = given.get("iss", ""), given.get("client_id", "")
    if not issuer:
        raise Refused("The platform did not say who it is (iss).")
    found = [one for one in platforms.of_issuer(reader, issuer) if client_id in {"", one.client_id}]
    deployment = given.get("lti_deployment_id", "")
    if len(found) > 1 and deployment:
        found = [one for one in found if deployment in one.deployments]
    if not found:
        message = (
            f"The platform {issuer[:200]} is not registered here with this client id. Whoever looks after it registers"
            " it under Learning platforms."
        )
        raise Refused(message, status=404, error="unknown_platform")
    if len(found) > 1:
        message = "This platform is registered several times, and its login does not say with which client_id it came."
        raise Refused(message, error="ambiguous_platform")
    check_approved(found[0])
    return found[0]


def check_approved(platform: LtiPlatform) -> None:
    """Raises ``Refused`` (403) for a platform that waits for its approval, or is suspended."""
    if platform.state == "pending":
        waits = f"The platform {platform.name} is registered, and waits until an administrator approves it."
        raise Refused(f"{waits} {_ASK}", status=403, error="platform_pending")
    if platform.state == "suspended":
        message = f"The platform {platform.name} may launch nothing at present. {_ASK}"
        raise Refused(message, status=403, error="platform_suspended")


def look(tenant: Tenant, state: str) -> LtiLogin:
    """What was begun with *state*, without using it. Raises ``Refused`` (403)."""
    record = tenant.store.get(KIND, digest_of(state))
    return _checked(record, tenant.clock())


def use(tx: Tx, state: str, now: int) -> LtiLogin:
    """What was begun with *state*, which works once. Raises ``Refused`` (403)."""
    found = _checked(tx.get(KIND, digest_of(state)), now)
    tx.delete(KIND, digest_of(state))
    return found


def proof_of(tenant: Tenant, state: str) -> str:
    """What the browser keeps that began with *state*, and shows when it comes back."""
    return hmac.digest(tenant.secret("lti-login"), state.encode("utf-8", "replace"), "sha256").hex()


def is_same_browser(tenant: Tenant, state: str, proof: str | None) -> bool:
    """Whether the browser that shows *proof* is the one that began with *state*."""
    return bool(proof) and hmac.compare_digest(proof_of(tenant, state).encode(), (proof or "").encode())


def _keep(tx: Tx, state: str, login: LtiLogin) -> None:
    for record in tx.find(Walk(KIND, limit=_CLEARED)).records:  # the oldest first
        if _decoder.decode(record.body).begun + LASTS <= login.begun:
            tx.delete(KIND, record.id)
    tx.insert(Record(KIND, digest_of(state), msgspec.json.encode(login)))


def _checked(record: Record | None, now: int) -> LtiLogin:
    found = _decoder.decode(record.body) if record else None
    if found is None or found.begun + LASTS <= now:
        message = (
            "This launch was used already, took longer than ten minutes, or did not begin here. Go back to your"
            " learning platform and open it again."
        )
        raise Refused(message, status=403, error="bad_state")
    return found


KINDS = (Kind(KIND, "working", LtiLogin, 1, subjects=None, retention="operational", exported=False),)
