"""Rules that somebody would put in force by the pages: what they would change is worked out, seen, and then agreed to.

Records: ``rules-draft``. Whom it would give or take a level is in a blob; the record names nobody. The step ``weigh``
works it out, puts the rules in force once somebody has agreed to the number of losses, and removes the record later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Literal

import msgspec

from lrs.competency.rules import rulesets
from lrs.competency.rules.rules import Ruleset
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.kernel.plain_text import counted
from lrs.storage import Owed, Reader, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND, STEP = "rules-draft", "weigh"
CHANGES = "changes"
"""The name of the blob with the changes."""
DraftState = Literal["waiting", "seen", "agreed", "applied", "refused"]
UNDER_WAY: tuple[DraftState, ...] = ("waiting", "agreed")
LISTED, LOOKED_AT = 10, 200
"""How many drafts are listed, and how many of the newest are looked at for them."""
OVER: tuple[DraftState, ...] = ("applied", "refused")


class RulesChange(msgspec.Struct, frozen=True):
    """A level that somebody would gain, keep, lose, or have until *ends* only. *badge*: its badge would go, too."""

    person: str
    name: str
    code: str
    label: str
    level: int
    does: Literal["gains", "keeps", "loses", "ends earlier"]
    ends: str = ""
    badge: bool = False


class RulesDraft(msgspec.Struct, frozen=True):
    """Rules that may be put in force. Times are microseconds UTC.

    *faults* are rows that cannot be used, *warnings* unusual ones, *notes* how the table was read; each list is cut,
    *unusable* is the number of all of the first. *restores* is the version that is brought back. *gained*, *lost*,
    *people* (who lose) and *badges* are numbers, *expected* the losses that *by* agreed to. *version* is the one that
    was put in force. *unread* are rules (items) in force that are gone because the row with this number cannot be used.
    """

    ruleset: Ruleset
    at: int
    by: str
    file: str = ""
    restores: int | None = None
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unusable: int = 0
    unread: Mapping[str, int] = {}
    state: DraftState = "waiting"
    gained: int = 0
    lost: int = 0
    people: int = 0
    badges: int = 0
    expected: int = 0
    version: int = 0
    problem: str = ""
    blobs: Mapping[str, str] = {}
    v: int = 1


def _blobs(record: Record) -> Iterable[str]:
    blobs: Mapping[str, str] = record.meta["blobs"]
    return blobs.values()


KINDS = (Kind(KIND, "fact", RulesDraft, 1, subjects=None, retention="upload", exported=False, blobs=_blobs),)


def record_of(id: str, draft: RulesDraft, rev: int = 0, seq: int = 0, owed: tuple[Owed, ...] = ()) -> Record:
    """The record of *draft*."""
    listed = {"file": draft.file, "restores": draft.restores, "at": draft.at, "version": draft.ruleset.version}
    meta = {"state": draft.state, "blobs": dict(draft.blobs), **listed}
    return Record(KIND, id, msgspec.json.encode(draft), meta, (), owed, seq, rev)


def draft_of(record: Record) -> RulesDraft:
    """The draft in *record*."""
    return msgspec.json.decode(record.body, type=RulesDraft)


def find(reader: Reader, id: str) -> RulesDraft:
    """The draft *id*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    if record is None:
        raise Refused("There are no such rules to look at; they are kept for some days.", status=404, error="not_found")
    return draft_of(record)


def waiting(reader: Reader) -> list[Record]:
    """The newest ``LISTED`` drafts that may still be put in force, newest first, without their bodies."""
    following = rulesets.current(reader).version + 1
    newest = reader.find(Walk(KIND, newest_first=True, limit=LOOKED_AT, bare=True)).records
    open_now = [one for one in newest if one.meta["state"] not in OVER and one.meta.get("version") == following]
    return open_now[:LISTED]


def add(tx: Tx, id: str, draft: RulesDraft) -> None:
    """Stores a new draft, which owes its step."""
    tx.insert(record_of(id, draft, owed=(Owed(STEP),)))
    audit.append(tx, draft.by, "rules.looked-at", {"draft": id, "version": str(draft.ruleset.version)})


def add_once(tx: Tx, draft: RulesDraft) -> str:
    """Stores *draft*, unless it was sent before and may still be agreed to. Gives the id of the one that is there.

    So a form that is sent twice makes one draft: the same rules with the same faults, by the same sender.
    """
    same = sha256(msgspec.json.encode(msgspec.structs.replace(draft, at=0))).hexdigest()
    number = 0
    while there := tx.get(KIND, id := name(KIND, same, number)):
        if draft_of(there).state not in OVER:
            return id
        number += 1
    add(tx, id, draft)
    return id


def change(tx: Tx, id: str, **new: Any) -> RulesDraft:
    """Changes the draft by *new*. Raises ``KeyError`` if it is gone."""
    record = tx.get(KIND, id)
    if record is None:
        raise KeyError(id)
    draft = msgspec.structs.replace(draft_of(record), **new)
    tx.replace(record_of(id, draft, record.rev, record.seq))
    return draft


def agree(tx: Tx, id: str, expected: int, by: str) -> None:
    """Says that the draft is to be put in force if it takes exactly *expected* held levels, which owes its step.

    Raises ``Refused`` (409) if *expected* is another number than was seen, and if it is under way or over, or other
    rules came into force since.
    """
    draft = find(tx, id)
    if draft.state in UNDER_WAY or draft.state == "applied":
        return
    if is_outdated(tx, draft):
        raise Refused("Other rules came into force since. Send the table again.", status=409, error="busy")
    if draft.state != "seen":
        raise Refused("These rules cannot be put in force.", status=409, error="busy")
    if expected != draft.lost:
        message = f"{counted(draft.lost, 'held level')} would go or end earlier, not {expected}."
        message += " Nothing was changed: look again, then type it."
        raise Refused(message, status=409, error="not_agreed")
    change(tx, id, state="agreed", expected=expected, by=by, problem="")
    tx.owe(KIND, id, Owed(STEP))


def is_outdated(reader: Reader, draft: RulesDraft) -> bool:
    """Whether other rules came into force since the draft was made."""
    now = rulesets.current(reader)
    return draft.state != "applied" and draft.ruleset != now and draft.ruleset.version != now.version + 1
