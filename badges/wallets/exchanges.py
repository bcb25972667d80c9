"""One badge on its way into one wallet: the record that a VC-API exchange and an OpenID4VCI offer share.

Its address has a random token; the store has the hash. The code of its OpenID4VCI offer is made from the token and
opens no exchange: whoever has the offer only needs the six digits, too. It is open for ``LASTS``. The first wallet that
proves its key gets the badge; the same wallet can ask again, if the answer did not reach it, and no other. Each
challenge is good for one presentation. ``TRIES`` wrong codes (``tx_code``) end it for every wallet.

kind ``badge-exchange``.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence

import msgspec

from lrs.kernel.base64url import base64url
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import MINUTE
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.about import by_person, without
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy.tenants import Tenant

KIND = "badge-exchange"
LASTS = 20 * MINUTE
TRIES = 5
_CLEARED = 50
VC_API, OPENID = "vcapi", "oid4vci"


class BadgeExchange(msgspec.Struct, frozen=True):
    """The body of a ``badge-exchange`` record. Times are in microseconds UTC, secrets are there as digests.

    *offer* is the code of the offer, *challenge* the one that was given out last; *linked* says that the one in the old
    deep link was used. *holder* is the DID that took the badge, *way* by which protocol. *tries* are wrong codes.
    *access* is the access token of OpenID4VCI, good until *access_until*, *told* what the wallet notified.
    """

    badge: str
    person: str
    expires: int
    offer: str = ""
    challenge: str = ""
    linked: bool = False
    holder: str = ""
    way: str = ""
    tries: int = 0
    access: str = ""
    access_until: int = 0
    told: str = ""
    v: int = 1

    @property
    def is_ended(self) -> bool:
        """Whether wrong codes ended it."""
        return self.tries >= TRIES


decode = msgspec.json.Decoder(BadgeExchange).decode


def make(tx: Tx, tenant: Tenant, badge: Record) -> str:
    """Opens an exchange for *badge* (a ``credential`` record) with this commit; gives its token. Former ones end."""
    now, token = tenant.clock(), secrets.token_urlsafe(24)
    person = str(badge.meta["person"])
    for record in _of_badge(tx, badge.id):
        tx.delete(KIND, record.id)
    kept = BadgeExchange(badge.id, person, now + LASTS, digest_of(offer_code(tenant, token)))
    tx.insert(Record(KIND, digest_of(token), msgspec.json.encode(kept), keys=_keys(kept)))
    return token


def end(tx: Tx, badge: str) -> None:
    """Ends the exchanges of the *badge* (id) with this commit, and the access tokens that they gave."""
    for record in _of_badge(tx, badge):
        tx.delete(KIND, record.id)


def _of_badge(tx: Tx, badge: str) -> Sequence[Record]:
    return tx.find(Walk(KIND, [key("badge-exchange.badge", badge)], limit=_CLEARED)).records


def found(reader: Reader, token: str, now: int) -> tuple[Record, BadgeExchange]:
    """The open exchange with *token*. Raises ``Refused``: 404 if it is unknown, 410 if it ended."""
    record = reader.get(KIND, digest_of(token))
    if record is None:
        raise _unknown()
    return record, checked(decode(record.body), now)


def offered(reader: Reader, code: str, now: int) -> tuple[Record, BadgeExchange]:
    """The open exchange whose offer has the *code*. Raises ``Refused``: 404 if it is unknown, 410 if it ended."""
    digest = digest_of(code)
    for record in reader.find(Walk(KIND, [key("badge-exchange.offer", digest)], limit=5)).records:
        exchange = decode(record.body)
        if hmac.compare_digest(exchange.offer, digest):
            return record, checked(exchange, now)
    raise _unknown()


def _unknown() -> Refused:
    message = "This exchange is not known, or a newer one took its place. Begin again at the page of the badge."
    return Refused(message, status=404, error="exchange_unknown")


def checked(exchange: BadgeExchange, now: int) -> BadgeExchange:
    """*exchange*, if it is open. Raises ``Refused`` (410)."""
    if exchange.is_ended:
        message = "The code was wrong too often, so this offer ended. Begin again at the page of the badge."
        raise Refused(message, status=410, error="exchange_ended")
    if exchange.expires <= now:
        message = "This exchange is over: it was open for 20 minutes. Begin again at the page of the badge."
        raise Refused(message, status=410, error="exchange_expired")
    return exchange


def changed(tx: Tx, record: Record, exchange: BadgeExchange) -> None:
    """Stores *exchange* in place of *record* with this commit."""
    body = msgspec.json.encode(exchange)
    tx.replace(msgspec.structs.replace(record, body=body, keys=_keys(exchange), seq=record.seq))


def new_challenge(tenant: Tenant, token: str) -> str:
    """A challenge for the exchange with *token*; a former one is void. Raises ``Refused`` (404, 409, 410)."""
    challenge = secrets.token_urlsafe(24)

    def decide(tx: Tx) -> None:
        record, exchange = found(tx, token, tenant.clock())
        if exchange.way not in {"", VC_API}:
            raise _taken()
        changed(tx, record, msgspec.structs.replace(exchange, challenge=digest_of(challenge)))

    tenant.store.write(decide).result()
    return challenge


def link_challenge(tenant: Tenant, token: str) -> str:
    """The challenge that stands in the old deep link of the exchange with *token*, good for one presentation, too."""
    return base64url(hmac.digest(tenant.secret("badge-exchange-challenge"), token.encode(), "sha256")[:18])


def offer_code(tenant: Tenant, token: str) -> str:
    """The pre-authorized code of the offer that belongs to the exchange with *token*; nothing leads back from it."""
    return base64url(hmac.digest(tenant.secret("badge-exchange-offer"), token.encode(), "sha256")[:24])


def tx_code(tenant: Tenant, code: str) -> str:
    """The six digits that the learner types into a wallet of OpenID4VCI, for the offer with *code*."""
    digest = hmac.digest(tenant.secret("badge-exchange-code"), code.encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**6:06}"


def notice(tenant: Tenant, exchange: BadgeExchange) -> str:
    """The id for notifications about what was handed out for the access token of *exchange*, the same each time."""
    return base64url(hmac.digest(tenant.secret("badge-exchange-notice"), exchange.access.encode(), "sha256")[:18])


def take(exchange: BadgeExchange, holder: str, way: str) -> BadgeExchange:
    """*exchange* as *holder* takes it. Raises ``Refused`` (409) if another wallet has, or one by another way."""
    if exchange.way not in {"", way} or exchange.holder not in {"", holder}:
        raise _taken()
    return msgspec.structs.replace(exchange, holder=holder, way=way)


def _taken() -> Refused:
    message = "Another wallet took this badge by this link. Begin again at the page of the badge for a further one."
    return Refused(message, status=409, error="taken")


def _keys(exchange: BadgeExchange) -> tuple[int, ...]:
    keys = [key("badge-exchange.badge", exchange.badge), key("badge-exchange.person", exchange.person)]
    secret = {"badge-exchange.access": exchange.access, "badge-exchange.offer": exchange.offer}
    return (*keys, *(key(name, digest) for name, digest in secret.items() if digest))


KINDS = (
    Kind(
        KIND,
        "fact",
        BadgeExchange,
        1,
        subjects=of_person(decode),
        retention="operational",
        exported=False,
        find=by_person(KIND, "badge-exchange.person"),
        shown=without("offer", "challenge", "access"),
        ends=lambda record: decode(record.body).expires,
    ),
)
