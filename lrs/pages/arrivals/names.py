"""Names for activities whose statement has only the IRI. Reads only: two look-ups for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import msgspec

from lrs.competency.rules.unmatched import in_any_language, name_in
from lrs.pages.told import StatementTold, told, with_name
from lrs.storage import Reader, Record, Walk
from lrs.xapi.statements.definitions import DEFINITION, definition_key
from lrs.xapi.statements.keys import activity_key

LOOKED_AT = 3
"""Statements about an activity that are searched for its name."""


def all_told(reader: Reader, records: Iterable[Record]) -> dict[str, StatementTold]:
    """The statements in *records* by id, with names from other statements."""
    said = {record.id: told(record) for record in records}
    names = {one.activity: name_of(reader, one.activity) for one in said.values() if one.activity and not one.named}
    return {id: with_name(one, names.get(one.activity)) for id, one in said.items()}


def called(reader: Reader) -> Callable[[str], str]:
    """A function that gives the name of an activity, or its IRI where no name is known; each is looked up once."""

    @cache
    def of(activity: str) -> str:
        return name_of(reader, activity) or activity

    return of


def name_of(reader: Reader, activity: str) -> str | None:
    """The name in the newest definition of *activity*, or else in one of the newest statements about it."""
    defined = Walk(DEFINITION, [definition_key(activity)], newest_first=True, limit=1)
    for record in reader.find(defined).records:
        names = msgspec.json.decode(record.body).get("name")
        if isinstance(names, dict) and (name := in_any_language(names)):
            return name
    about = Walk("statement", [activity_key(activity, related=True)], newest_first=True, limit=LOOKED_AT)
    return next(filter(None, (name_in(record, activity) for record in reader.find(about).records)), None)
