"""What a user of an installation asks, by commands and over HTTP: the same of a release and of the present program.

The answers are texts and JSON, so that those of a release can be frozen beside its store.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.travel import CULTURE, GOWNING, LEARNERS

Command = Callable[..., str]
"""Runs ``lrs`` with these words, on the installation, and gives what it printed."""
VERSION = {"X-Experience-API-Version": "1.0.3"}
COMMANDS = {
    "awards explained": ("rules", "explain"),
    "badges": ("badges", "list"),
    "frameworks": ("framework", "list"),
    "keys": ("keys", "list"),
    "nobody": ("persons", "nobody"),
    "persons": ("persons", "list"),
    "roles": ("roles", "list"),
    "rules": ("rules", "list"),
    "rules in force": ("rules", "show"),
    "services": ("services", "list"),
    "suggestions": ("persons", "suggestions"),
    "suggestions dismissed": ("persons", "suggestions", "--dismissed"),
    "unmatched": ("rules", "unmatched"),
}
"""What is asked of each tenant by a command with ``--json``."""
ACTIVITIES = (GOWNING, CULTURE, "https://vle.example/")
DOCUMENTS = {
    "state": {"activityId": GOWNING, "agent": '{"mbox":"mailto:ann@example.org"}'},
    "large state": {"activityId": CULTURE, "agent": '{"mbox":"mailto:ann@example.org"}'},
    "activity profile": {"activityId": GOWNING},
    "agent profile": {"agent": '{"mbox":"mailto:ann@example.org"}'},
}
"""The documents of the story by name, and the parameters by which each is asked for."""
RESOURCES = {name: f"{'activities' if 'activity' in name or 'state' in name else 'agents'}" for name in DOCUMENTS}


@dataclass
class Handed:
    """What was handed out once, to be kept by whoever it was for: of one tenant."""

    tenant: str
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Where the tenant is on a server."""
        return "" if self.tenant == "default" else f"/t/{self.tenant}"


def asked(lrs: Command, address: str, handed: Handed) -> dict[str, Any]:
    """Everything a user of one tenant sees."""
    commands = partial_of(lrs, handed.tenant)
    with httpx.Client(base_url=f"{address}{handed.prefix}", trust_env=False, timeout=60) as client:
        badges = commands("badges", "list")
        return {
            "statements": dict(statements(client, handed.keys["reader"])),
            "documents": dict(documents(client, handed.keys["reader"])),
            "names": dict(names(client, handed.keys["reader"])),
            "keys that open": sorted(name for name, key in handed.keys.items() if opens(client, key)),
            **{told: commands(*words) for told, words in COMMANDS.items() if told != "awards explained"},
            "levels": {who: commands("rules", "explain", f"{who}@example.org") for who in LEARNERS},
            "consents": commands("consent", "list"),
            "signed badges": {one["id"]: signed(client, handed, one["id"]) for one in badges},
            "deliveries": deliveries(commands("deliveries", "list")),
            "profiles": {name: profiles(client, made) for name, made in handed.services.items()},
        }


def partial_of(lrs: Command, tenant: str) -> Callable[..., Any]:
    return lambda *words: json.loads(lrs(*words, "--json", "--tenant", tenant))


def statements(client: httpx.Client, key: tuple[str, str]) -> Iterator[tuple[str, Any]]:
    """Every statement by its id, as text; of one that is voided so, too; and the hashes of what is attached to it."""
    found = client.get("/xapi/statements", params={"limit": 1_000}, auth=key, headers=VERSION).json()
    assert not found["more"]
    voided = [one["object"]["id"] for one in found["statements"] if one["verb"]["id"].endswith("/voided")]
    for id in sorted({one["id"] for one in found["statements"]} | set(voided)):
        name = "voidedStatementId" if id in voided else "statementId"
        one = client.get("/xapi/statements", params={name: id}, auth=key, headers=VERSION)
        assert one.status_code == 200, one.text
        yield f"{name} {id}", one.text
        if "attachments" in one.json():
            whole = client.get("/xapi/statements", params={name: id, "attachments": "true"}, auth=key, headers=VERSION)
            yield f"attached to {id}", parts_of(whole)


def parts_of(answer: httpx.Response) -> list[str]:
    """The hash of each part of a multipart answer but the first."""
    boundary = re.search(r'boundary="?([^";]+)', answer.headers["content-type"])[1].encode()
    parts = answer.content.split(b"--" + boundary)[2:-1]
    return [hashlib.sha256(part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")).hexdigest() for part in parts]


def documents(client: httpx.Client, key: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Each document of the story: its type, its tag and the hash of its content."""
    for name, params in DOCUMENTS.items():
        where = f"/xapi/{RESOURCES[name]}/{'state' if 'state' in name else 'profile'}"
        id = "stateId" if "state" in name else "profileId"
        got = client.get(where, params={**params, id: name}, auth=key, headers=VERSION)
        told = (got.headers.get("content-type"), got.headers.get("etag"), hashlib.sha256(got.content).hexdigest())
        yield name, f"{got.status_code} {told}"


def names(client: httpx.Client, key: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """What the LRS knows of activities and agents."""
    for id in ACTIVITIES:
        yield id, client.get("/xapi/activities", params={"activityId": id}, auth=key, headers=VERSION).text
    for who in LEARNERS:
        agent = json.dumps({"mbox": f"mailto:{who}@example.org"})
        yield who, client.get("/xapi/agents", params={"agent": agent}, auth=key, headers=VERSION).text


def opens(client: httpx.Client, key: tuple[str, str]) -> bool:
    """Whether a key is known: what it may do is another question."""
    return client.get("/xapi/statements?limit=1", auth=key, headers=VERSION).status_code in {200, 403}


def signed(client: httpx.Client, handed: Handed, id: str) -> str:
    """A badge as it is signed, at its permanent address."""
    path = f"/credentials/{id}" if handed.prefix else f"/t/{handed.tenant}/credentials/{id}"
    got = client.get(path, auth=handed.keys["operator"])
    assert got.status_code == 200, got.text
    return got.text


def deliveries(listed: list[dict[str, Any]]) -> list[list[Any]]:
    """What became of each delivery. How often it was tried and when goes on changing."""
    wanted = ("id", "service", "event", "state", "status")
    return sorted([str(one.get(name)) for name in wanted] for one in listed)


def profiles(client: httpx.Client, made: dict[str, Any]) -> dict[str, Any]:
    """What a service is answered, by an access token of its own: pairwise references, levels, gap, badges."""
    asked_for = client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(made["id"], made["client_secret"])
    )
    assert asked_for.status_code == 200, asked_for.text
    bearer = {"Authorization": f"Bearer {asked_for.json()['access_token']}"}
    feed = client.get("/api/profiles", headers=bearer).json()
    told: dict[str, Any] = {}
    for one in feed["profiles"]:
        subject = one["subject"]
        gap = client.get(f"/api/profiles/{subject}/gap?{urlencode({'role': 'operator'})}", headers=bearer)
        profile = client.get(f"/api/profiles/{subject}", headers=bearer)
        told[subject] = [one.get("deleted"), *answered(profile), *answered(gap)]
    return told


_NOT_COMPARED = {"requestId", "on", "inEffect", "validFrom", "validUntil"}
"""The last four stand in a gap since it can be asked for a day."""


def answered(answer: httpx.Response) -> list[Any]:
    """The status and what is told, without what names the request and without what 0.2.0 did not tell."""
    told = {name: value for name, value in answer.json().items() if name not in _NOT_COMPARED}
    return [answer.status_code, told]
