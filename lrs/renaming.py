"""The step ``rename``: brings a store of before, in which identifiers stand under names, to ids (``lrs.people.ids``).

One of the modules that put the rooms together. A page of one kind at a time, and in its commit how far it has come: a
kill loses nothing, several processes take turns, nobody who writes waits longer than for a page. Until it is done no
statement is matched, and nothing else stops: what follows from statements is copied first, then each person's
identifiers change from names to ids in one commit, then the former copies go. So at each moment all that is asked of
one person lies under the identifiers that the person has then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from lrs.competency.renaming import RENAMED, renamed
from lrs.matching.renaming import rename_consent, rename_link, rename_waiting
from lrs.people.ids import RENAMING, STEP, Ids, ids_of, is_name
from lrs.people.renaming import rename_group, rename_suggestion
from lrs.storage import ROWS, Claim, Owed, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

PAGE = 200
"""Records in one commit."""


class Progress(msgspec.Struct, frozen=True):
    """The body of the ``renaming`` record: the stage that is under way, and where its walk goes on."""

    v: int = 1
    stage: str = "copy evidence"
    start: str | None = None


def rename(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Does one page, and owes the next. ``Stale`` if somebody else has done it."""
    for claim in claims:
        _page(tenant, claim)


def _page(tenant: Tenant, claim: Claim) -> None:
    body, ids = claim.record.body, ids_of(tenant)
    progress = msgspec.json.decode(body, type=Progress) if body else Progress()
    kind, act = STAGES[progress.stage]
    page = tenant.store.find(kind, limit=PAGE, start=progress.start)
    wanted = [record.id for record in page.records]
    further = _further(progress, page.next)

    def settle(tx: Tx) -> None:
        there = tx.get_many(kind, wanted) if wanted else {}
        act(tx, [there[id] for id in wanted if id in there], ids)
        if further is None:
            tx.delete(*RENAMING)
        else:
            tx.replace(msgspec.structs.replace(claim.record, body=msgspec.json.encode(further), owed=(Owed(STEP),)))

    tenant.store.settle([claim], settle, weight=ROWS * (len(wanted) + 1)).result()


def _further(progress: Progress, start: str | None) -> Progress | None:
    """Where it goes on; ``None`` if all is done."""
    if start is not None:
        return msgspec.structs.replace(progress, start=start)
    stages = list(STAGES)
    after = stages[stages.index(progress.stage) + 1 :]
    return Progress(stage=after[0]) if after else None


def _copy(tx: Tx, records: Sequence[Record], ids: Ids) -> None:
    new = {copy.id: copy for record in records if (copy := renamed(record, ids))}
    there = tx.get_many(records[0].kind, new) if new else {}
    for id in new.keys() - there.keys():
        tx.insert(new[id])


def _drop(tx: Tx, records: Sequence[Record], ids: Ids) -> None:
    for record in records:
        if renamed(record, ids):
            tx.delete(record.kind, record.id)


def _change(tx: Tx, records: Sequence[Record], ids: Ids) -> None:
    """Identifiers, and with them what was agreed to under them."""
    done: set[str] = set()
    for record in records:
        if is_name(record.id) and record.id not in done:
            for name, id in rename_group(tx, record, ids):
                done.add(name)
                rename_waiting(tx, name, id)


def _each(act: Callable[[Tx, Record, Ids], None]) -> Callable[[Tx, Sequence[Record], Ids], None]:
    def of_all(tx: Tx, records: Sequence[Record], ids: Ids) -> None:
        for record in records:
            if (now := tx.get(record.kind, record.id)) is not None:  # one before it may have moved it
                act(tx, now, ids)

    return of_all


STAGES: Mapping[str, tuple[str, Callable[[Tx, Sequence[Record], Ids], None]]] = {
    **{f"copy {kind}": (kind, _copy) for kind in RENAMED},
    "identifiers": ("identifier", _change),
    **{f"drop {kind}": (kind, _drop) for kind in RENAMED},
    "suggestions": ("suggestion", _each(rename_suggestion)),
    "links": ("consent-link", _each(rename_link)),
    "consents": ("consent", _each(rename_consent)),
}
"""By name in their order: the kind that is gone through, and what is done with its records."""

KINDS = (Kind(RENAMING[0], "working", Progress, 1, subjects=None, retention="operational", exported=False),)
