"""Text that others wrote, for a terminal: one line, and nothing in it that a terminal obeys."""

from __future__ import annotations


def printable(text: str) -> str:
    """*text* with every character that cannot be seen (controls, line ends, turns of direction) as its escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
