"""What came in goes out: the text of a statement, on both engines, one by one, in batches and in lists (promise P10).

The named exceptions: what the LRS sets stands in front, arrays in contextActivities, timestamps in UTC in 2.0.
"""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.served import new_id, somebody

EXT = "https://example.org/ext"
BIG_KEY = "https://example.org/" + "k" * 2_028
VALUES = {
    "exponent": "1e2",
    "trailing zero": "0.10",
    "signed exponent": "-1.50E+05",
    "twenty digits": "12345678901234567890",
    "forty digits": "-1234567890123456789012345678901234567890",
    "minus zero": "-0",
    "minus zero point": "-0.0",
    "many decimals": "0.1234567890123456789012345678901234567890",
    "smallest": "5e-324",
    "below the smallest": "1e-999",
    "dots and dollars": '{"a.b":1,"$set":{"$where":"1"},"":0,"__proto__":null,"_id":1,"a\\u0000b":2}',
    "key order": '{"z":1,"a":2,"Z":3,"10":4,"9":5}',
    "escapes": r'"\u0041\/\b\f\n\r\t\"\\\ud83d\ude00\u0000\u2028"',
    "emoji": '"🎓👩🏽‍🚀 e\u0301 \u202e \ufeff"',
    "null and empties": '[null,"",{},[],[[]],false]',
    "blanks": '{ "a" :\t[ 1 ,\n 2\r\n] }',
    "ninety levels": "[" * 90 + "]" * 90,
    "a large text": json.dumps("x" * 200_000),
}


def text_of(value, *, id, key=EXT):
    """A statement's text, in an order of its own and with blanks where nobody needs them."""
    text = (
        '{ "verb":{"display":{"en-GB":"did"},"id":"https://example.org/v"},"id":"ID" ,\n'
        '"result":{"extensions":{KEY:VALUE},"score":{"scaled":0.10,"raw":1e1}},'
        '"object":{"id":"https://example.org//a//b?x=//y","objectType":"Activity"},'
        '"actor":{"mbox":"mailto:round@example.org","objectType":"Agent"},"timestamp":"2026-11-21T10:00:00.50Z" }'
    )
    return text.replace("ID", id).replace("KEY", json.dumps(key)).replace("VALUE", value)


def came_out(lrs, statement_id, **params):
    """The text as it was sent: what the LRS sets is in front of it, and is taken off."""
    answer = lrs.get(statementId=statement_id, **params)
    assert answer.status_code == 200, answer.text
    _, _, rest = answer.text.partition('"version":"1.0.0",')
    return "{" + rest


@pytest.mark.parametrize("name", VALUES)
def test_every_value_comes_out_as_it_went_in(each_lrs, name):
    single, put, batched = (text_of(VALUES[name], id=new_id()) for _ in range(3))
    ids = [json.loads(text)["id"] for text in (single, put, batched)]

    assert each_lrs.post(f" {single}\n".encode()).json() == [ids[0]]
    assert each_lrs.put(put.encode(), ids[1]).status_code == 204
    assert each_lrs.post(f"[ {batched} ,{text_of('1', id=new_id())}]".encode()).status_code == 200

    assert [came_out(each_lrs, one) for one in ids] == [single, put, batched]


@pytest.mark.parametrize("key", ["a:b.c", "x:$set", BIG_KEY, "https://example.org/🎓.ü", "urn:a//b", "tag:e,2026:x~/y"])
def test_every_extension_key_comes_out_as_it_went_in(each_lrs, key):
    text = text_of('{"a":1}', id=(statement_id := new_id()), key=key)

    assert each_lrs.post(text.encode()).status_code == 200

    assert came_out(each_lrs, statement_id) == text


def test_lists_hold_the_same_texts(each_lrs):
    actor = somebody()["mbox"]
    texts = [text_of(value, id=new_id()).replace("mailto:round@example.org", actor) for value in VALUES.values()]
    assert each_lrs.post(("[" + ",".join(texts) + "]").encode()).status_code == 200

    listed = each_lrs.get(agent={"mbox": actor}, ascending="true").text

    place = 0
    for text in texts:
        place = listed.index(text[1:], place)
    assert listed.count('"version":"1.0.0",') == len(texts)


def test_what_the_lrs_sets_stands_in_front_and_nothing_else_is_added(each_lrs):
    text = text_of("1", id=(statement_id := new_id()))
    each_lrs.post(text.encode())

    kept = each_lrs.one(statement_id)

    assert list(kept) == ["stored", "authority", "version", *json.loads(text)]


def test_resending_another_writing_changes_nothing(each_lrs):
    text = text_of("[1, 0.5]", id=(statement_id := new_id()))
    each_lrs.post(text.encode())
    before = each_lrs.get(statementId=statement_id).text

    assert each_lrs.put(text_of("[1.0,5e-1]", id=statement_id).encode(), statement_id).status_code == 204
    assert each_lrs.put(text_of("[1,0.51]", id=statement_id).encode(), statement_id).status_code == 409
    assert each_lrs.get(statementId=statement_id).text == before


def test_a_rewritten_statement_keeps_the_text_of_all_else(each_lrs):
    """A lone context activity becomes an array, a client's ``stored`` goes; in 2.0 a time with an offset is in UTC."""
    text = (
        '{"stored":"2001-01-01T00:00:00Z","timestamp":"2026-11-21T10:00:00.50+01:00","id":"%s",'
        '"actor":{"mbox":"mailto:round@example.org"},"verb":{"id":"https://example.org/v"},'
        '"result":{"extensions":{"https://example.org/ext":[1e2, {"$set":0.10,"a.b":-0}]}},'
        '"context":{"extensions":{"x:y":12345678901234567890},"contextActivities":{'
        '"other":{"id":"x:b", "definition":{}},'
        '"parent":[ {"id":"x:a"} ]},"platform":"\\u0041"},"object":{"id":"https://example.org/a"}}'
    )
    expected = (
        '"id":"%s","actor":{"mbox":"mailto:round@example.org"},"verb":{"id":"https://example.org/v"},'
        '"result":{"extensions":{"https://example.org/ext":[1e2, {"$set":0.10,"a.b":-0}]}},'
        '"context":{"extensions":{"x:y":12345678901234567890},"contextActivities":{'
        '"other":[{"id":"x:b", "definition":{}}],'
        '"parent":[ {"id":"x:a"} ]},"platform":"\\u0041"},"object":{"id":"https://example.org/a"}}'
    )
    for version, own, timestamp in (
        ("1.0.3", "1.0.0", "2026-11-21T10:00:00.50+01:00"),
        ("2.0.0", "2.0.0", "2026-11-21T09:00:00.50Z"),
    ):
        statement_id = new_id()
        each_lrs.post((text % statement_id).encode(), version=version)

        kept = each_lrs.get(statementId=statement_id).text

        assert kept.endswith(f'"version":"{own}","timestamp":"{timestamp}",' + expected % statement_id)


plain = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=20,
)
keys = st.text(string.ascii_letters + string.digits + ".$/~%-_:", max_size=30).map(lambda rest: "x:a" + rest)


@given(
    extensions=st.dictionaries(keys, values, min_size=1, max_size=4), ascii=st.booleans(), indent=st.none() | st.just(1)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_extensions_come_out_as_they_went_in(lrs, extensions, ascii, indent):
    written = json.dumps(extensions, ensure_ascii=ascii, indent=indent)
    text = text_of("1", id=(statement_id := new_id())).replace('{"https://example.org/ext":1}', written)

    assert lrs.post(text.encode()).status_code == 200
    assert came_out(lrs, statement_id) == text
    assert lrs.put(text.encode(), statement_id).status_code == 204
