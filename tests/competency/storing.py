"""Storing statements as a request does it, for a tenant that is said; also as a process of its own.

``python -m tests.competency.storing DATA`` says ``ready``, then stores statements of a known learner into the default
tenant in DATA, about three activities in turn, until its standard input ends or it is killed.
"""

from __future__ import annotations

import json
import sys
import threading
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import learn, store_in
from tests.competency.world import PASSED
from tests.served import new_id

AUTHORITY = b'{"account":{"homePage":"https://example.org","name":"vle"}}'
ACTIVITIES = [f"https://vle.example/unit-{number}" for number in range(3)]
LEARNER = {"mbox": "mailto:ann@example.org", "name": "Ann"}
AT_ONCE = 20


def plan_of(tenant: Tenant, *statements: dict[str, Any], source: str = "vle") -> Any:
    caller = Caller(f"key {source}", source, AUTHORITY, rights_of_key({"all"}), tenant.id, KEY)
    terms = Terms(tenant.settings, SUBSCRIPTIONS, tenant.seen, tenant=tenant)
    return prepare(caller, "2.0.0", json.dumps(statements).encode(), terms)


def store(tenant: Tenant, *statements: dict[str, Any], source: str = "vle") -> list[str]:
    return write(tenant, plan_of(tenant, *statements, source=source))


def write(tenant: Tenant, plan: Any) -> list[str]:
    ids: list[str] = tenant.store.write(partial(store_in, plan=plan), weight=plan.weight, reads=plan.reads).result()
    learn(tenant, plan)
    return ids


def did(activity: str, **parts: Any) -> dict[str, Any]:
    """A statement that says that the learner passed *activity*."""
    return {"id": new_id(), "actor": LEARNER, "verb": {"id": PASSED}, "object": {"id": activity}, **parts}


def main(data: str) -> None:
    tenant = open_tenant(Settings(data=Path(data)))
    over = threading.Event()
    threading.Thread(target=lambda: over.set() if sys.stdin.read() is not None else None, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in count():
        store(tenant, *(did(ACTIVITIES[(number + one) % 3]) for one in range(AT_ONCE)))
        if over.wait(0.002):
            break
    tenant.store.close()


if __name__ == "__main__":
    main(sys.argv[1])
