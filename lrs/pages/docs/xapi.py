"""The parameters and answers of xAPI's resources, for the OpenAPI document: data only.

The framework does not route xAPI, so it cannot describe it. A test compares this with the handlers: each resource and
method has exactly the parameters that it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lrs.access.policy.table import TABLE, scopes_for
from lrs.kernel.strict_json import Json
from lrs.pages.docs.schemas import AGENT, IRI, TIME, UUID
from lrs.web.routing import WITH_KEY

TAG = "xAPI"
_FLAG: Json = {"type": "boolean", "default": False}
_TEXT: Json = {"type": "string", "minLength": 1}
_SINCE = (TIME, "Of a list: only documents that changed after this time.")
_STATE = (_TEXT, "The name of the document.")

_PARAMETERS: dict[str, tuple[Json, str]] = {
    "activityId": (IRI, "The activity."),
    "agent": (AGENT, "The agent, as JSON."),
    "registration": (UUID, "One attempt or enrolment."),
    "stateId": _STATE,
    "profileId": _STATE,
    "since": _SINCE,
}
_QUERY: dict[str, tuple[Json, str]] = {
    "statementId": (UUID, "One statement. Beside it only format and attachments may stand."),
    "voidedStatementId": (UUID, "One statement that was voided."),
    "agent": (AGENT, "Actor or object of the statement, as JSON: an Agent, or a Group that is identified."),
    "verb": (IRI, "The verb's id."),
    "activity": (IRI, "The object's id."),
    "registration": (UUID, "The registration in the context."),
    "related_activities": (_FLAG, "The activity may stand anywhere in the statement."),
    "related_agents": (_FLAG, "The agent may stand anywhere in the statement."),
    "since": (TIME, "Stored after this time."),
    "until": (TIME, "Stored at this time or before."),
    "limit": (
        {"type": "integer", "minimum": 0},
        "Statements in the answer; 0, or none, is as many as the server gives.",
    ),
    "format": (
        {"type": "string", "enum": ["exact", "ids", "canonical"], "default": "exact"},
        "As it was stored; only what identifies; or one language, with what is known of each activity.",
    ),
    "attachments": (_FLAG, "The answer is multipart/mixed, with the data of attachments behind the statements."),
    "ascending": (_FLAG, "Oldest first."),
    "more": ({"type": "string"}, "The next page, from the member more of the one before; stands alone."),
}
_TAKES: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("statements", "PUT"): (("statementId",), ()),
    ("statements", "POST"): ((), ()),
    ("statements", "GET"): ((), tuple(_QUERY)),
    ("activities", "GET"): (("activityId",), ()),
    ("agents", "GET"): (("agent",), ()),
    ("about", "GET"): ((), ()),
}
"""The required parameters and the optional ones."""
for _resource, _context, _document, _narrowed in (
    ("activities/state", ("activityId", "agent"), "stateId", ("registration",)),
    ("activities/profile", ("activityId",), "profileId", ()),
    ("agents/profile", ("agent",), "profileId", ()),
):
    _TAKES[_resource, "GET"] = (_context, (_document, *_narrowed, "since"))
    _TAKES[_resource, "PUT"] = _TAKES[_resource, "POST"] = ((*_context, _document), _narrowed)
    _TAKES[_resource, "DELETE"] = (_context, (_document, *_narrowed)) if _narrowed else ((*_context, _document), ())

_SUMMARIES = {
    ("statements", "PUT"): "Stores one statement under the id of the request",
    ("statements", "POST"): "Stores a statement or a batch, all or none",
    ("statements", "GET"): "One statement, or a list of them, newest first",
    ("activities", "GET"): "What statements said of an activity, merged",
    ("agents", "GET"): "What statements said of exactly this agent, as a Person",
    ("about", "GET"): "The versions of xAPI that are answered",
    ("activities/state", "GET"): "A state document, or the names of those of a context",
    ("activities/state", "PUT"): "Creates or replaces a state document",
    ("activities/state", "POST"): "Creates a state document, or merges JSON into it",
    ("activities/state", "DELETE"): "Removes a state document, or all of a context",
    ("activities/profile", "GET"): "A document about an activity, or the names of all",
    ("activities/profile", "PUT"): "Creates or replaces a document about an activity",
    ("activities/profile", "POST"): "Creates a document about an activity, or merges JSON into it",
    ("activities/profile", "DELETE"): "Removes a document about an activity",
    ("agents/profile", "GET"): "A document about an agent, or the names of all",
    ("agents/profile", "PUT"): "Creates or replaces a document about an agent",
    ("agents/profile", "POST"): "Creates a document about an agent, or merges JSON into it",
    ("agents/profile", "DELETE"): "Removes a document about an agent",
}
_REFUSALS = {
    "400": "What is wrong, and where: pointer into the body, index in the batch, rule of the specification.",
    "401": "No key, or a wrong one.",
    "403": "The key lacks the scope.",
    "404": "There is no such document or statement.",
    "409": "Another statement has this id; or a document is there, and the request names no ETag.",
    "412": "The document is not the one of If-Match, or is there although If-None-Match says *.",
    "413": "A limit is passed; the message names it.",
    "415": "The Content-Encoding is neither gzip nor deflate.",
    "429": "Too many wrong credentials from this address.",
    "503": "Busy: send it again after Retry-After seconds.",
    "507": "The disk is full: nothing was stored.",
}
_WRITES = ("400", "401", "403", "409", "413", "415", "429", "503", "507")
_READS = ("400", "401", "403", "429", "503")


def paths(operations: Iterable[tuple[str, str]]) -> Json:
    """The paths of the document for these *operations*, each a resource and a method."""
    found: Json = {}
    for resource, method in operations:
        found.setdefault(f"/xapi/{resource}", {})[method.lower()] = _operation(resource, method)
    return found


def _operation(resource: str, method: str) -> Json:
    required, optional = _TAKES[resource, method]
    line = TABLE[method, f"/xapi/{resource}"]
    described = _QUERY if resource == "statements" else _PARAMETERS
    parameters = [_parameter(name, described[name], required=name in required) for name in (*required, *optional)]
    is_document = resource.endswith(("/state", "/profile"))
    operation: Json = {
        "tags": [TAG],
        "summary": _SUMMARIES[resource, method],
        "operationId": f"{method.lower()}_{resource.replace('/', '_')}",
        "parameters": [*_headers(resource, method, is_document=is_document), *parameters],
        "responses": _answers(resource, method, is_document=is_document),
    }
    if line.is_public:
        return operation
    operation["description"] = f"Needs a key with one of the scopes {', '.join(scopes_for(line))}."
    operation |= WITH_KEY
    if method in {"PUT", "POST"}:
        operation["requestBody"] = _document_body() if is_document else _statements_body(method)
    return operation


def _parameter(name: str, described: tuple[Json, str], *, required: bool) -> Json:
    schema, text = described
    shape: Json = {"content": {"application/json": {"schema": schema}}} if schema is AGENT else {"schema": schema}
    return {"name": name, "in": "query", "required": required, "description": text, **shape}


def _headers(resource: str, method: str, *, is_document: bool) -> list[Json]:
    version = {"type": "string", "pattern": r"^(1\.0(\.\d+)?|2\.0(\.\d+)?)$", "examples": ["1.0.3", "2.0.0"]}
    is_public = TABLE[method, f"/xapi/{resource}"].is_public
    headers = [_header("X-Experience-API-Version", version, "Whose rules hold.", required=not is_public)]
    if is_document:
        headers.append(_header("If-Match", {"type": "string"}, "The ETag of the document that is meant."))
        headers.append(_header("If-None-Match", {"type": "string"}, "An ETag that is known; * if there must be none."))
    if resource == "statements" and method == "GET":
        headers.append(_header("Accept-Language", {"type": "string"}, "For format=canonical, the languages to choose."))
    return headers


def _header(name: str, schema: Json, text: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "header", "required": required, "description": text, "schema": schema}


def _answers(resource: str, method: str, *, is_document: bool) -> Json:
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    statuses = _READS if method == "GET" else _WRITES
    if method == "GET" and (is_document or resource == "statements"):
        statuses = (*statuses, "404")
    if is_document and method != "GET":
        statuses = (*statuses, "412")
    refusals = (
        {} if resource == "about" else {s: {"description": _REFUSALS[s], "content": problem} for s in sorted(statuses)}
    )
    return {
        **_success(resource, method, is_document=is_document),
        **refusals,
        "default": {"description": "Any other refusal has the same shape.", "content": problem},
    }


def _success(resource: str, method: str, *, is_document: bool) -> Json:
    if is_document:
        if method != "GET":
            return {"204": {"description": "Done: it is on disk."}}
        names = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
        return {
            "200": {
                "description": "The document, as it was sent, as an attachment; without its name, the names of all.",
                "headers": {"ETag": {"schema": {"type": "string"}, "description": "The SHA-1 of the document."}},
                "content": {**names, "*/*": {"schema": _bytes()}},
            },
            "304": {"description": "Not changed since the ETag in If-None-Match."},
        }
    if (resource, method) == ("statements", "PUT"):
        return {"204": {"description": "Stored: it is on disk. Sent again with equal content, nothing changes."}}
    if (resource, method) == ("statements", "POST"):
        ids = {"type": "array", "items": UUID}
        return {"200": _json("The ids, in order. Stored: it is on disk.", ids)}
    schemas = {"statements": "StatementResult", "activities": "Activity", "agents": "Person", "about": "About"}
    schema: Json = {"$ref": f"#/components/schemas/{schemas[resource]}"}
    if resource != "statements":
        return {"200": _json("What is known.", schema)}
    either = {"oneOf": [schema, {"$ref": "#/components/schemas/Statement"}]}
    answer = _json("A page of statements, or the one that was asked for by its id.", either)
    answer["content"]["multipart/mixed"] = {"schema": _bytes()}
    text = "Everything stored until then is in the answer, if it meets the query."
    answer["headers"] = {"X-Experience-API-Consistent-Through": {"schema": TIME, "description": text}}
    return {"200": answer}


def _json(text: str, schema: Mapping[str, Any]) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _bytes() -> Json:
    return {"type": "string", "format": "binary"}


def _document_body() -> Json:
    schema = {"description": "A JSON object can be merged by POST."}
    return {"required": True, "content": {"application/json": {"schema": schema}, "*/*": {"schema": _bytes()}}}


def _statements_body(method: str) -> Json:
    one: Json = {"$ref": "#/components/schemas/Statement"}
    schema = one if method == "PUT" else {"oneOf": [one, {"type": "array", "items": one}]}
    mixed = "The statements as the first part, then the data of each attachment with its X-Experience-API-Hash."
    content = {
        "application/json": {"schema": schema},
        "multipart/mixed": {"schema": {**_bytes(), "description": mixed}},
    }
    return {"required": True, "content": content}
