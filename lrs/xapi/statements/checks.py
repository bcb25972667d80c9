"""The building blocks of the rules for statements: checks of one value, of lists, of maps, of objects.

A check takes a value and returns nothing, or raises ``Refused`` with a pointer relative to that value and, as ``rule``,
the section of xAPI 1.0.3 Data; ``validate`` turns it into the rule of the version in use. Pointers are built only when
a rule is broken. Knows no xAPI object by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import excerpt, pointer_of
from lrs.kernel.times import is_iso_timestamp
from lrs.xapi.statements import formats

ValueCheck = Callable[[Any], None]


def refusal(message: str, section: str, *path: str | int) -> Refused:
    """The refusal for a broken rule. *path* leads from the checked value to the place."""
    return Refused(message, error="invalid_statement", pointer=pointer_of(path), rule=section)


def plain(sentence: str, section: str, found: str = "") -> Refused:
    """The refusal for a broken rule with a *sentence* of ours alone, which may be kept; *found* is what was sent."""
    made = refusal(f"{sentence}{found}.", section)
    made.plain = f"{sentence}."
    return made


def kind_of(value: Any) -> str:
    """The type of a JSON value, in words."""
    if type(value) is bool:
        return "true or false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def mistyped(value: Any, what: str, expected: str, section: str) -> Refused:
    """The refusal of a value of the wrong JSON type; nothing is ever converted (xAPI 1.0.3 Data 2.2)."""
    if value is None:
        return plain(f"{what} is null; leave it out instead. It must be {expected}", "2.2")
    return plain(f"{what} must be {expected}, not {kind_of(value)}", section)


def text(what: str, section: str) -> ValueCheck:
    """Any text, also an empty one."""

    def check(value: Any) -> None:
        if type(value) is not str:
            raise mistyped(value, what, "a text", section)

    return check


def boolean(what: str, section: str) -> ValueCheck:
    """True or false."""

    def check(value: Any) -> None:
        if type(value) is not bool:
            raise mistyped(value, what, "true or false (without quotes)", section)

    return check


def number(what: str, section: str) -> ValueCheck:
    """A number; true and false are none."""

    def check(value: Any) -> None:
        if type(value) is not int and type(value) is not float:
            raise mistyped(value, what, "a number (without quotes)", section)

    return check


def formatted(
    what: str, section: str, test: Callable[[str], bool], expected: str, *, private: bool = False
) -> ValueCheck:
    """A text that *test* accepts. The message never shows a *private* one."""

    def check(value: Any) -> None:
        if type(value) is not str:
            raise mistyped(value, what, expected, section)
        if not test(value):
            found = "" if private else f"; {excerpt(value)} is not"
            raise plain(f"{what} must be {expected}", section, found)

    return check


def iri(what: str, section: str, *, private: bool = False) -> ValueCheck:
    """An IRI, IRL or URI with its scheme."""
    expected = "an IRI with a scheme, such as https://example.com/thing"
    return formatted(what, section, formats.is_iri, expected, private=private)


def uuid(what: str, section: str) -> ValueCheck:
    """A UUID in its 36-character form."""
    expected = "a UUID such as 12345678-1234-4234-8234-123456789012"
    return formatted(what, section, formats.is_uuid, expected)


def timestamp(what: str, section: str) -> ValueCheck:
    """An ISO 8601 date and time."""
    expected = "an ISO 8601 date and time such as 2026-11-21T10:00:00.000Z"
    return formatted(what, section, is_iso_timestamp, expected)


def one_of(what: str, section: str, allowed: tuple[str, ...]) -> ValueCheck:
    """One of the words *allowed*, in exactly this spelling."""
    expected = allowed[0] if len(allowed) == 1 else "one of " + ", ".join(allowed)
    return formatted(what, section, frozenset(allowed).__contains__, f"{expected} (exactly so)")


def list_of(what: str, section: str, check_item: ValueCheck, *, least: int = 0) -> ValueCheck:
    """A list of at least *least* values, each of which passes *check_item*."""

    def check(value: Any) -> None:
        if type(value) is not list:
            raise mistyped(value, what, "a list", section)
        index = 0
        try:
            for index, item in enumerate(value):  # noqa: B007 (the except clause uses it)
                check_item(item)
        except Refused as refused:
            raise refused.inside(f"/{index}") from None
        if len(value) < least:
            raise plain(f"{what} must not be an empty list", section)

    return check


def language_map(what: str, section: str) -> ValueCheck:
    """An object of texts by RFC 5646 language tag (xAPI 1.0.3 Data 4.2)."""

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise mistyped(value, what, 'an object of texts by language, such as {"en": "Text"}', section)
        for tag, words in value.items():
            if not formats.is_language_tag(tag):
                raise refusal(
                    f"{what} has the key {excerpt(tag)}; it must be a language tag such as en or de-AT.", "4.2", tag
                )
            if type(words) is not str:
                raise mistyped(words, f"Each value of {what[0].lower()}{what[1:]}", "a text", "4.2").inside(
                    pointer_of([tag])
                )

    return check


def extensions(section: str) -> ValueCheck:
    """An object whose keys are IRIs. Its values are not checked (xAPI 1.0.3 Data 4.1)."""

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise mistyped(value, "The extensions", "an object whose keys are IRIs", section)
        for key in value:
            if not formats.is_iri(key):
                raise refusal(
                    f"Each extension's key must be an IRI such as https://example.com/thing; {excerpt(key)} is not.",
                    "4.1",
                    key,
                )

    return check


def shape(what: str, section: str, fields: Mapping[str, ValueCheck], required: tuple[str, ...] = ()) -> ValueCheck:
    """An object with these *fields* and no others, with all of the *required* ones.

    *what* is the start of a sentence, as in "The verb".
    """
    check_of = fields.get

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise mistyped(value, what, "an object", section)
        key = ""
        try:
            for key, item in value.items():
                check_field = check_of(key)
                if check_field is None:
                    raise _unknown_key(what, key, fields)
                check_field(item)
        except Refused as refused:
            raise refused.inside(pointer_of([key])) from None
        for name in required:
            if name not in value:
                raise plain(f'{what} must have "{name}"', section)

    return check


def _unknown_key(what: str, key: str, fields: Mapping[str, ValueCheck]) -> Refused:
    for name in fields:
        if name.lower() == key.lower():
            return refusal(f'Write "{name}", not {excerpt(key)}: keys are case-sensitive.', "2.2")
    return refusal(f"{what} must not have {excerpt(key)}; allowed are {', '.join(fields)}.", "2.2")
