"""What every kind of cell is read as, told whole: numbers, days, times, durations, words, addresses, people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from adapters.imports.sources import SOURCES
from adapters.reading import words
from adapters.reading.cells import choice, district, email, needed, percent, text, whole, yes
from adapters.reading.columns import guessed, headers_known
from adapters.reading.hours import Numbers, in_doubt, minutes, typed_hours
from adapters.reading.people import Learners, apart, names_of, staff
from adapters.reading.profile import MappingProfile, parse_profile
from adapters.reading.source import masked
from adapters.reading.times import DATES, Calendar, day, has_time, moment, not_ahead
from adapters.reading.words import NOTHING, Silence
from lrs.kernel.tables.row import Percent, Row, RowPlace, Unusable
from tests.told.story import Story, inline, tree, tried

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
LOCAL = datetime(2026, 11, 20, 9, 30)  # noqa: DTZ001 (a cell of a workbook has no zone)
DAY_OF_TIMES = date(2026, 11, 20)


def of(cell: str, value: Any = None, column: str = "c", **more: str) -> Row:
    return Row(RowPlace("", 2), {column: cell, **more}, values={} if value is None else {column: value})


def said(read: Callable[[], Any]) -> str:
    """What *read* gives, or why the cell cannot be used."""
    try:
        found = read()
    except Unusable as problem:
        return f"{problem.code}: {problem.message}"
    return str(found) if isinstance(found, date | datetime | timedelta) else inline(found)


def table(story: Story, title: str, cells: list[Any], *reads: Callable[[Row], Any]) -> None:
    """A line for each of *cells*: what each of *reads* makes of it. A pair is a text and the value of a workbook."""
    story.head(title)
    for one in cells:
        cell, value = one if isinstance(one, tuple) else (one, None)
        held = f" ({value!r})" if value is not None else ""
        row = of(cell, value)
        story.say(f"{cell!r}{held} | {' | '.join(said(partial(read, row)) for read in reads)}")


NUMBERS = [
    "",
    "0",
    "1",
    "7",
    "7.0",
    "7,000000",
    "7.5",
    "999",
    "1000",
    "-1",
    "seven",
    "07",
    ("80", Percent(Decimal(80))),
]
PERCENTS = [
    "",
    "0",
    "0%",
    "0.5",
    "0,5",
    "1",
    "1%",
    "1.0",
    "1.5",
    "2",
    "80",
    "80%",
    "80 %",
    "80.0",
    "80.5%",
    "100",
    "100%",
    "100.5",
    "101",
    "-5",
    "all",
    "0.01",
    ("80", Percent(Decimal(80))),
    ("1", Percent(Decimal(1))),
    ("0.5", Percent(Decimal("0.5"))),
    ("101", Percent(Decimal(101))),
]
YES = ["", "Y", "true", "1", "x", "✓", "on", "N", "false", "0", "OFF", "maybe", "yes.", " y "]
MAILS = [
    "",
    "Ann@X.Example",
    "mailto:ann@x.example",
    "ann@x",
    "@x.example",
    "ann@@x.example",
    "a n@x.example",
    "ann.@x.example",
    "ann..b@x.example",
    "o'neil@x.example",
    "o\u2019neil@x.example",
    "'ann@x.example",
    "ünï@bücher.example",
    "ann@x.example.",
    "ann@x_y.example",
    "ann+tag@x.example",
    "<ann@x.example>",
    f"{'a' * 64}@x.example",
    f"{'a' * 65}@x.example",
    f"a@{'b' * 248}.ex",
    f"a@{'b' * 249}.ex",
    f"a@{'b' * 250}.ex",
]
DISTRICTS = [
    "",
    "SG1",
    "sg1 2fx",
    "SG12FX",
    "EC1A",
    "EC1A 1BB",
    "W1",
    "M60 1NW",
    "SG",
    "1SG",
    "ZZ99 9ZZ",
    "SG1 2F",
    "SG123",
]
WORDS = ["", "Present", "ON-TIME", "arrived_late", "l.", "left early", "DNA", "n/a", "not checked in", "here"]


def test_numbers_words_and_addresses(told):
    story = Story()
    table(story, "whole", NUMBERS, lambda row: whole(row, "c", 7))
    table(story, "per cent", PERCENTS, lambda row: percent(row, "c", 90))
    table(story, "yes or no", YES, lambda row: yes(row, "c", default=False), lambda row: yes(row, "c", default=True))
    table(story, "address", MAILS, lambda row: email(row, "c"))
    table(story, "district", DISTRICTS, lambda row: district(row, "c"))
    table(
        story,
        "attendance",
        WORDS,
        lambda row: choice(row, "c", words.ATTENDANCE),
        lambda row: choice(row, "c", words.ATTENDANCE, "unmarked"),
    )
    twice = Row(RowPlace("", 2), {"c": "a"}, doubled=("c",), faults={"d": Unusable("merged", "d", "", "a merged cell")})
    story.head("cells that are not there, twice, at fault")
    for read in (
        lambda: text(twice, "c"),
        lambda: text(twice, "d"),
        lambda: text(twice, "e"),
        lambda: needed(twice, "e"),
        lambda: needed(of(""), "c"),
    ):
        story.say(said(read))
    story.head("words by column")
    for name, known in sorted(
        {
            **{f"{source} {column}": one for source, kind in SOURCES.items() for column, one in kind.worded.items()}
        }.items()
    ):
        story.say(f"{name}: {words.known_words(known)}")
    story.head("words that say nothing")
    story.say(", ".join(sorted(NOTHING)))
    story.head("silent cells")
    silence = Silence(
        frozenset({"title"}), {"result": words.RESULT, "attendance": words.ATTENDANCE}, {"kind": "lab"}, NOTHING
    )
    for cell in ("n/a", "TBC", "-", "\u2013", "To be  confirmed.", "x" * 41, "present"):
        row = Row(RowPlace("", 2), {"title": cell, "result": cell, "attendance": cell, "kind": cell, "other": cell})
        story.say(f"{cell}: {inline(silence.row(row).cells)}")

    told(str(story))


DAYS = [
    "",
    "2026-11-20",
    "20/11/2026",
    "20-11-2026",
    "20.11.2026",
    "20 Nov 2026",
    "20 November 2026",
    "2026/11/20",
    "20-Nov-2026",
    "20/Nov/2026",
    "Nov 20, 2026",
    "20261120",
    "11/20/2026",
    "03/04/2026",
    "3/4/26",
    "20/11/26",
    "31/02/2026",
    "29/02/2024",
    "29/02/2026",
    "2026-11",
    "2026-13-01",
    "20th November 2026",
    "1st Sept 2026",
    "Fri 20 Nov 2026",
    "Friday, 20 November 2026",
    "Mon",
    "46346",
    "46346.5",
    "2026-11-20 09:30",
    "2026-11-20T09:30:00Z",
    "2026-07-20T23:30:00Z",
    "2026-11-20T23:30:00-05:00",
    "2026-11-20 25:00",
    "09:30",
    "20/11/2026 9.30",
    "1949-12-31",
    "1950-01-01",
    "2149-12-31",
    "2150-01-01",
    "yesterday",
    "x" * 81,
    ("20/11/2026", date(2026, 11, 20)),
    ("09:30", time(9, 30)),
    ("2026-11-20 09:30", LOCAL),
    ("2:30", timedelta(hours=2, minutes=30)),
]
MOMENTS = [
    "",
    "2026-11-20 09:30",
    "2026-11-20T09:30:15",
    "2026-11-20 9:30 pm",
    "2026-11-20 12:00 am",
    "2026-11-20 12:30 PM",
    "2026-11-20 13:00 pm",
    "2026-11-20 0:30 am",
    "20/11/2026 09:30",
    "2026-11-20",
    "09:30",
    "24:00",
    "2026-03-29 00:59",
    "2026-03-29 01:30",
    "2026-03-29 02:00",
    "2026-10-25 00:59",
    "2026-10-25 01:30",
    "2026-10-25 02:00",
    "2026-10-25 01:30+01:00",
    "2026-10-25 01:30 GMT",
    "2026-11-20 09:30 UTC",
    "2026-11-20 09:30:00+0530",
    "2026-11-20 09:00-11:00",
    "2026-11-20T09:00-11:00",
    "2026-11-20T09:30:00+25:00",
    "46346.39583",
    "46346",
    "2026-07-20 09:30",
    "31/02/2026 09:30",
    "x" * 81,
    ("2026-11-20 09:30", LOCAL),
    ("09:30", time(9, 30)),
]
CALENDARS = {
    "usual": Calendar(LONDON),
    "Excel": Calendar(LONDON, (*DATES, "excel")),
    "1904": Calendar(LONDON, ("excel1904", "%m/%d/%Y", "%d/%m/%y")),
}


def test_days_and_times(told):
    story = Story()
    for name, calendar in CALENDARS.items():
        table(story, f"days, {name}", DAYS, lambda row, calendar=calendar: day(row, "c", calendar))
        table(
            story,
            f"instants, {name}",
            MOMENTS,
            lambda row, calendar=calendar: moment(row, "c", calendar),
            lambda row, calendar=calendar: moment(row, "c", calendar, on=DAY_OF_TIMES),
            lambda row: has_time(row, "c"),
        )
    paris = Calendar(ZoneInfo("Europe/Paris"))
    table(story, "instants, Paris", MOMENTS[:14], lambda row: moment(row, "c", paris))
    story.head("not ahead")
    for hours in (-1, 0, 23.99, 24, 24.01):
        story.say(f"{hours}: {said(lambda hours=hours: not_ahead(NOW + timedelta(hours=hours), NOW, 'c', 'x'))}")

    told(str(story))


HOURS = [
    "",
    "2",
    "2.5",
    "2,5",
    "2.05",
    "2.5hrs",
    "2.30",
    "2.75",
    "2.60",
    "2:30",
    "02:30:00",
    "2:30:29",
    "2:30:30",
    "2h 30m",
    "2 h 30",
    "2hr30",
    "2 hours and 30 minutes",
    "2h, 5 min",
    "90m",
    "90 mins",
    "PT2H30M",
    "PT90M",
    "PT45S",
    "PT",
    "½",
    "2½",
    "2 ¼ h",
    "2¾ hours",
    "1,200",
    "1.200",
    "1,200.5",
    "1.200,5",
    "12,5",
    ".5",
    "0",
    "0:00",
    "-1",
    "\u22122:30",
    "+3",
    "24",
    "24:00",
    "24:01",
    "24.01",
    "25",
    "1440",
    "1441",
    "90",
    "2:60",
    "2.5.5",
    "two",
    "2h 60m",
    "2.5h 30m",
    "999999",
    "x" * 81,
    "1.5 min",
    "6.3",
    "6.345",
    "100:00",
    ("2:30", timedelta(hours=2, minutes=30)),
    ("02:30", time(2, 30, 30)),
    ("2.5", Decimal("2.5")),
    ("2.30", Decimal("2.30")),
    ("50%", Percent(Decimal(50))),
    ("-1", Decimal(-1)),
    ("20/11/2026", date(2026, 11, 20)),
]
FORMS = [
    Numbers(),
    Numbers("decimal", ","),
    Numbers("decimal", "."),
    Numbers("h.mm"),
    Numbers("h:mm"),
    Numbers("minutes"),
]


def test_durations(told):
    story = Story()
    story.head("formats: " + ", ".join(f"{one.hours or 'not said'} {one.decimal}".strip() for one in FORMS))
    table(story, "durations", HOURS, *(lambda row, form=form: minutes(row, "c", form) for form in FORMS))
    table(
        story,
        "typed",
        [*HOURS[:58], "9999", "9999:01", "10000", "37.5", "37,5", "0.001"],
        lambda row: typed_hours(row["c"]),
    )
    story.head("in doubt")
    for cells in (
        ["6.30"],
        ["6.30", "6.75"],
        ["6.50"],
        ["6.00", "6.25"],
        ["6,05", "7.10"],
        ["6.59"],
        ["6.60"],
        ["6.5"],
        [],
    ):
        rows = [Row(RowPlace("", at), {"c": cell}) for at, cell in enumerate(cells, 2)]
        story.say(
            f"{cells}: {inline(in_doubt(rows, 'c', Numbers()))} {inline(in_doubt(rows, 'c', Numbers('decimal')))}"
        )

    told(str(story))


PEOPLE: list[dict[str, str]] = [
    {"uln": "1000000019"},
    {"uln": "1000000108", "learner_ref": "L 1", "email": "Ann@X.example", "given_names": "Ann", "family_name": "Lee"},
    {"uln": "9999999999", "learner_ref": "L2"},
    {"uln": "9999999999"},
    {"uln": "9 9999 99999"},
    {"uln": "1000000018"},
    {"learner_ref": "L 1", "uln": "1000000019"},
    {"learner_ref": "L 1"},
    {"email": "ann@x.example", "uln": "1000000019"},
    {"email": "team@x.example", "given_names": "Ann", "family_name": "Lee"},
    {"email": "team@x.example", "given_names": " lee", "family_name": "ANN "},
    {"email": "team@x.example", "given_names": "Bo", "family_name": "Lee"},
    {"email": "team@x.example", "given_names": "Bo"},
    {"email": "team@x.example", "learner_ref": "L7", "given_names": "Bo", "family_name": "Lee"},
    {"email": "o#n?e%l@x.example"},
    {"given_names": "Ann"},
    {},
    {"uln": "", "learner_ref": "", "email": ""},
]
STAFF = [
    "",
    "Sam Shah",
    " Sam   Shah",
    "sam@x.example",
    "sam@x",
    "Ann@X.example",
    "l 1",
    "1000000108",
    "ANN LEE",
    "Lee, Ann",
    "Ann Lee-Smith",
]


def test_people(told):
    story, learners = Story(), Learners("https://home.example")
    story.head("learners of one file")
    for cells in PEOPLE:
        story.say(f"{inline(cells)}: {said(lambda cells=cells: learners.read(Row(RowPlace('', 2), cells)))}")
    story.head("staff, and whether they are the learner")
    row = Row(RowPlace("", 2), PEOPLE[1])
    ann = Learners("https://home.example").read(row)
    for name in STAFF:
        read = lambda name=name: staff(of(name), "c", "https://home.example")
        both = lambda read=read: apart(ann, read(), "c", names_of(row))
        story.say(f"{name!r}: {said(read)} | {said(both)}")
    story.head("facts and calls of the learner")
    story.say(tree(ann.same()), inline(ann.called()), inline(sorted(ann.names)), ann.key)
    story.head("masked")
    story.extend(masked(one) for one in ("1.23E+09", "Ann O'Neil\n", "x" * 40, "x" * 41, "ü9\t-", ""))

    told(str(story))


PROFILES = [
    "{}",
    '{"provider": "north", "zone": "Europe/Paris", "hours": "h.mm", "decimal": ",", "most_missing": 0}',
    '{"most_missing": 100}',
    '{"most_missing": 101}',
    '{"most_missing": -1}',
    '{"hours": "hh"}',
    '{"decimal": ";"}',
    '{"zone": "Mars/Base"}',
    '{"encoding": "cp1252"}',
    '{"encoding": "klingon"}',
    '{"encoding": "base64"}',
    '{"delimiter": ";"}',
    '{"delimiter": "\\t"}',
    '{"delimiter": "x"}',
    '{"dates": []}',
    '{"dates": ["%d/%m/%Y", "excel", "excel1904"]}',
    '{"dates": ["%d/%m"]}',
    '{"dates": ["%d %d %m %Y"]}',
    '{"dates": ["%d/%m/%y"]}',
    '{"dates": ["' + "x" * 81 + '"]}',
    '{"dates": [' + ",".join(['"%Y-%m-%d"'] * 50) + "]}",
    '{"dates": [' + ",".join(['"%Y-%m-%d"'] * 51) + "]}",
    '{"colour": "red"}',
    "[]",
    "not json",
    '{"headers": {"uln": "ULN"}}',
]
CHECKED = [
    {"headers": {"uln": ["Number"]}},
    {"headers": {"ulm": ["Number"]}},
    {"constants": {"status": "live"}},
    {"constants": {"stat": "live"}},
    {"values": {"status": {"going": "learning"}}},
    {"values": {"status": {"going": "somewhere"}}},
    {"values": {"uln": {"none yet": ""}}},
    {"values": {"uln": {"none yet": "1"}}},
    {"values": {"*": {"keine": ""}}},
    {"values": {"*": {"keine": "x"}}},
    {"headers": {"*": ["x"]}},
]
HEADERS = [
    ["ULN", "First name", "Surname", "E-mail", "Programme Start Date", "Expected end date", "Completion status"],
    ["Unique Learner Number", "Uln number", "Learner ID", "learner reference numbr", "mail", "Forenames", "colour"],
    ["Session", "Session ref", "Attended", "Time in", "Time out", "Trainer e-mail", "Postcode"],
]


def test_mapping_profiles_and_headers(told):
    story = Story()
    story.head("profiles")
    story.extend(
        f"{one[:90]}: {tried(lambda one=one: parse_profile(one.encode(), 'north.json'), lambda p: inline(p)[:400])}"
        for one in PROFILES
    )
    kind = SOURCES["eportfolio"]
    story.head("checked for an e-portfolio")
    for given in CHECKED:
        profile = MappingProfile(**given)
        story.say(f"{inline(given)}: {tried(lambda profile=profile: profile.check(kind.columns, kind.worded))}")
    story.head("terms")
    profile = MappingProfile(
        values={"status": {"Going-on": "learning"}, "*": {"Keine": ""}}, constants={"option": "A"}, hours="h.mm"
    )
    terms = profile.terms("north west", {"status": words.ENROLMENT}, frozenset({"option"}), NOW)
    story.say(inline([terms.provider, terms.home, terms.numbers, sorted(terms.words["status"].items())[:8]]))
    story.say(
        inline([str(terms.calendar.zone), sorted(set(terms.silence.nothing) - set(NOTHING)), terms.silence.constants])
    )
    story.say(
        inline(
            [
                MappingProfile(home_page="https://h.example/").home("n"),
                MappingProfile().home("n o"),
                MappingProfile(headers={"uln": ["No. of  ULN"]}).aliases(),
            ]
        )
    )
    for name, kind in SOURCES.items():
        story.head(f"columns of {name}: {kind.about}")
        story.say(inline([kind.files, kind.template, sorted(kind.free), sorted(kind.dated)]))
        known = headers_known(kind.columns, kind.named)
        by_column: dict[str, list[str]] = {}
        for header, column in known.items():
            by_column.setdefault(column, []).append(header)
        story.extend(f"{column}: {', '.join(sorted(headers))}" for column, headers in sorted(by_column.items()))
        story.extend(inline(guessed(headers, known)) for headers in HEADERS)

    told(str(story))
