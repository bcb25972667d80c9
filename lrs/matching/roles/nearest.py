"""The nearest roles: the gap over all roles at once. Pure: the same profile, roles and day give the same answer.

Source: domain.md 5.3. Roles are in the order of their match; of equal ones the one with more of its essential
requirements met comes first, then by id. What is essential is told apart, because a role with an unmet essential
requirement is never a full match. A role has effect from a day to a day; only those in effect on the day are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from lrs.competency.shapes import ProfileEntry
from lrs.matching.roles.gap import MET, Role, gap


def in_effect(role: Role, day: date) -> bool:
    """Whether *role* has effect on *day*; its first and its last day count."""
    return (role.valid_from or date.min) <= day <= (role.valid_until or date.max)


def nearest(roles: Iterable[Role], held: Iterable[ProfileEntry], day: date, limit: int) -> list[dict[str, Any]]:
    """The *limit* roles that come nearest to what is *held*, of those in effect on *day* that ask for anything.

    Each is a gap without the requirements that are met: *lacking* has the others, essential ones first.
    """
    known = list(held)
    found = [gap(role, known) for role in roles if role.requirements and in_effect(role, day)]
    return [_short(one) for one in sorted(found, key=_order)[:limit]]


def _order(one: dict[str, Any]) -> tuple[float, float, str]:
    return -(one["match"] or 0), -(one["essentials"]["match"] or 0), one["role"]["id"]


def _short(one: dict[str, Any]) -> dict[str, Any]:
    lacking = [row for row in one["requirements"] if row["result"] not in MET]
    told = {name: one[name] for name in ("role", "match", "full", "essentials")}
    return {**told, "lacking": sorted(lacking, key=lambda row: not row["essential"])}
