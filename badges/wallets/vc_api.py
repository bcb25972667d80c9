"""VC-API exchanges: what a wallet is asked, and what it gets for a presentation that proves its DID.

Source: W3C CCG "VC API", "Participate in an Exchange", and "Interaction URL". Knows no route.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import msgspec

from badges.proofs.contexts import CREDENTIALS_V2
from badges.wallets import exchanges
from badges.wallets.did_auth import OLD, SUITE, challenge_in, holder_in
from badges.wallets.exchanges import VC_API
from badges.wallets.hand_over import HandOver
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import digest_of
from lrs.kernel.strict_json import JsonView
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant


def domain_of(root: str) -> str:
    """The domain for which a presentation is signed, by the public address *root* of this server."""
    return urlsplit(root).netloc


def request(tenant: Tenant, token: str, root: str) -> dict[str, Any]:
    """What the wallet is asked for: to prove its DID. Raises ``Refused`` (404, 410)."""
    query = {
        "type": "DIDAuthentication",
        "acceptedMethods": [{"method": "key"}],
        "acceptedCryptosuites": [{"cryptosuite": SUITE}, {"cryptosuite": OLD}],
    }
    challenge = exchanges.new_challenge(tenant, token)
    return {"verifiablePresentationRequest": {"query": [query], "challenge": challenge, "domain": domain_of(root)}}


def answer(tenant: Tenant, token: str, presentation: JsonView, root: str, *, linked: bool = False) -> Any:
    """The badge for whoever signed *presentation*, as JSON. *linked*: it answers the challenge of the old deep link.

    Raises ``Refused``: 400 for a presentation that proves nothing, 404, 409 if another wallet has it, 410.
    """
    _, exchange = exchanges.found(tenant.store, token, tenant.clock())
    wanted = exchanges.link_challenge(tenant, token) if linked else challenge_in(presentation)
    domain = domain_of(root)
    holder = holder_in(presentation, wanted, domain, domain_needed=not linked)

    def decide(tx: Tx) -> None:
        record, now = exchanges.found(tx, token, tenant.clock())
        if now.linked if linked else (not now.challenge or now.challenge != digest_of(wanted)):
            message = "This challenge was used already, or a newer one was given out. Ask for a new one."
            raise Refused(message, status=400, error="wrong_challenge", pointer="/proof/challenge")
        now = exchanges.take(now, holder, VC_API)
        used = msgspec.structs.replace(now, linked=True) if linked else msgspec.structs.replace(now, challenge="")
        exchanges.changed(tx, record, used)

    return json.loads(HandOver(tenant, exchange.badge, holder, VC_API, decide).done().body)


def presented(credential: Any) -> dict[str, Any]:
    """The answer of an exchange: a presentation with the *credential*, which nobody signed."""
    presentation = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [credential],
    }
    return {"verifiablePresentation": presentation}
