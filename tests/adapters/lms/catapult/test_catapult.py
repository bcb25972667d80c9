"""The routes of CATAPULT's player: who may use them, what they answer, and what they refuse."""

from contextlib import contextmanager

import pytest

from adapters.lms.launching.launching import LaunchOrder, launch
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.place import LmsPlace
from lrs.access.keys import revoke_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.storage import each
from lrs.tenancy.tenants import open_tenant
from tests.adapters.lms.launched import API, PlatformClient, learner, verbs_of
from tests.adapters.lms.made import block, imported, package, structure, unit
from tests.served import new_id

COURSE = "https://publisher.example/catapult"


@contextmanager
def open_there(folder):
    tenant = open_tenant(Settings(data=folder))
    yield tenant
    tenant.store.close()


@pytest.fixture(scope="module")
def course(platform):
    objective = (
        '<objectives><objective id="https://publisher.example/o"><title><langstring lang="en">Wash</langstring></title>'
        '<description><langstring lang="en">Wash</langstring></description></objective></objectives>'
    )
    reference = '<objectives><objective idref="https://publisher.example/o"/></objectives>'
    part = block(unit(moveOn="Passed", masteryScore="0.8", launchMethod="OwnWindow", within=reference))
    return platform.bring(structure(part, id=COURSE, before=objective))


def test_a_course_is_shown_as_clients_of_the_player_read_it(platform, course):
    shown = platform.ask("GET", f"course/{course['id']}").json()

    assert shown == course
    assert (shown["tenantId"], isinstance(shown["id"], int)) == (platform.id, True)
    (au,) = shown["metadata"]["aus"]
    assert {name: au[name] for name in ("auIndex", "moveOn", "masteryScore", "launchMethod", "objectives")} == {
        "auIndex": 0,
        "moveOn": "Passed",
        "masteryScore": 0.8,
        "launchMethod": "OwnWindow",
        "objectives": ["https://publisher.example/o"],
    }
    assert au["title"] == [{"lang": "en", "text": "Unit"}]
    assert [parent["id"] for parent in au["parents"]] == ["https://publisher.example/block"]
    told = shown["structure"]["course"]
    assert (told["id"], told["children"][0]["children"][0]["lmsId"]) == (COURSE, au["lmsId"])
    assert list(told["objectives"]) == ["https://publisher.example/o"]


def test_a_package_that_is_refused_says_which_requirement_it_violates(platform):
    content = package(structure(unit(url="index.html?endpoint=x"), id="https://publisher.example/refused"))

    answer = platform.ask("POST", "course", content=content)

    assert answer.status_code == 400
    assert answer.json()["violatedReqId"] == "8.1.0.0-6"
    assert (answer.json()["statusCode"], answer.json()["error"]) == (400, "Bad Request")
    assert "endpoint" in answer.json()["message"]


def test_numbers_are_taken_as_texts_and_an_address_that_is_null_as_none(platform, course):
    """So ADL's Moodle activity (``mod_cmi5launch`` 1.1.0) sends what it reads from its database."""
    token = platform.with_key("POST", "auth", json={"tenantId": str(platform.id), "audience": "moodle"}).json()
    made = platform.ask("POST", "registration", json={"courseId": str(course["id"]), "actor": learner()})
    asked = {"actor": made.json()["actor"], "reg": made.json()["code"], "returnUrl": None}
    launched = platform.ask("POST", f"course/{course['id']}/launch-url/0", json=asked)
    wrong = platform.ask("POST", "registration", json={"courseId": "two", "actor": learner()})

    assert (made.status_code, launched.status_code) == (200, 200)
    assert token["token"]
    assert made.json()["courseId"] == course["id"]
    assert (wrong.status_code, wrong.json()["pointer"]) == (400, "/courseId")


def test_a_registration_shows_how_far_each_unit_is(platform, course):
    made = platform.ask("POST", "registration", json={"courseId": course["id"], "actor": learner()}).json()
    content = platform.launch(course["id"], actor=made["actor"], reg=made["code"]).start()
    assert content.put(content.scored("passed", 0.85, 0.8)).status_code == 204
    assert content.send("terminated").status_code == 204

    by_code, by_number = (platform.ask("GET", f"registration/{made[name]}").json() for name in ("code", "id"))

    assert by_code == by_number
    assert made["aus"][0] == {
        "hasBeenAttempted": False,
        "durationNormal": None,
        "durationBrowse": None,
        "durationReview": None,
        "isPassed": False,
        "isCompleted": False,
        "isWaived": False,
        "waivedReason": None,
        "isSatisfied": False,
        "metadata": {"version": 1, "moveOn": "Passed"},
    }
    changed = {"hasBeenAttempted": True, "durationNormal": 120.0, "isPassed": True, "isSatisfied": True}
    assert by_code["aus"] == [made["aus"][0] | changed]
    move_on = by_code["metadata"]["moveOn"]
    assert (move_on["pubId"], move_on["satisfied"], move_on["children"][0]["satisfied"]) == (COURSE, True, True)
    assert move_on["children"][0]["children"][0]["satisfied"] is True


def test_a_session_is_shown_by_its_number_and_its_id_and_can_be_abandoned_once(lms, platform, course):
    content = platform.launch(course["id"]).start()

    shown = platform.ask("GET", f"session/{content.launched['id']}").json()
    statuses = [platform.ask("POST", f"session/{content.session}/abandon", json={}).status_code for _ in range(2)]
    after = platform.ask("GET", f"session/{content.session}").json()

    assert (shown["code"], shown["launchMode"], shown["isInitialized"]) == (content.session, "Normal", True)
    assert not {"fetch", "token", "launchTokenId"} & shown.keys()
    assert statuses == [204, 204]
    assert (after["isAbandoned"], after["abandonedBy"]) == (True, "api")
    assert verbs_of(lms, content.registration) == ["launched", "initialized", "abandoned"]


def test_a_registration_that_is_ended_abandons_what_is_open_and_stays(lms, platform, course):
    content = platform.launch(course["id"])

    assert platform.ask("DELETE", f"registration/{content.registration}").status_code == 204
    assert platform.ask("GET", f"registration/{content.registration}").status_code == 200
    assert verbs_of(lms, content.registration)[-1] == "abandoned"
    assert content.fetch()["error-code"] == "1"


def test_preferences_are_written_by_the_platform_and_read_by_content(platform, course):
    content = platform.launch(course["id"])
    address = f"registration/{content.registration}/learner-prefs"
    said = {"languagePreference": "de,en", "audioPreference": "off"}

    none = platform.ask("GET", address)
    put = platform.ask("POST", address, json=said)
    content.start()
    read = content.preferences("GET")
    stale = platform.ask("POST", address, json=said, headers={"If-Match": '"another"'})
    again = platform.ask("POST", address, json=said | {"audioPreference": "on"})
    shown = platform.ask("GET", address)
    newest = content.preferences("GET")
    gone = platform.ask("DELETE", address)

    assert [one.status_code for one in (none, put, stale, again, gone)] == [404, 204, 412, 204, 204]
    assert read.json() == said
    assert shown.json()["audioPreference"] == "on"
    assert shown.headers["etag"] == newest.headers["etag"]
    assert platform.ask("GET", address).status_code == 404
    wrong = platform.ask("POST", address, json=said | {"languagePreference": "not so"})
    no_tag = platform.ask("POST", address, json=said | {"languagePreference": "en,--"})
    assert [(one.status_code, one.json()["pointer"]) for one in (wrong, no_tag)] == [(400, "/languagePreference")] * 2


def test_a_course_that_is_deleted_is_gone_until_it_is_imported_again_and_what_learners_did_stays(lms, platform):
    text = structure(unit(moveOn="Completed"), id="https://publisher.example/deleted")
    course = platform.bring(text)["id"]
    content = platform.launch(course).start()

    deleted = [platform.ask("DELETE", f"course/{course}").status_code for _ in range(2)]
    shown = platform.ask("GET", f"course/{course}")
    launched = platform.ask("POST", f"course/{course}/launch-url/0", json={"actor": learner()})
    assert content.send("completed").status_code == 204
    back = platform.bring(text)

    assert (deleted, shown.status_code, launched.status_code) == ([204, 204], 404, 404)
    assert (back["id"], verbs_of(lms, content.registration)[-1]) == (course, "satisfied")


@pytest.mark.parametrize(
    ("path", "body", "status", "pointer"),
    [
        ("course/{course}/launch-url/0", {"actor": {"mbox": "mailto:a@b.example"}}, 400, "/actor/account"),
        ("course/{course}/launch-url/0", {"actor": {"account": {"name": "a"}}}, 400, "/actor/account/homePage"),
        ("course/{course}/launch-url/0", {}, 400, ""),
        ("course/{course}/launch-url/0", {"actor": learner(), "launchMode": "Fast"}, 400, "/launchMode"),
        ("course/{course}/launch-url/0", {"actor": learner(), "masteryScore": 2}, 400, "/masteryScore"),
        ("course/{course}/launch-url/0", {"actor": learner(), "reg": "7"}, 400, "/reg"),
        ("course/{course}/launch-url/0", {"actor": learner(), "other": 1}, 400, ""),
        (
            "course/{course}/launch-url/0",
            {"actor": learner(), "contextTemplateAdditions": {"contextActivities": {"grouping": [{"id": 1}]}}},
            400,
            "/contextTemplateAdditions/contextActivities",
        ),
        ("course/{course}/launch-url/1", {"actor": learner()}, 404, None),
        ("course/{course}/launch-url/-1", {"actor": learner()}, 404, None),
        ("course/999/launch-url/0", {"actor": learner()}, 404, None),
        ("registration", {"courseId": "one", "actor": learner()}, 400, "/courseId"),
        ("registration", {"courseId": 999, "actor": learner()}, 404, None),
        ("registration/none/waive-au/0", {"reason": "x"}, 404, None),
        ("session/none/abandon", {}, 404, None),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(platform, course, path, body, status, pointer):
    answer = platform.ask("POST", path.format(course=course["id"]), json=body)

    assert answer.status_code == status, answer.text
    assert answer.json().get("pointer") == pointer
    assert answer.json()["statusCode"] == status


def test_a_registration_is_one_learners_in_one_course(platform, course):
    id, actor = new_id(), learner()
    first = platform.launch(course["id"], actor=actor, reg=id)

    again = platform.launch(course["id"], actor=actor, reg=id.upper())
    other = platform.ask("POST", f"course/{course['id']}/launch-url/0", json={"actor": learner(), "reg": id})

    assert {first.registration, again.registration} == {id}
    assert other.status_code == 409


def test_another_platform_sees_nothing_of_it_and_imports_its_own(lms, platform, course):
    content = platform.launch(course["id"])
    other = PlatformClient(lms, "other platform")
    shown = platform.ask("GET", f"session/{content.launched['id']}").json()

    assert reached(other, course["id"], content.registration, content.launched["id"]) == []
    assert other.bring(structure(id=COURSE))["id"] != course["id"]
    assert platform.ask("GET", f"session/{content.launched['id']}").json() == shown


def test_no_platform_reaches_what_the_organisation_made_itself(lms, platform):
    place = LmsPlace(lms.tenant, SUBSCRIPTIONS, f"{lms.address}/t/default")
    course = imported(lms.tenant, package(structure(id="https://publisher.example/own"))).course
    enrolling = {"id": new_id(), "session": new_id()}
    made = lms.tenant.store.write(lambda tx: enrol_in(tx, place, course, learner(), **enrolling)).result()
    launched = launch(place, LaunchOrder(made.id, 0)).session

    assert reached(platform, course.id, made.id, launched.id) == []
    assert reached(platform, course.id, str(made.number), str(launched.number)) == []


def reached(platform, course, registration, session):
    """What *platform* reaches of these, of all that it can ask for."""
    prefs = {"languagePreference": "en", "audioPreference": "on"}
    asked = [
        ("GET", f"course/{course}", None),
        ("POST", f"course/{course}/launch-url/0", {"actor": learner(), "reg": new_id()}),
        ("POST", "registration", {"courseId": str(course), "actor": learner()}),
        ("GET", f"registration/{registration}", None),
        ("POST", f"registration/{registration}/waive-au/0", {"reason": "known"}),
        ("GET", f"registration/{registration}/learner-prefs", None),
        ("POST", f"registration/{registration}/learner-prefs", prefs),
        ("DELETE", f"registration/{registration}/learner-prefs", None),
        ("GET", f"session/{session}", None),
        ("POST", f"session/{session}/abandon", None),
        ("DELETE", f"registration/{registration}", None),
        ("DELETE", f"course/{course}", None),
    ]
    found = [(one, path, platform.ask(one, path, **({"json": body} if body else {}))) for one, path, body in asked]
    return [(one, path, answer.status_code) for one, path, answer in found if answer.status_code != 404]


def test_a_token_works_as_long_as_its_platform_and_its_key(lms):
    one, two, namesake = PlatformClient(lms, "one"), PlatformClient(lms, "two"), PlatformClient(lms, "one")
    again = one.with_key("POST", "tenant", json={"code": "one"}).json()["id"]
    pinged = one.ask("GET", "ping")
    about = one.ask("GET", "about").json()

    closed = one.with_key("DELETE", f"tenant/{one.id}")
    revoke_key(lms.tenant, two.key.auth[0])

    assert (again, pinged.json(), about["tenantId"]) == (one.id, {"ok": True}, one.id)
    assert closed.status_code == 204
    assert (namesake.id == one.id, namesake.ask("GET", "ping").status_code) == (False, 200)
    for ended in (one, two):
        answer = ended.ask("GET", "ping")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    new = one.with_key("POST", "tenant", json={"code": "one"}).json()["id"]
    assert new != one.id
    for id in (one.id, namesake.id):
        auth = {"tenantId": id, "audience": "x"}
        answer = lms.clients[0].post(f"{lms.address}{API}/auth", json=auth, auth=one.key.auth)
        assert answer.status_code == 404


def test_a_key_without_the_scope_and_a_made_up_token_get_nothing(lms, platform):
    asked = lms.clients[0].post(f"{lms.address}{API}/tenant", json={"code": "x"}, auth=lms.auth)
    made_up = platform.ask("GET", "ping", headers={"Authorization": platform.headers["Authorization"][:-4] + "AAAA"})
    basic = lms.clients[0].get(f"{lms.address}{API}/ping", auth=platform.key.auth)

    assert (asked.status_code, made_up.status_code, basic.status_code) == (403, 401, 401)
    assert "the scope courses" in asked.json()["message"]


def test_without_a_host_for_content_no_package_is_launched_and_nothing_is_left_open(tmp_path):
    with open_there(tmp_path) as tenant:
        place = LmsPlace(tenant, SUBSCRIPTIONS, "https://lrs.example/t/default")
        course = imported(tenant, package()).course
        order = tenant.store.write(
            lambda tx: LaunchOrder(enrol_in(tx, place, course, learner("a"), id=new_id(), session=new_id()).id, 0)
        ).result()

        with pytest.raises(Refused, match="LRS_CONTENT_URL") as caught:
            launch(place, order)

        assert caught.value.status == 409
        assert list(each(tenant.store, "launch-session")) == []
