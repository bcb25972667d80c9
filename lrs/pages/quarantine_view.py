"""The data of the pages of the quarantine, as plain values. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lrs.kernel.printing import time_of
from lrs.pages.connect.view import source_path
from lrs.storage import Record, micros_of
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow
from lrs.xapi.statements.habits import HABITS, mended_text
from lrs.xapi.statements.quarantine import ends, quarantined

MENDED, AS_IT_CAME = "mended", "as-it-came"
MOST_TEXT = 50_000
"""Characters of a statement that are shown."""
COLUMNS = (
    ListColumn("id", "Statement"),
    ListColumn("source", "Source", facet=True, sources=True),
    ListColumn("came", "Came"),
    ListColumn("mends", "Mend", facet=True),
    ListColumn("place", "Place", sortable=False),
    ListColumn("rule", "Rule", facet=True),
    ListColumn("until", "Deleted on"),
)


def rows(records: Iterable[Record], root: str, zone: str) -> list[ListRow]:
    """The statements in quarantine, as rows."""
    return [_row(one, root, zone) for one in records]


def _row(record: Record, root: str, zone: str) -> ListRow:
    kept, came, until = quarantined(record), micros_of(record.seq), ends(record)
    source = kept.sender.source
    return ListRow(
        {
            "id": record.id,
            "source": source,
            "came": time_of(came),
            "mends": " ".join(kept.habits),
            "place": kept.place,
            "rule": kept.rule,
            "until": time_of(until),
        },
        {"came": written_moment(came, zone), "until": written_moment(until, zone)},
        links={"id": f"{root}/arrivals/quarantine/{record.id}", "source": f"{root}{source_path(source)}"},
    )


def bulk(records: Iterable[Record]) -> list[dict[str, Any]]:
    """What can be stored together: the statements of one source that need the same mends."""
    kept = [quarantined(one) for one in records]
    counts = Counter((one.sender.source, one.habits) for one in kept)
    return [
        {"source": source, "mends": " ".join(habits), "count": count, "does": _does(habits)}
        for (source, habits), count in sorted(counts.items())
    ]


def figures(asked: Mapping[str, str]) -> dict[str, int] | None:
    """How many were stored and how many were refused by the last form, from the address; ``None`` if it says none."""
    told = {name: asked.get(name, "") for name in ("stored", "refused")}
    if not all(figure.isascii() and figure.isdigit() and len(figure) < 6 for figure in told.values()):
        return None
    return {name: int(figure) for name, figure in told.items()}


def one(record: Record, root: str, zone: str) -> dict[str, Any]:
    """One statement: what is wrong, its mends, its text as it came and as it would be stored."""
    kept = quarantined(record)
    text = bytes(kept.statement)
    came, mended = _shown(text), _shown(mended_text(text, kept.habits, record.id))
    return {
        "id": record.id,
        "source": kept.sender.source,
        "source_page": f"{root}{source_path(kept.sender.source)}",
        "says": kept.says,
        "place": kept.place,
        "rule": kept.rule,
        "came": written_moment(micros_of(record.seq), zone),
        "until": written_moment(ends(record), zone),
        "mends": [
            {"name": HABITS[name].name, "says": HABITS[name].says, "does": HABITS[name].does}
            for name in kept.habits
            if name in HABITS
        ],
        "text": came[:MOST_TEXT],
        "mended": mended[:MOST_TEXT],
        "is_cut": max(len(came), len(mended)) > MOST_TEXT,
        "own": f"{root}/arrivals/quarantine/{record.id}",
    }


def _does(habits: Iterable[str]) -> str:
    return "; ".join(HABITS[name].does for name in habits if name in HABITS)


def _shown(text: bytes) -> str:
    return msgspec.json.format(text).decode()
