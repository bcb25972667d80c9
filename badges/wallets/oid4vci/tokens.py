"""The token endpoint: an access token for a pre-authorized code and the right transaction code, once.

Five wrong codes end the offer. A wrong one is counted in a commit of its own, whatever else becomes of the request.
Sources: OpenID4VCI 1.0, 6; RFC 6749, 5; RFC 6750.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from badges.keys.issuer import issuer_of
from badges.wallets import exchanges
from badges.wallets.exchanges import KIND, OPENID, TRIES, BadgeExchange
from badges.wallets.oid4vci.metadata import DETAILS, GRANT, configurations
from badges.wallets.oid4vci.refusals import WalletRefused
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import MINUTE, SECOND
from lrs.storage import Reader, Record, Tx, Walk
from lrs.tenancy.tenants import Tenant

LASTS = 10 * MINUTE
_FIELDS = 20


def answer(tenant: Tenant, content_type: str, body: bytes) -> dict[str, Any]:
    """The answer to a token request with this form. Raises ``Refused``."""
    form = _form(content_type, body)
    if form.get("grant_type") != GRANT:
        raise WalletRefused("unsupported_grant_type", f"The grant_type can only be {GRANT}.")
    code, typed = form.get("pre-authorized_code", ""), form.get("tx_code") or form.get("user_pin", "")
    if not typed:
        raise WalletRefused("invalid_request", "The tx_code is missing: the six digits on the page of the badge.")
    details = _details(form.get("authorization_details"), configurations(issuer_of(tenant)))
    access, is_right = secrets.token_urlsafe(32), _is_right(tenant, code, typed)

    def decide(tx: Tx) -> WalletRefused | None:
        record, exchange = _open(tx, tenant, code)
        if not is_right:
            tried = msgspec.structs.replace(exchange, tries=exchange.tries + 1)
            exchanges.changed(tx, record, tried)
            return _wrong_code(tried)
        until = tenant.clock() + LASTS
        taken = msgspec.structs.replace(exchange, way=OPENID, access=digest_of(access), access_until=until)
        exchanges.changed(tx, record, taken)
        return None

    if refused := tenant.store.write(decide).result():
        raise refused
    answered = {"access_token": access, "token_type": "bearer", "expires_in": LASTS // SECOND}
    return answered | ({"authorization_details": details} if details else {})


def with_access(reader: Reader, now: int, authorization: str | None) -> tuple[Record, BadgeExchange]:
    """The exchange whose access token stands in the header *authorization*. Raises ``Refused`` (401)."""
    scheme, _, token = (authorization or "").partition(" ")
    digest = digest_of(token.strip())
    if scheme.lower() == "bearer":
        for record in reader.find(Walk(KIND, [key("badge-exchange.access", digest)], limit=5)).records:
            exchange = exchanges.decode(record.body)
            if hmac.compare_digest(exchange.access, digest) and exchange.access_until > now:
                return record, exchange
    message = "The access token is missing, wrong or too old. Begin again at the page of the badge."
    raise WalletRefused("invalid_token", message, status=401)


def _open(tx: Tx, tenant: Tenant, code: str) -> tuple[Record, BadgeExchange]:
    try:
        record, exchange = exchanges.offered(tx, code, tenant.clock())
    except Refused as refused:
        raise WalletRefused("invalid_grant", refused.message) from refused
    if exchange.way:
        message = "This offer was used already. Begin again at the page of the badge."
        raise WalletRefused("invalid_grant", message)
    return record, exchange


def _is_right(tenant: Tenant, code: str, typed: str) -> bool:
    expected = exchanges.tx_code(tenant, code)
    return hmac.compare_digest(expected.encode(), typed.strip().encode("utf-8", "replace"))


def _wrong_code(tried: BadgeExchange) -> WalletRefused:
    left = TRIES - tried.tries
    told = f"{left} more tries" if left > 1 else "one more try"
    more = f"There are {told}." if left else "It was wrong too often: the offer ended. Begin again there."
    more = more.replace("There are one", "There is one")
    return WalletRefused("invalid_grant", f"The tx_code is not the one on the page of the badge. {more}")


def _details(text: str | None, offered: Sequence[str]) -> list[dict[str, Any]]:
    """What was asked for by ``authorization_details`` (RFC 9396), with the identifier of each credential."""
    if text is None:
        return []
    try:
        asked = strict_json.parse(text.encode())
    except Refused:
        asked = None
    found = []
    for one in asked if isinstance(asked, list) else [None]:
        wanted = one.get("credential_configuration_id") if isinstance(one, Mapping) else None
        if (
            not isinstance(one, Mapping)
            or one.get("type") != DETAILS
            or not isinstance(wanted, str)
            or wanted not in offered
        ):
            message = f"Each of authorization_details has the type {DETAILS} and a credential that is offered."
            raise WalletRefused("invalid_authorization_details", message)
        found.append({"type": DETAILS, "credential_configuration_id": wanted, "credential_identifiers": [wanted]})
    return found


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise WalletRefused("invalid_request", "Send application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError as error:
        raise WalletRefused("invalid_request", "The form cannot be read.") from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise WalletRefused("invalid_request", "A field was sent twice.")
    return dict(pairs)
