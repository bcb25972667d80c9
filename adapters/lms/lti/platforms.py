"""Platforms that may launch this tool: registered, approved, suspended; and their deployments. Makes no call.

Records: ``lti-platform`` (id: from issuer and client id). A platform that registered itself is *pending* until somebody
approves it, and launches nothing until then. A deployment that nobody named waits in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from lrs.kernel.addresses import origin, web_address
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.settings import Settings
from lrs.storage import Reader, Record, Tx, Walk, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "lti-platform"
PlatformState = Literal["pending", "approved", "suspended"]
MOST_WAITING = 20
"""Deployments of one platform that wait for somebody to accept them."""
MOST_ORIGINS = 8
MOST = 200
"""Platforms of a tenant."""
LONGEST = 255
_LONGEST_ADDRESS = 2_000


class LtiPlatform(msgspec.Struct, frozen=True):
    """A platform, by the *issuer* and the *client_id* that it gave us.

    *authorization*, *token* and *jwks* are its addresses; *audience* is whom our assertions are for, where that is not
    its token address. *family* is what product it is. *pseudonymous*: it was not asked for names and addresses.
    *origins* are further ones from which it shows us in a frame, as its signed launches say. *results* are the
    frameworks of which it is told what its learners hold.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    authorization: str
    token: str
    jwks: str
    created: int
    state: PlatformState = "pending"
    deployments: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    audience: str = ""
    family: str = ""
    pseudonymous: bool = False
    origins: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    v: int = 1

    @property
    def framing(self) -> tuple[str, ...]:
        """The origins whose pages may show ours in a frame."""
        own = (origin(self.issuer), origin(self.authorization), *self.origins)
        return tuple(dict.fromkeys(filter(None, own)))


_decoder = msgspec.json.Decoder(LtiPlatform)


def platform_id(issuer: str, client_id: str) -> str:
    """The id of the platform *issuer* that knows us as *client_id*."""
    return name(KIND, issuer, client_id)


def add(tx: Tx, wanted: LtiPlatform, by: str) -> None:
    """Adds a platform. Raises ``Refused``: 400 for what is unusable, 409 if it is there, or another one says so.

    Users are known by issuer and ``sub``, so two registrations of one issuer must have keys from one host: else whoever
    registers again could say who everybody is.
    """
    check(wanted)
    if tx.get(KIND, wanted.id) is not None:
        message = "This platform is registered already with this client id."
        raise Refused(message, status=409, error="conflict", pointer="/client_id")
    if len(everyone(tx)) >= MOST:
        raise Refused(f"There are {MOST} platforms. Remove those that nobody uses first.", status=409, error="conflict")
    for other in of_issuer(tx, wanted.issuer):
        if web_address(other.jwks).host.lower() != web_address(wanted.jwks).host.lower():
            message = (
                f"{other.name} is registered for the issuer {wanted.issuer} with keys from another host. Two platforms"
                " cannot have one issuer: one of the two addresses is wrong."
            )
            raise Refused(message, status=409, error="conflict", pointer="/jwks")
    tx.insert(_record(wanted))
    audit.append(tx, by, "lti-platform.added", {"platform": wanted.id, "state": wanted.state})


def check(wanted: LtiPlatform) -> None:
    """Raises ``Refused`` (400) unless each part of *wanted* can be one; its pointer is the field of the form."""
    for field, what, text in (
        ("name", "name", wanted.name),
        ("issuer", "issuer", wanted.issuer),
        ("client_id", "client id", wanted.client_id),
    ):
        if not text.strip() or len(text) > LONGEST:
            raise Refused(f"The {what} is missing, or longer than {LONGEST} characters.", pointer=f"/{field}")
    for field, what, address in (
        ("issuer", "issuer", wanted.issuer),
        ("authorization", "authorization address", wanted.authorization),
        ("token", "token address", wanted.token),
        ("jwks", "address of its keys", wanted.jwks),
    ):
        try:
            if len(address) > _LONGEST_ADDRESS:
                raise ValueError("it is too long")
            web_address(address)
        except ValueError as error:
            message = f"The {what} is no address: {error}. Copy it as the platform shows it."
            raise Refused(message, pointer=f"/{field}") from error
    if any(not one or len(one) > LONGEST for one in wanted.deployments):
        raise Refused(f"A deployment id has 1 to {LONGEST} characters.", pointer="/deployments")


def check_https(wanted: LtiPlatform, settings: Settings) -> None:
    """Raises ``Refused`` (400) for an address without https, unless ``LRS_OUTBOUND_ALLOW`` names its host."""
    for field in ("authorization", "token", "jwks"):
        parts = web_address(getattr(wanted, field))
        if parts.scheme != "https" and not settings.outbound_allow:
            message = f"{parts.host} is not reached by https. A platform must be; ask whoever runs it."
            raise Refused(message, pointer=f"/{field}")


def set_state(tx: Tx, id: str, state: PlatformState, by: str) -> LtiPlatform:
    """Approves or suspends a platform. Raises ``Refused`` (404)."""
    record = _wanted(tx, id)
    now = msgspec.structs.replace(_decoder.decode(record.body), state=state)
    _put(tx, record, now)
    audit.append(tx, by, f"lti-platform.{state}", {"platform": id})
    return now


def set_results(tx: Tx, id: str, frameworks: Sequence[str], by: str) -> LtiPlatform:
    """Sets of which frameworks a platform is told results. Raises ``Refused`` (404)."""
    record = _wanted(tx, id)
    now = msgspec.structs.replace(_decoder.decode(record.body), results=tuple(sorted(set(frameworks))))
    _put(tx, record, now)
    audit.append(tx, by, "lti-platform.results", {"platform": id, "frameworks": " ".join(now.results) or "none"})
    return now


def remove(tx: Tx, id: str, by: str) -> None:
    """Takes a platform away, in any state: nothing of it is let in any more. Raises ``Refused`` (404).

    What its users did, and who they are, stays: registered again with the same issuer and client id, it is the same.
    """
    _wanted(tx, id)
    tx.delete(KIND, id)
    audit.append(tx, by, "lti-platform.removed", {"platform": id})


def accept_deployment(tx: Tx, id: str, deployment: str, by: str) -> bool:
    """Lets *deployment* launch. ``False`` if it may already. Raises ``Refused`` (400, 404)."""
    record = _wanted(tx, id)
    one = _decoder.decode(record.body)
    if deployment in one.deployments:
        return False
    waiting = tuple(other for other in one.waiting if other != deployment)
    now = msgspec.structs.replace(one, deployments=(*one.deployments, deployment), waiting=waiting)
    check(now)
    _put(tx, record, now)
    audit.append(tx, by, "lti-deployment.accepted", {"platform": id, "deployment": deployment})
    return True


def note_deployment(tx: Tx, id: str, deployment: str) -> None:
    """Keeps a deployment that launched and that nobody has accepted, for somebody to see."""
    record = _wanted(tx, id)
    one = _decoder.decode(record.body)
    if deployment not in {*one.deployments, *one.waiting} and len(deployment) <= LONGEST:
        _put(tx, record, msgspec.structs.replace(one, waiting=(*one.waiting, deployment)[-MOST_WAITING:]))


def note_origins(tx: Tx, id: str, found: Sequence[str]) -> None:
    """Keeps the origins that a signed launch named."""
    record = _wanted(tx, id)
    one = _decoder.decode(record.body)
    new = [origin for origin in dict.fromkeys(found) if origin and origin not in one.framing]
    if new:
        _put(tx, record, msgspec.structs.replace(one, origins=(*one.origins, *new)[-MOST_ORIGINS:]))


def platform(reader: Reader, id: str) -> LtiPlatform | None:
    """The platform *id*, in whatever state."""
    record = reader.get(KIND, id)
    return _decoder.decode(record.body) if record else None


def named(reader: Reader, text: str) -> LtiPlatform:
    """The platform with this id, or this name. Raises ``Refused`` (404, 409)."""
    found = [one for one in everyone(reader) if text in {one.id, one.name}]
    if len(found) != 1:
        message = f"{len(found) or 'no'} platforms are called {text!r}: lrs lms list shows their ids"
        raise Refused(message, status=409 if found else 404, error="conflict" if found else "not_found")
    return found[0]


def everyone(reader: Reader) -> list[LtiPlatform]:
    """All platforms, oldest first."""
    return [_decoder.decode(record.body) for record in each(reader, KIND)]


def of_issuer(reader: Reader, issuer: str) -> list[LtiPlatform]:
    """Those with this issuer, oldest first."""
    found = reader.find(Walk(KIND, [_issuer_key(issuer)], limit=MOST)).records
    return [one for record in found if (one := _decoder.decode(record.body)).issuer == issuer]


def _wanted(tx: Tx, id: str) -> Record:
    record = tx.get(KIND, id)
    if record is None:
        raise Refused("There is no such platform.", status=404, error="not_found")
    return record


def _record(one: LtiPlatform) -> Record:
    return Record(KIND, one.id, msgspec.json.encode(one), keys=(_issuer_key(one.issuer),))


def _put(tx: Tx, record: Record, one: LtiPlatform) -> None:
    tx.put(msgspec.structs.replace(record, body=msgspec.json.encode(one)))


def _issuer_key(issuer: str) -> int:
    return key("lti.issuer", issuer)


KINDS = (Kind(KIND, "fact", LtiPlatform, 1, subjects=None, retention="configuration", exported=True),)
