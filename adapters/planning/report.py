"""The report for planners as rows, the same for page, CSV and JSON, and its charts. Pure; sees only what is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from adapters.planning.counts import HELD, ON_TRACK, Count
from adapters.planning.demand import Demand
from adapters.planning.figures import MOST_YEARS, PATH, SEATS, UNKNOWN
from lrs.matching.roles.gap import Role
from lrs.web.chart import Bars, bars
from lrs.web.dates import written_day
from lrs.web.listing import ListColumn, ListRow

PARTS = {
    "supply": "Supply and demand",
    "path": "From start to job",
    "ending": "Qualifications that end",
    "seats": "Seats of sessions to come",
}
SPLITS = {"": "In all", "region": "Region", "route": "Route", "funding": "Funding stream", "when": "When"}
KEPT_BACK = "kept back"
TODAY = "today"
EVERYBODY = "everybody"
WANTED = "wanted"
MISSING, MISSING_IF_RENEWED = "still missing", "missing if all renew"
"""What is wanted in a year, less who then holds the role if nothing is renewed, and less who holds it today."""
MOST_BARS = 8
COLUMNS = (
    ListColumn("part", "Report", facet=True),
    ListColumn("of", "Role or centre", facet=True),
    ListColumn("measure", "Counted", facet=True),
    ListColumn("year", "Year", facet=True),
    ListColumn("by", "Split by", facet=True),
    ListColumn("value", "Region, route, stream or time"),
    ListColumn("number", "People", figure=True),
)


_Numbers = dict[tuple[str, str], int | None]
_UNTOLD = -1
"""In the place of a number that was not worked out."""


class ReportLine(msgspec.Struct, frozen=True):
    """One number of the report; ``None`` is kept back."""

    part: str
    of: str
    measure: str
    number: int | None
    split: str = ""
    value: str = ""
    year: str = TODAY


class ReportNames(msgspec.Struct, frozen=True):
    """What people read of roles, as they are on a day, and of *sources* with a shown name, such as centres."""

    by_id: Mapping[str, Role]
    today: date
    sources: Mapping[str, str] = {}

    def of(self, one: Count) -> str:
        """What a count is about: a role, a source, or everybody."""
        return self.label(one.of) if one.part == "supply" else self.sources.get(one.of, one.of) or EVERYBODY

    def label(self, id: str) -> str:
        """What a role is called, with the day from which it has effect or on which it ended."""
        one = self.by_id.get(id)
        if one is None:
            return id
        if one.valid_until and one.has_ended(self.today):
            return f"{one.label} (ended {written_day(one.valid_until)})"
        if one.valid_from and one.valid_from > self.today:
            return f"{one.label} (from {written_day(one.valid_from)})"
        return one.label

    def is_supplied(self, id: str) -> bool:
        """Whether people are counted for it: not for one that has ended."""
        return id not in self.by_id or not self.by_id[id].has_ended(self.today)


def lines(shown: Mapping[Count, int | None], wanted: Iterable[Demand], names: ReportNames) -> list[ReportLine]:
    """All lines."""
    counted = [
        ReportLine(one.part, names.of(one), one.measure, number, one.split, one.value, one.year or TODAY)
        for one, number in sorted(shown.items())
    ]
    return [*counted, *_demand(shown, list(wanted), names)]


def _demand(shown: Mapping[Count, int | None], wanted: Sequence[Demand], names: ReportNames) -> Iterable[ReportLine]:
    """What is wanted, all sources together, and how many more that is than hold the role today, if it has not ended."""
    told: Counter[tuple[str, str, int]] = Counter()
    for one in wanted:
        told[one.role, one.region, one.year] += one.headcount
        told[one.role, "", one.year] += one.headcount
    for (role, region, year), people in sorted(told.items()):
        what = Count("supply", role, HELD, "region" if region else "", region, str(year))
        line = ReportLine("supply", names.label(role), WANTED, people, what.split, region, what.year)
        yield line
        if names.is_supplied(role):
            for measure, when in ((MISSING, what.year), (MISSING_IF_RENEWED, "")):
                if (held := _held(shown, what, when)) != _UNTOLD:
                    more = None if held is None else max(0, people - held)
                    yield msgspec.structs.replace(line, measure=measure, number=more)


def _held(shown: Mapping[Count, int | None], what: Count, year: str) -> int | None:
    """How many of *what* are shown for *year*: nobody, where the role is counted and no number is there."""
    total = msgspec.structs.replace(what, split="", value="", year=year)
    return shown.get(msgspec.structs.replace(what, year=year), 0 if total in shown else _UNTOLD)


def rows(found: Iterable[ReportLine]) -> list[ListRow]:
    """The lines as a list shows them."""
    return [
        ListRow(
            {
                "part": PARTS[one.part],
                "of": one.of,
                "measure": one.measure,
                "year": one.year,
                "by": SPLITS[one.split],
                "value": one.value,
                "number": one.number,
            },
            {"number": KEPT_BACK} if one.number is None else {},
        )
        for one in found
    ]


def unpeopled(found: Sequence[ReportLine]) -> list[str]:
    """The regions in which people are wanted, and nobody who is known to live there holds a role or is on track."""
    regions = [one for one in found if one.part == "supply" and one.split == "region"]
    peopled = {one.value for one in regions if one.measure in {HELD, ON_TRACK}}
    return sorted({one.value for one in regions if one.measure == WANTED} - peopled)


def years(found: Iterable[ReportLine], today: date) -> list[str]:
    """The years, from this one on, for which something is wanted: those for which supply is worked out."""
    return sorted({one.year for one in found if one.measure == WANTED and int(one.year) >= today.year})[:MOST_YEARS]


def regions(found: Iterable[ReportLine]) -> list[str]:
    """The regions of the report; those who live nowhere that is known are last."""
    named = {one.value for one in found if one.part == "supply" and one.split == "region"}
    return sorted(named, key=lambda region: (region == UNKNOWN, region))


class RegionLine(msgspec.Struct, frozen=True):
    """What there is and what is missing of one role in one *region* (``""``: all): *numbers* by measure and year.

    ``None`` is kept back; a number that is not there was not worked out. *year* is the one for which it is asked.
    """

    role: str
    region: str
    year: str
    numbers: _Numbers

    def now(self, measure: str) -> str:
        """What is counted today, as a text; empty if it was not worked out."""
        return self._said(measure, TODAY)

    def then(self, measure: str) -> str:
        """What is asked of the year, as a text; empty if it was not worked out."""
        return self._said(measure, self.year)

    def _said(self, measure: str, year: str) -> str:
        number = self.numbers.get((measure, year), _UNTOLD)
        return "" if number == _UNTOLD else KEPT_BACK if number is None else str(number)


def by_region(found: Sequence[ReportLine], year: str, region: str = "") -> list[RegionLine]:
    """What is missing in *year*, the role that is wanted most first: in all and in each region, or in one *region*."""
    told: dict[tuple[str, str], _Numbers] = {}
    for one in found:
        if one.part == "supply" and one.split in {"", "region"}:
            told.setdefault((one.of, one.value), {})[one.measure, one.year] = one.number
    names = sorted({name for name, _ in told}, key=lambda name: (-(told[name, ""].get((WANTED, year)) or 0), name))
    asked = [region] if region else ["", *regions(found)]
    return [
        RegionLine(name, where, year, _whole(told.get((name, where), {}), told[name, ""], year))
        for name in names
        for where in asked
        if not where or (name, where) in told
    ]


def _whole(line: _Numbers, total: _Numbers, year: str) -> _Numbers:
    """A *line* with 0 where no number is there, of what is worked out for the role (*total*), and if none is wanted."""
    counted = [one for one in total if one[0] in {HELD, ON_TRACK}]
    unwanted = [] if (WANTED, year) in line else [(WANTED, year), (MISSING, year), (MISSING_IF_RENEWED, year)]
    return dict.fromkeys([*counted, *unwanted], 0) | line


def supply_chart(found: Sequence[ReportLine], year: str, region: str = "") -> Bars:
    """For the roles that are wanted most in *year*, in all or in one *region*: what of it was counted."""
    lines = [one for one in by_region(found, year, region) if one.region == region][:MOST_BARS]
    asked = ((WANTED, year), (HELD, TODAY), (ON_TRACK, TODAY))
    return _bars(
        [(f"{one[0]}: {line.role}", line.numbers[one]) for line in lines for one in asked if one in line.numbers]
    )


def path_chart(found: Iterable[ReportLine]) -> Bars:
    """From a start to a job."""
    known = {one.measure: one.number for one in found if one.part == "path"}
    return _bars([(name, known[name]) for name in PATH if name in known])


def ending_chart(found: Iterable[ReportLine]) -> Bars:
    """Qualifications that end soon, by centre and time."""
    ending = [one for one in found if one.part == "ending" and one.split]
    return _bars([(f"{one.of}, {one.value}", one.number) for one in ending][: 3 * MOST_BARS])


def seats_chart(found: Iterable[ReportLine]) -> Bars:
    """Seats and bookings by centre."""
    told = sorted((one for one in found if one.part == "seats"), key=lambda one: (one.of, one.measure != SEATS))
    return _bars([(f"{one.of}, {one.measure}", one.number) for one in told][: 2 * MOST_BARS])


def _bars(told: Sequence[tuple[str, int | None]]) -> Bars:
    return bars([(label, number or 0, KEPT_BACK if number is None else str(number)) for label, number in told])
