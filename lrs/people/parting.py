"""Two persons that were made one are parted by somebody who was shown who leaves with them."""

from __future__ import annotations

from collections.abc import Collection

from lrs.kernel.errors import Refused
from lrs.people.joins import link_id, links_of, unmerge
from lrs.people.persons import members_of
from lrs.storage import Reader, Tx


def leaving(reader: Reader, one: str, other: str) -> list[tuple[str, ...]]:
    """Who is no longer one with *one* after *other* is taken out of their group: *other*, and groups joined by it."""
    left = list(members_of(reader, other))
    ended = _to_end(reader, one, other)
    groups = []
    while left:
        found = _together(reader, left[0], without=ended)
        groups.append(tuple(member for member in left if member in found))
        left = [member for member in left if member not in found]
    return [group for group in groups if one not in group]


def part(tx: Tx, one: str, other: str, by: str, *, seen: Collection[str]) -> None:
    """Takes *other* out of the group that it has with *one*; *seen* are its members as they were shown.

    Where only the link between the two holds them together, it alone ends: who was one with *other* before stays so.

    Raises ``Refused``: 404 for an unknown person, 409 if the two are not one, or if the group has changed since.
    """
    group = members_of(tx, other)
    if group and (one == other or one not in group):
        message = "These two are not one person: nothing was changed. Part each on the page of those it is one with."
        raise Refused(message, status=409, error="not_merged")
    if group and set(seen) != set(group):
        message = "The group has changed since this page was shown. Look at who leaves now, and send it again."
        raise Refused(message, status=409, error="changed")
    unmerge(tx, other, by, only=_to_end(tx, one, other))


def _to_end(reader: Reader, one: str, other: str) -> set[str]:
    """The ids of the links that end when *other* is parted from *one*: the one between them, or all of *other*."""
    between = {link_id(one, other)}
    if one not in _together(reader, other, without=between):
        return between
    return {record.id for record, _ in links_of(reader, other)}


def _together(reader: Reader, person: str, *, without: Collection[str]) -> set[str]:
    """Who is one with *person* by links other than *without* (ids)."""
    seen, ahead = {person}, [person]
    while ahead:
        for record, fact in links_of(reader, ahead.pop()):
            fresh = set(fact.persons) - seen if record.id not in without else set()
            seen |= fresh
            ahead.extend(fresh)
    return seen
