"""What known senders get wrong by habit, and the named mend of each habit. Pure.

A habit is recognised by where a statement was refused and what stands there. Its mend changes nothing else. Measured
with Open edX's event-routing-backends (e2acb70: 27 of its 90 statements) and H5P's helper.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeGuard
from urllib.parse import quote

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import members
from lrs.xapi.statements.texts import joined
from lrs.xapi.statements.validate import check

UNNAMED = "https://w3id.org/engraft/activities/unnamed/"
"""What the ids begin with that the mends give."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_CONTEXT = ("parent", "grouping", "category", "other")
Tree = dict[str, Any]


class Habit(msgspec.Struct, frozen=True):
    """One habit. *says* is what is wrong, *does* what its mend does, both for a person.

    *known* says, from the pointer of the refusal and the value there, whether a statement was refused for it. *mend*
    changes the tree; it is given the id of the statement.
    """

    name: str
    says: str
    does: str
    known: Callable[[str, Any], bool]
    mend: Callable[[Tree, str], None]


def recognised(tree: Any, refused: Refused, version: str, id: str) -> tuple[tuple[str, ...], Tree] | None:
    """The habits that make *tree* invalid, and the tree after their mends, which is valid.

    ``None`` if it is invalid for another reason, too. *refused* is what ``check`` raised, *id* the statement's.
    """
    if not isinstance(tree, dict) or "attachments" in tree:
        return None
    mended, names = copy.deepcopy(tree), []
    while refused.error == "invalid_statement" and refused.pointer is not None:
        place = refused.pointer.removesuffix("/min")
        value = _at(mended, place)
        habit = next((one for one in HABITS.values() if one.known(place, value)), None)
        if habit is None or habit.name in names:
            return None
        names.append(habit.name)
        habit.mend(mended, id)
        try:
            check(mended, version)
        except Refused as further:
            refused = further
        else:
            return tuple(names), mended
    return None


def mended_text(text: bytes, names: Collection[str], id: str) -> bytes:
    """The text of a statement after the mends *names*.

    Only the members of the statement that a mend changes are written anew; the others keep the text they came with.
    """
    before = msgspec.json.decode(text)
    after = copy.deepcopy(before)
    for name, habit in HABITS.items():
        if name in names:
            habit.mend(after, id)
    parts = members(text)
    for name in before:
        if name not in after:
            del parts[name]
        elif after[name] != before[name]:
            parts[name] = msgspec.json.encode(after[name])
    return joined(parts)


def _at(tree: Any, pointer: str) -> Any:
    """The value at *pointer* (RFC 6901); ``None`` if there is none."""
    value = tree
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def _statements(tree: Tree) -> Iterator[Tree]:
    """The statement, and the SubStatement in it."""
    yield tree
    target = tree.get("object")
    if isinstance(target, dict) and target.get("objectType") == "SubStatement":
        yield target


def _activities(tree: Tree) -> Iterator[Tree]:
    """Every activity in the statement, also those that only claim to be one."""
    for one in _statements(tree):
        target, context = one.get("object"), one.get("context")
        listed = context.get("contextActivities") if isinstance(context, dict) else None
        groups = [listed.get(name) for name in _CONTEXT] if isinstance(listed, dict) else []
        found = [target, *(each for some in groups for each in (some if isinstance(some, list) else [some]))]
        yield from (each for each in found if isinstance(each, dict) and _is_activity(each))


def _is_activity(value: Any) -> TypeGuard[Tree]:
    return isinstance(value, dict) and value.get("objectType", "Activity") in {"Activity", "GroupActivity"}


def _is_plain_id(value: Any) -> TypeGuard[str]:
    """Whether *value* is an id without a scheme, so that no IRI is meant."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 200 and ":" not in value


# --- the mends ---


def _as_activities(tree: Tree, _: str) -> None:
    for one in _activities(tree):
        if one.get("objectType") == "GroupActivity":
            one["objectType"] = "Activity"


def _with_iris(tree: Tree, _: str) -> None:
    for one in _activities(tree):
        told = one.get("id")
        if _is_plain_id(told):
            is_uuid = _UUID.fullmatch(told) is not None
            one["id"] = f"urn:uuid:{told.lower()}" if is_uuid else f"{UNNAMED}{quote(told, safe='')}"


def _without_score(tree: Tree, _: str) -> None:
    for one in _statements(tree):
        result = one.get("result")
        if isinstance(result, dict) and _is_empty_range(result.get("score")):
            del result["score"]


def _named_object(tree: Tree, id: str) -> None:
    for one in _statements(tree):
        target = one.get("object")
        if _is_activity(target) and "id" not in target:
            target["id"] = f"{UNNAMED}{id}"


# --- how they are recognised ---


def _is_empty_range(score: Any) -> bool:
    if not isinstance(score, dict):
        return False
    low, high = score.get("min"), score.get("max")
    return type(low) in {int, float} and type(high) in {int, float} and low == high


def _in_activity(pointer: str) -> bool:
    """Whether *pointer* names a member of an activity: of an object or of one in the context."""
    place = pointer.removeprefix("/object") if pointer.startswith("/object/object/") else pointer
    return (place.count("/") == 2 and place.startswith("/object/")) or "/contextActivities/" in place


def _says_group(pointer: str, value: Any) -> bool:
    return pointer.endswith("/objectType") and _in_activity(pointer) and value == "GroupActivity"


def _says_no_iri(pointer: str, value: Any) -> bool:
    return pointer.endswith("/id") and _in_activity(pointer) and _is_plain_id(value)


def _says_no_range(pointer: str, value: Any) -> bool:
    return pointer in {"/result/score", "/object/result/score"} and _is_empty_range(value)


def _says_no_id(pointer: str, value: Any) -> bool:
    return pointer in {"/object", "/object/object"} and _is_activity(value) and "id" not in value


HABITS = {
    one.name: one
    for one in (
        Habit(
            "group-activity",
            "An activity says that its objectType is GroupActivity, which xAPI does not have (Open edX).",
            "writes Activity in place of GroupActivity",
            _says_group,
            _as_activities,
        ),
        Habit(
            "no-iri",
            "The id of an activity has no scheme, so it is no IRI (Open edX, for special exams).",
            "writes an id that is a UUID as urn:uuid:…, and puts an address of ours before any other",
            _says_no_iri,
            _with_iris,
        ),
        Habit(
            "empty-score-range",
            "The score has a min that equals its max: there was nothing to score (H5P, and problems of no weight in"
            " Open edX).",
            "leaves the score out, and nothing else of the result",
            _says_no_range,
            _without_score,
        ),
        Habit(
            "no-object-id",
            "The object is an activity without an id (Open edX, for events that do not name the problem).",
            "gives it an id of its own, made of the id of the statement",
            _says_no_id,
            _named_object,
        ),
    )
}
"""The habits by name. The name of a habit is also that of its mend."""
