"""Every route that takes JSON, or a question in its address, by the OpenAPI document: with each part wrong, and right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.everything import ANN_AT_WORK
from tests.told.writing import WRONG

Json = dict[str, Any]
PARTS: Mapping[str, Any] = {
    "actor": ANN_AT_WORK | {"objectType": "Agent"},
    "courseId": 1,
    "date": "2026-11-20",
    "id": "job-2",
    "learner": {"mbox": "mailto:ann@example.org"},
    "outcome": "hired",
    "purpose": "To suggest jobs",
    "returnUrl": None,
    "scopes": ["gap:read"],
}
"""What stands in a body by these names; all else is made of the schema."""
WHOLE = 3
"""Parts of a body within one another that are made wrong."""


class Asked(NamedTuple):
    """A request to a route: *how* it is wrong."""

    method: str
    pattern: str
    how: str
    json: Any
    query: Mapping[str, str]

    @property
    def line(self) -> tuple[str, str]:
        return self.method, self.pattern


def requests(api: Json, subject: str) -> Iterator[Asked]:
    """All of them for the document *api*; *subject* is how a service calls a learner."""
    for path, methods in sorted(api["paths"].items()):
        if path.startswith("/xapi"):
            continue  # told by tests of statements and documents
        for method, told in sorted(methods.items()):
            schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                right = sample("", schema, {**PARTS, "subject": subject})
                for how, body in (("nothing", {}), ("a list", []), *wrong(right), ("right", right)):
                    yield Asked(method.upper(), path, how, body, {})
            if method == "get":
                names = [one["name"] for one in told.get("parameters", ()) if one["in"] == "query"]
                for how, value in WRONG.items():
                    yield from (Asked("GET", path, f"{name} {how}", None, {name: value}) for name in names)


def wrong(body: Any, at: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """*body* without each of its parts, and with each of them of another kind or too long."""
    for name, part in body.items() if isinstance(body, dict) else ():
        place = f"{at}/{name}"
        yield f"{place} missing", {key: one for key, one in body.items() if key != name}
        yield from ((f"{place} {how}", {**body, name: other}) for how, other in OTHERS.items() if other != part)
        if depth < WHOLE:
            yield from ((how, {**body, name: inner}) for how, inner in wrong(part, place, depth + 1))


OTHERS = {"-1": -1, "empty": "", "long": "x" * 3000}


def sample(name: str, schema: Json, parts: Mapping[str, Any]) -> Any:
    """A value of *schema*, the part *name* of a body."""
    given = [parts[name]] if name in parts else schema.get("examples") or schema.get("enum")
    choices = schema.get("anyOf") or schema.get("oneOf")
    if given or choices:
        return given[0] if given else sample(name, choices[0], parts)
    match schema.get("type"):
        case "object":
            return {key: sample(key, one, parts) for key, one in schema.get("properties", {}).items()}
        case "array":
            return [sample(name, schema["items"], parts)]
    return PLAIN.get(schema.get("type", ""), schema.get("minimum", "so"))


PLAIN = {"integer": 1, "number": 1, "boolean": True}
