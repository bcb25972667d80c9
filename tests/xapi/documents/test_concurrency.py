"""Who may change a document: the rows of xapi.md section 1 that depend on the version, and 57."""

import pytest

from lrs.kernel.errors import Refused
from lrs.xapi.documents.concurrency import Conditions, check, check_put, conditions_of
from tests.rows import each_of

TAG = "a" * 40


def status_of(decision):
    try:
        decision()
    except Refused as refused:
        return refused.status
    return 204


def tags(header):
    return conditions_of({"if-match": header}).match


@each_of(
    ("header", "expected"),
    [
        ('"abc"', {"abc"}),
        ('"a", W/"b" ,"c"', {"a", "b", "c"}),
        ("abc", {"abc"}),
        ('"a,b"', {"a,b"}),
        ("*", {"*"}),
        (" * ", {"*"}),
        ('"*"', set()),
        ("", set()),
        ('"', set()),
    ],
)
def test_tags_are_read_from_lists_weak_and_unquoted_ones_too(header, expected):
    assert tags(header) == expected


def test_a_header_that_was_not_sent_is_no_condition():
    assert conditions_of({}) == Conditions(None, None)
    assert not conditions_of({}).given


@pytest.mark.parametrize("killer", [" " * 100_000, '"' * 100_001, "W/" * 50_000, '"a' * 50_000, "a," * 50_000])
def test_a_hostile_header_is_read_in_linear_time(killer):
    assert isinstance(tags(killer), frozenset)


@each_of(
    ("headers", "etag", "holds"),
    [
        ({"if-match": f'"{TAG}"'}, TAG, True),
        ({"if-match": f'W/"{TAG}"'}, TAG, True),
        ({"if-match": '"other"'}, TAG, False),
        ({"if-match": "*"}, TAG, True),
        ({"if-match": "*"}, None, False),
        ({"if-match": f'"{TAG}"'}, None, False),
        ({"if-none-match": "*"}, TAG, False),
        ({"if-none-match": "*"}, None, True),
        ({"if-none-match": f'"x", "{TAG}"'}, TAG, False),
        ({"if-none-match": '"other"'}, TAG, True),
        ({"if-match": f'"{TAG}"', "if-none-match": "*"}, TAG, False),
    ],
)
def test_conditions_hold_or_are_412(headers, etag, holds):
    assert status_of(lambda: check(conditions_of(headers), etag, "2.0.0")) == (204 if holds else 412)


@each_of(
    ("profile", "version", "exists", "status"),
    [
        (True, "1.0.3", False, 400),
        (True, "2.0.0", False, 204),
        (True, "1.0.3", True, 409),
        (True, "2.0.0", True, 409),
        (False, "1.0.3", False, 204),
        (False, "2.0.0", False, 204),
        (False, "1.0.3", True, 204),
        (False, "2.0.0", True, 409),
    ],
)
def test_put_without_headers_is_decided_by_resource_version_and_existence(profile, version, exists, status):
    etag = TAG if exists else None

    assert status_of(lambda: check_put(Conditions(), etag, version, profile=profile)) == status


def test_section_1_put_of_a_new_profile_without_headers_is_400_in_1_0_3_and_204_in_2_0(profiles):
    old = profiles.put("p", b"{}", version="1.0.3")
    new = profiles.put("p", b"{}", version="2.0.0")

    assert (old.status, new.status) == (400, 204)
    assert "If-None-Match: *" in old.json["message"]


def test_section_1_put_over_a_state_without_headers_replaces_it_in_1_0_3_and_is_409_in_2_0(states):
    states.put("s", b"1")

    assert states.put("s", b"2", version="1.0.3").status == 204
    assert states.put("s", b"3", version="2.0.0").status == 409
    assert states.get("s").body == b"2"


def test_57_put_over_a_profile_without_headers_is_409_with_an_explanation_and_no_change(profiles, version):
    profiles.create("p", b"1")

    seen = profiles.put("p", b"2", version=version)

    assert (seen.status, seen.json["error"]) == (409, "conflict")
    assert "send its ETag in If-Match" in seen.json["message"]
    assert profiles.get("p").body == b"1"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_57_a_wrong_if_match_is_412_and_changes_nothing(documents, version, method):
    documents.create("d", b'{"a":1}')

    seen = documents.call(method, "d", b'{"a":2}', version=version, content_type="application/json", if_match='"1234"')

    assert (seen.status, seen.json["error"]) == (412, "precondition_failed")
    assert documents.get("d").body == b'{"a":1}'


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_57_the_right_if_match_lets_a_change_pass(documents, version, method):
    documents.create("d", b'{"a":1}')
    etag = documents.get("d").headers["etag"]

    seen = documents.call(
        method, "d", b'{"a":2}', version=version, content_type="application/json", if_match=f'"old", {etag}'
    )

    after = documents.get("d")
    assert seen.status == 204
    assert (after.status == 404) if method == "DELETE" else (after.body == b'{"a":2}')


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_57_if_match_for_a_document_that_is_not_there_is_412(documents, version, method):
    seen = documents.call(method, "d", b"{}", version=version, content_type="application/json", if_match="*")

    assert seen.status == 412
    assert documents.get("d").status == 404


def test_57_put_with_if_none_match_any_creates_once(documents, version):
    first = documents.put("d", b"1", version=version, if_none_match="*")
    second = documents.put("d", b"2", version=version, if_none_match="*")

    assert (first.status, second.status) == (204, 412)
    assert documents.get("d").body == b"1"


def test_post_needs_no_headers_in_either_version(documents, version):
    documents.create("d", b'{"a":1}')

    assert documents.post("d", b'{"b":2}', version=version).status == 204
    assert documents.get("d").body == b'{"a":1,"b":2}'
