"""What somebody offers to learners, as a record: what it gives, how long, where, what it costs, how to enrol.

Records: ``offering`` (id: the name that a table or a form gives it). Its dates are training sessions that name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

import msgspec

from adapters.training_centre.centre_sessions import Gives
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import hidden_character
from lrs.storage import Reader, Record, Tx, Walk, walked
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "offering"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
LONGEST, LONGEST_TEXT = 200, 2_000
MOST_GIVEN = 50


class Offering(msgspec.Struct, frozen=True):
    """One offering. *sort* is what people call its kind; *cost* is in pence, ``None`` where nobody says it.

    *enrol_at* is where a learner enrols (https) who books no seat here. *course* is the number of an imported course.
    *needs* are competencies that somebody must have first.
    """

    id: str
    title: str
    sort: str = "Course"
    provider: str = ""
    text: str = ""
    gives: tuple[Gives, ...] = ()
    hours: float | None = None
    place: str = ""
    online: bool = False
    language: str = "English"
    cost: int | None = None
    enrol_at: str = ""
    course: str = ""
    needs: tuple[Gives, ...] = ()
    v: int = 1


def checked(one: Offering) -> Offering:
    """*one*. Raises ``Refused`` (400), which says what to change."""
    if not NAME.fullmatch(one.id):
        raise Refused("Its name has 1 to 60 letters, digits, . _ -, and no blanks.", error="bad_offering")
    if not one.title:
        raise Refused("It needs a title.", error="bad_offering")
    lines = (one.title, one.sort, one.provider, one.place, one.language)
    if any(len(line) > LONGEST or hidden_character(line) for line in lines) or len(one.text) > LONGEST_TEXT:
        raise Refused(f"A line has at most {LONGEST} characters, the text {LONGEST_TEXT}.", error="bad_offering")
    if one.enrol_at and not _is_https(one.enrol_at):
        raise Refused("The address to enrol begins with https://.", error="bad_offering")
    if max(len(one.gives), len(one.needs)) > MOST_GIVEN:
        raise Refused(f"It gives and needs at most {MOST_GIVEN} competencies each.", error="bad_offering")
    both = {need.competency for need in one.needs} & {gives.competency for gives in one.gives}
    if any(_gives_what_it_needs(one, name) for name in both):
        raise Refused("It needs what it gives itself: nobody could begin it.", error="bad_offering")
    return one


def _gives_what_it_needs(one: Offering, name: str) -> bool:
    """Whether the level that *one* needs of a competency is as high as the one that it gives."""
    given = max(each.level or 0 for each in one.gives if each.competency == name)
    return any((need.level or 0) >= given for need in one.needs if need.competency == name)


def _is_https(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:  # "https://user@[::1"
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def keep(tx: Tx, one: Offering, by: str) -> str:
    """Stores *one*, or replaces an earlier one. Gives ``new``, ``updated`` or ``unchanged``."""
    body, known = msgspec.json.encode(one), tx.get(KIND, one.id)
    if known is not None and known.body == body:
        return "unchanged"
    tx.put(msgspec.structs.replace(known, body=body) if known else Record(KIND, one.id, body))
    audit.append(tx, by, "offering.changed", {"offering": one.id})
    return "updated" if known else "new"


def drop(tx: Tx, id: str, by: str) -> bool:
    """Takes an offering out of the catalogue; ``False`` if there was none. Its sessions stay."""
    if not tx.delete(KIND, id):
        return False
    audit.append(tx, by, "offering.removed", {"offering": id})
    return True


def newest(reader: Reader, limit: int) -> Iterator[Offering]:
    """The offerings that were described last, the newest first: at most *limit*."""
    return map(offering_of, islice(walked(reader, Walk(KIND, newest_first=True, limit=min(limit, 100))), limit))


def offering(reader: Reader, id: str) -> Offering | None:
    """The offering *id*."""
    record = reader.get(KIND, id)
    return offering_of(record) if record else None


def offering_of(record: Record) -> Offering:
    """The offering in *record*."""
    return msgspec.json.decode(record.body, type=Offering)


KINDS = (Kind(KIND, "fact", Offering, 1, subjects=None, retention="configuration", exported=True),)
