"""What version 0.1 remembered of its imports is read on: the same files again change nothing, and lose nothing.

``ledger-0.1.json`` holds what the imports of commit 6c87abc left at the endpoint: of the training centre's and the
e-portfolio's golden files, and of ``off-the-job-same-day.csv``, whose sessions that version could not tell apart.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from adapters.door import Door, basic
from adapters.profile import read_profile
from adapters.run import Order, run_file
from tests.served import serving

GOLDEN = Path(__file__).parents[1] / "golden" / "adapters"
FAULTS = Path(__file__).parent / "faults"
HEADER = "learner_ref,uln,standard_ref,standard_version,start_date,otj_date,otj_hours,otj_category,otj_correction\n"


TOLD = json.loads((GOLDEN / "ledger-0.1.json").read_text())


@pytest.fixture(autouse=True)
def remembered(endpoint):
    endpoint.documents = {(activity, name): body.encode() for activity, name, body in TOLD["documents"]}
    endpoint.statements = {one["id"]: one for one in TOLD["statements"]}
    endpoint.voided = set(TOLD["voided"])


def otj(*cells: str) -> str:
    """A file of one row about learner A, of whom 0.1 stored 2 h of Workshop on 6 November, whatever the time."""
    return HEADER + ",".join(("A", "", "ST1406", "1.0", "01/09/2025", *cells)) + "\n"


def minutes(endpoint, who: str) -> list[str]:
    told = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/experienced")]
    return [one["result"]["duration"] for one in told if one["actor"]["account"]["name"] == who]


def counted(report) -> dict[str, int]:
    return {outcome: count for outcome, count in report.counts.items() if count}


def test_the_same_files_again_are_all_unchanged(bring, endpoint):
    held = dict(endpoint.statements)

    centre = bring("training-centre", GOLDEN / "centre.csv")
    profile = read_profile(GOLDEN / "portfolio-profile.json")
    portfolio = bring("eportfolio", GOLDEN / "portfolio.csv", profile=profile)

    assert counted(centre) == {"unchanged": 11, "skipped": 1}
    assert counted(portfolio) == {"unchanged": 4, "skipped": 2}
    assert endpoint.statements == held


def test_sessions_that_could_not_be_told_apart_come_in_and_none_is_doubled(bring, endpoint):
    first = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")
    again = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")

    assert [row.outcome for row in first.rows] == ["unchanged", "new", "new", "unchanged", "skipped"]
    assert [row.outcome for row in again.rows] == ["unchanged"] * 4 + ["skipped"]
    assert minutes(endpoint, "A") == ["PT02H00M00S", "PT02H00M00S", "PT01H00M00S"]
    assert endpoint.voided == set()


def test_in_whatever_order_they_come_again(bring, endpoint):
    lines = (FAULTS / "off-the-job-same-day.csv").read_text().splitlines()
    turned = "\n".join([lines[0], lines[3], lines[2], lines[1]]) + "\n"

    first = bring("eportfolio", turned)
    again = bring("eportfolio", FAULTS / "off-the-job-same-day.csv")

    assert counted(first) == {"new": 2, "unchanged": 1}
    assert counted(again) == {"unchanged": 4, "skipped": 1}
    assert sorted(minutes(endpoint, "A")) == ["PT01H00M00S", "PT02H00M00S", "PT02H00M00S"]


def test_another_time_span_without_a_time_is_left_to_a_person(bring, endpoint):
    report = bring("eportfolio", otj("06/11/2026", "3", "Workshop", ""))
    corrected = bring("eportfolio", otj("06/11/2026", "3", "Workshop", "yes"))

    assert [(row.outcome, row.code) for row in report.rows] == [("quarantined", "not_told_apart")]
    assert [row.outcome for row in corrected.rows] == ["updated"]
    assert minutes(endpoint, "A") == ["PT03H00M00S"]


def test_a_learner_number_that_arrives_later_corrects_what_0_1_told(bring, endpoint):
    row = otj("06/11/2026", "2", "Workshop", "").replace("A,,", "A,1000001376,")

    report = bring("eportfolio", row)

    assert [row.outcome for row in report.rows] == ["updated"]
    assert (minutes(endpoint, "A"), minutes(endpoint, "1000001376")) == ([], ["PT02H00M00S"])


def test_in_the_real_store_on_each_engine_the_same_files_change_nothing_and_lost_sessions_come_in(store_url, tmp_path):
    version = {"X-Experience-API-Version": "1.0.3"}
    with serving(tmp_path, scopes=["all", "import"], store_url=store_url) as lrs:
        for activity, name, body in TOLD["documents"]:
            httpx.put(
                f"{lrs.address}/xapi/activities/profile",
                params={"activityId": activity, "profileId": name},
                content=body,
                auth=lrs.auth,
                headers=version | {"Content-Type": "application/json", "If-None-Match": "*"},
            ).raise_for_status()
        url = f"{lrs.address}/xapi/statements"
        httpx.post(url, json=TOLD["statements"], auth=lrs.auth, headers=version).raise_for_status()
        door = Door(f"{lrs.address}/xapi", basic(*lrs.auth))
        profile = read_profile(GOLDEN / "portfolio-profile.json")

        centre = run_file(Order("training-centre", "north", GOLDEN / "centre.csv", "centre.csv"), door)
        portfolio = run_file(Order("eportfolio", "north", GOLDEN / "portfolio.csv", "portfolio.csv", profile), door)
        order = Order("eportfolio", "north", FAULTS / "off-the-job-same-day.csv", "off-the-job-same-day.csv")
        first, again = run_file(order, door), run_file(order, door)

    assert counted(centre) == {"unchanged": 11, "skipped": 1}
    assert counted(portfolio) == {"unchanged": 4, "skipped": 2}
    assert counted(first) == {"new": 2, "unchanged": 2, "skipped": 1}
    assert counted(again) == {"unchanged": 4, "skipped": 1}
