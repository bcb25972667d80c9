"""Apprenticeship standards by their code in the register of learning aims (LARS), as returns name them. Pure.

The code of a standard is the same in all its versions. Source: Skills England, apprenticeship standards.
"""

from __future__ import annotations

from collections.abc import Mapping

KNOWN: Mapping[int, str] = {406: "ST0649", 755: "ST1406"}
"""The standards whose codes are confirmed. Those that are imported (``lrs standards import``) come on top."""


def reference_of(code: int, imported: Mapping[int, str]) -> str:
    """The reference of the standard with this *code*; ``LARS-28`` for one that is not known here."""
    return imported.get(code) or KNOWN.get(code) or f"LARS-{code}"
