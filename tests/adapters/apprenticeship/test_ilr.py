"""The ILR return: what is kept of it, which learners come in, and what a later return changes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from adapters.apprenticeship.ilr import filtering
from adapters.imports.arriving_files import filtered
from adapters.imports.here import try_here
from adapters.imports.run import Order, run_file
from adapters.ledger.ledger import Ledger
from adapters.ledger.snapshots import missing_now
from adapters.reading.profile import MappingProfile
from lrs.kernel.errors import Refused
from lrs.kernel.times import micros_of_timestamp
from tests.adapters.apprenticeship.returns import FIELDS, SECRETS, aim, learner, made, uln
from tests.adapters.conftest import by_job
from tests.kept import bytes_below
from tests.rows import each_of

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "ilr" / "ILR-99999999-2526-20250108-094401.xml"
VERB = "http://adlnet.gov/expapi/verbs/"
EXTENSION = "https://w3id.org/engraft/extensions/"


@pytest.fixture
def send(tenant, tmp_path):
    """Brings a return in by a job, as the command and the API do."""

    def run(text: str, *, file: str = "return.xml", provider: str = "north", **profile):
        path = tmp_path / file
        path.write_text(text, encoding="utf-8")
        return by_job(tenant, Order("ilr", provider, path, file, MappingProfile(**profile)))

    return run


def some(count: int, **more) -> list[str]:
    return [learner(f"L{at}", uln(at * 1_000), **more) for at in range(1, count + 1)]


def counted(job) -> dict[str, int]:
    return {name: count for name, count in job.told.counts.items() if count}


def codes(job) -> set[str]:
    return {row["code"] for row in job.told.waiting}


def rows_of(text: str | bytes) -> list[dict[str, str]]:
    sent = text.encode() if isinstance(text, str) else text
    return list(csv.DictReader(io.StringIO(b"".join(filtered([sent])).decode())))


# -- what is kept -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", ["2526", "2627"])
def test_of_a_return_only_the_fields_of_the_allow_list_are_kept(year):
    kept = rows_of(made([learner("L1", uln(1), aim(year=year, CompStatus="1"))], year=year))

    assert [{name: text for name, text in row.items() if text} for row in kept] == [
        {
            "ilr_year": year,
            "ilr_ukprn": "10000055",
            "ilr_made": "2026-11-04T09:00:00",
            "ilr_prepared": "2026-11-04",
            "ilr_learner": "1",
            "ilr_line": "1",
            "learner_ref": "L1",
            "uln": "1000000019",
            "given_names": "Ama",
            "family_name": "Osei",
            "aim_ref": "ZPROG001",
            "aim_type": "1",
            "aim_number": "1",
            "start_date": "2025-09-15",
            "planned_end_date": "2027-03-14",
            "fund_model": "36",
            "programme_type": "25",
            "standard_code": "755",
            "completion_status": "1",
            "planned_hours": "400",
            "assessment_priced": "no",
            "restart": "no",
            "delivery_district": "SG1",
        }
    ]


def test_no_byte_below_the_data_folder_is_of_ethnicity_disability_national_insurance_or_address(send, tenant):
    bad = learner("L9", uln(700_000_000), aim(StdCode=None), ethnicity="nobody knows")
    job = send(made([*some(3), bad, "<Learner><NINumber>QQ123456C</NINumber></Learner>"]))

    found = Counter(
        word
        for kept in bytes_below(tenant.settings.data)
        for word in (*SECRETS, *FIELDS, "nobody knows")
        if word.encode() in kept
    )
    assert counted(job) == {"new": 3, "quarantined": 2}
    assert found == Counter()


def test_a_dry_run_on_this_machine_leaves_nothing_of_the_return(tenant, tmp_path):
    path = tmp_path / "return.xml"
    path.write_text(made(some(2)), encoding="utf-8")

    report = try_here(tenant, Order("ilr", "north", path, "return.xml"))

    assert report.counts["new"] == 2
    assert [one for one in (tenant.settings.data / "drafts").iterdir() if "lock" not in one.name] == []


def test_the_same_return_in_any_blocks_is_the_same_records():
    text = made(
        [*some(3), learner("L9", uln(700_000_000), aim(1), aim(2, AimType="3", LearnAimRef="6009901X"))]
    ).encode()

    by_seven = b"".join(filtered(text[at : at + 7] for at in range(0, len(text), 7)))

    assert by_seven == b"".join(filtered([text]))


def test_a_return_of_any_size_is_in_memory_a_learner_at_a_time(monkeypatch):
    text, in_memory, drop = made(some(200)).encode(), [], filtering.drop_earlier

    def dropped(element):
        drop(element)
        in_memory.append(len(element.getparent()))

    monkeypatch.setattr(filtering, "drop_earlier", dropped)
    kept = b"".join(filtered(text[at : at + 500] for at in range(0, len(text), 500)))

    assert kept.count(b"\n") == 201
    assert max(in_memory) <= 10


# -- what comes in ------------------------------------------------------------------------------------------------


def test_a_learner_on_a_standard_is_registered_with_plan_hours_and_place(send, endpoint):
    job = send(made([learner("L1", uln(1))]))

    told = [one for one in endpoint.valid() if one["object"]["id"].endswith("/ST1406")]
    assert counted(job) == {"new": 1}
    assert [(one["verb"]["id"], one["actor"]["account"]["name"], one["timestamp"]) for one in told] == [
        (VERB + "registered", "1000000019", "2025-09-15T00:00:00+01:00")
    ]
    assert told[0]["context"]["extensions"] == {
        EXTENSION + "planned-end": "2027-03-14",
        EXTENSION + "lars-code": "755",
        EXTENSION + "planned-off-the-job-hours": 400,
        EXTENSION + "delivery-district": "SG1",
    }


@pytest.mark.parametrize(
    ("fields", "verbs"),
    [
        ({"CompStatus": "6", "LearnActEndDate": "2026-03-01", "Outcome": "3"}, {"registered", "suspended"}),
        (
            {
                "CompStatus": "3",
                "LearnActEndDate": "2026-03-01",
                "Outcome": "3",
                "WithdrawReason": "98",
                "OTJActHours": "90",
            },
            {"registered", "exited"},
        ),
        (
            {"CompStatus": "2", "LearnActEndDate": "2026-10-01", "Outcome": "8", "OTJActHours": "410"},
            {"registered", "completed"},
        ),
        (
            {
                "CompStatus": "2",
                "LearnActEndDate": "2026-10-01",
                "Outcome": "1",
                "AchDate": "2026-10-20",
                "OutGrade": "DI",
                "OTJActHours": "410",
            },
            {"registered", "completed", "passed"},
        ),
        (
            {"CompStatus": "2", "LearnActEndDate": "2026-10-01", "Outcome": "3", "OTJActHours": "410"},
            {"registered", "completed", "failed"},
        ),
    ],
)
@pytest.mark.parametrize("year", ["2526", "2627"])
def test_a_status_is_told_as_a_break_a_withdrawal_learning_that_is_complete_or_an_assessment(
    send, endpoint, fields, verbs, year
):
    job = send(made([learner("L1", "9999999999", aim(year=year, **fields))], year=year))

    assert (job.told.waiting, counted(job)) == ((), {"new": 1})
    assert {one["verb"]["id"].rpartition("/")[2] for one in endpoint.valid()} == verbs


def test_the_temporary_number_is_nobodys_and_two_learners_may_have_it(send, endpoint):
    job = send(made([learner("L1", "9999999999"), learner("L2", "9999999999")]))

    assert counted(job) == {"new": 2}
    assert {one["actor"]["account"]["name"] for one in endpoint.valid()} == {"L1", "L2"}


def test_one_bad_learner_of_2000_is_reported_with_the_rule_and_the_others_come_in(bring):
    learners = some(2_000)
    learners[999] = learner("L1000", "1234567890")

    report = bring("ilr", b"".join(filtered([made(learners).encode()])), dry_run=True)

    assert (report.counts["new"], report.counts["quarantined"]) == (1_999, 1)
    assert [row.code for row in report.rows if row.outcome == "quarantined"] == ["ULN_04"]


def test_one_bad_learner_of_some_is_left_out_and_the_others_come_in(send):
    job = send(made([*some(12), learner("L99", "1234567890")]))

    assert counted(job) == {"new": 12, "quarantined": 1}
    assert [(row["code"], row["column"], row["reason"]) for row in job.told.waiting] == [
        ("ULN_04", "uln", "ULN_04: the ULN does not pass its check digit (line 1 of the return)")
    ]


ENDED = {"LearnActEndDate": "2026-10-01", "Outcome": "8", "OTJActHours": "410"}
BROKEN = [
    ("LearnStartDate_02", {"LearnStartDate": "2015-07-31", "LearnPlanEndDate": "2017-01-01"}),
    ("LearnPlanEndDate_02", {"LearnPlanEndDate": "2025-09-14"}),
    ("LearnPlanEndDate_03", {"LearnPlanEndDate": "2035-09-15"}),
    ("LearnActEndDate_01", {**ENDED, "CompStatus": "2", "LearnActEndDate": "2025-09-14"}),
    ("LearnActEndDate_04", {**ENDED, "CompStatus": "2", "LearnActEndDate": "2026-11-05"}),
    ("CompStatus_01", {**ENDED, "CompStatus": "4"}),
    ("CompStatus_03", {"CompStatus": "2", "Outcome": "8", "OTJActHours": "410"}),
    ("CompStatus_04", {"CompStatus": "2", "LearnActEndDate": "2026-10-01", "OTJActHours": "410"}),
    ("CompStatus_06", {**ENDED, "CompStatus": "6"}),
    ("Outcome_01", {**ENDED, "CompStatus": "2", "Outcome": "5"}),
    ("Outcome_05", {"Outcome": "1"}),
    ("WithdrawReason_03", {**ENDED, "CompStatus": "3", "Outcome": "3"}),
    ("WithdrawReason_04", {"WithdrawReason": "2"}),
    ("AchDate_03", {**ENDED, "CompStatus": "2", "Outcome": "1", "AchDate": "2025-09-14"}),
    ("AchDate_04", {"Outcome": "1", "AchDate": "2026-10-20"}),
    ("AchDate_05", {**ENDED, "CompStatus": "2", "Outcome": "1", "AchDate": "2026-09-30"}),
    ("AchDate_07", {**ENDED, "CompStatus": "2", "Outcome": "1", "AchDate": "2026-11-05"}),
    ("AchDate_11", {**ENDED, "CompStatus": "2", "Outcome": "1", "AchDate": "2026-10-07"}),
    ("OutGrade_04", {"OutGrade": "DI"}),
    ("EPAOrgID_03", {"EPAOrgID": "EPA0175"}),
    ("StdCode_01", {"StdCode": None}),
    ("StdCode_03", {"ProgType": "24"}),
    ("ProgType_01", {"ProgType": None, "StdCode": None}),
    ("OTJActHours_02", {**ENDED, "CompStatus": "2", "OTJActHours": None}),
    ("OTJActHours_03", {**ENDED, "CompStatus": "3", "Outcome": "3", "WithdrawReason": "2", "OTJActHours": None}),
    ("AimSeqNumber_02", {"AimSeqNumber": "2"}),
]
TOGETHER = [
    ("R_07", [learner("L1", uln(1), aim(1), aim(1, AimType="3", LearnAimRef="6009901X"))]),
    ("R_30", [learner("L1", uln(1), aim(1), aim(2, AimType="3", LearnAimRef="6009901X", StdCode="28"))]),
    ("R_06", [learner("L1", uln(1)), learner("l1", uln(2_000))]),
    ("R_59", [learner("L1", uln(1)), learner("L2", uln(1))]),
    ("EmpId_01", [learner("L1", uln(1), employer="123456780")]),
    ("Schema", [learner("L1", uln(1), aim(LearnStartDate="2025-02-30"))]),
    ("Schema", [learner("L1", "12345")]),
]


@pytest.mark.parametrize(
    ("rule", "learners"), [*((r, [learner("L1", uln(1), aim(**f))]) for r, f in BROKEN), *TOGETHER]
)
def test_a_learner_who_breaks_a_rule_is_left_out_with_the_name_of_the_rule(bring, rule, learners):
    report = bring("ilr", b"".join(filtered([made(learners).encode()])))

    waiting = [row for row in report.rows if row.outcome == "quarantined"]
    said = {row.code for row in waiting} | {name for row in waiting for name in row.reason.split("also broken: ")[1:]}
    assert rule in {name.strip() for told in said for name in told.split(",")}
    assert len(waiting) == len(report.rows)


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("PHours_01", {"PHours": None}),
        ("PHours_08", {"PHours": "186"}),
        ("OTJActHours_02", {**ENDED, "CompStatus": "2"}),
    ],
)
def test_hours_of_2025_26_stand_in_fields_of_their_own(bring, rule, fields):
    told = aim(year="2526", **{**fields, "OTJActHours": None})

    report = bring("ilr", b"".join(filtered([made([learner("L1", uln(1), told)], year="2526").encode()])))

    assert [row.code for row in report.rows] == [rule]


def test_the_column_of_a_broken_rule_stands_in_the_row_of_the_delivery_that_breaks_it_alone(send):
    wrong = aim(2, LearnActEndDate="2025-01-01", CompStatus="2")
    job = send(made([*some(12), "\n" + learner("L99", uln(99), aim(1), "\n" + wrong)]))

    assert [(row["code"], row.get("column", "")) for row in job.told.waiting] == [
        ("LearnActEndDate_01", ""),
        ("LearnActEndDate_01", "learning_end_date"),
    ]


def test_an_apprenticeship_unit_is_said_to_be_on_no_standard(bring):
    unit = aim(FundModel="39", ProgType="34", StdCode=None, AimType="1")

    report = bring("ilr", b"".join(filtered([made([learner("L1", uln(1), unit), learner("L2", uln(2_000))]).encode()])))

    assert [(row.outcome, row.code) for row in report.rows] == [("skipped", "unit"), ("new", "")]


# -- snapshots ----------------------------------------------------------------------------------------------------


def test_the_same_return_again_changes_nothing(send, endpoint):
    send(made(some(4)))
    before = dict(endpoint.statements)

    again = send(made(some(4)))

    assert counted(again) == {"unchanged": 4}
    assert endpoint.statements == before


def test_a_later_return_corrects_what_it_says_otherwise(send, endpoint):
    send(made([learner("L1", uln(1), aim(SWSupAimId="0a1b2c3d-0000-4000-8000-000000000001"))]))

    later = send(
        made(
            [
                learner(
                    "L1",
                    uln(1),
                    aim(
                        SWSupAimId="0A1B2C3D-0000-4000-8000-000000000001",
                        LearnPlanEndDate="2027-06-30",
                        LearnStartDate="2025-09-22",
                    ),
                )
            ],
            at="2026-11-06T09:00:00",
        )
    )

    assert counted(later) == {"updated": 1}
    ends = [
        one["context"]["extensions"].get(EXTENSION + "planned-end")
        for one in endpoint.valid()
        if one["object"]["id"].endswith("/ST1406")
    ]
    assert ends == ["2027-06-30"]


def test_a_return_of_a_day_that_has_not_begun_where_the_provider_is_is_refused(tenant, tmp_path):
    path, text = tmp_path / "return.csv", made(some(1), at="2026-07-02T00:10:00")
    path.write_bytes(b"".join(filtered([text.encode()])))
    order = Order("ilr", "north", path, "return.xml", dry_run=True)

    def tried(now):
        return run_file(order, Ledger(tenant.store, "ilr", "north"), now=micros_of_timestamp(now))

    with pytest.raises(Refused, match="Header_2"):
        tried("2026-07-01T22:50:00Z")  # ten to midnight in London
    assert tried("2026-07-01T23:10:00Z").usable


def test_an_identifier_that_a_program_gives_to_several_learners_tells_none_of_them(send):
    same = aim(SWSupAimId="0a1b2c3d-0000-4000-8000-000000000001")

    job = send(made([learner("L1", uln(1), same), learner("L2", uln(2), same)]))

    assert counted(job) == {"new": 2}


def test_a_learner_who_disappears_is_missing_from_the_return_and_is_not_deleted(send, endpoint):
    send(made(some(12)))
    before = endpoint.valid()

    later = send(made(some(10), at="2026-11-06T09:00:00"))

    assert counted(later) == {"unchanged": 10}
    assert later.told.notes[-1] == (
        "missing from this return: 2 apprenticeships of the last return of 2026 to 2027; what is known of them stays, "
        "nothing is deleted"
    )
    assert endpoint.valid() == before
    last = send(made(some(9), at="2026-11-07T09:00:00"))
    assert "missing from this return: 1 apprenticeship of the last return" in last.told.notes[-1]


def test_a_learner_with_a_fault_is_not_missing_and_is_if_the_next_return_has_them_not(send, tenant):
    send(made(some(4)))

    later = send(made([*some(3), learner("L4", uln(4_000), aim(WithdrawReason="2"))], at="2026-11-06T09:00:00"))
    listed = missing_now(Ledger(tenant.store, "ilr", "north").all_before())
    last = send(made(some(3), at="2026-11-07T09:00:00"))

    assert counted(later) == {"unchanged": 3, "quarantined": 1}
    assert not [note for note in later.told.notes if "missing" in note]
    assert listed == []
    assert "missing from this return: 1 apprenticeship of the last return" in last.told.notes[-1]
    (gone,) = missing_now(Ledger(tenant.store, "ilr", "north").all_before())
    assert (gone.seen.made, gone.newest) == ("2026-11-06T09:00:00", "2026-11-07T09:00:00")


def test_a_return_that_lacks_a_large_share_of_the_last_one_is_refused_unless_the_profile_allows_it(send, endpoint):
    send(made(some(10)))
    before = dict(endpoint.statements)

    refused = send(made(some(7), at="2026-11-06T09:00:00"))
    allowed = send(made(some(7), at="2026-11-06T09:00:00"), most_missing=30)

    assert (refused.state, refused.problem.status, refused.problem.error) == ("refused", 409, "too_many_missing")
    assert refused.problem.message.startswith("3 of 10 apprenticeships of the last return of 2026 to 2027 are missing")
    assert counted(allowed) == {"unchanged": 7}
    assert endpoint.statements == before


def test_a_return_of_a_new_year_lacks_nothing(send):
    send(made([learner(f"L{at}", uln(at * 1_000), aim(year="2526")) for at in range(1, 6)], year="2526"))

    new = send(made([learner("L1", uln(1_000))], at="2026-11-06T09:00:00"))

    assert counted(new) == {"unchanged": 1}
    assert not [note for note in new.told.notes if "missing" in note]


def test_an_older_return_than_the_last_is_refused(send):
    send(made(some(2), at="2026-11-04T09:00:00"))

    older = send(made(some(3), at="2026-11-04T08:59:59"))

    assert (older.state, older.problem.error) == ("refused", "older_return")
    assert older.problem.message.startswith("Filename_8: a later return of 2026 to 2027 is in already")


def test_a_return_of_another_provider_is_refused(send, endpoint):
    send(made(some(2)))
    before = dict(endpoint.statements)

    other = send(made(some(2), ukprn="10000099", at="2026-11-06T09:00:00"))

    assert (other.state, other.problem.error) == ("refused", "other_provider")
    assert endpoint.statements == before


# -- what is no return --------------------------------------------------------------------------------------------

BOMB = '<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
PROVIDER = "<LearningProvider><UKPRN>10000055"
OTHER_YEAR = made(some(1)).replace("ILR/2026-27", "ESFA/ILR/2023-24")


@each_of(
    ("text", "error", "said"),
    [
        (OTHER_YEAR, "ilr_other_year", "another year"),
        (made(some(1), told_year="2526"), "ilr_two_years", "Header_4"),
        (made(some(1)).replace(PROVIDER, PROVIDER[:-2] + "99"), "ilr_two_providers", "UKPRN_03"),
        (made(some(1), head=BOMB), "bad_xml", "document type"),
        (made([learner("L1", uln(1))], head='<!DOCTYPE m SYSTEM "file:///etc/passwd">'), "bad_xml", "document type"),
        (made(some(2))[:-40], "bad_xml", "breaks off or is damaged"),
        (made([]), "no_rows", "no learner"),
        ("<a><b/></a>", "no_ilr", "no ILR return"),
        ("uln,email\n1,a@b.c\n", "no_ilr", "an XML file"),
        (made(some(1)).replace("<SerialNo>01</SerialNo>", ""), "bad_ilr", "the header of the return"),
        ("", "no_ilr", "an XML file"),
    ],
)
def test_what_is_no_return_that_can_be_read_is_refused_before_any_of_it_is_kept(text, error, said):
    with pytest.raises(Refused) as refused:
        list(filtered([text.encode()], "ilr"))

    assert (refused.value.error, said in refused.value.message) == (error, True)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ILR-10000099-2627-20261104-090000-01.xml", "ilr_two_providers"),
        ("ILR-10000055-2526-20261104-090000-01.xml", "ilr_two_years"),
    ],
)
def test_a_file_whose_name_says_otherwise_than_its_header_is_refused(name, error):
    with pytest.raises(Refused) as refused:
        list(filtered([made(some(1)).encode()], "ilr", name))

    assert refused.value.error == error


def test_a_learner_of_unbounded_size_is_refused():
    long = f"<Learner><LearnRefNumber>L1</LearnRefNumber>{aim() * 9_000}</Learner>"

    with pytest.raises(Refused) as refused:
        list(filtered([made([long]).encode()], "ilr"))

    assert refused.value.status == 413


def test_a_return_that_was_sent_for_another_adapter_is_refused_and_not_kept():
    with pytest.raises(Refused, match="send one for the adapter ilr"):
        list(filtered([made(some(1)).encode()], "eportfolio"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "windows-1252"])
def test_a_return_in_another_encoding_is_known_as_one(encoding):
    text = (
        made(some(1)).replace('encoding="utf-8"', f'encoding="{encoding.removesuffix("-sig")}"').replace("Osei", "Ósei")
    )

    assert [row["family_name"] for row in rows_of(text.encode(encoding))] == ["Ósei"]


def test_the_departments_own_sample_comes_in_but_for_its_faults(tenant, endpoint, tmp_path):
    if not SAMPLE.exists():
        pytest.skip("the department's sample is not beside this checkout")
    shutil.copy(SAMPLE, tmp_path / SAMPLE.name)

    job = by_job(tenant, Order("ilr", "sample", tmp_path / SAMPLE.name, SAMPLE.name))

    assert counted(job) == {"new": 2, "skipped": 21, "quarantined": 12}
    assert codes(job) == {"LearnActEndDate_04", "R_59", "LearnPlanEndDate_02", "ULN_04"}
    assert {one["object"]["id"].rpartition("/")[2] for one in endpoint.valid() if "registered" in json.dumps(one)} == {
        "sample",
        "LARS-1",
        "LARS-28",
    }
