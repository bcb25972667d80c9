"""Moodle's pair, completed and uncompleted, as its logstore plugin sends it: the badge comes, goes and comes again."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lrs.competency.explain import explain
from lrs.competency.frameworks.frameworks import published
from lrs.competency.rebuild import rebuild
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.composition.kinds import TENANT
from tests.matching.world import receiver
from tests.served import serving
from tests.travel import SAME_PERSON, Journey, prepare

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "xapi" / "moodle-logstore"
if not FOLDER.is_dir():
    pytest.skip(f"the sample data is not beside this checkout: {FOLDER}", allow_module_level=True)
(UNCOMPLETED,) = json.loads(
    (FOLDER / "core-course_module_completion_update-uncompleting_existing_module.json").read_bytes()
)
(OF_COURSE,) = json.loads((FOLDER / "core-course_completed-completing_existing_course.json").read_bytes())
COMPLETED = UNCOMPLETED | {"verb": OF_COURSE["verb"]}
"""The other half of the pair: the same event when the mark is set."""
REGISTERED = OF_COURSE | {
    "verb": {"id": "http://adlnet.gov/expapi/verbs/registered"},
    "context": {"extensions": {SAME_PERSON: [{"mbox": "mailto:moodle@example.org"}]}},
}
TABLE = f"activity,verb,competency,level,trusted source\n{UNCOMPLETED['object']['id']},completed,A1,1,vle\n"
WHO = "http://www.example.org|1"
BADGE = "Gowning: Awareness"


@pytest.fixture(params=["sqlite", "mongo"])
def moodle(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A server with a rule on the book's completion, and a learner who agreed to a service."""
    more = {}
    if request.param == "mongo":
        server = urlsplit(request.getfixturevalue("mongo_server"))
        more = {"store_url": server._replace(path=f"/moodle_{secrets.token_hex(6)}").geturl()}
    with ExitStack() as stack:
        receiving = stack.enter_context(receiver())
        served = stack.enter_context(serving(tmp_path / "data", outbound_allow=("127.0.0.0/8",), **more))
        made = Journey(served, receiving, tmp_path)
        prepare(made)
        rules, faults = ruleset_from_table(TABLE.encode(), KnownNames(published(made.store)), current(made.store))
        assert faults == ()
        made.write(lambda tx: put(tx, rules, "test"))
        send(made, REGISTERED)
        made.agree("moodle")
        made.drain()
        yield made


def send(moodle: Journey, *batch: dict[str, Any]) -> list[str]:
    """One request of the plugin, and all the work it makes; the ids."""
    new = moodle.keys["vle"]
    answer = moodle.lrs.post(list(batch), auth=(new.key, new.secret))
    assert answer.status_code == 200, answer.text
    moodle.drain()
    return answer.json()


def badges(moodle: Journey) -> list[str]:
    return sorted(moodle.badges(WHO))


@pytest.mark.mongo_in_soak
def test_the_badge_goes_with_the_mark_and_comes_again_with_it_and_the_service_is_told(moodle):
    (on,) = send(moodle, COMPLETED)
    assert badges(moodle) == [f"{BADGE} (issued)"]
    given = moodle.badges(WHO)[f"{BADGE} (issued)"].body
    assert moodle.shown("moodle").keys() == {"A1"}

    (off,) = send(moodle, UNCOMPLETED)
    taken = moodle.lrs.one(off)["timestamp"]
    reasons = [one.reason for answer in explain(moodle.tenant, WHO).answers for one in answer.evidence]
    assert badges(moodle) == [f"{BADGE} (revoked)"]
    assert moodle.verdict(given)["status"] is False
    assert moodle.shown("moodle") == {}
    assert moodle.told("moodle").count("badge.revoked") == 1
    assert reasons == [f"taken back by statement {off} on {taken}"]

    (again,) = send(moodle, COMPLETED)
    (award,) = moodle.awards(WHO)
    assert badges(moodle) == [f"{BADGE} (issued)"]
    assert moodle.verdict(moodle.badges(WHO)[f"{BADGE} (issued)"].body)["status"] is True
    assert moodle.verdict(given)["status"] is False
    assert [one["statement"] for one in award["evidence"]] == [again]
    assert moodle.shown("moodle").keys() == {"A1"}

    send(moodle, COMPLETED, UNCOMPLETED)
    assert badges(moodle) == [f"{BADGE} (revoked)"]
    send(moodle, UNCOMPLETED, COMPLETED)
    assert badges(moodle) == [f"{BADGE} (issued)"]
    assert rebuild(moodle.tenant, TENANT, apply=False).lines() == []
    assert on not in {one["statement"] for award in moodle.awards(WHO) for one in award["evidence"]}
