"""The section of a rule in the specification that the caller uses: xAPI 1.0.3, or 2.0 (IEEE 9274.1.1). Pure."""

from __future__ import annotations

_SECTIONS_OF_2_0 = (
    ("Communication 1.5", "4.1.3"),
    ("Communication 2.1", "4.1.6.1"),
    ("Communication 2", "4.1.6"),
    ("Communication 3.1", "4.1.4"),
    ("Communication 3.2", "4.1.5"),
    ("Data 2.3.2", "4.2.5"),
    ("Data 2.4.11", "4.2.2.6"),
    ("Data 2.4.10", "4.2.4.3"),
    ("Data 2.4.2", "4.2.2.1"),
    ("Data 2.4.3", "4.2.2.2"),
    ("Data 2.4.4", "4.2.2.3"),
    ("Data 2.4.5", "4.2.2.4"),
    ("Data 2.4.6", "4.2.2.5"),
    ("Data 2.4.1", "4.2.4.2"),
    ("Data 2.4.7", "4.2.4.2"),
    ("Data 2.4.8", "4.2.4.2"),
    ("Data 2.4.9", "4.2.4.2"),
    ("Data 2.6", "4.2.8"),
    ("Data 4.", "4.2.7"),
    ("Data", "4.2"),
)
"""Sections of xAPI 1.0.3, and where IEEE 9274.1.1 says the same. The first prefix that fits counts."""


def rule(section: str, version: str) -> str:
    """The rule in *section* of 1.0.3 as cited to a caller of *version*, "1.0.3" or "2.0.0"."""
    if version != "2.0.0":
        return f"xAPI 1.0.3 {section}"
    return f"IEEE 9274.1.1 {next(there for here, there in _SECTIONS_OF_2_0 if section.startswith(here))}"
