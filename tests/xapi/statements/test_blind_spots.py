"""What the conformance suite means to test and does not: the project's xAPI checklist, section 3."""

import pytest

from lrs.kernel.sealed import seal
from tests.rows import each_of
from tests.served import Lrs, new_id, serving, somebody, statement, voiding
from tests.xapi.statements.examples import ATTACHMENT, changed

IRI_PLACES = {
    "verb": "/verb/id",
    "object": "/object/id",
    "type": "/object/definition/type",
    "moreInfo": "/object/definition/moreInfo",
    "definition extension": "/object/definition/extensions",
    "account": "/actor/account/homePage",
    "openid": "/authority/openid",
    "result extension": "/result/extensions",
    "context extension": "/context/extensions",
    "context activity": "/context/contextActivities/parent/0/id",
    "usageType": "/attachments/0/usageType",
    "fileUrl": "/attachments/0/fileUrl",
}
WITH_IRIS = {
    "actor": {"account": {"homePage": "https://school.example", "name": "1"}},
    "verb": {"id": "https://example.org/v"},
    "object": {
        "id": "https://example.org/a",
        "definition": {
            "type": "https://example.org/t",
            "moreInfo": "https://example.org/m",
            "extensions": {"https://example.org/e": 1},
        },
    },
    "authority": {"openid": "https://openid.example/a"},
    "result": {"extensions": {"https://example.org/e": 1}},
    "context": {
        "extensions": {"https://example.org/e": 1},
        "contextActivities": {"parent": [{"id": "https://example.org/p"}]},
    },
    "attachments": [ATTACHMENT],
}


@each_of("wrong", ["ab=c://should.fail.com", "should.fail.com", "word", "", "://x", "1a:b"])
@each_of("place", IRI_PLACES)
def test_an_iri_without_a_scheme_is_400_at_every_place_by_post_and_put(lrs, place, wrong):
    """XAPI-00011: the suite's eleven tests send nothing."""
    pointer = IRI_PLACES[place]
    body = changed(WITH_IRIS, pointer, {wrong: 1} if pointer.endswith("extensions") else wrong)

    answers = [lrs.post(body), lrs.put(body, statement_id := new_id())]

    assert lrs.post(WITH_IRIS).status_code == 200
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_statement")
        assert answer.json()["pointer"].startswith(pointer)
    assert lrs.get(statementId=statement_id).status_code == 404


AN_ID = "347893c2-5d5b-47c9-8789-ac1bc846d5ba"
WRONG_VALUES = {
    "statementId": ("must be a UUID", ["", "12345", "true", "{" + AN_ID + "}", AN_ID + "0", AN_ID[:-1] + "g"]),
    "voidedStatementId": ("must be a UUID", ["", "12345", "null"]),
    "registration": ("must be a UUID", ["", "12345", "true"]),
    "verb": ("must be an IRI with a scheme", ["", "experienced", "ab=c://should.fail.com", "a b"]),
    "activity": ("must be an IRI with a scheme", ["", "activity", "www.example.org", "ab=c://should.fail.com"]),
    "since": (
        "must be an ISO 8601 timestamp",
        ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-21T10:00:00-00:00", "1795000000", "2026-11-21T25:00:00Z"],
    ),
    "until": ("must be an ISO 8601 timestamp", ["", "tomorrow", "2026-02-30T00:00:00Z"]),
    "limit": ("must be a whole number of 0 or more", ["", "-1", "1.5", "one", "0x10", "1e3", "²", " 1", "9" * 5_000]),
    "ascending": ("must be true or false", ["", "yes", "True", "1"]),
    "attachments": ("must be true or false", ["", "yes", "FALSE", "0"]),
    "related_agents": ("must be true or false", ["", "yes"]),
    "related_activities": ("must be true or false", ["", "yes"]),
    "format": ("must be one of exact, ids, canonical", ["", "IDS", "xml"]),
}


@each_of(("name", "value"), [(name, value) for name, (_, values) in WRONG_VALUES.items() for value in values])
def test_a_parameter_with_a_wrong_value_is_400_and_named(lrs, name, value):
    """XAPI-00012: the suite's six tests send nothing."""
    answer = lrs.get(**{name: value})

    assert answer.status_code == 400
    assert answer.json()["message"].endswith(WRONG_VALUES[name][0])
    assert f"'{name}'" in answer.json()["message"]
    assert answer.json()["rule"] == "xAPI 1.0.3 Communication 3.2"
    assert lrs.get(version="2.0.0", **{name: value}).json()["rule"] == "IEEE 9274.1.1 4.1.5"


@pytest.mark.parametrize(("resource", "name"), [("activities", "activityId"), ("activities/profile", "activityId")])
@pytest.mark.parametrize("value", ["true", "", "ab=c://should.fail.com"])
def test_activity_id_must_be_an_iri(lrs, resource, name, value):
    """Tests inside tests, which never run in the suite."""
    answer = lrs.ask("GET", resource, params={name: value})

    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "parameter 'activityId' must be an IRI with a scheme",
    )


@each_of("agent", ["true", "", "{}", "[]", '{"mbox":"x"}', "{"])
@each_of("resource", ["agents", "agents/profile"])
def test_agent_must_be_an_agent(lrs, resource, agent):
    answer = lrs.ask("GET", resource, params={"agent": agent})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("parameter 'agent'")


def test_a_voided_id_beside_a_filter_is_400_not_404(lrs):
    """The suite's "voidedStatementId with X" send statementId."""
    target = lrs.store(statement())[0]
    lrs.store(voiding(target))

    assert lrs.get(voidedStatementId=target).status_code == 200
    for extra in ({"agent": somebody()}, {"limit": "1"}, {"since": "2026-01-01T00:00:00Z"}, {"statementId": target}):
        assert lrs.get(voidedStatementId=target, **extra).status_code == 400
        assert lrs.get(**({"statementId": target, "voidedStatementId": target} | extra)).status_code == 400


def test_a_timestamp_of_null_is_400_and_a_missing_one_is_stored(lrs):
    """2.0's "set timestamp to stored" sends null."""
    assert lrs.post(statement(timestamp=None), version="2.0.0").status_code == 400

    kept = lrs.one(lrs.store(statement(), version="2.0.0")[0], version="2.0.0")

    assert kept["timestamp"] == kept["stored"]


def test_context_agents_and_groups_are_related_agents(each_lrs):
    agent, member = somebody(), somebody()
    team = {"objectType": "Group", "mbox": f"mailto:{new_id()}@example.org", "member": [member]}
    context = {
        "contextAgents": [{"objectType": "contextAgent", "agent": agent}],
        "contextGroups": [{"objectType": "contextGroup", "group": team}],
    }
    inner = {"objectType": "SubStatement"} | statement(context=context)
    ids = each_lrs.store([statement(context=context), statement(object=inner)], version="2.0.0")

    for one in (agent, member, {"objectType": "Group", "mbox": team["mbox"]}):
        assert each_lrs.listed(agent=one, related_agents="true") == ids[::-1]
        assert each_lrs.listed(agent=one) == []


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_last_modified_is_there_on_every_document(lrs, version):
    """Three tests of the suite ask for a property that does not exist."""
    params = {"activityId": "https://example.org/lm", "profileId": new_id()}
    headers = {"Content-Type": "text/plain", "If-None-Match": "*"}
    lrs.ask("PUT", "activities/profile", params=params, version=version, content=b"x", headers=headers)

    assert lrs.ask("GET", "activities/profile", params=params, version=version).headers["last-modified"].endswith("GMT")


@pytest.mark.parametrize("origin", ["https://content.example", "null"])
def test_content_in_a_browser_may_ask_from_anywhere_and_no_origin_is_reflected(lrs, origin):
    wanted = {"Origin": origin, "Access-Control-Request-Method": "PUT"}

    asked = lrs.ask("OPTIONS", "statements", version=None, auth=None, headers=wanted)
    answers = [
        lrs.ask("GET", "statements", headers={"Origin": origin}),
        lrs.ask("GET", "statements", auth=None, headers={"Origin": origin}),
    ]

    assert (asked.status_code, asked.content) == (204, b"")
    assert "PUT" in asked.headers["access-control-allow-methods"]
    for name in ("authorization", "content-type", "x-experience-api-version", "if-match", "if-none-match"):
        assert name in asked.headers["access-control-allow-headers"]
    assert [answer.status_code for answer in answers] == [200, 401]
    for answer in (asked, *answers):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "etag" in answer.headers["access-control-expose-headers"]


def test_options_that_is_no_preflight_is_405(lrs):
    assert lrs.ask("OPTIONS", "statements").status_code == 405


# -- more -----------------------------------------------------------------------------------------------------------


def more_of(lrs):
    actor = somebody()
    ids = lrs.store([statement(actor=actor) for _ in range(3)])
    return ids, lrs.get(agent=actor, limit=2).json()["more"]


def test_more_holds_after_a_restart(tmp_path):
    with serving(tmp_path) as lrs:
        ids, more = more_of(lrs)
        auth = lrs.auth

    with serving(tmp_path) as again:
        answer = Lrs(again.address, again.tenant, auth, again.clients).follow(more)

    assert [one["id"] for one in answer.json()["statements"]] == ids[:1]


def test_a_more_that_was_changed_anywhere_is_400(lrs):
    _, more = more_of(lrs)
    path, _, token = more.partition("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    tampered = [token[:i] + alphabet[(alphabet.index(c) + 1) % 64] + token[i + 1 :] for i, c in enumerate(token)]
    inserted = [token[:9] + junk + token[9:] for junk in ("!", "=", ".", "%20", "%0a", "é", "A")]

    for one in [*tampered, *inserted, token[:-1], token + "A", token + "=", "", "A", token[:16], token * 2]:
        answer = lrs.follow(f"{path}={one}")
        assert answer.status_code == 400, one
        assert answer.json()["error"] == "bad_more"
        assert answer.json()["message"] == "this 'more' link was not made by this server, or was changed"


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_a_more_of_ten_kilobytes_is_refused(lrs, size):
    answer = lrs.follow("/xapi/statements?more=" + "A" * size)

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_more")


@pytest.mark.parametrize("query", [{"limit": "all"}, {"agent": 1}, [], {"until": -1.5}])
def test_a_more_of_a_release_with_other_queries_is_400(lrs, query):
    foreign = seal(lrs.tenant.secret("more"), query)

    answer = lrs.follow(f"/xapi/statements?more={foreign}")

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_more")


def test_a_more_of_another_server_is_400(lrs, tmp_path):
    with serving(tmp_path) as other:
        _, foreign = more_of(other)

    assert lrs.follow(foreign).json()["error"] == "bad_more"


def test_more_takes_nothing_beside_it_and_gives_no_right(lrs):
    _, more = more_of(lrs)
    blind = lrs.as_key("statements/write")
    own = lrs.as_key("statements/read/mine", name="nobody else")

    assert lrs.follow(more + "&limit=1").status_code == 400
    assert lrs.follow(more + "&" + more.partition("?")[2]).status_code == 400
    assert blind.follow(more).status_code == 403
    assert own.follow(more).json()["statements"] == []
    assert lrs.follow(more, auth=None).status_code == 401


def test_more_of_a_very_long_filter_works(lrs):
    activity = "https://example.org/" + "a" * 7_000
    ids = lrs.store([statement(object={"id": activity}) for _ in range(2)])

    assert lrs.listed(activity=activity, limit=1) == ids[::-1]
