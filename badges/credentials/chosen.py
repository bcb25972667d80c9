"""Which badges staff mean when they stop many: those of a list of ids, or all of one achievement. Writes nothing."""

from __future__ import annotations

import re

import msgspec

from badges.achievements.counts import achievement_of
from badges.credentials.records import ISSUED
from badges.held import stops
from lrs.kernel.errors import Refused
from lrs.storage import Reader, Walk, walked

MOST = 20_000
"""Badges of an organisation that are looked through for those of one achievement. A page that waits longer is given up.
"""
_PAGE = 500
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Chosen(msgspec.Struct, frozen=True):
    """Badges by their ids, and those of them that are not revoked by hand yet."""

    badges: tuple[str, ...]
    to_revoke: tuple[str, ...]


def chosen(reader: Reader, achievement: str, ids: str) -> Chosen:
    """The badges in *ids*, one a line, or all valid ones of the *achievement* (id): one of the two is given.

    Raises ``Refused`` with the field: 400 for a choice that is none and for a badge that is not there, 409 if there are
    more badges than are looked through.
    """
    if bool(achievement) == bool(ids.strip()):
        message = "Choose what the badges are for, or give their numbers: one of both."
        raise Refused(message, error="bad_choice", pointer="/achievement")
    found = tuple(_of_achievement(reader, achievement) if achievement else _listed(reader, ids))
    return Chosen(found, tuple(stops.to_stop(reader, found, "revoked")))


def _listed(reader: Reader, ids: str) -> list[str]:
    wanted = list(dict.fromkeys(line.strip().lower().removeprefix("urn:uuid:") for line in ids.split() if line))
    strange = next((one for one in wanted if not _ID.fullmatch(one)), None)
    if strange is not None:
        message = f"{strange[:60]!r} is not the number of a badge. It looks like urn:uuid:… and stands in the badge."
        raise Refused(message, error="bad_id", pointer="/ids")
    held = reader.get_many("credential", wanted)
    gone = next((one for one in wanted if one not in held), None)
    if gone is not None:
        raise Refused(f"There is no badge {gone} here. Nothing was done.", error="no_badge", pointer="/ids")
    return wanted


def _of_achievement(reader: Reader, achievement: str) -> list[str]:
    found = []
    for number, record in enumerate(walked(reader, Walk("credential", limit=_PAGE))):
        if number >= MOST:
            message = f"There are more than {MOST:,} badges: whoever runs this server uses lrs badges revoke --list."
            raise Refused(message, status=409, error="too_many", pointer="/achievement")
        if record.meta["state"] == ISSUED and achievement_of(record) == achievement:
            found.append(record.id)
    return found
