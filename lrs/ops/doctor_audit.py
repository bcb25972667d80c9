"""Findings about the record of actions: whether it is complete, and agrees with the file outside the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lrs.kernel.times import SECOND, short_timestamp
from lrs.ops.doctor import Finding
from lrs.tenancy import audit, audit_head, master_key
from lrs.tenancy.audit_head import Differs, HeadLine
from lrs.tenancy.tenants import Tenant

LATE = 60
"""Seconds after which the last entry should be in the file."""


def of_audit(tenant: Tenant) -> Iterator[Finding]:
    """Whether the record of actions is complete, and whether the file outside agrees with it. Reads all of it."""
    if audit.head_of(tenant.store) is None and tenant.store.get(master_key.KIND, master_key.ID) is not None:
        yield Finding("audit", "problem", "the record of actions is gone: compare it with a backup")
        return
    path = tenant.settings.audit_head
    lines, others, unread = _outside(path, tenant)
    named = {line.number for line in lines}
    found: dict[int, str] = {}
    told: list[audit.AuditEntry] = []
    last: audit.AuditEntry | None = None
    try:
        for entry, hash in audit.walk(tenant.store):
            last = entry
            if entry.number in named:
                found[entry.number] = hash
            if entry.action in {audit.SEALED, audit.RESTORED}:
                told.append(entry)
    except audit.Broken as broken:
        yield Finding("audit", "problem", f"{broken}: compare it with a backup")
        return
    yield from _whole(last.number if last else 0, told)
    if path is None:
        yield Finding(
            "audit-head", "warning", "LRS_AUDIT_HEAD names no file: so nobody notices if an older copy is put back"
        )
    elif unread:
        yield unread
        return
    elif not lines and others:
        yield _of_another_store(path, others)
    else:
        restored = [entry for entry in told if entry.action == audit.RESTORED]
        differs = audit_head.compare(lines, found, [entry.number for entry in restored])
        yield _differing(path, differs, restored) if differs else _agreeing(path, lines, last, tenant.clock())
    if path is not None and not os.access(path, os.W_OK):
        message = f"{path} cannot be written: further actions are not recorded in it"
        yield Finding("audit-head", "problem", message)


def _of_another_store(path: Path, others: set[str]) -> Finding:
    message = (
        f"{path} is of another store (tenants {', '.join(sorted(others))}): name the file of this one. If it is"
        " this one's, the whole store was replaced, and the record of actions with it"
    )
    return Finding("audit-head", "problem", message)


def _outside(path: Path | None, tenant: Tenant) -> tuple[list[HeadLine], set[str], Finding | None]:
    """The lines of this store, and the tenants of other stores in the file; a finding if it cannot be read."""
    if path is None:
        return [], set(), None
    try:
        lines, others = audit_head.lines_of(path, tenant.store)
    except FileNotFoundError:
        message = f"{path} is not there: it was taken away, or lrs serve has not run since LRS_AUDIT_HEAD names it"
        return [], set(), Finding("audit-head", "problem", message)
    except OSError as error:
        return [], set(), Finding("audit-head", "problem", f"{path} cannot be read: {error.strerror}")
    return lines, others, None


def _whole(count: int, told: list[audit.AuditEntry]) -> Iterator[Finding]:
    message = f"no entry was changed or taken out ({count})"
    for entry in told:
        if entry.action == audit.SEALED:
            message += (
                f"; the first {entry.about['entries']} are of an earlier version and were sealed on"
                f" {short_timestamp(entry.at)}: what became of them before cannot be told"
            )
    yield Finding("audit", "ok", message)
    for entry in told:
        if entry.action == audit.RESTORED:
            message = (
                f"restored on {short_timestamp(entry.at)} from a backup of {entry.about.get('taken', '?')}, at entry"
                f" {entry.number}: what was done between the two is not in this store"
            )
            yield Finding("restored", "warning", message)


def _differing(path: Path, differs: Differs, restored: list[audit.AuditEntry]) -> Finding:
    line = differs.line
    what = f"{path} has entry {line.number} as it was on {line.at}, and this store has not"
    if differs.restored is not None:
        at = short_timestamp(next(entry.at for entry in restored if entry.number == differs.restored))
        return Finding("audit-head", "warning", f"{what}: the store was restored on {at} to a time before")
    if differs.agreed:
        return Finding(
            "audit-head",
            "problem",
            f"{what}; both agree up to entry {differs.agreed}: this is an older state of the store that was put back"
            " without lrs restore. Somebody did that, or cut the end off with the help of a copy: find out who",
        )
    return Finding("audit-head", "problem", f"{what}, nor any other in it: the record of actions was replaced")


def _agreeing(path: Path, lines: list[HeadLine], last: audit.AuditEntry | None, now: int) -> Finding:
    reached, count = max((line.number for line in lines), default=0), last.number if last else 0
    if last is not None and reached < count and last.at < now - LATE * SECOND:
        message = (
            f"{path} has got to entry {reached} of {count}: is lrs serve or lrs work running, and can it write there?"
        )
        return Finding("audit-head", "problem", message)
    return Finding("audit-head", "ok", f"{path} agrees, up to entry {reached} of {count}")
