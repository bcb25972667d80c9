"""The public pages of roles: what each asks for, in the framework's words, and which entries lead there."""

import json
from html import unescape
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from adapters.catalogue import offerings
from adapters.catalogue.entries import CatalogueEntry, Given
from adapters.catalogue.leads import asked_for, leads
from adapters.catalogue.offerings import Offering
from adapters.training_centre.centre_sessions import Gives
from lrs.cli import main
from lrs.competency.frameworks.frameworks import published
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Requirement
from tests.competency.world import URI, statement
from tests.pages.conftest import Browser, Site, text_of

ROLES = f"""role,role_label,competency,label,framework,level,importance,valid_from,valid_until
operator,Aseptic <b>operator</b>,GOWN,,{URI},2,,,
operator,,ASEP,,{URI},3,,,
operator,,NONE,Something else,,,optional,,
https://skills.example/roles?of=2028&x,"Lead ""2028"" nights",GOWN,,{URI},,,2028-01-01,2028-12-31
"""
LATER = "https://skills.example/roles?of=2028&x"
AS_JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    found, faults = roles.read_roles(ROLES.encode())
    assert faults == []
    offered = (
        Offering("basics", "Gowning <i>basics</i>", "Workshop", "North", gives=(Gives("GOWN", 1),), hours=7.5),
        Offering("judge", "Judging gowning", gives=(Gives("GOWN", 2), Gives("GOWN", 1)), online=True),
        Offering("talk", "A talk", "Talk", gives=(Gives("GOWN"),)),
        Offering("other", "Other", gives=(Gives("NONE", 1), Gives("WELD", 1))),
    )
    for role in found:
        made.tenant.store.write(lambda tx, role=role: roles.keep(tx, role)).result()
    for one in offered:
        made.tenant.store.write(lambda tx, one=one: offerings.keep(tx, one, "test")).result()
    made.world.send(statement("first"))
    made.world.work()
    yield made
    made.close()


@pytest.fixture
def stranger(site):
    return Browser(site.app)


def test_everybody_reads_what_a_role_asks_for_and_what_leads_there_without_signing_in(stranger):
    page = stranger.get("/roles/one?role=operator")

    text = text_of(page)
    assert "Aseptic <b>operator</b> Required Gowning : level 2, Practitioner" in text
    assert "GOWN Gowns without touching the outside Judges the gowning of others What leads there" in text
    assert "Judging gowning : level 2, Practitioner Course · Online" in text
    assert "Gowning <i>basics</i> : level 1, Awareness Workshop · 7.5 hours · Ask who runs it" in text
    assert "Ask who runs it · a step on the way" in text
    assert "A talk Talk · Ask who runs it · it does not say to which level" in text
    assert "Useful, not required Something else Nothing in the catalogue leads there at present." in text
    assert text.index("Judging gowning") < text.index("basics") < text.index("A talk")
    assert page.headers["x-frame-options"] == "DENY"


def test_a_program_gets_the_same_as_json(stranger):
    told = stranger.ask("GET", "/roles/one?role=operator", headers=AS_JSON).json()

    assert (told["id"], told["label"], told["validFrom"]) == ("operator", "Aseptic <b>operator</b>", None)
    gowning, _, other = told["requirements"]
    assert (gowning["code"], gowning["label"], gowning["framework"]) == ("GOWN", "Gowning", URI)
    assert (gowning["essential"], gowning["level"], gowning["levelLabel"]) == (True, 2, "Practitioner")
    assert gowning["statements"] == ["Gowns without touching the outside", "Judges the gowning of others"]
    assert [(one["id"], one["level"], one["enough"]) for one in gowning["courses"]] == [
        ("judge", 2, True),
        ("basics", 1, False),
        ("talk", None, False),
    ]
    assert gowning["courses"][1]["address"].endswith("/catalogue/basics")
    assert (other["competency"], other["framework"], other["courses"]) == ("NONE", None, [])


def test_every_site_may_show_a_role_in_a_frame_and_the_frame_has_no_navigation_and_no_form(stranger):
    page = stranger.get("/roles/embed?role=operator")

    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert "form-action 'none'" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert "set-cookie" not in page.headers
    assert "<header" not in page.text
    assert "<form" not in page.text
    assert 'target="_blank" rel="noopener"' in page.text
    assert "Judging gowning" in text_of(page)


def test_the_page_has_the_code_to_show_it_elsewhere_and_the_name_of_a_role_stays_text_in_it(stranger):
    page = stranger.get(f"/roles/one?{urlencode({'role': LATER, 'on': '2028-06-01'})}")

    code = unescape(page.text).partition("<iframe ")[2]
    assert "/roles/embed?role=https%3A%2F%2Fskills.example%2Froles%3Fof%3D2028%26x&amp;on=2028-06-01" in code
    assert 'title="Lead &quot;2028&quot; nights"' in code


def test_the_list_has_the_roles_in_effect_on_the_day_and_is_searched(stranger):
    assert "nights" not in text_of(stranger.get("/roles"))
    assert "Aseptic <b>operator</b> Gowning, Aseptic" in text_of(stranger.get("/roles?q=gowning"))
    assert "No role fits this" in text_of(stranger.get("/roles?q=welding"))

    later = stranger.get("/roles?on=2028-12-31")

    assert 'Lead "2028" nights' in text_of(later)
    assert "These roles have effect on 31 December 2028" in text_of(later)
    assert 'name="on" value="2028-12-31"' in later.text
    assert "sort=-role" in later.text
    assert "on=2028-12-31&amp;sort=-role" in later.text
    told = stranger.ask("GET", "/roles?on=2028-12-31", headers=AS_JSON).json()
    assert told["on"] == "2028-12-31"
    assert [(one["id"], one["required"], one["from"]) for one in told["roles"]] == [
        ("operator", 2, None),
        (LATER, 1, "2028-01-01"),
    ]
    assert [one["id"] for one in stranger.get("/roles.json?on=2029-01-01").json()] == ["operator"]
    assert stranger.get("/roles.csv").text.startswith("\ufeffRole,Name,Asks for,Required skills,")


@pytest.mark.parametrize(
    ("address", "status", "told"),
    [
        ("/roles/one?role=none", 404, "there is no such role"),
        ("/roles/one?role=", 404, "there is no such role"),
        (
            "/roles/one?role=https%3A%2F%2Fskills.example%2Froles%3Fof%3D2028%26x&on=2029-01-01",
            404,
            "and not on 1 January 2029. For another day, add on= to the address, such as on=2028-01-01.",
        ),
        ("/roles?on=2028-02-30", 400, "on"),
        ("/roles/embed?role=operator&on=soon", 400, "on"),
        ("/roles/one", 400, "role"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words_to_people_and_to_programs(stranger, address, status, told):
    page = stranger.get(address)
    answer = stranger.ask("GET", address, headers=AS_JSON)

    assert (page.status_code, answer.status_code) == (status, status)
    assert told in text_of(page)
    assert told in answer.text
    assert answer.headers["content-type"].startswith("application/")


def test_a_code_without_its_framework_is_led_to_by_nothing_and_an_id_needs_none(site):
    frameworks = published(site.tenant.store)
    item = frameworks[0].item_named("GOWN")
    entry = CatalogueEntry("a", "A", "Course", (Given("Gowning", 1, (item.id,)),))

    assert leads(asked_for(Requirement("GOWN"), frameworks), [entry]) == []
    assert leads(asked_for(Requirement("GOWN", framework="https://example.org/other"), frameworks), [entry]) == []
    (found,) = leads(asked_for(Requirement(item.id, level=2), frameworks), [entry])
    assert (found.entry.id, found.level, found.enough) == ("a", 1, False)


def plan(site, *words):
    where = {"LRS_DATA": str(site.settings.data), "LRS_STORE_URL": site.settings.store_url}
    return CliRunner(env=where).invoke(main, ["plan", "show", *words])


def test_the_command_shows_what_a_learner_would_take_and_what_nothing_covers(site):
    told = plan(site, "--person", "mailto:ann@example.org", "--role", "operator", "--json")

    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert (found["role"], [one["id"] for one in found["steps"]]) == ("operator", ["judge"])
    assert found["left"] == ["Aseptic technique", "Something else"]


@pytest.mark.parametrize(
    ("person", "role", "says"),
    [
        ("mailto:nobody@example.org", "operator", "nobody is known as mailto:nobody@example.org"),
        ("mailto:ann@example.org", "pilot", "pilot; lrs roles list has their ids"),
    ],
)
def test_a_plan_for_nobody_or_for_no_role_is_refused_with_where_to_look(site, person, role, says):
    told = plan(site, "--person", person, "--role", role)

    assert (told.exit_code, says in told.output) == (1, True), told.output
