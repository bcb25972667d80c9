"""What a refusal says and does not say, and that any JSON gets one or none."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel.errors import Refused
from lrs.xapi.statements.validate import VOIDED, check
from tests.rows import each_of
from tests.xapi.statements.examples import IRI, VERSIONS, accepted, changed, refused, statement, with_everything

# --- what the suite's own tests do not see (section 3 of the checklist) ---


def test_blind_spot_schemeless_iris_are_refused_as_keys_and_values():
    refused(statement(verb={"id": "example.com/verb"}), "/verb/id")
    refused(statement(context={"extensions": {"example.com/x": 1}}), "/context/extensions/example.com~1x")


def test_blind_spot_a_null_timestamp_is_refused_in_both_versions():
    refused(statement(timestamp=None), "/timestamp")


def test_blind_spot_2_0_takes_the_versions_of_1_0_as_well():
    accepted(statement(version="1.0.9"), "2.0.0")


# --- what is said ---


@each_of(
    ("agent", "secret"),
    [
        ({"mbox": "anna.secret@example.com"}, "secret"),
        ({"mbox": "mailto:anna.secret"}, "secret"),
        ({"mbox_sha1sum": "secret"}, "secret"),
        ({"openid": "secret"}, "secret"),
        ({"account": {"homePage": "secret", "name": "x"}}, "secret"),
        ({"account": {"homePage": IRI, "name": ["secret"]}}, "secret"),
        ({"mbox": "mailto:a@example.com", "name": ["secret"]}, "secret"),
        ({"mbox": "mailto:a@example.com", "secret@example.com": 1}, "secret"),
    ],
)
def test_personal_data_are_never_repeated(agent, secret):
    for value in (statement(actor=agent), statement(actor={"objectType": "Group", "member": [agent]})):
        with pytest.raises(Refused) as caught:
            check(value, "1.0.3")
        assert secret not in json.dumps(caught.value.shown("r"))


AGENT = {"objectType": "Agent", "mbox": "mailto:a@example.com"}
SCORE, LENGTH = "Data 2.4.5.1", "Data 2.4.11"


def attached(length):
    return {"attachments": [{**with_everything()["attachments"][0], "length": length}]}


@each_of(
    ("parts", "message", "pointer", "rule"),
    [
        ({"result": {"score": {"scaled": 1.5}}}, "The score's scaled must be between -1 and 1.", "scaled", SCORE),
        ({"result": {"score": {"min": 2, "max": 1}}}, "The score's min must be less than its max.", "min", SCORE),
        ({"result": {"score": {"raw": 0, "min": 1}}}, "The score's raw must not be less than its min.", "raw", SCORE),
        ({"result": {"score": {"raw": 3, "max": 1}}}, "The score's raw must not be more than its max.", "raw", SCORE),
        (attached("1"), "An attachment's length must be a whole number of bytes, not a text.", "length", LENGTH),
        (attached(-1), "An attachment's length must not be negative.", "length", LENGTH),
        ({"object": "x"}, "The object must be an object, not a text.", "object", "Data 2.4.4"),
        ({"object": {"objectType": 1}}, "The objectType must be a text, not a number.", "objectType", "Data 2.4.4"),
        (
            {"object": {"objectType": "Thing"}},
            "The objectType must be one of Activity, Agent, Group, StatementRef, SubStatement here (exactly so).",
            "objectType",
            "Data 2.4.4",
        ),
        (
            {"object": {"mbox": "mailto:a@example.com"}},
            'An Agent or a Group as object must have "objectType".',
            "object",
            "Data 2.4.4.2",
        ),
        (
            {"verb": {"id": VOIDED}},
            "A voiding statement must have a StatementRef as its object.",
            "object",
            "Data 2.3.2",
        ),
        (
            {"object": AGENT, "context": {"platform": "p"}},
            "The context may only have platform with an Activity as object.",
            "platform",
            "Data 2.4.6",
        ),
    ],
)
def test_a_refusal_is_a_sentence_with_the_place_and_the_section(parts, message, pointer, rule):
    with pytest.raises(Refused) as caught:
        check(statement(**parts), "1.0.3")

    told = caught.value
    assert (told.message, told.pointer.rpartition("/")[2]) == (message, pointer)
    assert told.rule == f"xAPI 1.0.3 {rule}"


@pytest.mark.parametrize("pointer", ["/verb/id", "/object/id", "/timestamp", "/version", "/surplus"])
def test_long_and_private_values_are_never_repeated(pointer):
    long, private = "x y" * 1000, "anna secret@example.com"
    for value in (long, private):
        with pytest.raises(Refused) as caught:
            check(changed(statement(), pointer, value), "1.0.3")
        assert len(caught.value.message) < 300
        assert "secret" not in caught.value.message


def test_unknown_keys_that_are_long_or_private_are_placed_at_their_object():
    with_long = refused(statement(result={"k" * 5000: 1}), "/result")
    with_private = refused(statement(result={"extensions": {"anna@example.com": 1}}), "/result/extensions")

    assert len(with_long.message) < 300
    assert "anna" not in with_private.message


@each_of(
    ("value", "rules"),
    [
        (statement(actor={}), ("xAPI 1.0.3 Data 2.4.2.1", "IEEE 9274.1.1 4.2.2.1")),
        (statement(verb={}), ("xAPI 1.0.3 Data 2.4.3", "IEEE 9274.1.1 4.2.2.2")),
        (statement(object={}), ("xAPI 1.0.3 Data 2.4.4.1", "IEEE 9274.1.1 4.2.2.3")),
        (statement(result=1), ("xAPI 1.0.3 Data 2.4.5", "IEEE 9274.1.1 4.2.2.4")),
        (statement(context=1), ("xAPI 1.0.3 Data 2.4.6", "IEEE 9274.1.1 4.2.2.5")),
        (statement(attachments=1), ("xAPI 1.0.3 Data 2.4.11", "IEEE 9274.1.1 4.2.2.6")),
        (statement(version="3"), ("xAPI 1.0.3 Data 2.4.10", "IEEE 9274.1.1 4.2.4.3")),
        (statement(id="3"), ("xAPI 1.0.3 Data 2.4.1", "IEEE 9274.1.1 4.2.4.2")),
        (statement(verb={"id": VOIDED}), ("xAPI 1.0.3 Data 2.3.2", "IEEE 9274.1.1 4.2.5")),
        (statement(result={"duration": "3"}), ("xAPI 1.0.3 Data 4.6", "IEEE 9274.1.1 4.2.7")),
        (statement(result=None), ("xAPI 1.0.3 Data 2.2", "IEEE 9274.1.1 4.2")),
    ],
)
def test_the_rule_is_named_by_the_text_of_the_version_in_use(value, rules):
    for version, rule in zip(VERSIONS, rules, strict=True):
        with pytest.raises(Refused) as caught:
            check(value, version)
        assert caught.value.rule == rule


# --- anything at all ---

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def pointers_of(value, before=""):
    yield before
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from pointers_of(item, f"{before}/{str(key).replace('~', '~0').replace('/', '~1')}")


PLAIN_POINTERS = [pointer for pointer in pointers_of(with_everything()) if pointer]


@given(st.sampled_from(PLAIN_POINTERS), any_json, st.sampled_from(VERSIONS))
def test_any_json_at_any_place_is_accepted_or_refused_there(pointer, value, version):
    broken = changed(with_everything(), pointer, value)

    refusal = None
    try:
        check(broken, version)
    except Refused as caught:
        refusal = caught

    assert (
        refusal is None or refusal.pointer.startswith(pointer.rsplit("/", 1)[0]) or pointer.startswith(refusal.pointer)
    )


@given(any_json, st.sampled_from(VERSIONS))
def test_any_json_is_no_statement(value, version):
    with pytest.raises(Refused):
        check(value, version)


def test_checking_changes_nothing():
    value = with_everything()
    check(value, "2.0.0")
    assert value == with_everything()


SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "xapi" / "moodle-logstore"


def test_statements_of_a_widely_used_plugin_are_accepted():
    files = sorted(SAMPLES.glob("*.json"))
    if not files:
        pytest.skip("the sample statements are not beside this checkout")
    for file in files:
        for value in json.loads(file.read_bytes()):
            accepted(value)
