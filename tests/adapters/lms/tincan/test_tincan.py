"""Tin Can packages: what is one, how it is launched, and what its content may send."""

import json
from base64 import b64decode
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import structs

from adapters.lms.courses.courses import course_in
from adapters.lms.courses.structure import units_of
from adapters.lms.sessions.credentials import LaunchTokens
from adapters.lms.sessions.session import put_session, registration_in, sessions_of
from adapters.lms.tincan.tincan_xml import read_tincan
from lrs.competency.rules.rules import Rule, judge
from lrs.competency.seen import look, moment_of
from lrs.kernel.errors import Refused
from lrs.kernel.times import HOUR
from lrs.web.kept_refusals import refusals_of
from lrs.xapi.statements.identity import SAME_PERSON
from tests.adapters.lms.launched import VERBS, learner, statements_of, verbs_of
from tests.adapters.lms.made import TIN_CAN, package, structure, unit, zipped
from tests.programs import until
from tests.rows import each_of
from tests.served import new_id

ID = "https://publisher.example/tincan"


def tin_can(*activities):
    return (
        f'<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities>{"".join(activities)}</activities></tincan>'
    )


def activity(id=ID, launch="index.html", name="Gowns", more=""):
    told = f'<launch lang="en">{launch}</launch>' if launch else ""
    return f'<activity id="{id}" type="http://adlnet.gov/expapi/activities/course"><name>{name}</name>{told}{more}</activity>'


class Content:
    """Launched Tin Can content."""

    def __init__(self, platform, launched):
        self.client, self.url = platform.client, launched["url"]
        self.told = {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}
        self.actor, self.registration = json.loads(self.told["actor"]), self.told["registration"]

    def ask(self, method, resource, **more):
        headers = {"Authorization": self.told["auth"], "X-Experience-API-Version": "1.0.1"}
        return self.client.request(method, f"{self.told['endpoint']}{resource}", headers=headers, **more)

    def send(self, verb, *, object=None, result=None, actor=None, registration=None, timestamp=None, **context):
        object = object or self.told["activity_id"]
        statement = {
            "id": new_id(),
            "actor": actor or self.actor,
            "verb": {"id": verb if ":" in verb else VERBS + verb},
            "object": {"id": object} if isinstance(object, str) else object,
            **({"timestamp": timestamp} if timestamp else {}),
            "context": {"registration": registration or self.registration, **context},
            **({"result": result} if result else {}),
        }
        return self.ask("POST", "statements", json=statement)


def bring(platform, content):
    answer = platform.ask("POST", "course", content=content, headers={"Content-Type": "application/zip"})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def launch(platform, course, index=0, actor=None, **asked):
    told = {"actor": actor or learner(), **asked}
    answer = platform.ask("POST", f"course/{course}/launch-url/{index}", json=told)
    assert answer.status_code == 200, answer.text
    return Content(platform, answer.json())


@pytest.fixture(scope="module")
def course(platform):
    return bring(platform, zipped({"tincan.xml": TIN_CAN, "index.html": b"unit"}))


def test_a_launch_has_the_five_parameters_and_a_key_that_is_for_it_alone(platform, course):
    content = launch(platform, course)

    scheme, _, key = content.told["auth"].partition(" ")
    assert set(content.told) == {"endpoint", "auth", "actor", "registration", "activity_id"}
    assert (scheme, content.told["activity_id"]) == ("Basic", ID)
    assert content.told["endpoint"].endswith("/t/default/cmi5/xapi/")
    assert len(b64decode(key).partition(b":")[2]) >= 43
    assert verbs_of(platform.lrs, content.registration) == ["launched"]
    (launched,) = statements_of(platform.lrs, content.registration)
    assert "category" not in launched["context"]["contextActivities"]
    assert launched["object"]["definition"] == {"type": "http://adlnet.gov/expapi/activities/course"}


def test_what_is_said_of_the_launched_activity_is_the_learners_progress(platform, course):
    content = launch(platform, course)

    answers = [
        content.send("initialized"),
        content.send("answered", object=f"{ID}/q1", result={"success": True}),
        content.send("failed", result={"score": {"raw": 2, "min": 0, "max": 10}}),
        content.send("passed", result={"score": {"scaled": 0.9}}),
        content.send("failed", result={"score": {"scaled": 0.1}}),
        content.send("completed"),
    ]

    (progress,) = registration_in(platform.lrs.tenant.store, content.registration).units.values()
    assert [one.status_code for one in answers] == [200] * 6
    assert (progress.completed, progress.passed, progress.failed, progress.score) == (True, True, False, 0.9)
    assert verbs_of(platform.lrs, content.registration) == [
        *("launched", "initialized", "answered", "failed", "passed", "satisfied", "failed", "completed")
    ]
    told = statements_of(platform.lrs, content.registration)
    assert told[2]["authority"]["account"]["name"] == f"default.courses client {platform.id}"


def test_content_keeps_and_reads_state_of_its_learner_alone(platform, course):
    content = launch(platform, course)
    params = {"activityId": ID, "registration": content.registration, "stateId": "bookmark"}

    kept = content.ask(
        "PUT", "activities/state", params=params | {"agent": json.dumps(content.actor)}, content=b"page 2"
    )
    read = content.ask("GET", "activities/state", params=params | {"agent": json.dumps(content.actor)})
    other = content.ask("GET", "activities/state", params=params | {"agent": json.dumps(learner())})

    assert (kept.status_code, read.text, other.status_code) == (204, "page 2", 403)


@pytest.mark.parametrize(
    ("why", "given"),
    [
        ("the actor is not the one", {"actor": learner("somebody else")}),
        ("context.registration is not the one", {"registration": "0e6e7a3c-5d5b-4e3c-8f6b-2d4b5d0d6d11"}),
    ],
)
def test_the_key_of_a_launch_is_for_its_learner_and_registration(platform, course, why, given):
    content = launch(platform, course)

    answer = content.send("experienced", **given)

    assert (answer.status_code, why in answer.text) == (403, True)
    assert "www-authenticate" not in answer.headers
    assert verbs_of(platform.lrs, content.registration) == ["launched"]


def about_others():
    return {
        "objectType": "SubStatement",
        "actor": {"mbox": "mailto:x@y.example"},
        "verb": {"id": f"{VERBS}passed"},
        "object": {"id": ID},
    }


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("/object/id", {"object": "https://other.example/course-of-somebody-else"}),
        ("/object/id", {"object": f"{ID}-of-somebody-else"}),
        ("/object", {"object": about_others()}),
        ("/object", {"object": {"objectType": "Agent", "mbox": "mailto:x@y.example"}}),
        ("/timestamp", {"timestamp": "2015-01-01T00:00:00Z"}),
        ("/timestamp", {"timestamp": "2915-01-01T00:00:00Z"}),
        ("/context/instructor", {"instructor": {"mbox": "mailto:x@y.example"}}),
        ("/context/team", {"team": {"objectType": "Group", "mbox": "mailto:x@y.example"}}),
    ],
)
def test_content_says_nothing_of_others_and_nothing_of_another_time(platform, course, place, given):
    content = launch(platform, course)

    answer = content.send("passed", **given)

    assert (answer.status_code, answer.json()["pointer"]) == (403, place), answer.text
    assert verbs_of(platform.lrs, content.registration) == ["launched"]


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("/actor/name", {"name": "Professor Somebody Else"}),
        ("/actor", {"objectType": "Group", "member": [{"mbox": "mailto:x@y.example", "name": "Victim"}]}),
    ],
)
def test_content_gives_its_learner_no_other_name_and_no_company(platform, course, place, more):
    content = launch(platform, course)

    answer = content.send("passed", actor={**content.actor, **more})

    assert (answer.status_code, answer.json()["pointer"]) == (403, place), answer.text


def test_content_speaks_of_what_its_package_describes_and_of_what_is_within(platform):
    """Rustici's golf and Storyline put slides and questions under the id of the course, and a recipe in the context."""
    golf = "http://id.tincanapi.com/activity/tincan-prototypes/golf-example"
    slide = "https://publisher.example/slides/one"
    text = tin_can(activity(golf), activity(slide, launch="")).encode()
    content = launch(platform, bring(platform, zipped({"tincan.xml": text, "index.html": b"unit"})))
    recipe = {
        "grouping": [{"id": "http://id.tincanapi.com/activity/tincan-prototypes"}],
        "category": [{"id": "http://id.tincanapi.com/recipe/tincan-prototypes/golf/1"}],
        "parent": [{"id": golf}],
    }

    answers = [
        content.send("experienced", object=f"{golf}/Playing/Playing.html", contextActivities=recipe),
        content.send("answered", object=f"{golf}/GolfAssessment/interactions.playing_1", contextActivities=recipe),
        content.send("experienced", object=f"{golf}#slide=2"),
        content.send("experienced", object=slide),
        content.send("passed", contextActivities=recipe),
    ]

    assert [one.status_code for one in answers] == [200] * 5, [one.text for one in answers]


def test_what_a_rule_is_about_can_stand_in_the_context_of_another_package_and_proves_nothing(platform, course):
    store, exam = platform.lrs.tenant.store, "https://other.example/exam"
    content = launch(platform, course)

    answer = content.send("passed", contextActivities={"grouping": [{"id": exam}]})

    record = store.get("statement", answer.json()[0])
    verdicts = [
        judge(
            Rule("r1", 1, match, about, (f"{VERBS}passed",), "c@1", 1, sources=(record.meta["source"],)),
            look(record),
            moment_of(record),
        ).reason
        for match, about in (("grouping", exam), ("activity", ID))
    ]
    assert (answer.status_code, verdicts) == (200, ["not about what was launched", None])


def test_a_rule_about_a_type_counts_that_of_what_a_package_only_describes(platform):
    """The package calls the slide a *course*. What content says of it, or of a question in it, is not believed."""
    store, slide = platform.lrs.tenant.store, "https://publisher.example/typed/slide"
    text = tin_can(activity(f"{ID}-typed"), activity(slide, launch="")).encode()
    content = launch(platform, bring(platform, zipped({"tincan.xml": text, "index.html": b"unit"})))
    course, test = (f"http://adlnet.gov/expapi/activities/{name}" for name in ("course", "assessment"))
    verdicts = []
    for about, said, wanted in ((slide, course, course), (slide, test, test), (f"{slide}/q1", course, course)):
        answer = content.send("passed", object={"id": about, "definition": {"type": said}})
        record = store.get("statement", answer.json()[0])
        rule = Rule("r1", 1, "type", wanted, (f"{VERBS}passed",), "c@1", 1, sources=(record.meta["source"],))
        verdicts.append(judge(rule, look(record), moment_of(record)).reason)

    assert verdicts == [None, *["not about what was launched"] * 2]


def test_what_is_refused_to_content_stands_in_the_refusals_of_its_source_without_what_was_sent(platform, course):
    store, source = platform.lrs.tenant.store, f"engraft courses client {platform.id}"
    content = launch(platform, course)

    content.send("passed", object="https://other.example/secret")
    until(lambda: any(one.place == "/object/id" for one in refusals_of(store, source).newest), "the refusal")

    told = [one for one in refusals_of(store, source).newest if one.place == "/object/id"][-1]
    assert (told.status, told.error) == (403, "tincan")
    assert told.says.startswith("the object is no activity of the launched package")
    assert b"secret" not in bytes(store.get("refusals", source).body)


def test_a_pause_counts_as_half_an_hour_at_most(platform, course):
    content, store = launch(platform, course), platform.lrs.tenant.store
    (session,) = sessions_of(store, content.registration)
    longer = structs.replace(session, last=session.last - 5 * HOUR)
    store.write(lambda tx: put_session(tx, longer)).result()

    assert content.send("experienced").status_code == 200
    assert registration_in(store, content.registration).unit(session.activity).counted == 1_800


def test_content_cannot_void(platform, course):
    content = launch(platform, course)
    (launched,) = statements_of(platform.lrs, content.registration)

    answer = content.ask(
        "POST",
        "statements",
        json={
            "actor": content.actor,
            "verb": {"id": f"{VERBS}voided"},
            "object": {"objectType": "StatementRef", "id": launched["id"]},
            "context": {"registration": content.registration},
        },
    )

    assert answer.status_code == 403
    assert verbs_of(platform.lrs, content.registration) == ["launched"]


@pytest.mark.parametrize("place", ["object", "grouping", "parent"])
def test_content_says_nothing_of_the_activities_of_another_course(platform, course, place):
    exam = f"https://publisher.example/exam-{place}"
    platform.bring(structure(unit(exam), id=f"{exam}/course"))
    content = launch(platform, course)
    context = {"contextActivities": {place: [{"id": exam}]}} if place != "object" else {}

    answer = content.send("passed", object=exam if place == "object" else None, **context)

    assert answer.status_code == 403
    of_another = f"the activity {exam} is one of another course here"
    assert ("the object is no activity of the launched" if place == "object" else of_another) in answer.text


@pytest.mark.parametrize("place", ["object", "grouping"])
def test_the_activity_of_another_course_is_that_of_the_other_also_where_its_id_begins_with_the_launched_one(
    platform, course, place
):
    exam = f"{ID}/exam-{place}"
    platform.bring(structure(unit(exam), id=f"https://other.example/course-{place}"))
    content = launch(platform, course)
    context = {"contextActivities": {place: [{"id": exam}]}} if place != "object" else {}

    answer = content.send("passed", object=exam if place == "object" else None, **context)

    assert answer.status_code == 403
    assert f"the activity {exam} is one of another course here" in answer.text


@pytest.mark.parametrize("mode", ["Browse", "Review"])
def test_in_browse_and_review_nothing_is_judged(platform, course, mode):
    content = launch(platform, course, launchMode=mode)

    said, judged = content.send("experienced"), content.send("passed")

    assert (said.status_code, judged.status_code) == (200, 403)
    (progress,) = registration_in(platform.lrs.tenant.store, content.registration).units.values()
    assert (progress.attempted, progress.passed) == (False, False)


def test_the_next_launch_ends_the_key_of_the_one_before_without_a_statement(platform, course):
    actor = learner()
    first = launch(platform, course, actor=actor)
    second = launch(platform, course, actor=actor, reg=first.registration)

    late, now = first.send("experienced"), second.send("experienced")

    assert (late.status_code, now.status_code) == (403, 200)
    assert "launch the content again" in late.text
    assert verbs_of(platform.lrs, first.registration) == ["launched", "launched", "experienced"]


def test_a_key_holds_for_twelve_hours(platform, course):
    content, tenant = launch(platform, course), platform.lrs.tenant
    after = {hours: replace(tenant, clock=lambda hours=hours: tenant.clock() + hours * HOUR) for hours in (11, 13)}

    known = LaunchTokens().caller(after[11], content.told["auth"], "")
    with pytest.raises(Refused, match="too long ago") as caught:
        LaunchTokens().caller(after[13], content.told["auth"], "")

    assert (known.person, known.source) == ("", f"engraft courses client {platform.id}")
    assert caught.value.status == 403


def test_each_activity_that_can_be_launched_is_a_unit():
    text = tin_can(
        activity("https://p.example/course", ""),
        activity("https://p.example/1", "one/index%20a.html?lang=en", "First"),
        activity("https://p.example/2", "https://other.example/two", "Second"),
    )

    found = read_tincan(text.encode(), {"one/index a.html"})

    assert found.id == "https://p.example/course"
    assert [(one.id, one.url, one.move_on, one.title) for one in units_of(found)] == [
        ("https://p.example/1", "one/index%20a.html?lang=en", "CompletedOrPassed", {"und": "First"}),
        ("https://p.example/2", "https://other.example/two", "CompletedOrPassed", {"und": "Second"}),
    ]


@each_of(
    ("text", "why"),
    [
        (tin_can(activity(launch="")), "no activity with a launch address"),
        (tin_can(activity(id="course_1")), "is no IRI"),
        (tin_can(activity(), activity()), "has the id https://publisher.example/tincan already"),
        (tin_can(activity(launch="missing.html")), "'missing.html' is not in the package"),
        (tin_can(activity(launch="../index.html")), "'../index.html' is not in the package"),
        (tin_can(activity(launch="javascript:alert(1)")), "only http and https addresses"),
        *(
            (tin_can(activity(launch=f"index.html?{name}=1")), f"the parameter {name}")
            for name in ("auth", "endpoint", "actor")
        ),
        ("<tincan><activities>", "not well-formed"),
        ("<!DOCTYPE a><tincan/>", "document type"),
        ("<course/>", "the root element is course"),
    ],
)
def test_a_package_that_lies_is_refused_with_the_place(text, why):
    with pytest.raises(Refused) as caught:
        read_tincan(text.encode(), {"index.html"})

    assert why in caught.value.message
    assert caught.value.error == "bad_package"


def test_cmi5_comes_before_tin_can_and_tin_can_before_scorm(platform):
    both = package(structure(id="https://publisher.example/both"), {"tincan.xml": TIN_CAN})

    course = bring(platform, both)

    assert platform.ask("GET", f"course/{course}").json()["metadata"]["aus"][0]["type"] == "au"
    assert course_in(platform.lrs.tenant.store, str(course)).format == "cmi5"


def test_content_cannot_say_who_else_its_learner_is(platform, course):
    content = launch(platform, course)

    answer = content.send("experienced", extensions={SAME_PERSON: [{"mbox": "mailto:bob@x.example"}]})

    assert (answer.status_code, "further identifiers" in answer.text) == (403, True)
