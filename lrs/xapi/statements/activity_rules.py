"""The rules for Activities and their definitions (xAPI 1.0.3 Data 2.4.4.1; 2.0 4.2.2.3).

Not checked: whether component lists fit the interaction type, and the syntax of response patterns. An LRS may check
these, and content in use gets them wrong. Knows nothing of how definitions are merged or returned.
"""

from __future__ import annotations

from typing import Any

from lrs.xapi.statements.checks import ValueCheck, extensions, iri, language_map, list_of, one_of, refusal, shape, text

INTERACTION_TYPES = (
    "true-false",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
)

_SECTION = "2.4.4.1"
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")
_INTERACTION_ONLY = frozenset({"correctResponsesPattern", *_COMPONENT_LISTS})

_component = shape(
    "An interaction component",
    _SECTION,
    {
        "id": text("The id of an interaction component", _SECTION),
        "description": language_map("The description of an interaction component", _SECTION),
    },
    ("id",),
)


def _components(name: str) -> ValueCheck:
    check_list = list_of(f"The list {name}", _SECTION, _component)

    def check(value: Any) -> None:
        check_list(value)
        seen: set[str] = set()
        for index, component in enumerate(value):
            if component["id"] in seen:
                raise refusal(f"Each id in {name} must be there only once.", _SECTION, index, "id")
            seen.add(component["id"])

    return check


_check_definition_fields = shape(
    "An activity definition",
    _SECTION,
    {
        "name": language_map("The name of an activity", _SECTION),
        "description": language_map("The description of an activity", _SECTION),
        "type": iri("The type of an activity", _SECTION),
        "moreInfo": iri("The moreInfo of an activity", _SECTION),
        "extensions": extensions(_SECTION),
        "interactionType": one_of("The interactionType", _SECTION, INTERACTION_TYPES),
        "correctResponsesPattern": list_of(
            "The correctResponsesPattern", _SECTION, text("Each entry of correctResponsesPattern", _SECTION)
        ),
        **{name: _components(name) for name in _COMPONENT_LISTS},
    },
)


def check_definition(value: Any) -> None:
    """Checks an activity definition. Members for interactions need an ``interactionType``."""
    _check_definition_fields(value)
    if "interactionType" not in value and _INTERACTION_ONLY & value.keys():
        name = next(name for name in value if name in _INTERACTION_ONLY)
        raise refusal(f'An activity definition with "{name}" must have "interactionType".', _SECTION)


check_activity: ValueCheck = shape(
    "An activity",
    _SECTION,
    {
        "objectType": one_of("The objectType of an activity", _SECTION, ("Activity",)),
        "id": iri("The id of an activity", _SECTION),
        "definition": check_definition,
    },
    ("id",),
)

_check_activity_list = list_of("A contextActivities list", "2.4.6.2", check_activity)


def check_context_activities(value: Any) -> None:
    """Checks one Activity, or a list of them."""
    if type(value) is dict:
        check_activity(value)
    else:
        _check_activity_list(value)
