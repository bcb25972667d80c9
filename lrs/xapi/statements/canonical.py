"""The format ``canonical`` of stored statements, within a number of bytes. Knows no HTTP request.

A statement of 15 kB may name an activity a thousand times, and each time it gets what is known of the activity. So
bytes are counted before a text is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from lrs.kernel.strict_json import Json
from lrs.storage import Reader, Record, Walk
from lrs.xapi.statements.definitions import DEFINITION, activities_in, definition_key, merged_definition
from lrs.xapi.statements.shape import canonical, in_one_language

MOST_DEFINITIONS = 1_000
"""The newest definitions are merged. Content that sends a new definition with each statement must not slow reading
down.
"""
decode_as_told = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode())).decode
"""Keeps the text of numbers, so that 0.10 is not returned as 0.1, nor 1e2 as 100.0."""
_encode = msgspec.json.Encoder().encode


class Told(NamedTuple):
    """What is known of an activity, in the languages asked for, and its bytes as JSON."""

    definition: Json
    size: int


_NOTHING = Told({}, 0)
_Known = Callable[[str], Told]


def definition_in(reader: Reader, activity_id: str) -> Json:
    """The merged definition of the activity; empty if statements said nothing about it."""
    page = reader.find(Walk(DEFINITION, [definition_key(activity_id)], newest_first=True, limit=MOST_DEFINITIONS))
    return merged_definition(msgspec.json.decode(record.body) for record in reversed(page.records))


def canonical_texts(
    reader: Reader, records: Iterable[Record], source: str | None, languages: Sequence[str], most: int
) -> list[bytes]:
    """The texts of *records*, in order, as many as have about *most* bytes together; always the first.

    A first one that passes *most* by itself has the definitions that it was sent with. So has every one for a caller
    held to *source*, who gets none that others sent.
    """
    known = _known(reader, languages) if source is None else _unknown
    texts: list[bytes] = []
    for record in records:
        statement = decode_as_told(record.body)
        size, told = len(record.body) + _size(statement, known, most), known
        if size > most and texts:
            break
        if size > most:
            size, told = len(record.body), _unknown
        texts.append(_text(statement, languages, told))
        most -= size
    return texts


def _text(statement: Json, languages: Sequence[str], known: _Known) -> bytes:
    return _encode(canonical(statement, languages, lambda activity_id: known(activity_id).definition))


def _size(statement: Json, known: _Known, most: int) -> int:
    """The bytes of what is known of all activities in *statement*; the sum ends where it passes *most*."""
    size = 0
    for activity in activities_in(statement):
        size += known(activity["id"]).size
        if size > most:
            break
    return size


def _known(reader: Reader, languages: Sequence[str]) -> _Known:
    @cache
    def known(activity_id: str) -> Told:
        definition = in_one_language(definition_in(reader, activity_id), languages)
        return Told(definition, len(_encode(definition)))

    return known


def _unknown(activity_id: str) -> Told:  # noqa: ARG001 (it stands where a ``_Known`` stands)
    return _NOTHING
