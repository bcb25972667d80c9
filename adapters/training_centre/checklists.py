"""Checklists of a training centre, with their versions. Knows no session and no learner.

Records: ``checklist`` (id: from centre and name), which has the number of the current version, and
``checklist-version``, which never changes. A table in which nothing changed makes no version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.printing import time_of
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND, VERSION = "checklist", "checklist-version"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""The name of a checklist or of a step: it stands in addresses, in files (``gowning@2``) and in statements."""
MOST_STEPS = 100
LONGEST_TEXT = 300
MOST_SIGNATURES = 2


class ChecklistStep(msgspec.Struct, frozen=True):
    """One step: its *id*, what to look for, and whether nobody passes without it."""

    id: str
    text: str
    critical: bool = False


class Checklist(msgspec.Struct, frozen=True):
    """The content of one version.

    It is passed by every critical step and at least *percent* of the others. *signatures* is how many people sign: with
    2, somebody else than those who marked the steps signs, too.
    """

    centre: str
    id: str
    title: str
    steps: tuple[ChecklistStep, ...]
    percent: int = 100
    signatures: int = 1

    @property
    def record(self) -> str:
        """The id of its record."""
        return checklist_id(self.centre, self.id)


class KnownChecklist(msgspec.Struct, frozen=True):
    """The body of ``checklist``: the number of the current *version*."""

    centre: str
    id: str
    version: int
    v: int = 1


class ChecklistVersion(msgspec.Struct, frozen=True):
    """The body of ``checklist-version``. *at* is in microseconds UTC."""

    number: int
    content: Checklist
    at: int
    by: str
    v: int = 1

    def shown(self) -> dict[str, object]:
        """The version for programs."""
        one = self.content
        return {
            "centre": one.centre,
            "name": one.id,
            "title": one.title,
            "version": self.number,
            "steps": len(one.steps),
            "critical": sum(step.critical for step in one.steps),
            "signatures": one.signatures,
            "percent": one.percent,
            "changed": time_of(self.at),
        }


def checklist_id(centre: str, id: str) -> str:
    """The id of the record of a checklist."""
    return name(KIND, centre, id)


def checked(one: Checklist) -> Checklist:
    """*one*. Raises ``Refused`` (400), which says what to change."""
    for what, text in (("checklist", one.id), *(("step", step.id) for step in one.steps)):
        if not NAME.fullmatch(text):
            raise Refused(
                f"The name of the {what} {text[:40]!r} has 1 to 40 letters, digits, . _ -, and no blanks.",
                error="bad_checklist",
            )
    texts = (one.title, *(step.text for step in one.steps))
    if any(not text.strip() or len(text) > LONGEST_TEXT or hidden_character(text) for text in texts):
        raise Refused(f"The title and each step need a text of 1 to {LONGEST_TEXT} characters.", error="bad_checklist")
    if not 1 <= len(one.steps) <= MOST_STEPS:
        raise Refused(f"A checklist has 1 to {MOST_STEPS} steps.", error="bad_checklist")
    ids = [step.id for step in one.steps]
    twice = next((id for id in ids if ids.count(id) > 1), "")
    if twice:
        raise Refused(
            f"The step {twice} is in the checklist twice: give each a name of its own.", error="bad_checklist"
        )
    if not 0 <= one.percent <= 100 or not 1 <= one.signatures <= MOST_SIGNATURES:
        raise Refused("It is passed by 0 to 100 per cent, and signed by 1 or 2 people.", error="bad_checklist")
    return one


def with_names(steps: Sequence[ChecklistStep], before: Sequence[ChecklistStep]) -> tuple[ChecklistStep, ...]:
    """*steps* that were typed: one whose text stands in *before* keeps its name, any other gets the next free number.

    So what was seen of a step stays of that step when another one is put in front of it.
    """
    named = {step.text: step.id for step in before}
    taken, found = set(named.values()), list[ChecklistStep]()
    numbers = (str(number) for number in count(1))
    for step in steps:
        id = named.pop(step.text, "") or next(number for number in numbers if number not in taken)
        found.append(ChecklistStep(id, step.text, step.critical))
    return tuple(found)


def keep(tx: Tx, one: Checklist, now: int, by: str) -> tuple[ChecklistVersion, bool]:
    """Stores *one* as the next version, unless the current one is the same. Gives it, and whether it is new."""
    record = tx.get(KIND, one.record)
    known = _decode(record) if record else None
    before = version_in(tx, one.record, known.version) if known else None
    if before is not None and before.content == one:
        return before, False
    number = known.version + 1 if known else 1
    made = ChecklistVersion(number, one, now, by)
    body = msgspec.json.encode(KnownChecklist(one.centre, one.id, number))
    keys = (key("checklist.centre", one.centre),)
    tx.put(Record(KIND, one.record, body, keys=keys, rev=record.rev if record else 0))
    tx.insert(Record(VERSION, f"{one.record}.{number}", msgspec.json.encode(made)))
    audit.append(tx, by, "checklist.changed", {"checklist": one.id, "centre": one.centre, "version": str(number)})
    return made, True


def current(reader: Reader, record: str) -> ChecklistVersion:
    """The current version of the checklist with this id of a record. Raises ``Refused`` (404)."""
    found = reader.get(KIND, record)
    if found is None:
        raise Refused("There is no such checklist.", status=404, error="not_found")
    return version_in(reader, record, _decode(found).version)


def version_in(reader: Reader, record: str, number: int) -> ChecklistVersion:
    """A version of a checklist. Raises ``Refused`` (404)."""
    found = reader.get(VERSION, f"{record}.{number}")
    if found is None:
        raise Refused("There is no such version of the checklist.", status=404, error="not_found")
    return msgspec.json.decode(found.body, type=ChecklistVersion)


def everyone(reader: Reader, centres: Sequence[str] | None = None) -> Iterator[ChecklistVersion]:
    """The current version of each checklist: of *centres*, or of all."""
    wanted = [(key("checklist.centre", one),) for one in centres] if centres is not None else [()]
    for keys in wanted:
        for record in each(reader, KIND, *keys):
            yield version_in(reader, record.id, _decode(record).version)


def _decode(record: Record) -> KnownChecklist:
    return msgspec.json.decode(record.body, type=KnownChecklist)


KINDS = (
    Kind(KIND, "fact", KnownChecklist, 1, subjects=None, retention="configuration", exported=True),
    Kind(VERSION, "fact", ChecklistVersion, 1, subjects=None, retention="evidence", exported=True),
)
