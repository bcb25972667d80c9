"""The data of the console, read from the store and this machine, with bounds. Formats nothing."""

from __future__ import annotations

import platform
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.access import one_time
from lrs.access.keys import list_keys
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY
from lrs.outbox import deliveries
from lrs.outbox.mail import CHANNEL, Mail, good_until
from lrs.storage import Reader, Record, Walk, first_seq, micros_of
from lrs.tenancy.tenants import DEFAULT, Tenant
from lrs.web.frame import PRODUCT
from lrs.web.kept_refusals import all_refusals
from lrs.web.refusals import NOBODY, Refusal, newest
from lrs.xapi.about import release
from lrs.xapi.statements.keys import source_key
from lrs.xapi.statements.quarantine import tally_of

COUNTED = 1_000
"""Statements of a source that are counted for a day; above it the page says "more"."""
REFUSALS = 500
"""The newest refusals of the server that are looked at."""
SOURCES = 200
LINKS = {"used", "expired", "other_browser", "no_cookie", "foreign_form"}
"""The errors of links and forms for people (``lrs.access.one_time``)."""
MAILS = 200
_SECRET = re.compile(r"//[^/@\s]*@")


class SourceFacts(msgspec.Struct, frozen=True):
    """A source: its last statement, how many in a day (*more*: at least), refusals by rule, how many in quarantine."""

    name: str
    last: int | None
    day: int
    more: bool
    refused: Mapping[str, int]
    quarantined: int


class MailFacts(msgspec.Struct, frozen=True):
    """A mail that was not sent. *until* is when its link expires; times are microseconds UTC.

    *is_dead*: its link was used or replaced, or ended with the account of whom it is for.
    """

    id: str
    to: str
    what: str
    link: str
    queued: int
    until: int | None
    reason: str
    is_dead: bool = False

    def is_over(self, now: int) -> bool:
        """Whether sending it would bring nobody anywhere."""
        return self.is_dead or (self.until is not None and self.until <= now)


class SystemFacts(msgspec.Struct, frozen=True):
    """The versions and settings of this process.

    *settings* has no secrets; the other fields are about the installation, or empty.
    """

    versions: Mapping[str, str]
    settings: Mapping[str, str]
    free: int | None
    stored: int
    is_whole: bool


def sources(tenant: Tenant) -> list[SourceFacts]:
    """The sources that have a key or a refusal; an old link that somebody opened is no sender's.

    What was refused before its source was known is under the source of its key, else ``NOBODY``.
    """
    refused: dict[str, Counter[str]] = {}
    by_key = {one.request: source for source, kept in all_refusals(tenant.store).items() for one in kept.newest}
    for one in newest(tenant.settings.data, REFUSALS):
        if one.tenant == tenant.id and not one.dropped and not _is_of_a_page(one):
            source = by_key.get(one.request, NOBODY) if one.source == NOBODY else one.source
            refused.setdefault(source, Counter())[one.rule or one.error] += 1
    names = {str(one["name"]) for one in list_keys(tenant.store)} | refused.keys()
    return [_source(tenant, name, refused.get(name, {})) for name in sorted(names)[:SOURCES]]


def _is_of_a_page(one: Refusal) -> bool:
    """Whether nobody's key was in it, and it was for people."""
    return one.source == NOBODY and one.error in LINKS


def _source(tenant: Tenant, name: str, refused: Mapping[str, int]) -> SourceFacts:
    last = tenant.store.find(Walk("statement", (source_key(name),), newest_first=True, limit=1)).records
    since = first_seq(tenant.clock() - DAY)
    day = tenant.store.find(Walk("statement", (source_key(name),), after=since, limit=COUNTED))
    waits = tally_of(tenant.store, name).count
    came = micros_of(last[0].seq) if last else None
    return SourceFacts(name, came, len(day.records), day.next is not None, dict(refused), waits)


def mails(tenant: Tenant) -> list[MailFacts]:
    """The newest mails that wait, are held or were put aside, newest first."""
    newest_ones = tenant.store.find(
        Walk(deliveries.KIND, (deliveries.destination_key(CHANNEL),), newest_first=True, limit=MAILS)
    ).records
    parked = {
        record.id: owed.error
        for record, owed in tenant.store.parked(deliveries.STEP, limit=COUNTED)
        if deliveries.channel_of(record) == CHANNEL
    }
    waiting = {deliveries.QUEUED, deliveries.HELD}
    found = [record for record in newest_ones if record.meta.get("state") in waiting]
    return [_mail(tenant.store, record, parked.get(record.id)) for record in found]


def _mail(reader: Reader, record: Record, parked: str | None) -> MailFacts:
    mail, at = msgspec.json.decode(record.body, type=Mail), micros_of(record.seq)
    reason = parked or record.meta.get("reason") or "It is sent as soon as the worker comes to it."
    return MailFacts(
        record.id,
        mail.address,
        mail.template,
        mail.values.get("link", ""),
        at,
        good_until(mail, at),
        str(reason),
        _is_dead(reader, mail),
    )


def _is_dead(reader: Reader, mail: Mail) -> bool:
    """Whether the link in *mail* is one that works once, and does not work any more."""
    link = mail.values.get("link", "")
    return mail.template in one_time.LASTS and link != "" and not one_time.is_there(reader, link.rpartition("/")[2])


def system(tenant: Tenant) -> SystemFacts:
    """The system for *tenant*. Only the first tenant is told what belongs to the installation."""
    settings, is_whole = tenant.settings, tenant.id == DEFAULT
    free = shutil.disk_usage(settings.data).free if is_whole and settings.data.is_dir() else None
    decided = tenant.record.decided.named()
    told = shown_settings(settings) if is_whole else {name: str(value) for name, value in decided.items()}
    return SystemFacts(versions(), told, free, tenant.record.stored, is_whole)


def versions() -> dict[str, str]:
    """The programs that run here, with their versions."""
    return {PRODUCT: release(), "Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}


def shown_settings(settings: Settings) -> dict[str, str]:
    """The settings in force by variable: secrets as stars, addresses without users and passwords."""
    return {f"LRS_{name.upper()}": _plain(value) for name, value in settings if value is not None}


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return _SECRET.sub("//…@", str(value))
