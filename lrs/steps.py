"""Which steps of owed work there are, and which share a lane. One of the modules that put the rooms together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from adapters.before import read_documents
from adapters.step import import_steps
from badges.issue import issue
from lrs.channels import CHANNELS
from lrs.competency.evaluate import evaluate, match
from lrs.competency.uncompletions import read_those_before
from lrs.matching.sync import sync
from lrs.outbox import deliveries
from lrs.outbox.deliver import AT_ONCE, deliver, give_up
from lrs.outbox.schedule import JITTER, SCHEDULE
from lrs.people.ids import is_renamed
from lrs.renaming import rename
from lrs.storage import Claim
from lrs.subscriptions import SUBSCRIPTIONS
from lrs.tenancy.tenants import Tenant
from lrs.transfer.forwards import wake
from lrs.work import worker
from lrs.work.rounds import SECOND, Step
from lrs.xapi.statements.references import refs


def _match(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Every statement that is stored owes this step, so forwards that have sent everything are woken here.

    Before the claims are settled: if the process ends in between, both are done again.
    """
    wake(tenant)
    match(tenant, claims)


STEPS: Mapping[str, Step] = {
    "refs": Step(refs),
    "rename": Step(rename),
    "match": Step(_match, batch=500, first=read_those_before, ready=is_renamed),
    "evaluate": Step(evaluate, batch=200, planned=None, ready=is_renamed),
    "issue": Step(issue, batch=4),
    "sync": Step(sync, batch=200, planned=None),
    "deliver": Step(
        partial(deliver, channels=CHANNELS),
        batch=AT_ONCE,
        lease=120,
        waits=True,
        wait=round(SCHEDULE[-1] * (1 + JITTER)),
        planned=deliveries.LONGEST_WAIT // SECOND,
        give_up=give_up,
    ),
    **import_steps(read_documents, SUBSCRIPTIONS),
}
LANES: Sequence[Sequence[str]] = (
    ("refs", "rename", "match", "evaluate", "issue", "sync"),
    ("deliver",),
    ("import", "import-files"),
)
"""Steps of a lane take turns; the lanes do not wait for one another: a slow receiver, or a long file, holds up nobody's
level. What computes is in one lane, for threads of one process cannot compute side by side; a file is read in another,
for nobody knows how long that takes.
"""


def steps_of(names: Sequence[str]) -> dict[str, Step]:
    """The steps of these *names*."""
    return {name: STEPS[name] for name in names}


def drain(
    tenant: Tenant, names: Sequence[str] = tuple(STEPS), *, rest: Callable[[float], bool] = lambda _: False
) -> int:
    """Runs what is due of the steps *names*, as ``worker.drain`` does."""
    return worker.drain(tenant, steps_of(names), rest=rest)
