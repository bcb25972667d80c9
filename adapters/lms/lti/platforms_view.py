"""The pages about learning platforms for staff, as plain values. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.lms.lti.manual import ADDRESSES, PRODUCTS, STAND_INS, Product
from adapters.lms.lti.platforms import LtiPlatform
from lrs.kernel.printing import time_of
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

COLUMNS = (
    ListColumn("name", "Platform"),
    ListColumn("issuer", "Issuer"),
    ListColumn("state", "State", facet=True),
    ListColumn("waiting", "Deployments that wait", figure=True),
    ListColumn("created", "Registered"),
    ListColumn("id", "Id", sortable=False, seen=False),
)
STATES = {"pending": "Waits for approval", "approved": "Approved", "suspended": "Suspended"}
_MOODS = {"pending": "warn", "approved": "good", "suspended": "bad"}


def rows(found: Iterable[LtiPlatform], root: str, zone: str) -> list[ListRow]:
    """The platforms, each with its page."""
    return [
        ListRow(
            {
                "name": one.name,
                "issuer": one.issuer,
                "state": one.state,
                "waiting": len(one.waiting),
                "created": time_of(one.created),
                "id": one.id,
            },
            {"state": STATES[one.state], "created": written_moment(one.created, zone)},
            {"name": f"{root}/staff/lms/platforms/{one.id}"},
            {"state": _MOODS[one.state]},
        )
        for one in found
    ]


def platform(one: LtiPlatform, zone: str) -> dict[str, Any]:
    """What the page about one platform says of it."""
    return {
        "id": one.id,
        "name": one.name,
        "state": one.state,
        "says": STATES[one.state],
        "mood": _MOODS[one.state],
        "deployments": list(one.deployments),
        "waiting": list(one.waiting),
        "facts": [
            ("Issuer", one.issuer),
            ("Client id", one.client_id),
            ("Product", one.family or "Not told"),
            ("Authorization", one.authorization),
            ("Token", one.token),
            ("Keys", one.jwks),
            ("Learners are known", "By a number only" if one.pseudonymous else "By name, address and user name"),
            ("Shown in frames of", ", ".join(one.framing)),
            ("Registered", written_moment(one.created, zone)),
        ],
    }


def products() -> list[tuple[str, str]]:
    """The products that can be chosen for a registration by hand."""
    return [(one.name, one.title) for one in PRODUCTS.values()]


def examples(chosen: Product, site: str) -> dict[str, str]:
    """What the addresses of a product look like whose address is *site*; hints, not values."""
    there = site.rstrip("/") or "https://SITE"
    return {name: str(getattr(chosen, name)).format(site=there) for name in ADDRESSES}


def proposed(chosen: Product, site: str) -> dict[str, str]:
    """What the form has in it for a product whose address is *site*: addresses that are known whole."""
    found = examples(chosen, site)
    return {name: text for name, text in found.items() if not any(one in text.split("/") for one in STAND_INS)}


def told(one: LtiPlatform, frameworks: Iterable[tuple[str, str]], counts: Mapping[str, int]) -> dict[str, Any]:
    """Of which of the published *frameworks* (URI, title) a platform is told results, and how many it was told."""
    return {
        "on": bool(one.results),
        "frameworks": [{"uri": uri, "title": title or uri, "on": uri in one.results} for uri, title in frameworks],
        "facts": [
            ("Users known there", counts["users"]),
            ("Of these, without an ID number or address of their own", counts["unknown"]),
            ("Results told", counts["told"]),
        ],
    }
