"""The bulk upload of the apprenticeship service, in its four generations of headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.apprenticeship.returns import uln

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "apprenticeship" / "das-bulk-upload-2017-sample.csv"
EXTENSION = "https://w3id.org/engraft/extensions/"
ONE = uln(1)
OF_2017 = (
    "CohortRef,ULN,FamilyName,GivenNames,DateOfBirth,ProgType,FworkCode,PwayCode,StdCode,StartDate,EndDate,TotalPrice,"
    "EPAOrgID,ProviderRef"
)
OF_13 = (
    "CohortRef,AgreementID,ULN,FamilyName,GivenNames,DateOfBirth,EmailAddress,StdCode,StartDate,EndDate,TotalPrice,"
    "EPAOrgID,ProviderRef"
)
OF_16 = f"{OF_13},RecognisePriorLearning,DurationReducedBy,PriceReducedBy"
OF_19 = f"{OF_16},TrainingTotalHours,TrainingHoursReduction,IsDurationReducedByRPL"
TURNED = f"{OF_16},TrainingTotalHours,IsDurationReducedByRPL,TrainingHoursReduction"
EARLY = "C1,V1,{uln},Osei,Ama,1999-12-31,ama@works.example,755,2026-09-01,2028-02,17000,EPA0001,P-1"


def row(told: str = EARLY, number: str = ONE) -> str:
    return told.format(uln=number)


@pytest.mark.parametrize(
    ("header", "line", "hours"),
    [
        (OF_2017, f"C1,{ONE},Osei,Ama,1999-12-31,25,,,755,2026-09-01,2028-02,17000,EPA0001,P-1", None),
        (OF_13, row(), None),
        (OF_16, row() + ",true,12,1000", None),
        (OF_19, row() + ",true,12,1000,500,80,true", 420),
        (TURNED, row() + ",true,12,1000,500,true,80", 420),
    ],
    ids=["2017", "13", "16", "19", "19 turned"],
)
def test_each_generation_of_headers_tells_the_same_apprenticeship(bring, endpoint, header, line, hours):
    report = bring("das", f"{header}\n{line}\n")

    told = [one for one in endpoint.valid() if one["object"]["id"].endswith("/ST1406")]
    wanted = {EXTENSION + "planned-end": "2028-02", EXTENSION + "lars-code": "755"}
    if hours:
        wanted[EXTENSION + "planned-off-the-job-hours"] = hours
    assert [one.outcome for one in report.rows] == ["new"]
    assert [(one["verb"]["id"].rpartition("/")[2], one["timestamp"], one["context"]["extensions"]) for one in told] == [
        ("registered", "2026-09-01T00:00:00+01:00", wanted)
    ]
    assert told[0]["actor"]["account"]["name"] == ONE


def test_a_file_again_changes_nothing_and_a_new_end_corrects(bring, endpoint):
    first = bring("das", f"{OF_13}\n{row()}\n")
    again = bring("das", f"{OF_13}\n{row()}\n")
    corrected = bring("das", f"{OF_13}\n{row().replace('2028-02', '2028-06')}\n")

    assert (first.counts["new"], again.counts["unchanged"], corrected.counts["updated"]) == (1, 1, 1)
    assert [
        one["context"]["extensions"][EXTENSION + "planned-end"]
        for one in endpoint.valid()
        if one["object"]["id"].endswith("/ST1406")
    ] == ["2028-06"]


@pytest.mark.parametrize(
    ("line", "outcome", "code", "column"),
    [
        (row(number="9999999999"), "quarantined", "bad_uln", "uln"),
        (row(number="1234567891"), "quarantined", "bad_uln", "uln"),
        (row().replace("ama@works.example", "ama at works"), "quarantined", "no_email", "email_address"),
        (row().replace(",755,", ",ST1406,"), "quarantined", "no_standard", "std_code"),
        (row().replace("2028-02", "2026-08"), "quarantined", "ends_before_start", "end_date"),
        (row().replace("2028-02", "2028-13"), "quarantined", "no_date", "end_date"),
        (row().replace("2026-09-01", ""), "quarantined", "missing", "start_date"),
        (row().replace("2026-09-01", "2027-09-01"), "skipped", "not_yet", ""),
    ],
)
def test_what_the_service_would_refuse_is_to_repair_and_what_is_to_come_waits(
    bring, endpoint, line, outcome, code, column
):
    report = bring("das", f"{OF_13}\n{line}\n")

    assert [(one.outcome, one.code, one.column) for one in report.rows] == [(outcome, code, column)]
    assert endpoint.is_empty()


def test_more_hours_off_than_there_are_is_to_repair(bring):
    report = bring("das", f"{OF_19}\n{row()},true,12,1000,50,80,true\n")

    assert [(one.code, one.column) for one in report.rows] == [("no_number", "training_hours_reduction")]


def test_the_services_own_sample_has_a_framework_and_a_number_without_its_check_digit(bring, endpoint):
    if not SAMPLE.exists():
        pytest.skip("the sample of the apprenticeship service is not beside this checkout")

    report = bring("das", SAMPLE)

    assert [(one.outcome, one.code) for one in report.rows] == [("skipped", "framework"), ("quarantined", "bad_uln")]
    assert endpoint.is_empty()
