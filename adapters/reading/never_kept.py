"""Columns of which nothing is kept, whatever file has them. Pure.

Ethnicity, disability, National Insurance number, prior address and employment monitoring of learners: a return has them
(``adapters.apprenticeship.ilr.kept``), and so have tables that systems of providers export. Source: domain.md 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable

from lrs.kernel.tables.header import fold

NEVER_KEPT = "never_kept"
"""The code of a refusal after which the file itself is not kept."""
_BEGINNINGS = (
    *("ethnic", "lldd", "primarylldd", "disab", "learningdifficult", "learningdisab", "healthproblem"),
    *("nationalinsurance", "ninumber", "ninum", "postcodeprior", "priorpostcode", "prioraddress", "previouspostcode"),
    *("previousaddress", "esmtype", "esmcode", "employmentstatusmonitoring"),
)
_WITHIN = ("ethnic", "nationalinsurance", "disabilit")
_WHOLE = frozenset({"ni", "nino", "nin", "nino1", "nicode"})
_OF_COURSES = ("awareness", "course", "training")
"""A column with such a word is about what was learned, as *Disability awareness course*."""


def is_never_kept(header: str) -> bool:
    """Whether nothing of the column that is called *header* is kept."""
    name = fold(header)
    if any(word in name for word in _OF_COURSES):
        return False
    return name in _WHOLE or name.startswith(_BEGINNINGS) or any(word in name for word in _WITHIN)


def never_kept(headers: Iterable[str]) -> list[str]:
    """Those of *headers* of whose columns nothing is kept."""
    return [one for one in headers if is_never_kept(one)]
