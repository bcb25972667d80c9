"""Names for activities and learners whose statement has none. Reads only: two look-ups for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import msgspec

from lrs.competency.rules.unmatched import in_any_language, name_in
from lrs.competency.witnessed import witnessed
from lrs.pages.told import StatementTold, told, with_name, with_person
from lrs.people.told_names import newest_name
from lrs.storage import Reader, Record, Walk
from lrs.xapi.statements.definitions import DEFINITION, definition_key
from lrs.xapi.statements.keys import activity_key

LOOKED_AT = 3
"""Statements about an activity that are searched for its name."""


def all_told(reader: Reader, records: Iterable[Record]) -> dict[str, StatementTold]:
    """The statements in *records* by id, with names from other statements, and those that files gave to learners.

    A checklist at a session has the name of the session, if it has none.

    A learner has the name that the source of the statement told, so nobody reads what only another source knows.
    """

    @cache
    def called_by(agent: str, source: str) -> str | None:
        found = newest_name(reader, agent, source)
        return found[1] if found else None

    said = {}
    for record in records:
        one = told(record)
        is_nameless = bool(one.agent) and one.who == one.known
        name = called_by(one.agent, str(record.meta.get("source", ""))) if is_nameless else None
        said[record.id] = with_person(one, name)
    names = {one.activity: name_of(reader, one.activity) for one in said.values() if one.activity and not one.named}
    nameless = [id for id, one in said.items() if one.activity and not one.named and not names[one.activity]]
    seen = {id: one.activity for id, one in witnessed(reader, nameless).items()} if nameless else {}
    return {id: with_name(one, names.get(one.activity) or seen.get(id)) for id, one in said.items()}


def called(reader: Reader) -> Callable[[str], str]:
    """A function that gives the name of an activity, or its IRI where no name is known; each is looked up once."""

    @cache
    def of(activity: str) -> str:
        return name_of(reader, activity) or activity

    return of


def called_in(reader: Reader) -> Callable[[str, str], str]:
    """A function that gives the name of what a statement is about, as its learner reads it, or else as ``called``.

    It takes the statement's id and the activity. Of a checklist at a session that is the name of the session.
    """
    name = called(reader)

    def of(statement: str, activity: str) -> str:
        seen = witnessed(reader, [statement]).get(statement)
        return (seen.activity if seen else "") or name(activity)

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
