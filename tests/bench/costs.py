"""What a statement costs to match and evaluate, in one process: with many learners, and with many rules.

CPU of the whole process, on two stores in turns. What other steps are owed is cleared as if it were done: badges and
deliveries are other rows' matter. Knows no server.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.garbage import collect_rarely
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import learn, store_in
from tests.bench.programme import RULES, prepared
from tests.bench.report import Row, row_of
from tests.bench.rows import Plan, body
from tests.bench.statements import Made, passed

T = TypeVar("T")
FEW_LEARNERS = 100
FEW_RULES = 10
STEPS = ("refs", "match", "evaluate")
OTHERS = ("issue", "sync")
GROUP = 250
LEASE = 60_000_000
_AUTHORITY = b'{"account":{"homePage":"http://localhost/t/default","name":"bench"}}'


def learners(folder: Path, plan: Plan) -> Row:
    """What a second statement costs of learners who are 100 in a store of 10,000, or alone in theirs."""
    ready = prepared(folder)
    pairs: list[tuple[float, float]] = []
    with _as_the_worker(), opened(ready, folder / "many-learners") as many:
        cost(many, passed(range(plan.learners), RULES, seed=0))
        for turn in range(plan.turns):
            asked = range(turn, plan.learners, plan.learners // FEW_LEARNERS)
            with opened(ready, folder / f"few-learners-{turn}") as few:
                cost(few, passed(asked, RULES, seed=0))
                costs = [cost(side, passed(asked, RULES, seed=1 + turn)) for side in _turned((many, few), turn)]
                pairs.append(_turned((costs[0], costs[1]), turn))
    return row_of("learners-10k", pairs, note=f"{plan.learners:,} and {FEW_LEARNERS} learners", less=True)


def rules(folder: Path, plan: Plan) -> Row:
    """What a statement of each of 100 learners costs with 200 rules in force, and with 10."""
    pairs = []
    with _as_the_worker(), ExitStack() as stack:
        sides = [
            (stack.enter_context(opened(prepared(folder, count), folder / f"rules-{count}")), count)
            for count in (RULES, FEW_RULES)
        ]
        for turn in range(plan.turns + 1):
            asked = [passed(range(FEW_LEARNERS), count, seed=turn) for _, count in sides]
            pairs.append(tuple(cost(side, made) for (side, _), made in zip(sides, asked, strict=True)))
    return row_of("rules-200", pairs[1:], note=f"{RULES} and {FEW_RULES} rules", less=True)


def _turned(pair: tuple[T, T], turn: int) -> tuple[T, T]:
    """*pair* the other way round in every other turn: whoever comes second finds names and keys worked out already."""
    return (pair[1], pair[0]) if turn % 2 else pair


@contextmanager
def _as_the_worker() -> Iterator[None]:
    """Garbage is collected as in the worker; afterwards as it was, for what else is measured in this process."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@contextmanager
def opened(ready: Path, data: Path) -> Iterator[Tenant]:
    """A copy of the store under *ready*, with nothing left to match."""
    shutil.copytree(ready, data)
    tenant = open_tenant(Settings(data=data))
    try:
        drain(tenant, STEPS)
        yield tenant
    finally:
        tenant.store.close()


def cost(tenant: Tenant, statements: Iterable[Made]) -> float:
    """Stores *statements* and gives what matching and evaluating cost, in microseconds of CPU for each of them."""
    made = list(statements)
    caller = Caller("key bench", "bench", _AUTHORITY, rights_of_key({"all"}), tenant.id, KEY)
    for at in range(0, len(made), GROUP):
        terms = Terms(tenant.settings, SUBSCRIPTIONS, tenant.seen, tenant=tenant)
        plan = prepare(caller, "1.0.3", body(made[at : at + GROUP]), terms)
        tenant.store.write(partial(store_in, plan=plan), weight=plan.weight).result()
        learn(tenant, plan)
    before = tenant.store.count("evidence")
    begun = time.process_time()
    drain(tenant, STEPS)
    spent = time.process_time() - begun
    if tenant.store.count("evidence") - before != len(made):
        raise RuntimeError("not every statement became evidence")
    while claims := tenant.store.claim(OTHERS, limit=GROUP, lease=LEASE):
        tenant.store.settle(claims, lambda _: None).result()
    return spent / len(made) * 1e6
