"""Lists activities that no rule is about, grouped so that a rule can be written for them. Reads only.

An attempt has an IRI of its own (Moodle's quizzes), so attempts are counted under their first parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from lrs.access import is_own
from lrs.competency.completion import UNCOMPLETED
from lrs.competency.rules.rules import ActivityRole, Index, rules_for
from lrs.competency.seen import Activity, SeenStatement, look
from lrs.storage import Reader, Record, Walk
from lrs.xapi.statements.definitions import DEFINITION, definition_key

ATTEMPT = "http://adlnet.gov/expapi/activities/attempt"
_NAMES_LOOKED_AT = 10


class _Definition(msgspec.Struct, frozen=True):
    name: dict[str, str] = {}


class _Activity(msgspec.Struct, frozen=True):
    id: str = ""
    definition: _Definition = _Definition()


class _Around(msgspec.Struct, frozen=True):
    parent: list[_Activity] | _Activity = []


class _Context(msgspec.Struct, frozen=True):
    contextActivities: _Around = _Around()  # noqa: N815 (the xAPI word)


class _Named(msgspec.Struct, frozen=True):
    """The parts of a statement that name its activity. Rules do not read names."""

    object: _Activity
    context: _Context = _Context()


@dataclass(slots=True)
class Unmatched:
    """One activity with one verb: how often it was seen, and how a rule would name it.

    *match* is ``parent`` if *attempts* are counted, each an activity of its own. *name* is ``None`` if no statement has
    one.
    """

    activity: str
    verb: str
    match: ActivityRole
    count: int = 0
    name: str | None = None
    attempts: set[str] = field(default_factory=set)


_decode = msgspec.json.Decoder(_Named).decode


def legible(records: Iterable[Record]) -> Iterator[tuple[Record, SeenStatement]]:
    """Those of *records* that rules apply to: statements of other systems that are not voided and can be read."""
    for record in records:
        if not is_own(record.meta.get("source")) and not record.meta.get("voided"):
            try:
                yield record, look(record)
            except msgspec.MsgspecError:
                continue  # Its match step is put aside with the reason; ``lrs work status`` lists it.


def unmatched(statements: Iterable[tuple[Record, SeenStatement]], index: Index) -> list[Unmatched]:
    """What no rule of *index* is about, most frequent first. Memory grows with the numbers of activities and attempts.

    Marks that were taken off are left out, because they need no rule.
    """
    found: dict[tuple[str, str], Unmatched] = {}
    for record, seen in statements:
        if seen.object.objectType != "Activity" or seen.verb.id in UNCOMPLETED or rules_for(seen, index):
            continue
        about = _attempted(seen)
        activity = about or seen.object
        one = found.get((activity.id, seen.verb.id))
        if one is None:
            one = Unmatched(activity.id, seen.verb.id, "parent" if about else "activity")
            found[activity.id, seen.verb.id] = one
        one.count += 1
        if about:
            one.attempts.add(seen.object.id)
        if one.name is None and one.count <= _NAMES_LOOKED_AT:
            one.name = name_in(record, activity.id)
    return sorted(found.values(), key=lambda one: (-one.count, one.activity, one.verb))


def with_names(reader: Reader, found: list[Unmatched]) -> list[Unmatched]:
    """*found*, with names from definitions in other statements where there are none. One look-up for each of those."""
    for one in found:
        if one.name is None:
            newest = Walk(DEFINITION, [definition_key(one.activity)], newest_first=True, limit=1)
            for record in reader.find(newest).records:
                one.name = in_any_language(msgspec.json.decode(record.body).get("name") or {})
    return found


def _attempted(seen: SeenStatement) -> Activity | None:
    """The activity that the statement's object is an attempt at; ``None`` if it is none, or if that is not told."""
    if seen.object.definition.type != ATTEMPT:
        return None
    parents = seen.context.contextActivities.parent
    listed = parents if isinstance(parents, list) else [parents]
    return next((one for one in listed if one.definition.type != ATTEMPT), None)


def name_in(record: Record, activity: str) -> str | None:
    """The name that the statement in *record* gives *activity*, its object or a parent of it."""
    try:
        told = _decode(record.body)
    except msgspec.MsgspecError:
        return None
    parents = told.context.contextActivities.parent
    for one in (told.object, *(parents if isinstance(parents, list) else [parents])):
        if one.id == activity:
            return in_any_language(one.definition.name)
    return None


def in_any_language(names: Mapping[str, str]) -> str | None:
    """The name in English, or else the first one."""
    english = (text for language, text in names.items() if language.lower().partition("-")[0] == "en")
    return next(english, None) or next(iter(names.values()), None)
