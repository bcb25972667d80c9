"""What somebody is in a course, by the roles that a platform gives them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.lms.lti import words
from adapters.lms.lti.courses import Part


def part_of(roles: Iterable[str]) -> Part:
    """What *roles* make of somebody. Whoever has no role in the course learns: they see their own record, no other."""
    found = frozenset(filter(None, map(words.short_role, roles)))
    if found & words.TEACHING:
        return "teacher"
    return "learner" if "Learner" in found or not found else "other"
