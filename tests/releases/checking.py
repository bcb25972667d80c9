"""What is the same about an installation before and after it was brought forward, however that went."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from lrs.cli import main
from lrs.competency.rebuild import rebuild
from lrs.composition.kinds import TENANT
from lrs.kernel.settings import Settings
from lrs.ops.backup.places import store_file
from lrs.people.ids import is_name
from lrs.storage import each
from lrs.storage.sqlite.copy import examine
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.releases.questions import Command
from tests.releases.story import NORTH, PUBLIC
from tests.releases.upgrading import ahead_by, story

TENANTS = ("default", NORTH)
SETTINGS = {"public_url": PUBLIC, "outbound_allow": '["127.0.0.0/8"]'}
FIRST_TURN = 5
"""Before it a process that begins anew does nothing new: it looks at the schema of each file."""
AHEAD = 600.0
"""Seconds from one life of a process to the next: what the dead had leased has run out."""
KEPT = (
    *("statement", "state", "activity_profile", "agent_profile", "definition", "agent_name"),
    *("framework", "ruleset", "role", "service", "key", "credential", "achievement"),
)
"""Kinds that stay byte for byte."""
RECEIVED = {"statement", "agent_name", "state", "agent_profile"}
"""Kinds that hold what was received, and so names as they came."""
EACH_TIME_ANEW = {"audit", "delivery", "delivery-turn", "change", "status-list"}
"""Kinds of which the number of records depends on the order in which things were done, or on who ended when."""


def lrs_on(data: Path, settings: Mapping[str, str] = SETTINGS) -> Command:
    """Commands of this program on *data*."""
    environment = {f"LRS_{name.upper()}": value for name, value in settings.items()}

    def lrs(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--data", str(data)], env=environment)
        assert done.exit_code == 0 or words[0] == "doctor", (words, done.output, done.exception)
        return done.stdout

    return lrs


def unlike(before: Any, now: Any, place: str = "") -> list[str]:
    """Where *now* says something else than *before*, or nothing. What has come since is no difference."""
    if isinstance(before, dict) and isinstance(now, dict):
        gone = [f"{place}/{name} is gone" for name in before if name not in now]
        return gone + [
            text for name in before.keys() & now for text in unlike(before[name], now[name], f"{place}/{name}")
        ]
    if isinstance(before, list) and isinstance(now, list) and before and all(isinstance(one, dict) for one in before):
        return [f"{place}: {one} is not there" for one in before if not any(not unlike(one, other) for other in now)]
    return [] if before == now else [f"{place}: {before!r} is now {now!r}"]


@dataclass
class Forward:
    """The state of an installation in which all is done."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    kept: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)

    def unlike(self, other: Forward) -> list[str]:
        return [
            *unlike(other.counts, self.counts, "counts"),
            *unlike(self.counts, other.counts, "counts"),
            *unlike(other.kept, self.kept, "kept"),
            *unlike(other.held, self.held, "held"),
            *unlike(other.actions, self.actions, "actions"),
        ]


def forward_in(data: Path, ahead: float = 0) -> Forward:
    """The state of the installation in *data*, *ahead* seconds from now. Fails if it is not in order by itself."""
    found = Forward()
    for name in TENANTS:
        tenant = open_tenant(Settings(data=data, public_url=PUBLIC), name, clock=ahead_by(ahead))
        with closing(tenant.store):
            check(tenant)
            store = store_file(tenant.settings, name)
            _, there = examine(store, store)
            found.counts[name] = Counter({kind: count for kind, count in there.items() if kind not in EACH_TIME_ANEW})
            found.kept[name] = dict(kept(tenant))
            found.held[name] = sorted(held(tenant))
        found.actions[name] = actions(data, name)
    return found


def check(tenant: Tenant) -> None:
    """All is done but what was given up, all badges are valid, a rebuild finds nothing, and no name is left."""
    assert {record.kind for record, _ in tenant.store.parked()} <= {"delivery"}
    assert {one.step for one in tenant.store.backlog() if one.waiting} <= {"deliver"}
    badges = [record for record in each(tenant.store, "credential") if record.meta["state"] == "issued"]
    for record in badges:
        verdict = verify(
            record.body, at=tenant.clock(), resolve=resolver(tenant, None), fetch=status_lists(tenant, None)
        )
        assert verdict.valid, verdict.shown()
    assert not rebuild(tenant, TENANT, apply=False)
    derived = [name for name, kind in TENANT.items() if kind.subjects and name not in RECEIVED]
    names = [
        (kind, one)
        for kind in derived
        for record in each(tenant.store, kind)
        for one in TENANT[kind].subjects(record).identifiers  # type: ignore[misc]
    ]
    assert names
    assert [one for one in names if is_name(one[1])] == []


def kept(tenant: Tenant) -> Iterator[tuple[str, tuple[str, str]]]:
    """What stays byte for byte: each record with its body and meta."""
    issued = {one["id"] for one in story()["told"][tenant.id]["badges"]}
    for kind in KEPT:
        for record in each(tenant.store, kind):
            if kind != "credential" or record.id in issued:
                yield f"{kind} {record.id}", (record.body.hex(), json.dumps(record.meta, sort_keys=True))


def held(tenant: Tenant) -> Iterator[str]:
    """What each profile shows, whoever's it is: persons that came since have ids of their own root key."""
    for record in each(tenant.store, "profile"):
        shown = json.loads(record.body)["competencies"]
        yield json.dumps(sorted((one["competency"]["code"], one["level"]["ordinal"], one["state"]) for one in shown))


def actions(data: Path, tenant: str) -> str:
    """Whether the record of actions is whole."""
    found = json.loads(lrs_on(data)("doctor", "--tenant", tenant, "--json"))["findings"]
    return next(one["status"] for one in found if one["check"] == "audit")
