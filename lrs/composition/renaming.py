"""The step ``rename``: gives identifiers ids (``lrs.people.ids``) in a store of 0.2.0 or earlier, which has names.

Each commit changes one page of one kind and records how far the step has come. So a kill loses nothing, several
processes can share the work, and a writer waits for one page at most. Until the step is done no statement is matched;
everything else goes on. First it copies what is derived from statements, then it changes each person's identifiers from
names to ids in one commit, then it deletes the former copies. So at each moment all data about one person is found
under the identifiers that the person has at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from lrs.competency.renaming import RENAMED, dated, renamed
from lrs.matching.consent import consent
from lrs.matching.consent.renaming import rename_consent, rename_link, rename_waiting
from lrs.people.ids import RENAMING, STEP, Ids, ids_of, is_name
from lrs.people.renaming import rename_group, rename_suggestion
from lrs.storage import ROWS, Claim, Owed, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.audit_renaming import rename_entries
from lrs.tenancy.tenants import Tenant

PAGE = 200
"""Records in one commit."""


class RenamingProgress(msgspec.Struct, frozen=True):
    """The body of the ``renaming`` record: the stage that is under way, and where its walk goes on."""

    v: int = 1
    stage: str = "copy evidence"
    start: str | None = None


def rename(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Changes one page for each claim, and owes the next. Raises ``Stale`` if another process has done it."""
    for claim in claims:
        _page(tenant, claim)


def _page(tenant: Tenant, claim: Claim) -> None:
    body = claim.record.body
    progress = msgspec.json.decode(body, type=RenamingProgress) if body else RenamingProgress()
    kind, act = STAGES[progress.stage]
    page = tenant.store.find(Walk(kind, limit=PAGE, start=progress.start))
    wanted = [record.id for record in page.records]
    further = _further(progress, page.next)

    def settle(tx: Tx) -> None:
        there = tx.get_many(kind, wanted) if wanted else {}
        act(tx, [there[id] for id in wanted if id in there], tenant)
        if further is None:
            tx.delete(*RENAMING)
        else:
            tx.replace(msgspec.structs.replace(claim.record, body=msgspec.json.encode(further), owed=(Owed(STEP),)))

    tenant.store.settle([claim], settle, weight=ROWS * (len(wanted) + 1)).result()


def _further(progress: RenamingProgress, start: str | None) -> RenamingProgress | None:
    """The page after the one of *progress*; *start* is where its kind goes on. ``None`` if all is done."""
    if start is not None:
        return msgspec.structs.replace(progress, start=start)
    stages = list(STAGES)
    after = stages[stages.index(progress.stage) + 1 :]
    return RenamingProgress(stage=after[0]) if after else None


def _copy(tx: Tx, records: Sequence[Record], tenant: Tenant) -> None:
    """Copies records under ids. Evidence gets its day, which that of 0.2.0 does not have."""
    ids, zone = ids_of(tenant), tenant.settings.zone
    new = {copy.id: dated(copy, zone) for record in records if (copy := renamed(record, ids))}
    there = tx.get_many(records[0].kind, new) if new else {}
    for id in new.keys() - there.keys():
        tx.insert(new[id])


def _drop(tx: Tx, records: Sequence[Record], tenant: Tenant) -> None:
    for record in records:
        if renamed(record, ids_of(tenant)):
            tx.delete(record.kind, record.id)


def _change(tx: Tx, records: Sequence[Record], tenant: Tenant) -> None:
    """Renames the identifiers of whole groups, and moves the consents that were given under their names."""
    done: set[str] = set()
    for record in records:
        if is_name(record.id) and record.id not in done:
            for name, id in rename_group(tx, record, ids_of(tenant)):
                done.add(name)
                rename_waiting(tx, name, id)


def _each(act: Callable[[Tx, Record, Ids], None]) -> Callable[[Tx, Sequence[Record], Tenant], None]:
    def of_all(tx: Tx, records: Sequence[Record], tenant: Tenant) -> None:
        for record in records:
            if (now := tx.get(record.kind, record.id)) is not None:  # one before it may have moved it
                act(tx, now, ids_of(tenant))

    return of_all


def _rename_entries(tx: Tx, records: Sequence[Record], tenant: Tenant) -> None:
    rename_entries(tx, records, partial(_about, ids_of(tenant)))


def _about(ids: Ids, told: Mapping[str, str]) -> dict[str, str]:
    """What an entry is about. A consent under an identifier has an id that is computed from the identifier's name."""
    if audit.IDENTIFIER in told:
        words = {audit.IDENTIFIER, consent.KIND}
    else:
        words = {"id"} if told.get("kind") == consent.KIND else set()
    return {word: ids(text) if word in words else text for word, text in told.items()}


STAGES: Mapping[str, tuple[str, Callable[[Tx, Sequence[Record], Tenant], None]]] = {
    **{f"copy {kind}": (kind, _copy) for kind in RENAMED},
    "identifiers": ("identifier", _change),
    **{f"drop {kind}": (kind, _drop) for kind in RENAMED},
    "suggestions": ("suggestion", _each(rename_suggestion)),
    "links": ("consent-link", _each(rename_link)),
    "consents": ("consent", _each(rename_consent)),
    "record of actions": (audit.KIND, _rename_entries),
}
"""Each stage by name, in their order: the kind that is gone through, and what is done with its records."""

KINDS = (Kind(RENAMING[0], "working", RenamingProgress, 1, subjects=None, retention="operational", exported=False),)
