"""What somebody does on the pages of imports: send a file, correct its columns, bring it in. Knows no form and no page.

A file that is sent becomes a dry run, which writes nothing but itself: what would go in, and what needs repair. Only
``bring`` makes an import of it, once, however often it is asked. Each act has its entry in the record of actions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from msgspec.structs import replace

from adapters.imports import job as jobs
from adapters.imports import mappings
from adapters.imports.job import BASE, FILE, SAMPLES, Job, Sender, is_outdated
from adapters.imports.mappings import SavedProfile
from adapters.imports.run import PROVIDER, check_order
from adapters.imports.walk import blocks_of
from adapters.reading.profile import MappingProfile
from adapters.reports.repaired_cells import RepairedCells, write_repaired
from lrs.access import Caller
from lrs.access.keys import authority_of, check_source
from lrs.kernel.errors import Misconfigured, Refused
from lrs.storage import Owed, Reader, Tx
from lrs.storage.drafts import draft_folder, drafts_in
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

RIGHT = "imports.run"
_REPAIRED = re.compile(r"(.*), repaired(?: ([1-9][0-9]{0,3}))?", re.DOTALL)


def reached(caller: Caller) -> frozenset[str] | None:
    """The providers whose files *caller* may bring in; ``None`` for all."""
    return None if caller.may_all(RIGHT) else caller.owned(RIGHT)


def provider_of(caller: Caller, asked: str) -> str:
    """The provider whose file *caller* sends, who *asked* for it. Raises ``Refused`` (400, 403)."""
    own = reached(caller)
    if own is not None and len(own) == 1 and not asked:
        return next(iter(own))
    if own is not None and asked not in own:
        raise Refused("You may bring in files of your own source only.", status=403, error="forbidden")
    try:
        check_source(asked)
    except Misconfigured as error:
        raise Refused("Say whose file it is: a name of letters, digits, blanks, . _ -", error="bad_provider") from error
    if not PROVIDER.fullmatch(asked):
        raise Refused("Say whose file it is: a name of 1 to 80 characters.", error="bad_provider")
    return asked


def job_for(reader: Reader, caller: Caller, id: str) -> Job:
    """The import *id*; 404 for one that *caller* may not see, as for one that is not there."""
    own = reached(caller)
    record = reader.get(jobs.KIND, id)
    found = jobs.job_of(record) if record else None
    if found is None or (own is not None and found.provider not in own):
        raise Refused("There is no such import.", status=404, error="not_found")
    return found


def sent(tenant: Tenant, by: str, provider: str, file: str, blob: str) -> Job:
    """The dry run of a file that was sent: its adapter and its columns are still to be found."""
    return Job(
        id=uuid4().hex,
        adapter="",
        provider=provider,
        file=file,
        sender=_sender(tenant, provider, by),
        at=tenant.clock(),
        blobs={FILE: blob},
        dry_run=True,
        guess=True,
    )


def repaired(tenant: Tenant, before: Job, by: str, cells: RepairedCells) -> Job:
    """The dry run of the rows of *before* whose *cells* somebody repaired on a page, as if they had sent their file.

    Raises ``Refused`` (400, 410) if a cell cannot be written, and if the rows are no longer kept.
    """
    blobs = tenant.store.blobs
    with draft_folder(drafts_in(tenant.settings.data)) as folder:
        try:
            (folder / "repairs").write_bytes(b"".join(blobs.open(before.blobs["repairs"])))
        except KeyError as missing:
            raise Refused("The file is no longer kept: send it again.", status=410, error="file_gone") from missing
        write_repaired(folder / "repairs", before.id, cells, folder / "repaired")
        blob = blobs.put(blocks_of(folder / "repaired"))
    job = sent(tenant, by, before.provider, repaired_name(before.file), blob)
    return replace(job, plan=before.id if before.dry_run else "")


def repaired_name(file: str) -> str:
    """What a file of repaired rows of *file* is called: ``x, repaired.csv``, and then ``x, repaired 2.csv``."""
    stem, ending = Path(file).stem, Path(file).suffix
    found = _REPAIRED.fullmatch(stem)
    return f"{found[1]}, repaired {int(found[2] or 1) + 1}{ending}" if found else f"{stem}, repaired{ending}"


def corrected(
    tenant: Tenant, before: Job, by: str, adapter: str, profile: MappingProfile | None, known: str = ""
) -> Job:
    """The dry run of the same file once more, read by *adapter* with *profile*; ``None``: its columns are guessed.

    *known* is the name under which the profile was saved. Raises ``Refused`` for a profile that cannot be used, and if
    the file is no longer kept.
    """
    if profile is not None:
        check_order(adapter, before.provider, profile)
    look = replace(before.look, known=known, guesses=()) if before.look else None
    return replace(
        _again(tenant, before, by),
        id=uuid4().hex,
        adapter=adapter,
        profile=profile or MappingProfile(),
        look=look,
        guess=profile is None,
        dry_run=True,
        plan=before.id,
    )


def add(tx: Tx, job: Job, by: str, save: SavedProfile | None = None) -> None:
    """Stores a new dry run, which owes its step, and the profile that is to be kept with it."""
    if save is not None:
        mappings.save(tx, save)
    tx.insert(jobs.record_of(job, owed=(Owed(jobs.STEP),)))
    audit.append(tx, by, "import.checked", {"import": job.id, "provider": job.provider})


def brought_id(plan: str) -> str:
    """The id of the import that brings in what the dry run *plan* has shown. So there is only one of each."""
    return sha256(f"import of {plan}".encode()).hexdigest()[:32]


def bring(tx: Tx, tenant: Tenant, plan: str, by: str) -> str:
    """Begins the import of what the dry run *plan* has shown, and gives its id; that of the one there is, if any.

    Raises ``Refused`` (409) for a dry run that is not over or of no use, and if another file of the provider came in
    since, so that it may no longer be true.
    """
    before, id = jobs.find(tx, plan), brought_id(plan)
    if tx.get(jobs.KIND, id) is not None:
        return id
    if not before.dry_run or before.state != "done" or before.told is None or not before.told.usable:
        raise Refused("Nothing of this file can be brought in as it is.", status=409, error="nothing_usable")
    if is_outdated(tx, before):
        message = "Another file of this provider came in since this one was checked. Check it again, then bring it in."
        raise Refused(message, status=409, error="import_outdated")
    job = replace(_again(tenant, before, by), id=id, dry_run=False, plan=plan)
    tx.insert(jobs.record_of(job, owed=(Owed(jobs.STEP),)))
    audit.append(tx, by, "import.begun", {"import": id, "provider": job.provider})
    return id


def _again(tenant: Tenant, before: Job, by: str) -> Job:
    """The same file as *before*, to be worked through anew. Raises ``Refused`` (410) if it is no longer kept."""
    if FILE not in before.blobs:
        raise Refused("The file is no longer kept: send it again.", status=410, error="file_gone")
    return Job(
        id="",
        adapter=before.adapter,
        provider=before.provider,
        file=before.file,
        sender=_sender(tenant, before.provider, by),
        at=tenant.clock(),
        blobs={name: blob for name, blob in before.blobs.items() if name in {FILE, SAMPLES} or name.startswith(BASE)},
        profile=before.profile,
        look=before.look,
        mends=before.mends,
    )


def _sender(tenant: Tenant, provider: str, by: str) -> Sender:
    return Sender(provider, authority_of(tenant, f"{tenant.id}.import", provider).decode(), subject=by)


def visible(caller: Caller, found: Sequence[Job]) -> list[Job]:
    """Those of *found* that *caller* may see, without dry runs that another one has replaced or an import followed."""
    own = reached(caller)
    followed = {job.plan for job in found if job.plan}
    mine = (job for job in found if own is None or job.provider in own)
    return [job for job in mine if not (job.dry_run and (job.id in followed or brought_id(job.id) in followed))]
