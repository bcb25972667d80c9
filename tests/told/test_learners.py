"""What learners of the told network see of themselves: each page of theirs, in English and in Welsh."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.web import listing
from lrs.web.language import PARAMETER
from tests.told.network import SIGNED_IN, Network
from tests.told.test_pages import asked

EACH = ["/me", "/me/sharing"]
OF_ONE = {
    "Much Held": [
        "/me/roles", "/me/roles?role=operator", "/me/roles?role=nothing", "/me/data", "/me/plan", "/me/occupation",
        "/me/occupation?q=brew", "/me/prior", "/me/courses", "/me/apprenticeship", "/me/code",
        "/me/badges/{badge of much-held 1}/take", "/me/badges/{badge of much-held 2}/take", "/me/badges/{badge of both-levels 1}",
        "/account", "/staff", "/staff/learners", "/catalogue/gown-3", "/roles/one?role=operator",
        "/links/{link open}", "/sign-in",
    ],
    "Both Levels": ["/me/roles?role=operator", "/me/roles?role=gowner", "/me/roles?role=counter", "/me/plan", "/me/data"],
    "Exactly Eighty": ["/me/roles", "/me/roles?role=former", "/me/roles?role=thirds", "/me/occupation", "/me/data", "/account"],
    "Below Eighty": ["/me/roles", "/me/roles?role=wishes", "/me/plan", "/me/badges/nothing/take"],
    "Ended Yesterday": ["/me/roles?role=operator", "/me/data"],
    "Minor Unknown": ["/me/badges/{badge of minor-unknown 1}/take", "/account"],
    "Of Age Today": ["/me/badges/{badge of of-age-today 1}/take"],

    "Legal Name": ["/me/badges/{badge of legal-name 1}/take"],
}  # fmt: skip
WELSH = ("Much Held", "Both Levels", "Ended Yesterday", "Minor Until Tomorrow", "Twenty-one Times")
FILES = ("Joined By Row", "Minor Unknown")
"""Those whose file of all that is kept is told."""


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SIZE", 12)


def test_what_a_learner_sees(still: Network, told: Any) -> None:
    told.names = still.names
    for name in SIGNED_IN:
        browser = still.learner(name)
        paths = [*EACH, *OF_ONE.get(name, ())]
        told("\n".join(asked(still, browser, path, bar=path == "/me") for path in paths), part(name))


def test_what_a_learner_sees_in_welsh(still: Network, told: Any) -> None:
    told.names = still.names
    for name in WELSH:
        browser = still.learner(name)
        browser.get(f"/me?{PARAMETER}=cy")
        paths = [
            *EACH,
            *(path for path in OF_ONE.get(name, ()) if path.startswith(("/me", "/links", "/catalogue", "/sign"))),
        ]
        told("\n".join(asked(still, browser, path, bar=path == "/me") for path in paths), part(name))


def test_all_that_is_kept_of_a_learner(fresh: Network, told: Any) -> None:
    told.names = fresh.names
    for name in FILES:
        told(asked(fresh, fresh.learner(name), "/me/data.json"), part(name))


def part(name: str) -> str:
    return name.lower().replace(" ", "_")
