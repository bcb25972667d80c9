"""ILR returns, told whole: each rule just met and just missed, and what later returns of the same year change."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from adapters.apprenticeship.ilr.kept import FieldReader, employers_pass
from adapters.apprenticeship.missing import missing_learners
from adapters.imports.arriving_files import filtered
from adapters.reading.profile import MappingProfile
from tests.adapters.apprenticeship.returns import aim, learner, made, uln
from tests.told.office import Office
from tests.told.story import Story, inline, rows, tried

OVER = {"CompStatus": "2", "LearnActEndDate": "2026-10-01", "Outcome": "8", "OTJActHours": "410"}
ACHIEVED = {**OVER, "Outcome": "1", "AchDate": "2026-10-08", "OutGrade": "ME"}
OTHER = {"FundModel": "35", "ProgType": None, "StdCode": None, "LearnAimRef": "60099013"}
BOOTCAMP = {"FundModel": "37", "ProgType": "32", "StdCode": None}
WITHDRAWN = {**OVER, "CompStatus": "3", "Outcome": "3", "WithdrawReason": "2"}
BREAK = {**OVER, "CompStatus": "6", "Outcome": "3"}
RESTART = {"LearningDeliveryFAM": "<LearnDelFAMType>RES</LearnDelFAMType><LearnDelFAMCode>1</LearnDelFAMCode>"}
ACT = {"LearningDeliveryFAM": "<LearnDelFAMType>ACT</LearnDelFAMType><LearnDelFAMCode>1</LearnDelFAMCode>"}


def price(code: str, type: str = "TNP") -> str:
    within = f"<AFinType>{type}</AFinType><AFinCode>{code}</AFinCode><AFinDate>2025-09-15</AFinDate>"
    return f"<AppFinRecord>{within}<AFinAmount>1000</AFinAmount></AppFinRecord>"


CASES_2627: list[tuple[str, dict[str, str | None]]] = [
    ("goes on", {}),
    ("began 10 years and a day before the year", {"LearnStartDate": "2016-07-31"}),
    ("began 10 years before the year", {"LearnStartDate": "2016-08-01"}),
    ("other aim begins on the last day", {**OTHER, "LearnStartDate": "2027-07-31", "LearnPlanEndDate": "2027-07-31"}),
    ("other aim begins a day later", {**OTHER, "LearnStartDate": "2027-08-01", "LearnPlanEndDate": "2027-08-01"}),
    ("apprentice begins after the year", {"LearnStartDate": "2027-08-01", "LearnPlanEndDate": "2028-08-01"}),
    ("bootcamp after the year", {**BOOTCAMP, "LearnStartDate": "2027-08-01", "LearnPlanEndDate": "2028-08-01"}),
    ("ends on the day it begins", {"LearnPlanEndDate": "2025-09-15"}),
    ("ends a day before it begins", {"LearnPlanEndDate": "2025-09-14"}),
    ("lasts 10 years", {"LearnPlanEndDate": "2035-09-15"}),
    ("lasts a day less than 10 years", {"LearnPlanEndDate": "2035-09-14"}),
    ("29 February, 10 years", {"LearnStartDate": "2024-02-29", "LearnPlanEndDate": "2034-02-28"}),
    ("29 February, a day less", {"LearnStartDate": "2024-02-29", "LearnPlanEndDate": "2034-02-27"}),
    ("left before it began", {**OVER, "LearnActEndDate": "2025-09-14"}),
    ("left on the first day", {**OVER, "LearnActEndDate": "2025-09-15"}),
    ("ended on the day of the file", {**OVER, "LearnActEndDate": "2026-11-04"}),
    ("ended a day after the file", {**OVER, "LearnActEndDate": "2026-11-05"}),
    ("status 4", {**OVER, "CompStatus": "4"}),
    ("on a break", BREAK),
    ("on a break, awaiting", {**BREAK, "Outcome": "8"}),
    ("on a break, achieved", {**BREAK, "Outcome": "1"}),
    ("on a break with a reason", {**BREAK, "WithdrawReason": "2"}),
    ("withdrawn", WITHDRAWN),
    ("withdrawn without a reason", {**WITHDRAWN, "WithdrawReason": None}),
    ("withdrawn, partly achieved", {**WITHDRAWN, "Outcome": "2"}),
    ("withdrawn without hours", {**WITHDRAWN, "OTJActHours": None}),
    ("withdrawn without hours, began before", {**WITHDRAWN, "OTJActHours": None, "LearnStartDate": "2022-07-31"}),
    ("withdrawn without hours, began then", {**WITHDRAWN, "OTJActHours": None, "LearnStartDate": "2022-08-01"}),
    ("goes on with a reason", {"WithdrawReason": "2"}),
    ("goes on, other aim, with an end", {**OTHER, "LearnActEndDate": "2026-10-01"}),
    ("goes on with an end", {"LearnActEndDate": "2026-10-01"}),
    ("part with an end", {"AimType": "3", "LearnActEndDate": "2026-10-01"}),
    ("completed without an end", {"CompStatus": "2", "Outcome": "8"}),
    ("completed without an outcome", {**OVER, "Outcome": None}),
    ("completed, awaiting", OVER),
    ("completed, failed", {**OVER, "Outcome": "3", "OutGrade": "FL"}),
    ("completed, partly achieved", {**OVER, "Outcome": "2"}),
    ("outcome 5", {**OVER, "Outcome": "5"}),
    ("goes on, awaiting", {"Outcome": "8"}),
    ("goes on, other aim awaiting", {**OTHER, "Outcome": "8"}),
    ("goes on, bootcamp awaiting", {**BOOTCAMP, "Outcome": "8"}),
    ("unfunded standard goes on, awaiting", {"FundModel": "99", "Outcome": "8"}),
    ("standard of model 35 goes on, awaiting", {"FundModel": "35", "Outcome": "8"}),
    ("part goes on, awaiting", {"AimType": "3", "Outcome": "8"}),
    ("bootcamp withdrawn, achieved", {**BOOTCAMP, **WITHDRAWN, "Outcome": "1"}),
    ("model 37 alone withdrawn, achieved", {**BOOTCAMP, **WITHDRAWN, "Outcome": "1", "ProgType": "30"}),
    ("type 32 alone withdrawn, achieved", {**BOOTCAMP, **WITHDRAWN, "Outcome": "1", "FundModel": "35"}),
    ("achieved", ACHIEVED),
    ("achieved, no day", {**ACHIEVED, "AchDate": None}),
    ("achieved without an end", {"Outcome": "1"}),
    ("achieved 6 days after", {**ACHIEVED, "AchDate": "2026-10-07"}),
    ("achieved 8 days after", {**ACHIEVED, "AchDate": "2026-10-09"}),
    ("achieved before the end", {**ACHIEVED, "AchDate": "2026-09-30"}),
    ("achieved on the day of the end", {**ACHIEVED, "AchDate": "2026-10-01"}),
    ("achieved before the start", {**ACHIEVED, "AchDate": "2025-09-14"}),
    ("achieved on the day of the file", {**ACHIEVED, "AchDate": "2026-11-04"}),
    ("achieved after the file", {**ACHIEVED, "AchDate": "2026-11-05"}),
    ("achieved without an end, with a day", {"Outcome": "1", "AchDate": "2026-10-08"}),
    ("bootcamp achieved before the start", {**BOOTCAMP, **ACHIEVED, "AchDate": "2025-09-14"}),
    ("unfunded, achieved on the day of the end", {**ACHIEVED, "FundModel": "99", "AchDate": "2026-10-01"}),
    ("part achieved on the day of the end", {**ACHIEVED, "AimType": "3", "AchDate": "2026-10-01"}),
    ("failed with a day", {**OVER, "Outcome": "3", "AchDate": "2026-10-08"}),
    ("other aim failed with a day", {**OTHER, **OVER, "Outcome": "3", "AchDate": "2026-10-08"}),
    ("unfunded, failed with a day", {**OVER, "FundModel": "99", "Outcome": "3", "AchDate": "2026-10-08"}),
    (
        "ended July 2019, achieved the next day",
        {
            **ACHIEVED,
            "LearnStartDate": "2018-09-01",
            "LearnPlanEndDate": "2019-07-31",
            "LearnActEndDate": "2019-07-31",
            "AchDate": "2019-08-01",
        },
    ),
    (
        "ended August 2019, achieved the next day",
        {
            **ACHIEVED,
            "LearnStartDate": "2018-09-01",
            "LearnPlanEndDate": "2019-07-31",
            "LearnActEndDate": "2019-08-01",
            "AchDate": "2019-08-02",
        },
    ),
    ("awaiting, with a grade", {**OVER, "OutGrade": "DI"}),
    ("no outcome, with a grade", {"OutGrade": "DI"}),
    ("grade of its own", {**ACHIEVED, "OutGrade": "A*"}),
    ("distinction", {**ACHIEVED, "OutGrade": "DI"}),
    ("assessment priced, nobody named", {"AppFin": "2"}),
    ("assessment priced, somebody named", {"AppFin": "2", "EPAOrgID": "EPA0175"}),
    ("assessment of a residual price", {"AppFin": "4", "EPAOrgID": "EPA0175"}),
    ("training priced, somebody named", {"AppFin": "1", "EPAOrgID": "EPA0175"}),
    ("nothing priced, somebody named", {"EPAOrgID": "EPA0175"}),
    ("payment with the code of a price", {"AppFin": "PMR", "EPAOrgID": "EPA0175"}),
    ("no standard", {"StdCode": None}),
    ("standard on a framework", {"ProgType": "24"}),
    ("no type of programme", {"ProgType": None, "StdCode": None}),
    ("part without a type", {**OTHER, "AimType": "3"}),
    ("other aim of a core type", {**OTHER, "AimType": "5"}),
    ("apprenticeship unit", {"FundModel": "39", "ProgType": "34", "StdCode": None}),
    ("another standard", {"StdCode": "406"}),
    ("a standard that nobody knows", {"StdCode": "28"}),
    ("an imported standard", {"StdCode": "77"}),
    ("no planned hours", {"Hours": ""}),
    ("no planned hours, began July 2019", {"Hours": "", "LearnStartDate": "2019-07-31"}),
    ("no planned hours, began August 2019", {"Hours": "", "LearnStartDate": "2019-08-01"}),
    ("no planned hours, unfunded", {"Hours": "", "FundModel": "99"}),
    ("186 hours", {"Hours": "186"}),
    ("187 hours", {"Hours": "187"}),
    ("186 hours, began July 2025", {"Hours": "186", "LearnStartDate": "2025-07-31"}),
    ("186 hours, began August 2025", {"Hours": "186", "LearnStartDate": "2025-08-01"}),
    ("186 hours, restart", {"Hours": "186", **RESTART}),
    ("186 hours, another mark", {"Hours": "186", **ACT}),
    ("186 hours, unfunded", {"Hours": "186", "FundModel": "99"}),
    ("completed without hours", {**OVER, "OTJActHours": None}),
    ("completed without hours, restart", {**OVER, "OTJActHours": None, **RESTART}),
    ("completed without hours, began July 2019", {**OVER, "OTJActHours": None, "LearnStartDate": "2019-07-31"}),
    ("completed without hours, began August 2019", {**OVER, "OTJActHours": None, "LearnStartDate": "2019-08-01"}),
    ("completed with no hour", {**OVER, "OTJActHours": "0"}),
    ("begins tomorrow", {"LearnStartDate": "2026-11-22"}),
    ("begins in two days", {"LearnStartDate": "2026-11-23"}),
    ("district of three letters", {"DelLocPostCode": "EC1A 1BB"}),
    ("no such postcode", {"DelLocPostCode": "ZZ99 9ZZ"}),
    ("two rules", {"LearnPlanEndDate": "2025-09-14", "StdCode": None}),
    ("not a date", {"LearnStartDate": "yesterday"}),
]
"""What the case is, and the fields of the programme aim by which it differs; ``Hours`` are planned hours."""


def delivery(fields: dict[str, str | None], number: int = 1, *, year: str = "2627") -> str:
    told = dict(fields)
    hours, money = told.pop("Hours", None), told.pop("AppFin", None)
    text = aim(number, year=year, **told)
    if hours is not None:
        planned = "<HRSRecord><HRSType>OTJ</HRSType><HRSCode>1</HRSCode><HRSAmount>400</HRSAmount></HRSRecord>"
        text = text.replace(planned, planned.replace("400", hours) if hours else "")
    if money:
        record = price("2", "PMR") if money == "PMR" else price(money)
        text = text.replace("</LearningDelivery>", f"{record}</LearningDelivery>")
    return text


def arriving(text: str, name: str = "return.xml") -> bytes:
    return b"".join(filtered([text.encode()], "ilr", name))


def tell(story: Story, title: str, office: Office, text: str, named: dict[int, str] | None = None, **more) -> None:
    story.head(title)
    told = tried(lambda: office.bring("ilr", arriving(text), **more), lambda report: "\n".join(rows(report, named)))
    story.say(told)


def test_each_rule_of_the_department_at_its_border(told, office):
    story = Story()
    learners = [learner(f"L{at:03}", uln(at * 10), delivery(told)) for at, (_, told) in enumerate(CASES_2627, 1)]
    named = {at + 1: name for at, (name, _) in enumerate(CASES_2627, 1)}
    tell(story, "each rule", office, made(learners), named, standards={77: "ST0077"})
    story.extend(office.statements.new())

    told(str(story))


OF_2526 = [
    ("goes on", {}),
    ("no planned hours", {"PHours": None}),
    ("186 hours", {"PHours": "186"}),
    ("completed", {**OVER, "OTJActHours": "410"}),
    ("completed without hours", {**OVER, "OTJActHours": None}),
    (
        "began after the year",
        {**OTHER, "PHours": None, "LearnStartDate": "2026-08-01", "LearnPlanEndDate": "2026-09-01"},
    ),
    (
        "began on its last day",
        {**OTHER, "PHours": None, "LearnStartDate": "2026-07-31", "LearnPlanEndDate": "2026-09-01"},
    ),
    ("began 10 years before", {"LearnStartDate": "2015-08-01", "LearnPlanEndDate": "2016-08-01"}),
    ("began a day earlier", {"LearnStartDate": "2015-07-31", "LearnPlanEndDate": "2016-08-01"}),
]
ONE, TWO, THREE = uln(1), uln(2_000), uln(3_000)
EMPLOYERS = ("999999999", "900000007", "900000015", "900000010", "12345678", "123456789", "900000160")


def test_learners_as_a_whole_and_the_year_before(told, office):
    part = {"AimType": "3", "LearnAimRef": "60099013"}
    learners = [
        learner("twice", uln(10_000)),
        learner("TWICE", uln(20_000)),
        learner("one ULN", ONE),
        learner("one ULN too", ONE),
        learner("temporary", "9999999999"),
        learner("temporary 2", "9999999999"),
        learner("no check", "1000000018"),
        learner("two aims", uln(30_000), delivery({}), delivery(part, 2)),
        learner("same number", uln(40_000), delivery({}), delivery(part, 1)),
        learner("number 3", uln(50_000), delivery({}), delivery(part, 3)),
        learner("lone part", uln(60_000), delivery({**part, "StdCode": "406"}, 1), delivery({}, 2)),
        learner("part alone", uln(70_000), delivery(part)),
        learner("two of them", uln(80_000), delivery({}), delivery({"StdCode": "406"}, 2)),
        learner("guid", uln(90_000), delivery({"SWSupAimId": "AAAA0000-0000-4000-8000-000000000001"})),
        learner("guid twice", uln(100_000), delivery({"SWSupAimId": "BBBB0000-0000-4000-8000-000000000002"})),
        learner("guid again", uln(110_000), delivery({"SWSupAimId": "bbbb0000-0000-4000-8000-000000000002"})),
        "<Learner><LearnRefNumber>nothing</LearnRefNumber><ULN>9999999999</ULN></Learner>",
        learner("ethnic", uln(120_000), ethnicity="nobody knows"),
        *(learner(f"works at {at}", uln(130_000 + at * 1_000), employer=id) for at, id in enumerate(EMPLOYERS)),
    ]
    story, new = Story(), office.statements
    tell(story, "2026 to 2027", office, made(learners))
    story.extend(new.new())
    before = [learner(f"B{at}", uln(at * 10), delivery(told, year="2526")) for at, (_, told) in enumerate(OF_2526, 1)]
    named = {at + 1: name for at, (name, _) in enumerate(OF_2526, 1)}
    tell(story, "2025 to 2026", office, made(before, year="2526", at="2026-09-01T08:30:00"), named)
    story.extend(new.new())
    story.head("what is kept of a return")
    story.say(arriving(made(learners[6:9])).decode().rstrip())

    told(str(story))


GOOD = [learner("L1", ONE)]
HEADS: list[tuple[str, str, str]] = [
    ("as it is", made(GOOD), "ILR-10000055-2627-20261104-090000-01.xml"),
    ("a copy", made(GOOD), "ILR-10000055-2627-20261104-090000-01 (2).XML"),
    ("without a serial number", made(GOOD), "ilr-10000055-2627-20261104-090000.xml"),
    ("named for another provider", made(GOOD), "ILR-10000056-2627-20261104-090000-01.xml"),
    ("named for another year", made(GOOD), "ILR-10000055-2526-20261104-090000-01.xml"),
    ("another year in the header", made(GOOD, told_year="2526"), ""),
    (
        "another provider below",
        made(GOOD).replace("<LearningProvider><UKPRN>10000055", "<LearningProvider><UKPRN>10000056"),
        "",
    ),
    ("a year that is not read", made(GOOD).replace("ILR/2026-27", "ESFA/ILR/2024-25"), ""),
    ("another document", made(GOOD).replace("ILR/2026-27", "urn:other"), ""),
    ("no learner", made([]), ""),
    ("no source", made(GOOD).replace("Source>", "Sauce>"), ""),
    ("no year", made(GOOD).replace("<Year>2627</Year>", ""), ""),
    ("a header against the schema", made(GOOD).replace("<SerialNo>01</SerialNo>", "<SerialNo>one</SerialNo>"), ""),
    ("a header with more", made(GOOD).replace("<SerialNo>", "<Other/><SerialNo>"), ""),
    ("learners first", made(GOOD).replace("<Header>", f"{GOOD[0]}<Header>"), ""),
    ("prepared today", made(GOOD, at="2026-11-21T09:00:00"), ""),
    ("prepared tomorrow", made(GOOD, at="2026-11-22T09:00:00"), ""),
    ("cut off", made(GOOD)[:900], ""),
    ("an entity", made(GOOD, head='<!DOCTYPE x [<!ENTITY a "b">]>'), ""),
    ("a table", "uln,learner_ref\n1000000019,L1\n", ""),
]


def test_headers_of_returns(told, office):
    story = Story()
    for title, text, name in HEADS:
        story.head(title)
        more = {"dry_run": True, "provider": title.replace(" ", "-")}
        act = lambda text=text, name=name, more=more: office.bring("ilr", arriving(text, name), **more)
        story.say(tried(act, lambda report: "\n".join(rows(report))))

    told(str(story))


def one(number: int, **told: str | None) -> str:
    return learner(f"P{number:02}", uln(number * 100), delivery(told))


LATER = [
    ("the first", [one(at) for at in range(1, 16)], "2026-10-04T09:00:00", "10000055"),
    ("the same again", [one(at) for at in range(1, 16)], "2026-10-04T09:00:00", "10000055"),
    ("an older one", [one(at) for at in range(1, 16)], "2026-10-03T09:00:00", "10000055"),
    ("another provider's", [one(at) for at in range(1, 16)], "2026-10-05T09:00:00", "10000099"),
    ("without three of fifteen", [one(at) for at in range(4, 16)], "2026-10-05T09:00:00", "10000055"),
    ("without three of these twelve", [one(at) for at in range(7, 16)], "2026-10-06T09:00:00", "10000055"),
    ("without five, and five others", [one(at) for at in (1, 2, 3, *range(9, 16))], "2026-10-06T09:00:00", "10000055"),
    ("without two of twelve", [one(at) for at in range(6, 16)], "2026-10-06T09:00:00", "10000055"),
    (
        "one is back, one has a fault, one corrected",
        [
            one(1),
            one(6, LearnPlanEndDate="2025-09-14"),
            one(7, LearnPlanEndDate="2027-06-30"),
            *(one(at) for at in range(8, 16)),
        ],
        "2026-10-07T09:00:00",
        "10000055",
    ),
    (
        "one completed, one withdrawn, one on a break, one achieved",
        [
            one(1),
            one(6),
            one(7, **OVER),
            one(8, **WITHDRAWN),
            one(9, **BREAK),
            one(10, **ACHIEVED),
            *(one(at) for at in range(11, 16)),
        ],
        "2026-10-14T09:00:00",
        "10000055",
    ),
    ("all of that taken back", [one(1), *(one(at) for at in range(6, 16))], "2026-10-15T09:00:00", "10000055"),
    (
        "a new number of an aim",
        [
            one(1),
            *(one(at) for at in range(6, 15)),
            learner("P15", uln(1500), delivery({}, 2), delivery({"AimType": "3"}, 1)),
        ],
        "2026-10-16T09:00:00",
        "10000055",
    ),
]


def test_returns_one_after_the_other(told, office):
    story, new = Story(), office.statements
    for title, learners, at, ukprn in LATER:
        tell(story, title, office, made(learners, at=at, ukprn=ukprn))
        story.extend(new.new())
    tell(story, "half of it", office, made([one(at) for at in range(5, 9)], at="2026-10-17T09:00:00"))
    some = {"profile": MappingProfile(most_missing=70)}
    tell(story, "half of it, allowed", office, made([one(at) for at in range(5, 9)], at="2026-10-17T09:00:00"), **some)
    story.head("what stands")
    story.extend(sorted(f"{said['actor']['account']['name']} {said['verb']['id']}" for said in office.kept.valid()))
    story.head("whose apprenticeship is missing")
    story.extend(inline(one) for one in missing_learners(office.tenant, ["north"]).found)

    told(str(story))


def test_numbers_of_employers(told):
    """Each sum of the check at its last digit: 999999999 is not known yet, and a check of 10 is no number."""
    story, read = Story(), FieldReader("x")

    def passes(*numbers: str) -> bool:
        status = "".join(f"<LearnerEmploymentStatus><EmpId>{one}</EmpId></LearnerEmploymentStatus>" for one in numbers)
        return employers_pass(read, fromstring(f'<Learner xmlns="x">{status}</Learner>'))

    for stem in range(11):
        good = [digit for digit in range(10) if passes(f"{stem * 10:08}{digit}")]
        story.say(f"{stem * 10:08}: {good or 'none'}")
    for numbers in (
        ["999999999"],
        ["12345678"],
        ["1234567890"],
        ["a23456789"],
        [""],
        [],
        ["", "000000000"],
        ["000000000", "000000001"],
    ):
        story.say(f"{numbers}: {passes(*numbers)}")

    told(str(story))
