"""The table of steps of owed work, and which of them share a lane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from adapters.imports.before import read_documents
from adapters.imports.step import import_steps
from adapters.lms.launching.idle import abandon_step
from adapters.lms.lti import enrolments, results, rosters
from adapters.lms.lti.skill_grades import follow
from adapters.planning import counting, figures
from badges.achievements.editing import REPICTURE
from badges.credentials import lists
from badges.credentials.records import badged
from badges.issuing import rotation
from badges.issuing.issue import issue
from badges.issuing.repicturing import repicture
from badges.issuing.rewording import reword
from badges.keys.issuer import REWORD
from lrs.competency.evaluate import evaluate, match
from lrs.competency.list_owed import list_those_before
from lrs.competency.listed import list_learners
from lrs.competency.rules.weigh import weigh_step
from lrs.competency.uncompletions import read_those_before
from lrs.composition.channels import CHANNELS
from lrs.composition.renaming import rename
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.times import SECOND
from lrs.matching import resync
from lrs.matching.consent import consent
from lrs.matching.sync import sync
from lrs.outbox import deliveries, destinations
from lrs.outbox.channel import Channels
from lrs.outbox.deliver import Sending
from lrs.outbox.fate import give_up
from lrs.outbox.listing import retry as retry_deliveries
from lrs.outbox.schedule import JITTER, SCHEDULE
from lrs.outbox.senders import Senders
from lrs.people.ids import is_renamed
from lrs.storage import ROWS, Claim, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.transfer.before import bring_forwards
from lrs.transfer.forwards import wake
from lrs.work import worker
from lrs.work.step import Step
from lrs.xapi.statements.references import refs


def _match(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Wakes the forwards that have nothing left to send, then matches.

    Which statements owe this step says ``lrs.composition.subscriptions``: all of them as long as a forward rests.
    Forwards are woken before the claims are settled: if the process ends in between, both are done again.
    """
    wake(tenant)
    match(tenant, claims)


def _sync(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Owes the grades that follow from profiles, tells platforms, then services. A profile that changed owes this step.

    Grades and platforms come first: if the process ends in between, both are done again.
    """
    follow(tenant, claims)
    results.follow(tenant, claims, SUBSCRIPTIONS)
    sync(tenant, claims)


def delivering(channels: Channels, senders: Senders) -> Step:
    """The step "deliver" with *channels*. Its lease is longer than the longest call."""
    return Step(
        aside=partial(Sending, channels, senders),
        lease=180,
        wait=round(SCHEDULE[-1] * (1 + JITTER)),
        planned=deliveries.LONGEST_WAIT // SECOND,
        give_up=give_up,
        first=bring_forwards,
        retry=retry_deliveries,
        undone={"": "its destination has not heard of it", destinations.KIND: "nothing more is sent there"},
    )


_FOLLOWS = 1 / 8
"""The share of steps that sign, tell and list what follows from levels: statements that came in are read before."""
_MOST_PARKED = 100_000
_AT_ONCE = 500
SENDERS = Senders()
"""The threads that send in this process, for all tenants. They start when they are needed."""
STEPS: Mapping[str, Step] = {
    "refs": Step(refs, undone={"": "filters may not find statements by what they refer to"}),
    "rename": Step(rename, undone={"": "statements are not read by the rules"}),
    "match": Step(
        _match,
        batch=500,
        first=read_those_before,
        ready=is_renamed,
        undone={
            "": "the statement proves nothing",
            "rematch": "statements from before are not all read again: those that are not count by the rules and"
            " sources of before",
        },
    ),
    "evaluate": Step(
        evaluate,
        batch=200,
        planned=None,
        ready=is_renamed,
        undone={"": "the learner's levels stay as they are, and with them badges and what services are told"},
    ),
    "list": Step(
        list_learners,
        batch=200,
        share=_FOLLOWS,
        first=list_those_before,
        ready=is_renamed,
        undone={"": "the list of learners shows the learner as before, or not yet"},
    ),
    "issue": Step(
        issue,
        batch=16,
        share=_FOLLOWS,
        undone={"": "the badge is neither issued nor revoked, whatever became of the level"},
    ),
    resync.STEP: Step(
        resync.resync, batch=4, undone={"": "the service that was taken back is not told everything once more"}
    ),
    lists.PUBLISH: Step(
        lists.publish,
        batch=16,
        ready=lists.is_time,
        undone={"": "badges that are revoked since still pass as valid with those who check"},
    ),
    rotation.ROTATE: Step(rotation.take_over, planned=None, undone={"": "the key before it goes on signing"}),
    rotation.REISSUE: Step(
        rotation.reissue, undone={"": "badges that a compromised key signed are valid with nobody until it is done"}
    ),
    REWORD: Step(
        reword,
        undone={
            "": "badges that are held keep the words of before, though they are to have the new",
            "issuer": "badges that are held show the name that the issuer had before",
            "endorsement": "badges that are held lack an endorsement of what they are for, or keep one that is gone",
        },
    ),
    REPICTURE: Step(repicture, undone={"": "badges do not get the image that was changed"}),
    "sync": Step(
        _sync,
        batch=200,
        share=_FOLLOWS,
        after="issue",
        planned=None,
        undone={
            "": "services are told nothing new of the learner",
            consent.KIND: "the service is not told of this consent",
        },
    ),
    "weigh": weigh_step(badged),
    "deliver": delivering(CHANNELS, SENDERS),
    enrolments.STEP: Step(
        enrolments.score, batch=100, undone={"": "the gradebook of the platform is not told of the result"}
    ),
    rosters.STEP: Step(
        rosters.read_rosters,
        lease=900,
        planned=rosters.EVERY // SECOND,
        undone={"": "the roster of the course stays as it was read last"},
    ),
    **import_steps(read_documents, SUBSCRIPTIONS),
    "abandon": abandon_step(SUBSCRIPTIONS),
    figures.STEP: Step(
        counting.plan,
        lease=900,
        planned=counting.PLANNED,
        undone={"": "planners see the numbers of before"},
    ),
}
LANES: Sequence[Sequence[str]] = (
    (
        "refs",
        "rename",
        "match",
        "evaluate",
        "issue",
        "publish",
        "rotate",
        "reissue",
        REPICTURE,
        REWORD,
        "resync",
        "sync",
        enrolments.STEP,
        "list",
        "abandon",
    ),
    ("deliver",),
    (rosters.STEP,),
    ("import", "import-files"),
    ("weigh", figures.STEP),
)
"""The steps of each lane take turns. Lanes do not wait for one another, so a slow receiver or a long file delays no
level. Steps that compute share one lane, because threads of one Python process cannot compute in parallel. Imports
have a lane of their own, because reading a file can take long; so have working out what rules would change, and reading
rosters, because a platform can be slow.
"""


def steps_of(names: Sequence[str]) -> dict[str, Step]:
    """The steps of these *names*."""
    return {name: STEPS[name] for name in names}


def undone(step: str, kind: str = "") -> str:
    """What is not done as long as *step*, owed by a record of *kind*, is put aside."""
    told = STEPS[step].undone if step in STEPS else {}
    return told.get(kind) or told.get("", "what follows from it is not done")


def retry(tenant: Tenant, step: str | None = None, *, by: str) -> int:
    """Makes what was put aside of *step*, or of all, due again, with no tries. Gives its number.

    Each commit has some of them, with an entry in the record of actions: *by* did it.
    """
    found = [(owed.step, record.kind, record.id) for record, owed in tenant.store.parked(step, limit=_MOST_PARKED)]
    return sum(_retry_some(tenant, found[at : at + _AT_ONCE], by) for at in range(0, len(found), _AT_ONCE))


def _retry_some(tenant: Tenant, entries: Sequence[tuple[str, str, str]], by: str) -> int:
    def decide(tx: Tx) -> int:
        done = Counter(step for step, kind, id in entries if retry_one(tx, step, kind, id))
        for step, count in done.items():
            audit.append(tx, by, "work.retried", {"step": step, "entries": str(count)})
        return done.total()

    return tenant.store.write(decide, weight=ROWS * len(entries)).result()


def retry_one(tx: Tx, step: str, kind: str, id: str) -> bool:
    """Makes one entry that was put aside due again, with no tries. ``False`` if it is no longer aside."""
    own = STEPS[step].retry if step in STEPS else None
    return own(tx, kind, id) if own else tx.retry(kind, id, step)


def drain(
    tenant: Tenant, names: Sequence[str] = tuple(STEPS), *, rest: Callable[[float], bool] = lambda _: False
) -> int:
    """Runs what is due of the steps *names*, as ``worker.drain`` does."""
    return worker.drain(tenant, steps_of(names), rest=rest)
