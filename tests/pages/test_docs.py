"""The description of the product is whole and true: every route stands in it, and in its page, which runs no script."""

import json
import re
from html.parser import HTMLParser

import jsonschema
import pytest

from lrs.matching import models, services
from lrs.matching.examples import EXAMPLES
from lrs.pages.docs import view, xapi
from lrs.pages.docs.document import complete
from lrs.xapi.endpoint import METHODS
from tests.served import new_id, routes_of, serving, something, statement


@pytest.fixture(scope="module")
def document(lrs):
    return lrs.clients[0].get(f"{lrs.address}/openapi.json").json()


def operations(document):
    return {
        (method.upper(), path): told for path, methods in document["paths"].items() for method, told in methods.items()
    }


def test_every_route_of_the_product_stands_in_the_document(lrs, document):
    routes = {(method, path.replace(":path}", "}")) for method, path in routes_of(lrs.app)}
    handled = {(method, f"/xapi/{resource}") for resource, methods in METHODS.items() for method in methods}

    assert operations(document).keys() == routes | handled


def test_what_the_page_shows_is_worked_out_once(monkeypatch, tmp_path):
    worked_out = []
    monkeypatch.setattr(view, "groups", lambda document: worked_out.append(document) or [])

    with serving(tmp_path / "data") as lrs:
        answers = [lrs.clients[0].get(f"{lrs.address}/docs").status_code for _ in range(3)]

    assert (answers, len(worked_out)) == ([200, 200, 200], 1)


def test_every_operation_is_described(document):
    for (method, path), told in operations(document).items():
        where = f"{method} {path}"
        assert told["summary"], where
        assert told["tags"], where
        assert all(answer["description"] for answer in told["responses"].values()), where
        if path.startswith("/xapi"):
            assert "default" in told["responses"], where
            assert all(one["description"] for one in told["parameters"]), where


def test_all_operations_have_names_of_their_own_and_refer_to_what_there_is(document):
    ids = [told["operationId"] for told in operations(document).values()]
    assert len(ids) == len(set(ids))
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]
    schemes = {name for told in operations(document).values() for one in told.get("security", ()) for name in one}
    assert schemes == document["components"]["securitySchemes"].keys()


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
@pytest.mark.parametrize(("resource", "method"), [(r, m) for r, methods in METHODS.items() for m in methods])
def test_the_parameters_described_are_those_that_a_resource_takes(lrs, document, resource, method, version):
    told = document["paths"][f"/xapi/{resource}"][method.lower()]
    described = {one["name"] for one in told["parameters"] if one["in"] == "query"}

    answer = lrs.ask(method, resource, params={"AGENT": "x"}, version=version, content=b"{}")

    takes = answer.json()["message"].partition("this resource takes ")[2]
    assert set(filter(None, takes.split(", "))) | ({"more"} & described) == described


@pytest.mark.parametrize(("resource", "method"), [(r, m) for r, methods in METHODS.items() for m in methods])
def test_the_parameters_described_as_needed_are_asked_for(lrs, document, resource, method):
    told = document["paths"][f"/xapi/{resource}"][method.lower()]
    needed = [one["name"] for one in told["parameters"] if one["in"] == "query" and one["required"]]

    answer = lrs.ask(method, resource, content=b"{}", headers={"Content-Type": "application/json"})

    missing = re.findall(r"parameter '(\w+)' is missing", answer.text)
    assert missing == needed[:1]


def test_a_key_with_a_scope_that_is_described_is_let_in(document):
    told = document["paths"]["/xapi/activities/state"]["put"]

    assert told["description"] == "Needs a key with one of the scopes all, state."
    assert told["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/xapi/about"]["get"]


def test_the_scopes_of_services_that_are_described_are_those_there_are(document):
    flow = document["components"]["securitySchemes"]["service"]["flows"]["clientCredentials"]
    asked = {
        scope
        for told in operations(document).values()
        for one in told.get("security", [])
        for needed in one.values()
        for scope in needed
    }

    assert tuple(flow["scopes"]) == services.SCOPES
    assert asked <= set(services.SCOPES)


def test_what_is_answered_is_what_the_document_says(lrs, document):
    def valid(value, name):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.validate(value, schema)

    activity = something()
    one = statement(id=new_id(), object={"id": activity, "definition": {"name": {"en": "a"}}})
    assert lrs.store(one) == [one["id"]]

    valid(one, "Statement")
    valid(lrs.one(one["id"]), "Statement")
    valid(lrs.get(limit=3).json(), "StatementResult")
    valid(lrs.ask("GET", "activities", params={"activityId": activity}).json(), "Activity")
    valid(lrs.ask("GET", "agents", params={"agent": json.dumps(one["actor"])}).json(), "Person")
    valid(lrs.ask("GET", "about").json(), "About")
    valid(lrs.get(limit="x").json(), "Problem")


class Outline(HTMLParser):
    """The tags, ids and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src", "action") if name in given]


@pytest.fixture(scope="module")
def page(lrs):
    return lrs.clients[0].get(f"{lrs.address}/docs")


def test_the_page_shows_every_operation_and_every_schema(document, page):
    shown = {(method, path) for method, path in re.findall(r"<code><strong>(\w+)</strong> (\S+)</code>", page.text)}

    assert shown == operations(document).keys() | {("POST", name) for name in document["webhooks"]}
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page.text
    for told in operations(document).values():
        for one in told.get("parameters", ()):
            assert f"<code>{one['name']}</code>" in page.text


def test_the_page_takes_nothing_from_elsewhere(page):
    outline = Outline(page.text)

    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'nonce-")
    assert not outline.tags & {"img", "iframe", "object"}
    assert all(
        address.startswith("/static/") for address in re.findall(r'(?:src|<link [^>]*href)="([^"]+)"', page.text)
    )
    assert " style=" not in page.text
    assert {link for link in outline.links if not link.startswith(("#", "/static/"))} == {"openapi.json", "/"}


def test_every_link_of_the_page_leads_somewhere_and_no_place_is_there_twice(page):
    outline = Outline(page.text)

    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))


def test_behind_a_prefix_the_page_leads_to_the_document_beside_it(tmp_path):
    with serving(tmp_path, public_url="https://skills.example.org/engraft") as served:
        page = served.clients[0].get(f"{served.address}/engraft/docs")
        document = served.clients[0].get(f"{served.address}/engraft/openapi.json").json()

    assert 'href="openapi.json"' in page.text
    assert document["servers"] == [{"url": "/engraft"}]
    assert document["paths"].keys() >= {"/xapi/statements", "/docs"}


def test_two_schemas_of_one_name_are_refused():
    document = {"info": {}, "paths": {}, "components": {"schemas": {"Agent": {}}}}

    with pytest.raises(ValueError, match="two schemas are called Agent"):
        complete(document, [])


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "string", "format": "uuid"}, [("uuid", "")]),
        ({"type": "integer", "minimum": 1, "maximum": 9, "default": 5}, [("integer, from 1, to 9, else 5", "")]),
        ({"enum": ["a", "b"]}, [("a, b", "")]),
        ({"const": "x"}, [('"x"', "")]),
        ({"$ref": "#/components/schemas/Agent"}, [("Agent", "Agent")]),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Agent"}}, [("list of Agent", "Agent")]),
        ({"type": "array"}, [("list of anything", "")]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, [("string", ""), ("null", "")]),
        ({}, [("", "")]),
    ],
)
def test_a_type_is_told_in_few_words(schema, shown):
    assert [(one.text, one.schema) for one in view.types_of(schema)] == shown


def test_every_resource_and_method_of_xapi_is_described_and_no_other():
    described = xapi.paths((resource, method) for resource, methods in METHODS.items() for method in methods)

    assert described.keys() == {f"/xapi/{resource}" for resource in METHODS}
    with pytest.raises(KeyError):
        xapi.paths([("statements", "DELETE")])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_each_example_is_what_its_shape_says_and_stands_in_the_document_and_on_the_page(document, page, name):
    found = document["components"]["schemas"][name]["examples"]

    getattr(models, name).model_validate(EXAMPLES[name])
    assert found == [without_nulls(EXAMPLES[name])]  # FastAPI leaves them out of the document
    assert f"An example of {name}" in page.text


def without_nulls(value):
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value
