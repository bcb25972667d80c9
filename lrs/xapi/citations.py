"""Where a rule stands in the specification of the caller's version: xAPI 1.0.3, or 2.0, which is IEEE 9274.1.1. Pure.

Rules for the parts of a statement are named where they are checked (``statements/validate``).
"""

from __future__ import annotations

_SECTIONS_OF_2_0 = {
    "Communication 1.5": "4.1.3",
    "Communication 1.5.1": "4.1.3",
    "Communication 1.5.2": "4.1.3",
    "Communication 2.1.1": "4.1.6.1",
    "Communication 2.1.2": "4.1.6.1",
    "Communication 2.1.3": "4.1.6.1",
    "Communication 2.2": "4.1.6",
    "Communication 3.1": "4.1.4",
    "Communication 3.2": "4.1.5",
    "Data 2.3.2": "4.2.5",
    "Data 2.6": "4.2.8",
}


def rule(section: str, version: str) -> str:
    """The rule in *section* of 1.0.3, as it is cited to a caller of *version*, "1.0.3" or "2.0.0"."""
    return f"IEEE 9274.1.1 {_SECTIONS_OF_2_0[section]}" if version == "2.0.0" else f"xAPI 1.0.3 {section}"
