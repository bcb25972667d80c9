"""From an OpenAPI document to what its page shows. Pure; knows no route and no HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from lrs.kernel.strict_json import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LARGEST = 12
"""Values of an enumeration that are shown."""


class Type(msgspec.Struct, frozen=True):
    """A type in words; *schema* is the named one that it links to."""

    text: str
    schema: str = ""


class DocRow(msgspec.Struct, frozen=True):
    """A parameter, a member of an object, a body or an answer."""

    name: str
    types: tuple[Type, ...]
    text: str
    place: str = ""
    required: bool = False


class Operation(msgspec.Struct, frozen=True):
    """A method of a path."""

    method: str
    path: str
    summary: str
    text: str
    who: str
    parameters: tuple[DocRow, ...]
    bodies: tuple[DocRow, ...]
    answers: tuple[DocRow, ...]

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        return f"{self.method}{self.path}".lower().replace("/", "-").translate(str.maketrans("", "", "{}"))


class OperationGroup(msgspec.Struct, frozen=True):
    """The operations of a tag, or the events that we send."""

    name: str
    text: str
    operations: tuple[Operation, ...]


class Schema(msgspec.Struct, frozen=True):
    """An object, or another type, with a name."""

    name: str
    text: str
    types: tuple[Type, ...]
    members: tuple[DocRow, ...]
    example: str = ""


def groups(document: Json) -> list[OperationGroup]:
    """The operations by their first tag, in the order of the document's tags; then the webhooks."""
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                found[methods[method]["tags"][0]].append(_operation(method, path, methods[method]))
    told = {tag["name"]: tag["description"] for tag in document["tags"]}
    shown = [OperationGroup(name, told[name], tuple(operations)) for name, operations in found.items()]
    sent = [_operation("post", name, event["post"]) for name, event in document.get("webhooks", {}).items()]
    return [*shown, OperationGroup("webhooks", "What we send to a service, signed by Standard Webhooks.", tuple(sent))]


def schemas(document: Json) -> list[Schema]:
    """The schemas by name."""
    named = document["components"]["schemas"]
    return [
        Schema(
            name,
            schema.get("description", ""),
            () if _is_object(schema) else tuple(types_of(schema)),
            _members(schema),
            _example(schema),
        )
        for name, schema in sorted(named.items())
    ]


def _example(schema: Json) -> str:
    """An example of an object, as people read it; nothing if there is none."""
    found = next(iter(schema.get("examples", ())), None)
    return json.dumps(found, indent=2, ensure_ascii=False) if isinstance(found, dict) else ""


def _operation(method: str, path: str, told: Json) -> Operation:
    return Operation(
        method.upper(),
        path,
        told.get("summary", ""),
        told.get("description", ""),
        _who(told) if path.startswith("/") else "Sent by this server to the service.",
        tuple(_parameter(one) for one in told.get("parameters", ())),
        tuple(_contents(told.get("requestBody", {}))),
        tuple(_answer(status, answer) for status, answer in told["responses"].items()),
    )


def _who(told: Json) -> str:
    needed = [
        name + (f" with {', '.join(scopes)}" if scopes else "")
        for one in told.get("security", ())
        for name, scopes in one.items()
    ]
    return f"Who asks: {' or '.join(needed)}." if needed else "Open to everybody."


def _parameter(told: Json) -> DocRow:
    schema = told.get("schema") or next(iter(told["content"].values()))["schema"]
    return DocRow(
        told["name"],
        tuple(types_of(schema)),
        told.get("description") or schema.get("description", ""),
        told["in"],
        told.get("required", False),
    )


def _contents(told: Json) -> Iterator[DocRow]:
    for media_type, content in told.get("content", {}).items():
        schema = content.get("schema", {})
        members = ", ".join(schema.get("properties", ()))
        text = schema.get("description") or (f"With {members}." if members else "")
        yield DocRow(media_type, tuple(types_of(schema)), text)


def _answer(status: str, told: Json) -> DocRow:
    contents = list(_contents(told))
    types = tuple(dict.fromkeys(type for row in contents for type in row.types if type.text))
    return DocRow(
        "else" if status == "default" else status,
        types,
        told.get("description", ""),
        ", ".join(r.name for r in contents),
    )


def _members(schema: Json) -> tuple[DocRow, ...]:
    required = schema.get("required", ())
    return tuple(
        DocRow(name, tuple(types_of(one)), one.get("description", ""), required=name in required)
        for name, one in schema.get("properties", {}).items()
    )


def _is_object(schema: Json) -> bool:
    return "properties" in schema


def types_of(schema: Json) -> Iterator[Type]:
    """What *schema* says of a value, in few words; each part may link to a named schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield Type(name, name)
    elif several := schema.get("anyOf") or schema.get("oneOf"):
        for one in several:
            yield from types_of(one)
    elif schema.get("type") == "array":
        for one in types_of(schema.get("items", {})):
            yield Type(f"list of {one.text or 'anything'}", one.schema)
    else:
        yield Type(_plain(schema))


def _plain(schema: Json) -> str:
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        values = schema["enum"]
        return ", ".join(map(str, values[:_LARGEST])) + (", …" if len(values) > _LARGEST else "")
    kind = schema.get("format") or schema.get("type", "")
    limits = [
        f"{word} {json.dumps(schema[name], ensure_ascii=False)}" for name, word in _LIMITS.items() if name in schema
    ]
    return ", ".join([str(kind), *limits]).strip(", ")


_LIMITS = {
    "minimum": "from",
    "maximum": "to",
    "maxLength": "length to",
    "default": "else",
}
