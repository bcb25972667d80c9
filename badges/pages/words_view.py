"""The data of the stewards' pages about badges. Formats; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from badges.achievements import pictures
from badges.achievements.achievements import preview, versions_of
from badges.achievements.counts import COUNTED
from badges.achievements.described import DescribedAchievement, is_current
from badges.achievements.wording import BadgeWording, OwnWords
from badges.content.compose import achievement_json
from badges.content.medal import medal_for, picture_svg
from badges.content.narrative import blocks
from badges.endorsing.endorsements import endorsements_of
from badges.keys.issuer import issuer_of, public_url
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.web.listing import ListColumn, ListRow

SAID = {"claimed": "Taken", "verified": "Checked"}
"""What people call two of the counts, as the line above the table does."""
COLUMNS = (
    ListColumn("name", "Badge"),
    ListColumn("framework", "Framework", facet=True),
    ListColumn("level", "Level", facet=True),
    ListColumn("version", "Version", figure=True),
    *(ListColumn(what, SAID.get(what, what.capitalize()), figure=True) for what in COUNTED),
)


def rows(found: Iterable[DescribedAchievement], place: str) -> list[ListRow]:
    """A row for each achievement."""
    return [
        ListRow(
            {
                "name": one.name,
                "framework": one.framework,
                "level": one.held.level.label,
                "version": one.held.version,
                **{what: one.counts.get(what, 0) for what in COUNTED},
            },
            shown={} if one.held.version else {"version": "no badge yet"},
            links={"name": f"{place}/{one.held.attainment.id}"},
        )
        for one in found
    ]


def totals(found: Sequence[ListRow]) -> list[tuple[str, int]]:
    """How many badges each was true of, in all."""
    return [(what, sum(int(row.values[what]) for row in found)) for what in COUNTED]


def words_in(form: Mapping[str, str]) -> OwnWords:
    """The words in a form, as they were typed; line ends as in text."""
    texts = {name: form.get(name, "").replace("\r\n", "\n") for name in ("name", "description", "criteria")}
    tags = tuple(form.get("tags", "").split(","))
    return OwnWords(**texts, language=form.get("language", "").strip() or "en", tags=tags)


def page_of(tenant: Tenant, held: BadgeWording, draft: OwnWords | None, refused: Refused | None) -> dict[str, Any]:
    """The page of *held*: the words to change (*draft*, if there is one), and how a badge would say them."""
    shown = held if draft is None else msgspec.structs.replace(held, words=draft)
    said = preview(tenant, tenant.store, issuer_of(tenant), shown)
    is_on_its_way = pictures.is_on_its_way(tenant.store, held.attainment)
    own = preview(tenant, tenant.store, issuer_of(tenant), msgspec.structs.replace(held, words=OwnWords()))
    return {
        "title": said.name,
        "words": shown.words,
        "tags": ", ".join(shown.words.tags),
        "default": own,
        "said": said,
        "takes": blocks(said.criteria),
        "version": held.version,
        "is_draft": draft is not None,
        "is_current": not held.version or is_on_its_way or is_current(tenant, held),
        "is_on_its_way": is_on_its_way,
        "versions": _versions(tenant, held),
        "images": _images(tenant, held),
        "endorsed": endorsed(tenant, held.current) if held.current else [],
        "errors": [{"field": (refused.pointer or "/file").removeprefix("/"), "message": refused.message}]
        if refused
        else [],
    }


def image_of(tenant: Tenant, held: BadgeWording) -> bytes:
    """The image that the next version of *held* would have, as SVG."""
    said = preview(tenant, tenant.store, issuer_of(tenant), held)
    blob = pictures.picture_for(tenant.store, held.attainment)
    uploaded = b"".join(tenant.store.blobs.open(blob)) if blob else None
    text: bytes = ET.tostring(picture_svg(medal_for(achievement_json(said), ""), uploaded), encoding="utf-8")
    return text


def _versions(tenant: Tenant, held: BadgeWording) -> list[tuple[str, int]]:
    found = versions_of(tenant.store, held.attainment.id) if held.version else []
    return [(address, number) for id, number in found if (address := public_url(tenant, f"achievements/{id}"))]


def endorsed(tenant: Tenant, id: str) -> list[tuple[str, str, str]]:
    """Id, endorser and comment of each endorsement of the badge or the version *id*."""
    found, ours = endorsements_of(tenant.store, id), issuer_of(tenant)
    return [
        (one.id, ours.name if one.endorser == ours.id else one.endorser, one.comment)
        for one in (found.given if found else ())
    ]


def _images(tenant: Tenant, held: BadgeWording) -> list[str]:
    """The scopes for which an image was uploaded."""
    return [*pictures.uploaded(tenant.store, held.attainment)]
