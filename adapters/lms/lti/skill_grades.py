"""Grades that follow from what a learner holds: a link can stand for one skill, and its column says if it is held.

It follows the profile: whenever that changed, the step ``sync`` looks here, too. Nothing is sent for a learner who
never held the skill; one who loses it gets 0 points, with the reason. Nothing is sent, either, for a link that the
learner did not open, or that opened something else then: whoever edits the links of a course would otherwise be told
any skill of everybody in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from adapters.lms.lti import courses, grades, platforms
from adapters.lms.lti.grades import Reached
from lrs.competency.shapes import ProfileEntry
from lrs.matching.view import read_profile
from lrs.people.persons import members_of
from lrs.storage import ROWS, Claim, Reader, Tx, each
from lrs.tenancy.tenants import Tenant

SKILL = "skill:"
"""How what a link opens begins that stands for one skill; the id of the competency follows."""
_KINDS = ("profile", "person")


def follow(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Owes the grades that follow from the profiles that *claims* are about. Can be repeated."""
    persons = {claim.record.id for claim in claims if claim.record.kind in _KINDS}
    if not persons or next(iter(each(tenant.store, platforms.KIND)), None) is None:
        return
    wanted = [one for one in persons if next(iter(_links_of(tenant.store, one)), None)]
    for one in wanted:
        tenant.store.write(partial(owe_in, person=one, now=tenant.clock()), weight=2 * ROWS).result()


def owe_in(tx: Tx, person: str, now: int) -> None:
    """Owes the grades that follow from the profile of *person*, with this commit."""
    held = held_of(tx, person)
    for link, user, opens in _links_of(tx, person):
        skill = opens.removeprefix(SKILL)
        found = [one for one in held if one.competency.id == skill]
        if not found and grades.grade(tx, link, user) is None:
            continue
        entry = next((one for one in found if one.state != "expired"), None)
        comment = f"{entry.competency.label}: {entry.level.label}" if entry else "This skill is not held any more."
        grades.owe(tx, link, user, Reached(1.0 if entry else 0.0, 1.0, now, comment=comment), now)


def held_of(reader: Reader, person: str) -> tuple[ProfileEntry, ...]:
    """What the group of *person* holds or held."""
    members = members_of(reader, person)
    record = reader.get("profile", members[0]) if members else None
    return read_profile(record).competencies if record else ()


def opened(link: str, opens: str) -> tuple[tuple[str, str], ...]:
    """What is remembered of a member who opens *link*: it and what it *opens*, if that is a skill."""
    return ((link, opens),) if link and opens.startswith(SKILL) else ()


def _links_of(reader: Reader, person: str) -> list[tuple[str, str, str]]:
    """Link, user and what the link opens, of the links to a skill that somebody opened where they learn."""
    found = []
    for one in members_of(reader, person):
        for member in courses.memberships_of(reader, one):
            if not member.active or member.part != "learner":
                continue
            for id, opens in member.opened:
                link = courses.link(reader, id)
                if link is not None and link.opens == opens and link.item:
                    found.append((id, member.user, opens))
    return found
