"""Rows for the table of rules, ready but for the competency, the level and the threshold, which a person fills in.

What a source has sent that no rule is about becomes a row each; before it has sent anything, a row for each sort of
activity that its product reports in a way of its own. Moodle's ``logstore_xapi`` reports a quiz by its attempts, each
an activity of its own whose parent is the quiz, writes ``scaled`` as 2p - 1, and says *completed* of a SCORM package
whatever its status is, unless it is passed or failed (src/transformer of xAPI-vle/moodle-logstore_xapi).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from lrs.competency.rules.rules import ActivityRole
from lrs.competency.rules.rulesets import in_force
from lrs.competency.rules.unmatched import Unmatched, legible, unmatched, with_names
from lrs.competency.rules.verbs import VERBS
from lrs.kernel.tables.cell import neutral
from lrs.storage import Reader, Walk
from lrs.xapi.statements.keys import source_key

LOOKED_AT = 2_000
"""So many of the newest statements of a source are looked at."""
COLUMNS = (
    "activity",
    "match",
    "verb",
    "competency",
    "level",
    "threshold",
    "valid for",
    "trusted source",
    "scaled range",
)
NOTE = "what it is (not read)"
MOODLE = "moodle"
_WORDS = {iri: word for word, iri in VERBS.items()}
_PROVING = frozenset({*(VERBS[word] for word in ("passed", "completed", "mastered", "scored", "attended"))})
_PROVING |= {"https://w3id.org/xapi/tla/verbs/scored", VERBS["achieved"], VERBS["demonstrated"], VERBS["observed"]}
_SCORM = "/mod/scorm/"


class ReadyRow(msgspec.Struct, frozen=True):
    """One row: *says* what it is for. *verbs* are words or IRIs, joined by ``|``.

    *competency* and what follows it are empty until a person fills them in.
    """

    activity: str
    match: ActivityRole
    verbs: str
    says: str
    scaled_range: str = ""
    competency: str = ""
    level: str = ""
    threshold: str = ""
    valid_for: str = ""


READY: dict[str, Sequence[ReadyRow]] = {
    MOODLE: (
        ReadyRow(
            "https://MOODLE/mod/quiz/view.php?id=NUMBER",
            "parent",
            "completed",
            "a quiz: its attempts are what is sent, so the quiz is their parent; set a threshold",
            "-1..1",
        ),
        ReadyRow(
            "https://MOODLE/mod/scorm/view.php?id=NUMBER",
            "activity",
            "passed",
            "a SCORM package: only passed, for completed is also said of one that is merely begun",
            "-1..1",
        ),
        ReadyRow(
            "https://MOODLE/mod/assign/view.php?id=NUMBER",
            "parent",
            "https://w3id.org/xapi/tla/verbs/scored",
            "an assignment: its submission is what is scored; set a threshold",
            "-1..1",
        ),
        ReadyRow("https://MOODLE/course/view.php?id=NUMBER", "activity", "completed", "a course that is completed"),
        ReadyRow("https://MOODLE/mod/facetoface/view.php?id=NUMBER", "activity", "attended", "a session on site"),
    ),
}
"""By the product. ``MOODLE`` and ``NUMBER`` in an activity are to be replaced by what stands in its address."""


def ready_table(reader: Reader, product: str, source: str) -> str:
    """The rows as CSV: what *source* has sent and no rule is about; else those of *product*."""
    return written(seen_rows(reader, product, source) or READY.get(product, ()), source)


def seen_rows(reader: Reader, product: str, source: str) -> list[ReadyRow]:
    """A row for each activity and verb among the newest statements of *source* that may prove something."""
    if not source:
        return []
    newest = reader.find(Walk("statement", (source_key(source),), newest_first=True, limit=LOOKED_AT)).records
    found = unmatched(legible(newest), in_force(reader).rules)
    kept = [one for one in with_names(reader, [one for one in found if one.verb in _PROVING]) if not _is_idle(one)]
    return [_row(one, product) for one in kept]


def ready_row(activity: str, verb: str) -> ReadyRow:
    """The row of one *activity* and *verb* (IRIs) that somebody saw arrive."""
    return ReadyRow(activity, "activity", _WORDS.get(verb, verb), "")


def written(rows: Iterable[ReadyRow], source: str) -> str:
    """*rows* as CSV with the columns of the table of rules; *source* is the one they trust."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow((*COLUMNS, NOTE))
    for one in rows:
        filled_in = (one.competency, one.level, one.threshold, one.valid_for)
        cells = (one.activity, one.match, one.verbs, *filled_in, source, one.scaled_range, one.says)
        writer.writerow(neutral(cell) if cell != one.scaled_range else cell for cell in cells)
    return out.getvalue()


def _is_idle(one: Unmatched) -> bool:
    """Whether it says nothing of what somebody can do: a SCORM package that is completed may be merely begun."""
    return _SCORM in one.activity and one.verb == VERBS["completed"]


def _row(one: Unmatched, product: str) -> ReadyRow:
    called = one.name or one.activity
    says = f"{called}, seen {one.count} times" if one.count > 1 else f"{called}, seen once"
    return ReadyRow(one.activity, one.match, _WORDS.get(one.verb, one.verb), says, "-1..1" if product == MOODLE else "")
