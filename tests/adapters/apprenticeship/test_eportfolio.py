from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from adapters.apprenticeship.ksb import codes
from adapters.ledger.ledger import KIND
from adapters.reading.people import learner_number
from adapters.reading.profile import MappingProfile, read_profile
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, RowPlace
from lrs.storage import each
from tests.rows import each_of

GOLDEN = Path(__file__).parents[2] / "golden" / "adapters"
EXT = "https://w3id.org/engraft/extensions/"
ROW = {
    "learner_ref": "P-1",
    "standard_ref": "ST1406",
    "standard_version": "1.0",
    "start_date": "01/09/2025",
    "evidence_id": "E-1",
    "ksb_code": "K1",
    "evidence_date": "03/11/2025",
    "evidence_status": "accepted",
    "assessor": "sam@provider.example",
}


def sheet(*rows: dict[str, str], delimiter: str = ",") -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "\n".join([delimiter.join(names), *(delimiter.join(row.get(n, "") for n in names) for row in rows)]) + "\n"


def verbs(endpoint) -> list[str]:
    return sorted(one["verb"]["id"].rpartition("/")[2] for one in endpoint.valid())


def test_a_windows_1252_file_with_semicolons_goes_in_through_its_profile(bring, endpoint, portfolio_profile):
    report = bring("eportfolio", GOLDEN / "portfolio.csv", profile=portfolio_profile)

    assert [(row.row, row.outcome, len(row.statements)) for row in report.rows] == [
        (2, "new", 6),
        (3, "skipped", 0),
        (4, "new", 1),
        (5, "new", 2),
        (6, "new", 4),
        (7, "skipped", 0),
    ]
    assert verbs(endpoint) == (
        ["demonstrated"] * 3 + ["exited", "experienced", "passed", "progressed"] + ["registered"] * 6
    )
    titles = {one.get("context", {}).get("extensions", {}).get(EXT + "evidence-title") for one in endpoint.valid()}
    assert titles == {None, "Cleanroom log \u2013 café"}
    again = bring("eportfolio", GOLDEN / "portfolio.csv", profile=portfolio_profile)
    assert {k: v for k, v in again.counts.items() if v} == {"unchanged": 4, "skipped": 2}


def test_accepted_evidence_is_demonstrated_on_the_ksb_of_its_version_with_its_assessor(bring, endpoint):
    bring("eportfolio", sheet(ROW | {"start_date": "", "grade": "Merit", "ksb_guid": "abc", "evidence_title": "Log"}))

    (one,) = endpoint.valid()
    one.pop("id")
    standard = {
        "objectType": "Activity",
        "id": "https://w3id.org/engraft/standards/ST1406/1.0",
        "definition": {
            "name": {"en": "ST1406 1.0"},
            "type": "https://w3id.org/engraft/activity-types/apprenticeship-standard",
        },
    }
    assert one == {
        "version": "1.0.3",
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": "https://w3id.org/engraft/providers/north", "name": "P-1"},
        },
        "verb": {"id": "https://w3id.org/xapi/dod-isd/verbs/demonstrated", "display": {"en": "demonstrated"}},
        "object": {
            "objectType": "Activity",
            "id": "https://w3id.org/engraft/standards/ST1406/1.0/ksb/K1",
            "definition": {
                "name": {"en": "ST1406 1.0 K1"},
                "type": "https://w3id.org/xapi/tla/activity-types/competency",
                "extensions": {EXT + "ksb-guid": "abc"},
            },
        },
        "result": {"success": True, "extensions": {EXT + "grade": "Merit"}},
        "context": {
            "instructor": {"objectType": "Agent", "mbox": "mailto:sam@provider.example"},
            "contextActivities": {"parent": [standard]},
            "extensions": {EXT + "evidence-id": "E-1", EXT + "evidence-title": "Log"},
        },
        "timestamp": "2025-11-03T00:00:00+00:00",
    }


def test_two_identifiers_of_one_row_are_said_to_be_one_person_once_and_elsewhere_not_repeated(bring, endpoint):
    row = ROW | {"uln": "1061484016", "email": "ADA@Learner.example"}

    bring("eportfolio", sheet(row, row | {"evidence_id": "E-2"}))

    name = EXT + "identifiers"
    pairs = [one["context"]["extensions"][name] for one in endpoint.valid() if name in str(one)]
    uln = {"objectType": "Agent", "account": {"homePage": "https://www.gov.uk/uln", "name": "1061484016"}}
    ref = {
        "objectType": "Agent",
        "account": {"homePage": "https://w3id.org/engraft/providers/north", "name": "P-1"},
    }
    assert pairs == [[uln, ref], [uln, {"objectType": "Agent", "mbox": "mailto:ada@learner.example"}]]
    assert {one["actor"]["account"]["name"] for one in endpoint.valid()} == {"1061484016"}


def test_a_learner_number_that_arrives_later_corrects_and_does_not_double(bring, endpoint):
    bring("eportfolio", sheet(ROW | {"uln": "9999999999"}))
    bring("eportfolio", sheet(ROW | {"uln": "'1061484016"}))

    assert verbs(endpoint) == ["demonstrated", "registered", "registered"]
    assert {one["actor"]["account"]["name"] for one in endpoint.valid()} == {"1061484016"}


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"learner_ref": ""}, "unknown_learner", "learner_ref"),
        ({"learner_ref": "", "uln": "9999999999"}, "unknown_learner", "uln"),
        ({"uln": "1.23E+09"}, "bad_uln", "uln"),
        ({"uln": "061484016"}, "bad_uln", "uln"),
        ({"uln": "1234567891"}, "bad_uln", "uln"),
        ({"email": "ada at learner"}, "no_email", "email"),
        ({"standard_ref": ""}, "no_standard", "standard_ref"),
        ({"standard_version": ""}, "no_version", "standard_version"),
        ({"ksb_code": "K1, whatever"}, "no_ksb", "ksb_code"),
        ({"ksb_code": "=A1"}, "formula", "ksb_code"),
        ({"evidence_date": "31/11/2025"}, "impossible_date", "evidence_date"),
        ({"evidence_date": "45964"}, "date_serial", "evidence_date"),
        ({"evidence_date": "31/08/2025"}, "before_enrolment", "evidence_date"),
        ({"evidence_date": "23/11/2026"}, "in_the_future", "evidence_date"),
        ({"evidence_status": "done"}, "unknown_word", "evidence_status"),
        ({"assessor": "p-1"}, "self_assessed", "assessor"),
        ({"assessor": "Byrne,  Ada", "given_names": "Ada", "family_name": "Byrne"}, "self_assessed", "assessor"),
        ({"assessor": "ada@x.example", "email": "Ada@X.example"}, "self_assessed", "assessor"),
        ({"planned_end_date": "01/01/2025"}, "ends_before_start", "planned_end_date"),
    ],
)
def test_a_row_that_cannot_be_believed_waits_and_the_rest_goes_in(bring, endpoint, change, code, column):
    good = ROW | {"learner_ref": "P-2", "start_date": ""}

    report = bring("eportfolio", sheet(ROW | change, good, delimiter=";"))

    assert [(row.outcome, row.code, row.column) for row in report.rows] == [
        ("quarantined", code, column),
        ("new", "", ""),
    ]
    assert verbs(endpoint) == ["demonstrated"]


def test_evidence_is_held_against_a_start_that_stands_further_down(bring):
    early = ROW | {"start_date": "", "evidence_date": "01/08/2025"}

    report = bring("eportfolio", sheet(early, ROW | {"evidence_id": "E-2"}))

    assert [row.code for row in report.rows] == ["before_enrolment", ""]


START = {"learner_ref": "P-1", "standard_ref": "ST1406", "start_date": "01/09/2025"}


@pytest.mark.parametrize(
    ("start", "evidence"),
    [
        ({"learner_ref": "P-1", "uln": "1000001376"}, {"learner_ref": "", "uln": "1000001376"}),
        ({"learner_ref": "", "uln": "1000001376"}, {"learner_ref": "P-1", "uln": "1000001376"}),
        ({"learner_ref": "", "email": "a@x.example"}, {"learner_ref": "P-1", "email": "a@x.example"}),
    ],
)
def test_evidence_is_held_against_a_start_that_was_told_under_another_name_of_the_learner(bring, start, evidence):
    enrolled = ROW | {"evidence_id": "", "ksb_code": "", "evidence_date": "", "evidence_status": ""} | start
    early = ROW | {"start_date": "", "evidence_date": "31/08/2025"} | evidence

    report = bring("eportfolio", sheet(enrolled, early))

    assert [row.code for row in report.rows] == ["", "before_enrolment"]


def test_evidence_is_held_against_a_start_that_an_earlier_file_told_under_a_number_only(bring):
    bring("eportfolio", sheet(START | {"learner_ref": "", "uln": "1000001376"}))

    report = bring("eportfolio", sheet(ROW | {"uln": "1000001376", "start_date": "", "evidence_date": "31/08/2025"}))

    assert [row.code for row in report.rows] == ["before_enrolment"]


def test_evidence_is_held_against_a_start_that_came_in_an_earlier_file_of_the_provider(bring):
    evidence = sheet(ROW | {"start_date": "", "evidence_date": "31/08/2025"})
    bring("eportfolio", sheet(START))

    before = bring("eportfolio", evidence)
    elsewhere = bring("eportfolio", evidence, provider="south")
    on_the_day = bring("eportfolio", evidence.replace("31/08/2025", "01/09/2025"))
    bring("eportfolio", sheet(START | {"start_date": "01/08/2025"}))
    corrected = bring("eportfolio", evidence)

    assert [(row.outcome, row.code) for row in before.rows] == [("quarantined", "before_enrolment")]
    assert [row.outcome for row in elsewhere.rows] == ["new"]
    assert [row.outcome for row in on_the_day.rows] == ["new"]
    assert [row.outcome for row in corrected.rows] == ["updated"]


def test_the_start_that_a_file_itself_tells_comes_before_an_earlier_files(bring):
    bring("eportfolio", sheet(START))

    report = bring("eportfolio", sheet(ROW | {"start_date": "01/08/2025", "evidence_date": "02/08/2025"}))

    assert [row.outcome for row in report.rows] == ["updated"]


def forget_starts(tx) -> None:
    """The entries as they were before they kept anything."""
    for record in list(each(tx, KIND)):
        told = json.loads(record.body)
        live, maybe = told["entry"]
        told["entry"] = [live[:3], maybe]
        tx.replace(msgspec.structs.replace(record, body=json.dumps(told).encode()))


def test_a_ledger_written_before_starts_were_kept_is_read_on(bring, endpoint):
    bring("eportfolio", sheet(ROW))
    endpoint.tenant.store.write(forget_starts).result()

    again = bring("eportfolio", sheet(ROW))
    early = bring("eportfolio", sheet(ROW | {"start_date": "", "evidence_id": "E-9", "evidence_date": "31/08/2025"}))

    assert [row.outcome for row in again.rows] == ["unchanged"]
    assert [row.code for row in early.rows] == ["before_enrolment"]  # the same file again tells the start to the ledger


@each_of("known", [{}, {"learner_ref": "", "email": "ann@learners.example"}])
def test_one_learner_with_two_numbers_waits_for_a_person(bring, known):
    rows = (ROW | known | {"uln": "1061484016"}, ROW | known | {"uln": "1061484466", "evidence_id": "E-2"})
    report = bring("eportfolio", sheet(*rows))

    assert [(row.outcome, row.code) for row in report.rows] == [("new", ""), ("quarantined", "two_ulns")]


def test_hours_are_read_as_the_profile_says_and_a_day_has_only_24(bring, endpoint):
    otj = {"learner_ref": "P-1", "standard_ref": "ST1406", "otj_date": "2026-11-02"}
    rows = [
        otj | {"otj_hours": "2.05", "otj_category": "College", "otj_countable": "No"},
        otj | {"otj_minutes": "90", "otj_category": "Shadowing"},
        otj | {"otj_hours": "-1", "otj_category": "x"},
        otj | {"otj_hours": "25", "otj_category": "y"},
        otj | {"otj_hours": "21", "otj_category": "z"},
        otj | {"otj_hours": "2.05", "otj_category": "college", "otj_ref": "2"},
        otj | {"otj_hours": "18.20", "otj_category": "Reading"},
        otj | {"otj_minutes": "1", "otj_category": "Travel"},
    ]

    report = bring("eportfolio", sheet(*rows), profile=MappingProfile(hours="h.mm"))

    assert [(row.outcome, row.code) for row in report.rows] == [
        ("new", ""),
        ("new", ""),
        ("quarantined", "negative"),
        ("quarantined", "over_a_day"),
        ("quarantined", "over_a_day"),
        ("new", ""),
        ("new", ""),
        ("quarantined", "over_a_day"),
    ]
    assert [one["result"]["duration"] for one in endpoint.valid()] == [
        "PT02H05M00S",
        "PT01H30M00S",
        "PT02H05M00S",
        "PT18H20M00S",
    ]
    assert [one["result"]["extensions"][EXT + "otj-countable"] for one in endpoint.valid()] == [False, True, True, True]


def test_the_minutes_of_a_row_that_waits_for_another_reason_do_not_fill_the_day(bring, endpoint):
    otj = {"learner_ref": "P-1", "standard_ref": "ST1406", "otj_date": "2026-11-02", "otj_hours": "20"}
    waits = otj | {"otj_category": "College", "gateway_date": "2026-13-01"}

    report = bring("eportfolio", sheet(waits, otj | {"otj_category": "Shadowing"}))

    assert [(row.outcome, row.code) for row in report.rows] == [("quarantined", "impossible_date"), ("new", "")]
    assert verbs(endpoint) == ["experienced"]


def test_who_withdrew_and_reappears_has_not_left(bring, endpoint):
    row = {"learner_ref": "P-1", "standard_ref": "ST1406", "start_date": "01/09/2025", "status": "Withdrawn"}
    bring("eportfolio", sheet(row))
    gone = verbs(endpoint)

    report = bring("eportfolio", sheet(row | {"status": "In Learning"}))

    assert gone == ["exited", "registered"]
    assert report.rows[0].outcome == "updated"
    assert verbs(endpoint) == ["registered"]


def test_the_end_is_gateway_and_assessment_with_its_grade_and_resits_apart(bring, endpoint):
    end = {"learner_ref": "P-1", "standard_ref": "ST1406", "gateway_date": "01/07/2026"}
    first = end | {"assessment_outcome": "Fail", "assessment_date": "20/08/2026"}
    second = end | {"assessment_outcome": "Pass", "assessment_date": "20/10/2026", "grade": "Merit", "resit_no": "1"}

    bring("eportfolio", sheet(first, second))

    assert verbs(endpoint) == ["failed", "passed", "progressed"]
    passed = next(one for one in endpoint.valid() if one["verb"]["id"].endswith("/passed"))
    assert passed["object"]["id"] == "https://w3id.org/engraft/standards/ST1406/assessment"
    assert passed["result"] == {
        "success": True,
        "completion": True,
        "extensions": {EXT + "grade": "Merit", EXT + "resit": 1},
    }


def test_no_name_and_no_employer_leaves_the_file(bring, endpoint):
    row = ROW | {"given_names": "Ada", "family_name": "Byrne", "employer": "Cell Ltd", "dob": "2004-02-29"}

    bring("eportfolio", sheet(row))

    everything = str(endpoint.statements) + str(endpoint.entries)
    assert not [word for word in ("Ada", "Byrne", "Cell Ltd", "2004-02-29") if word in everything]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("K 1", ("K1",)),
        ("K01", ("K1",)),
        ("k1, k2; S3", ("K1", "K2", "S3")),
        ("K1 & B2 and S10", ("K1", "B2", "S10")),
        ("K1 K2/K1", ("K1", "K2")),
        ("tk3|ESB-4", ("TK3", "ESB4")),
        ("", ()),
    ],
)
def test_codes_are_read_as_people_write_them(cell, expected):
    assert codes(cell) == expected


@each_of("cell", ["K", "K0", "1", "K1-K3", "X1", "K1, whatever", "K1K2", "Kay 1", "K" * 100_000])
def test_half_a_list_of_codes_is_no_list(cell):
    with pytest.raises(ValueError, match=r"."):
        codes(cell)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"headrs": {}}', "headrs"),
        ('{"zone": "Europe/Londn"}', "Londn"),
        ('{"encoding": "utf-99"}', "utf-99"),
        ('{"encoding": "hex"}', "hex"),
        ('{"encoding": "base64"}', "base64"),
        ('{"encoding": "idna"}', "idna"),
        ('{"dates": ["%d/%m/%Y", "%d %d"]}', "'%d %d' is no format of a date"),
        ('{"dates": ["%d/%m"]}', "'%d/%m' is no format of a date"),
        ('{"dates": ["%-d/%m/%Y"]}', "'%-d/%m/%Y' is no format of a date"),
        ('{"dates": [""]}', "'' is no format of a date"),
        (json.dumps({"dates": ["%d/%m/%Y"] * 51}), "there are 51 formats of dates: name at most 50"),
        (json.dumps({"dates": ["%d/%m/%Y" + "x" * 73]}), "is no format of a date"),
        ('{"delimiter": "~"}', "delimiter"),
        ('{"hours": "days"}', "hours"),
        ("no json", "profile.json"),
    ],
)
def test_a_mapping_profile_that_cannot_be_followed_is_refused_by_name(tmp_path, text, words):
    (tmp_path / "profile.json").write_text(text)

    with pytest.raises(Refused, match=words):
        read_profile(tmp_path / "profile.json")


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y", "%y%m%d", "%d %b %Y", "%j %Y", "%Y-%m-%dT%H:%M:%S%z", "excel", "excel1904"]
)
@pytest.mark.parametrize("encoding", ["", "windows-1252", "utf-8", "utf-16", "cp037", "mac-roman"])
def test_every_real_date_format_and_text_encoding_is_followed(tmp_path, form, encoding):
    (tmp_path / "profile.json").write_text(json.dumps({"dates": [form], "encoding": encoding}))

    read = read_profile(tmp_path / "profile.json")

    assert (read.dates, read.encoding) == ((form,), encoding)


@pytest.mark.parametrize(
    ("adapter", "profile", "words"),
    [
        (
            "eportfolio",
            MappingProfile(headers={"evidence_titel": ["Title"]}),
            "headers: there is no column 'evidence_titel'",
        ),
        (
            "eportfolio",
            MappingProfile(constants={"Standard_ref": "ST1406"}),
            "constants: there is no column 'Standard_ref'",
        ),
        ("eportfolio", MappingProfile(values={"evidence": {"ok": "accepted"}}), "use one of: .*evidence_status"),
        ("eportfolio", MappingProfile(values={"option": {"a": "b"}}), "values: there is no column 'option'"),
        ("eportfolio", MappingProfile(values={"status": {"weg": "gone"}}), "status cannot mean 'gone'"),
        ("training-centre", MappingProfile(headers={"ksb_code": ["Criteria"]}), "use one of: .*checklist_id"),
        ("training-centre", MappingProfile(values={"*": {"keine": "absent"}}), "values: there is no column '*'"),
    ],
)
def test_a_mapping_profile_that_names_no_column_of_the_adapter_is_refused(bring, endpoint, adapter, profile, words):
    with pytest.raises(Refused, match=words) as refusal:
        bring(adapter, sheet(ROW), profile=profile)

    assert (refusal.value.status, refusal.value.error) == (400, "bad_profile")
    assert endpoint.is_empty()


def test_a_profile_gives_words_their_meaning_and_only_meanings_that_exist(bring):
    row = ROW | {"evidence_status": "Abgenommen"}

    assert (
        bring(
            "eportfolio", sheet(row), profile=MappingProfile(values={"evidence_status": {"abgenommen": "accepted"}})
        ).counts["new"]
        == 1
    )
    with pytest.raises(Refused, match="acepted"):
        bring("eportfolio", sheet(row), profile=MappingProfile(values={"evidence_status": {"abgenommen": "acepted"}}))


END = {"learner_ref": "P-1", "standard_ref": "ST1406", "assessment_outcome": "Fail", "assessment_date": "20/08/2026"}
RESIT = END | {"assessment_outcome": "Pass", "assessment_date": "20/10/2026"}


@pytest.mark.parametrize(
    ("resit", "outcome", "stands"),
    [
        ("", ("quarantined", "not_told_apart", "assessment_date"), ["failed"]),
        ("0", ("updated", "", ""), ["passed"]),
        ("1", ("new", "", ""), ["failed", "passed"]),
    ],
)
def test_an_assessment_of_another_day_is_a_correction_or_a_resit_as_its_number_says(
    bring, endpoint, resit, outcome, stands
):
    bring("eportfolio", sheet(END))

    report = bring("eportfolio", sheet(RESIT | {"resit_no": resit}))

    assert [(row.outcome, row.code, row.column) for row in report.rows] == [outcome]
    assert verbs(endpoint) == stands


def test_an_assessment_of_the_same_day_is_corrected_and_said_once_though_every_row_repeats_it(bring, endpoint):
    bring("eportfolio", sheet(END))
    rows = [ROW | END | {"assessment_outcome": "Pass", "evidence_id": f"E-{number}"} for number in (1, 2)]

    report = bring("eportfolio", sheet(*rows))

    assert [(row.outcome, row.reason) for row in report.rows] == [("updated", ""), ("new", "")]
    assert verbs(endpoint) == ["demonstrated", "demonstrated", "passed", "registered"]


@pytest.mark.parametrize(
    ("shown", "held"),
    [("1,000,001,376", Decimal(1000001376)), ("1000001376", Decimal(1000001376)), ("1000001376", None)],
)
def test_a_learner_number_is_its_digits_also_where_a_number_cell_shows_thousands(shown, held):
    values = {"uln": held} if held is not None else {}

    assert learner_number(Row(RowPlace("", 2), {"uln": shown}, values=values)) == "1000001376"
