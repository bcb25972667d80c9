"""A learner who is signed in opens a course that is open to learners on their own pages."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from adapters.lms.courses.courses import KIND, course_of
from adapters.lms.launching.own_account import actor_in
from adapters.lms.sessions.session import REGISTRATION, registration_of
from lrs.pages.views import NO_NAME
from lrs.people.persons import identifiers_of
from lrs.storage import each
from tests.adapters.lms.made import imported, open_to_learners, package, shown_in_catalogue, structure, unit
from tests.pages.conftest import Browser, Site, forms_of, text_of
from tests.pages.members import signed_in
from tests.pages.test_learner import work
from tests.pages.test_me import lived
from tests.pages.test_me import signed_in as as_learner

PLACE = "/me/courses"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("own-learning"), content_url="http://content.test")
    yield made
    made.close()


@pytest.fixture(scope="module")
def ann(site):
    return lived(site)


@pytest.fixture(scope="module")
def course(site):
    made = imported(site.tenant, package(structure(unit(title="Gowns", moveOn="Completed")))).course
    open_to_learners(site.tenant, made)
    hidden = imported(site.tenant, package(structure(id="https://p.example/hidden", title="Hidden"))).course
    shown_in_catalogue(site.tenant, hidden)
    return made


def start(browser, course):
    return browser.send(browser.get(PLACE), f"{PLACE}/{course.id}", unit="0")


def test_a_course_that_is_open_to_learners_opens_for_whoever_is_signed_in(site, ann, course):
    browser = as_learner(site, ann)
    page = browser.get(PLACE)
    assert ("Gowns" in text_of(page), "Hidden" in text_of(page), "Not begun" in text_of(page)) == (True, False, True)

    first, again = start(browser, course), start(browser, course)

    assert [one.status_code for one in (first, again)] == [303, 303]
    told = {name: values[0] for name, values in parse_qs(urlsplit(first.headers["location"]).query).items()}
    account = json.loads(told["actor"])["account"]
    assert (account["homePage"].endswith("/me"), ann in account["name"]) == (True, False)
    assert {"account": account} in identifiers_of(site.tenant.store, ann)
    (registration,) = [registration_of(one) for one in each(site.tenant.store, REGISTRATION)]
    assert (registration.course, registration.id) == (course.id, told["registration"])
    assert "form-action 'self' http://content.test;" in page.headers["content-security-policy"]


def sent_by(site, course, source):
    """*course* as one that an author of *source* sent."""
    record = site.tenant.store.get(KIND, course.id)
    body = msgspec.json.encode(msgspec.structs.replace(course_of(record), source=source))
    site.world.write(lambda tx: tx.put(msgspec.structs.replace(record, body=body)))


@pytest.mark.parametrize(
    ("role", "name", "has_record"),
    [("administrator", "Ann Smith", True), ("author:vle", "Ann Smith", False), ("author:north", NO_NAME, False)],
)
def test_staff_read_who_opened_a_course_themselves_by_the_name_that_they_may_know(
    site, ann, course, role, name, has_record
):
    start(as_learner(site, ann), course)
    work(site)
    sent_by(site, course, role.partition(":")[2])
    staff, place = signed_in(site, role), f"/staff/courses/{course.id}/learners"

    (row,) = staff.get(f"{place}.json").json()
    page = staff.get(re.search(rf'href="({place}/[^"]+)"', staff.get(place).text)[1])

    assert (row["learner"], row["platform"]) == (name, "Here")
    assert f"{name} Known at Here" in text_of(page)
    assert (f'href="/staff/learners/{ann}"' in page.text) == has_record


def test_a_learner_keeps_their_account_when_the_server_gets_another_address(site, ann):
    def account(home):
        return site.tenant.store.write(lambda tx: actor_in(tx, site.tenant, ann, home)).result()["account"]

    first, later = account("https://old.example/me"), account("https://new.example/me")

    assert first == later


def test_a_course_that_only_stands_in_the_catalogue_opens_for_nobody(site, ann, course):
    browser = as_learner(site, ann)
    form = forms_of(browser.get(PLACE).text)[-1]["fields"]["form"]

    answers = [browser.ask("POST", f"{PLACE}/{id}", data={"form": form, "unit": "0"}) for id in ("2", "99")]
    none = browser.ask("POST", f"{PLACE}/{course.id}", data={"form": form, "unit": "x"})
    stranger = Browser(site.app).get(PLACE)

    assert [one.status_code for one in (*answers, none)] == [404, 404, 404]
    assert stranger.headers["location"] == "/sign-in/learner?then=/me/courses"
