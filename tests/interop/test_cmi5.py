"""Libraries that cmi5 content is made with, launched here: from the fetch address to terminated."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.adapters.lms.launched import PlatformClient, statements_of, verbs_of
from tests.adapters.lms.made import block, structure, unit
from tests.adapters.lms.requirements import NOT_SHOWN, SHOWN
from tests.interop.conftest import HERE
from tests.npm import packages
from tests.served import serving


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("cmi5"), content_url="http://localhost:8080") as lrs:
        yield PlatformClient(lrs)


@pytest.mark.parametrize(("library", "between"), [("rustici", "experienced"), ("xapi", "answered")])
def test_content_made_with_a_library_goes_from_launched_to_satisfied(
    node: Any, platform: Any, library: str, between: str
) -> None:
    text = structure(block(unit(moveOn="CompletedAndPassed", masteryScore="0.9")), id=f"https://x.example/{library}")
    content = platform.launch(platform.bring(text)["id"])

    seen = node("cmi5", {"url": content.url, "library": library})

    assert (seen["mode"], seen["mastery"]) == ("Normal", 0.9)
    assert "403" in seen["again"]
    assert "403" in seen["after"]
    assert verbs_of(platform.lrs, content.registration) == [
        *("launched", "initialized", between, "completed", "passed", "satisfied", "satisfied", "terminated"),
    ]


def test_preferences_that_a_library_keeps_are_there_for_the_platform(node: Any, platform: Any) -> None:
    text = structure(unit(masteryScore="0.9"), id="https://x.example/preferences")
    content = platform.launch(platform.bring(text)["id"])

    node("cmi5", {"url": content.url, "library": "rustici"})

    found = platform.ask("GET", f"registration/{content.registration}/learner-prefs").json()
    assert found == {"languagePreference": "en-GB", "audioPreference": "off"}
    assert statements_of(platform.lrs, content.registration)


def test_the_table_of_requirements_has_each_that_npm_lists() -> None:
    listed = json.loads((packages(HERE) / "node_modules/@cmi5/requirements/requirements.json").read_text())

    assert {re.sub(r" \(.*\)$", "", one) for one in listed} == {*SHOWN, *NOT_SHOWN}
