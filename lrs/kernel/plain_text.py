"""Checks and prints text that others sent: control characters, and text on one line."""

from __future__ import annotations

import re
import unicodedata

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters except tab and line ends, and lone surrogates. Implementations of RDFC-1.0 escape them in
different ways, so a badge that contains one is never signed.
"""
LONGEST_NAME = 80
_WORD = re.compile(r"(?!lrs )[a-z]+,?(?: |$)")
_ENDS = (".", "!", "?", "…", ":", ".”", "!”", "?”", '."', ".)")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates of the direction (Unicode UAX 9, 2). Marks for one character are harmless."""
_INVISIBLE = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
"""Characters that look like blanks although their Unicode category is letter or symbol."""
_SHOWN_AS_CODES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories (Unicode 16, table 4-4) that are shown as codes: control, format (with the bidirectional
overrides), surrogate, line and paragraph separator.
"""


def control_character(text: str) -> str | None:
    r"""The first control character in *text* as messages show it (``\x07``); ``None`` if there is none."""
    found = CONTROL.search(text)
    return _code(found[0]) if found else None


def hidden_character(text: str) -> str | None:
    r"""The first character in *text* that nobody sees, as messages show it (``\u202e``); ``None`` if there is none.

    A control character, or one that turns the direction of the text around it, by which it can look like another text.
    So it has no place in a name, a title or another line that somebody types.
    """
    found = CONTROL.search(text) or _TURNING.search(text)
    return _code(found[0]) if found else None


def cleaned(text: str, longest: int) -> str:
    """*text* on one line, without control characters and without what turns the direction of the text around it.

    Cut to *longest* characters. For texts that others sent and that something of ours repeats.
    """
    joined = " ".join(_TURNING.sub("", CONTROL.sub(" ", text)).split())
    return joined if len(joined) <= longest else f"{joined[: longest - 1].rstrip()}…"


def sized(count: int) -> str:
    """So many bytes as people say it: ``600 bytes``, ``64 KiB``, ``4.1 MiB``. Never more than *count*."""
    for unit, many in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if count >= many:
            return f"{count * 10 // many / 10:g} {unit}"
    return f"{count} bytes"


def counted(number: int, one: str, many: str = "") -> str:
    """*number* and the word for so many: "1 row", "3 rows". *many* is the plural, if it is not *one* with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def capital(text: str) -> str:
    """*text* with its first letter as a capital; all others stay as they are, as in "xAPI"."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """A message as people read it on a page: its first word gets a capital, and its end a full stop.

    A first word that is a name stays as it is, as of a file, a column or a command; an address at the end, too.
    """
    begun = capital(text) if _WORD.match(text) else text
    is_ended = not begun or begun.endswith(_ENDS) or "://" in begun.rpartition(" ")[2]
    return begun if is_ended else begun + "."


def one_line(text: str) -> str:
    r"""*text* on one line, with a line feed as ``\n``, an escape as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(_code(char) if unicodedata.category(char) in _SHOWN_AS_CODES else char for char in text)


def quoted(text: str) -> str:
    """A name that somebody gave, in quotation marks, so that it cannot be taken for text of ours.

    Quotation marks inside it are escaped. It is cut to ``LONGEST_NAME`` characters. Several blanks become one: with
    many blanks a name could continue at the start of the terminal's next line.
    """
    joined = " ".join(text.split())
    shown = joined if len(joined) <= LONGEST_NAME else joined[: LONGEST_NAME - 1] + "…"
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_INVISIBLE.sub(lambda found: _code(found[0]), escaped)}"'


def _code(char: str) -> str:
    return char.encode("unicode_escape").decode()
