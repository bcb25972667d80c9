"""The data of the pages of imports, as plain values for the templates. Pure: no store, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from adapters.apprenticeship.ilr.source import IlrSource
from adapters.imports.job import Job
from adapters.imports.look import column_of
from adapters.imports.mappings import SavedProfile
from adapters.imports.sources import SOURCES, column_words
from adapters.reading.day_order import OF_DAYS, OF_YEARS_FIRST
from adapters.reading.hours import OF_HOURS, OF_MINUTES
from adapters.reading.profile import MappingProfile
from adapters.reading.times import OF_YEARS
from adapters.reports.repairs import SHOWN, ShownRow
from adapters.reports.report import FAULTY
from lrs.competency.dates import day_of
from lrs.kernel.plain_text import sentence
from lrs.kernel.printing import time_of
from lrs.kernel.tables.header import fold
from lrs.kernel.tables.notes import worth_saying
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

LIST = (
    ListColumn("file", "File"),
    ListColumn("provider", "Whose", facet=True, sources=True),
    ListColumn("state", "State", facet=True),
    ListColumn("sent", "Sent"),
    ListColumn("in", "Rows in", figure=True),
    ListColumn("known", "Known already", figure=True),
    ListColumn("repair", "To repair", figure=True),
    ListColumn("left", "Left out", figure=True),
)
ROWS = (
    ListColumn("row", "Row"),
    ListColumn("who", "Learner"),
    ListColumn("column", "Column", facet=True),
    ListColumn("cell", "What stands there"),
    ListColumn("reason", "Why"),
    ListColumn("outcome", "What becomes of it", facet=True),
)
IN_SHEETS = (ListColumn("sheet", "Sheet", facet=True), *ROWS)
"""The columns of a list of rows of a workbook."""
HOURS = (
    ("decimal", "2.5 is two and a half hours"),
    ("h.mm", "2.30 is two and a half hours"),
    ("minutes", "150 is two and a half hours"),
)
_OF_PROFILES = {
    "name its header in a mapping profile": "say which of your columns it is",
    OF_HOURS: f"choose “{HOURS[1][1]}” under “Hours are written”",
    OF_MINUTES: f"choose “{HOURS[2][1]}” under “Hours are written”",
    OF_YEARS_FIRST: "choose under “Dates are written” how this file has them",
    OF_DAYS: "choose under “Dates are written” how this file has them",
    OF_YEARS: "choose “Day first, two digits of the year” under “Dates are written”",
}
"""What a message for programs and the command line says to do, and the same on a page."""
_COLUMN = re.compile(r"(?<![\w/.@-])[a-z]+(?:_[a-z]+)+(?![\w/.@-])")
"""One of our names of columns in a message."""
SAVED = (
    ListColumn("name", "Name"),
    ListColumn("provider", "Whose", facet=True, sources=True),
    ListColumn("kind", "For", facet=True),
    ListColumn("saved", "Saved"),
    ListColumn("columns", "Columns named", figure=True),
)
_OUTCOMES = {"quarantined": "To repair", "error": "To repair", "skipped": "Left out", "new": "Comes in"}
_COMES = {"updated": "Changes what is known", "unchanged": "Known already"}
_BY_STATE = {
    "waiting": ("Waits its turn", ""),
    "running": ("Under way", ""),
    "refused": ("Cannot be read", "bad"),
    "failed": ("Given up", "bad"),
}
DATES = (
    ("", "Day first, or year first (usual)"),
    ("%Y-%m-%d", "Year first, then the month: 2026-11-30"),
    ("%Y-%d-%m", "Year first, then the day: 2026-30-11"),
    ("%m/%d/%Y", "Month first: 11/30/2026"),
    ("%d.%m.%Y", "Day first with full stops: 30.11.2026"),
    ("%Y%m%d", "Eight digits: 20261130"),
    ("%d/%m/%y", "Day first, two digits of the year: 30/11/26"),
)


def listed(found: Sequence[Job], zone: str, root: str) -> list[ListRow]:
    """A row for each import. Rows to repair are counted where they were sent last."""
    mended = {job.mends for job in found if job.mends and not job.dry_run and job.state == "done"}
    return [_listed(job, zone, root, is_mended=job.id in mended) for job in found]


def rows(shown: Iterable[ShownRow]) -> list[ListRow]:
    """A row for each row of a file that has a reason."""
    return [_row(one) for one in shown]


def saved(found: Iterable[SavedProfile], zone: str) -> list[ListRow]:
    """A row for each saved profile."""
    return [
        ListRow(
            {
                "name": one.name,
                "provider": one.provider,
                "kind": kind_of(one.adapter),
                "saved": time_of(one.at),
                "columns": len(one.profile.headers),
            },
            {"saved": written_moment(one.at, zone)},
        )
        for one in found
    ]


def kind_of(adapter: str) -> str:
    """What files of *adapter* are about; its name for one that there is no more."""
    return SOURCES[adapter].about if adapter in SOURCES else adapter


def label(column: str) -> str:
    """*column* in words."""
    words = column_words(column)
    return words.label if words else column


def in_words(message: str) -> str:
    """*message* with what the page has for what a mapping profile says, and with columns as people call them."""
    for said, on_page in _OF_PROFILES.items():
        message = message.replace(said, on_page)
    return _COLUMN.sub(lambda found: f"“{label(found[0])}”" if column_words(found[0]) else found[0], message)


def detail(job: Job, plan: Job | None, brought: str, zone: str) -> dict[str, Any]:
    """One import. *plan* is the dry run that it follows, *brought* the id of the import that brought a dry run in."""
    counts = counts_of(job)
    most = sum(plan.told.counts.values()) if plan and plan.told else 0
    return {
        "id": job.id,
        "file": job.file,
        "provider": job.provider,
        "kind": kind_of(job.adapter),
        "is_return": job.adapter == IlrSource.name,
        "state": _state(job)[0],
        "mood": _state(job)[1],
        "is_plan": job.dry_run,
        "is_over": job.is_over,
        "is_done": job.state == "done",
        "usable": bool(job.told and job.told.usable),
        "brought": brought,
        "problem": in_words(job.problem.message) if job.problem else "",
        "error": job.error,
        "sent": written_moment(job.at, zone),
        "read": job.rows,
        "written": min(job.written, job.rows),
        "most": max(most, job.rows),
        "counts": counts,
        "comes": counts["in"],
        "came": arrived_query(job, zone) if counts["in"] and job.ended and not job.dry_run else "",
        "places": [place_of(sheet, row) for sheet, row in (job.look.places if job.look else ())],
        "known": job.look.known if job.look else "",
        "before": job.look.before if job.look else "",
        "guesses": len(job.look.guesses) if job.look else 0,
        "asks": job.asks,
        "in_doubt": job.asks is not None or any(OF_HOURS in note for note in (job.told.notes if job.told else ())),
        "notes": [] if job.mends else _notes(job),
        "mends": job.mends,
        "repairs": "repairs" in job.blobs,
        "returned": "returned" in job.blobs,
        "more": max(0, counts["repair"] - SHOWN),
        "plan": job.plan,
    }


def arrived_query(job: Job, zone: str) -> str:
    """What the list of arrivals is asked for to show the statements of *job*: its source, and the days it took."""
    days = {"from": day_of(job.at, zone), "to": day_of(job.ended or job.at, zone)}
    return urlencode({"source": job.sender.source, **days})


def _notes(job: Job) -> list[str]:
    """What is worth saying of the whole file, as sentences."""
    asked = job.asks.said if job.asks else "\n"
    notes = worth_saying(job.told.notes if job.told else ())
    return [sentence(in_words(one)) for one in notes if not one.startswith(asked)]


def counts_of(job: Job) -> dict[str, int]:
    """The rows of *job* in the words of the pages."""
    told: Mapping[str, int] = job.told.counts if job.told else {}
    new, updated = told.get("new", 0), told.get("updated", 0)
    return {
        "in": new + updated,
        "new": new,
        "updated": updated,
        "known": told.get("unchanged", 0),
        "left": told.get("skipped", 0),
        "repair": sum(told.get(outcome, 0) for outcome in FAULTY),
    }


def columns(job: Job, saved: Sequence[SavedProfile], samples: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The form in which what the headers of a file mean is corrected; *samples* are the first values beneath each."""
    adapter = job.adapter if job.adapter in SOURCES else next(iter(SOURCES))
    own = sorted(SOURCES[adapter].columns, key=label)
    exact = {fold(column) for column in own}
    guesses = set(job.look.guesses) if job.look else set()
    headers = job.look.headers if job.look else ()
    constants = [*job.profile.constants.items(), ("", "")]
    meant = [column_of(header, adapter, job.profile) for header in headers]
    return {
        "adapter": adapter,
        "adapters": [(name, one.about) for name, one in sorted(SOURCES.items())],
        "options": [(one, label(one)) for one in own],
        "headers": [
            {
                "name": f"c{at}",
                "header": header,
                "column": column,
                "needed": fold(header) in exact,
                "guess": header in guesses,
                "samples": samples.get(header, ()),
                "sure": column and header not in guesses,
            }
            for at, (header, column) in enumerate(zip(headers, meant, strict=True))
        ],
        "constants": [{"column": column, "value": value} for column, value in constants],
        "dates": [("", DATES[0][1]), *DATES[1:]],
        "date": date_of(job),
        "hours": [*([] if job.profile.hours else [("", "Not said: as 2.5 for two and a half hours")]), *HOURS],
        "hour": job.profile.hours,
        "saved": [(one.name, one.name) for one in saved],
        "name": job.look.known if job.look else "",
    }


def date_of(job: Job) -> str:
    """The one of ``DATES`` by which the dates of *job* are read."""
    named = () if job.profile.dates == MappingProfile().dates else job.profile.dates[:1]
    return next((one for one, _ in DATES[1:] if (one,) == named), "")


def place_of(sheet: str, row: int) -> str:
    """Where a row stands, in words."""
    return f"sheet {sheet}, row {row}" if sheet else f"row {row}"


def _state(job: Job) -> tuple[str, str]:
    if job.state != "done":
        return _BY_STATE[job.state]
    if job.dry_run:
        return "Checked, not brought in", "warn"
    if job.told is None or not job.told.usable:
        return "Nothing could be used", "bad"
    return ("In, with rows to repair", "warn") if counts_of(job)["repair"] else ("In", "good")


def _listed(job: Job, zone: str, root: str, *, is_mended: bool) -> ListRow:
    counts, (state, mood) = counts_of(job), _state(job)
    if is_mended:
        counts, state, mood = counts | {"repair": 0}, "In, repaired by a later file", "good"
    told = {name: counts[name] if job.told else None for name in ("in", "known", "repair", "left")}
    return ListRow(
        {"file": job.file, "provider": job.provider, "state": state, "sent": time_of(job.at), **told},
        {"sent": written_moment(job.at, zone)} | {name: "" for name, value in told.items() if value is None},
        {"file": f"{root}/staff/imports/{job.id}"},
        {"state": mood} | ({"repair": "bad"} if counts["repair"] else {}),
    )


def _row(one: ShownRow) -> ListRow:
    outcome = (_OUTCOMES | _COMES)[one.outcome]
    return ListRow(
        {
            "row": one.row,
            "who": one.who,
            "column": label(one.column),
            "cell": one.cell,
            "reason": in_words(one.reason),
            "outcome": outcome,
            "sheet": one.sheet,
        },
        {"reason": sentence(in_words(one.reason))},
        moods={"outcome": "bad" if one.outcome in FAULTY else ""},
    )
