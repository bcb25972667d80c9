"""What programs get of the told network: tokens, profiles, gaps, roles, links, outcomes, badges; right and wrong."""

from __future__ import annotations

import json
from typing import Any

from lrs.matching import services
from lrs.matching.payload import payload
from lrs.storage import each
from tests.telling import answer, pretty
from tests.told.dealings import AGREED, SECRETS
from tests.told.network import Network

HEADERS = (
    "location",
    "content-type",
    "www-authenticate",
    "retry-after",
    "etag",
    "cache-control",
    "access-control-allow-origin",
)


class Program:
    """A service that asks with its token."""

    def __init__(self, network: Network, service: str) -> None:
        self.network, self.service, self.browser = network, service, network.browser()
        secret = json.loads((network.folder / SECRETS).read_text())[service]
        form = {"grant_type": "client_credentials"}
        self.given = self.browser.ask("POST", "/oauth/token", data=form, auth=(service, secret))
        self.headers = {"Authorization": f"Bearer {self.given.json().get('access_token', '')}"}

    def ask(self, method: str, path: str, **more: Any) -> str:
        named = path.replace("{", "").replace("}", "") if "{" not in path else self._named(path)
        headers = self.headers | more.pop("headers", {})
        return f"=== {method} {path} {json.dumps(more) if more else ''}\n" + answer(
            self.browser.ask(method, named, headers=headers, **more), HEADERS
        )

    def _named(self, path: str) -> str:
        name = path.partition("{")[2].partition("}")[0]
        if name.startswith("badge of"):
            return path.replace(
                f"{{{name}}}",
                services.badge_reference(self.network.tenant, self.service, f"urn:uuid:{self.network.called(name)}"),
            )
        return path.replace(f"{{{name}}}", self.subject(name))

    def subject(self, name: str) -> str:
        return services.pairwise(self.network.tenant, self.service, self.network.person(name))


def names_in(network: Network) -> dict[str, str]:
    """What services call learners and badges."""
    found = dict(network.names)
    for who, service, *_ in AGREED:
        found[services.pairwise(network.tenant, service, network.person(who))] = f"{who} to {service}"
    return found


ROLES = ("operator", "gowner", "counter", "former", "coming", "quality", "thirds", "nothing")
CONVERTER = [
    ("GET", "/api/profiles?limit=3"), ("GET", "/api/profiles?limit=0"), ("GET", "/api/profiles?limit=1001"), ("GET", "/api/profiles?limit=x"), ("GET", "/api/profiles?cursor=wrong"),
    *(("GET", f"/api/profiles/{{{who}}}") for who in dict.fromkeys(who for who, service, *_ in AGREED if service == "career-converter")),
    ("GET", "/api/profiles/nobody"),
    *(("GET", f"/api/profiles/{{Much Held}}/gap?role={role}") for role in ROLES),
    ("GET", "/api/profiles/{Much Held}/gap"), ("GET", "/api/profiles/{Much Held}/gap?role=coming&on=2026-11-22"), ("GET", "/api/profiles/{Much Held}/gap?role=coming&on=tomorrow"),
    ("GET", "/api/profiles/{Both Levels}/gap?role=operator"), ("GET", "/api/profiles/{Three Levels}/gap?role=gowner"),
    ("GET", "/api/profiles/{Much Held}/roles"), ("GET", "/api/profiles/{Three Levels}/roles?limit=2"), ("GET", "/api/profiles/{Three Levels}/roles?on=2026-11-22&limit=2"), ("GET", "/api/profiles/{Both Levels}/roles"), ("GET", "/api/profiles/{In Review}/roles?limit=1"),
    ("GET", "/api/roles"), ("GET", "/api/roles?on=2026-11-20"), ("GET", "/api/organisation"),
]  # fmt: skip


def test_what_a_service_with_all_scopes_gets(fresh: Network, told: Any) -> None:
    program = Program(fresh, "career-converter")
    told.names = names_in(fresh)
    told(answer(program.given, HEADERS), "token")
    told("\n".join(program.ask(*one) for one in CONVERTER))


def test_what_other_services_get(fresh: Network, told: Any) -> None:
    told.names = names_in(fresh)
    lines = []
    program = Program(fresh, "job-board")
    asked = [("GET", "/api/profiles"), ("GET", "/api/profiles/{Much Held}"), ("GET", "/api/profiles/{Joined By Row}"), ("GET", "/api/profiles/{Joined By Row}/gap?role=operator"), ("GET", "/api/profiles/{Much Held}/gap?role=operator"), ("GET", "/api/profiles/{Minor Unknown}"), ("GET", "/api/roles")]  # fmt: skip
    lines += [program.ask(*one) for one in asked]
    lines += [f"=== {service}\n" + answer(Program(fresh, service).given, HEADERS) for service in ("old-service",)]
    told("\n".join(lines))


def test_badges_that_a_service_gets(fresh: Network, told: Any) -> None:
    program = Program(fresh, "career-converter")
    told.names = names_in(fresh)
    who, other = program.subject("Much Held"), program.subject("Both Levels")
    held = json.loads(program.browser.ask("GET", f"/api/profiles/{who}", headers=program.headers).content)["badges"]
    lines = [
        program.ask("GET", f"/api/profiles/{whose}/badges/{one['id']}") for whose in (who, other) for one in held[:2]
    ]
    told("\n".join([*lines, program.ask("GET", f"/api/profiles/{who}/badges/nothing")]))


OUTCOMES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/outcomes", {"id": "job-1", "outcome": "shortlisted", "date": "2026-11-02", "role": "operator"}),
    ("POST", "/api/outcomes", {"id": "job-1", "outcome": "hired", "date": "2026-11-02", "role": "operator"}),
    ("POST", "/api/outcomes", {"id": "job-9", "outcome": "hired", "date": "2026-11-21"}),
    ("POST", "/api/outcomes", {"id": "job-10", "outcome": "hired", "date": "2026-11-22"}),
    ("POST", "/api/outcomes", {"id": "job-11", "outcome": "fired", "date": "2026-11-21"}),
    ("POST", "/api/outcomes", {"id": "job-12", "outcome": "hired", "date": "21.11.2026"}),
    ("POST", "/api/outcomes", {"id": "job-13", "outcome": "hired", "date": "2026-11-21", "role": "nothing"}),
    ("POST", "/api/outcomes", {"outcome": "hired", "date": "2026-11-21"}),
    ("PUT", "/api/outcomes/job-9", {"outcome": "shortlisted", "date": "2026-11-20"}),
    ("PUT", "/api/outcomes/job-9", {"outcome": "shortlisted", "date": "2026-11-23"}),
    ("PUT", "/api/outcomes/job-99", {"outcome": "hired", "date": "2026-11-20"}),
    ("DELETE", "/api/outcomes/job-9", {}),
    ("DELETE", "/api/outcomes/job-9", {}),
    ("PUT", "/api/outcomes/job-9", {"outcome": "hired", "date": "2026-11-20"}),
    ("DELETE", "/api/outcomes/job-99", {}),
]


def test_outcomes_that_a_service_tells(fresh: Network, told: Any) -> None:
    program, lines = Program(fresh, "career-converter"), []
    told.names = names_in(fresh)
    for method, path, body in OUTCOMES:
        for who in ("Much Held", "Both Levels") if body.get("id") == "job-9" else ("Much Held",):
            sent = body | ({"subject": program.subject(who)} if method == "POST" else {})
            lines.append(program.ask(method, path, **({"json": sent} if body else {})))
    lines += [pretty(record.body) for record in each(fresh.tenant.store, "outcome")]
    told("\n".join(lines))


LINKS: list[dict[str, Any]] = [
    {"agent": {"mbox": "mailto:much-held@example.org"}, "reference": "r-1"},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "scopes": ["profiles:read"], "consentDays": 30, "returnUrl": "https://converter.example/back"},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "scopes": ["gap:read"]},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "scopes": ["profiles:write"]},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "consentDays": 0},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "consentDays": 4000},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "returnUrl": "https://other.example/"},
    {"agent": {"mbox": "mailto:nobody@example.org"}, "purpose": "To sell it"},
    {"agent": {"mbox": "nobody"}},
    {"agent": {}},
    {"reference": "x" * 201, "agent": {"mbox": "mailto:nobody@example.org"}},
    {},
]  # fmt: skip


def test_links_that_a_service_asks_for(fresh: Network, told: Any) -> None:
    told.names = names_in(fresh)
    program = Program(fresh, "career-converter")
    lines = [program.ask("POST", "/api/links", json=body) for body in LINKS]
    lines.append(
        Program(fresh, "job-board").ask("POST", "/api/links", json={"agent": {"mbox": "mailto:a@example.org"}})
    )
    told("\n".join(lines))


def test_tokens_that_are_asked_for(fresh: Network, told: Any) -> None:
    secret = json.loads((fresh.folder / SECRETS).read_text())["career-converter"]
    right = {"grant_type": "client_credentials", "client_id": "career-converter", "client_secret": secret}
    forms: list[dict[str, str]] = [
        right, right | {"scope": "profiles:read gap:read"}, right | {"scope": "gap:read"}, right | {"scope": "all"}, right | {"grant_type": "password"},
        right | {"client_secret": "wrong"}, right | {"client_id": "nothing"}, {"grant_type": "client_credentials"}, {},
    ]  # fmt: skip
    browser, lines = fresh.browser(), []
    for form in forms:
        shown = {name: "<secret>" if value == secret else value for name, value in form.items()}
        lines.append(f"=== {shown}\n{answer(browser.ask('POST', '/oauth/token', data=form), HEADERS)}")
    for bearer in ("", "wrong", "Bearer", "Bearer wrong", "Basic d3Jvbmc="):
        headers = {"Authorization": bearer} if bearer else {}
        lines.append(f"=== {bearer}\n{answer(browser.ask('GET', '/api/roles', headers=headers), HEADERS)}")
    narrow = browser.ask("POST", "/oauth/token", data=right | {"scope": "profiles:read"}).json()["access_token"]
    headers = {"Authorization": f"Bearer {narrow}"}
    lines += [
        f"=== narrow {path}\n{answer(browser.ask('GET', path, headers=headers), HEADERS)}"
        for path in ("/api/roles", "/api/profiles?limit=1")
    ]
    fresh.clock.now += 3_599_000_000
    lines.append(
        f"=== a second before its end\n{browser.ask('GET', '/api/profiles?limit=1', headers=headers).status_code}"
    )
    fresh.clock.now += 2_000_000
    lines.append(f"=== after its end\n{answer(browser.ask('GET', '/api/profiles?limit=1', headers=headers), HEADERS)}")
    told("\n".join(lines))


def test_what_is_sent_to_a_service(still: Network, told: Any) -> None:
    told.names = names_in(still)
    lines = []
    for record in each(still.tenant.store, "delivery"):
        if record.meta["to"] == "email":
            continue
        service = services.wanted(still.tenant.store, str(record.meta["to"]))
        lines.append(f"=== to {service.id}, {record.meta['state']}")
        try:
            lines.append(pretty(payload(still.tenant, service, record)))
        except Exception as unneeded:  # noqa: BLE001 (why it is not sent is told)
            lines.append(f"{type(unneeded).__name__}: {unneeded}")
    told("\n".join(lines))


def test_public_lists_as_programs_get_them(still: Network, told: Any) -> None:
    browser = still.browser()
    lines = []
    for path in (
        "/roles?on=2026-11-21",
        "/roles/one?role=operator",
        "/roles/one?role=nothing",
        "/catalogue.json",
        "/.well-known/jwks.json",
        "/t/default/did.json",
    ):
        got = browser.ask("GET", path, headers={"Accept": "application/json"})
        lines.append(f"=== {path}\n{answer(got, HEADERS)}")
    told.names = still.names
    told("\n".join(lines))
