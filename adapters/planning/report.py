"""The report for planners as rows, the same for page, CSV and JSON, and its charts. Pure; sees only what is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from adapters.planning.demand import Demand
from adapters.planning.figures import PATH, SEATS, UNKNOWN, Count
from lrs.matching.roles.gap import Role
from lrs.web.chart import Bars, bars
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


class ReportLine(msgspec.Struct, frozen=True):
    """One number of the report; ``None`` is kept back."""

    part: str
    of: str
    measure: str
    number: int | None
    split: str = ""
    value: str = ""
    year: str = TODAY


class KnownRoles(msgspec.Struct, frozen=True):
    """The roles by their ids, as they are on a day: what each is called, and whether it has ended."""

    by_id: Mapping[str, Role]
    today: date

    def label(self, id: str) -> str:
        """What a role is called, with the day from which it has effect or on which it ended."""
        one = self.by_id.get(id)
        if one is None:
            return id
        if one.has_ended(self.today):
            return f"{one.label} (ended {one.valid_until})"
        return f"{one.label} (from {one.valid_from})" if one.valid_from and one.valid_from > self.today else one.label

    def is_supplied(self, id: str) -> bool:
        """Whether people are counted for it: not for one that has ended."""
        return id not in self.by_id or not self.by_id[id].has_ended(self.today)


def lines(shown: Mapping[Count, int | None], wanted: Iterable[Demand], roles: KnownRoles) -> list[ReportLine]:
    """All lines."""
    counted = [
        ReportLine(one.part, _of(one, roles), one.measure, number, one.split, one.value, one.year or TODAY)
        for one, number in sorted(shown.items())
    ]
    return [*counted, *_demand(shown, list(wanted), roles)]


def _of(one: Count, roles: KnownRoles) -> str:
    return roles.label(one.of) if one.part == "supply" else one.of or EVERYBODY


def _demand(shown: Mapping[Count, int | None], wanted: Sequence[Demand], roles: KnownRoles) -> Iterable[ReportLine]:
    """What is wanted, all sources together, and how many more that is than hold the role today, if it has not ended."""
    told: Counter[tuple[str, str, int]] = Counter()
    for one in wanted:
        told[one.role, one.region, one.year] += one.headcount
        told[one.role, "", one.year] += one.headcount
    for (role, region, year), people in sorted(told.items()):
        split = "region" if region else ""
        label, when = roles.label(role), str(year)
        yield ReportLine("supply", label, "wanted", people, split, region, when)
        if not roles.is_supplied(role):
            continue
        held = shown.get(Count("supply", role, "held", split, region), 0)
        more = None if held is None else max(0, people - held)
        yield ReportLine("supply", label, "still missing", more, split, region, when)


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
    peopled = {one.value for one in regions if one.measure in {"held", "on track"}}
    return sorted({one.value for one in regions if one.measure == "wanted"} - peopled)


def years(found: Iterable[ReportLine]) -> list[str]:
    """The years for which something is wanted."""
    return sorted({one.year for one in found if one.measure == "wanted"})


def regions(found: Iterable[ReportLine]) -> list[str]:
    """The regions of the report; those who live nowhere that is known are last."""
    named = {one.value for one in found if one.part == "supply" and one.split == "region"}
    return sorted(named, key=lambda region: (region == UNKNOWN, region))


class RegionLine(msgspec.Struct, frozen=True):
    """What there is and what is missing of one role in one *region* (``""``: all), as texts.

    *held* and *on_track* are now, *lasting* is how many hold it at the end of the year; ``""`` is not worked out.
    """

    role: str
    region: str
    wanted: str
    held: str
    lasting: str
    on_track: str
    missing: str


def by_region(found: Sequence[ReportLine], year: str, region: str = "") -> list[RegionLine]:
    """What is missing in *year*, the role that is wanted most first: in all and in each region, or in one *region*."""
    lines = [one for one in found if one.part == "supply" and one.split in {"", "region"}]
    known = {(one.of, one.value, one.measure, one.year): one.number for one in lines}
    wanted = {one.of: one.number or 0 for one in lines if (one.measure, one.split, one.year) == ("wanted", "", year)}
    names = sorted({one.of for one in lines}, key=lambda name: (-wanted.get(name, 0), name))

    def line(name: str, where: str) -> RegionLine:
        def said(measure: str, when: str, nobody: str) -> str:
            number = known.get((name, where, measure, when), -1)
            return KEPT_BACK if number is None else nobody if number < 0 else str(number)

        return RegionLine(
            name,
            where,
            said("wanted", year, "0"),
            said("held", TODAY, "0"),
            said("held", year, "" if (name, where, "held", TODAY) in known else "0"),
            said("on track", TODAY, "0"),
            said("still missing", year, "0"),
        )

    there = {(one.of, one.value) for one in lines}
    asked = [region] if region else ["", *regions(found)]
    return [line(name, where) for name in names for where in asked if not where or (name, where) in there]


def supply_chart(found: Sequence[ReportLine], year: str, region: str = "") -> Bars:
    """For the roles that are wanted most in *year*, in all or in one *region*: wanted, held and on track."""
    lines = [one for one in by_region(found, year, region) if one.region == region][:MOST_BARS]
    told = [(one.role, (("wanted", one.wanted), ("held", one.held), ("on track", one.on_track))) for one in lines]
    numbers = [(f"{measure}: {role}", text) for role, measures in told for measure, text in measures]
    return _bars([(label, None if text == KEPT_BACK else int(text)) for label, text in numbers])


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
