"""A second process that writes statements into the data of a running server (``tests.reliability.beside DATA PAUSE``).

It says ``ready`` once it has stored its first statement, writes until its standard input ends, with a pause of that
many seconds between two, and then prints the ids of what it stored as one JSON array.
"""

from __future__ import annotations

import json
import sys
import threading
from functools import partial
from pathlib import Path

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in
from tests.reliability.writers import statement

AUTHORITY = b'{"objectType":"Agent","account":{"homePage":"https://example.org","name":"beside"}}'
PATIENCE_S = 60


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def store_one(tenant: Tenant) -> str:
    """Stores a statement as a request would; its id, once it is durable."""
    caller = Caller("key beside", "beside", AUTHORITY, rights_of_key({"all"}), tenant.id, KEY)
    plan = prepare(caller, "1.0.3", json.dumps(statement()).encode(), Terms(tenant.settings, SUBSCRIPTIONS))
    write = tenant.store.write(partial(store_in, plan=plan), weight=plan.weight, reads=plan.reads)
    stored: list[str] = write.result(PATIENCE_S)
    return stored[0]


def main(data: str, pause: float) -> None:
    tenant = open_tenant(Settings(data=Path(data)))
    stored = [store_one(tenant)]
    over = threading.Event()

    def run() -> None:
        while not over.wait(pause):
            stored.append(store_one(tenant))

    threads = [threading.Thread(target=run) for _ in range(2)]
    say("ready")
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    tenant.store.close()
    say(json.dumps(stored))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
