"""Shown names of sources: who gives them, where people read them, and where the source's own name stays."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from lrs.access.keys import create_key
from lrs.access.source_names import SourceNames, put_name
from lrs.cli import main
from lrs.composition.steps import drain
from lrs.storage import each
from tests.competency.world import ANN, statement
from tests.pages.conftest import text_of
from tests.pages.members import signed_in as member
from tests.pages.test_me import lived, signed_in

PAGE = "/connect/sources/vle"
CALLED = "Northgate <b>Online</b>"
TAKEN = ("Northgate", "NORTHGATE", "Centre", "online Platform", "online-platform")


@pytest.fixture
def administrator(site):
    create_key(site.tenant, "vle", ["statements/write"])
    return member(site, "administrator")


def test_people_read_the_shown_name_and_files_and_addresses_keep_the_sources_own(site, administrator):
    before = lived(site)
    administrator.send(administrator.get(PAGE), f"{PAGE}/name", shown=f"  {CALLED} ")
    ann = lived(site, {"mbox": "mailto:ben@example.org"}, "Ben Ode")
    drain(site.tenant)

    pages = {path: administrator.get(path) for path in ("/arrivals", "/staff/learners", "/connect", PAGE)}
    mine, why = signed_in(site, ann).get("/me"), administrator.get(f"/staff/learners/{ann}")
    badges = {one.meta["person"]: one.body.decode() for one in each(site.tenant.store, "credential")}

    assert [path for path, page in pages.items() if CALLED not in text_of(page)] == []
    assert CALLED in text_of(mine)
    assert CALLED in text_of(why)
    assert "<b>Online" not in mine.text + why.text + pages["/arrivals"].text
    assert "vle" in administrator.get("/staff/learners.csv").text
    assert administrator.get("/arrivals.json").json()[0]["source"] == "vle"
    assert f"Recorded by {CALLED}" in badges[ann]
    assert "Recorded by vle" in badges[before]
    assert ("source.named", f"staff {administrator.member}") in site.audit()


def test_a_name_that_misleads_is_refused_and_an_author_gives_none(site, administrator):
    site.tenant.store.write(lambda tx: put_name(tx, "centre", "Northgate", by="test")).result()
    create_key(site.tenant, "online-platform", ["statements/write"])
    author = member(site, "author:vle")

    answers = {
        said: administrator.send(administrator.get(PAGE), f"{PAGE}/name", shown=said)
        for said in (
            "Northgate",
            "NORTHGATE",
            "Centre",
            "online Platform",
            "online-platform",
            "x" * 81,
            "a\u202eb",
            "a\x07",
        )
    }

    assert [one.status_code for one in answers.values()] == [409] * 5 + [400] * 3
    assert all('id="shown-error"' in one.text for one in answers.values())
    assert author.ask("POST", f"{PAGE}/name", data={"shown": "Mine"}).status_code == 403
    assert "Shown name" not in text_of(author.get(PAGE))
    assert SourceNames(site.tenant.store).known == {"centre": "Northgate"}


def test_a_source_without_a_key_is_named_if_it_told_something(site, administrator):
    site.world.send(statement("one", ANN), source="centre")

    assert administrator.get("/connect/sources/centre").status_code == 200
    assert administrator.get("/connect/sources/nobody").status_code == 404


@pytest.mark.parametrize(
    ("source", "said"), [("online-platform", "Online platform"), ("vle", "vle"), ("North Centre", "North Centre")]
)
def test_learners_read_a_source_without_a_shown_name_in_words(source, said):
    assert SourceNames(None).said(source) == said


def test_the_command_names_a_source_and_takes_the_name_away(tmp_path, monkeypatch):
    monkeypatch.setenv("LRS_DATA", str(tmp_path))

    def run(*words):
        return CliRunner().invoke(main, words)

    run("tenants", "create", "default")
    named = json.loads(run("sources", "name", "vle", "Northgate", "--json").stdout)
    again = run("sources", "name", "vle", "Northgate")
    gone = json.loads(run("sources", "name", "vle", "--clear", "--json").stdout)

    assert (named["shown"], gone["shown"]) == ("Northgate", "")
    assert (again.exit_code, again.output) == (1, "Error: vle is called so already\n")
    assert run("sources", "name", "vle").exit_code == 2
