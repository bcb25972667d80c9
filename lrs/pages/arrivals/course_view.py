"""What the page of a course shows, as plain values. Pure: no store, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lrs.competency.rules.scores import shown
from lrs.kernel.times import timestamp_of_micros
from lrs.pages.arrivals.asked import Wanted
from lrs.pages.arrivals.course import CourseSeen, Progress, scores
from lrs.pages.views import identifier_shown
from lrs.web.chart import bars
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

COLUMNS = (
    ListColumn("who", "Who"),
    ListColumn("state", "How far", facet=True),
    ListColumn("began", "Began"),
    ListColumn("finished", "Finished"),
    ListColumn("passed", "Passed"),
    ListColumn("score", "Best score, %", figure=True),
    ListColumn("last", "Last seen"),
    ListColumn("known", "Known as", seen=False),
)
_SAID = {"began": "Began", "finished": "Finished", "passed": "Passed", "failed": "Did not pass"}
_MOODS = {"passed": "good", "finished": "good", "failed": "bad", "began": "warn"}


def rows(found: CourseSeen, activity: str, root: str, zone: str, person: Mapping[str, str]) -> list[ListRow]:
    """A row for each person. *person* is the parameter of the list of arrivals for an agent's text."""
    return [_row(one, activity, root, zone, person[one.agent]) for one in found.people.values()]


def _row(one: Progress, activity: str, root: str, zone: str, person: str) -> ListRow:
    known = identifier_shown(one.actor)[1]
    name = str(one.actor.get("name") or known)
    times = {"began": one.began, "finished": one.finished, "passed": one.passed, "last": one.last}
    return ListRow(
        {
            "who": name,
            "state": one.state,
            **{what: timestamp_of_micros(at) if at is not None else None for what, at in times.items()},
            "score": shown(one.best),
            "known": known,
            "activity": activity,
        },
        {
            "state": _SAID[one.state],
            **{what: written_moment(at, zone) if at is not None else "Not yet" for what, at in times.items()},
            "score": "None" if one.best is None else f"{shown(one.best):g}",
        },
        {"who": Wanted({"activity": activity, "person": person}).address(root)},
        {"state": _MOODS[one.state]},
        {"who": known if known != name else ""},
    )


def course(found: CourseSeen, activity: str, name: str, root: str) -> dict[str, Any]:
    """The texts above the table."""
    counts = Counter(one.state for one in found.people.values())
    people = found.people.values()
    buckets = scores(people)
    return {
        "activity": activity,
        "name": name or activity,
        "counts": [
            ("Began", len(found.people)),
            ("Finished", sum(one.finished is not None for one in people)),
            ("Passed", counts["passed"]),
            ("Did not pass", counts["failed"]),
        ],
        "chart": bars(buckets) if buckets else None,
        "looked_at": f"{found.looked_at:,}",
        "is_whole": found.is_whole,
        "arrivals": Wanted({"activity": activity}).address(root),
    }
