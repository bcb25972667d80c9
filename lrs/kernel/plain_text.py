"""Texts of others: which characters nobody should see or sign, and how such a text is shown on one line."""

from __future__ import annotations

import re
import unicodedata

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters but tabs and line ends, and half characters. Implementations of RDFC-1.0 escape them
differently, so a badge with one in it is never signed."""
LONGEST_NAME = 80
_INVISIBLE = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
"""Letters and a sign that are blanks to the eye, but not to Unicode's categories."""
_SHOWN_AS_CODES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories (Unicode 16, table 4-4): control, format (bidirectional overrides among them), surrogate, line and
paragraph separator."""


def control_character(text: str) -> str | None:
    r"""The first control character in *text*, as it is written in a message (``\x07``); ``None`` if there is none."""
    found = CONTROL.search(text)
    return _code(found[0]) if found else None


def one_line(text: str) -> str:
    r"""*text* as one line that says what it holds: a line feed as ``\n``, an escape as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(_code(char) if unicodedata.category(char) in _SHOWN_AS_CODES else char for char in text)


def quoted(text: str) -> str:
    r"""A name that somebody gave, as it stands beside words of ours: what is in it cannot be taken for those.

    In quotation marks, its own escaped; at most ``LONGEST_NAME`` characters; blanks beside each other are one, or a
    terminal's next line would begin where they end.
    """
    joined = " ".join(text.split())
    shown = joined if len(joined) <= LONGEST_NAME else joined[: LONGEST_NAME - 1] + "…"
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_INVISIBLE.sub(lambda found: _code(found[0]), escaped)}"'


def _code(char: str) -> str:
    return char.encode("unicode_escape").decode()
