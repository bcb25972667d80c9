"""Content that was launched: its token, its documents, its statements, and what follows from them."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from msgspec import structs

from adapters.lms.catapult.clients import KIND as CLIENT
from adapters.lms.launching.idle import abandon_step
from adapters.lms.launching.launching import IDLE
from adapters.lms.sessions.credentials import GRACE, LaunchTokens
from adapters.lms.sessions.session import SESSION, put_session, session_in
from lrs.access import CONTENT_SOURCE, OWN_SOURCE
from lrs.access.keys import create_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Misconfigured, Refused
from lrs.storage import Owed, each
from lrs.xapi.statements.receive import SMALL
from tests.adapters.lms.launched import CMI5, EXTENSIONS, MOVE_ON, VERSION, learner, statements_of, verbs_of
from tests.adapters.lms.made import block, structure, unit
from tests.served import new_id
from tests.xapi.statements.multipart import attached, first, mixed, part

A, B = "https://publisher.example/a", "https://publisher.example/b"
OUTER, INNER = "https://publisher.example/outer", "https://publisher.example/inner"


@pytest.fixture(scope="module")
def course(platform):
    """Two units in nested blocks, then one that needs nothing."""
    inner = block(
        unit(
            A,
            "index.html?paramA=1",
            moveOn="CompletedAndPassed",
            masteryScore="0.9",
            after="<launchParameters> sample </launchParameters><entitlementKey>key</entitlementKey>",
        ),
        id=INNER,
    )
    parts = (block(inner, unit(B, moveOn="Completed"), id=OUTER), unit("https://publisher.example/c"))
    return platform.bring(structure(*parts, id="https://publisher.example/sessions"))["id"]


@pytest.fixture
def content(platform, course):
    return platform.launch(course).start()


def refused(answer, requirement, status=403):
    assert answer.status_code == status, answer.text
    assert answer.json()["rule"] == f"cmi5 {requirement}"
    assert "www-authenticate" not in answer.headers
    return answer.json()


# -- launch and fetch -------------------------------------------------------------------------------------------------


def test_a_launch_address_has_the_five_parameters_behind_the_publishers_own(lms, platform, course):
    actor = learner("Zoë & Co")

    content = platform.launch(course, actor=actor)

    base, _, query = content.url.partition("?")
    assert base.startswith("http://localhost:8080/t/default/content/")
    assert base.endswith("/index.html")
    names = [part.partition("=")[0] for part in query.split("&")]
    assert names == ["paramA", "endpoint", "fetch", "actor", "registration", "activityId"]
    assert content.actor == actor
    assert content.endpoint == f"{lms.address}/t/default/cmi5/xapi"
    assert content.activity != A


def test_a_fetch_address_gives_its_token_once_and_says_so_with_200(platform, course):
    content = platform.launch(course)
    address = content.told["fetch"]

    first, second = content.client.post(address), content.client.post(address)
    none = content.client.post(address[:-3] + "abc")

    assert list(first.json()) == ["auth-token"]
    assert [answer.status_code for answer in (first, second, none)] == [200, 200, 200]
    assert [answer.json()["error-code"] for answer in (second, none)] == ["1", "1"]
    assert first.headers["content-type"].startswith("application/json")
    assert first.headers["access-control-allow-origin"] == "*"
    assert content.client.get(address).status_code == 405


def test_a_page_of_another_origin_may_ask_before_it_fetches_or_sends(platform, course):
    content = platform.launch(course)
    asks = {"Origin": "https://content.example", "Access-Control-Request-Method": "POST"}

    fetch = content.client.request("OPTIONS", content.told["fetch"], headers=asks)
    statements = content.client.request("OPTIONS", f"{content.endpoint}//statements", headers=asks)

    for answer in (fetch, statements):
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "authorization" in answer.headers["access-control-allow-headers"]


def test_launch_data_is_there_before_the_launch_and_says_what_the_course_says(platform, course):
    content = platform.launch(course, returnUrl="https://lms.example/back", launchMode="Normal").start(initialize=False)

    assert content.data == {
        "contextTemplate": {
            "contextActivities": {"grouping": [{"id": A}]},
            "extensions": {f"{EXTENSIONS}sessionid": content.session},
        },
        "launchMode": "Normal",
        "launchMethod": "AnyWindow",
        "moveOn": "CompletedAndPassed",
        "masteryScore": 0.9,
        "launchParameters": "sample",
        "returnURL": "https://lms.example/back",
        "entitlementKey": {"courseStructure": "key"},
    }


def test_a_platform_can_say_more_at_a_launch(platform, course):
    more = {
        "contextActivities": {"grouping": [{"id": "https://lms.example/group"}]},
        "extensions": {"https://lms.example/x": 1},
    }

    content = platform.launch(
        course,
        contextTemplateAdditions=more,
        masteryScore=0.5,
        moveOn="Passed",
        launchParameters="",
        alternateEntitlementKey="other",
    ).start()

    template = content.data["contextTemplate"]
    assert template["contextActivities"]["grouping"] == [{"id": A}, {"id": "https://lms.example/group"}]
    assert template["extensions"] == {"https://lms.example/x": 1, f"{EXTENSIONS}sessionid": content.session}
    assert (content.data["masteryScore"], content.data["moveOn"]) == (0.5, "Passed")
    assert "launchParameters" not in content.data
    assert content.data["entitlementKey"] == {"courseStructure": "key", "alternate": "other"}
    without = content.statement("experienced", defined=False)
    del without["context"]["extensions"]["https://lms.example/x"]
    refused(content.put(without), "10.2.1.0-6")
    assert content.put(content.scored("passed", 0.6, 0.5)).status_code == 204
    assert verbs_of(platform.lrs, content.registration)[-2:] == ["passed", "satisfied"]


def test_the_statement_launched_says_how_it_was_launched(lms, content):
    told = statements_of(lms, content.registration)[0]

    assert told["verb"]["id"].endswith("/launched")
    assert told["object"]["id"] == content.activity
    assert told["context"]["registration"] == content.registration
    assert told["context"]["contextActivities"] == {"category": [{"id": CMI5}], "grouping": [{"id": A}]}
    assert told["context"]["extensions"] == {
        f"{EXTENSIONS}sessionid": content.session,
        f"{EXTENSIONS}launchmode": "Normal",
        f"{EXTENSIONS}launchurl": content.url.partition("&endpoint")[0],
        f"{EXTENSIONS}moveon": "CompletedAndPassed",
        f"{EXTENSIONS}launchparameters": "sample",
        f"{EXTENSIONS}masteryscore": 0.9,
    }


# -- the token --------------------------------------------------------------------------------------------------------


def test_without_its_token_content_gets_nothing(platform, course, content):
    other = platform.launch(course)

    for authorization in ("", "Basic !!", "Basic Og==", "Bearer x", content.auth[:-4] + "AAAA"):
        answer = content.state("GET", "x", headers={"Authorization": authorization})
        refused(answer, "8.1.2.0-5", 401)
    unfetched = f"{other.launched['id']}:"
    refused(content.state("GET", "x", headers={"Authorization": f"Basic {unfetched}"}), "8.1.2.0-5", 401)


def with_data(content, data):
    """The answer to a statement with *data* as its attachment."""
    told = content.statement("experienced", defined=False, attachments=attached(data)["attachments"])
    headers = {"Content-Type": "multipart/mixed; boundary=the-boundary"}
    return content.ask("POST", "statements", content=mixed(first(told), part(data)), headers=headers)


def test_a_launch_that_is_over_or_gone_is_so_at_once_for_each_resource_though_its_token_was_known(lms, content):
    def each_resource():
        agent = {"agent": json.dumps(content.actor)}
        own = {"activityId": content.activity}
        yield content.send("experienced", defined=False)
        yield content.post([content.statement("experienced", defined=False)])
        yield content.ask("GET", "statements")
        yield content.ask("GET", "statements", params={"statementId": new_id()})
        for method in ("GET", "PUT", "POST", "DELETE"):
            yield content.state(method, "mark", **({} if method in {"GET", "DELETE"} else {"json": {}}))
        yield content.preferences("GET")
        yield content.ask("GET", "activities/profile", params={**own, "profileId": "x"})
        yield content.ask("GET", "activities", params=own)
        yield content.ask("GET", "agents", params=agent)
        yield with_data(content, b"first")
        yield content.post([{"untrue": "x" * SMALL}])

    assert [answer.status_code for answer in each_resource()][:2] == [204, 200]
    store, session = lms.tenant.store, content.launched["id"]
    found = session_in(store, str(session))
    store.write(lambda tx: put_session(tx, structs.replace(found, left=1))).result()
    for answer in (*each_resource(), with_data(content, b"later")):
        assert "you were taken out of this course" in refused(answer, "8.1.2.0-2")["message"]
    assert store.blobs.size(sha256(b"first").hexdigest()) == 5
    with pytest.raises(KeyError):
        store.blobs.size(sha256(b"later").hexdigest())
    store.write(lambda tx: tx.delete(SESSION, found.id)).result()
    for answer in each_resource():
        refused(answer, "8.1.2.0-5", 401)


def test_a_token_opens_nothing_but_the_endpoint_of_content(lms, content):
    headers = {**VERSION, "Authorization": content.auth}

    plain = lms.clients[0].get(f"{lms.address}/xapi/statements", headers=headers)
    key = lms.clients[0].get(f"{content.endpoint}/statements", headers=VERSION, auth=lms.auth)
    api = lms.clients[0].get(f"{lms.address}/t/default/cmi5/api/v1/ping", headers=headers)

    assert (plain.status_code, key.status_code, api.status_code) == (401, 401, 401)


def test_what_content_is_told_about_the_endpoint_needs_no_token(content):
    answer = content.client.get(f"{content.endpoint}/about")

    assert answer.status_code == 200
    assert "1.0.3" in answer.json()["version"]


# -- statements -------------------------------------------------------------------------------------------------------


def test_blocks_and_the_course_are_satisfied_right_after_what_satisfies_them(lms, platform, course):
    actor = learner()
    first = platform.launch(course, actor=actor).start()
    assert first.send("completed").status_code == 204
    assert first.put(first.scored("passed", 0.95, 0.9)).status_code == 204
    assert first.send("terminated").status_code == 204
    second = platform.launch(course, 1, actor=actor, reg=first.registration).start()
    assert second.send("completed").status_code == 204
    assert second.send("terminated").status_code == 204

    told = statements_of(lms, first.registration)

    assert [one["verb"]["id"].rpartition("/")[2] for one in told] == [
        *("launched", "initialized", "completed", "passed", "satisfied", "terminated"),
        *("launched", "initialized", "completed", "satisfied", "satisfied", "terminated"),
    ]
    satisfied = [one for one in told if one["verb"]["id"].endswith("/satisfied")]
    groupings = [one["context"]["contextActivities"]["grouping"] for one in satisfied]
    assert groupings == [[{"id": INNER}], [{"id": OUTER}], [{"id": "https://publisher.example/sessions"}]]
    types = [one["object"]["definition"]["type"].rpartition("/")[2] for one in satisfied]
    assert types == ["block", "block", "course"]
    sessions = [one["context"]["extensions"][f"{EXTENSIONS}sessionid"] for one in satisfied]
    assert sessions == [first.session, second.session, second.session]
    assert len({one["object"]["id"] for one in satisfied} - {INNER, OUTER}) == 3
    third = platform.launch(course, 1, actor=actor, reg=first.registration).start(initialize=False)
    assert third.data["launchMode"] == "Review"


def test_sent_once_more_a_statement_changes_nothing_and_another_under_its_id_is_a_conflict(lms, content):
    completed = content.statement("completed")
    terminated = content.statement("terminated")

    answers = [content.put(one).status_code for one in (completed, completed, terminated, terminated)]

    assert answers == [204, 204, 204, 204]
    other = terminated | {"result": {"duration": "PT9S"}}
    assert content.put(other).status_code == 409
    refused(content.put(completed), "9.3.0.0-5")
    assert verbs_of(lms, content.registration) == ["launched", "initialized", "completed", "terminated"]


def test_a_batch_is_judged_in_its_order_and_stored_whole_or_not_at_all(lms, platform, course):
    content = platform.launch(course).start(initialize=False)
    batch = [content.statement("initialized"), content.statement("completed"), content.statement("completed")]

    told = refused(content.post(batch), "9.3.0.0-2")
    stored = content.post([batch[0], content.statement("experienced", defined=False), batch[1]])

    assert told["index"] == 2
    assert stored.status_code == 200
    assert len(stored.json()) == 3
    assert verbs_of(lms, content.registration) == ["launched", "initialized", "experienced", "completed"]


def test_a_statement_without_an_id_and_a_first_one_that_is_not_initialized_are_refused(platform, course):
    content = platform.launch(course).start(initialize=False)
    nameless = content.statement("initialized")
    del nameless["id"]

    refused(content.post(nameless), "9.1.0.0-1")
    refused(content.send("experienced", defined=False), "9.3.0.0-4")


def test_faults_against_xapi_stay_400(content):
    told = content.statement("completed")
    del told["actor"]

    answer = content.put(told)

    assert answer.status_code == 400
    assert "xAPI" in answer.json()["rule"]


def test_what_content_must_read_first_is_asked_for(platform, course):
    content = platform.launch(course)
    content.fetch()
    content.data = platform.launch(course).start(initialize=False).data

    refused(content.send("initialized"), "11.0.0.0-3")
    content.preferences("GET")
    refused(content.send("initialized"), "10.2.1.0-4")
    content.read_launch_data()
    assert content.send("initialized").status_code == 204


def test_two_launches_of_one_registration_have_one_session_at_a_time(lms, platform, course):
    first = platform.launch(course).start()
    second = platform.launch(course, actor=first.actor, reg=first.registration).start()

    refused(first.send("completed"), "8.1.2.0-2")
    assert second.send("completed").status_code == 204
    assert second.activity == first.activity
    told = statements_of(lms, first.registration)
    assert [one["verb"]["id"].rpartition("/")[2] for one in told] == [
        *("launched", "initialized", "abandoned", "launched", "initialized", "completed"),
    ]
    assert told[2]["result"]["duration"].startswith("PT0.")
    assert told[2]["context"]["extensions"] == {f"{EXTENSIONS}sessionid": first.session}
    assert told[2]["context"]["contextActivities"] == {"category": [{"id": CMI5}], "grouping": [{"id": A}]}


def test_a_unit_is_completed_and_passed_once_in_a_registration(platform, course):
    first = platform.launch(course).start()
    assert first.send("completed").status_code == 204
    assert first.put(first.scored("passed", 0.9, 0.9)).status_code == 204
    second = platform.launch(course, actor=first.actor, reg=first.registration, launchMode="Normal").start()

    refused(second.send("completed"), "9.3.0.0-6")
    refused(second.put(second.scored("passed", 0.9, 0.9)), "9.3.0.0-7")
    refused(second.put(second.scored("failed", 0.1, 0.9)), "9.3.0.0-8")


@pytest.mark.parametrize(("mode", "requirement"), [("Browse", "10.2.2.0-2"), ("Review", "10.2.2.0-3")])
def test_in_browse_and_review_nothing_is_judged(platform, course, mode, requirement):
    content = platform.launch(course, launchMode=mode).start()

    for verb in ("completed", "passed", "failed"):
        refused(content.send(verb), requirement)
    assert content.send("terminated").status_code == 204


def test_content_reads_statements_of_its_registration_that_content_sent(lms, platform, course, content):
    other = platform.launch(course).start()
    mine, theirs = content.statement("completed"), other.statement("completed")
    assert (content.put(mine).status_code, other.put(theirs).status_code) == (204, 204)

    listed = content.ask("GET", "statements", params={"limit": "1"})
    more = content.ask("GET", "statements" + listed.json()["more"].partition("statements")[2])
    one = content.ask("GET", "statements", params={"statementId": mine["id"]})
    foreign = content.ask("GET", "statements", params={"statementId": theirs["id"]})
    launched = content.ask(
        "GET", "statements", params={"statementId": statements_of(lms, content.registration)[0]["id"]}
    )

    assert [listed.json()["statements"][0]["id"], len(more.json()["statements"])] == [mine["id"], 1]
    assert more.json()["more"] == ""
    assert (one.status_code, foreign.status_code, launched.status_code) == (200, 404, 404)
    refused(content.ask("GET", "statements", params={"registration": other.registration}), "8.1.4.0-3")
    stolen = other.ask("GET", "statements", params={"limit": "1"}).json()["more"].partition("statements")[2]
    refused(content.ask("GET", "statements" + stolen), "8.1.4.0-3")


def test_what_content_sends_is_of_a_source_of_its_own_and_what_we_say_is_ours(lms, content):
    content.send("completed")
    found = statements_of(lms, content.registration)

    sources = [lms.tenant.store.get("statement", one["id"]).meta["source"] for one in found]

    client = next(each(lms.tenant.store, CLIENT)).id
    own = f"{CONTENT_SOURCE} client {client}"
    assert sources == [OWN_SOURCE, own, own]
    for name in (CONTENT_SOURCE, own):
        with pytest.raises(Misconfigured, match="courses that are launched here"):
            create_key(lms.tenant, name, ["all"])


# -- documents --------------------------------------------------------------------------------------------------------


def test_launch_data_can_only_be_read(content):
    refused(content.state("PUT", "LMS.LaunchData", json={}), "10.2.1.0-5")
    refused(content.state("POST", "LMS.LaunchData", json={}), "10.2.1.0-5")
    refused(content.state("DELETE", "LMS.LaunchData"), "10.2.1.0-5")
    refused(content.state("DELETE", ""), "10.2.1.0-5")
    assert content.state("GET", "LMS.LaunchData").json() == content.data


def test_state_is_that_of_the_learner_in_the_registration(content):
    assert content.state("PUT", "mark", json={"page": 3}).status_code == 204
    assert content.state("GET", "mark").json() == {"page": 3}
    refused(content.state("GET", "mark", params={"agent": json.dumps(learner())}), "8.1.3.0-3")
    refused(content.state("GET", "mark", params={"registration": new_id()}), "8.1.4.0-3")
    without = {"agent": json.dumps(content.actor), "activityId": "https://x.example", "stateId": "mark"}
    refused(content.ask("GET", "activities/state", params=without), "8.1.4.0-3")
    assert content.ask("GET", "activities/state", params={"activityId": content.activity}).status_code == 400


def test_preferences_are_read_and_written_as_they_must_be(content):
    said = {"languagePreference": "en-US,fr", "audioPreference": "off"}

    assert content.preferences("GET").status_code == 404
    assert content.preferences("PUT", json=said).status_code == 400  # by the rule of xAPI 1.0.3 for new profiles
    assert content.preferences("PUT", json=said, headers={"If-None-Match": "*"}).status_code == 204
    assert content.preferences("GET").json() == said
    assert content.preferences("POST", json={"audioPreference": "on"}).status_code == 204
    assert content.preferences("GET").json() == said | {"audioPreference": "on"}


@pytest.mark.parametrize(
    ("requirement", "method", "more"),
    [
        ("11.0.0.0-5", "PUT", {"content": b'{"languagePreference":"en","audioPreference":"on"}'}),
        ("11.0.0.0-5", "PUT", {"content": b"text", "headers": {"Content-Type": "text/plain"}}),
        ("11.0.0.0-5", "PUT", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("11.0.0.0-5", "PUT", {"json": ["en"]}),
        ("11.0.0.0-5", "PUT", {"json": {"languagePreference": "en"}}),
        ("11.0.0.0-5", "PUT", {"json": {"audioPreference": "on"}}),
        ("11.0.0.0-5", "POST", {"json": {"audioPreference": 1}}),
        ("11.1.0.0-1", "PUT", {"json": {"languagePreference": "not comma separated", "audioPreference": "on"}}),
        ("11.1.0.0-1", "PUT", {"json": {"languagePreference": "", "audioPreference": "on"}}),
        ("11.1.0.0-1", "POST", {"json": {"languagePreference": "en,,fr"}}),
        ("11.2.0.0-1", "PUT", {"json": {"languagePreference": "en", "audioPreference": "loud"}}),
        ("11.0.0.0-5", "DELETE", {}),
        ("11.0.0.0-1", "GET", {"params": {"agent": '{"mbox":"mailto:x@example.org"}'}}),
        ("11.0.0.0-4", "GET", {"params": {"profileId": "private"}}),
    ],
)
def test_preferences_that_are_none_are_refused(content, requirement, method, more):
    refused(content.preferences(method, **more), requirement)


def test_a_request_for_preferences_without_an_agent_is_a_fault_against_xapi(content):
    answer = content.ask("PUT", "agents/profile", params={"profileId": "cmi5LearnerPreferences"}, json={})

    assert answer.status_code == 400


def test_of_activities_and_agents_content_sees_its_own(content):
    def asked(resource, **params):
        return content.ask("GET", resource, params=params)

    assert asked("activities", activityId=content.activity).json()["id"] == content.activity
    assert asked("agents", agent=json.dumps(content.actor)).json()["objectType"] == "Person"
    refused(asked("activities", activityId="https://x.example"), "8.1.5.0-6")
    refused(asked("agents", agent=json.dumps(learner())), "8.1.3.0-3")
    profile = {"activityId": content.activity, "profileId": "shared"}
    put = content.ask("PUT", "activities/profile", params=profile, json=[1], headers={"If-None-Match": "*"})
    assert put.status_code == 204
    refused(content.ask("GET", "activities/profile", params=profile | {"activityId": "https://x.example"}), "8.1.5.0-6")


# -- the end of a session ---------------------------------------------------------------------------------------------


def later(lms, micros):
    """The tenant, so much later."""
    clock = lms.tenant.clock
    return replace(lms.tenant, clock=lambda: clock() + micros)


def test_after_terminated_state_can_be_kept_for_a_minute(lms, content):
    assert content.send("terminated").status_code == 204

    refused(content.send("experienced", defined=False), "9.3.0.0-5")
    assert content.state("PUT", "mark", json={}).status_code == 204
    assert LaunchTokens().caller(later(lms, GRACE // 2), content.auth, "").via == "content"
    with pytest.raises(Refused, match=r"8\.1\.2\.0-2: the session was terminated"):
        LaunchTokens().caller(later(lms, GRACE + 1), content.auth, "")


def test_a_session_that_falls_silent_is_abandoned_after_a_day(lms, content):
    step, store = abandon_step(SUBSCRIPTIONS), lms.tenant.store

    def run(tenant):
        store.write(lambda tx: tx.owe("launch-session", content.session, Owed("abandon"))).result()
        claims = store.claim(["abandon"], limit=100, lease=60_000_000)
        step.run(tenant, [one for one in claims if one.record.id == content.session])

    found = session_in(store, content.session)  # it began a day ago, and something came just now
    store.write(lambda tx: put_session(tx, structs.replace(found, launched=found.launched - IDLE))).result()
    run(lms.tenant)
    before = verbs_of(lms, content.registration)
    run(later(lms, IDLE + 1))

    assert before == ["launched", "initialized"]
    assert verbs_of(lms, content.registration) == ["launched", "initialized", "abandoned"]
    refused(content.state("GET", "mark"), "8.1.2.0-2")


def test_a_unit_that_needs_nothing_is_satisfied_when_somebody_registers(lms, platform):
    parts = (block(unit(A), id=INNER),)
    course = platform.bring(structure(*parts, id="https://publisher.example/nothing"))["id"]

    content = platform.launch(course).start()

    assert verbs_of(lms, content.registration) == ["satisfied", "satisfied", "launched", "initialized"]
    assert content.data["launchMode"] == "Normal"
    assert content.send("completed").status_code == 204


def test_a_waived_unit_is_satisfied_once_with_its_reason(lms, platform, course):
    content = platform.launch(course, 1).start()
    address = f"registration/{content.registration}/waive-au"

    done = platform.ask("POST", f"{address}/1", json={"reason": "known already"})
    again = platform.ask("POST", f"{address}/1", json={"reason": "known already"})
    without = platform.ask("POST", f"{address}/0", json={"reason": " "})
    nothing = platform.ask("POST", f"{address}/2", json={"reason": "x"})
    inner = platform.ask("POST", f"{address}/0", json={"reason": "Zoë"})

    statuses = [answer.status_code for answer in (done, again, without, nothing, inner)]
    assert statuses == [204, 409, 400, 409, 204]
    told = [one for one in statements_of(lms, content.registration) if "/verbs/waived" in one["verb"]["id"]]
    assert told[0]["result"] == {
        "completion": True,
        "success": True,
        "extensions": {"https://w3id.org/xapi/cmi5/result/extensions/reason": "known already"},
    }
    assert {"id": MOVE_ON} in told[0]["context"]["contextActivities"]["category"]
    assert told[0]["object"]["id"] == content.activity
    waived = [one["context"]["extensions"][f"{EXTENSIONS}sessionid"] for one in told]
    assert len({*waived, content.session}) == 3
    assert verbs_of(lms, content.registration)[-4:] == ["waived", "satisfied", "satisfied", "satisfied"]


def test_a_unit_that_is_done_cannot_be_waived(lms, platform, course):
    content = platform.launch(course, 1).start()
    assert content.send("completed").status_code == 204

    answer = platform.ask("POST", f"registration/{content.registration}/waive-au/1", json={"reason": "known already"})

    refused(answer, "9.3.7.0-4", 409)
    assert "waived" not in verbs_of(lms, content.registration)


def test_a_duration_beyond_all_numbers_leaves_a_registration_that_can_be_read(platform, course):
    content = platform.launch(course).start()
    told = content.statement("terminated")
    told["result"]["duration"] = f"PT{'9' * 400}S"

    sent = content.put(told)

    address = f"registration/{content.registration}"
    again = platform.ask(
        "POST", f"course/{course}/launch-url/0", json={"actor": content.actor, "reg": content.registration}
    )
    assert [one.status_code for one in (sent, platform.ask("GET", address), again)] == [204, 200, 200]


@pytest.mark.parametrize("defined", [True, False])
def test_content_does_not_prove_what_another_unit_proves(platform, course, defined):
    content = platform.launch(course, index=1).start()
    about = {} if defined else {"object": {"id": "https://publisher.example/a/question"}}
    told = content.statement("completed", defined=defined, **about)
    told["context"]["contextActivities"]["grouping"].append({"id": A})

    refused(content.put(told), "10.2.1.0-7")
    told["context"]["contextActivities"]["grouping"].pop()
    assert content.put(told).status_code == 204
