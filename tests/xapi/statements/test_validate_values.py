"""Statements against the rules of xAPI: languages, times, scores, versions, attachments.

The numbers are those of the project's xAPI checklist, section 2.
"""

import pytest

from lrs.xapi.statements.validate import VOIDED
from tests.rows import each_of
from tests.xapi.statements.examples import (
    ACTIVITY,
    AGENT,
    ATTACHMENT,
    GROUP,
    REF,
    accepted,
    changed,
    in_both,
    refused,
    statement,
    substatement,
    with_everything,
)

# --- languages, times, durations, scores, versions ---

LANGUAGE_MAPS = [
    *("/verb/display", "/object/definition/name", "/object/definition/description", "/attachments/0/display"),
    *("/attachments/0/description", "/object/definition/choices/0/description"),
]


@pytest.mark.parametrize("pointer", LANGUAGE_MAPS)
def test_line_30_language_maps_have_language_tags_as_keys(pointer):
    for value, before in in_both(with_everything()):
        at = before + pointer
        accepted(changed(value, at, {"cmn": "a", "sr-Latn-RS": "b", "zh-Hant": "c", "tlh": "", "de": "d"}))
        for tag in ("something", "a12345678", "zh-z-aaa-z-bbb-c-ccc", "", "en_US"):
            refused(changed(value, at, {"en": "x", tag: "x"}), f"{at}/{tag}")
        refused(changed(value, at, "text"), at)
        refused(changed(value, at, 12345), at)
        refused(changed(value, at, {"en": 5}), f"{at}/en")


@pytest.mark.parametrize(
    ("tag", "right"), [("cmn", True), ("fr-CA", True), ("tlh", True), ("something", False), ("", False)]
)
def test_line_30_the_context_s_language_is_a_language_tag(tag, right):
    for value, before in in_both(statement(context={"language": tag})):
        if right:
            accepted(value)
        else:
            refused(value, f"{before}/context/language")


@pytest.mark.parametrize(
    "text", ["2126-11-21T10:00:00Z", "2008-09-15 15:53:00.601+00:00", "2008-09-15T15:53:00.601-05:00"]
)
def test_line_31_timestamps_of_any_offset_and_of_the_future_are_accepted(text):
    for value, _ in in_both(statement(timestamp=text)):
        accepted(value)


@each_of(
    "text",
    [
        *("should fail", "01/011/2015", "2008-09-15T15:53:00.601-00", "2008-09-15T15:53:00.601-0000"),
        *("2008-09-15T15:53:00.601-00:00", "2026-02-30T00:00:00Z", "", 1_795_262_400, None),
    ],
)
def test_line_31_what_names_no_instant_is_refused(text):
    for value, before in in_both(statement(timestamp=text)):
        refused(value, f"{before}/timestamp")
    refused(statement(stored=text), "/stored")


@each_of(
    ("text", "right"),
    [
        *(("P4W", True), ("PT4H35M59.14S", True), ("P3Y1M29DT4H35M59.14S", True), ("P1DT12H36M0.12567S", True)),
        *(("P4W1D", False), ("PA1H0M0S", False), ("should fail", False), ("", False), (12345, False), ({}, False)),
    ],
)
def test_line_33_durations(text, right):
    for value, before in in_both(statement(result={"duration": text})):
        if right:
            accepted(value)
        else:
            refused(value, f"{before}/result/duration")


@each_of(
    ("score", "wrong"),
    [
        ({}, None),
        ({"scaled": 1}, None),
        ({"scaled": -1.0}, None),
        ({"scaled": 1.01}, "scaled"),
        ({"scaled": -1.00001}, "scaled"),
        ({"scaled": 5}, "scaled"),
        ({"min": 0, "max": 0}, "min"),
        ({"min": 2, "max": 1}, "min"),
        ({"min": 1, "max": 1.5}, None),
        ({"raw": 0, "min": 0, "max": 100}, None),
        ({"raw": 100, "min": 0, "max": 100}, None),
        ({"raw": -1, "min": 0, "max": 100}, "raw"),
        ({"raw": 101, "min": 0, "max": 100}, "raw"),
        ({"raw": -1, "min": 0}, "raw"),
        ({"raw": 101, "max": 100}, "raw"),
        ({"raw": 1e300}, None),
        ({"raw": 10**400, "max": 1}, "raw"),
    ],
)
def test_line_34_scores(score, wrong):
    for value, before in in_both(statement(result={"score": score})):
        if wrong is None:
            accepted(value)
        else:
            refused(value, f"{before}/result/score/{wrong}")


@each_of(
    ("text", "in_1_0_3", "in_2_0"),
    [
        *(
            ("1.0", True, True),
            ("1.0.0", True, True),
            ("1.0.3", True, True),
            ("1.0.9", True, True),
            ("1.0.32", True, True),
        ),
        *(("2.0.0", False, True), ("2.0", False, True), ("0.9.9", False, False), ("1.1.0", False, False)),
        *(("2.1.0", False, False), ("1", False, False), ("1.0.", False, False), ("1.0.3\n", False, False)),
        *(("should fail", False, False), ("", False, False), ("1.0.x", False, False), ("v1.0.3", False, False)),
    ],
)
def test_line_35_the_statement_s_version(text, in_1_0_3, in_2_0):
    for version, right in (("1.0.3", in_1_0_3), ("2.0.0", in_2_0)):
        if right:
            accepted(statement(version=text), version)
        else:
            refused(statement(version=text), "/version", version)


@pytest.mark.parametrize("object_", [ACTIVITY, AGENT, GROUP], ids=["Activity", "Agent", "Group"])
def test_line_36_voiding_needs_a_reference(object_):
    for value, before in in_both(statement(verb={"id": VOIDED}, object=object_)):
        refused(value, f"{before}/object")
    refused(statement(verb={"id": VOIDED}, object=substatement()), "/object")
    for value, _ in in_both(statement(verb={"id": VOIDED}, object=REF)):
        accepted(value)


def test_line_36_only_the_exact_verb_voids():
    accepted(statement(verb={"id": "http://example.com/voided"}))


# --- attachments ---


@pytest.mark.parametrize("name", ["usageType", "display", "contentType", "length", "sha2"])
def test_attachments_need_their_metadata(name):
    attachment = {key: value for key, value in ATTACHMENT.items() if key != name}
    for value, before in in_both(statement(attachments=[ATTACHMENT, attachment])):
        refused(value, f"{before}/attachments/1")


@pytest.mark.parametrize("name", ["description", "fileUrl"])
def test_attachments_may_do_without_the_rest(name):
    accepted(statement(attachments=[{key: value for key, value in ATTACHMENT.items() if key != name}]))
    accepted(statement(attachments=[]))


@each_of(
    ("name", "value"),
    [
        *(("length", -1), ("length", 1.0), ("sha2", "should fail"), ("sha2", "a" * 40), ("sha2", 12345), ("sha2", "")),
        *(("contentType", "plain"), ("contentType", ""), ("contentType", "text/plain\n"), ("usageType", "should fail")),
        *(("fileUrl", "should fail"), ("fileUrl", "")),
    ],
)
def test_attachments_metadata_have_their_form(name, value):
    refused(statement(attachments=[ATTACHMENT | {name: value}]), f"/attachments/0/{name}")


@pytest.mark.parametrize("digits", [56, 64, 96, 128])
def test_every_length_of_sha_2_is_accepted(digits):
    accepted(statement(attachments=[ATTACHMENT | {"sha2": "aB" * (digits // 2), "length": 0}]))
