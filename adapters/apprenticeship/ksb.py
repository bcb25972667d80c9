"""Codes of knowledge, skills and behaviours as people write them. Pure.

K1, S1, B1 are positions in the list of one *version* of a standard (foundation apprenticeships: TK, TS, ESB). K7 of 1.0
is not K7 of 1.1, so a code has no meaning without the version. Source: Skills England, apprenticeship standards.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"(ESB|TK|TS|K|S|B)[\s._-]*0*([1-9][0-9]{0,2})", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;/|&+]*(?:and\s+)?", re.IGNORECASE)


def codes(cell: str) -> tuple[str, ...]:
    """The codes in *cell* without duplicates, in their order: ``"k1, K 02; S3"`` gives K1, K2, S3.

    Raises ``ValueError`` if any part of it is no code.
    """
    found: list[str] = []
    position = 0
    while position < len(cell):
        code = _CODE.match(cell, position)
        if not code:
            raise ValueError(cell)
        found.append(code[1].upper() + code[2])
        between = _BETWEEN.match(cell, code.end())
        position = between.end() if between else code.end()
        if position == code.end() and position < len(cell):
            raise ValueError(cell)
    return tuple(dict.fromkeys(found))
