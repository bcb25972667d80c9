"""The page of an employer: the skills of those of its staff who agreed, at once no more, and of nobody else."""

from __future__ import annotations

import csv
import io
import json
import re

import msgspec
import pytest
from click.testing import CliRunner

from lrs.access.roles import granted
from lrs.cli import main
from lrs.competency.shapes import ProfileEntry
from lrs.kernel.errors import Refused
from lrs.kernel.times import MINUTE
from lrs.matching import changes, employers, registry, services
from lrs.matching.consent import consent, links
from lrs.matching.consent import page as consent_page
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.developers import with_services
from lrs.matching.employers import Employee
from lrs.matching.registry import EMPLOYERS_PURPOSE, AboutService
from lrs.pages import employer_view
from lrs.storage import each
from tests.matching.world import Clock, held, put_badge, put_service, tenant_in
from tests.pages.conftest import Browser, text_of
from tests.pages.members import signed_in as staff_signed_in
from tests.pages.test_learner import work
from tests.pages.test_me import BEA, lived, signed_in

PLACE = "/employer"


@pytest.fixture
def works(site):
    """An employer, somebody of it who is signed in, and Ann and Bea, who hold two skills each."""
    made = registry.add_employer(site.tenant, "Cell Works", AboutService(), by="test")
    site.works = made
    site.ann, site.bea = lived(site), lived(site, BEA, "Bea")
    site.boss = staff_signed_in(site, f"employer:{made.id}")
    return made


def asked(site, address, called):
    """The link that the employer is shown for somebody."""
    page = site.boss.send(site.boss.get(PLACE), PLACE, address=address, called=called)
    return re.search(r'<code id="link">https?://[^/<]+([^<]+)</code>', page.text)[1]


def answer_at(browser, link, word):
    page = browser.get(link)
    token = re.search(r'name="form" value="([^"]+)"', page.text)
    return browser.ask("POST", link, data={"form": token[1] if token else "", "answer": word})


@pytest.mark.usefixtures("works")
def test_who_agreed_is_seen_under_the_name_that_the_employer_gave_and_nobody_else(site):
    link = asked(site, "ann@example.org", "A. Smith, QC")
    asked(site, "bea@example.org", "Bea")
    before = text_of(site.boss.get(PLACE))

    ann = signed_in(site, site.ann)
    question = text_of(ann.get(link))
    answered = answer_at(ann, link, "agree")
    after = text_of(ann.get(link))
    work(site)

    page = site.boss.get(PLACE)
    rows = list(csv.DictReader(io.StringIO(site.boss.get(f"{PLACE}.csv").text.removeprefix("\ufeff"))))
    (found,) = site.boss.get(f"{PLACE}.json").json()
    assert "The employer asks for A. Smith, QC : that is how it calls you." in question.replace("QC:", "QC :")
    assert answered.status_code in {200, 303}
    assert "Go to “My skills”" in after
    assert "Nobody yet" in before
    assert rows == [
        {
            "Who": "A. Smith, QC",
            "Ends next": "2027-11-20",
            "Aseptic technique": "Practitioner",
            "Aseptic technique, until": "2027-11-20",
            "Gowning": "Awareness",
            "Gowning, until": "",
        }
    ]
    assert found == {
        "called": "A. Smith, QC",
        "next": "2027-11-20",
        "Aseptic technique": "Practitioner",
        "Aseptic technique, until": "2027-11-20",
        "Gowning": "Awareness",
        "Gowning, until": None,
    }
    assert "For Cell Works ." in text_of(page)
    assert "A. Smith, QC" in text_of(page)
    assert "Practitioner, until 20 November 2027" in text_of(page)
    assert not any(told in page.text for told in ("Ann Smith", "ann@example.org", "bea@example.org"))
    assert ("employee.asked", f"staff {site.boss.member}") in site.audit()


def test_what_is_stopped_is_gone_at_once_and_the_learner_sees_who_looked(site, works):
    browser = signed_in(site, site.ann)
    answer_at(browser, asked(site, "ann@example.org", "Ann"), "agree")
    work(site)
    site.boss.get(PLACE)
    start = site.boss.get("/staff").text
    seen = text_of(browser.get("/me/sharing"))

    stopped = browser.send(browser.get("/me/sharing"), "/me/sharing/stop", service=works.id)
    said = text_of(browser.get(stopped.headers["location"]))

    after = site.boss.get(f"{PLACE}.json").json()
    assert after == []
    assert '<h3><a href="/employer">Your staff</a></h3>' in start
    assert "There is no page for your roles yet" not in start
    assert "What it downloaded stays with it." in said
    assert "is told to forget" not in seen + said
    assert "Your skills. Each skill that was proven, at which level and until when, beside" in seen
    assert "It calls you by a name of its own." in seen
    assert "Cell Works was told your skills, because it asked" in seen


def test_the_page_says_when_it_does_not_read_the_answer_of_everybody(site, works, monkeypatch):
    for browser, address in (
        (signed_in(site, site.ann), "ann@example.org"),
        (signed_in(site, site.bea), "bea@example.org"),
    ):
        answer_at(browser, asked(site, address, address), "agree")
    work(site)
    told = "answers to you are read. Whoever agreed after them is not here"
    monkeypatch.setattr(employers, "MOST", 2)
    all_read = text_of(site.boss.get(PLACE))

    monkeypatch.setattr(employers, "MOST", 1)

    assert told not in all_read
    assert f"The first 1 {told}" in text_of(site.boss.get(PLACE))
    assert len(employers.employees(site.tenant, works).people) == 1


@pytest.mark.usefixtures("works")
def test_only_the_learner_signed_in_can_answer_an_employer(site):
    link = asked(site, "ann@example.org", "Ann")
    stranger = Browser(site.app)
    page = stranger.get(link)
    told = consent_form(site, stranger)

    forged = stranger.ask("POST", link, data={"form": told, "answer": "agree"})
    other = signed_in(site, site.bea).get(link)

    assert "To answer, sign in first" in text_of(page)
    assert 'value="agree"' not in page.text
    assert (forged.status_code, "only you, signed in, can answer" in text_of(forged)) == (403, True)
    assert other.status_code == 403
    assert site.boss.get(f"{PLACE}.json").json() == []


def consent_form(site, browser):
    """The token of a form that the page does not show to whoever is not signed in."""
    (record,) = each(site.tenant.store, links.KIND)
    return consent_page.form_token(site.tenant, record.id, browser.cookies["consent"])


def test_an_employer_sees_no_badge_and_gets_no_token_and_no_new_secrets(site, works):
    scopes = ("profiles:read",)
    grant = Grant(Subject(person=site.ann), works.id, scopes, EMPLOYERS_PURPOSE, "operator", "test", "Ann")
    site.world.write(lambda tx: consent.give(tx, grant))

    put_badge(site.tenant, site.ann, "b1")

    (seen,) = employers.employees(site.tenant, works).people

    assert changes.current(site.tenant, site.tenant.store, works, site.ann, site.world.clock()).badges == {}
    assert [one.competency.label for one in seen.skills] == ["Aseptic technique", "Gowning"]
    assert services.authenticate(site.tenant, works.id, "anything") is None
    with pytest.raises(Refused, match="an employer has no secrets"):
        registry.rotate(site.tenant, works.id, by="test")


def test_the_role_is_for_an_employer_and_a_developers_for_a_matching_service(site, works):
    made = registry.register(
        site.tenant, "Finder", webhook=None, scopes=("profiles:read",), purpose="To suggest jobs", by="test"
    ).service
    wrong = staff_signed_in(site, f"employer:{made.id}")

    for role in (f"employer:{made.id}", f"developer:{works.id}"):
        with pytest.raises(Refused, match="There is no"):
            with_services(site.tenant.store, [granted(role)])
    assert with_services(site.tenant.store, [granted("employer:Cell Works")]) == [granted(f"employer:{works.id}")]
    assert "No employer" in text_of(wrong.get(PLACE))
    assert site.boss.get("/staff/learners").status_code == 403


def test_an_employer_is_chosen_from_the_list_of_roles_and_its_name_stands_in_the_invitation(site, works):
    value = f"employer:{works.id}"
    admin = staff_signed_in(site, "administrator")
    page = admin.get("/staff/members")

    made = admin.send(page, "/staff/members", email="hr@works.example", role=value, of="")
    link = re.search(r"/invitation/[\w-]+(?=</code>)", made.text)[0]

    assert f'<option value="{value}">Employer, Cell Works</option>' in page.text
    assert "is invited as Employer (Cell Works)" in text_of(made)
    assert "Employer (Cell Works) : employs people" in text_of(Browser(site.app).get(link))
    assert works.id not in text_of(admin.get("/staff/members"))


@pytest.mark.usefixtures("works")
def test_an_employer_sees_whom_it_asked_and_when_and_not_what_they_answered(site):
    asked(site, "nobody@example.org", "Sam of stores")
    link = asked(site, "ann@example.org", "Ann of filling")
    answer_at(signed_in(site, site.ann), link, "refuse")

    page = text_of(site.boss.get(PLACE))

    assert "Ann of filling 21 November 2026, 12:00 GMT Sam of stores 21 November 2026, 12:00 GMT" in page


@pytest.mark.usefixtures("works")
def test_the_first_page_says_who_gave_no_answer_while_the_link_lasted(site):
    """A refusal looks like no answer; who is asked again, or agreed, waits for nobody."""
    refused, agreed = asked(site, "ann@example.org", "Ann"), asked(site, "bea@example.org", "Bea")
    answer_at(signed_in(site, site.ann), refused, "refuse")
    answer_at(signed_in(site, site.bea), agreed, "agree")
    asked(site, "cy@example.org", "Cy")

    before = text_of(site.boss.get("/staff"))
    site.world.clock.now += links.LASTS
    after = text_of(staff_signed_in(site, f"employer:{site.works.id}").get("/staff"))

    assert "Nothing needs you." in before
    assert "Your staff : 2 asked, and no answer while the link lasted" in after


@pytest.mark.usefixtures("works")
def test_a_double_click_makes_one_link_and_a_minute_later_a_new_one_is_made(site):
    first, again = asked(site, "ann@example.org", "Ann"), asked(site, "ann@example.org", "Ann")
    other = asked(site, "ann@example.org", "Ann of filling")
    site.world.clock.now += MINUTE
    later = asked(site, "ann@example.org", "Ann")

    assert first == again
    assert len({first, other, later}) == 3
    assert text_of(site.boss.get(PLACE)).count("21 November 2026, 12:0") == 3


@pytest.mark.usefixtures("works")
def test_what_an_employer_writes_wrongly_is_said_beside_the_form(site):
    for address, called, said in (
        ("ann", "Ann", "e-mail address"),
        ("ann@example.org", "", "Write how you call them"),
        ("ann@example.org", "x" * 201, "Write how you call them"),
    ):
        page = site.boss.send(site.boss.get(PLACE), PLACE, address=address, called=called)
        assert (page.status_code, said in text_of(page)) == (400, True), (address, text_of(page))
    assert site.boss.get(f"{PLACE}?skills=9999").status_code == 200


def test_an_administrator_adds_an_employer_on_a_page_once(browser):
    form, given = browser.get("/staff/new-service"), {"who": "employer", "employer_name": "Cell Works"}

    answer = browser.send(form, "/staff/services", **given)
    again = browser.send(form, "/staff/services", **given)
    page = text_of(browser.get("/staff/services/cell-works"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/services/cell-works?done=employer_added")
    assert (again.status_code, "exists already" in text_of(again)) == (409, True)
    assert "Invite somebody of this employer" in page
    assert "Send a test event" not in page


def test_the_command_adds_an_employer_once_and_lists_employers_alone(tmp_path):
    with tenant_in(tmp_path, Clock()) as tenant:
        put_service(tenant)
        run, folder = CliRunner().invoke, ["--data", str(tmp_path)]

        added, again = (run(main, ["employers", "add", "Gene House", *folder]) for _ in range(2))
        listed = json.loads(run(main, ["employers", "list", "--json", *folder]).stdout)

    assert (added.exit_code, added.stdout) == (0, "added: gene-house\n")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    assert [one["id"] for one in listed] == ["gene-house"]


def test_what_ends_next_is_the_first_end_of_what_is_held_and_nothing_that_has_ended() -> None:
    employer = services.Service("works", "Works", "", (), "", "", employer=True)
    ended, soon = held("a", state="expired", valid_until="2026-01-31"), held("b", state="expiring")
    never, later = held("c", valid_until=None), held("d", valid_until="2028-01-31")
    skills = [[ended, soon, never, later], [ended, never], []]
    people = [[msgspec.convert(one, ProfileEntry, strict=False) for one in some] for some in skills]

    rows = employer_view.matrix([Employee("Ann", employer, tuple(some)) for some in people]).rows

    assert [(row.values["next"], row.shown["next"]) for row in rows] == [
        ("2027-09-30", "30 September 2027"),
        (None, "Nothing"),
        (None, "Nothing"),
    ]


def test_many_skills_are_shown_in_parts_and_the_files_have_all_of_them() -> None:
    employer = services.Service("works", "Works", "", (), "", "", employer=True)
    skills = [msgspec.convert(held(f"skill-{place}"), ProfileEntry, strict=False) for place in range(7)]
    whole = employer_view.matrix(
        [Employee("Ann", employer, tuple(skills)), Employee("Bea", employer, tuple(skills[6:]))]
    )

    part = employer_view.part_of(whole, "5")

    assert [one.label for one in whole.columns] == [
        *("Who", "Ends next", "About skill-6"),
        *(f"About skill-{place}" for place in range(6)),
    ]
    assert [one.label for one in part.columns] == ["Who", "Ends next", "About skill-4", "About skill-5"]
    assert [(one["address"], one["current"]) for one in employer_view.parts(whole, part, "/employer")] == [
        ("/employer?skills=0", False),
        ("/employer?skills=5", True),
    ]
    assert employer_view.part_of(whole, "999").first == employer_view.part_of(whole, "-1").first == 0
