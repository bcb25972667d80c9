"""The data of the page about an achievement: from the stored JSON to what a person reads. Pure; knows no markup."""

from __future__ import annotations

from typing import Any

from lrs.kernel.strict_json import JsonView


def achievement(stored: JsonView, issuer: str) -> dict[str, Any]:
    """The page about the Achievement *stored*, whose badges *issuer* signs. An empty text stands for what it lacks."""
    return {
        "name": stored["name"],
        "issuer": issuer,
        "description": stored.get("description", ""),
        "takes": stored.get("criteria", {}).get("narrative", ""),
        "scales": [_levels(scale) for scale in stored.get("resultDescription", ())],
        "stands_for": [_item(one) for one in stored.get("alignment", ())],
    }


def _levels(scale: JsonView) -> list[dict[str, Any]]:
    required = scale.get("requiredLevel")
    return [{"name": one["name"], "this": one["id"] == required} for one in scale.get("rubricCriterionLevel", ())]


def _item(alignment: JsonView) -> dict[str, str]:
    return {
        "name": f"{alignment.get('targetCode', '')} {alignment['targetName']}".strip(),
        "framework": alignment.get("targetFramework", ""),
    }
