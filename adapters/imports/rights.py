"""Who may import which provider's files, and see the results. Pure.

Whoever may bring files in brings in those of the provider that their source is; those of others, whose ledger they do
not have, need the scope ``all``. Rights are checked once, when the file arrives: a key that is revoked later has sent
the file before.
"""

from __future__ import annotations

from adapters.imports.job import Job
from lrs.access import Caller
from lrs.kernel.errors import Refused


def check_provider(caller: Caller, provider: str, *, dry_run: bool) -> None:
    """Refuses (403) a file of another *provider* than *caller*, who may import files, if the ledger is not theirs."""
    if provider != caller.source and not caller.may_all("ledgers.read" if dry_run else "ledgers.write"):
        message = (
            "this ledger is another provider's: use a key that was made for the provider, or one with the scope all"
        )
        raise Refused(message, status=403, error="import_failed")


def sees(caller: Caller, job: Job) -> bool:
    """Whether *caller* may see *job*: jobs of its own provider and its own jobs, or all of them."""
    if caller.may_all("ledgers.read") or caller.may_all("work.read"):
        return True
    own = caller.source in {job.provider, job.sender.source}
    return own and (caller.may("ledgers.read") or caller.may("imports.run"))
