"""JavaScript clients nobody here wrote, from npm, against our server: everything they can do."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.served import new_id, somebody, something

pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages
FILE = "a file\r\n--\r\nwith lines"


@pytest.fixture
def round_trip(node: Any, lrs: Any) -> Any:
    """What the client saw, the agent and activity it used, and the ids of three statements."""

    def run(name: str, **more: Any) -> tuple[Any, Any, Any, Any]:
        agent, activity, ids = somebody(), something(), [new_id() for _ in range(4)]
        endpoint = f"{lrs.address}/xapi/"
        given = {"endpoint": endpoint, "key": lrs.auth[0], "secret": lrs.auth[1], **more}
        return node(name, {**given, "agent": agent, "activity": activity, "ids": ids}), agent, activity, ids

    return run


@pytest.mark.parametrize("adapter", ["axios", "fetch"])
@pytest.mark.parametrize("version", ["1.0.0", "1.0.3", "2.0.0"])
def test_xapi_js_goes_the_whole_way_and_back(round_trip: Any, version: str, adapter: str) -> None:
    seen, agent, activity, ids = round_trip("xapi", version=version, adapter=adapter)

    assert version in seen["about"]
    assert (seen["sent"], seen["batch"]) == (ids[:1], ids[1:])
    assert (seen["one"]["id"], seen["one"]["actor"], seen["one"]["object"]["id"]) == (ids[0], agent, activity)
    assert seen["listed"] == ids
    if adapter == "fetch":
        text = "a file of one line, which is all that this client reads"
        assert seen["attached"] == {"parts": 2, "id": True, "text": text}
    assert (seen["voiding"], seen["gone"], seen["voided"]) == (1, 404, ids[0])
    assert seen["state"] == {"page": 1, "nested": {"a": 1}, "chapter": "b"}
    assert (seen["states"], seen["stale"], seen["changed"]) == (["bookmark"], 412, {"page": 2})
    assert (seen["deleted"], seen["cleared"]) == (404, [])
    for name in ("Activity", "Agent"):
        assert seen["profiles"][name] == {
            "first": {"v": 1},
            "again": 412,
            "merged": {"v": 3, "w": 1},
            "ids": ["p"],
            "deleted": 404,
        }
    assert seen["activity"] == {"objectType": "Activity", "id": activity}
    assert seen["person"] == {"objectType": "Person", "mbox": [agent["mbox"]]}
    assert seen["wrong"] == 400


def test_tincanjs_goes_the_whole_way_and_back(round_trip: Any, lrs: Any) -> None:
    seen, agent, activity, ids = round_trip("tincanjs")

    assert seen["about"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]
    assert (seen["sent"], seen["batch"]) == ("saved", "saved")
    one = lrs.one(ids[0].upper()) if seen["gone"] != 404 else lrs.get(voidedStatementId=ids[0]).json()
    assert seen["one"] == {
        "id": ids[0],
        "verb": "http://adlnet.gov/expapi/verbs/experienced",
        "target": activity,
        "stored": one["stored"],
        "authority": "tests",
    }
    assert one["actor"] == agent
    assert seen["listed"] == ids
    assert (seen["attached"], seen["file"]) == ("saved", FILE)
    assert (seen["voiding"], seen["gone"], seen["voided"]) == ("saved", 404, ids[0])
    assert seen["states"] == ["bookmark"]
    saved, merged, contents, kind, etag, again, stale, dropped, gone = seen["state"]
    assert (saved, merged, contents, kind) == ("saved", "merged", {"page": 1, "chapter": "b"}, "application/json")
    assert len(etag) == 42
    assert (again, stale, dropped, gone) == ("saved", 412, "dropped", None)
    for name in ("Activity", "Agent"):
        assert seen["profiles"][name] == ["saved", {"v": 1}, 412, "saved", ["p"], "dropped"]
    assert seen["activity"] == activity


def test_content_that_copies_a_launch_parameter_into_each_request_loses_nothing(node: Any, lrs: Any) -> None:
    """As Articulate Rise does, whose launch has a query of its own."""
    browser = lrs.as_key("statements/write", "state", name="content")
    agent, activity, ids, registration = somebody(), something(), [new_id() for _ in range(3)], new_id()
    launch = {
        "endpoint": f"{lrs.address}/xapi/",
        "auth": "Basic " + base64.b64encode(":".join(browser.auth).encode()).decode(),
        "actor": json.dumps(agent),
        "activity_id": activity,
        "registration": registration,
        "content_token": "b1946ac9",
        "tincan": "true",
    }

    seen = node("tincanjs-launched", {"launch": f"https://rise.example/index.html?{urlencode(launch)}", "ids": ids})

    assert seen == {
        "extended": {"content_token": "b1946ac9", "tincan": "true"},
        "written": "done",
        "read": {"page": 7},
        "one": "done",
        "batch": "done",
        "deleted": "done",
        "gone": "done",
    }
    assert lrs.listed(agent=agent, registration=registration, activity=activity, ascending="true") == ids


def test_slashes_too_many_are_no_obstacle(node: Any, lrs: Any) -> None:
    """What comes of an endpoint with a slash at its end in clients that add another."""
    agent, activity, ids = somebody(), something(), [new_id() for _ in range(4)]
    given = {"endpoint": f"{lrs.address}/xapi//", "key": lrs.auth[0], "secret": lrs.auth[1]}

    seen = partial(node, "tincanjs")({**given, "agent": agent, "activity": activity, "ids": ids})

    assert seen["listed"] == ids
