"""By which account content calls a learner who opens a course on their own pages.

cmi5 wants an account (9.2), and a learner who was invited may be known by an address alone. So each has an account of
this server, whose name says nothing, joined to whatever else is known of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from lrs.kernel.errors import Refused
from lrs.people.ids import identified, ids_of
from lrs.people.persons import identifiers_in, identifiers_of, members_of, minter
from lrs.people.platform_accounts import join_account
from lrs.storage import Reader, Tx
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier

SOURCE = "engraft"


def known_actor(reader: Reader, tenant: Tenant, person: str, home: str) -> dict[str, Any] | None:
    """The actor that *person* has here already: at the home page *home*, or from when this server had another address.

    Then it is found by its name, which no one else can make.
    """
    found = [one["account"] for one in identifiers_of(reader, person) if "account" in one]
    names = {_name(tenant, one) for one in members_of(reader, person)}
    mine = [one for one in found if one["homePage"] == home] + [one for one in found if one["name"] in names]
    return {"account": mine[0]} if mine else None


def actor_in(tx: Tx, tenant: Tenant, person: str, home: str) -> dict[str, Any]:
    """The actor of *person* at the home page *home*, made and joined if there is none.

    Refuses (409) somebody of whom nothing is known by which others could name them.
    """
    if known := known_actor(tx, tenant, person, home):
        return known
    mine = identifiers_in(tx, members_of(tx, person))
    actor = {"account": {"homePage": home, "name": _name(tenant, person)}}
    new = identified(actor, ids_of(tenant))
    if not mine or new is None or not _joined(tx, tenant, mine[0], new):
        why = "Nothing is known here by which your results could be yours: tell the staff."
        raise Refused(why, status=409, error="nobody")
    return actor


def is_ours(tenant: Tenant, members: Iterable[str], account: Mapping[str, Any]) -> bool:
    """Whether *account* is the one that this server made for one of *members*, at whatever address it had then."""
    return any(hmac.compare_digest(_name(tenant, one), str(account["name"])) for one in members)


def _joined(tx: Tx, tenant: Tenant, known: Identifier, new: Identifier) -> bool:
    mint = minter(tenant.secret("person-ids"))
    return join_account(tx, known, new, source=SOURCE, mint=mint) in {"joined", "already"}


def _name(tenant: Tenant, person: str) -> str:
    return hmac.digest(tenant.secret("own-learning"), person.encode(), hashlib.sha256)[:16].hex()
