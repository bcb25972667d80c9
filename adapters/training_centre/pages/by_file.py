"""The sessions of which only files told, as rows of the list of sessions: to read, and to open their import."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.training_centre import filed
from adapters.training_centre.centre_sessions import KINDS_SAID
from adapters.training_centre.day import reach
from adapters.training_centre.filed import Brought, FiledSession, KeptFiled
from lrs.access import Caller, staff
from lrs.kernel.printing import time_of
from lrs.kernel.times import SECOND
from lrs.pages.visit import Visit, may
from lrs.web.dates import written_day, written_moment
from lrs.web.listing import ListRow
from lrs.web.shared import shared

IMPORTS = "/staff/imports"


def by_file(visit: Visit) -> list[ListRow]:
    """Those within reach."""
    tenant = visit.tenant
    found = filed.filed(tenant, reach(visit.caller), shared(visit.request, KeptFiled))
    brought = filed.brought_by(tenant.store, found)
    return [_row(visit, one, brought.get(one.iri)) for one in found]


def _row(visit: Visit, one: FiledSession, brought: Brought | None) -> ListRow:
    zone = ZoneInfo(visit.tenant.settings.zone)
    starts, ends, now = (
        datetime.fromtimestamp(at // SECOND, zone) for at in (one.starts, one.ends, visit.tenant.clock())
    )
    days, number = (starts.date(), ends.date(), now.date()), one.iri.rpartition("/")[2]
    return ListRow(
        {
            "title": one.title,
            "when": "Coming" if days[0] > days[2] else "Past" if days[1] < days[2] else "Today",
            "starts": time_of(one.starts),
            "kind": KINDS_SAID.get(one.kind, one.kind),
            "centre": one.centre,
            "state": "By file",
            "people": one.people,
            "number": number,
        },
        {"starts": f"{written_day(days[0])}, {starts:%H:%M} to {ends:%H:%M}"},
        {"title": f"{visit.root}{IMPORTS}/{brought.id}"} if brought and _may_open(visit.caller, one.centre) else {},
        {},
        {"title": number, "state": _said(visit, brought)},
    )


def _said(visit: Visit, brought: Brought | None) -> str:
    """Who brought it in, by which file, and when."""
    if brought is None:
        return "told by a program"
    who = staff.called(visit.tenant.store, brought.by) if brought.by.startswith(staff.SUBJECT) else "a program"
    return f"{brought.file}, by {who}, {written_moment(brought.at, visit.tenant.settings.zone)}"


def _may_open(caller: Caller, centre: str) -> bool:
    """Whether *caller* may open imports of *centre*."""
    return may(caller)(IMPORTS) and (caller.may_all("imports.run") or centre in caller.owned("imports.run"))
