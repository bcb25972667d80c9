"""The credential and the notification endpoint: a badge that names the key of the wallet that proved to have it.

Source: OpenID4VCI 1.0, 8 and 11. Requests of Draft 13 (``format`` and one ``proof``) are answered as that draft says.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from badges.forms import StoredBadge, form_named, sd_jwt
from badges.keys.issuer import issuer_of
from badges.keys.ring import ring_of
from badges.wallets import exchanges
from badges.wallets.exchanges import OPENID
from badges.wallets.hand_over import HandOver
from badges.wallets.oid4vci import nonces, proofs
from badges.wallets.oid4vci.metadata import FORMATS, LDP, SD_JWT, configurations
from badges.wallets.oid4vci.refusals import WalletRefused
from badges.wallets.oid4vci.tokens import with_access
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import JsonView
from lrs.storage import Record, Tx
from lrs.tenancy.tenants import Tenant

EVENTS = ("credential_accepted", "credential_failure", "credential_deleted")
_LONGEST = 1_000


class CredentialRequest(msgspec.Struct, frozen=True):
    """What a wallet asks for: the *configuration*, with the *proof* of its key, if any; *is_draft*: by Draft 13."""

    configuration: str
    proof: Any
    is_draft: bool


def answer(tenant: Tenant, authorization: str | None, sent: JsonView, base: str) -> dict[str, Any]:
    """The badge for the request *sent*, of the issuer *base*. Raises ``Refused``."""
    _, exchange = with_access(tenant.store, tenant.clock(), authorization)
    asked = read(sent, configurations(issuer_of(tenant)))
    if asked.proof is None:
        raise _without_proof(tenant, is_draft=asked.is_draft)
    proof = proofs.checked(asked.proof, base, tenant.clock(), is_draft=asked.is_draft)

    def decide(tx: Tx) -> None:
        record, now = with_access(tx, tenant.clock(), authorization)
        nonces.use(tx, tenant, proof.nonce)
        try:
            taken = exchanges.take(now, proof.did, OPENID)
        except Refused as refused:
            raise WalletRefused("credential_request_denied", refused.message) from refused
        exchanges.changed(tx, record, taken)

    held = HandOver(tenant, exchange.badge, proof.did, OPENID, decide).done()
    credential = _formed(tenant, held, asked.configuration)
    answered: dict[str, Any] = {
        "credentials": [{"credential": credential}],
        "notification_id": exchanges.notice(tenant, exchange),
    }
    if asked.is_draft:
        answered |= {"format": FORMATS[asked.configuration], "credential": credential}
    return answered


def read(sent: JsonView, offered: Sequence[str]) -> CredentialRequest:
    """The request *sent* for one of the configurations that are *offered*. Raises ``Refused``."""
    if sent.get("credential_response_encryption") is not None:
        message = "Answers are not encrypted here: leave out credential_response_encryption."
        raise WalletRefused("invalid_encryption_parameters", message, pointer="/credential_response_encryption")
    ways = [name for name in ("credential_configuration_id", "credential_identifier", "format") if name in sent]
    if len(ways) != 1:
        message = "Name the credential by credential_configuration_id or by credential_identifier."
        raise WalletRefused("invalid_credential_request", message, pointer="")
    wanted, is_draft = sent[ways[0]], ways[0] == "format"
    if is_draft:
        known = {"ldp_vc": LDP, "dc+sd-jwt": SD_JWT, "vc+sd-jwt": SD_JWT}.get(str(wanted))
        _check_definition(sent, known)
    else:
        known = wanted if isinstance(wanted, str) else None
    if known is None or known not in offered:
        kind = "credential_identifier" if ways[0] == "credential_identifier" else "credential_configuration"
        raise WalletRefused(f"unknown_{kind}", f"Offered are {', '.join(offered)}.", pointer=f"/{ways[0]}")
    return CredentialRequest(known, _proof(sent, is_draft=is_draft), is_draft)


def notify(tenant: Tenant, authorization: str | None, sent: JsonView) -> None:
    """Takes what the wallet says became of the badge. Raises ``Refused``."""

    def decide(tx: Tx) -> None:
        record, exchange = with_access(tx, tenant.clock(), authorization)
        if sent.get("event") not in EVENTS:
            message = f"The event is one of {', '.join(EVENTS)}."
            raise WalletRefused("invalid_notification_request", message, pointer="/event")
        id = str(sent.get("notification_id", ""))[:_LONGEST]
        if not exchange.holder or not hmac.compare_digest(id.encode(), exchanges.notice(tenant, exchange).encode()):
            message = "There is no such notification_id."
            raise WalletRefused("invalid_notification_id", message, pointer="/notification_id")
        exchanges.changed(tx, record, msgspec.structs.replace(exchange, told=str(sent["event"])))

    tenant.store.write(decide).result()


def _check_definition(sent: JsonView, known: str | None) -> None:
    """What a request of Draft 13 says further about the credential is what is offered."""
    definition = sent.get("credential_definition")
    kinds = definition.get("type") if isinstance(definition, Mapping) else ["OpenBadgeCredential"]
    if known == LDP and (not isinstance(kinds, list) or "OpenBadgeCredential" not in kinds):
        message = "The credential_definition is not that of an OpenBadgeCredential."
        raise WalletRefused("unsupported_credential_type", message, pointer="/credential_definition/type")
    if known == SD_JWT and sent.get("vct", sd_jwt.TYPE) != sd_jwt.TYPE:
        raise WalletRefused("unsupported_credential_type", "The vct is another one than offered.", pointer="/vct")


def _without_proof(tenant: Tenant, *, is_draft: bool) -> WalletRefused:
    """Draft 13 answers a request without a proof with a nonce for one; oid4-client waits for that."""
    refused = WalletRefused("invalid_proof", "A proof of the wallet's key is missing.", pointer="/proofs")
    refused.nonce = nonces.make(tenant) if is_draft else ""
    return refused


def _proof(sent: JsonView, *, is_draft: bool) -> Any:
    """The proof in the request *sent*; ``None`` if there is none. Raises ``Refused`` for more than one."""
    told = sent.get("proofs")
    if isinstance(told, Mapping):
        given = told.get("jwt")
        if isinstance(given, list) and len(given) == 1:
            return given[0]
        message = "Send one key proof, as JWT: proofs.jwt is a list of one."
        raise WalletRefused("invalid_proof", message, pointer="/proofs/jwt")
    single = sent.get("proof")
    if is_draft and isinstance(single, Mapping) and single.get("proof_type") == "jwt":
        return single.get("jwt")
    return None


def _formed(tenant: Tenant, held: Record, configuration: str) -> Any:
    if configuration == LDP:
        return json.loads(held.body)
    return form_named("sd-jwt").make(StoredBadge(held.id, held.body, ring_of(tenant))).decode()
