"""A tenant with a framework of our own making, an award of its competency, and statements that prove it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from lrs.competency.frameworks.framework import Framework
from lrs.competency.frameworks.frameworks import keep, publish
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from tests.badges.made import BODY, STATEMENT, STATEMENT_2, put_award, run_issue

URI = "https://example.org/frameworks/atmp"
TIERS = PRESETS["tiers"]
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Aseptic gowning,GOWN,Names the parts of a gown,GOWN-1,1
,,,,Gowns without touching the outside,GOWN-2,2
,,,,"Keeps the order of gowning: hood, mask, gown, gloves",GOWN-3,2
,,,,Teaches gowning to others,GOWN-4,3
,,,,Reports what was contaminated,GOWN-5,
"""


def put_framework(tenant: Tenant, sheet: str = SHEET, title: str = "ATMP skills framework") -> Framework:
    """The framework, published."""
    draft, faults = framework_from_sheet(sheet.encode(), uri=URI, title=title, scale=TIERS)
    assert not faults
    return tenant.store.write(lambda tx: (keep(tx, draft), publish(tx, URI, "test"))[1]).result()


def of_framework(framework: Framework, level: int = 2, **changes: Any) -> dict[str, Any]:
    """The changes of ``made.BODY`` that make it an award of the framework's capability at *level*."""
    item = framework.item_named("GOWN")
    assert item
    about = {"id": item.id, "label": item.label, "framework": URI, "version": item.since, "code": item.code}
    scale = msgspec.to_builtins(framework.scale)
    return {"competency": about, "level": scale["levels"][level - 1], "scale": scale, **changes}


OBSERVED = {
    "actor": {"mbox": "mailto:ada@example.org"},
    "verb": {"id": "https://w3id.org/xapi/dod-isd/verbs/demonstrated"},
    "object": {
        "id": "https://centre.example.org/checklists/gowning",
        "definition": {
            "type": "http://adlnet.gov/expapi/activities/performance",
            "name": {"en": "Gowning, observed \u202ein the clean room"},
        },
    },
    "context": {"instructor": {"name": "Mary Jones", "mbox": "mailto:mary@centre.example.org"}},
    "result": {"score": {"raw": 11, "max": 12, "scaled": 0.83}, "duration": "PT1H30M"},
}
PASSED = {
    "actor": {"mbox": "mailto:ada@example.org"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
    "object": {"id": "https://vle.example.org/gowning", "definition": {"name": {"en": "Gowning \x07theory"}}},
    "result": {"score": {"scaled": 0.9}},
}


def put_statements(tenant: Tenant) -> None:
    for id, said in ((STATEMENT, OBSERVED), (STATEMENT_2, PASSED)):
        record = Record("statement", id, json.dumps(said).encode(), meta={"source": "centre-1"})
        tenant.store.write(lambda tx, record=record: tx.insert(record)).result()


def issued_of_framework(
    tenant: Tenant, level: int = 2, *, run: Callable[[], object] | None = None, **changes: Any
) -> Framework:
    """The framework and the statements, and a badge of its capability at *level*; *run* issues it."""
    framework = put_framework(tenant)
    put_statements(tenant)
    evidence = [
        *BODY["evidence"],
        {"statement": STATEMENT_2, "source": "lms", "timestamp": "2026-06-02T09:30:00Z"},
    ]
    put_award(tenant, **of_framework(framework, level, evidence=evidence, **changes))
    (run or (lambda: run_issue(tenant)))()
    return framework
