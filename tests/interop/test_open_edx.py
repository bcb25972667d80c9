"""Statements as Open edX's event-routing-backends really makes them: its own 90 expected ones, in 77 files.

``LRS_TEST_OPEN_EDX`` names the folder ``event_routing_backends/processors/xapi/tests/fixtures/expected`` of a copy of
openedx/event-routing-backends (measured at e2acb70); without it ``../shared/data/xapi/open-edx`` is looked for.
What is wrong with them is written out in ``tests/xapi/statements/test_habits.py``, too, which needs no copy.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lrs.access.switches import put_switches
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.xapi.statements.quarantine import newest, quarantined
from lrs.xapi.statements.replay import replay

SHARED = Path(__file__).parents[3] / "shared" / "data" / "xapi" / "open-edx"
FOLDER = Path(os.environ.get("LRS_TEST_OPEN_EDX", SHARED))
FILES = sorted(FOLDER.glob("*.json"))
if not FILES:
    pytest.skip(f"no statements of Open edX in {FOLDER}: see LRS_TEST_OPEN_EDX", allow_module_level=True)


def sent() -> list[dict[str, Any]]:
    """All of them, each with an id of its own: several files have the same one, which no sender does."""
    found = [json.loads(file.read_bytes()) for file in FILES]
    every = [one for some in found for one in (some if isinstance(some, list) else [some])]
    return [{**one, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))} for number, one in enumerate(every)]


def test_of_its_90_statements_63_are_stored_and_27_quarantined_and_after_their_mends_all_are_stored(lrs: Any) -> None:
    source, tenant = "open-edx", lrs.tenant
    tenant.store.write(lambda tx: put_switches(tx, source, ["quarantine"], "test")).result()
    edx = lrs.as_key("statements/write", name=source)
    statements = sent()
    ids = {one["id"] for one in statements}

    for start in range(0, len(statements), 30):
        answer = edx.post(statements[start : start + 30])
        assert answer.status_code == 200, answer.text

    aside = newest(tenant.store, source, 100)
    assert (len(statements), len(aside)) == (90, 27)
    assert Counter(quarantined(one).habits for one in aside) == {
        ("group-activity",): 17,
        ("no-iri",): 6,
        ("empty-score-range",): 3,
        ("no-object-id",): 1,
    }
    assert len(_stored(tenant, ids)) == 63
    for one in aside:
        replay(tenant, one.id, quarantined(one).habits, SUBSCRIPTIONS, by="test")
    assert len(_stored(tenant, ids)) == 90
    assert newest(tenant.store, source, 100) == []
    assert edx.post(statements[:60]).status_code == 200  # all of it once more: nothing new
    assert edx.post(statements[60:]).status_code == 200
    assert (len(_stored(tenant, ids)), newest(tenant.store, source, 100)) == (90, [])


def _stored(tenant: Any, ids: set[str]) -> set[str]:
    return set(tenant.store.get_many("statement", ids))
