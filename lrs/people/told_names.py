"""Names that files give to learners, as told: one for each source and identifier. Only staff and the learner see them.

Statements of imported files name nobody, so that no name leaves with them: not to a matching service, not to another
LRS, and not in a badge. Knows no file and no page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from lrs.kernel.keys import key
from lrs.kernel.plain_text import one_line
from lrs.people.persons import LISTING
from lrs.storage import Owed, Reader, Record, RecordName, Tx, Walk
from lrs.storage.about import by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.identity import Identifier, ifi_text

KIND = "told-name"
LONGEST = 200
"""Characters of a name. A longer text is no name, and is not kept."""
ROWS_EACH = 5
"""About how many rows of the store one record is."""
_MOST = 50
"""Sources of one identifier that are looked at."""


class ToldName(msgspec.Struct, frozen=True):
    """The body of a record: the name *text*, as *source* told it of an identifier."""

    source: str
    text: str
    v: int = 1


class Called(msgspec.Struct, frozen=True):
    """A name that a file gives to an identifier."""

    identifier: Identifier
    text: str


def full_name(given: str, family: str) -> str:
    """Both parts on one line; empty if there is none, or if it is longer than a name."""
    text = " ".join(one_line(f"{given} {family}").split())
    return text if len(text) <= LONGEST else ""


def reads_of(source: str, names: Iterable[Called]) -> list[RecordName]:
    """The records that ``keep`` will look at."""
    asked = list(names)
    return [
        *((KIND, _id(source, one.identifier.id)) for one in asked),
        *(("identifier", one.identifier.id) for one in asked),
    ]


def keep(tx: Tx, source: str, names: Sequence[Called]) -> None:
    """Keeps *names* with this commit; the newest of a source takes the place of the one before.

    The list of learners follows: whoever is known and has a new name owes its step.
    """
    wanted = {one.identifier.id: one for one in names}
    stored = tx.get_many(KIND, [_id(source, id) for id in wanted])
    new = {id: one for id, one in wanted.items() if _is_new(stored.get(_id(source, id)), one)}
    for id, one in new.items():
        body = msgspec.json.encode(ToldName(source, one.text))
        keys = (_of_agent(ifi_text(one.identifier.ifi) or ""), _of_identifier(id))
        tx.put(Record(KIND, _id(source, id), body, {"identifier": id}, keys))
    for record in tx.get_many("identifier", new).values():
        tx.owe("person", record.meta["person"], Owed(LISTING))


def newest_name(reader: Reader, agent: str, source: str | None) -> tuple[int, str] | None:
    """The newest name told of the *agent* (an ``ifi_text``), by *source* if given, with its place in the order."""
    found = reader.find(Walk(KIND, (_of_agent(agent),), newest_first=True, limit=_MOST)).records
    told = ((record.seq, read(record)) for record in found)
    return next(((seq, one.text) for seq, one in told if source in {None, one.source}), None)


def read(record: Record) -> ToldName:
    """The name in *record*."""
    return msgspec.json.decode(record.body, type=ToldName)


def _is_new(record: Record | None, one: Called) -> bool:
    return record is None or read(record).text != one.text


def _id(source: str, identifier: str) -> str:
    return sha256(msgspec.json.encode([source, identifier])).hexdigest()[:32]


def _of_agent(agent: str) -> int:
    return key("told-name.agent", agent)


def _of_identifier(id: str) -> int:
    return key("told-name.identifier", id)


def _about(record: Record) -> Subjects:
    return subjects(identifiers=[record.meta["identifier"]])


KINDS = (
    Kind(
        KIND,
        "fact",
        ToldName,
        1,
        subjects=_about,
        retention="evidence",
        exported=True,
        find=by_keys(KIND, lambda whose: (_of_identifier(id) for id in whose.identifiers)),
    ),
)
