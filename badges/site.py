"""All routes of badges, and the policies of their pages, for the application to put together."""

from __future__ import annotations

from collections.abc import Mapping

from badges.pages import (
    certificate,
    claim,
    codes,
    endorsements,
    event_codes,
    issuers,
    keys,
    own,
    prior,
    shared,
    stopping,
    verify,
    words,
)
from badges.published import achievement_routes, registry_routes, routes
from badges.wallets import routes as wallets
from badges.wallets.oid4vci import routes as oid4vci
from lrs.web.late import Router
from lrs.web.page import Pages
from lrs.xapi.statements.subscriptions import Subscriptions

PAGES: Mapping[str, Pages] = {
    "achievement": achievement_routes.PAGES,
    "claim": claim.PAGES,
    "shared": shared.PAGES,
    "verify": verify.PAGES,
}
"""By their names in the table of rights."""


def routers(subscriptions: Subscriptions) -> tuple[Router, ...]:
    """All of them; *subscriptions*: what a stored statement owes."""
    of_staff = (keys, words, stopping, event_codes, issuers, endorsements)
    rooms = (routes, registry_routes, *of_staff, claim, own, shared, certificate, wallets, oid4vci, verify)
    with_steps = (prior.routes(subscriptions), codes.routes(subscriptions))
    return (*(room.routes() for room in rooms), *with_steps)
