"""Texts of others on a terminal and in what is signed."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from lrs.kernel.plain_text import (
    LONGEST_NAME,
    capital,
    cleaned,
    control_character,
    counted,
    hidden_character,
    one_line,
    quoted,
    sentence,
    sized,
)
from tests.rows import each_of


@each_of(
    ("text", "shown"),
    [
        ("Gowning: Practitioner", "Gowning: Practitioner"),
        ("Zoë Müller, 林", "Zoë Müller, 林"),
        ("a\nok  signature: all is well", "a\\nok  signature: all is well"),
        ("a\r\tb", "a\\r\\tb"),
        ("\x1b[2J\x9b31m", "\\x1b[2J\\x9b31m"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("a\u2028b\u2066c", "a\\u2028b\\u2066c"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_text_of_others_takes_one_line_and_moves_nothing(text, shown):
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("text", "found"), [("fine\n\tis\rfine", None), ("a\x07", "\\x07"), ("\x00", "\\x00"), ("x\x7f", "\\x7f")]
)
def test_the_first_control_character_is_named(text, found):
    assert control_character(text) == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Gowning: Practitioner", '"Gowning: Practitioner"'),
        ("Gowning, issued by a ministry", '"Gowning, issued by a ministry"'),
        ('Gowning", issued by "a ministry', '"Gowning\\", issued by \\"a ministry"'),
        ("a\\", '"a\\\\"'),
        ("X" + " " * 70 + "ok  signature: by a ministry", '"X ok signature: by a ministry"'),
        ("X" + "\u3000\u00a0" * 30 + "valid", '"X valid"'),
        ("X\u3164\u2800valid", '"X\\u3164\\u2800valid"'),
    ],
)
def test_a_name_is_not_taken_for_words_of_ours(name, shown):
    assert one_line(quoted(name)) == shown


@each_of(
    ("text", "longest", "told"),
    [
        ("Gowning", 7, "Gowning"),
        ("Gowning", 6, "Gowni…"),
        ("Gown it", 6, "Gown…"),
        (" Zoë \n\t Müller\x07 ", 20, "Zoë Müller"),
        ("a\ud800b", 20, "a b"),
        ("\u202eexe.abc\u202c \u2066x\u2069", 20, "exe.abc x"),
        ("שלום\u200f", 20, "שלום\u200f"),
        ("", 5, ""),
    ],
)
def test_a_text_of_others_that_ours_repeats_takes_one_line_and_turns_nothing(text, longest, told):
    assert cleaned(text, longest) == told


def test_so_many_are_said_with_the_word_for_so_many():
    told = [counted(number, "row") for number in (0, 1, 2, 1_000)]

    assert told == ["0 rows", "1 row", "2 rows", "1,000 rows"]
    assert [counted(number, "try", "tries") for number in (1, 2)] == ["1 try", "2 tries"]
    assert [hidden_character(text) for text in ("a\u202eb", "a\u2067b", "a\x07b", "a\u200fb", "ab")] == [
        "\\u202e",
        "\\u2067",
        "\\x07",
        None,
        None,
    ]


def test_a_name_does_not_fill_a_terminal():
    assert len(quoted("x" * 10_000)) == LONGEST_NAME + 2


def test_a_size_is_said_as_people_say_it_and_never_more_than_it_is():
    said = {count: sized(count) for count in (0, 1023, 1024, 64 * 1024, 4_259_840, 5 * 1024 * 1024 - 1)}

    assert list(said.values()) == ["0 bytes", "1023 bytes", "1 KiB", "64 KiB", "4 MiB", "4.9 MiB"]


@each_of(
    ("text", "wanted"),
    [
        ("use everything of xAPI", "Use everything of xAPI"),
        ("École", "École"),
        ("élève", "Élève"),
        ("", ""),
        ("x", "X"),
    ],
)
def test_only_the_first_letter_becomes_a_capital(text, wanted):
    assert capital(text) == wanted


def test_a_message_is_a_sentence_on_a_page_and_names_in_it_stay_as_they_are():
    for told, said in {
        "the file has no header": "The file has no header.",
        "nothing, so far": "Nothing, so far.",
        "no": "No.",
        "Choose a role.": "Choose a role.",
        "is it right?": "Is it right?",
        "file.csv has no rows": "file.csv has no rows.",
        "email: is no address": "email: is no address.",
        "xAPI is spoken here": "xAPI is spoken here.",
        "lrs doctor says why": "lrs doctor says why.",
        "call it “north.”": "Call it “north.”",
        "call it “north”": "Call it “north”.",
        "open https://x.example/a": "Open https://x.example/a",
        "é": "é.",
        "": "",
    }.items():
        assert sentence(told) == said
    assert isinstance(sentence(Markup("no &lt;")), Markup)
