"""The data of the pages about an achievement: from what is stored to what a person reads. Pure; knows no markup."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from badges.achievements.achievements import FrameworkItem
from badges.content.narrative import blocks
from badges.endorsing.endorsements import Endorsements
from badges.views.badge_view import endorser
from lrs.kernel.strict_json import Json, JsonView
from lrs.kernel.times import timestamp_of_micros


def achievement(stored: JsonView, issuer: str, id: str) -> dict[str, Any]:
    """The page about the Achievement *stored* under *id*, whose badges *issuer* signs; empty for what it lacks."""
    return {
        "id": id,
        "name": stored["name"],
        "issuer": issuer,
        "description": stored.get("description", ""),
        "takes": blocks(stored.get("criteria", {}).get("narrative", "")),
        "scales": [_levels(scale) for scale in stored.get("resultDescription", ())],
        "stands_for": [_item(one) for one in stored.get("alignment", ())],
        "version": stored.get("version", ""),
        "tags": stored.get("tag", []),
    }


def endorsed(found: Endorsements | None, issuer: str, known: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who endorsed it, and what they say. Ours are by *issuer* (id); *known* as for ``badge_view.endorser``."""
    return [
        {
            **endorser(one.endorser if one.credential else issuer, issuer, known),
            "who": str(one.credential["issuer"].get("name", "")) if one.credential else known.get(issuer, ""),
            "says": one.comment,
        }
        for one in (found.given if found else ())
    ]


def criteria_json(stored: JsonView, address: str | None) -> Json:
    """The criteria alone, as JSON: what the achievement *stored* says, under *address*."""
    found = {"id": address, "type": ["Criteria"], **stored.get("criteria", {}), "achievement": stored["id"]}
    return {name: value for name, value in found.items() if value is not None}


def item(stored: FrameworkItem) -> dict[str, Any]:
    """The page about a competency."""
    return {
        "name": stored.about.label,
        "code": stored.about.code,
        "framework": stored.title or stored.about.framework,
        "framework_id": stored.about.framework,
        "version": stored.about.version,
        "levels": [(level.label, level.description or "") for level in stored.scale.levels],
    }


def case_item(stored: FrameworkItem, id: str, address: str | None) -> Json:
    """The competency as a CFItem. Source: 1EdTech CASE 1.1, "CFItem Data Model"."""
    about = stored.about
    document = {
        "title": stored.title or about.framework,
        "identifier": str(uuid.uuid5(uuid.NAMESPACE_URL, about.framework)),
        "uri": about.framework,
    }
    return {
        "identifier": id,
        "uri": address or f"urn:uuid:{id}",
        "CFItemType": "Competency",
        "CFDocumentURI": document,
        "fullStatement": about.label,
        "humanCodingScheme": about.code,
        "lastChangeDateTime": timestamp_of_micros(stored.at),
    }


def _levels(scale: JsonView) -> list[dict[str, Any]]:
    required = scale.get("requiredLevel")
    return [
        {"name": one["name"], "says": one.get("description", ""), "this": one["id"] == required}
        for one in scale.get("rubricCriterionLevel", ())
    ]


def _item(alignment: JsonView) -> dict[str, str]:
    url = str(alignment.get("targetUrl", ""))
    return {
        "name": f"{alignment.get('targetCode', '')} {alignment['targetName']}".strip(),
        "framework": alignment.get("targetFramework", ""),
        "page": url if url.startswith("https://") else "",
    }
