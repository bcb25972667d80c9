"""A small training world on an embedded store: one framework, one mapping table, statements about learners."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lrs.competency.dates import micros_in
from lrs.competency.evaluate import evaluate, match
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.listed import list_learners
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, in_review, put, restored
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.people.ids import identified, ids_of
from lrs.storage import Claim, Owed, Record, Walk, open_store
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.keys import keys_of, source_key
from lrs.xapi.statements.write import void

URI = "https://example.org/frameworks/atmp"
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1
,,,,Judges the gowning of others,GOWN-2,2
,,Aseptic technique,ASEP,Works in a laminar flow cabinet,ASEP-1,1
"""
RULES = """activity,verb,competency,level,threshold,valid for,trusted source
https://vle.example/gowning,passed,GOWN,1,80,,vle
https://vle.example/aseptic,passed|completed,ASEP,2,,P12M,vle|centre
"""
GOWNING, ASEPTIC = "https://vle.example/gowning", "https://vle.example/aseptic"
PASSED = "http://adlnet.gov/expapi/verbs/passed"
ANN = {"mbox": "mailto:ann@example.org"}
ANN_ACCOUNT = {"account": {"homePage": "https://vle.example", "name": "ann"}}
NOON = "2026-11-21T12:00:00Z"
DERIVED = ("evidence", "tally", "uncompletion", "award", "profile")
STEPS = {"match": match, "evaluate": evaluate, "list": list_learners}


def micros(timestamp: str) -> int:
    found = micros_in(timestamp)
    assert found is not None
    return found


@dataclass
class Clock:
    now: int = field(default_factory=lambda: micros(NOON))

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def set(self, timestamp: str) -> None:
        self.now = micros(timestamp)


def statement_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def statement(name: str, actor: Any = None, **parts: Any) -> dict[str, Any]:
    score = parts.pop("score", {"raw": 90, "min": 0, "max": 100})
    return {
        "id": statement_id(name),
        "actor": actor or ANN,
        "verb": {"id": parts.pop("verb", PASSED)},
        "object": {"id": parts.pop("activity", GOWNING)},
        "timestamp": parts.pop("timestamp", "2026-11-20T10:00:00Z"),
        "result": {"score": score, **parts.pop("result", {})},
        **parts,
    }


class World:
    """A tenant on a store in *folder*, with the framework published and the rules applied."""

    def __init__(self, folder: Path, rules: str = RULES, url: str | None = None) -> None:
        self.clock = Clock()
        store = open_store(url or f"sqlite:///{folder / 'store.db'}", clock=self.clock, secret=bytes(32))
        self.tenant = Tenant("default", store, Settings(data=folder), Secrets(b"k" * 32), self.clock)
        self.store = store
        self.begin(rules)

    def begin(self, rules: str) -> None:
        """Publishes the framework and puts the table *rules* in force."""
        self.write(lambda tx: keep(tx, self.framework()))
        self.write(lambda tx: publish(tx, URI, "test"))
        self.apply(rules)

    @classmethod
    def of(cls, tenant: Tenant, clock: Clock) -> World:
        """The world that is in the store of *tenant* already."""
        made = cls.__new__(cls)
        made.tenant, made.store, made.clock = tenant, tenant.store, clock
        return made

    def framework(self, sheet: str = SHEET) -> Any:
        framework, faults = framework_from_sheet(
            sheet.encode(), uri=URI, title="Advanced therapies", scale=PRESETS["tiers"]
        )
        assert faults == ()
        return framework

    def write(self, decide: Any) -> Any:
        return self.store.write(decide).result()

    def ruleset(self, rules: str) -> Any:
        known, earlier = KnownNames(published(self.store)), in_review(self.store)
        ruleset, faults = ruleset_from_table(rules.encode(), known, current(self.store), earlier)
        assert [fault for fault in faults if not fault.warning] == []
        return ruleset

    def apply(self, rules: str, review: int = 0) -> None:
        """Puts the table *rules* in force; what it takes away is in review for that many hours."""
        ruleset = self.ruleset(rules)
        self.write(lambda tx: put(tx, ruleset, "test", review=review * HOUR))

    def restore(self, version: int, review: int = 0) -> None:
        ruleset = restored(self.store, version)
        self.write(lambda tx: put(tx, ruleset, "test", review=review * HOUR, restores=version))

    def send(self, statement: dict[str, Any], source: str = "vle") -> str:
        self.send_all([statement], source)
        return str(statement["id"])

    def send_all(self, statements: list[dict[str, Any]], source: str = "vle") -> None:
        records = [
            Record(
                "statement",
                one["id"],
                json.dumps(one).encode(),
                {"source": source, "version": "2.0.0"},
                (*keys_of(one), source_key(source)),
                owed=(Owed("match"),),
            )
            for one in statements
        ]
        self.write(lambda tx: [tx.insert(record) for record in records])

    def void(self, id: str) -> None:
        self.write(lambda tx: void(tx, tx.get("statement", id), "the voiding statement", SUBSCRIPTIONS))

    def work(self, *steps: str) -> int:
        """Does all that is due now; how many claims that took."""
        done = 0
        while claims := self._claim(steps or tuple(STEPS)):
            for step, run in STEPS.items():
                if mine := [claim for claim in claims if claim.owed.step == step]:
                    run(self.tenant, mine)
            done += len(claims)
        return done

    def _claim(self, steps: tuple[str, ...]) -> list[Claim]:
        """What is due; where nothing is, one of those that somebody had and never came back with."""
        lease = 60_000_000
        found = self.store.claim(steps, limit=200, lease=lease)
        lost = None if found else self.store.claim_lost(steps, lease=lease)
        return [lost] if lost else found

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(record.body) for record in self.store.find(Walk(kind, limit=1000)).records]

    def awards(self, state: str = "held") -> list[dict[str, Any]]:
        return [award for award in self.all("award") if award["state"] == state]

    def person(self, actor: dict[str, Any]) -> str:
        identifier = identified(actor, ids_of(self.tenant))
        assert identifier
        record = self.store.get("identifier", identifier.id)
        assert record, f"nobody is known as {actor}"
        return str(record.meta["person"])

    def close(self) -> None:
        self.store.close()
