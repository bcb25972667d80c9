"""What recent imports came to, as their ledgers at the xAPI endpoint tell. Knows no rows and runs nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from lrs.pages.facts import Run
from lrs.storage import Record, Store
from lrs.xapi.documents.content import stored_bytes
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, LEDGERS

LOOKED_AT = 200
"""Ledgers among so many of the newest Activity Profile documents are found; each run writes its own anew."""


def recent_runs(store: Store, *, limit: int = 20) -> list[Run]:
    """The last run of each file, newest first, at most *limit*."""
    documents = store.find(ACTIVITY_PROFILE.kind, newest_first=True, limit=LOOKED_AT).records
    runs = [run for document in documents if _is_ledger(document) for run in _runs(store, document)]
    return sorted(runs, key=lambda run: run.at, reverse=True)[:limit]


def _is_ledger(document: Record) -> bool:
    return document.meta.get("document") == "runs" and str(document.meta.get("activity", "")).startswith(LEDGERS)


def _runs(store: Store, document: Record) -> list[Run]:
    """Those in one ledger; anybody with the right scope may write such a document, so one that is none is left out."""
    adapter, _, provider = document.meta["activity"].removeprefix(LEDGERS).partition("/")
    try:
        noted = msgspec.json.decode(b"".join(stored_bytes(store, document)), type=dict[str, _Noted])
    except msgspec.MsgspecError:
        return []
    return [
        Run(unquote(adapter), unquote(provider), file, one.at, one.counts, one.quarantine)
        for file, one in noted.items()
    ]


class _Noted(msgspec.Struct, frozen=True):
    at: str
    counts: dict[str, int]
    quarantine: tuple[dict[str, Any], ...] = ()
