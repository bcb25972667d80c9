"""ILR returns that tests make: small, made up, as the schemas of 2025-26 and 2026-27 have them."""

from __future__ import annotations

from collections.abc import Iterable

NAMESPACES = {"2526": "ESFA/ILR/2025-26", "2627": "ILR/2026-27"}
SECRETS = ("QQ123456C", "ZZ9 9ZZ", "SW1A 1QA", "17 Marker Lane", "1999-12-31", "020 7946 0999", "marker@home.example")
"""What stands in each learner and is nowhere kept: National Insurance number, addresses, day of birth, telephone."""
FIELDS = ("Ethnicity", "LLDD", "NINumber", "PostcodePrior", "DateOfBirth", "AddLine", "EmpStat", "ESMType")


def uln(first: int) -> str:
    """A learner number: the one of *first* (below 800 million), or the next that has a check digit."""
    digits = str(100_000_000 + first)
    left = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11
    return digits + str(10 - left) if left else uln(first + 1)


def aim(number: int = 1, *, year: str = "2627", **fields: str | None) -> str:
    """A programme aim on ST1406, which can be corrected field by field; ``None`` leaves a field out."""
    told: dict[str, str | None] = {
        "LearnAimRef": "ZPROG001",
        "AimType": "1",
        "AimSeqNumber": str(number),
        "LearnStartDate": "2025-09-15",
        "LearnPlanEndDate": "2027-03-14",
        "FundModel": "36",
        "PHours": "400" if year == "2526" else None,
        "OTJActHours": None,
        "ProgType": "25",
        "StdCode": "755",
        "DelLocPostCode": "SG1 2FX",
        "EPAOrgID": None,
        "CompStatus": "1",
        "LearnActEndDate": None,
        "WithdrawReason": None,
        "Outcome": None,
        "AchDate": None,
        "OutGrade": None,
        "SWSupAimId": None,
        **fields,
    }
    actual = told.pop("OTJActHours") if year == "2627" else None
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in told.items() if text is not None)
    if year == "2627":
        hours = {"1": "400", "3": actual}
        inside += "".join(
            f"<HRSRecord><HRSType>OTJ</HRSType><HRSCode>{code}</HRSCode><HRSAmount>{amount}</HRSAmount></HRSRecord>"
            for code, amount in hours.items()
            if amount
        )
    return f"<LearningDelivery>{inside}</LearningDelivery>"


def learner(ref: str, number: str, *aims: str, ethnicity: str = "31", employer: str = "999999999") -> str:
    """A learner with *aims*, by default one; everything that must not be kept stands in it."""
    return (
        f"<Learner><LearnRefNumber>{ref}</LearnRefNumber><ULN>{number}</ULN><FamilyName>Osei</FamilyName>"
        f"<GivenNames>Ama</GivenNames><DateOfBirth>1999-12-31</DateOfBirth><Ethnicity>{ethnicity}</Ethnicity>"
        "<Sex>F</Sex><LLDDHealthProb>1</LLDDHealthProb><NINumber>QQ123456C</NINumber>"
        "<PostcodePrior>ZZ9 9ZZ</PostcodePrior><Postcode>SW1A 1QA</Postcode><AddLine1>17 Marker Lane</AddLine1>"
        "<TelNo>020 7946 0999</TelNo><Email>marker@home.example</Email>"
        "<LLDDandHealthProblem><LLDDCat>12</LLDDCat><PrimaryLLDD>1</PrimaryLLDD></LLDDandHealthProblem>"
        "<LearnerEmploymentStatus><EmpStat>10</EmpStat><DateEmpStatApp>2025-09-01</DateEmpStatApp>"
        f"<EmpId>{employer}</EmpId><EmploymentStatusMonitoring><ESMType>SEI</ESMType><ESMCode>1</ESMCode>"
        f"</EmploymentStatusMonitoring></LearnerEmploymentStatus>{''.join(aims) or aim()}</Learner>"
    )


def made(
    learners: Iterable[str],
    *,
    year: str = "2627",
    ukprn: str = "10000055",
    at: str = "2026-11-04T09:00:00",
    head: str = "",
    told_year: str = "",
) -> str:
    """A return of *learners*, prepared on the day of *at*."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{head}<Message xmlns="{NAMESPACES[year]}">'
        f"<Header><CollectionDetails><Collection>ILR</Collection><Year>{told_year or year}</Year>"
        f"<FilePreparationDate>{at[:10]}</FilePreparationDate></CollectionDetails><Source>"
        "<ProtectiveMarking>OFFICIAL-SENSITIVE-Personal</ProtectiveMarking>"
        f"<UKPRN>{ukprn}</UKPRN><SerialNo>01</SerialNo><DateTime>{at}</DateTime></Source></Header>"
        f"<LearningProvider><UKPRN>{ukprn}</UKPRN></LearningProvider>{''.join(learners)}</Message>"
    )
