"""Staff open a course for learners that they choose from a list, and take it back."""

import pytest

from adapters.lms.courses import openings
from adapters.lms.courses.courses import course_in
from adapters.lms.courses.in_use import opens, withdraw_in
from adapters.lms.pages import chosen
from lrs.composition.steps import drain
from lrs.people import joins
from lrs.people.persons import members_of
from lrs.tenancy import audit
from tests.adapters.lms.made import imported, package, structure
from tests.competency.world import ANN_ACCOUNT, statement
from tests.pages.conftest import Site, forms_of, text_of
from tests.pages.members import signed_in
from tests.pages.test_me import lived
from tests.pages.test_me import signed_in as as_learner

BOB = {"mbox": "mailto:bob@example.org", "name": "Bob Brown"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("chosen"), content_url="http://content.test")
    yield made
    made.close()


@pytest.fixture(scope="module")
def ann(site):
    return lived(site)


@pytest.fixture(scope="module")
def bob(site):
    site.world.send(statement("bob one", BOB), source="centre")
    drain(site.tenant, ["refs", "match", "evaluate", "list"])
    return site.world.person(BOB)


@pytest.fixture
def course(site, request):
    """A course of each test's own."""
    text = structure(id=f"https://publisher.example/{request.node.name.partition('[')[0]}", title=request.node.name)
    return imported(site.tenant, package(text)).course


def place_of(course):
    return f"/staff/courses/{course.id}/chosen"


def send(browser, course, *persons, act="open", **told):
    page = browser.get(place_of(course))
    assert page.status_code == 200, page.text
    token = forms_of(page.text)[-1]["fields"]["form"]
    return browser.ask("POST", place_of(course), data={"form": token, "act": act, "person": list(persons), **told})


def is_seen(site, person, course):
    return f"/me/courses/{course.id}" in as_learner(site, person).get("/me/courses").text


def test_a_steward_opens_a_course_for_one_learner_and_takes_it_back(site, ann, bob, course):
    steward, store = signed_in(site, "steward"), site.tenant.store
    listed = text_of(steward.get(place_of(course)))

    opened = send(steward, course, ann)

    assert ("Ann Smith" in listed, "Bob Brown" in listed, "You chose nobody yet" in listed) == (True, True, True)
    assert opened.headers["location"] == f"{place_of(course)}?done=course_chosen"
    assert (is_seen(site, ann, course), is_seen(site, bob, course)) == (True, False)
    learner = as_learner(site, ann)
    launched = learner.send(learner.get("/me/courses"), f"/me/courses/{course.id}", unit="0")
    assert launched.headers["location"].startswith("http://content.test/")
    assert not opens(course_in(store, course.id))

    back = send(steward, course, ann, act="back")

    assert back.headers["location"] == f"{place_of(course)}?done=course_taken_back"
    assert not is_seen(site, ann, course)
    form = forms_of(learner.get("/me/plan").text)[-1]["fields"]["form"]
    assert learner.ask("POST", f"/me/courses/{course.id}", data={"form": form, "unit": "0"}).status_code == 404
    entries = [(one.action, one.about) for one in reversed(audit.newest(store, 9)) if one.about.get("person") == ann]
    told = {"course": course.id, "person": ann}
    assert [one for one in entries if one[1] == told] == [("course.opened-for", told), ("course.taken-back", told)]


def test_who_has_it_already_stands_among_those_and_a_second_press_opens_nothing_twice(site, ann, bob, course):
    steward = signed_in(site, "steward")

    for _ in range(2):
        assert send(steward, course, ann, bob, ann).status_code == 303

    assert len(openings.learners(site.tenant.store, course.id)) == 2
    page = steward.get(place_of(course))
    assert [page.text.count(f'value="{person}"') for person in (ann, bob)] == [1, 1]
    assert "open for 2 learners who were chosen" in text_of(steward.get(f"/staff/courses/{course.id}"))


def test_learners_are_looked_for_by_name_without_it_in_an_address(site, ann, bob, course):
    steward = signed_in(site, "steward")

    found, nobody, none = (
        send(steward, course, act="find", who="brown"),
        send(steward, course, act="find", who="Zebedee"),
        send(steward, course),
    )

    assert (found.status_code, bob in found.text, ann in found.text) == (200, True, False)
    assert "Nobody is known by that name" in text_of(nobody)
    assert (none.status_code, "Tick at least one learner first" in text_of(none)) == (400, True)
    assert send(steward, course, ann, act="give").status_code == 400


def test_an_author_opens_courses_of_their_source_for_learners_of_their_source(site, ann, bob, course):
    others = course
    vle, centre = signed_in(site, "author:vle"), signed_in(site, "author:centre")
    token = next(one for one in forms_of(vle.get("/staff/courses").text) if "file" in one["fields"])["fields"]["form"]
    content = package(structure(id="https://publisher.example/of-vle"))
    sent = vle.ask("POST", "/staff/courses", data={"form": token}, files={"file": ("course.zip", content)})
    course = course_in(site.tenant.store, sent.headers["location"].partition("?")[0].rpartition("/")[2])
    assert send(signed_in(site, "administrator"), course, bob).status_code == 303

    page = vle.get(place_of(course))

    assert (ann in page.text, bob in page.text) == (True, False)
    assert ("skill=" in page.text, "skill=" in signed_in(site, "steward").get(place_of(others)).text) == (False, True)
    assert ann in vle.get(f"{place_of(course)}?skill=nobody+holds+this").text
    assert "For one learner whom you may not see" in text_of(page)
    assert [send(vle, course, one).status_code for one in (ann, bob, "nobody")] == [303, 404, 404]
    assert send(vle, course, bob, act="back").status_code == 404
    assert centre.get(place_of(course)).status_code == 404
    assert signed_in(site, "trainer:vle").get(place_of(course)).status_code == 403


def test_a_course_that_was_withdrawn_is_opened_for_nobody_and_seen_by_nobody(site, ann, course):
    steward, store = signed_in(site, "steward"), site.tenant.store
    send(steward, course, ann)
    form = forms_of(steward.get(place_of(course)).text)[-1]["fields"]["form"]
    store.write(lambda tx: withdraw_in(tx, course, "test")).result()

    answer = steward.ask("POST", place_of(course), data={"form": form, "act": "open", "person": [ann]})

    assert (answer.status_code, "This course was withdrawn" in answer.text) == (409, True)
    assert not is_seen(site, ann, course)
    assert len(openings.learners(store, course.id)) == 1


def test_two_persons_who_turn_out_to_be_one_count_once_and_who_sees_all_is_told_of_nobody_else(site, course):
    names = {"a": "mailto:a@twice.example", "b": "mailto:b@twice.example"}
    for name, mbox in names.items():
        site.world.send(statement(f"twice {name}", {"mbox": mbox, "name": f"Cat {name}"}))
    drain(site.tenant, ["refs", "match", "evaluate", "list"])
    one, two = (site.world.person({"mbox": mbox}) for mbox in names.values())
    boss = signed_in(site, "administrator")
    send(boss, course, one, two)

    site.world.write(lambda tx: joins.merge(tx, one, two, by="test"))

    assert "open for one learner who was chosen" in text_of(boss.get(f"/staff/courses/{course.id}"))
    assert "may not see" not in text_of(boss.get(place_of(course)))


def test_who_is_beyond_the_first_part_is_told_as_more_and_can_be_taken_back(site, ann, bob, course, monkeypatch):
    monkeypatch.setattr(chosen, "LISTED", 1)
    steward = signed_in(site, "steward")
    for person in (ann, bob):
        send(steward, course, person)

    first, second = steward.get(place_of(course)), steward.get(f"{place_of(course)}?opened=2")

    assert [(ann in page.text, bob in page.text) for page in (first, second)] == [(False, True), (True, False)]
    told = "And one more, for whom it was opened earlier."
    assert (told in text_of(first), "may not see" in text_of(first), "opened=2" in first.text) == (True, False, True)
    assert "opened=1" in second.text
    send(steward, course, ann, act="back")
    assert openings.learners(site.tenant.store, course.id) == [bob]


def test_what_was_opened_for_somebody_is_theirs_when_they_turn_out_to_be_known_already(site, ann, course):
    site.world.send(statement("by account", ANN_ACCOUNT))
    drain(site.tenant, ["refs", "match", "evaluate", "list"])
    store, other = site.tenant.store, site.world.person(ANN_ACCOUNT)
    send(signed_in(site, "steward"), course, other)

    before = is_seen(site, ann, course)
    site.world.write(lambda tx: joins.merge(tx, ann, other, by="test"))

    assert (before, is_seen(site, ann, course)) == (False, True)
    assert store.write(lambda tx: openings.take_back_in(tx, course.id, [ann], "test")).result() == 1
    assert not openings.is_open_for(store, course.id, members_of(store, ann))
