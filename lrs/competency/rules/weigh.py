"""The step ``weigh``: works out what rules would change, and puts them in force once somebody has agreed to it.

What it does and asks is what ``lrs rules apply`` does. Knows no page and no badge: who has a badge is asked of a
function that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

import msgspec

from lrs.competency.rules import drafts, rulesets
from lrs.competency.rules.applying import look, lost, put_in
from lrs.competency.rules.drafts import CHANGES, KIND, STEP, RulesChange, RulesDraft, draft_of
from lrs.competency.rules.losses import LossSurvey, Swing
from lrs.competency.shapes import Award
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import counted
from lrs.kernel.times import DAY
from lrs.people.search import described, somebody
from lrs.storage import Claim, Owed, Reader, Tx, each
from lrs.tenancy.tenants import Tenant
from lrs.work.step import Step

LEASE = 300
"""Seconds of a turn's lease. If working it out takes longer, another process may do it again, which changes nothing."""
LISTED = 10_000
"""Changes of which it is said whose they are. Of all of them there is the number."""
Badged = Callable[[Reader, Iterable[str]], Collection[str]]
"""Those awards (ids) that have a badge that is valid."""


def weigh_step(badged: Badged) -> Step:
    """The step, with what says which awards have a badge."""
    return Step(
        partial(_weigh, badged),
        lease=LEASE,
        planned=None,
        undone={"": "nobody sees what the rules would change, and they are not put in force"},
    )


def _weigh(badged: Badged, tenant: Tenant, claims: Sequence[Claim]) -> None:
    for claim in claims:
        draft = draft_of(claim.record)
        if draft.state not in drafts.UNDER_WAY:
            tenant.store.settle([claim], partial(_remove, claim.record.id)).result()
            continue
        try:
            look(tenant, draft.ruleset, partial(_told, badged, tenant, claim, draft))
        except Refused as refused:
            _settle(tenant, claim, state="refused", problem=refused.message)


def _remove(id: str, tx: Tx) -> None:
    tx.delete(KIND, id)


def _told(
    badged: Badged, tenant: Tenant, claim: Claim, draft: RulesDraft, seen: LossSurvey, found: list[Swing]
) -> None:
    """Puts the rules in force if that was agreed to and is as it was seen, else keeps what there is to see."""
    losing = lost(found)
    if draft.state == "agreed" and losing == draft.expected:
        _put(tenant, claim, draft, seen)
        return
    changed = ""
    if draft.state == "agreed":
        changed = f"Meanwhile {counted(losing, 'held level')} would go or end earlier, not {draft.expected}."
        changed += " Nothing was changed: look again."
    listed = list(_changes(tenant.store, found[:LISTED], badged))
    blob = tenant.store.blobs.put([msgspec.json.encode(listed)])
    _settle(
        tenant,
        claim,
        state="seen",
        problem=changed,
        lost=losing,
        gained=len(found) - losing,
        people=len({one.person for one in found if not one.gained}),
        badges=sum(one.badge for one in listed),
        blobs={CHANGES: blob},
    )


def _put(tenant: Tenant, claim: Claim, draft: RulesDraft, seen: LossSurvey) -> None:
    def decide(tx: Tx) -> None:
        put_in(tx, tenant, seen, draft.by, draft.restores)
        _keep(tx, tenant, claim.record.id, state="applied", version=rulesets.current(tx).version)

    tenant.store.settle([claim], decide).result()


def _settle(tenant: Tenant, claim: Claim, **new: object) -> None:
    tenant.store.settle([claim], lambda tx: _keep(tx, tenant, claim.record.id, **new)).result()


def _keep(tx: Tx, tenant: Tenant, id: str, **new: object) -> None:
    """Changes the draft, and owes that it is removed when files of imports would be."""
    drafts.change(tx, id, **new)
    tx.owe(KIND, id, Owed(STEP, tenant.clock() + round(tenant.settings.import_files_days * DAY)))


def _changes(reader: Reader, found: Sequence[Swing], badged: Badged) -> Iterable[RulesChange]:
    people = {one.person for one in found}
    names = {person: _called(reader, person) for person in people}
    awards = {person: _awards(reader, person) for person in people}
    ids = {id for held in awards.values() for id, _ in held.values()}
    with_badge = set(badged(reader, ids)) if ids else set()
    for one in found:
        id, in_review = awards[one.person].get((one.competency, one.level), ("", False))
        if one.gained:
            yield _change(one, names, "keeps" if in_review else "gains")
        elif one.ends is not None:
            yield _change(one, names, "ends earlier")
        else:
            yield _change(one, names, "loses", badge=id in with_badge)


def _called(reader: Reader, person: str) -> str:
    """The name of a learner, with the identifiers, as the command shows it."""
    told = described(somebody(reader, person)).removeprefix(f"{person} ")
    return told[1:-1] if told.startswith("(") else told


def _change(one: Swing, names: dict[str, str], does: str, *, badge: bool = False) -> RulesChange:
    ends = one.ends.isoformat() if one.ends else ""
    told = {"does": does, "ends": ends, "badge": badge, "name": names[one.person], "person": one.person}
    return msgspec.convert(told | {"code": one.code, "label": one.label, "level": one.level}, RulesChange)


def _awards(reader: Reader, person: str) -> dict[tuple[str, int], tuple[str, bool]]:
    """The id of the award that is held now, and whether it is in review, for each competency (key) and level."""
    held = (
        (record.id, msgspec.json.decode(record.body, type=Award))
        for record in each(reader, "award", key("award", person))
    )
    return {
        (one.competency.key, one.level.ordinal): (id, one.review is not None) for id, one in held if one.state == "held"
    }
