"""Checks a statement, or an Agent named in a request, by the rules of xAPI 1.0.3 or 2.0.

Pure: takes decoded JSON, changes nothing, looks nothing up. The tables below are the rules; ``checks``, ``agent_rules``
and ``activity_rules`` have the parts. Knows nothing of attachments' bytes, of signatures, or of what is stored.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from lrs.kernel.errors import Refused
from lrs.xapi.citations import rule
from lrs.xapi.statements import agent_rules, formats
from lrs.xapi.statements.activity_rules import check_activity, check_context_activities
from lrs.xapi.statements.checks import (
    ValueCheck,
    boolean,
    extensions,
    formatted,
    iri,
    language_map,
    list_of,
    mistyped,
    number,
    one_of,
    refusal,
    shape,
    text,
    timestamp,
    uuid,
)
from lrs.xapi.statements.identity import IDENTIFIERS

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def check(statement: Any, version: str) -> None:
    """Raises ``Refused`` (400, ``invalid_statement``) for the first rule that *statement* breaks.

    The refusal has pointer and rule. *version* is that of the request, "1.0.3" or "2.0.0". The members that the LRS
    sets (``id``, ``stored``, ``timestamp``, ``authority``, ``version``) may be there, and must then be valid.
    """
    try:
        _STATEMENT[version](statement)
    except Refused as refused:
        raise _named(refused, version) from None


def check_agent(value: Any, version: str, *, pointer: str = "", groups: bool = True, identified: bool = False) -> None:
    """Raises ``Refused`` as ``check`` does unless *value* is an Agent or, with *groups*, a Group.

    *identified* demands an identifier, as for the ``agent`` parameter of a request. *pointer* is put before the pointer
    of the refusal.
    """
    try:
        if not groups:
            agent_rules.check_agent(value)
        elif identified:
            agent_rules.check_identified(value)
        else:
            agent_rules.check_actor(value)
    except Refused as refused:
        raise _named(refused.inside(pointer), version) from None


def _named(refused: Refused, version: str) -> Refused:
    cited = rule(f"Data {refused.rule or ''}".strip(), version)
    made = Refused(refused.message, error=refused.error, pointer=refused.pointer, rule=cited)
    made.plain = refused.plain
    return made


# --- verb, result, attachments, references: the same in both versions ---

_verb = shape(
    "The verb",
    "2.4.3",
    {"id": iri("The verb's id", "2.4.3"), "display": language_map("The verb's display", "2.4.3")},
    ("id",),
)

_statement_ref = shape(
    "A statement reference",
    "2.4.4.3",
    {
        "objectType": one_of("The objectType of a statement reference", "2.4.4.3", ("StatementRef",)),
        "id": uuid("The id of a statement reference", "2.4.4.3"),
    },
    ("objectType", "id"),
)

_SCORE = "2.4.5.1"
_check_score_fields = shape(
    "The score", _SCORE, {name: number(f"The score's {name}", _SCORE) for name in ("scaled", "raw", "min", "max")}
)


def _check_score(value: Any) -> None:
    _check_score_fields(value)
    scaled, raw, low, high = value.get("scaled"), value.get("raw"), value.get("min"), value.get("max")
    if scaled is not None and not -1 <= scaled <= 1:
        raise refusal("The score's scaled must be between -1 and 1.", _SCORE, "scaled")
    if low is not None and high is not None and not low < high:
        raise refusal("The score's min must be less than its max.", _SCORE, "min")
    if raw is not None and low is not None and raw < low:
        raise refusal("The score's raw must not be less than its min.", _SCORE, "raw")
    if raw is not None and high is not None and raw > high:
        raise refusal("The score's raw must not be more than its max.", _SCORE, "raw")


_result = shape(
    "The result",
    "2.4.5",
    {
        "score": _check_score,
        "success": boolean("The result's success", "2.4.5"),
        "completion": boolean("The result's completion", "2.4.5"),
        "response": text("The result's response", "2.4.5"),
        "duration": formatted(
            "The result's duration", "4.6", formats.is_duration, "an ISO 8601 duration such as PT1H30M5.25S or P4W"
        ),
        "extensions": extensions("2.4.5"),
    },
)


def _check_length(value: Any) -> None:
    if type(value) is not int:
        raise mistyped(value, "An attachment's length", "a whole number of bytes", "2.4.11")
    if value < 0:
        raise refusal("An attachment's length must not be negative.", "2.4.11")


_attachment = shape(
    "An attachment",
    "2.4.11",
    {
        "usageType": iri("An attachment's usageType", "2.4.11"),
        "display": language_map("An attachment's display", "2.4.11"),
        "description": language_map("An attachment's description", "2.4.11"),
        "contentType": formatted(
            "An attachment's contentType", "2.4.11", formats.is_media_type, "a media type such as text/plain"
        ),
        "length": _check_length,
        "sha2": formatted(
            "An attachment's sha2", "2.4.11", formats.is_sha2, "a SHA-2 in hexadecimal digits (64 of them for SHA-256)"
        ),
        "fileUrl": iri("An attachment's fileUrl", "2.4.11"),
    },
    ("usageType", "display", "contentType", "length", "sha2"),
)


# --- context: 2.0 adds contextAgents and contextGroups ---


def _related(kind: str, member: str, check_member: ValueCheck) -> ValueCheck:
    what = f"A {kind}"
    types = list_of(f"The relevantTypes of a {kind}", "2.4.6", iri("Each of relevantTypes", "2.4.6"), least=1)
    fields = {
        "objectType": one_of(f"The objectType of a {kind}", "2.4.6", (kind,)),
        member: check_member,
        "relevantTypes": types,
    }
    return list_of(f"The {kind}s", "2.4.6", shape(what, "2.4.6", fields, ("objectType", member)))


_context_fields_1_0: dict[str, ValueCheck] = {
    "registration": uuid("The registration", "2.4.6.1"),
    "instructor": agent_rules.check_actor,
    "team": agent_rules.check_group,
    "contextActivities": shape(
        "The contextActivities",
        "2.4.6.2",
        dict.fromkeys(("parent", "grouping", "category", "other"), check_context_activities),
    ),
    "revision": text("The context's revision", "2.4.6"),
    "platform": text("The context's platform", "2.4.6"),
    "language": formatted(
        "The context's language", "2.4.6", formats.is_language_tag, "a language tag such as en or de-AT"
    ),
    "statement": _statement_ref,
    "extensions": extensions("2.4.6"),
}
_context_fields_2_0 = {
    **_context_fields_1_0,
    "contextAgents": _related("contextAgent", "agent", agent_rules.check_agent),
    "contextGroups": _related("contextGroup", "group", agent_rules.check_group),
}


# --- statements ---


def _check_object(by_type: dict[str, ValueCheck], value: Any) -> None:
    if type(value) is not dict:
        raise mistyped(value, "The object", "an object", "2.4.4")
    kind = value.get("objectType", "Activity")
    if type(kind) is not str:
        raise mistyped(kind, "The objectType", "a text", "2.4.4").inside("/objectType")
    check_kind = by_type.get(kind)
    if check_kind is None:
        allowed = ", ".join(by_type)
        raise refusal(f"The objectType must be one of {allowed} here (exactly so).", "2.4.4", "objectType")
    if "objectType" not in value and any(name in value for name in IDENTIFIERS):
        raise refusal('An Agent or a Group as object must have "objectType".', "2.4.4.2")
    check_kind(value)


def _check_together(check_fields: ValueCheck, value: Any) -> None:
    """The fields, then the rules between them."""
    check_fields(value)
    kind = value["object"].get("objectType", "Activity")
    if kind != "StatementRef" and value["verb"]["id"] == VOIDED:
        raise refusal("A voiding statement must have a StatementRef as its object.", "2.3.2", "object")
    context = value.get("context")
    if context is not None and kind != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                raise refusal(f"The context may only have {name} with an Activity as object.", "2.4.6", "context", name)


def _version_form(pattern: str, expected: str) -> ValueCheck:
    matches = re.compile(pattern).fullmatch
    return formatted("The statement's version", "2.4.10", lambda value: matches(value) is not None, expected)


def _rules(context_fields: dict[str, ValueCheck], version_form: ValueCheck) -> ValueCheck:
    objects: dict[str, ValueCheck] = {
        "Activity": check_activity,
        "Agent": agent_rules.check_agent,
        "Group": agent_rules.check_group,
        "StatementRef": _statement_ref,
    }
    fields: dict[str, ValueCheck] = {
        "actor": agent_rules.check_actor,
        "verb": _verb,
        "object": partial(_check_object, objects),
        "result": _result,
        "context": shape("The context", "2.4.6", context_fields),
        "timestamp": timestamp("The timestamp", "2.4.7"),
        "attachments": list_of("The attachments", "2.4.11", _attachment),
    }
    inner = {"objectType": one_of("The objectType of a SubStatement", "2.4.4.3", ("SubStatement",)), **fields}
    check_inner = shape("A SubStatement", "2.4.4.3", inner, ("objectType", "actor", "verb", "object"))
    outer: dict[str, ValueCheck] = {
        **fields,
        "object": partial(_check_object, {**objects, "SubStatement": partial(_check_together, check_inner)}),
        "id": uuid("The statement's id", "2.4.1"),
        "stored": timestamp("The stored time", "2.4.8"),
        "authority": agent_rules.check_authority,
        "version": version_form,
    }
    return partial(_check_together, shape("A statement", "2.2", outer, ("actor", "verb", "object")))


_STATEMENT: dict[str, ValueCheck] = {
    "1.0.3": _rules(_context_fields_1_0, _version_form(r"1\.0(?:\.[0-9]{1,9})?", "1.0 or 1.0.x, such as 1.0.3")),
    "2.0.0": _rules(_context_fields_2_0, _version_form(r"[12]\.0(?:\.[0-9]{1,9})?", "1.0.x or 2.0.x, such as 2.0.0")),
}
