"""What xAPI's bodies are made of, for the OpenAPI document: enough to send one; the rules are the specification's."""

from __future__ import annotations

from collections.abc import Iterable

from lrs.kernel.strict_json import Json

IRI: Json = {"type": "string", "format": "iri", "examples": ["https://example.org/activities/gowning"]}
UUID: Json = {"type": "string", "format": "uuid"}
TIME: Json = {"type": "string", "format": "date-time"}
AGENT: Json = {"$ref": "#/components/schemas/Agent"}


def _object(text: str, required: Iterable[str] = (), **properties: Json) -> Json:
    return {"type": "object", "description": text, "required": list(required), "properties": properties}


_MAP: Json = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "A text for each language tag.",
}
_EXTENSIONS: Json = {"type": "object", "description": "Anything, under keys that are IRIs."}
SCHEMAS: Json = {
    "Agent": _object(
        "A person, a system or a group, by exactly one of mbox, mbox_sha1sum, openid and account (4.2.2).",
        objectType={"type": "string", "enum": ["Agent", "Group"]},
        name={"type": "string"},
        mbox={"type": "string", "pattern": "^mailto:[^@\\s]+@[^@\\s]+$", "examples": ["mailto:ana@example.org"]},
        mbox_sha1sum={"type": "string", "pattern": "^[0-9a-fA-F]{40}$"},
        openid={"type": "string", "format": "uri"},
        account=_object("", ("homePage", "name"), homePage=IRI, name={"type": "string"}),
        member={"type": "array", "items": {"type": "object"}, "description": "Of a group."},
    ),
    "Verb": _object("What was done (4.2.3).", ("id",), id=IRI, display=_MAP),
    "Activity": _object(
        "What it was done with (4.2.4.1).",
        ("id",),
        objectType={"type": "string", "const": "Activity"},
        id=IRI,
        definition=_object("", name=_MAP, description=_MAP, type=IRI, moreInfo=IRI, extensions=_EXTENSIONS),
    ),
    "Statement": _object(
        "One experience (xAPI 1.0.3 Data 2). It comes back as it was sent, with what the server sets.",
        ("actor", "verb", "object"),
        id={**UUID, "description": "Made by the server where it is missing."},
        actor=AGENT,
        verb={"$ref": "#/components/schemas/Verb"},
        object={"description": "An Activity, Agent, Group, StatementRef or SubStatement.", "type": "object"},
        result={"type": "object", "description": "Score, success, completion, response, duration, extensions."},
        context={"type": "object", "description": "Registration, instructor, team, activities, language, extensions."},
        timestamp={**TIME, "description": "When it happened."},
        stored={**TIME, "readOnly": True},
        authority={**AGENT, "readOnly": True},
        version={"type": "string"},
        attachments={"type": "array", "items": {"type": "object"}},
    ),
    "StatementResult": _object(
        "A page of statements.",
        ("statements", "more"),
        statements={"type": "array", "items": {"$ref": "#/components/schemas/Statement"}},
        more={"type": "string", "description": "Path and query of the next page; empty on the last one."},
    ),
    "Person": _object(
        "Every member is an array (Communication 2.4).",
        objectType={"type": "string", "const": "Person"},
        name={"type": "array", "items": {"type": "string"}},
        mbox={"type": "array", "items": {"type": "string"}},
        mbox_sha1sum={"type": "array", "items": {"type": "string"}},
        openid={"type": "array", "items": {"type": "string"}},
        account={"type": "array", "items": {"type": "object"}},
    ),
    "About": _object(
        "The server (Communication 2.8).",
        ("version",),
        version={"type": "array", "items": {"type": "string"}},
        extensions=_EXTENSIONS,
    ),
}
