"""Exports of e-portfolios and uploads of the apprenticeship service, told whole: every rule of them at its border."""

from __future__ import annotations

from adapters.reading.profile import MappingProfile
from tests.adapters.apprenticeship.returns import uln
from tests.adapters.apprenticeship.test_das import EARLY, OF_13, OF_16, OF_19, OF_2017, TURNED
from tests.told.story import Story, rows, tried

ONE, TWO, THREE = uln(1), uln(2_000), uln(3_000)
EVIDENCE = {
    "standard_ref": "ST1406",
    "standard_version": "1.0",
    "evidence_id": "E-1",
    "ksb_code": "K1",
    "evidence_date": "03/11/2025",
    "evidence_status": "accepted",
    "assessor": "sam@provider.example",
}
HOURS = {"standard_ref": "ST1406", "otj_date": "2025-11-04", "otj_minutes": "90", "otj_category": "College"}
EXAM = {"standard_ref": "ST1406", "assessment_date": "2026-09-01", "assessment_outcome": "pass"}
START = {"standard_ref": "st 1406", "standard_version": "V1.0", "start_date": "2025-09-01"}


def person(ref: str, **more: str) -> dict[str, str]:
    return {"learner_ref": ref, **more}


PORTFOLIO: list[tuple[str, dict[str, str]]] = [
    ("starts", person("P-1", uln=ONE, email="ADA@x.example", given_names="Ada", family_name="Byrne", **START)),
    ("starts, planned end and option", person("P-2", **START, planned_end_date="2027-08-31", option="Aseptic")),
    ("planned to end on its first day", person("P-3", **START, planned_end_date="2025-09-01")),
    ("planned to end a day before", person("P-4", **START, planned_end_date="2025-08-31")),
    ("a start and no standard", person("P-5", start_date="2025-09-01")),
    ("a standard with too many digits", person("P-6", **{**START, "standard_ref": "ST14060"})),
    ("a standard of another kind", person("P-7", **{**START, "standard_ref": "FR/12"})),
    ("in learning", person("P-8", **START, status="In learning")),
    ("on a break, with a day", person("P-9", **START, status="BIL", break_start="2026-02-01")),
    ("on a break, no day", person("P-10", **START, status="on hold")),
    ("withdrawn with the day of a break", person("P-11", **START, status="Leaver", break_start="2026-02-01")),
    ("withdrawn", person("P-12", **START, status="Leaver", withdrawal_date="2026-03-29")),
    ("withdrawn, no start here", person("P-13", standard_ref="ST1406", status="withdrawn")),
    ("completed", person("P-14", **START, status="achieved")),
    ("a status that is none", person("P-15", **START, status="nearly")),
    ("nothing", person("P-16")),
    ("nobody", {"given_names": "Ann", **EVIDENCE}),
    ("evidence", person("P-1", **EVIDENCE, ksb_guid="g-1", evidence_title="Log", grade="Merit")),
    ("evidence on the first day", person("P-1", **{**EVIDENCE, "evidence_id": "E-2", "evidence_date": "01/09/2025"})),
    ("evidence a day before", person("P-1", **{**EVIDENCE, "evidence_id": "E-3", "evidence_date": "31/08/2025"})),
    ("evidence of today", person("P-1", **{**EVIDENCE, "evidence_id": "E-4", "evidence_date": "21/11/2026"})),
    ("evidence of tomorrow", person("P-1", **{**EVIDENCE, "evidence_id": "E-5", "evidence_date": "22/11/2026"})),
    ("evidence in two days", person("P-1", **{**EVIDENCE, "evidence_id": "E-6", "evidence_date": "23/11/2026"})),
    ("several codes", person("P-1", **{**EVIDENCE, "evidence_id": "E-7", "ksb_code": "k1, K 02; S3 and esb-4"})),
    ("a code that is none", person("P-1", **{**EVIDENCE, "evidence_id": "E-8", "ksb_code": "K1, Q2"})),
    ("code 0", person("P-1", **{**EVIDENCE, "evidence_id": "E-9", "ksb_code": "K0"})),
    ("no version", person("P-1", **{**EVIDENCE, "evidence_id": "E-10", "standard_version": ""})),
    (
        "draft, no version",
        person("P-1", **{**EVIDENCE, "standard_version": "", "evidence_id": "E-11", "evidence_status": "draft"}),
    ),
    ("submitted", person("P-1", **{**EVIDENCE, "evidence_id": "E-12", "evidence_status": "awaiting review"})),
    ("referred", person("P-1", **{**EVIDENCE, "evidence_id": "E-13", "evidence_status": "Referred"})),
    ("evidence and no code", person("P-1", **{**EVIDENCE, "evidence_id": "E-14", "ksb_code": ""})),
    ("code and no evidence", person("P-1", **{**EVIDENCE, "evidence_id": ""})),
    ("no assessor", person("P-1", **{**EVIDENCE, "evidence_id": "E-15", "assessor": ""})),
    ("assessor by name", person("P-1", **{**EVIDENCE, "evidence_id": "E-16", "assessor": "Sam  Shah"})),
    (
        "assessed by herself",
        person("P-1", email="ada@x.example", **{**EVIDENCE, "evidence_id": "E-17", "assessor": "Ada@X.example"}),
    ),
    ("assessed by her number", person("P-1", **{**EVIDENCE, "evidence_id": "E-18", "assessor": "p-1"})),
    (
        "assessed by her name",
        person(
            "P-1",
            given_names="Ada",
            family_name="Byrne",
            **{**EVIDENCE, "evidence_id": "E-19", "assessor": "Byrne, Ada"},
        ),
    ),
    ("the same evidence once more", person("P-1", **EVIDENCE, ksb_guid="g-1", evidence_title="Log", grade="Merit")),
    ("the same evidence told otherwise", person("P-1", **EVIDENCE, ksb_guid="g-1", evidence_title="Log", grade="Pass")),
    ("hours", person("P-2", **HOURS)),
    ("the same hours again", person("P-2", **HOURS)),
    ("other hours of the day", person("P-2", **{**HOURS, "otj_minutes": "60"})),
    ("hours with a reference", person("P-2", **{**HOURS, "otj_minutes": "60"}, otj_ref="R1")),
    ("hours with a start", person("P-2", **{**HOURS, "otj_minutes": "60"}, otj_start="13:30")),
    ("hours with a start, another day", person("P-2", **{**HOURS, "otj_minutes": "60"}, otj_start="2025-11-05 13:30")),
    (
        "hours with the start in the date",
        person("P-2", **{**HOURS, "otj_date": "2025-11-06 09:15", "otj_minutes": "60"}),
    ),
    ("hours at midnight", person("P-2", **{**HOURS, "otj_date": "2025-11-06 00:00", "otj_minutes": "60"})),
    ("that do not count", person("P-2", **{**HOURS, "otj_date": "2025-11-07"}, otj_countable="no")),
    ("hours before the start", person("P-2", **{**HOURS, "otj_date": "2025-08-31"})),
    ("hours on the first day", person("P-2", **{**HOURS, "otj_date": "2025-09-01"})),
    ("hours of tomorrow", person("P-2", **{**HOURS, "otj_date": "2026-11-22"})),
    ("hours this afternoon", person("P-2", **{**HOURS, "otj_date": "2026-11-21"}, otj_start="15:00")),
    ("24 hours", person("P-2", **{**HOURS, "otj_date": "2025-11-10", "otj_minutes": "1440"})),
    ("24 hours and a minute", person("P-2", **{**HOURS, "otj_date": "2025-11-11", "otj_minutes": "1441"})),
    ("23 hours", person("P-2", **{**HOURS, "otj_date": "2025-11-12", "otj_minutes": "1380"})),
    ("and one more", person("P-2", **{**HOURS, "otj_date": "2025-11-12", "otj_minutes": "60", "otj_category": "Work"})),
    (
        "and a minute more",
        person("P-2", **{**HOURS, "otj_date": "2025-11-12", "otj_minutes": "1", "otj_category": "Home"}),
    ),
    ("another learner's minute", person("P-8", **{**HOURS, "otj_date": "2025-11-12", "otj_minutes": "1"})),
    ("hours and minutes, the same", person("P-2", **{**HOURS, "otj_date": "2025-11-13"}, otj_hours="1.5")),
    (
        "hours and minutes, rounded",
        person("P-2", **{**HOURS, "otj_date": "2025-11-14", "otj_minutes": "93"}, otj_hours="1.5"),
    ),
    (
        "hours and minutes, four minutes off",
        person("P-2", **{**HOURS, "otj_date": "2025-11-17", "otj_minutes": "94"}, otj_hours="1.5"),
    ),
    ("hours alone", person("P-2", **{**HOURS, "otj_date": "2025-11-18", "otj_minutes": ""}, otj_hours="6.30")),
    ("a day and no hours", person("P-2", **{**HOURS, "otj_minutes": ""})),
    ("hours and no day", person("P-2", **{**HOURS, "otj_date": ""})),
    ("gateway", person("P-2", standard_ref="ST1406", gateway_date="2026-08-01")),
    ("gateway before the start", person("P-8", standard_ref="ST1406", gateway_date="2025-08-01")),
    ("passed", person("P-2", **EXAM, assessment_grade="Distinction")),
    ("passed once more, no number", person("P-2", **{**EXAM, "assessment_date": "2026-10-01"})),
    ("first resit, failed", person("P-8", **{**EXAM, "assessment_outcome": "fail"}, resit_no="1", grade="Fail")),
    ("resit without a number", person("P-8", **EXAM, resit_no="first")),
    ("awaiting", person("P-9", **{**EXAM, "assessment_outcome": "booked"})),
    ("passed with a grade of failure", person("P-10", **EXAM, assessment_grade="Fail")),
    ("awaiting with a grade", person("P-10", **{**EXAM, "assessment_outcome": "booked"}, assessment_grade="Fail")),
    ("a grade alone", person("P-14", standard_ref="ST1406", assessment_date="2026-09-01", assessment_grade="Merit")),
    (
        "a grade that is none",
        person("P-14", standard_ref="ST1406", assessment_date="2026-09-01", assessment_grade="Blue"),
    ),
    ("passed, and evidence with a grade", person("P-12", **{**EVIDENCE, **EXAM, "evidence_id": "E-30"}, grade="Merit")),
    ("another ULN", person("P-1", uln=TWO, **{**EVIDENCE, "evidence_id": "E-31"})),
    ("no ULN", person("P-20", uln="9999999999", **START)),
    ("no ULN, and nothing else", {"uln": "9999999999", **START}),
    ("ULN with blanks", {"uln": f"{THREE[:5]} {THREE[5:]}", **START}),
    ("ULN in figures of a spreadsheet", {"uln": "1.23457E+09", **START}),
    ("ULN with nine digits", {"uln": THREE[1:], **START}),
    ("ULN whose check is wrong", {"uln": THREE[:-1] + str((int(THREE[-1]) + 1) % 10), **START}),
    ("address of two people, Ann", {"email": "team@x.example", "given_names": "Ann", "family_name": "Lee", **START}),
    (
        "address of two people, Lee Ann",
        {"email": "team@x.example", "given_names": "Lee", "family_name": "Ann", **START},
    ),
    ("address of two people, Ben", {"email": "team@x.example", "given_names": "Ben", "family_name": "Lee", **START}),
    ("a bad address", {"email": "ann at x.example", **START}),
    ("total", {"learner_ref": "Grand total: 12 learners"}),
]
FIRST = ("uln", "learner_ref", "email", "given_names", "family_name")


def sheet(table: list[tuple[str, dict[str, str]]]) -> str:
    named = [*FIRST, *sorted({name for _, row in table for name in row} - set(FIRST))]
    cells = [[f'"{row.get(name, "")}"' for name in named] for _, row in table]
    return "\n".join(",".join(line) for line in [named, *cells]) + "\n"


def cases(table: list[tuple[str, dict[str, str]]]) -> dict[int, str]:
    return {at: name for at, (name, _) in enumerate(table, 2)}


def tell(story: Story, title: str, act, named=None) -> None:
    story.head(title)
    story.say(tried(act, lambda report: "\n".join(rows(report, named))))


AGAIN: list[tuple[str, dict[str, str]]] = [
    ("evidence that is not accepted any more", person("P-1", **{**EVIDENCE, "evidence_status": "rejected"})),
    (
        "before the start of the file before",
        person("P-1", **{**EVIDENCE, "evidence_id": "E-40", "evidence_date": "31/08/2025"}),
    ),
    ("on it", person("P-1", **{**EVIDENCE, "evidence_id": "E-41", "evidence_date": "01/09/2025"})),
    ("by the ULN alone, before it", {"uln": ONE, **EVIDENCE, "evidence_id": "E-42", "evidence_date": "31/08/2025"}),
    ("hours corrected", person("P-2", **{**HOURS, "otj_minutes": "45"}, otj_correction="yes")),
    (
        "hours with a start, no correction said",
        person("P-2", **{**HOURS, "otj_date": "2025-11-13", "otj_minutes": "80"}, otj_start="10:00"),
    ),
    (
        "hours with a start, further ones",
        person(
            "P-2", **{**HOURS, "otj_date": "2025-11-13", "otj_minutes": "70"}, otj_start="11:00", otj_correction="no"
        ),
    ),
    (
        "hours without a start where there were some with",
        person("P-2", **{**HOURS, "otj_date": "2025-11-06", "otj_minutes": "60", "otj_category": "College"}),
    ),
    ("other hours, nothing said", person("P-2", **{**HOURS, "otj_date": "2025-11-18", "otj_minutes": "100"})),
    ("the same assessment, another grade", person("P-2", **EXAM, assessment_grade="Merit", resit_no="0")),
    ("an assessment not known any more", person("P-2", **{**EXAM, "assessment_outcome": "pending"}, resit_no="0")),
    ("back from the break", person("P-9", standard_ref="ST1406", status="active")),
    ("a ULN that arrives later", person("P-2", uln=TWO, **START)),
    ("unchanged", person("P-12", **START, status="Leaver", withdrawal_date="2026-03-29")),
]


def test_an_export_of_an_e_portfolio(told, office):
    story, new = Story(), office.statements
    tell(story, "the first", lambda: office.bring("eportfolio", sheet(PORTFOLIO)), cases(PORTFOLIO))
    story.extend(new.new())
    tell(story, "a later one", lambda: office.bring("eportfolio", sheet(AGAIN)), cases(AGAIN))
    story.extend(new.new())
    known = [
        ("activity", f"https://w3id.org/engraft/standards/{below}")
        for below in ("ST1406/1.1/ksb/K1", "ST9/1.0/ksb/S2", "ST1406/1.1/ksb/K10")
    ]
    odd = [
        ("a version no rule knows", person("Q", **EVIDENCE)),
        ("a criterion no rule knows", person("Q", **{**EVIDENCE, "standard_version": "1.1", "ksb_code": "K1, K2"})),
        ("the same", person("Q", **{**EVIDENCE, "standard_version": "1.1", "ksb_code": "K2", "evidence_id": "E-2"})),
        ("a standard no rule knows", person("Q", **{**EVIDENCE, "standard_ref": "ST7"})),
    ]
    tell(story, "rules know", lambda: office.bring("eportfolio", sheet(odd), anchors=tuple(known)), cases(odd))
    story.head("profiles")
    by_profile = {
        "hours": "h.mm",
        "dates": ("%m/%d/%Y",),
        "constants": {"standard_version": "2.0", "otj_category": "Other"},
        "values": {"evidence_status": {"ok": "accepted"}, "*": {"xx": ""}},
        "headers": {"learner_ref": ["Who"]},
        "home_page": "https://own.example/",
        "zone": "Europe/Paris",
    }
    text = """Who,standard_ref,ksb_code,evidence_id,evidence_status,evidence_date,otj_date,otj_hours
A,ST1,K1,E,ok,10/31/2026,,
B,ST1,,xx,,,10/31/2026,6.30
"""
    tell(
        story,
        "another profile",
        lambda: office.bring("eportfolio", text, provider="other", profile=MappingProfile(**by_profile)),
    )
    story.extend(new.new())

    told(str(story))


def das(number: int = 1, **told: str) -> str:
    """The row of a learner with this *number*, in the form of 13 columns."""
    who = {"ULN": uln(number * 1_000), "ProviderRef": f"P-{number}", "EmailAddress": f"P{number}@works.example"}
    cells = dict(zip(OF_13.split(","), EARLY.split(","), strict=True)) | who | told
    return ",".join(cells.values())


UPLOADS: list[tuple[str, str, list[str]]] = [
    (
        "of 2017",
        OF_2017,
        [
            f"C1,{ONE},Osei,Ama,1999-12-31,25,,,755,2026-09-01,2028-02,17000,EPA0001,P-1",
            f"C1,{ONE},Osei,Ama,1999-12-31,2,403,1,,2026-09-01,2028-02,17000,EPA0001,P-1",
            f"C1,{TWO},Osei,Ama,1999-12-31,,,,406,2026-09-01,2028-02-14,17000,EPA0001,",
        ],
    ),
    (
        "of 13 columns",
        OF_13,
        [
            das(1),
            das(2, StdCode="00755"),
            das(3, ULN="9999999999"),
            das(4, ULN=""),
            das(5, ULN="1234567891"),
            das(6, EmailAddress="ama at works"),
            das(7, StdCode="ST1406"),
            das(8, StdCode="755555"),
            das(9, StdCode=""),
            das(10, StdCode="77"),
            das(11, EndDate="2026-09"),
            das(12, EndDate="2026-08"),
            das(13, EndDate="2026-08-31"),
            das(14, EndDate="2026-09-01"),
            das(15, StartDate="2026-10", EndDate="2026-13"),
            das(16, StartDate=""),
            das(17, StartDate="2026-10"),
            das(18, StartDate="01/10/2026"),
            das(19, StartDate="2026-11-22"),
            das(20, StartDate="2026-11-23"),
            das(21, ProviderRef="P-1"),
            das(22, ProviderRef=""),
            das(23, EmailAddress=""),
            das(24, StartDate="2026-00", EndDate="2027-01"),
            das(25, EndDate="soon"),
        ],
    ),
    ("of 16 columns", OF_16, [das(1) + ",true,12,1000", das(2, StdCode="00755") + ",maybe,12,1000"]),
    (
        "of 19 columns",
        OF_19,
        [
            das(1) + ",true,12,1000,500,80,true",
            das(2) + ",false,12,1000,500,80,true",
            das(3) + ",,12,1000,500,80,true",
            das(4) + ",yes,12,1000,80,80,true",
            das(5) + ",yes,12,1000,79,80,true",
            das(6) + ",no,12,1000,79,80,true",
            das(7) + ",yes,12,1000,,80,true",
            das(8) + ",yes,12,1000,12.5,,true",
            das(9) + ",yes,12,1000,200,,true",
        ],
    ),
    ("with the last two turned", TURNED, [das(1) + ",true,12,1000,500,true,80"]),
]


def test_uploads_of_the_apprenticeship_service(told, office):
    story, new = Story(), office.statements
    for title, header, lines in UPLOADS:
        text = "\n".join([header, *lines]) + "\n"
        tell(story, title, lambda text=text: office.bring("das", text, standards={77: "ST0077"}))
        story.extend(new.new())

    told(str(story))
