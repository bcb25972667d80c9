"""A course of ours that a platform opens: launched, done, graded; and who may not."""

import html
import json
import re
from base64 import b64encode
from io import BytesIO
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
import pytest

from adapters.lms.catapult.learners import ClientDesk, enrolled
from adapters.lms.courses import courses as own_courses
from adapters.lms.courses.structure import units_of
from adapters.lms.importing import import_course
from adapters.lms.launching.launching import fetch_in
from adapters.lms.lti import courses, enrolments, picking, users
from adapters.lms.lti.courses import LtiLink, LtiMember
from adapters.lms.lti.enrolments import reached_in
from adapters.lms.sessions.credentials import LaunchTokens
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import REGISTRATION, UnitProgress, put_session, registration_of, sessions_of
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.storage import Owed, each
from lrs.tenancy import audit
from tests.adapters.lms.lti.platform import CLAIM, ISSUER, MEMBERSHIP, PATH, World, cookies
from tests.adapters.lms.made import structure, unit
from tests.pages.conftest import forms_of, text_of

AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
CONTENT = "https://content.example/one/index.html"
VERBS = "http://adlnet.gov/expapi/verbs/"


@pytest.fixture(scope="module")
def world(tmp_path_factory, platform):
    platform.says("/token", {"access_token": "a-token", "expires_in": 3600})
    platform.says("/item/scores", {})
    made = World(tmp_path_factory.mktemp("learning"), platform)
    text = structure(unit(url=CONTENT, moveOn="Passed"))
    made.course = import_course(made.tenant, BytesIO(text), "cmi5.xml", "test").course
    yield made
    made.close()


def launch(world, sub="5", role="Learner", opens=None, link="3", **claims):
    ags = {
        "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        "lineitem": f"{world.platform.address}/item",
    }
    custom = {"engraft_opens": opens or f"course:{world.course.id}"}
    told = {CLAIM + "custom": custom, AGS: ags, CLAIM + "roles": [MEMBERSHIP + role], CLAIM + "ext": {}, "email": ""}
    told |= {CLAIM + "resource_link": {"id": link, "title": "Gowning"}}
    return world.launch(sub=sub, **told | claims)


def start(world, page):
    (form,) = (one for one in forms_of(page.text) if "/learn/" in (one["action"] or ""))
    return world.browser.ask("POST", form["action"], data=form["fields"])


def test_a_learner_starts_a_course_in_the_frame_and_content_gets_what_cmi5_wants(world):
    world.new_browser()
    launched = launch(world)
    page = world.browser.get(launched.headers["location"])

    answer = start(world, page)
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    again = start(world, world.browser.get(launched.headers["location"]))

    assert launched.headers["location"].startswith(f"{PATH}/learn/")
    assert "Not begun" in text_of(page)
    assert f"frame-ancestors {ISSUER};" in page.headers["content-security-policy"]
    assert "form-action 'self' https://content.example;" in page.headers["content-security-policy"]
    assert answer.headers["location"].startswith(f"{CONTENT}?")
    assert json.loads(told["actor"])["account"] == {"homePage": ISSUER, "name": "5"}
    assert told["endpoint"] == "https://skills.example.org/t/default/cmi5/xapi"
    assert dict(parse_qsl(urlsplit(again.headers["location"]).query))["registration"] == told["registration"]


def test_a_learner_chooses_a_language_that_the_browser_keeps_in_the_frame(world):
    world.new_browser()
    place = launch(world).headers["location"]

    before, chosen = world.browser.get(place), world.browser.get(f"{place}?lang=cy")
    pages = [world.browser.get(one) for one in (place, f"{PATH}/me", f"{PATH}/learn/none")]

    kept = cookies(chosen)["engraft.language"]
    assert "?lang=cy" in before.text
    assert kept == "cy; Max-Age=31536000; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
    says = ("Heb ddechrau", "Fy sgiliau", "Ni newidiwyd dim")
    assert [text in text_of(page) for text, page in zip(says, pages, strict=True)] == [True] * 3


def test_from_their_own_pages_a_learner_goes_back_to_the_course_where_the_platform_says_where_it_is(world):
    back, course = f"{ISSUER}/mod/lti/return.php?course=2&sesskey=a%2Fb", "Back to the course"
    link = f'<a href="{html.escape(back)}" target="_top">{course}</a>'

    def pages(address, **claims):
        launch(world, **{CLAIM + "launch_presentation": {"return_url": address}} | claims)
        return [world.browser.get(f"{PATH}/{place}").text for place in ("me", "me/roles")]

    world.new_browser()
    first = pages(back)
    teacher = world.browser.get(launch(world, role="Instructor").headers["location"]).text
    later = {address: pages(address) for address in ("", "javascript:alert(1)", f"{ISSUER}/{'x' * 2_000}")}
    pages(back)
    outside = pages(back, **{CLAIM + "context": {}})
    pages(back)
    name = next(one for one in world.browser.cookies if one.endswith(".lti.back"))
    world.browser.cookies.delete(name)
    world.browser.cookies.set(name, quote("https://evil.example/", safe=""), domain="skills.example.org")
    planted = world.browser.get(f"{PATH}/me").text

    assert all(link in page for page in first)
    assert course not in teacher
    assert [place for place, found in later.items() if any(course in page for page in found)] == []
    assert not any(course in page for page in outside)
    assert (course in planted, "evil.example" in planted) == (False, False)


def test_a_unit_in_a_window_of_its_own_leads_to_a_page_that_needs_no_cookie_of_the_frame(world):
    text = structure(unit(url=CONTENT, launchMethod="OwnWindow"), id="https://publisher.example/window")
    course = import_course(world.tenant, BytesIO(text), "cmi5.xml", "test").course
    world.new_browser()

    elsewhere = {CLAIM + "context": {"id": "another"}}
    launched = launch(world, opens=f"course:{course.id}", link="window", **elsewhere)
    page = world.browser.get(launched.headers["location"])
    opening = start(world, page)
    (address,) = re.findall(r'href="([^"]+)" target="_blank"', opening.text)
    told = dict(parse_qsl(urlsplit(html.unescape(address)).query))
    (session,) = sessions_of(world.store, told["registration"])
    closed = world.new_browser().get(f"{PATH}/closed")

    assert 'target="_blank"' not in page.text  # a window of its own has no cookie of the frame's
    assert session.return_url == f"https://skills.example.org{PATH}/closed"
    assert closed.status_code == 200
    assert "You can close this window." in text_of(closed)


def test_a_link_to_a_course_that_is_not_here_says_whom_to_ask(world):
    world.new_browser()

    page = world.browser.get(launch(world, opens="course:999", link="99").headers["location"])

    assert page.status_code == 404
    assert "Ask your teacher" in text_of(page)
    assert "lrs courses" not in text_of(page)


def test_each_learner_and_each_course_of_the_platform_has_a_registration_of_its_own(world):
    before = len(list(each(world.store, REGISTRATION)))
    for sub in ("21", "22"):
        world.new_browser()
        start(world, world.browser.get(launch(world, sub).headers["location"]))

    assert len(list(each(world.store, REGISTRATION))) == before + 2


def test_a_registration_that_another_platform_made_under_the_id_of_a_learner_leads_nobody_into_its_course(world):
    text = structure(unit(url="https://evil.example/index.html"), id="https://evil.example/course")
    evil = import_course(world.tenant, BytesIO(text), "cmi5.xml", "test", "7").course
    user = users.user_id(world.platform.described().id, "91")
    course = courses.course_id(world.platform.described().id, "1", "2")
    place = LmsPlace(world.tenant, SUBSCRIPTIONS, "")
    code = enrolments.registration_id(world.course, LtiLink(course, "3"), user)
    actor = {"account": {"homePage": "https://evil.example", "name": "x"}}
    enrolled(ClientDesk(place, "7", "platform 7"), evil, actor, code)
    world.new_browser()

    page = world.browser.get(launch(world, "91").headers["location"])

    assert page.status_code == 409
    assert "evil.example" not in page.text


def test_who_has_begun_a_course_goes_on_in_its_version_and_who_comes_later_begins_in_the_next(world):
    def brought(*units):
        text = structure(*units, id="https://publisher.example/versions")
        return import_course(world.tenant, BytesIO(text), "cmi5.xml", "test").course

    course, place = brought(unit(url=CONTENT)), LmsPlace(world.tenant, SUBSCRIPTIONS, "https://lrs.example")
    link, begun = LtiLink("another course", "versions", opens=f"course:{course.id}"), users.user_id("p", "71")
    names = {"homePage": ISSUER, "name": "71"}, "77777777-7777-4777-8777-777777777777"

    def decide(tx):
        courses.put_link(tx, "versions", link)
        enrolments.enrol(tx, place, "versions", LtiMember(link.course, begun, "person", "learner"), names)

    world.store.write(decide).result()
    brought(unit(url=CONTENT), unit(id="https://publisher.example/second", url=CONTENT))

    seen = {}
    for sub in ("71", "72"):
        found = enrolments.opened(world.store, link, users.user_id("p", sub))
        seen[sub] = (len(found.units), found.registration and found.registration.version)
    assert seen == {"71": (1, 1), "72": (2, None)}


def test_a_course_that_another_platform_sent_is_not_offered_and_not_opened(world):
    text = structure(unit(url=CONTENT), id="https://publisher.example/not-for-all")
    theirs = import_course(world.tenant, BytesIO(text), "cmi5.xml", "test", "7").course
    world.new_browser()

    page = world.browser.get(launch(world, "92", opens=f"course:{theirs.id}").headers["location"])

    assert page.status_code == 404
    offered = {one.opens for one in picking.choices(world.store)}
    assert f"course:{world.course.id}" in offered
    assert f"course:{theirs.id}" not in offered


def test_what_content_says_becomes_a_grade(world):
    world.new_browser()
    launched = launch(world, "31")
    answer = start(world, world.browser.get(launched.headers["location"]))
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    world.platform.asked.clear()
    record = world.store.get(REGISTRATION, told["registration"])
    found = registration_of(record)
    version = own_courses.version_in(world.store, found.course, found.version)
    (one,) = units_of(version.structure)
    passed = found.with_unit(one.activity, UnitProgress(attempted=True, passed=True, satisfied=True, score=0.8))
    body = msgspec.json.encode(passed)

    def decide(tx):
        tx.put(msgspec.structs.replace(record, body=body))
        enrolments.owe_grades(tx, found.id, world.tenant.clock())

    world.store.write(decide).result()
    drain(world.tenant, ("deliver",))

    (score,) = (json.loads(one[3]) for one in world.platform.asked if one[1] == "/item/scores")
    assert (score["userId"], score["scoreGiven"], score["scoreMaximum"]) == ("31", 80.0, 100.0)
    assert score["activityProgress"] == "Completed"


def test_statements_of_a_launch_owe_the_look_at_the_grade(world):
    world.new_browser()
    start(world, world.browser.get(launch(world, "41").headers["location"]))

    owed = {one.step: one.waiting for one in world.store.backlog()}
    assert owed[enrolments.STEP] >= 1
    drain(world.tenant, (enrolments.STEP,))
    assert enrolments.STEP not in {one.step for one in world.store.backlog() if one.waiting}


def test_a_link_of_a_course_in_which_somebody_is_not_opens_nothing(world):
    world.new_browser()
    mine = launch(world, "51").headers["location"]
    custom = {"engraft_opens": f"course:{world.course.id}"}
    elsewhere = {CLAIM + "context": {"id": "77"}, CLAIM + "resource_link": {"id": "elsewhere"}}
    other = world.launch(sub="52", **elsewhere, **{CLAIM + "custom": custom})

    assert other.status_code == 303
    assert world.browser.get(mine).status_code == 404


def test_who_was_taken_out_of_the_course_starts_nothing_more(world):
    world.new_browser()
    page = world.browser.get(launch(world, "61").headers["location"])
    user = users.user_id(world.platform.described().id, "61")
    person = users.user(world.store, user).person
    (member,) = courses.memberships_of(world.store, person)
    gone = msgspec.structs.replace(member, active=False)
    world.store.write(lambda tx: courses.put_member(tx, gone)).result()

    assert start(world, page).status_code == 404


@pytest.mark.parametrize("opens", ["course:999", "course:", "course:x#y", "course:1#7"])
def test_a_link_that_somebody_has_changed_to_nothing_says_so(world, opens):
    world.new_browser()
    launched = launch(world, "71", opens=opens, link=f"link {opens}")

    assert world.browser.get(launched.headers["location"]).status_code == 404


def test_a_teacher_of_a_course_link_sees_the_course(world):
    assert launch(world, "9", "Instructor").headers["location"].startswith(f"{PATH}/courses/")


DONE = UnitProgress(attempted=True, satisfied=True)


def test_points_are_the_mean_of_the_units_and_none_before_anything_came(world):
    world.new_browser()
    start(world, world.browser.get(launch(world, "81").headers["location"]))
    record = next(iter(each(world.store, REGISTRATION)))
    found = msgspec.structs.replace(registration_of(record), units={})  # as it was before anything came
    course = own_courses.version_in(world.store, found.course, found.version).structure
    (any_one,) = units_of(course)
    one = msgspec.structs.replace(any_one, move_on="Passed")
    course = msgspec.structs.replace(course, children=(one,))

    def points(**progress):
        reached = reached_in(found.with_unit(one.activity, UnitProgress(**progress)), course, "", 0)
        return reached and (reached.given, reached.is_done)

    assert points(attempted=True) is None
    assert points(satisfied=True) == (100.0, True)
    assert points(failed=True, score=0.4) == (40.0, False)
    assert points(failed=True, score=-0.5) == (0.0, False)
    assert points(passed=True, satisfied=True, score=0.755) == (75.5, True)
    assert reached_in(found, course, "7", 0) is None

    slides = msgspec.structs.replace(one, activity="urn:slides", move_on="NotApplicable")
    both = msgspec.structs.replace(course, children=(slides, one))
    passed = found.with_unit(one.activity, UnitProgress(passed=True, satisfied=True, score=0.9))
    unopened, opened = (reached_in(of, both, "", 0) for of in (passed, passed.with_unit("urn:slides", DONE)))
    assert (unopened.given, unopened.is_done) == (opened.given, opened.is_done) == (95.0, True)
    assert reached_in(found, both, "", 0) is None


def test_a_unit_is_done_failed_begun_or_new():
    states = [UnitProgress(), UnitProgress(attempted=True), UnitProgress(attempted=True, failed=True), DONE]

    assert [enrolments.state_of(one) for one in states] == ["new", "begun", "failed", "done"]


# -- teachers, and who leaves ---------------------------------------------------------------------------------------


def test_a_teacher_tries_what_learners_open_and_nothing_of_it_counts(world):
    world.new_browser()
    start(world, world.browser.get(launch(world, "41").headers["location"]))  # so that the link is known
    world.new_browser()
    page = world.browser.get(launch(world, "42", role="Instructor").headers["location"])

    (form,) = (one for one in forms_of(page.text) if "/try/" in (one["action"] or ""))
    answer = world.browser.ask("POST", form["action"], data=form["fields"])
    elsewhere = world.browser.ask("POST", form["action"].replace("/try/", "/try/none"), data=form["fields"])

    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    found = registration_of(world.store.get(REGISTRATION, told["registration"]))
    (session,) = sessions_of(world.store, found.id)
    assert "Nothing that you do in it counts" in text_of(page)
    assert "form-action 'self' https://content.example;" in page.headers["content-security-policy"]
    assert (answer.status_code, session.mode, found.actor["account"]["name"]) == (303, "Browse", "42")
    assert list(each(world.store, enrolments.KIND, key("lti.enrolment", found.id))) == []
    assert elsewhere.status_code == 404


def test_who_is_taken_out_of_a_course_in_the_middle_gets_no_further_and_is_told_whom_to_ask(world):
    world.new_browser()
    answer = start(world, world.browser.get(launch(world, "51").headers["location"]))
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    (session,) = sessions_of(world.store, told["registration"])
    token = f"{session.id}:secret"
    world.store.write(lambda tx: put_session(tx, msgspec.structs.replace(session, token=digest_of("secret")))).result()
    user = users.user_id(world.platform.described().id, "51")
    course = courses.course_id(world.platform.described().id, "1", "2")
    member = courses.member(world.store, course, user)

    def leave(tx):
        courses.put_member(tx, msgspec.structs.replace(member, active=False))
        enrolments.leave(tx, member, world.tenant.clock())

    elsewhere = msgspec.structs.replace(member, course="another")
    world.store.write(lambda tx: enrolments.leave(tx, elsewhere, world.tenant.clock())).result()
    assert sessions_of(world.store, told["registration"])[0].is_open
    world.store.write(leave).result()
    with pytest.raises(Refused, match="taken out of this course") as caught:
        LaunchTokens().caller(world.tenant, f"Basic {b64encode(token.encode()).decode()}", "")
    left = msgspec.structs.replace(sessions_of(world.store, told["registration"])[0], token="")  # as if not fetched yet
    world.store.write(lambda tx: put_session(tx, left, (Owed("abandon"),))).result()
    fetched = world.store.write(lambda tx: fetch_in(tx, told["fetch"].rpartition("/")[2], "late")).result()
    drain(world.tenant, ("abandon",))

    (ended,) = sessions_of(world.store, told["registration"])
    assert (caught.value.status, fetched, ended.abandoned_by) == (403, None, "left")
    assert [entry.about["session"] for entry in audit.newest(world.store, 5) if entry.action == "launch.ended"] == [
        session.id
    ]
