"""Documents go out as they came in, are listed in order, and refuse what cannot name one (xapi.md 54, 55, 58)."""

import tracemalloc
from hashlib import sha1

import pytest
from msgspec.structs import replace

from lrs.storage import Record, Walk
from lrs.xapi.documents.change import AT_ONCE, delete_all
from lrs.xapi.documents.resources import Address
from lrs.xapi.statements.identity import ifi_text

ODD_JSON = b'{ "b": 0.10,\n "a": 1e2, "\\u00e9": "\xf0\x9f\x8e\x93" }'
ADA_NAMED = '{"name":"Ada Lovelace","mbox":"mailto:ada@example.org"}'
BOB = '{"mbox":"mailto:bob@example.org"}'
REGISTRATION = "6b1f9a0e-6c2a-4f5e-9d55-0d1f6f1f2a3b"
OTHER_REGISTRATION = "7c2f9a0e-6c2a-4f5e-9d55-0d1f6f1f2a3b"
METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD"]


def test_54_get_gives_the_bytes_type_etag_and_time_of_what_was_put(documents, version):
    documents.create("one", ODD_JSON, version=version, content_type="application/json; charset=UTF-8")

    seen = documents.get("one", version=version)

    assert (seen.status, seen.body) == (200, ODD_JSON)
    assert seen.headers["content-type"] == "application/json; charset=UTF-8"
    assert seen.headers["etag"] == f'"{sha1(ODD_JSON).hexdigest()}"'
    assert seen.headers["last-modified"] == "Wed, 18 Nov 2026 11:06:40 GMT"


def test_54_put_post_and_delete_answer_204_without_a_body(documents):
    created = documents.put("one", b"{}", if_none_match="*")
    merged = documents.post("one", b'{"a":1}')
    deleted = documents.delete("one")

    assert [(seen.status, seen.body) for seen in (created, merged, deleted)] == [(204, b"")] * 3


def test_54_a_document_that_is_not_there_is_404_and_deleting_it_is_204(documents):
    seen = documents.get("nothing")

    assert (seen.status, seen.json["error"]) == (404, "not_found")
    assert documents.delete("nothing").status == 204


def test_54_a_deleted_document_is_gone(documents):
    documents.create("one", b"{}")

    documents.delete("one")

    assert documents.get("one").status == 404
    assert documents.get(None).json == []


def test_54_last_modified_grows_when_a_document_changes(documents, clock):
    documents.create("one", b"{}")
    clock.forward(seconds=2)
    documents.post("one", b'{"a":1}')

    assert documents.get("one").headers["last-modified"] == "Wed, 18 Nov 2026 11:06:42 GMT"


def test_54_without_an_id_get_lists_the_ids_in_the_order_of_their_last_change(documents, clock):
    for name in ("one", "two", "three"):
        clock.forward(seconds=1)
        documents.create(name, b"{}")
    clock.forward(seconds=1)
    documents.post("one", b"{}")

    seen = documents.get(None)

    assert seen.json == ["two", "three", "one"]
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["last-modified"] == "Wed, 18 Nov 2026 11:06:44 GMT"


def test_54_long_lists_are_whole(documents):
    names = [f"d{number}" for number in range(130)]
    for name in names:
        documents.create(name, b"{}")

    assert documents.get(None).json == names


def test_54_an_empty_context_lists_no_ids(documents):
    seen = documents.get(None)

    assert (seen.status, seen.body) == (200, b"[]")


def test_54_since_is_exclusive(documents, clock):
    documents.create("one", b"{}")
    clock.forward(seconds=1)
    documents.create("two", b"{}")

    def since(text):
        return documents.get(None, more={"since": text}).json

    assert since("2026-11-18T11:06:39.999Z") == ["one", "two"]
    assert since("2026-11-18T11:06:40Z") == ["two"]
    assert since("2026-11-18T12:06:41+01:00") == []


def test_54_a_plus_that_was_not_encoded_is_an_offset(documents, clock):
    documents.create("one", b"{}")
    clock.forward(seconds=1)
    documents.create("two", b"{}")

    seen = documents.get(None, more={"since": "2026-11-18T12:06:40 01:00"})

    assert (seen.status, seen.json) == (200, ["two"])


@pytest.mark.parametrize("text", ["not a timestamp", "true", "", "2026-11-18T11:06:40-00:00"])
def test_54_a_since_that_is_no_timestamp_is_400(documents, text):
    seen = documents.get(None, more={"since": text})

    assert (seen.status, seen.json["message"]) == (400, "parameter 'since' must be an ISO 8601 timestamp")


def test_54_since_beside_a_document_id_is_400(documents):
    assert documents.get("one", more={"since": "2026-11-18T11:06:40Z"}).status == 400


def test_54_head_is_answered_like_get(documents):
    documents.create("one", b'{"a":1}')

    assert documents.call("HEAD", "one").status == 200
    assert documents.call("HEAD", None, more={"since": "2026-11-18T11:06:39Z"}).json == ["one"]


def test_54_delete_without_state_id_removes_the_whole_context_and_nothing_else(states):
    for number in range(70):
        states.put(f"s{number}", b"{}")
    states.put("registered", b"{}", more={"registration": REGISTRATION})
    states.put("bobs", b"{}", more={"agent": BOB})

    assert states.delete(None).status == 204

    assert states.get(None).json == []
    assert states.get("bobs", more={"agent": BOB}).status == 200


def kept(states, count, body=b""):
    """The address of a context with *count* documents of *body*, put into the store as they are kept there."""
    agent = ifi_text({"mbox": "mailto:ada@example.org"})
    address = Address("state", states.context["activityId"], agent, "", None)
    for first in range(0, count, 200):
        some = [replace(address, document=f"s{number}") for number in range(first, min(first + 200, count))]
        meta = {"type": "text/plain", "etag": "x", "size": len(body), "source": "k", "agent": agent}
        records = [Record("state", one.id, body, {**meta, "document": one.document}, one.keys) for one in some]
        states.tenant.store.write(lambda tx, records=records: [tx.insert(one) for one in records]).result(60)
    return address


def test_54_a_context_is_listed_and_removed_without_reading_its_documents(states):
    kept(states, 200, b"x" * 200_000)
    tracemalloc.start()
    try:
        assert len(states.get(None).json) == 200
        assert states.delete(None).status == 204
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 5_000_000
    assert states.get(None).json == []


def test_54_a_large_context_is_removed_in_several_commits(states):
    kept(states, AT_ONCE + 1)
    before = states.tenant.store.load().commits

    assert states.delete(None).status == 204

    assert states.tenant.store.load().commits - before == 2
    assert states.get(None).json == []


def test_54_what_is_changed_while_a_large_context_is_removed_stays(states):
    address = kept(states, AT_ONCE + 1)
    store = states.tenant.store

    until = store.write(lambda tx: delete_all(tx, address)).result(60)
    states.put("new", b"{}")

    assert until is not None
    assert store.write(lambda tx: delete_all(tx, address, until)).result(60) is None
    assert states.get(None).json == ["new"]


def test_54_delete_with_a_registration_leaves_the_states_of_others(states):
    states.put("s", b"1")
    states.put("s", b"2", more={"registration": REGISTRATION})
    states.put("s", b"3", more={"registration": OTHER_REGISTRATION})

    states.delete(None, more={"registration": REGISTRATION})

    assert states.get("s", more={"registration": REGISTRATION}).status == 404
    assert states.get("s").body == b"1"
    assert states.get("s", more={"registration": OTHER_REGISTRATION.upper()}).body == b"3"


def test_54_states_are_listed_over_all_registrations_unless_one_is_named(states):
    states.put("a", b"1")
    states.put("b", b"2", more={"registration": REGISTRATION})
    states.put("a", b"3", more={"registration": REGISTRATION})

    assert states.get(None).json == ["b", "a"]
    assert states.get(None, more={"registration": REGISTRATION}).json == ["b", "a"]


def test_54_deleting_a_context_under_a_condition_is_refused(states, version):
    states.put("s", b"{}")

    seen = states.delete(None, if_match='"x"', version=version)

    rule = {"1.0.3": "xAPI 1.0.3 Communication 3.1", "2.0.0": "IEEE 9274.1.1 4.1.4"}[version]
    assert (seen.status, seen.json["rule"]) == (400, rule)
    assert states.get("s").status == 200


def test_54_the_agent_is_the_same_with_and_without_a_name(states):
    states.put("s", b"7")

    assert states.get("s", more={"agent": ADA_NAMED}).body == b"7"
    assert states.get("s", more={"agent": BOB}).status == 404


def test_54_a_get_that_knows_the_etag_is_304_without_a_body(documents):
    documents.create("one", b"{}")
    etag = documents.get("one").headers["etag"]

    known = documents.get("one", if_none_match=f'"x", W/{etag}')
    other = documents.get("one", if_none_match='"x"')

    assert (known.status, known.body, known.headers["etag"]) == (304, b"", etag)
    assert (other.status, other.body) == (200, b"{}")


@pytest.mark.parametrize("method", METHODS)
def test_55_a_missing_context_parameter_is_400_for_every_method(documents, method):
    whole = documents.context
    for missing in whole:
        documents.context = {name: value for name, value in whole.items() if name != missing}

        seen = documents.call(method, "one", b"{}", content_type="application/json")

        assert (seen.status, seen.json["message"]) == (400, f"parameter {missing!r} is missing")


@pytest.mark.parametrize(
    ("resource", "method"),
    [
        ("activities/state", "PUT"),
        ("activities/state", "POST"),
        ("profile", "PUT"),
        ("profile", "POST"),
        ("profile", "DELETE"),
    ],
)
def test_55_a_missing_document_id_is_400(states, profiles, resource, method):
    documents = states if resource == "activities/state" else profiles

    seen = documents.call(method, None, b"{}", content_type="application/json")

    assert (seen.status, seen.json["message"]) == (400, f"parameter {documents.parameter!r} is missing")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"activityId": "no scheme"},
        {"activityId": ""},
        {"agent": "not JSON"},
        {"agent": "true"},
        {"agent": "{}"},
        {"agent": '{"name":"Ada"}'},
        {"agent": '{"mbox":"ada@example.org"}'},
        {"agent": '{"mbox":"mailto:a@b.example","openid":"https://a.example/"}'},
        {"agent": '{"objectType":"Group","mbox":"mailto:a@b.example"}'},
        {"agent": '{"mbox":"mailto:a@b.example","mbox":"mailto:a@b.example"}'},
        {"registration": "true"},
        {"registration": "6b1f9a0e6c2a4f5e9d550d1f6f1f2a3b"},
        {"stateId": ""},
        {"stateid": "s"},
        {"StateID": "s"},
        {"profileId": "s"},
        {"limit": "1"},
    ],
    ids=str,
)
def test_55_a_malformed_or_unknown_parameter_is_400_for_every_method(states, method, wrong):
    seen = states.call(method, "s", b"{}", more=wrong, content_type="application/json")

    assert seen.status == 400
    assert states.get(None).json == []


def test_55_a_foreign_parameter_is_ignored_where_the_document_is_named(documents):
    foreign = {"content_token": "1", "tincan": "true"}

    put = documents.call("PUT", "one", b'{"a":1}', more=foreign, content_type="application/json", if_none_match="*")
    posted = documents.call("POST", "one", b'{"b":2}', more=foreign, content_type="application/json")
    got = documents.get("one", more=foreign)
    etag = got.headers["etag"]
    deleted = documents.call("DELETE", "one", more=foreign, if_match=etag)

    assert (put.status, posted.status, got.json, deleted.status) == (204, 204, {"a": 1, "b": 2}, 204)
    assert documents.get("one").status == 404


@pytest.mark.parametrize("name", ["stateID", "state_id", "stateId ", "foo"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_55_without_its_id_a_foreign_parameter_is_400_and_lists_and_deletes_nothing(states, method, name):
    states.call("PUT", "kept", b"{}", content_type="application/json")

    seen = states.call(method, None, more={name: "kept"})

    assert (seen.status, states.get(None).json) == (400, ["kept"])


@pytest.mark.parametrize(
    "wrong",
    [{"activityId": "no scheme"}, {"registration": "true"}, {"stateId": ""}, {"since": "2026-11-18T11:06:40Z"}],
    ids=str,
)
def test_55_a_refused_parameter_names_the_rule_of_the_version(states, wrong, version):
    seen = states.get("s", more=wrong, version=version)

    rule = {"1.0.3": "xAPI 1.0.3 Communication 3.2", "2.0.0": "IEEE 9274.1.1 4.1.5"}[version]
    assert (seen.status, seen.json["rule"]) == (400, rule)


def test_55_a_profile_takes_no_registration(profiles):
    assert profiles.get("one", more={"registration": REGISTRATION}).status == 400


@pytest.mark.parametrize("content_type", ["application/octet-stream", "not/json", "application/x-www-form-urlencoded"])
def test_58_what_is_not_json_is_stored_raw(documents, content_type):
    raw = b"\xef\xbb\xbf a=1&b=%7B \x00 {{{"
    documents.create("raw", raw, content_type=content_type)

    seen = documents.get("raw")

    assert (seen.body, seen.headers["content-type"]) == (raw, content_type)


def test_58_without_a_content_type_a_document_is_octets(documents):
    documents.create("raw", b"text", content_type="")

    assert documents.get("raw").headers["content-type"] == "application/octet-stream"


def test_58_a_content_type_that_would_break_the_answer_is_400(documents):
    seen = documents.put("x", b"", if_none_match="*", content_type="text/plain\r\nset-cookie: a=b")

    assert seen.status == 400


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"{}{", b"[" * 101 + b"]" * 101])
def test_json_that_is_none_is_400_and_nothing_is_stored(documents, body):
    seen = documents.put("x", body, if_none_match="*")

    assert (seen.status, seen.json["error"]) == (400, "invalid_json")
    assert documents.get("x").status == 404


@pytest.mark.parametrize("content_type", ["application/json", "video/mp4"])
def test_a_large_document_is_kept_as_a_blob_and_comes_back_whole(documents, content_type):
    large = b'"' + b"0123456789" * 40_000 + b'"'
    documents.create("large", large, content_type=content_type)

    seen = documents.get("large")
    record = documents.tenant.store.find(Walk(documents.kind)).records[0]

    assert seen.body == large
    assert seen.headers["content-length"] == "400002"
    assert seen.headers["etag"] == f'"{sha1(large).hexdigest()}"'
    assert record.body == b""
    assert documents.tenant.store.blobs.size(record.meta["blob"]) == 400_002


@pytest.mark.parametrize("content_type", ["application/json", "video/mp4"])
def test_a_document_over_the_limit_is_413_that_names_it(documents, content_type):
    seen = documents.put("x", b'"' + b"0" * 600_000 + b'"', if_none_match="*", content_type=content_type)

    assert (seen.status, seen.json["message"]) == (413, "the document is larger than 600000 bytes")
    assert documents.get("x").status == 404


def test_a_record_says_what_it_is_about_and_who_sent_it(states):
    states.put("one", b"{}", more={"registration": REGISTRATION})

    record = states.tenant.store.find(Walk("state")).records[0]

    assert dict(record.meta) == {
        "type": "application/json",
        "etag": "bf21a9e8fbc5a3846fb05b4fa0859e0917b2202f",
        "size": 2,
        "document": "one",
        "activity": "https://example.org/a",
        "agent": "mbox:mailto:ada@example.org",
        "registration": REGISTRATION,
        "source": "tests",
    }
