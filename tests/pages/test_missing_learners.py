"""Learners who are missing from the newest return: on pages within the reach, as files, and on the command line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from adapters.apprenticeship import missing
from lrs.cli import main
from lrs.composition.steps import drain
from tests.adapters.apprenticeship.returns import learner, made, uln
from tests.pages.conftest import Site, text_of
from tests.pages.members import signed_in
from tests.pages.test_imports import bring, checked

PLACE = "/staff/missing-learners"
NEXT = "2026-11-06T09:00:00"


def some(*places, **more):
    return [learner(f"L{at}", uln(at * 1_000), **more) for at in places]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """North's second return lacks the first and the fourth learner of its first one; south has sent one return."""
    found = Site(tmp_path_factory.mktemp("missing"))
    for provider, returns in (
        ("north", (made(some(1, 2, 3, 4)), made(some(2, 3, 5), at=NEXT))),
        ("south", (made(some(8, 9)),)),
    ):
        browser = signed_in(found, f"provider:{provider}")
        for text in returns:
            bring(found, browser, checked(found, browser, text, "return.xml"))
            drain(found.tenant)
    yield found
    found.close()


def test_a_provider_reads_who_is_missing_and_which_returns_had_them(site):
    north = signed_in(site, "provider:north")

    page, home = text_of(north.get(PLACE)), text_of(north.get("/provider"))
    listed = north.get(f"{PLACE}.json").json()
    text = north.get(f"{PLACE}.csv").content.decode("utf-8-sig")

    assert [(one["standard"], one["year"], one["last"], one["newest"]) for one in listed] == [
        ("ST1406", "2026 to 2027", "2026-11-04T09:00:00", NEXT),
        ("ST1406", "2026 to 2027", "2026-11-04T09:00:00", NEXT),
    ]
    assert "2 learners of earlier returns are missing from the newest one. See who" in home
    assert "4 November 2026" in page
    assert text.splitlines()[0] == "Learner,Provider,Standard,Teaching year,Last return that had them,Newest return"
    assert len(text.splitlines()) == 3


def test_the_ledger_is_read_once_and_again_after_the_next_return(site, monkeypatch):
    kept, reads, browser = missing.KeptGone(), [], signed_in(site, "provider:west")
    gone = missing._gone  # noqa: SLF001 (how often it reads is what is looked at)
    monkeypatch.setattr(missing, "_gone", lambda *asked: reads.append(1) or gone(*asked))

    for text in (made(some(21, 22)), made(some(21, 22, 23), at=NEXT)):
        bring(site, browser, checked(site, browser, text, "return.xml"))
        drain(site.tenant)
        assert [missing.missing_learners(site.tenant, ["west"], kept) for _ in range(3)] == [([], True)] * 3

    assert len(reads) == 2
    missing.missing_learners(replace(site.tenant, id="another"), ["west"], kept)
    assert len(reads) == 3


def test_another_provider_sees_none_of_them_and_an_administrator_all(site):
    south, boss = signed_in(site, "provider:south"), signed_in(site, "administrator")

    assert south.get(f"{PLACE}.json").json() == []
    assert "Nobody is missing" in text_of(south.get(PLACE))
    assert "missing from the newest one" not in text_of(south.get("/provider"))
    assert [one["provider"] for one in boss.get(f"{PLACE}.json").json()] == ["north", "north"]
    assert PLACE in boss.get("/staff/imports").text


def test_the_command_lists_them_of_all_providers_or_of_one(site):
    place = ("--data", str(site.settings.data))

    def listed(*more):
        run = CliRunner(env={"LRS_STORE_URL": site.settings.store_url})
        return json.loads(run.invoke(main, ["imports", "missing", "--json", *place, *more]).stdout)

    assert {one["provider"] for one in listed()} == {"north"}
    assert len(listed("--provider", "north")) == 2
    assert listed("--provider", "south") == []
