"""The data of the pages on which badges are stopped. Formats; decides nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from badges.achievements.counts import achievement_of
from badges.achievements.described import described_achievements
from badges.credentials.chosen import Chosen
from badges.credentials.records import ISSUED
from badges.held import stops
from badges.pages.words_view import endorsed
from badges.views import badge_view
from lrs.access import staff
from lrs.kernel.errors import Refused
from lrs.pages.states import mood, state_word
from lrs.pages.views import NO_NAME
from lrs.people.persons import members_of
from lrs.people.search import somebody
from lrs.storage import Reader
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_moment

SHOWN = 50
"""Badges that the page names before they are revoked; all are counted."""


def one_badge(tenant: Tenant, id: str) -> dict[str, Any]:
    """The page of the badge *id*. Raises ``Refused`` (404)."""
    reader, record = tenant.store, tenant.store.get("credential", id)
    if record is None:
        raise Refused("There is no such badge.", status=404, error="not_found")
    stopped = stops.stop_of(reader, id)
    state = stopped.state if stopped else str(record.meta["state"])
    said = badge_view.badge(msgspec.json.decode(record.body))
    return {
        "id": id,
        "badge": said,
        "holder": _holder(reader, str(record.meta["person"])),
        "person": str(record.meta["person"]),
        "achievement": achievement_of(record),
        "is": state,
        "state": state_word(state),
        "mood": mood(state),
        "is_valid": state == ISSUED,
        "stop": _stop(tenant, stopped) if stopped else None,
        "endorsed": endorsed(tenant, id),
    }


def _stop(tenant: Tenant, stopped: stops.Stop) -> dict[str, str]:
    at = written_moment(stopped.at, tenant.settings.zone)
    return {"reason": stopped.reason, "at": at, "by": staff.called(tenant.store, stopped.by)}


def _holder(reader: Reader, person: str) -> str:
    members = members_of(reader, person)
    return (somebody(reader, members[0]).name if members else None) or NO_NAME


def achievements(tenant: Tenant) -> list[tuple[str, str]]:
    """What badges are for, to choose from."""
    return [(one.held.attainment.id, f"{one.name} ({one.framework})") for one in described_achievements(tenant)]


def many_badges(tenant: Tenant, found: Chosen) -> dict[str, Any]:
    """How many would be revoked, and the first of them by name and holder."""
    reader = tenant.store
    shown = reader.get_many("credential", found.to_revoke[:SHOWN])
    names = [
        (str(msgspec.json.decode(record.body)["name"]), _holder(reader, str(record.meta["person"])), id)
        for id, record in shown.items()
    ]
    count = len(found.to_revoke)
    return {
        "count": count,
        "already": len(found.badges) - count,
        "shown": sorted(names),
        "more": count - len(names),
        "seen": stops.digest(found.to_revoke),
    }


def number_in(text: str) -> int:
    """The number that was typed. Raises ``Refused`` (400)."""
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise Refused("Type the number of badges that stands above.", error="bad_number", pointer="/expected")
    return int(plain)
