"""Every GET route of the product, over a tenant in which everything is: what it answers, and to whom it says no."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.catalogue import looks
from badges.verifying import checks
from lrs.access import LINK, OPERATOR, SESSION
from lrs.access.policy.lines import PolicyLine
from lrs.access.policy.table import TABLE
from lrs.access.roles import EVERYBODY, ROLES
from lrs.kernel.times import HOUR
from lrs.ops import metrics
from lrs.pages.operator import facts
from tests.competency.world import NOON, micros
from tests.programs import PATIENCE
from tests.telling import answer
from tests.told.story import tree
from tests.told.whole import LITTLE, OPERATOR_KEY, Whole, whole
from tests.told.writing import Form, Record, forms_of, outcome
from tests.told.wrong_requests import Asked, requests

ROUTES = sorted({path for method, path in TABLE if method == "GET"})
SHOWN = 500
"""Lines of ``/docs`` that are told: the rest is made of the document in the same way."""
PARTED = {"staff", "me", "lti", "api", "operator"}
"""Rooms that are so large that each of their parts has a file of its own."""
OPERATORS = ("operator",)
ROLES_ASKED = (
    "administrator",
    "employer",
    "learner",
    "operator",
    "trainer",
    "assessor",
    "provider",
    "author",
    "developer",
)
"""Who is asked about what they see: all of it first."""
OTHERS = ("planner", "auditor", "administrator", "learner")
OTHERWISE = {
    "/account/second-factor": 404,  # who came by a link has no password
    "/operator/account/second-factor": 404,  # as above
    "/pages": 303,
    "/pages/learners": 303,
    "/pages/learners/{person}": 303,
    "/t/{tenant}/lti/login": 303,
    "/sign-in/return": 403,  # it was not begun
    "/sign-in/with/{provider}": 404,  # there is none, for one would be asked for its addresses
}
"""Routes that have no answer of 200 here, and the one they have."""
WRITTEN = re.compile(r"\b\d{1,2} (?:January|November|December) \d{4}\b|\d\+00:00")
"""A day as pages write it, of those that are here; and a time that does not end in Z. Badges in a file have both."""
WHAT_TO_DO = "give the world what it is about (lived_in, tests/tenancy/neighbours.py), or say in OTHERWISE why not"


def test_every_route(tmp_path: Path, draws: Any, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one is told as soon as it stands in the table of rights."""
    assert draws
    monkeypatch.setattr(metrics, "wall_clock", lambda: micros(NOON) + HOUR)
    for module in (checks, looks):
        monkeypatch.setattr(module, "OFTEN", (10_000, 60))  # a busy machine takes so long that they are allowed again
    asking = {pattern: list(callers_of(pattern)) for pattern in ROUTES}
    with whole(tmp_path) as world:
        told.names = world.called | {str(tmp_path): "folder"}
        answers = world.ask((pattern, who) for pattern, callers in asking.items() for who in callers)
        refused = world.ask(refused_of())
        api = answers["/openapi.json", "nobody"].json()
        wrong = list(put(world, requests(api, world.names["profiles/{subject}"])))
        early, late = forms_of(answers)
        done = list(written(world, early))
        longer = world.ask((pattern, asking[pattern][0]) for pattern in ROUTES if f"{pattern}.csv" in ROUTES)
        done += written(world, late)
    for room, patterns in rooms().items():
        found = [answered(pattern, [(who, answers[pattern, who]) for who in asking[pattern]]) for pattern in patterns]
        told("\n".join(found), room)
    told(
        "".join(
            f"{pattern} as {who}: {' / '.join(answer(got).splitlines()[:4])}\n"
            for (pattern, who), got in refused.items()
        ),
        "refused",
    )
    for sort, found in (("forms", done), ("asked", wrong)):
        for room in dict.fromkeys(room_of(pattern) for pattern, _ in found):
            told("".join(text for pattern, text in found if room_of(pattern) == room), f"{sort}_{room}")
    of_files = {(one, who): got for (one, who), got in answers.items() if one.endswith((".csv", ".json"))}
    in_words = [key for key, got in of_files.items() if key[0] != "/me/data.json" and WRITTEN.search(got.text)]
    assert in_words == [], "days and times in files are ISO 8601"
    told("\n".join(f"=== {pattern}\n{answer(got)}" for (pattern, _), got in longer.items()), "lists_that_are_longer")
    statuses = {pattern: answers[pattern, callers[0]].status_code for pattern, callers in asking.items()}
    assert {pattern: one for pattern, one in statuses.items() if one != 200} == OTHERWISE, WHAT_TO_DO


OF_OPERATORS = [
    *("/operator", "/operator/begin", "/operator/system", "/operator/organisations", "/operator/organisations.csv"),
    *("/pages/work", "/console", "/console/mails", "/staff", "/staff/services/{id}/deliveries", "/health", "/metrics"),
    *("/staff/services", "/connect", "/arrivals", "/console/sources"),
]


def test_what_operators_see_of_trouble(tmp_path: Path, draws: Any, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert draws
    monkeypatch.setattr(metrics, "wall_clock", lambda: micros(NOON) + 3 * HOUR)
    for module in (metrics, facts):
        monkeypatch.setattr(module, "LOOK_FOR", PATIENCE)
    with whole(tmp_path) as world:
        told.names = world.called | {str(tmp_path): "folder"}
        world.trouble()
        answers = world.ask((pattern, next(callers_of(pattern))) for pattern in OF_OPERATORS)
    told("\n".join(f"=== {pattern}\n{outline(pattern, got)}" for (pattern, _), got in answers.items()))


def written(world: Whole, forms: list[Form]) -> Iterator[tuple[str, str]]:
    """What each form leads to that is wrong in one field, and then all as they should be; with their routes."""
    record = Record(one.store for one in (world.tenant, world.app.tenants.installation))
    for form in forms:
        for how, fields in (*form.wrong(), ("right", form.fields)):
            lines = [f"--- {form.pattern} as {form.who}: {how}", *outcome(world.send(form, fields)), *record.news()]
            yield form.pattern, "".join(f"{line}\n" for line in lines)


def put(world: Whole, asked: Iterable[Asked]) -> Iterator[tuple[str, str]]:
    """What each request leads to that is wrong in one part, and those that are right; with their routes."""
    record = Record(one.store for one in (world.tenant, world.app.tenants.installation))
    for one in asked:
        line = TABLE[one.line]
        who = next((role for role in ROLES_ASKED if may(role, line)), "") if SESSION in line.via else by_what(line)
        told = "\n".join([*outcome(world.put(who, one)), *record.news()])
        yield one.pattern, f"--- {one.method} {one.pattern} as {who}: {one.how}\n{told}\n"


def rooms() -> dict[str, list[str]]:
    """The routes, by the first words of their addresses."""
    found: dict[str, list[str]] = {}
    for pattern in ROUTES:
        found.setdefault(room_of(pattern), []).append(pattern)
    return found


def room_of(pattern: str) -> str:
    plain = re.sub(r"/t/\{tenant\}|\{[^}]*\}|\.(csv|json)$", "", pattern)
    words = [*(word.strip(".") for word in plain.split("/") if word), "front"]
    return "_".join(words[: 1 + (words[0] in PARTED)])


def callers_of(pattern: str) -> Iterator[str]:
    """Who is asked about: who sees all of a route, and who sees a part of it, if anybody does."""
    line = TABLE["GET", pattern]
    if SESSION not in line.via:
        yield by_what(line)
        return
    first, *narrow = [role for role in (OPERATORS if line.pages == "operator" else ROLES_ASKED) if may(role, line)]
    yield first
    if len(line.reaches) > 1:
        yield from narrow[:1]


def by_what(line: PolicyLine) -> str:
    """The credential that a route asks for, if it is no session."""
    if line.is_public or line.via == (LINK,):
        return "nobody"
    return OPERATOR_KEY if OPERATOR in line.via else line.via[0]


def refused_of() -> Iterator[tuple[str, str]]:
    """A route of each right, and somebody who has not got it."""
    lines = {
        (line.right, line.via): (pattern, line) for pattern in reversed(ROUTES) for line in [TABLE["GET", pattern]]
    }
    for pattern, line in sorted(lines.values(), key=lambda one: one[0]):
        if SESSION in line.via:
            yield pattern, next((role for role in OTHERS if not may(role, line)), "nobody")
        elif by_what(line) != "nobody":
            yield pattern, LITTLE


def answered(pattern: str, answers: list[tuple[str, httpx.Response]]) -> str:
    """What a route tells the first of those who asked, and what it tells the others otherwise."""
    (first, got), *others = answers
    seen = outline(pattern, got)
    text = f"=== {pattern} as {first}\n{seen}"
    for who, other in others:
        text += f"--- otherwise as {who}\n{otherwise(seen, outline(pattern, other))}"
    return text


def otherwise(seen: str, other: str) -> str:
    """What the outline *other* has otherwise than *seen*; of a refusal the first lines."""
    if seen[:3] != other[:3]:
        return "".join(other.splitlines(keepends=True)[:2])
    return "".join([*difflib.unified_diff(seen.splitlines(keepends=True), other.splitlines(keepends=True), n=0)][2:])


def may(role: str, line: PolicyLine) -> bool:
    return (ROLES[role].rights | EVERYBODY).get(line.right) in line.reaches


def outline(pattern: str, got: httpx.Response) -> str:
    """What is told of an answer; of some only a part, because other tests read them, or they are of this moment."""
    match pattern:
        case "/openapi.json":
            return "\n".join(operations(got.json())) + "\n"
        case "/docs" | "/me/data":
            lines = answer(got).splitlines(keepends=True)
            return "".join(lines[:SHOWN] if pattern == "/docs" else [one for one in lines if one[:4] != "    "])
        case "/console/system" | "/operator/system":
            return re.sub(r"(?m)(?<=^  )(?:[\d,]+ MiB$|\d+\.\d+\.\d+\S*)", "<of the machine>", answer(got))
        case "/metrics":
            return re.sub(
                r"(?m)^(?:# TYPE|(?:# HELP )?(?:process|python)_|lrs_(?:request|writer)_).*\n|\.\d{3,}$",
                "",
                answer(got),
            )
        case "/staff/badge-keys.csv":
            return answer(got).replace(",'", ",")  # a name that is drawn may begin like a formula
    return answer(got, json=first_row if pattern.endswith(".json") else lambda content: tree(json.loads(content)))


def first_row(content: bytes) -> str:
    """The first row of a list, which has the same as its CSV file, and how many there are."""
    value = json.loads(content)
    return f"{tree(value[:1])}\nof {len(value)}" if isinstance(value, list) else tree(value)


def operations(api: dict[str, Any]) -> Iterator[str]:
    """Each operation: what it is for, what it takes and of what form, and how it may answer; then the rest of it."""
    for path, methods in sorted(api["paths"].items()):
        for method, one in sorted(methods.items()):
            taken = [f"{given['in']} {given['name']}{'*' * given['required']}" for given in one.get("parameters", ())]
            body = one.get("requestBody", {}).get("content", {})
            answers = {status: inside(answer) for status, answer in one["responses"].items()}
            yield f"{method.upper()} {path} ({', '.join([*taken, *body])}): {one['summary']} -> {' '.join(answers)}"
            more = {given["name"]: inside(given) for given in one.get("parameters", ())} | {
                "says": one.get("description"),
                "by": one.get("security"),
                "body": {kind: form(said.get("schema", {})) for kind, said in body.items()},
                "answers": {status: answer for status, answer in answers.items() if answer not in USUAL},
            }
            yield tree({name: said for name, said in more.items() if said}, "  ")
    yield tree({name: part for name, part in api.items() if name != "paths"})


def form(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a body; of a form of ours only the fields: every one has its token."""
    fields = dict(schema.get("properties", {}))
    is_ours = fields.pop("form", None) == TOKEN_OF_A_FORM and schema["required"] == ["form"]
    return {"fields of a form of ours": fields} if is_ours else schema


USUAL: tuple[dict[str, Any], ...] = (
    {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
    {"content": {"text/html": {"schema": {"type": "string"}}}},
    {"content": {"text/html": {}}, "description": "A page that says why not, or 303 to the sign-in."},
)
"""How operations answer what is wrong, and how pages answer: of these only the status is told."""
TOKEN_OF_A_FORM = {"description": "The token that the page before gave out.", "type": "string"}


def inside(told: dict[str, Any]) -> dict[str, Any]:
    """What is told of a parameter or an answer, without what stands in the line of the operation or says nothing."""
    silent = {"in", "name", "required", "title"}
    kept = {name: said for name, said in told.items() if name not in silent and said not in ("", *PHRASES)}
    if "schema" in kept:
        kept["schema"] = {name: said for name, said in kept["schema"].items() if name != "title"}
    return kept


PHRASES = {"Successful Response", *(status.phrase for status in HTTPStatus), "Default Response"}
