"""What the tool asks of a platform: tokens, rosters, grades."""

import json
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from structlog.testing import capture_logs

from adapters.lms.lti import courses, grades, rosters, services, skill_grades, users
from adapters.lms.lti.courses import LtiCourse, LtiLink, LtiMember
from adapters.lms.lti.grades import Reached
from adapters.lms.lti.services import ServiceFailed, below, next_page
from adapters.lms.lti.words import LINE_ITEM, READ_MEMBERS, READ_RESULT, WRITE_SCORE
from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.kernel.times import HOUR
from lrs.outbox import listing
from lrs.storage import each
from tests.adapters.lms.lti.platform import CLAIM, DEPLOYMENT, MEMBERSHIP, PATH, World
from tests.matching.world import held, put_profile
from tests.pages.conftest import Browser, text_of

NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"


@pytest.fixture
def world(tmp_path, platform):
    """A tool of its own, for each test: what it owes is counted."""
    services.TOKENS._known.clear()  # noqa: SLF001 (a process has one, and each test a platform that begins anew)
    platform.asked.clear()
    for path in ("/members", "/scores", "/item/scores", "/item/results", "/token", "/more"):
        platform.answers.pop(path, None)
    platform.says("/token", {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600})
    made = World(tmp_path, platform)
    yield made
    made.close()


def launch(world, sub="5", role="Learner", **claims):
    address = world.platform.address
    told = {
        NRPS: {"context_memberships_url": f"{address}/members?course=2", "service_versions": ["2.0"]},
        AGS: {
            "scope": [LINE_ITEM, READ_RESULT, WRITE_SCORE],
            "lineitems": f"{address}/items",
            "lineitem": f"{address}/item?type_id=1",
        },
        CLAIM + "roles": [MEMBERSHIP + role],
        CLAIM + "ext": {},
        "email": "",
    }
    answer = world.launch(sub=sub, **told | claims)
    assert answer.status_code == 303, text_of(answer)
    return answer


def course_of(world):
    ((id, course),) = courses.courses_of(world.store, world.platform.described().id)
    return id, course


def roster(world, *members, path="/members", link=""):
    headers = {"link": link} if link else {}
    world.platform.says(path, {"id": "x", "context": {"id": "2"}, "members": list(members)}, **headers)


def member(sub, status="Active", role="Learner", **more):
    return {"user_id": sub, "status": status, "roles": [role], "name": f"Name {sub}"} | more


def in_course(world):
    id, _ = course_of(world)
    found = courses.members_of_course(world.store, id)
    known = users.those(world.store, [one.user for one in found])
    return {known[one.user].sub: (one.part, one.active) for one in found}


# -- rosters --------------------------------------------------------------------------------------------------------


def test_a_teacher_who_opens_a_course_has_its_roster_read_by_a_worker(world):
    launch(world, "9", "Instructor")
    asked_in_the_launch = [one[1] for one in world.platform.asked if one[1] != "/jwks"]
    roster(world, member("5"), member("6", role=MEMBERSHIP + "Learner"), member("9", role="Instructor"))

    drain(world.tenant, (rosters.STEP,))

    assert asked_in_the_launch == []
    assert in_course(world) == {"9": ("teacher", True), "5": ("learner", True), "6": ("learner", True)}
    asked = {one[1]: one for one in world.platform.asked}
    form = parse_qs(asked["/token"][3].decode())
    assert form["scope"] == [READ_MEMBERS]
    published = world.browser.get(f"{PATH}/jwks").json()
    signed = jwt.decode(form["client_assertion"][0], KeySet.import_key_set(published), algorithms=["RS256"])
    assertion = signed.claims
    assert signed.header["kid"] == published["keys"][0]["kid"], "the next key, which platforms may not know yet"
    assert (assertion["iss"], assertion["sub"], assertion["aud"]) == ("tool", "tool", f"{world.platform.address}/token")
    assert assertion["exp"] - assertion["iat"] == 300
    assert asked["/members?course=2"][2]["authorization"] == "Bearer a-token"
    assert asked["/members?course=2"][2]["accept"] == "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


def test_a_platform_that_asks_for_our_keys_while_it_gives_a_token_is_answered(world):
    launch(world, "9", "Instructor")
    roster(world, member("1"))
    token, answered = world.platform.answers["/token"], []

    def asks_back(_):
        answered.append(Browser(world.app, "https://skills.example.org").get(f"{PATH}/jwks"))
        return token

    world.platform.answers["/token"] = asks_back
    read = rosters.read(world.tenant, course_of(world)[0])

    assert [one.status_code for one in answered] == [200]
    assert answered[0].json()["keys"]
    assert read.members == 1


def test_a_roster_of_several_pages_is_read_whole(world):
    launch(world, "9", "Instructor")
    roster(world, member("1"), link=f'<{world.platform.address}/more?p=2>; rel="next"')
    roster(world, member("2"), path="/more")

    read = rosters.read(world.tenant, course_of(world)[0])

    assert (read.members, {"1", "2"} <= in_course(world).keys()) == (2, True)


def test_whom_no_roster_names_is_gone_once_no_launch_came_for_a_day_and_back_with_the_next_one(world):
    launch(world)
    id = course_of(world)[0]
    roster(world, member("1"))

    def read_after(hours):
        clock = world.tenant.clock
        return rosters.read(replace(world.tenant, clock=lambda: clock() + hours * HOUR), id).gone

    gone = read_after(23), read_after(25), read_after(25)
    meanwhile = in_course(world)["5"]
    launch(world)

    assert gone == (0, 1, 0)
    assert meanwhile == ("learner", False)
    assert in_course(world)["5"] == ("learner", True)


def test_who_is_launched_while_the_roster_is_read_stays(world, monkeypatch):
    launch(world)
    id = course_of(world)[0]
    roster(world, member("1"))
    later = world.tenant.clock() + 25 * HOUR
    before = list(courses.members_of_course(world.store, id))
    monkeypatch.setattr(courses, "members_of_course", lambda *_: before)
    back = msgspec.structs.replace(before[0], launched=later)
    world.store.write(lambda tx: courses.put_member(tx, back)).result()

    assert rosters.read(replace(world.tenant, clock=lambda: later), id).gone == 0
    assert courses.member(world.store, id, back.user).active


def test_who_left_is_marked_and_who_was_never_listed_stays(world):
    launch(world, "9", "Instructor")
    id = course_of(world)[0]
    roster(world, member("1"), member("2"), member("3", "Inactive"))
    first = rosters.read(world.tenant, id)
    roster(world, member("1"))

    read = rosters.read(world.tenant, id)

    assert (first.members, first.gone, read.members, read.gone) == (2, 0, 1, 1)
    assert in_course(world) == {
        "9": ("teacher", True),
        "1": ("learner", True),
        "2": ("learner", False),
        "3": ("learner", False),
    }


def test_a_teacher_does_not_keep_the_address_of_who_left(world):
    launch(world, "9", "Instructor")
    id = course_of(world)[0]
    roster(world, member("1", email="stays@example.org"), member("2", email="left@example.org"))
    rosters.read(world.tenant, id)
    roster(world, member("1", email="stays@example.org"))
    rosters.read(world.tenant, id)

    page = world.browser.get(f"{PATH}/courses/{id}").text

    assert "stays@example.org" in page
    assert "Name 2" in page
    assert "left@example.org" not in page


def test_what_a_platform_answers_to_a_roster_is_for_its_teacher_and_stands_in_no_log(world, capsys):
    launch(world, "9", "Instructor")
    id = course_of(world)[0]
    world.platform.answers["/members"] = (503, {}, b"no roster for ann.learner@example.org")

    with capture_logs() as lines, pytest.raises(ServiceFailed):
        rosters.read(world.tenant, id)

    assert [(one["event"], one["status"]) for one in lines] == [("a roster was not read", 503)]
    assert "ann.learner" not in f"{lines}{capsys.readouterr()}"
    assert "ann.learner" in courses.course(world.store, id).problem


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((503, {}, b"busy"), "answered 503: busy"),
        ((200, {}, b"<html>"), "its roster is no JSON"),
        ((200, {}, b"[]"), "its roster has no members"),
        ((200, {"link": '<https://evil.example/members>; rel="next"'}, b'{"members": []}'), "on another host"),
    ],
)
def test_a_roster_that_is_not_read_whole_takes_nobody_out_and_says_why(world, answer, says):
    launch(world, "9", "Instructor")
    id = course_of(world)[0]
    roster(world, member("1"))
    rosters.read(world.tenant, id)
    world.platform.answers["/members"] = answer

    with pytest.raises(ServiceFailed, match=says):
        rosters.read(world.tenant, id)

    assert in_course(world)["1"] == ("learner", True)
    assert says in courses.course(world.store, id).problem


def test_a_course_that_is_gone_there_is_not_asked_for_again_before_somebody_opens_it(world):
    launch(world, "9", "Instructor")
    world.platform.answers["/members"] = (404, {}, b"no such course")

    drain(world.tenant, (rosters.STEP,))

    assert [one for one in world.store.backlog() if one.step == rosters.STEP] == []
    assert "no such course" in course_of(world)[1].problem


def test_a_learner_of_a_roster_that_says_nothing_usable_is_left_out(world):
    launch(world, "9", "Instructor")
    roster(world, {"user_id": 7}, {"user_id": ""}, {}, "x", member("1", name=7, roles=None))

    rosters.read(world.tenant, course_of(world)[0])

    assert in_course(world) == {"9": ("teacher", True), "1": ("learner", True)}


def test_a_token_is_for_its_tenant_and_its_scopes_until_a_minute_before_its_end(world, monkeypatch):
    now, asked, tokens, platform = [0.0], [], services.AccessTokens(), world.platform.described()
    monkeypatch.setattr(services, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(services, "_asked", lambda access, _: (asked.append(access.key) or "a-token", 3_600))
    monkeypatch.setattr(services.tool_keys, "sign", lambda *_: "")

    def get(scope, tenant=world.tenant):
        tokens.get(services.access_to(tenant, platform, [scope]), world.settings)
        return len(asked)

    assert [get(READ_MEMBERS), get(WRITE_SCORE), get(READ_MEMBERS, replace(world.tenant, id="north"))] == [1, 2, 3]
    now[0] = 3_539
    assert get(READ_MEMBERS) == 3
    now[0] = 3_540
    assert get(READ_MEMBERS) == 4


def test_a_token_that_is_refused_is_renewed_once(world):
    launch(world, "9", "Instructor")
    world.platform.answers["/members"] = (401, {}, b"")

    with pytest.raises(ServiceFailed, match="answered 401"):
        rosters.read(world.tenant, course_of(world)[0])

    assert sum(one[1] == "/token" for one in world.platform.asked) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((400, {}, b'{"error":"invalid_client"}'), "no token: answered 400: .*invalid_client"),
        ((200, {}, b"{}"), "the platform's answer has none"),
        ((200, {}, b"x"), "is no JSON"),
    ],
)
def test_a_platform_that_gives_no_token_is_quoted(world, answer, says):
    launch(world, "9", "Instructor")
    world.platform.answers["/token"] = answer

    with pytest.raises(ServiceFailed, match=says):
        rosters.read(world.tenant, course_of(world)[0])


# -- grades ---------------------------------------------------------------------------------------------------------


def graded(world, given=8.0, most=10.0, at=1_700_000_000_000_000):
    platform = world.platform.described()
    link, user = courses.link_id(platform.id, "1", "3"), users.user_id(platform.id, "5")
    reached = Reached(given, most, at)
    return world.store.write(lambda tx: grades.owe(tx, link, user, reached, world.tenant.clock())).result()


def deliver(world):
    drain(world.tenant, ("deliver",))
    return listing.listed(world.tenant, CHANNELS, channel="lti")


def scores(world):
    return [json.loads(one[3]) for one in world.platform.asked if one[1].startswith("/item/scores")]


def test_a_grade_goes_into_the_column_of_its_link(world):
    launch(world)
    world.platform.says("/item/scores", {})

    graded(world)
    (one,) = deliver(world)

    (asked,) = (one for one in world.platform.asked if one[1].startswith("/item/scores"))
    assert asked[1] == "/item/scores?type_id=1"
    assert asked[2]["content-type"] == "application/vnd.ims.lis.v1.score+json"
    assert json.loads(asked[3]) == {
        "userId": "5",
        "scoreGiven": 8.0,
        "scoreMaximum": 10.0,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2023-11-14T22:13:20.000000Z",
    }
    assert one["state"] == "delivered"


def test_the_same_grade_is_owed_once_and_a_later_one_again_with_a_later_second(world):
    launch(world)
    world.platform.says("/item/scores", {})
    graded(world)
    deliver(world)

    again, better = graded(world), graded(world, 9.0)
    deliver(world)

    assert (again, better) == (False, True)
    assert [one["scoreGiven"] for one in scores(world)] == [8.0, 9.0]
    assert [one["timestamp"] for one in scores(world)] == ["2023-11-14T22:13:20.000000Z", "2023-11-14T22:13:21.000000Z"]


def test_a_newer_grade_in_the_gradebook_stays_and_the_trainer_is_told(world):
    launch(world)
    graded(world)
    world.platform.answers["/item/scores"] = (409, {}, b"newer")
    world.platform.says("/item/results", [{"userId": "5", "resultScore": 3, "resultMaximum": 10}])

    (one,) = deliver(world)
    seen = world.browser.get(launch(world, "9", "Instructor").headers["location"])

    assert (one["state"], one["status"]) == ("delivered", 409)
    assert "Skills: 8 of 10, not taken, a newer one was there already" in text_of(seen)


def test_a_grade_that_arrived_before_without_an_answer_counts_as_sent(world):
    launch(world)
    graded(world)
    world.platform.answers["/item/scores"] = (409, {}, b"newer")
    world.platform.says("/item/results", [{"userId": "5", "resultScore": 80, "resultMaximum": 100}])

    (one,) = deliver(world)

    assert (one["state"], one["status"]) == ("delivered", 200)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"User cannot be graded", ": User cannot be graded"),
        (b"[]", ", and gave no reason. Often the learner is not enrolled there any more"),  # Moodle 4.5
    ],
)
def test_a_gradebook_that_refuses_is_quoted_to_the_trainer(world, body, says):
    launch(world)
    graded(world)
    world.platform.answers["/item/scores"] = (400, {}, body)

    (one,) = deliver(world)
    seen = world.browser.get(launch(world, "9", "Instructor").headers["location"])

    assert one["state"] == "dead"
    assert f"refused: the platform answered 400{says}" in text_of(seen)
    assert "did not reach Moodle : the platform answered 400" in text_of(world.staff().get("/console"))


def test_a_gradebook_that_is_away_is_tried_again_and_the_trainer_sees_that_it_waits(world):
    launch(world)
    graded(world)
    world.platform.answers["/item/scores"] = (503, {}, b"")

    (one,) = deliver(world)
    seen = world.browser.get(launch(world, "9", "Instructor").headers["location"])

    assert one["state"] == "queued"
    assert "Skills: 8 of 10, waiting: the platform answered 503" in text_of(seen)


def test_a_link_without_a_column_gets_no_grade(world):
    launch(world, **{AGS: {}})

    assert graded(world) is False


def test_a_test_user_gets_no_grade_and_stands_in_no_list(world):
    test = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
    launch(world, **{CLAIM + "roles": [MEMBERSHIP + "Learner", test]})

    seen = world.browser.get(launch(world, "9", "Instructor", name="Tess").headers["location"])

    assert graded(world) is False
    assert "Ann Learner" not in text_of(seen)


def test_a_skill_that_somebody_holds_is_a_grade_of_its_link_and_one_that_they_lose_is_none(world):
    opens = {CLAIM + "custom": {"engraft_opens": "skill:gown"}}
    launch(world, **opens)
    world.platform.says("/item/scores", {})
    person = users.user(world.store, users.user_id(world.platform.described().id, "5")).person
    put_profile(world.tenant, person, held("gown"))
    world.store.write(lambda tx: skill_grades.owe_in(tx, person, world.tenant.clock())).result()
    deliver(world)
    for lost in (held("gown", state="expired"), held("gown"), None):
        put_profile(world.tenant, person, *([lost] if lost else []))
        world.store.write(lambda tx: skill_grades.owe_in(tx, person, world.tenant.clock())).result()
        deliver(world)

    assert [(one["scoreGiven"], one["scoreMaximum"]) for one in scores(world)] == [(1.0, 1.0), (0.0, 1.0)] * 2
    assert {scores(world)[place]["comment"] for place in (1, 3)} == {"This skill is not held any more."}


def test_a_skill_goes_to_the_platform_only_by_a_link_that_the_learner_opened(world):
    launch(world)
    person = users.user(world.store, users.user_id(world.platform.described().id, "5")).person
    put_profile(world.tenant, person, held("gown"), held("other"))
    asked = {"custom": {"engraft_opens": "skill:gown"}, "resource_link": {"id": "4"}}
    claims = {CLAIM + name: value for name, value in asked.items()}
    launch(world, "9", "Instructor", **claims)  # a teacher puts a link into the course

    launch(world)
    unopened = grades_of(world, "4")
    launch(world, **claims)
    opened = grades_of(world, "4")
    launch(world, "9", "Instructor", **claims | {CLAIM + "custom": {"engraft_opens": "skill:other"}})
    world.store.write(lambda tx: skill_grades.owe_in(tx, person, world.tenant.clock())).result()
    edited = grades_of(world, "4")
    teacher = users.user(world.store, users.user_id(world.platform.described().id, "9")).person
    put_profile(world.tenant, teacher, held("gown"), held("other"))
    world.store.write(lambda tx: skill_grades.owe_in(tx, teacher, world.tenant.clock())).result()

    assert [
        one for record in each(world.store, grades.KIND) if (one := json.loads(record.body))["person"] == teacher
    ] == []
    assert (unopened, opened, edited) == ([], [1.0], [1.0])
    assert "other" not in world.store.get(grades.KIND, grade_of(world, "4")).body.decode()


def grade_of(world, resource):
    platform = world.platform.described().id
    return grades.grade_id(courses.link_id(platform, DEPLOYMENT, resource), users.user_id(platform, "5"))


def grades_of(world, resource):
    record = world.store.get(grades.KIND, grade_of(world, resource))
    return [json.loads(record.body)["given"]] if record else []


def test_a_platform_that_is_not_approved_any_more_gets_no_grade(world):
    launch(world)
    graded(world)
    from_platform = world.platform.described()
    from adapters.lms.lti import platforms  # noqa: PLC0415 (beside its one use)

    world.store.write(lambda tx: platforms.set_state(tx, from_platform.id, "suspended", "test")).result()

    (one,) = deliver(world)

    assert scores(world) == []
    assert one["state"] == "dead"


# -- pure parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "part", "found"),
    [
        ("https://m.example/item?type_id=1", "scores", "https://m.example/item/scores?type_id=1"),
        ("https://m.example/item/", "results", "https://m.example/item/results"),
    ],
)
def test_a_part_of_an_address_goes_into_its_path(url, part, found):
    assert below(url, part) == found
    more = "&user_id=5+6" if "?" in found else "?user_id=5+6"
    assert below(url, part, user_id="5 6") == found + more


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://m.example/2>; rel="next"', "https://m.example/2"),
        ('<https://m.example/1>; rel="differences", <https://m.example/2>; rel=next', "https://m.example/2"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_the_next_page_is_read_from_the_header(header, found):
    assert next_page({"link": header}) == found


def test_a_member_that_was_listed_stays_listed(world):
    id = world.store.write(lambda tx: courses.put_course(tx, LtiCourse("p", "1", "c"))).result()
    for listed in (True, False):
        seen = LtiMember(id, "u", "p", "learner", listed=listed)
        world.store.write(lambda tx, seen=seen: courses.put_member(tx, seen)).result()

    assert courses.member(world.store, id, "u").listed


def test_the_column_of_a_link_is_kept_where_a_launch_does_not_tell_it(world):
    for item in ("https://m.example/item", ""):
        link = LtiLink("c", "r", opens="skills", item=item)
        world.store.write(lambda tx, link=link: courses.put_link(tx, "l", link)).result()

    assert courses.link(world.store, "l").item == "https://m.example/item"
    assert len(list(each(world.store, courses.LINK))) == 1
