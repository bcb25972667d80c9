"""What a learner does with a badge of their own, by a link or signed in: the values of the page, and its buttons.

Knows no route and no cookie: whoever calls has made sure whose badge it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from badges.achievements import counts
from badges.content.compose import name_in
from badges.forms import FORMS
from badges.held import certificates, holders, shares, shown_names
from badges.held.shares import BadgeShare
from badges.keys.issuer import public_url
from badges.pages.own_forms import own_forms
from badges.prior.trusted import known_issuers
from badges.views import badge_view
from badges.wallets import addresses, exchanges
from lrs.competency.dates import day_of
from lrs.kernel.errors import Refused
from lrs.kernel.qr import qr_code
from lrs.pages.me.badges import form_named, saved_as
from lrs.pages.session import chosen
from lrs.people.confirmed_names import vouched_name
from lrs.storage import Record, Tx
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_day
from lrs.web.language import catalogue

ACCEPT, SHARE, STOP, WALLET, BACK = "accept", "share", "stop", "wallet", "take-back"
NAME, NO_NAME, VOID = "name", "no-name", "void"
_ACTS = frozenset({SHARE, STOP, WALLET, BACK, NAME, NO_NAME, VOID})
EVEN_GONE = frozenset({STOP, VOID})
"""What a learner does with a badge that counts no more, too: both keep others from reading about it."""


def _forms(language: str) -> list[dict[str, str]]:
    """The forms as the page of a badge shows them. Their texts are translated here, so that the page escapes them."""
    said = catalogue(language).gettext
    shown = sorted(FORMS, key=lambda form: form.place)
    return [{"name": form.name, "title": said(form.title), "about": said(form.about)} for form in shown]


class Taking(msgspec.Struct, frozen=True):
    """Somebody's own *badge*, on a page in *language*. *root* is the address of this server's public pages.

    *by* is who acts, for the record of actions.
    """

    tenant: Tenant
    badge: Record
    language: str
    root: str
    by: str

    @property
    def credential(self) -> Any:
        """The badge as JSON."""
        return json.loads(self.badge.body)

    def shown(self, wallet: str = "") -> dict[str, Any]:
        """The values of the page, but for those of its form. *wallet* is the token of an exchange that is open."""
        share, person = shares.share_of(self.tenant.store, self.badge.id), str(self.badge.meta["person"])
        may_share = shares.may_share(self.tenant, person)
        known = vouched_name(self.tenant.store, person)
        page = shared_address(self.tenant, share, self.root) if share else ""
        said = badge_view.badge(self.credential, self.language)
        held = holders.held_by(self.tenant.store, self.badge.id)
        return {
            "badge": said | {"endorsed": badge_view.endorsed(self.credential, known_issuers(self.tenant))},
            "holder": {"did": held.did, "day": self._day(held.at)} if held else None,
            "share": page,
            "share_name": shares.holder_shown(self.tenant.store, share) if share else "",
            "may_share": may_share,
            "own_name": shown_names.shown_name(self.tenant.store, self.badge.id) if may_share else "",
            "told_name": name_in(self.credential),
            "known_name": known.text if known else "",
            "name_from": known.source if known else "",
            "name_confirmed": self._day(known.at) if known and known.is_confirmed else "",
            "linkedin": badge_view.linkedin(self.credential, page or said["stands_for"]),
            "forms": _forms(self.language),
            "certificate": certificates.check_address(self.tenant, self.badge.id),
            "wallet": self._wallet(wallet) if wallet else None,
        }

    def _wallet(self, token: str) -> dict[str, Any] | None:
        """The ways into a wallet by the exchange with *token*; ``None`` if it is over, or is another badge's."""
        try:
            _, exchange = exchanges.found(self.tenant.store, token, self.tenant.clock())
        except Refused:
            return None
        if exchange.badge != self.badge.id:
            return None
        base = addresses.base_of_tenant(self.root, self.tenant.id)
        code = exchanges.offer_code(self.tenant, token)
        offer, issuer = addresses.offer(base, code), str(self.credential["issuer"]["id"])
        challenge = exchanges.link_challenge(self.tenant, token)
        return {
            "taken": bool(exchange.way),
            "lcw": addresses.deep_link(base, token, code),
            "lcw_old": addresses.old_deep_link(base, token, issuer, challenge),
            "openid": offer,
            "code": exchanges.tx_code(self.tenant, code),
            "qr": qr_code(addresses.interaction(base, token)),
            "qr_openid": qr_code(offer),
        }

    def do(self, form: Mapping[str, str]) -> str:
        """Does what the button of a *form* says. Gives the token of an exchange, if it opened one.

        Raises ``Refused``: 400 for another button, 403 if it is not allowed.
        """
        act = chosen(form, "act", _ACTS)
        if act == WALLET:
            return self.tenant.store.write(lambda tx: exchanges.make(tx, self.tenant, self.badge)).result()
        if act == SHARE:

            def decide(tx: Any) -> None:
                shares.share(tx, self.tenant, self.badge, with_name=form.get("name") == "yes", by=self.by)
                counts.count(tx, self.badge.id, "shared", self.tenant.clock())

            self.tenant.store.write(decide).result()
        elif act == BACK:
            self.tenant.store.write(self._take_back).result()
        elif act == STOP:
            self.tenant.store.write(lambda tx: shares.stop(tx, self.badge.id, by=self.by)).result()
        elif act == NAME:
            self.tenant.store.write(lambda tx: shown_names.put_in(tx, self.tenant, self.badge, by=self.by)).result()
        elif act == NO_NAME:
            self.tenant.store.write(lambda tx: shown_names.take_out(tx, self.badge.id, by=self.by)).result()
        elif act == VOID:
            self.tenant.store.write(lambda tx: certificates.make_void(tx, self.badge, by=self.by)).result()
        return ""

    def _day(self, at: int) -> str:
        return written_day(day_of(at, self.tenant.settings.zone), self.language)

    def _take_back(self, tx: Tx) -> None:
        """Takes the badge back from the wallet that holds it; an exchange that is open ends."""
        exchanges.end(tx, self.badge.id)
        holders.release(tx, self.badge.id, by=self.by)

    def file(self, form: str) -> tuple[bytes, str, str]:
        """The badge in the *form*: bytes, media type, and ``Content-Disposition``. Raises ``Refused`` (404, 406)."""
        chosen = form_named(own_forms(), form)
        name = str(self.credential["credentialSubject"]["achievement"]["name"])
        made = chosen.make(self.tenant, self.badge.id, self.badge.body)
        return made, chosen.media_type, saved_as(name, chosen.ending)


def shared_address(tenant: Tenant, share: BadgeShare, root: str) -> str:
    """The address at which *share* is seen by others; under *root* if no public address is set."""
    path = f"shared/{share.token}"
    return public_url(tenant, path) or f"{root}/t/{tenant.id}/{path}"
