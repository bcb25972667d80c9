"""SCORM 1.2: packages, the player, and what becomes of what content commits."""

import json
import time
from urllib.parse import urlsplit

import msgspec
import pytest

from adapters.lms.courses.structure import Block, Structure, units_of
from adapters.lms.scorm import run_time
from adapters.lms.scorm.cmi import Interaction, read_commit, seconds_of, timespan_of
from adapters.lms.scorm.manifest import read_manifest
from adapters.lms.scorm.statements import ScormAttempt, begun, responded
from adapters.lms.sessions.session import registration_in
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.ops.doctor_content import of_content
from tests.adapters.lms.launched import PlatformClient, learner, statements_of, verbs_of
from tests.adapters.lms.launching.test_reach import SESSION
from tests.adapters.lms.made import MANIFEST, zipped
from tests.rows import each_of
from tests.served import serving

SCORM = {"package.json": '{"name": "scorm-again", "version": "3.4.3"}', "dist/scorm12.min.js": "this.Scorm12API = 1;"}
QUESTION = {"id": "q 1", "type": "choice", "correct_responses": {"0": {"pattern": "b"}}}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    run_time = tmp_path_factory.mktemp("scorm-again")
    (run_time / "dist").mkdir()
    for name, text in SCORM.items():
        (run_time / name).write_text(text)
    folder = tmp_path_factory.mktemp("scorm")
    with serving(folder, content_url="http://{tenant}.localhost:PORT", scorm_again=run_time) as lrs:
        yield PlatformClient(lrs)


class Player:
    """The player of a launch, and its content."""

    def __init__(self, platform, launched):
        self.client, self.url = platform.client, platform.lrs.address + urlsplit(launched["url"]).path
        self.host = {"Host": urlsplit(launched["url"]).netloc}

    def get(self, more="", **headers):
        return self.client.get(self.url + more, headers=self.host | headers)

    def begin(self):
        return self.get("/attempt").json()["cmi"]

    def send(self, told):
        return self.client.post(f"{self.url}/attempt", content=json.dumps(told), headers=self.host)

    def commit(self, status="incomplete", *, score=None, ended=False, left="", time="", **more):
        core = {"lesson_status": status, "exit": left, "session_time": time, "total_time": time}
        core |= {"score": {"raw": str(score), "min": "", "max": ""}} if score is not None else {}
        core |= more.pop("core", {})
        return self.send({"cmi": {"core": core, **more}, "ended": ended})


@pytest.fixture(scope="module")
def course(platform):
    answer = platform.ask(
        "POST",
        "course",
        content=zipped({"imsmanifest.xml": MANIFEST, "index.html": b"unit"}),
        headers={"Content-Type": "application/zip"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


@pytest.fixture
def enrolled(platform, course):
    """Launches the one learner of this test again and again; the registration."""
    actor = learner()
    registration = platform.ask("POST", "registration", json={"courseId": course, "actor": actor}).json()["code"]

    def launch(**asked):
        told = {"actor": actor, "reg": registration, **asked}
        return Player(platform, platform.ask("POST", f"course/{course}/launch-url/0", json=told).json())

    launch.id = registration
    return launch


def progress(platform, launch):
    (found,) = registration_in(platform.lrs.tenant.store, launch.id).units.values()
    return found


def test_the_player_is_on_the_host_of_content_alone_and_may_be_framed(platform, enrolled):
    player = enrolled()

    page, script = player.get(), player.get("/run-time.js")
    elsewhere = platform.client.get(player.url)

    assert page.status_code == 200
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert "frame-src 'self' http://default.localhost" in page.headers["content-security-policy"]
    assert (script.text, script.headers["content-type"]) == ("this.Scorm12API = 1;", "text/javascript; charset=utf-8")
    assert elsewhere.status_code == 404


def test_content_begins_with_the_data_model_of_a_new_attempt(enrolled):
    told = enrolled().get("/attempt").json()

    assert (told["title"], told["entry"].endswith("/index.html")) == ("Putting on a gown", True)
    assert told["cmi"]["core"] | {"student_id": ""} == {
        "student_id": "",
        "student_name": "",
        "lesson_location": "",
        "credit": "credit",
        "lesson_status": "not attempted",
        "entry": "ab-initio",
        "score": {"raw": "", "min": "", "max": ""},
        "total_time": "0000:00:00.00",
        "lesson_mode": "normal",
    }
    assert (told["cmi"]["launch_data"], told["cmi"]["student_data"]["mastery_score"]) == ("room=2", "80")


def test_an_attempt_that_was_suspended_is_resumed_and_becomes_statements_of_the_profile(platform, enrolled):
    first = enrolled()
    first.send({"began": True})
    first.commit(left="suspend", time="00:01:30.5", suspend_data="a=1", core={"lesson_location": "p3"})
    first.commit(left="suspend", time="00:01:30.5", suspend_data="a=1", core={"lesson_location": "p3"}, ended=True)

    second = enrolled()
    resumed = second.begin()
    asked = [QUESTION | {"student_response": "a", "result": "wrong"}]
    second.commit("incomplete", interactions=asked)
    second.commit("passed", score=85, time="00:00:30", interactions={"0": asked[0]}, ended=True)

    assert (resumed["core"]["entry"], resumed["core"]["lesson_location"], resumed["suspend_data"]) == (
        "resume",
        "p3",
        "a=1",
    )
    assert verbs_of(platform.lrs, enrolled.id) == [
        *("launched", "initialized", "suspended", "launched", "resumed", "responded"),
        *("completed", "passed", "satisfied", "terminated"),
    ]
    found = progress(platform, enrolled)
    assert (found.completed, found.passed, found.score, found.satisfied) == (True, True, 0.85, True)
    assert found.seconds == {"Normal": 120.5}


def test_statements_say_attempt_course_and_publisher_in_the_grouping(platform, enrolled):
    player = enrolled()
    player.commit("incomplete", interactions=[QUESTION | {"student_response": "a", "result": "wrong"}])
    player.commit("incomplete", score=40, left="suspend", time="00:00:10", ended=True)

    launched, begun, answered, failed, suspended = statements_of(platform.lrs, enrolled.id)

    lesson = "http://adlnet.gov/expapi/activities/lesson"
    assert [one["object"]["definition"]["type"] for one in (launched, begun, failed, suspended)] == [lesson] * 4
    context = begun["context"]["contextActivities"]
    publisher, course, attempt = (one["id"] for one in context["grouping"])
    assert publisher == "urn:scorm:com.example.gowns:Gowns:i1"
    assert attempt.startswith(f"{begun['object']['id']}?attemptId=")
    assert course != begun["object"]["id"]
    assert [one["id"] for one in context["category"]] == ["https://w3id.org/xapi/scorm"]
    assert answered["verb"]["id"] == "http://adlnet.gov/expapi/verbs/responded"
    assert answered["object"]["id"] == f"{begun['object']['id']}/interactions/q%201"
    assert answered["object"]["definition"] == {
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
        "interactionType": "choice",
        "correctResponsesPattern": ["b"],
    }
    assert answered["result"] == {"response": "a", "success": False}
    assert failed["result"] == {"success": False, "score": {"raw": 40.0, "scaled": 0.4}}
    assert suspended["result"] == {"duration": "PT10.00S", "success": False, "score": {"raw": 40.0, "scaled": 0.4}}


def test_state_has_the_documents_of_the_profile(platform, enrolled):
    enrolled().commit("incomplete", left="suspend", time="00:00:10", suspend_data="a=1", core={"lesson_location": "p3"})
    begun = statements_of(platform.lrs, enrolled.id)[1]
    attempt = begun["context"]["contextActivities"]["grouping"][2]["id"]
    agent = json.dumps(begun["actor"])

    def state(activity, document):
        params = {"activityId": activity, "agent": agent, "registration": enrolled.id, "stateId": document}
        return platform.lrs.ask("GET", "activities/state", params=params)

    assert state(begun["object"]["id"], "https://w3id.org/xapi/scorm/activity-state").json() == {"attempts": [attempt]}
    assert state(attempt, "https://w3id.org/xapi/scorm/types/adl-suspend-data").text == "a=1"
    assert state(attempt, "https://w3id.org/xapi/scorm/attempt-state").json() == {
        "credit": "credit",
        "mode": "normal",
        "location": "p3",
        "total_time": "PT10.00S",
    }


def test_after_a_result_the_next_launch_looks_at_it_and_after_a_failure_it_begins_anew(platform, enrolled):
    failing = enrolled()
    failing.commit("failed", score=10, ended=True)
    anew = enrolled()
    begun = anew.begin()
    anew.commit("passed", score=90, ended=True)
    review = enrolled()
    shown = review.begin()
    review.commit("failed", score=0, ended=True)

    assert begun["core"]["entry"] == "ab-initio"
    assert (shown["core"]["lesson_mode"], shown["core"]["credit"], shown["core"]["lesson_status"]) == (
        *("review", "no-credit", "passed"),
    )
    assert (progress(platform, enrolled).passed, progress(platform, enrolled).score) == (True, 0.9)
    assert verbs_of(platform.lrs, enrolled.id).count("failed") == 1


def test_who_passed_stays_so_whatever_a_later_launch_commits(platform, enrolled):
    enrolled().commit("passed", score=85, time="00:00:30", ended=True)
    before = progress(platform, enrolled)

    enrolled(launchMode="Review").commit("failed", score=10, time="00:00:30", ended=True)
    looked = progress(platform, enrolled)
    enrolled(launchMode="Normal").commit("failed", score=10, ended=True)
    found = progress(platform, enrolled)

    assert looked == before
    assert (found.passed, found.failed, found.score) == (True, False, 0.85)
    assert "failed" not in verbs_of(platform.lrs, enrolled.id)


def test_who_only_looks_at_a_course_begins_anew_each_time_and_leaves_nothing(platform, enrolled):
    enrolled().commit("incomplete", core={"lesson_location": "p3"})
    before = progress(platform, enrolled)
    looking = enrolled(launchMode="Browse")

    begun = looking.begin()
    looking.commit("passed", score=90, interactions=[QUESTION | {"student_response": "a"}], comments="x", ended=True)

    assert (begun["core"]["entry"], begun["core"]["lesson_mode"]) == ("ab-initio", "browse")
    assert progress(platform, enrolled) == before
    assert enrolled(launchMode="Browse").begin()["core"]["lesson_location"] == ""
    assert enrolled().begin()["core"]["lesson_location"] == "p3"
    told = [*("launched", "initialized", "launched", "initialized", "terminated", "launched", "launched")]
    assert verbs_of(platform.lrs, enrolled.id) == told


def test_what_a_learner_wrote_is_told_and_content_that_tells_no_time_was_there_since_it_began(platform, enrolled):
    begun, player = time.monotonic(), enrolled()
    player.commit("incomplete")
    player.commit("completed", comments="Too fast", ended=True)
    spent = time.monotonic() - begun

    (said,) = [one for one in statements_of(platform.lrs, enrolled.id) if one["verb"]["id"].endswith("/commented")]
    assert said["result"] == {"response": "Too fast"}
    assert 0 < progress(platform, enrolled).seconds["Normal"] <= spent


def test_state_that_somebody_else_wrote_over_begins_the_attempt_anew_and_loses_no_result(platform, enrolled):
    enrolled().commit("passed", score=85, left="suspend", suspend_data="a=1", ended=True)
    begun = statements_of(platform.lrs, enrolled.id)[1]
    state = {"activityId": begun["object"]["id"], "agent": json.dumps(begun["actor"]), "registration": enrolled.id}
    state["stateId"] = "https://w3id.org/xapi/scorm/activity-state"

    put = platform.lrs.ask(
        "PUT", "activities/state", params=state, content=b"no json", headers={"Content-Type": "text/plain"}
    )

    assert put.status_code == 204
    assert enrolled(launchMode="Normal").begin()["core"]["entry"] == "ab-initio"
    assert progress(platform, enrolled).passed


def test_an_attempt_that_broke_off_is_resumed(enrolled):
    enrolled().commit("incomplete", core={"lesson_location": "p3"})

    core = enrolled().begin()["core"]

    assert (core["entry"], core["lesson_location"]) == ("resume", "p3")


def test_an_attempt_that_was_suspended_with_a_result_is_resumed_too(enrolled):
    enrolled().commit("failed", score=10, left="suspend", suspend_data="a=1", ended=True)

    resumed = enrolled().begin()

    assert (resumed["core"]["entry"], resumed["suspend_data"]) == ("resume", "a=1")


def test_a_window_that_is_closed_is_suspended_and_its_score_is_not_judged(platform, enrolled):
    player = enrolled()
    player.send({"cmi": {"core": {"lesson_status": "incomplete", "score": {"raw": "10"}}}, "gone": True})

    assert verbs_of(platform.lrs, enrolled.id) == ["launched", "initialized", "suspended"]
    assert enrolled().begin()["core"]["entry"] == "resume"


def test_two_windows_of_one_course_do_not_write_over_each_other(platform, enrolled):
    first = enrolled()
    first.commit("incomplete", suspend_data="first")
    second = enrolled()

    late, page = first.commit("passed", score=90), first.get()
    second.commit("incomplete", suspend_data="second")

    assert late.status_code == 410
    assert "Open the course again" in page.text
    assert enrolled().begin()["suspend_data"] == "second"
    assert progress(platform, enrolled).passed is False


def test_a_commit_that_comes_twice_makes_its_statements_once(platform, enrolled):
    player = enrolled()
    for _ in range(2):
        player.commit("completed", score=70, interactions=[QUESTION | {"student_response": "a"}])

    assert verbs_of(platform.lrs, enrolled.id) == ["launched", "initialized", "responded", "completed", "satisfied"]


def test_the_token_of_a_player_is_no_key_for_xapi(platform, enrolled):
    player = enrolled()
    token = player.url.rpartition("/")[2]

    fetched = platform.client.post(f"{platform.lrs.address}/t/default/cmi5/fetch/{token}").json()

    assert fetched["error-code"] == "1"


@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"cmi": 1}', b"no json", b'{"cmi": {"core": {"a": NaN}}}'])
def test_what_is_no_commit_is_refused(text):
    with pytest.raises(Refused) as caught:
        read_commit(text)

    assert caught.value.status == 400


def test_a_value_of_the_wrong_form_is_left_out_and_the_rest_is_kept():
    core = {
        "lesson_status": "done",
        "lesson_location": 3,
        "score": {"raw": "ten", "max": "1e9"},
        "session_time": "90 minutes",
        "total_time": "1:00",
    }
    told = {"cmi": {"core": core, "suspend_data": "kept", "interactions": {"x": 1, "1": {"id": "b"}, "0": {"id": ""}}}}

    cmi = read_commit(json.dumps(told).encode()).cmi

    assert (cmi.status, cmi.score, cmi.location, cmi.session) == ("not attempted", None, "3", 0.0)
    assert (cmi.suspend_data, [one.id for one in cmi.interactions]) == ("kept", ["b"])


@pytest.mark.parametrize(
    ("text", "seconds", "again"),
    [("00:01:30.5", 90.5, "0000:01:30.50"), ("0100:00:00", 360_000.0, "0100:00:00.00"), ("1:2", 0.0, "0000:00:00.00")],
)
def test_timespans(text, seconds, again):
    assert (seconds_of(text), timespan_of(seconds)) == (seconds, again)


# -- manifests --------------------------------------------------------------------------------------------------------


def manifest(items, resources="", version="1.2", name="com.example", title="Gowns"):
    return f"""<manifest identifier="{name}" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
 xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"><metadata><schemaversion>{version}</schemaversion></metadata>
<organizations default="o"><organization identifier="x"><item identifier="no"/></organization>
<organization identifier="o"><title>{title}</title>{items}</organization></organizations>
<resources>{resources or resource()}</resources></manifest>""".encode()


def resource(id="r", href="index.html", sort="sco", more=""):
    return f'<resource identifier="{id}" adlcp:scormtype="{sort}" href="{href}"{more}/>'


def item(id="i", ref="r", more="", within=""):
    return f'<item identifier="{id}" identifierref="{ref}"{more}><title>{id}</title>{within}</item>'


def test_items_are_units_and_items_round_them_blocks():
    items = (
        f'<item identifier="b"><title>Part</title>{item("one")}{item("two", "page")}</item><item identifier="empty"/>'
    )
    text = manifest(items, resource() + resource("page", "a b.html", "asset"))

    found = read_manifest(text, {"index.html", "a b.html"})

    (part,) = found.children
    assert isinstance(part, Block)
    types = [one.activity_type.removeprefix("http://adlnet.gov/expapi/activities/") for one in (found, part)]
    types += [one.activity_type.removeprefix("http://adlnet.gov/expapi/activities/") for one in units_of(found)]
    assert types == ["course", "module", "lesson", "media"]
    assert [(one.url, one.move_on) for one in units_of(found)] == [
        *(("index.html", "CompletedOrPassed"), ("a%20b.html", "NotApplicable"))
    ]


def test_a_unit_that_was_imported_before_units_had_types_is_said_to_be_a_lesson():
    structure = read_manifest(manifest(item()), {"index.html"})
    before = msgspec.to_builtins(structure)
    del before["activity_type"], before["types"], before["children"][0]["activity_type"]

    old = msgspec.convert(before, Structure)
    said = begun(ScormAttempt(SESSION, old, units_of(old)[0], "urn:attempt", "2026-11-18T11:00:00Z"), resumed=False)

    assert said["object"]["definition"]["type"] == "http://adlnet.gov/expapi/activities/lesson"


def test_an_answer_is_told_once_and_again_when_it_was_changed_and_a_question_without_one_is_not():
    structure = read_manifest(manifest(item()), {"index.html"})
    attempt = ScormAttempt(SESSION, structure, units_of(structure)[0], "urn:attempt", "2026-11-18T11:00:00Z")
    before = (Interaction("q1", response="a", result="wrong"), Interaction("q2", response="b"))
    changed = (before[0], Interaction("q2", response="c", result="correct"), Interaction("q3"))

    (told,) = responded(attempt, changed, before)

    assert told["object"]["id"].endswith("/interactions/q2")
    assert told["result"] == {"response": "c", "success": True}
    assert len({one["id"] for one in (told, *responded(attempt, before, ()))}) == 3


def test_base_and_parameters_make_the_address():
    text = manifest(item(more=' parameters="?room=2"'), resource(more=' xml:base="sco/"'))

    (unit,) = units_of(read_manifest(text, {"sco/index.html"}))

    assert unit.url == "sco/index.html?room=2"


def test_the_title_tells_apart_what_one_authoring_tool_gave_one_identifier():
    one, other = (read_manifest(manifest(item(), title=title), {"index.html"}) for title in ("Gowns", "Gloves"))

    assert one.id != other.id


@each_of(
    ("text", "why"),
    [
        (manifest(item(), version="2004 4th Edition"), "publish it for SCORM 1.2"),
        (manifest(""), "no item leads to a resource"),
        (manifest(item(ref="none")), "there is no resource 'none'"),
        (manifest(item() + item()), "missing, or there twice"),
        (manifest(item(), resource(href="")), "has no href"),
        (manifest(item(), resource(href="../../etc/passwd")), "is not in the package"),
        (manifest(item(), resource(href="javascript:alert(1)")), "only http and https"),
        (manifest(item(within="<adlcp:masteryscore>nan</adlcp:masteryscore>")), "no number from 0 to 100"),
        (
            manifest("".join(f'<item identifier="i{place}">' for place in range(60)) + "</item>" * 60),
            "more than 50 deep",
        ),
        (b"<manifest/>", "no organization"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><manifest>&b;</manifest>', "document type"),
        (b"<tincan/>", "the root element is tincan"),
    ],
)
def test_a_manifest_that_lies_is_refused_with_the_place(text, why):
    with pytest.raises(Refused) as caught:
        read_manifest(text, {"index.html"})

    assert why in caught.value.message


# -- the run-time interface -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (None, "has no package.json"),
        ('{"name": "scorm-again", "version": "2.6.9"}', "has scorm-again 2.6.9, not scorm-again 3"),
        ('{"name": "other", "version": "3.0.0"}', "has other 3.0.0"),
        ("[]", "has something"),
        (SCORM["package.json"], "has no dist/scorm12.min.js"),
    ],
)
def test_a_folder_that_is_not_the_package_is_told_with_what_to_do(tmp_path, named, why):
    if named is not None:
        (tmp_path / "package.json").write_text(named)

    told = run_time.missing(tmp_path)

    assert why in told
    assert "npm install --prefix" in told


def test_without_it_a_package_is_taken_and_cannot_be_launched(tmp_path):
    with serving(tmp_path, content_url="http://{tenant}.localhost:PORT") as lrs:
        platform = PlatformClient(lrs)
        content = zipped({"imsmanifest.xml": MANIFEST, "index.html": b"unit"})
        brought = platform.ask("POST", "course", content=content, headers={"Content-Type": "application/zip"})
        told = {"actor": learner()}

        answer = platform.ask("POST", f"course/{brought.json()['id']}/launch-url/0", json=told)

    assert (brought.status_code, answer.status_code) == (200, 409)
    assert "npm install" in answer.text


def test_the_doctor_warns_of_one_host_for_the_content_of_several_organisations(tmp_path):
    def told(tenants, url, pages="https://lrs.example.org", **more):
        given = Settings(data=tmp_path, pages_url=pages, content_url=url, **more)
        return {one.check: (one.status, one.message) for one in of_content(given, tenants)}

    assert told(1, "https://content.example.org")["content-url"][0] == "ok"
    assert told(2, "https://content.example.org")["content-url"][0] == "warning"
    assert told(2, "https://{tenant}.content.example.org")["content-url"][0] == "ok"
    assert told(1, "https://content.example.org", None)["content-url"][0] == "problem"
    assert told(1, None)["content-url"][0] == "warning"
    assert told(1, None)["scorm"][0] == "ok"
    assert told(1, None, scorm_again=tmp_path)["scorm"][0] == "problem"


@pytest.mark.parametrize("place", ["\u00b2", "9" * 5000])
def test_a_place_in_an_array_that_is_no_number_is_left_out(place):
    told = {"cmi": {"core": {}, "interactions": {"0": {"id": "a"}, place: {"id": "b"}}}}

    assert [one.id for one in read_commit(json.dumps(told).encode()).cmi.interactions] == ["a"]
