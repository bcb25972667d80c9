"""Who may bring in whose files, and see what became of them. Pure.

An import does for a key what the key could do itself: store statements, and keep what the files of a provider came to.
So it takes the scopes that this takes, and is refused for another provider's file unless the key has the scope ``all``.
The right is asked for once, when the file arrives: a key that is revoked later has sent the file before.
"""

from __future__ import annotations

from adapters.job import Job
from lrs.access import Caller
from lrs.kernel.errors import Refused


def check_right(caller: Caller, provider: str, *, dry_run: bool) -> None:
    """Refuses 403 for a file of *provider* that *caller* may not bring in; in a *dry_run* it need not write."""
    if not caller.may("statements.write") and not dry_run:
        raise _refused("the key lacks a right: to store statements it needs the scope statements/write")
    ledgers = "ledgers.read" if dry_run else "ledgers.write"
    if not caller.may(ledgers):
        raise _refused("the key lacks a right: to keep what files came to it needs the scope profile")
    if provider != caller.source and not caller.may_all(ledgers):
        raise _refused(
            "this ledger is another provider's: use a key that was made for the provider, or one with the scope all"
        )


def sees(caller: Caller, job: Job) -> bool:
    """Whether *caller* may see *job*: those of its own provider and its own, or all of them."""
    if caller.may_all("ledgers.read") or caller.may_all("work.read"):
        return True
    own = caller.source in {job.provider, job.sender.source}
    return own and (caller.may("ledgers.read") or caller.may("imports.run"))


def _refused(message: str) -> Refused:
    return Refused(message, status=403, error="import_failed")
