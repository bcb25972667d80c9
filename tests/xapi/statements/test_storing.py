"""Storing statements over HTTP: ids, times, batches, resending, on both engines.

The numbers are those of the project's xAPI checklist, section 2.
"""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.served import new_id, something, statement

STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ANONYMOUS = {
    "objectType": "Group",
    "member": [
        {"account": {"homePage": "https://oauth.example", "name": "app"}},
        {"mbox": "mailto:user@example.org"},
    ],
}


@pytest.mark.mongo_in_soak
def test_11_post_answers_the_ids_in_order_also_of_one_statement(each_lrs):
    ids = [new_id() for _ in range(3)]

    batch = each_lrs.post([statement(id=one) for one in ids])
    single = each_lrs.post(statement(id=(last := new_id())))

    assert (batch.status_code, batch.json()) == (200, ids)
    assert (single.status_code, single.json()) == (200, [last])


def test_11_ids_are_answered_as_they_were_sent_and_found_in_any_case(lrs):
    sent = new_id().upper()

    assert lrs.store(statement(id=sent)) == [sent]
    assert lrs.one(sent)["id"] == sent
    assert lrs.one(sent.lower())["id"] == sent


def test_11_an_empty_batch_is_no_fault_and_stores_nothing(lrs):
    assert lrs.store([]) == []


@pytest.mark.mongo_in_soak
def test_11_put_is_204_without_a_body_and_needs_an_id(each_lrs):
    answer = each_lrs.put(statement(), (statement_id := new_id()))
    without = each_lrs.ask("PUT", "statements", content=b"{}", headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert each_lrs.one(statement_id)["id"] == statement_id
    assert (without.status_code, without.json()["message"]) == (400, "parameter 'statementId' is missing")


def test_11_the_id_of_a_put_and_of_its_statement_must_be_the_same(lrs):
    statement_id, other = new_id(), new_id()

    answer = lrs.put(statement(id=other), statement_id)

    assert answer.status_code == 400
    assert answer.json()["message"] == "the statement's id is not the statementId of the request"
    assert (answer.json()["pointer"], answer.json()["rule"]) == ("/id", "xAPI 1.0.3 Communication 2.1.1")
    assert {lrs.get(statementId=one).status_code for one in (statement_id, other)} == {404}
    assert lrs.put(statement(id=statement_id.upper()), statement_id).status_code == 204


def test_11_put_takes_no_batch_and_no_id_that_is_none(lrs):
    assert lrs.put([statement()], new_id()).json()["message"] == "PUT takes one statement, not an array"
    assert lrs.put(statement(), "12345").json()["message"] == "parameter 'statementId' must be a UUID"


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize(("version", "own"), [("1.0.3", "1.0.0"), ("2.0.0", "2.0.0")])
def test_12_what_is_missing_is_set_by_the_lrs(each_lrs, version, own):
    statement_id = each_lrs.store(statement(), version=version)[0]

    kept = each_lrs.one(statement_id, version=version)

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", kept["id"])
    assert STORED.fullmatch(kept["stored"])
    assert kept["timestamp"] == kept["stored"]
    assert kept["version"] == own
    assert kept["authority"] == {
        "objectType": "Agent",
        "name": "tests",
        "account": {"homePage": "http://localhost/t/default", "name": each_lrs.auth[0]},
    }


AUTHORITIES = pytest.mark.parametrize("authority", [{"mbox": "mailto:somebody@example.org"}, ANONYMOUS])


@AUTHORITIES
@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_12_a_timestamp_of_the_client_stays_and_its_authority_is_the_servers(each_lrs, authority, version):
    sent = statement(authority=authority, timestamp="2020-02-29T12:00:00.5Z")
    statement_id = each_lrs.store(sent, version=version)[0]

    kept = each_lrs.one(statement_id, version=version)

    assert (kept["authority"]["name"], kept["timestamp"]) == ("tests", "2020-02-29T12:00:00.5Z")
    assert kept["authority"]["account"]["name"] == each_lrs.auth[0]
    assert each_lrs.get(statementId=statement_id).text.count('"authority"') == 1
    somebody = authority.get("member", [authority])[0]
    assert statement_id not in each_lrs.listed(agent=somebody, related_agents="true")
    assert statement_id in each_lrs.listed(agent=kept["authority"], related_agents="true")


@AUTHORITIES
@pytest.mark.mongo_in_soak
def test_12_an_import_brings_the_authority_of_its_statements_along(each_lrs, authority):
    importer = each_lrs.as_key("statements/write", "import", name="old-store")
    theirs, without = importer.store([statement(authority=authority), statement()])

    assert each_lrs.one(theirs)["authority"] == authority
    assert each_lrs.one(without)["authority"]["name"] == "old-store"
    somebody = authority.get("member", [authority])[0]
    assert theirs in each_lrs.listed(agent=somebody, related_agents="true")


def test_12_an_authority_that_is_none_is_refused_although_it_is_not_kept(lrs):
    answer = lrs.post(statement(authority={"objectType": "Group", "member": [{"mbox": "mailto:a@example.org"}]}))

    assert (answer.status_code, answer.json()["pointer"]) == (400, "/authority")


def test_12_nobody_learns_a_name_from_an_authority_that_is_not_kept(lrs):
    lrs.store(statement(authority={"mbox": "mailto:named@example.org", "name": "Forged"}))

    person = lrs.ask("GET", "agents", params={"agent": '{"mbox":"mailto:named@example.org"}'}).json()

    assert person == {"objectType": "Person", "mbox": ["mailto:named@example.org"]}


@pytest.mark.mongo_in_soak
def test_12_stored_is_always_ours(each_lrs):
    statement_id = each_lrs.store(statement(stored="2001-01-01T00:00:00Z", timestamp="2001-01-01T00:00:00Z"))[0]

    text = each_lrs.get(statementId=statement_id).text

    assert text.count('"stored"') == 1
    assert json.loads(text)["stored"] > "2026"
    assert json.loads(text)["timestamp"] == "2001-01-01T00:00:00Z"


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_13_one_bad_statement_refuses_the_batch_and_none_is_stored(each_lrs, bad):
    batch = [statement(id=new_id()) for _ in range(3)]
    del batch[bad]["verb"]

    answer = each_lrs.post(batch)

    assert answer.status_code == 400
    assert (answer.json()["pointer"], answer.json()["index"]) == (f"/{bad}", bad)
    assert answer.json()["message"] == 'A statement must have "verb".'
    assert {each_lrs.get(statementId=one["id"]).status_code for one in batch} == {404}


def test_13_a_batch_of_fifty_with_item_37_invalid_says_so(each_lrs):
    batch = [statement(id=new_id()) for _ in range(50)]
    batch[37]["verb"]["id"] = "experienced"

    answer = each_lrs.post(batch)

    assert answer.status_code == 400
    assert answer.json() | {"requestId": ""} == {
        "error": "invalid_statement",
        "message": "The verb's id must be an IRI with a scheme, such as https://example.com/thing;"
        ' "experienced" is not.',
        "pointer": "/37/verb/id",
        "index": 37,
        "rule": "xAPI 1.0.3 Data 2.4.3",
        "requestId": "",
    }
    assert {each_lrs.get(statementId=one["id"]).status_code for one in batch} == {404}


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_14_equal_again_changes_nothing_and_other_content_is_409(each_lrs, version):
    first = statement(id=new_id(), timestamp="2026-01-01T00:00:00Z")
    each_lrs.store(first, version=version)
    before = each_lrs.get(statementId=first["id"]).content

    assert each_lrs.post(first, version=version).json() == [first["id"]]
    assert each_lrs.put(first, first["id"], version=version).status_code == 204
    other = each_lrs.put(first | {"result": {"success": True}}, first["id"], version=version)
    posted = each_lrs.post(first | {"verb": {"id": "https://example.org/other"}}, version=version)

    assert (other.status_code, posted.status_code) == (409, 409)
    assert other.json() | {"requestId": ""} == {
        "error": "conflict",
        "message": f"statement {first['id']} is stored already with other content",
        "rule": {"1.0.3": "xAPI 1.0.3 Communication 2.1.1", "2.0.0": "IEEE 9274.1.1 4.1.6.1"}[version],
        "requestId": "",
    }
    assert each_lrs.get(statementId=first["id"]).content == before


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_14_twins_in_a_batch_are_400_also_in_another_case(each_lrs, version):
    twin = new_id()

    for other in (twin, twin.upper()):
        answer = each_lrs.post([statement(id=twin), statement(), statement(id=other)], version=version)

        assert answer.status_code == 400
        assert (answer.json()["pointer"], answer.json()["index"]) == ("/2/id", 2)
        assert answer.json()["message"] == "this id stands twice in the batch"
        assert (
            answer.json()["rule"]
            == {
                "1.0.3": "xAPI 1.0.3 Communication 2.1.2",
                "2.0.0": "IEEE 9274.1.1 4.1.6.1",
            }[version]
        )
    assert each_lrs.get(statementId=twin).status_code == 404


THEIRS = {
    "stored": "2026-01-01T00:00:00.000Z",
    "timestamp": "2026-01-01T00:00:00.000Z",
    "authority": {"account": {"homePage": "https://other.example", "name": "lrs"}},
    "version": "1.0.0",
}
"""What another LRS has set in a statement that it forwards."""


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("scopes", [("statements/write",), ("statements/write", "import")], ids=["sender", "import"])
@pytest.mark.parametrize("own", [{}, {"timestamp": "2025-12-31T23:59:58Z"}], ids=["undated", "dated"])
@pytest.mark.parametrize("versions", [("1.0.3", "1.0.3"), ("1.0.3", "2.0.0"), ("2.0.0", "1.0.3")])
def test_14_a_statement_is_the_same_sent_directly_and_forwarded_in_both_orders(each_lrs, scopes, own, versions):
    forwarder = each_lrs.as_key(*scopes, name="forwarder")
    for first, second in ((each_lrs, forwarder), (forwarder, each_lrs)):
        direct = statement(id=new_id(), **own)
        bodies = {each_lrs.auth: direct, forwarder.auth: {**direct, **THEIRS, **own}}
        assert first.post(bodies[first.auth], version=versions[0]).status_code == 200
        before = each_lrs.get(statementId=direct["id"]).content

        assert second.post(bodies[second.auth], version=versions[1]).json() == [direct["id"]]
        assert second.put(bodies[second.auth], direct["id"], version=versions[1]).status_code == 204
        assert each_lrs.get(statementId=direct["id"]).content == before


def test_14_a_statement_read_back_can_be_sent_again(each_lrs):
    ids = each_lrs.store([statement(), statement(timestamp="2026-01-01T00:00:00+01:00")], version="2.0.0")

    back = [each_lrs.one(one, version="2.0.0") for one in ids]

    assert each_lrs.store(back, version="2.0.0") == ids


@pytest.mark.mongo_in_soak
def test_14_another_time_than_its_senders_is_another_statement(each_lrs):
    dated = statement(id=new_id(), timestamp="2026-01-01T00:00:00Z")
    each_lrs.store(dated)

    assert each_lrs.post({**dated, "timestamp": "2026-01-01T00:00:01Z"}).status_code == 409


def test_14_a_batch_with_one_conflict_stores_nothing_and_names_it(each_lrs):
    there = statement(id=new_id())
    each_lrs.store(there)
    fresh = [statement(id=new_id()) for _ in range(4)]

    answer = each_lrs.post([*fresh[:2], there | {"result": {"completion": True}}, *fresh[2:]])

    assert (answer.status_code, answer.json()["index"]) == (409, 2)
    assert {each_lrs.get(statementId=one["id"]).status_code for one in fresh} == {404}
    assert "result" not in each_lrs.one(there["id"])


@pytest.mark.mongo_in_soak
def test_14_a_conflict_in_a_list_of_one_has_its_place_too(each_lrs):
    there = statement(id=new_id())
    each_lrs.store(there)

    listed = each_lrs.post([there | {"result": {"completion": True}}])
    alone = each_lrs.post(there | {"result": {"completion": True}})

    assert (listed.status_code, listed.json()["pointer"], listed.json()["index"]) == (409, "/0", 0)
    assert alone.status_code == 409
    assert not {"pointer", "index"} & alone.json().keys()


def test_14_a_batch_may_bring_again_what_is_there(each_lrs):
    there = statement(id=new_id())
    each_lrs.store(there)

    ids = each_lrs.store([fresh := statement(id=new_id()), there])

    assert ids == [fresh["id"], there["id"]]
    assert each_lrs.one(fresh["id"])["id"] == fresh["id"]


def taken(send):
    """The status of what *send* sends, once there is room: on a busy machine many may wait for too long (503)."""
    while (answer := send()).status_code == 503:
        time.sleep(0.1)  # as the answer asks, if for less
    return answer.status_code


def test_14_thirty_two_equal_puts_at_once_store_one_and_are_all_204(each_lrs):
    one = statement(id=new_id())

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda _: taken(lambda: each_lrs.put(one, one["id"])), range(32)))

    assert statuses == [204] * 32
    assert each_lrs.listed(activity=one["object"]["id"]) == [one["id"]]


def test_14_of_thirty_two_different_puts_at_once_one_wins_and_the_rest_are_409(each_lrs):
    one = statement(id=new_id())
    each = [one | {"result": {"score": {"raw": number}}} for number in range(32)]

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda body: taken(lambda: each_lrs.put(body, one["id"])), each))

    assert sorted(statuses) == [204] + [409] * 31
    assert each_lrs.one(one["id"])["result"]["score"]["raw"] == statuses.index(204)
    assert each_lrs.listed(activity=one["object"]["id"]) == [one["id"]]


def test_14_writers_of_crossing_batches_each_store_all_or_nothing(lrs):
    ids = [new_id() for _ in range(8)]
    place = something()

    def batch(writer):
        order = ids if writer % 2 else ids[::-1]
        mine = statement(object={"id": place}, result={"response": f"writer {writer % 4}"})
        sent = [mine | {"id": one, "actor": {"mbox": "mailto:crossing@example.org"}} for one in order]
        return taken(lambda: lrs.post(sent))

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(batch, range(16)))

    assert set(statuses) == {200, 409}
    assert statuses.count(200) == 4
    assert len({lrs.one(one)["result"]["response"] for one in ids}) == 1


def lone_activity(activity):
    return {"contextActivities": {"parent": {"id": activity}, "category": [{"id": activity}, {"id": activity + "/2"}]}}


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_27_a_lone_context_activity_is_returned_as_an_array(each_lrs, version):
    activity = something()
    inner = {"objectType": "SubStatement", **statement(context=lone_activity(activity))}

    plain, nested = each_lrs.store(
        [statement(context=lone_activity(activity)), statement(object=inner)], version=version
    )

    expected = {"parent": [{"id": activity}], "category": [{"id": activity}, {"id": activity + "/2"}]}
    assert each_lrs.one(plain)["context"]["contextActivities"] == expected
    assert each_lrs.one(nested)["object"]["context"]["contextActivities"] == expected


@pytest.mark.parametrize(
    ("sent", "in_utc"),
    [
        ("2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00Z"),
        ("2026-11-21T10:00:00.120-05:30", "2026-11-21T15:30:00.120Z"),
        ("2026-11-21T10:00:00,123456789+01:00", "2026-11-21T09:00:00.123456789Z"),
        ("2026-11-21T10:00:00.5Z", "2026-11-21T10:00:00.5Z"),
        ("2026-11-21T10:00:00", "2026-11-21T10:00:00Z"),
        ("20261121T100000+0100", "2026-11-21T09:00:00Z"),
        ("2099-12-31T23:59:59-01:00", "2100-01-01T00:59:59Z"),
        ("0800-01-01T00:00:00.25+00:00", "0800-01-01T00:00:00.25Z"),
        ("1969-12-31T23:59:59.75+00:00", "1969-12-31T23:59:59.75Z"),
    ],
)
def test_31_a_timestamp_comes_back_as_sent_in_1_0_3_and_in_utc_in_2_0(lrs, sent, in_utc):
    inner = {"objectType": "SubStatement", **statement(timestamp=sent)}
    old, new = [
        lrs.store([statement(timestamp=sent), statement(object=inner)], version=version)
        for version in ("1.0.3", "2.0.0")
    ]

    assert [lrs.one(old[0])["timestamp"], lrs.one(old[1])["object"]["timestamp"]] == [sent, sent]
    assert [lrs.one(new[0])["timestamp"], lrs.one(new[1])["object"]["timestamp"]] == [in_utc, in_utc]


@pytest.mark.parametrize("offset", ["-00", "-0000", "-00:00"])
def test_31_minus_zero_is_no_offset(lrs, offset):
    answer = lrs.post(statement(timestamp=f"2026-11-21T10:00:00{offset}"))

    assert (answer.status_code, answer.json()["pointer"]) == (400, "/timestamp")


def test_32_times_of_storing_have_all_their_digits_and_never_meet(each_lrs):
    ids = each_lrs.store([statement() for _ in range(20)])

    times = [each_lrs.one(one)["stored"] for one in ids]

    assert all(STORED.fullmatch(time) for time in times)
    assert times == sorted(times)
    # Of those stored at once all have the same milliseconds; by chance one in ten ends in 0.
    later = (each_lrs.one(each_lrs.store(statement())[0])["stored"] for _ in range(50))
    assert any(time[22] != "0" for time in later)


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize(("version", "told"), [("1.0.3", ("1.0", "1.0.9")), ("2.0.0", ("1.0", "1.0.9", "2.0.0"))])
def test_35_the_statement_s_version_is_returned_unchanged(each_lrs, version, told):
    ids = each_lrs.store([statement(version=one) for one in told], version=version)

    assert tuple(each_lrs.one(one, version=version)["version"] for one in ids) == told


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_15_null_is_refused_by_post_and_put_and_stays_inside_extensions(each_lrs, version):
    inside = {"https://example.org/e": {"null": None, "text": "", "object": {}}}
    bad, good, put = (new_id() for _ in range(3))

    answers = [
        each_lrs.post(statement(id=bad, result={"response": None}), version=version),
        each_lrs.put(statement(result={"response": None}), bad, version=version),
    ]
    each_lrs.store(statement(id=good, result={"extensions": inside}), version=version)
    stored = each_lrs.put(statement(result={"extensions": inside}), put, version=version)

    assert [(answer.status_code, answer.json()["pointer"]) for answer in answers] == [(400, "/result/response")] * 2
    assert each_lrs.get(statementId=bad).status_code == 404
    assert stored.status_code == 204
    assert [each_lrs.one(one)["result"]["extensions"] for one in (good, put)] == [inside, inside]


def test_32_fractions_of_a_second_are_kept(lrs):
    statement_id = lrs.store(statement(timestamp="2026-11-21T10:00:00.123456789Z"))[0]

    assert lrs.one(statement_id)["timestamp"] == "2026-11-21T10:00:00.123456789Z"
