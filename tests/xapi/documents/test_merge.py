"""POST merges two JSON objects at the top level, as text, or refuses (xapi.md 56)."""

import pytest

from lrs.kernel.admission import CONFLICT, Overloaded
from lrs.kernel.errors import Refused
from lrs.storage import Walk
from lrs.xapi.documents import routes
from lrs.xapi.documents.merge import merge
from tests.builders import tenant_in


def test_56_members_are_merged_in_order_with_the_text_of_their_numbers():
    old = b'{ "z": 0.10, "a": 1e2, "same" : [1,  2] }'
    new = b'{"new": 12345678901234567890123, "a": 1.50}'

    assert merge(old, new, "1.0.3") == b'{"z":0.10,"a":1.50,"same":[1,  2],"new":12345678901234567890123}'


def test_56_keys_meet_whatever_way_they_are_escaped():
    assert merge(b'{"\\u0061":1, "":2, "a.b":3, "$set":4}', b'{"a":5}', "1.0.3") == b'{"a":5,"":2,"a.b":3,"$set":4}'


def test_56_nested_objects_are_replaced_not_merged():
    assert merge(b'{"n":{"a":1}}', b'{"n":{"b":2}}', "1.0.3") == b'{"n":{"b":2}}'
    assert merge(b' \n{"n":1}', b'\t{"m":2} ', "1.0.3") == b'{"n":1,"m":2}'


@pytest.mark.parametrize(("old", "new"), [(b"[1]", b"{}"), (b"{}", b'"x"'), (b"null", b"{}"), (b"{}", b" [1]")])
def test_56_anything_but_two_objects_is_refused(old, new):
    with pytest.raises(Refused) as caught:
        merge(old, new, "1.0.3")

    assert caught.value.status == 400


def test_56_post_stores_a_document_that_is_not_there_as_it_is(documents, version):
    assert documents.post("d", b" [1, 2]", version=version).status == 204

    assert documents.get("d").body == b" [1, 2]"


def test_56_post_merges_into_the_document_that_is_there(documents, version):
    documents.create("d", b'{"x":0.10, "y":{"a":1}}', version=version)

    seen = documents.post("d", b'{"y":{"b":2},"z":3}', version=version, content_type="application/json;charset=utf-8")

    after = documents.get("d")
    assert seen.status == 204
    assert after.body == b'{"x":0.10,"y":{"b":2},"z":3}'
    assert after.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("old", "old_type", "new", "new_type"),
    [
        (b"{}", "application/json", b"abcdefg", "not/json"),
        (b"/ asdf / undefined", "application/octet-stream", b"{}", "application/json"),
        (b"{}", "text/plain", b"{}", "application/json"),
        (b"{}", "application/json", b"{}", "application/x-www-form-urlencoded"),
        (b"[1]", "application/json", b"{}", "application/json"),
        (b"{}", "application/json", b"[1]", "application/json"),
        (b"{}", "application/json", b'{"a":1}{', "application/json"),
    ],
)
def test_56_post_of_what_cannot_be_merged_is_400_and_changes_nothing(documents, old, old_type, new, new_type):
    documents.create("d", old, content_type=old_type)

    seen = documents.post("d", new, content_type=new_type)

    after = documents.get("d")
    assert seen.status == 400
    assert (after.body, after.headers["content-type"]) == (old, old_type)


def test_56_a_refused_merge_names_the_rule_of_the_version(documents, version):
    documents.create("d", b"[1]", version=version)

    seen = [documents.post("d", b"{}", version=version, content_type=type) for type in ("application/json", "text/a")]

    rule = {"1.0.3": "xAPI 1.0.3 Communication 2.2", "2.0.0": "IEEE 9274.1.1 4.1.6"}[version]
    assert [answer.json["rule"] for answer in seen] == [rule, rule]


def test_56_large_documents_are_merged_too(documents):
    large = b'"' + b"x" * 200_000 + b'"'
    documents.create("d", b'{"a":' + large + b"}")

    assert documents.post("d", b'{"b":' + large + b"}").status == 204
    assert documents.post("d", b'{"c":0.10}').status == 204

    assert documents.get("d").body == b'{"a":' + large + b',"b":' + large + b',"c":0.10}'


def test_56_a_large_post_to_a_large_document_of_another_type_is_400(documents):
    documents.create("d", b"x" * 300_000, content_type="text/plain")

    assert documents.post("d", b'{"a":1}').status == 400
    assert documents.get("d").body == b"x" * 300_000


def test_56_a_merge_over_the_limit_is_413_and_changes_nothing(documents):
    first = b'{"a":"' + b"x" * 350_000 + b'"}'
    documents.create("d", first)

    seen = documents.post("d", b'{"b":"' + b"x" * 350_000 + b'"}')

    assert (seen.status, seen.json["message"]) == (413, "the merged document is larger than 600000 bytes")
    assert documents.get("d").body == first


def test_56_a_small_merge_over_a_small_limit_is_413_too(documents, tmp_path, clock):
    documents.tenant = tenant_in(tmp_path, documents.tenant.store, clock, max_document=12)
    documents.create("d", b'{"a":123456}')

    seen = documents.post("d", b'{"b":1}')

    assert (seen.status, seen.json["message"]) == (413, "the merged document is larger than 12 bytes")
    assert documents.get("d").body == b'{"a":123456}'


def test_a_large_merge_that_never_gets_through_is_told_to_come_again(states, monkeypatch):
    monkeypatch.setattr(routes, "_TRIES", 1)
    states.put("d", b'{"a":"' + b"x" * 300_000 + b'"}')

    with pytest.raises(Overloaded) as refused:
        states.post("d", b'{"b":1}')

    assert refused.value.cause is CONFLICT


def test_56_a_large_document_may_become_small_by_a_merge(documents):
    documents.create("d", b'{"a":"' + b"x" * 300_000 + b'"}')

    assert documents.post("d", b'{"a":1}').status == 204

    assert documents.get("d").body == b'{"a":1}'
    assert "blob" not in documents.tenant.store.find(Walk(documents.kind)).records[0].meta
