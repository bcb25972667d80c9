"""JSON at the edge: what is refused, where it says it is, and the exact text of the parts."""

import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from tests.rows import each_of

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def refused(body: bytes, **limits: int) -> Refused:
    with pytest.raises(Refused) as caught:
        strict_json.parse(body, **limits)
    assert caught.value.status == 400
    assert caught.value.error == "invalid_json"
    return caught.value


@each_of(
    ("body", "message"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "UTF-16"),
        ('{"a":1}'.encode("utf-16-le"), "UTF-16"),
        ('{"a":1}'.encode("utf-16-be"), "UTF-16"),
        ('{"a":1}'.encode("utf-32"), "UTF-32"),
        (b'{"a":"\xff"}', "byte 6 cannot be decoded"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"\xc0\x80":1}', "not UTF-8"),
        (b'{"a":1}x', "line 1, column 8"),
        (b"{} {}", "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b"[1,]", "not valid JSON"),
        (b'{"a"', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b"01", "not valid JSON"),
        (b"1.", "not valid JSON"),
        (b"+1", "not valid JSON"),
        (b'"a\nb"', "not valid JSON"),
        (b'"ab\x00"', "not valid JSON"),
        (b"//x\n1", "not valid JSON"),
        (b"True", "not valid JSON"),
    ],
)
def test_what_is_not_json_in_utf_8_is_refused_and_says_why(body, message):
    assert message in refused(body).message


@each_of(
    ("body", "pointer", "message"),
    [
        (b"NaN", "", "NaN"),
        (b'{"a":[1,Infinity]}', "/a/1", "Infinity"),
        (b'{"a":{"b":-Infinity}}', "/a/b", "-Infinity"),
        (b'{"a":1e400}', "/a", "outside the range"),
        (b"[0,-1E+401]", "/1", "outside the range"),
        (b"[" + b"9" * 309 + b"]", "/0", "outside the range"),
        (b"[-" + b"9" * 5000 + b"]", "/0", "outside the range"),
        (b'{"a/b":{"c~d":["\\ud800"]}}', "/a~1b/c~0d/0", "surrogate"),
        (b'["\\udc00"]', "/0", "surrogate"),
        (b'["\\ud83dx"]', "/0", "surrogate"),
        (b'["\\ud83d\\ud83d\\ude00"]', "/0", "surrogate"),
        (b'{"a":{"\\udead":1}}', "/a", "surrogate"),
        (b'{"a":1,"a":1}', "", '"a" stands more than once'),
        (b'{"x":[{"a":1,"b":2,"a":{"c":3}}]}', "/x/0", '"a" stands more than once'),
        (b'{"x":{"a":1,"\\u0061":2}}', "/x", '"a" stands more than once'),
        (b'{"\\u003a":1,":":2}', "", '":" stands more than once'),
        (b'{"a":"\\u003a:\\u003A","b":1,"b":"::"}', "", '"b" stands more than once'),
        (b'{"a":"\\u003a","b":1,"b":2}', "", '"b" stands more than once'),  # as many colons as are kept
        (b'{"a":"\\u003A","b":1,"b":2}', "", '"b" stands more than once'),
        (b'{"":1,"":2}', "", '"" stands more than once'),
        (b'{"a" :1,"a"\t:{"b":{"b":[]}}}', "", '"a" stands more than once'),
        (b'{"extensions":{"http://e.example/$set":{"k":1,"k":1}}}', "/extensions/http:~1~1e.example~1$set", '"k"'),
    ],
)
def test_faults_within_json_are_refused_with_the_place(body, pointer, message):
    refusal = refused(body)

    assert refusal.pointer == pointer
    assert message in refusal.message


def test_the_depth_limit_is_exact_for_lists_and_objects():
    assert strict_json.parse(b"[" * 100 + b"]" * 100) is not None
    assert strict_json.parse(b'{"a":' * 99 + b"[]" + b"}" * 99) is not None
    assert refused(b"[" * 101 + b"]" * 101).pointer == "/0" * 100
    assert refused(b'{"a":' * 101 + b"1" + b"}" * 101).pointer == "/a" * 100
    assert refused(b"[[[]]]", max_depth=2).message == "The JSON is nested deeper than 2 levels."
    assert strict_json.parse(b"[[1],[2],[3],[4]]", max_depth=2) == [[1], [2], [3], [4]]


def test_a_hundred_thousand_open_brackets_are_refused():
    assert "nested deeper" in refused(b"[" * 100_000).message
    assert "nested deeper" in refused(b'{"a":' * 100_000).message


def test_numbers_within_a_double_are_kept_whatever_their_length():
    assert strict_json.parse(b"[" + b"1" * 309 + b"]") == [int("1" * 309)]
    assert strict_json.parse(b"0." + b"1" * 1000) == pytest.approx(1 / 9)
    assert strict_json.parse(b"[1e308,-1E-400,18446744073709551616]") == [1e308, 0.0, 18446744073709551616]


def test_what_only_looks_wrong_is_accepted():
    assert strict_json.parse(b'{"a":"\\u003a","b":":"}') == {"a": ":", "b": ":"}
    assert strict_json.parse(b'"\\ud83d\\ude00\\u0000\x7f"') == "😀\x00\x7f"
    assert strict_json.parse(b'{"a":{"k":1},"b":{"k":1}}') == {"a": {"k": 1}, "b": {"k": 1}}
    assert strict_json.parse(b'"' + b"7" * 400 + b'"') == "7" * 400


def test_refusals_neither_repeat_long_keys_nor_addresses():
    long_key = b"k" * 5000
    by_long_key = refused(b'{"' + long_key + b'":1,"' + long_key + b'":2}')
    by_address = refused(b'{"x":{"anna@example.com":[NaN]}}')
    by_two_addresses = refused(b'{"anna@example.com":1,"anna@example.com":2}')

    assert len(by_long_key.message) < 150
    assert by_address.pointer == "/x"
    assert "anna" not in by_two_addresses.message


@given(json_values)
def test_every_json_value_is_read_as_the_standard_library_reads_it(value):
    body = json.dumps(value, ensure_ascii=False).encode()

    assert strict_json.parse(body) == json.loads(body)
    assert strict_json.parse(json.dumps(value).encode()) == json.loads(body)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", ":", "\\u003a", "\\u0062", "c"]), json_values), max_size=4))
def test_every_repeated_key_is_found_and_no_other_key(pairs):
    body = "{" + ",".join(f'"{key}":{json.dumps(value)}' for key, value in pairs) + "}"
    keys = [json.loads(f'"{key}"') for key, _ in pairs]

    if len(set(keys)) == len(keys):
        assert list(strict_json.parse(body.encode())) == keys
    else:
        assert "more than once" in refused(body.encode()).message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    try:
        strict_json.parse(body)
    except Refused as refusal:
        assert refusal.error == "invalid_json"  # noqa: PT017 (both outcomes are right)


def test_slices_are_the_exact_text_of_each_element():
    assert strict_json.slices(b' [ {"a" : 1e2 } , 0.10,"\\u0041" ,[ ] ] ') == [
        b'{"a" : 1e2 }',
        b"0.10",
        b'"\\u0041"',
        b"[ ]",
    ]
    assert strict_json.slices(b"[]") == []
    with pytest.raises(Refused):
        strict_json.slices(b'{"a":1}')


def test_members_are_the_exact_text_of_each_value_in_order():
    text = b'{ "z" : {"b": 1 } , "\\u0041":0.10 , "n":null}'

    assert list(strict_json.members(text).items()) == [("z", b'{"b": 1 }'), ("A", b"0.10"), ("n", b"null")]
    with pytest.raises(Refused):
        strict_json.members(b"[1]")


@given(st.lists(json_values, max_size=5))
def test_slices_put_together_again_are_the_same_list(values):
    parts = strict_json.slices(json.dumps(values, indent=1).encode())

    assert json.loads(b"[" + b",".join(parts) + b"]") == values


@pytest.mark.parametrize("last", [b'{"a":"\\u003a"}', b'{"a":"\\\\u003a"}', b'{"a":1,"a":2}'])
def test_of_an_array_only_an_element_with_a_fault_is_read_slowly(last):
    """The slow reader makes a second tree. What it takes at once is what is looked at here."""
    head = b"[" + b'{"a":1,"b":"x"},' * 20_000

    def peak(body):
        tracemalloc.start()
        with suppress(Refused):
            strict_json.parse(body)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(head + last + b"]") < 1.3 * peak(head + b"1]")


KILLERS = {
    "open brackets": b"[" * 2**20,
    "quotes": b'"' * 2**20,
    "backslashes": b'"' + b"\\" * 2**20 + b'"',
    "digits": b"1" * 2**20,
    "fraction": b"0." + b"1" * 2**20,
    "exponent": b"1e" + b"9" * 2**20,
    "blanks": b" " * 2**20,
    "colons": b'"' + b":" * 2**20 + b'"',
    "escaped colons": b'"' + b"\\u003a" * (2**20 // 6) + b'"',
    "same key": b"{" + b'"a":1,' * (2**20 // 6) + b'"a":1}',
    "long key over many": b'{"' + b"k" * 2**19 + b'":[' + b"1," * 2**18 + b"NaN]}",
    "integers of 4,000 digits": b"[" + (b"1" * 4000 + b",") * 262 + b"1]",
    "empty lists": b"[" + b"[]," * (2**20 // 3) + b"[]]",
}


@pytest.mark.parametrize("body", KILLERS.values(), ids=KILLERS.keys())
@pytest.mark.timeout(60)  # measured 0.001 to 0.3 s; a quadratic step takes minutes
def test_a_megabyte_made_to_be_slow_is_answered(body):
    try:
        strict_json.parse(body)
    except Refused as refusal:
        assert refusal.status == 400  # noqa: PT017 (both outcomes are right)
