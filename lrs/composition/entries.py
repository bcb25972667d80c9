"""What an entry of owed work is about, in words of people: the learner, and where it is sent.

Whom a record is about is asked of the table of kinds; a record that cannot be read is about nobody.
"""

from __future__ import annotations

import msgspec

from lrs.composition.channels import CHANNELS
from lrs.composition.kinds import TENANT
from lrs.outbox import deliveries
from lrs.pages.facts import EntryNames
from lrs.pages.views import identifier_shown
from lrs.people.ids import ids_of, record_of
from lrs.people.search import somebody
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant


def entry_names(tenant: Tenant, record: Record) -> EntryNames:
    """What the entry of *record* is about; empty texts where nothing is known."""
    try:
        person = _person(tenant, record)
        to = _to(record)
    except (msgspec.MsgspecError, LookupError, ValueError):  # what is damaged is put aside, and shown here
        return EntryNames()
    return EntryNames(person, _name(tenant, person) if person else "", to)


def _name(tenant: Tenant, person: str) -> str:
    found = somebody(tenant.store, person)
    return found.name or next((identifier_shown(one)[1] for one in found.identifiers), "")


def _person(tenant: Tenant, record: Record) -> str:
    declared = TENANT.get(record.kind)
    if declared is None or declared.subjects is None:
        return ""
    about = declared.subjects(record)
    if about.persons:
        return min(about.persons)
    known = (record_of(tenant.store, one, ids_of(tenant)) for one in sorted(about.identifiers))
    return next((str(one.meta["person"]) for one in known if one is not None and one.meta.get("person")), "")


def _to(record: Record) -> str:
    channel = CHANNELS.get(deliveries.channel_of(record)) if record.kind == deliveries.KIND else None
    return str(channel.about(record)["to"]) if channel is not None else ""
