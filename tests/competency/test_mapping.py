"""The mapping table: each row becomes a rule, or is named with the reason."""

import msgspec

from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rules import Ruleset
from tests.competency.world import PASSED, SHEET, URI
from tests.rows import each_of

HEADER = (
    "activity,verb,competency,level,threshold,valid for,trusted source,match,requalify within,scaled range,framework\n"
)


def made(uri=URI, **parts):
    framework, _ = framework_from_sheet(SHEET.encode(), uri=uri, title=f"Title of {uri}", scale=PRESETS["tiers"])
    return msgspec.structs.replace(framework, status="published", **parts)


def read(text, known=None, before=None):
    known = known or KnownNames([made()], sources={"vle"})
    return ruleset_from_table(text.encode(), known, before or Ruleset(0))


def fault_of(row):
    ruleset, faults = read(HEADER + row)
    assert ruleset.rules == ()
    (fault,) = faults
    return fault.column, fault.reason


def test_a_row_becomes_a_rule():
    ruleset, faults = read(
        HEADER + "https://vle.example/g,passed|completed,gown,Tier 2,80%,p12m,vle,Parent,P3M,-1..1,\n"
    )

    (rule,) = ruleset.rules
    assert faults == ()
    assert (rule.match, rule.activity, rule.level, rule.threshold) == ("parent", "https://vle.example/g", 2, 80.0)
    assert rule.verbs == ("http://adlnet.gov/expapi/verbs/completed", PASSED)
    assert (rule.valid_for, rule.window, rule.sources, rule.scaled_range) == ("P12M", "P3M", ("vle",), (-1.0, 1.0))
    (competency,) = ruleset.competencies
    assert (competency.code, competency.label, competency.framework, competency.version) == ("GOWN", "Gowning", URI, 1)


@each_of(
    ("row", "column", "reason"),
    [
        (",passed,GOWN,1,,,vle", "activity", "names no activity"),
        ("gowning,passed,GOWN,1,,,vle", "activity", "is no IRI"),
        ("urn:a,,GOWN,1,,,vle", "verb", "names no verb"),
        ("urn:a,pased,GOWN,1,,,vle", "verb", "'pased' is no verb known by one word"),
        ("urn:a,passed,,1,,,vle", "competency", "names no competency"),
        ("urn:a,passed,NOPE,1,,,vle", "competency", "no published framework has 'NOPE'"),
        ("urn:a,passed,GOWN,7,,,vle", "level", "'7' is no level of 'Skills for Health tiers': 1 (Awareness), 2"),
        ("urn:a,passed,GOWN,,,,vle", "level", "'' is no level"),
        ("urn:a,passed,GOWN,1,lots,,vle", "threshold", "'lots' is no percentage"),
        ("urn:a,passed,GOWN,1,101,,vle", "threshold", "more than 100 %"),
        ("urn:a,passed,GOWN,1,0.8,,vle", "threshold", "'0.8' could be 0.8 % or 80 %; write 80%"),
        ("urn:a,passed,GOWN,1,,a year,vle", "valid for", "is no duration"),
        ("urn:a,passed,GOWN,1,,P12M,vle,,P12M", "requalify within", "must be shorter"),
        ("urn:a,passed,GOWN,1,,,vle,,P1M", "requalify within", "must be shorter"),
        ("urn:a,passed,GOWN,1,,,vle,sibling", "match", "'sibling' is none of activity, type"),
        ("urn:a,passed,GOWN,1,,,vle,,,0..10", "scaled range", "write 0..1 or -1..1"),
        ("=HYPERLINK(1),passed,GOWN,1,,,vle", "activity", "a formula"),
        ("urn:a,passed,GOWN,1,,,vle,,,,urn:other", "framework", "'urn:other' is the id or title of no framework"),
        (
            "urn:a,passed,NOPE,1,,,vle,,,,https://example.org/frameworks/atmp",
            "competency",
            "/atmp does not have 'NOPE'",
        ),
        ("urn:a,passed,GOWN,1,,,vle,,,,,vle-2", None, "12 cells stand under 11 headers"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_column_and_reason(row, column, reason):
    found = fault_of(row + "\n")

    assert found[0] == column
    assert reason in found[1]


def test_all_cells_of_a_row_that_cannot_be_used_are_named_at_once():
    _, (fault,) = read(HEADER + "urn:a,pased,NOPE,9,lots,ages,vle,,ages,0..9\n")

    assert (fault.column, [column for column, _ in fault.also]) == (
        "verb",
        ["competency", "threshold", "valid for", "requalify within", "scaled range"],
    )
    assert "; threshold: 'lots' is no percentage; valid for: 'ages' is no duration" in str(fault)


def test_a_competency_is_named_by_its_words_where_they_are_those_of_one():
    (rule,) = read(HEADER + "urn:a,passed, gowning ,practitioner,,1 Year,vle\n")[0].rules
    second = made("urn:second")
    named = tuple(msgspec.structs.replace(one, code=f"{one.code}2") for one in second.items)
    _, (fault,) = read(
        HEADER + "urn:a,passed,Gowning,1,,,vle\n", KnownNames([made(), msgspec.structs.replace(second, items=named)])
    )

    assert (rule.level, rule.valid_for) == (2, "P1Y")
    assert fault.reason == "'Gowning' is the name of 2 competencies; write the code of one: GOWN, GOWN2"


def test_a_bad_row_does_not_keep_the_others_out():
    ruleset, faults = read(HEADER + "urn:a,passed,NOPE,1,,,vle\nurn:b,passed,GOWN,1,,,vle\n")

    assert [rule.activity for rule in ruleset.rules] == ["urn:b"]
    assert [fault.row for fault in faults] == [2]


def test_the_same_rule_twice_is_named_with_the_row_it_repeats():
    ruleset, faults = read(HEADER + "urn:a,passed,GOWN,1,80,,vle\nurn:a,passed,gown,1,90,,vle\n")

    assert len(ruleset.rules) == 1
    assert [str(fault) for fault in faults] == ["row 3: the same activity, verb, competency and level as row 2"]


def test_a_source_nobody_has_a_key_for_and_no_source_at_all_are_warnings():
    ruleset, faults = read(HEADER + "urn:a,passed,GOWN,1,,,vel\nurn:b,passed,GOWN,1,,,\n")

    assert len(ruleset.rules) == 2
    assert [str(fault) for fault in faults] == [
        "row 2, trusted source: no key is called 'vel', and nothing came from it (warning)",
        "row 3, trusted source: names no source, so nothing will ever count (warning)",
    ]


def test_a_code_that_two_frameworks_have_must_name_its_framework():
    known = KnownNames([made(), made("urn:second")])

    _, faults = read(HEADER + "urn:a,passed,GOWN,1,,,vle\n", known)
    ruleset, none = read(HEADER + "urn:a,passed,GOWN,1,,,vle,,,,urn:second\n", known)

    assert "is in 2 frameworks" in faults[0].reason
    assert none == ()
    assert ruleset.competencies[0].framework == "urn:second"


def test_a_code_that_stands_in_a_draft_only_says_so():
    _, faults = read(HEADER + "urn:a,passed,GOWN,1,,,vle\n", KnownNames([], drafts=[made()]))

    assert "publish that first" in faults[0].reason


def test_a_version_can_be_named_and_otherwise_the_latest_is_meant():
    first = made()
    changed = tuple(
        item if item.code != "GOWN" else type(item)(**{**as_dict(item), "label": "Dressing", "since": 2})
        for item in first.items
    )
    known = KnownNames([first, made(version=2, items=changed)])

    latest, _ = read(HEADER + "urn:a,passed,GOWN,1,,,vle\n", known)
    pinned, _ = read(HEADER + "urn:a,passed,GOWN@1,1,,,vle\n", known)

    assert [(one.label, one.version) for one in latest.competencies] == [("Dressing", 2)]
    assert [(one.label, one.version) for one in pinned.competencies] == [("Gowning", 1)]
    assert latest.rules[0].competency != pinned.rules[0].competency


def as_dict(item):
    return msgspec.structs.asdict(item)


def test_a_statement_s_own_tier_is_the_level_where_none_is_named():
    ruleset, _ = read(HEADER + "urn:a,passed,GOWN-2,,,,vle\n")

    assert ruleset.rules[0].level == 2


def test_a_rule_keeps_its_version_until_something_about_it_changes():
    first, _ = read(HEADER + "urn:a,passed,GOWN,1,80,,vle\nurn:b,passed,GOWN,1,80,,vle\n")

    same, _ = read(HEADER + "urn:a,passed,GOWN,1,80,,vle\nurn:b,passed,GOWN,1,80,,vle\n", before=first)
    second, _ = read(HEADER + "urn:a,passed,GOWN,1,80,,vle\nurn:b,passed,GOWN,1,70,,vle\n", before=first)
    turned, _ = read(HEADER + "urn:b,passed,GOWN,1,80,,vle\nurn:a,passed,GOWN,1,80,,vle\n", before=first)

    assert same == first
    assert turned == first  # the order of rows decides nothing, so sorting a table takes nothing away
    assert second.version == 2
    assert [(rule.activity, rule.version) for rule in second.rules] == [("urn:a", 1), ("urn:b", 2)]
    assert [rule.item for rule in second.rules] == [rule.item for rule in first.rules]


def test_hundreds_of_modules_fit_in_one_table():
    rows = "".join(f"https://vle.example/module/{n},passed,GOWN,{n % 3 + 1},50,P24M,vle\n" for n in range(900))

    ruleset, faults = read(HEADER + rows)

    assert (len(ruleset.rules), faults) == (900, ())
