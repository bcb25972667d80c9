"""Texts of others on a terminal and in what is signed."""

from __future__ import annotations

import pytest

from lrs.plain_text import control_character, one_line


@pytest.mark.parametrize(
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
