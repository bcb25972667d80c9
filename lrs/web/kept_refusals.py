"""The newest refusals of each source, in the store of its tenant, for the people who manage that source.

They have what ``lrs.web.refusals`` writes of a refusal: when, which place, which rule, and never what was sent. Beside
it is the id of the key, if there is such a key. Only refusals that somebody must correct are stored, not "come back
later" and not "not found".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec
import structlog

from lrs.access.keys import find_key
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy.open_tenants import Tenants
from lrs.web.refusals import NOBODY, Keep, Noted, Refusal

KIND = "refusals"
MOST = 100
"""How many refusals of a source are stored: the newest. Each has about 300 bytes, 600 at most."""
MOST_SOURCES = 100
"""Sources whose refusals are read together."""
_WRITES = frozenset({"POST", "PUT", "DELETE"})
_DENIED = frozenset({401, 403})
_IMPORTS = "/api/imports"
_log = structlog.get_logger()


class KeptRefusals(msgspec.Struct, frozen=True):
    """The body of a record. *count* is the number of all refusals so far, *newest* the last of them, oldest first."""

    count: int = 0
    newest: tuple[Refusal, ...] = ()


_decode = msgspec.json.Decoder(KeptRefusals).decode


def keeping(tenants: Tenants) -> Keep:
    """Stores refusals in the stores of those *tenants* that are open."""
    return partial(_keep, tenants)


def refusals_of(reader: Reader, source: str) -> KeptRefusals:
    """The stored refusals of *source*."""
    record = reader.get(KIND, source)
    return _decode(record.body) if record else KeptRefusals()


def all_refusals(reader: Reader) -> dict[str, KeptRefusals]:
    """The stored refusals by source, for the ``MOST_SOURCES`` with the latest ones."""
    newest = reader.find(Walk(KIND, newest_first=True, limit=MOST_SOURCES)).records
    return {record.id: _decode(record.body) for record in newest}


def add(tx: Tx, source: str, refusals: Iterable[Refusal]) -> None:
    """Adds *refusals* of *source*, oldest first, and removes the oldest ones beyond the limit."""
    before, new = refusals_of(tx, source), tuple(refusals)
    after = KeptRefusals(before.count + len(new), (*before.newest, *new)[-MOST:])
    tx.put(Record(KIND, source, msgspec.json.encode(after)))


def _keep(tenants: Tenants, noted: Sequence[Noted]) -> None:
    by_tenant: dict[str, list[Noted]] = {}
    for one in noted:
        if one.refusal.tenant and _is_kept(one):
            by_tenant.setdefault(one.refusal.tenant, []).append(one)
    for name, some in by_tenant.items():
        try:
            with tenants.hold(name) as tenant:
                tenant.store.write(partial(_add_all, noted=some)).result()
        except Exception as error:  # noqa: BLE001 (it was refused, whether that can be kept or not)
            _log.warning("refusals cannot be kept", tenant=name, error=type(error).__name__)


def _add_all(tx: Tx, noted: Sequence[Noted]) -> None:
    by_source: dict[str, list[Refusal]] = {}
    for refusal, key in noted:
        known = find_key(tx, key) if key else None
        source = known.source if known else refusal.source
        if source != NOBODY:
            told = msgspec.structs.replace(refusal, tenant="", source=source, key=known.key if known else "")
            by_source.setdefault(source, []).append(told)
    for source, refusals in by_source.items():
        add(tx, source, refusals)


def _is_kept(noted: Noted) -> bool:
    refusal = noted.refusal
    if refusal.cause or refusal.status >= 500 or (refusal.source == NOBODY and not noted.key):
        return False
    if refusal.resource.startswith("/") and not refusal.resource.startswith(_IMPORTS):
        return False
    return refusal.method in _WRITES or refusal.status in _DENIED


KINDS = (Kind(KIND, "working", KeptRefusals, subjects=None, retention="operational", exported=False),)
