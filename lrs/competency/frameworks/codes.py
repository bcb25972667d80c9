"""Makes codes for items of a framework that have none in the sheet. Pure; knows no rows.

A code is made of the item's words, below its parent's code. If different words give the same code (they begin alike, or
differ in punctuation only), each of them gets a suffix made of all its words. The suffix does not depend on the other
items or on their order, so a code never comes to mean another item.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

_NOT_ASCII_WORD = re.compile(r"[^a-z0-9]+")
_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST = 60


class Codes:
    """The codes made for one sheet.

    The sheet is read again as long as ``learnt`` says that a reading found new collisions.
    """

    def __init__(self) -> None:
        self._labels: dict[str, set[str]] = {}
        self._shared: set[str] = set()

    def made(self, label: str, parent: str) -> str:
        """The code of *label* below the code *parent*, which may be empty."""
        plain = f"{parent}/{_words(label)}" if parent else _words(label)
        folded = " ".join(unicodedata.normalize("NFC", label).casefold().split())
        self._labels.setdefault(plain, set()).add(folded)
        return f"{plain}-{sha256(folded.encode()).hexdigest()[:6]}" if plain in self._shared else plain

    def learnt(self) -> bool:
        """Whether codes made since the last call turned out to stand for several labels."""
        shared = {code for code, labels in self._labels.items() if len(labels) > 1}
        new = not shared <= self._shared
        self._shared |= shared
        return new


def _words(label: str) -> str:
    folded = unicodedata.normalize("NFC", label).casefold()
    letters = [letter for letter in folded if letter.isalnum()]
    latin = 2 * sum(letter.isascii() for letter in letters) >= len(letters)
    return (_NOT_ASCII_WORD if latin else _NOT_WORD).sub("-", folded).strip("-")[:_LONGEST] or "item"
