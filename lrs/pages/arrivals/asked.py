"""The parameters in the address of the list of arrivals: filters, order, start of the page. Pure.

A person is named by a text that only this server can read, so no address or number of a learner is in a log or in a
browser's history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

import msgspec

from lrs.competency.dates import midnight, shifted
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.storage import NEWEST, last_seq
from lrs.tenancy.tenants import Tenant

PATH = "/arrivals"
SEALED = "arrivals-person"
_LONGEST = 2_000
_FILTERS = ("source", "person", "verb", "activity", "from", "to", "refused", "sort")


class Wanted(msgspec.Struct, frozen=True):
    """The filters.

    *agent* is an ``ifi_text``; *after* and *until* are places in the order; the page starts at *before*.

    *given* are the parameters as they were sent, without *before*.
    """

    given: Mapping[str, str]
    source: str = ""
    agent: str = ""
    verb: str = ""
    activity: str = ""
    after: int = 0
    until: int = NEWEST
    oldest_first: bool = False
    refused_only: bool = False
    before: int | None = None

    @property
    def with_refusals(self) -> bool:
        """Whether the list has refusals.

        With a filter on the statement it has none, because nobody knows what a refused one was about.
        """
        return not (self.agent or self.verb or self.activity)

    def address(self, root: str, *, ending: str = "", **changes: str) -> str:
        """The address with *changes*; an empty value removes a parameter."""
        query = {name: value for name, value in {**self.given, **changes}.items() if value}
        return f"{root}{PATH}{ending}{'?' if query else ''}{urlencode(query)}"


def wanted(tenant: Tenant, parameters: Mapping[str, str]) -> Wanted:
    """The filters in *parameters*; days are days of the tenant. Raises ``Refused`` (400) for an unreadable one."""
    given = {name: parameters[name].strip() for name in _FILTERS if parameters.get(name, "").strip()}
    for name, value in given.items():
        if len(value) > _LONGEST:
            raise Refused(f"The filter {name} is longer than {_LONGEST} characters.")
    zone = tenant.settings.zone
    return Wanted(
        given,
        source=given.get("source", ""),
        agent=_agent(tenant, given.get("person", "")),
        verb=given.get("verb", ""),
        activity=given.get("activity", ""),
        after=_midnight(given["from"], zone) if "from" in given else 0,
        until=_midnight(given["to"], zone, days=1) if "to" in given else NEWEST,
        oldest_first=given.get("sort") == "stored",
        refused_only=given.get("refused") == "yes",
        before=_place(parameters.get("before", "")),
    )


def sealed(tenant: Tenant, agent: str) -> str:
    """The parameter ``person`` for the agent with this ``ifi_text``."""
    return hide(tenant.secret(SEALED), agent)


def _agent(tenant: Tenant, text: str) -> str:
    try:
        return reveal(tenant.secret(SEALED), text, str) if text else ""
    except NotOurs as error:
        raise Refused("This address names nobody: choose the person in the list again.") from error


def _place(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Refused("This page of the list does not exist: begin at its first page.")
    return min(int(text), NEWEST)


def _midnight(text: str, zone: str, days: int = 0) -> int:
    """The last place in the order before the day *text* begins, so many *days* later."""
    try:
        if len(text) != len("2026-11-17"):
            raise ValueError
        begins = midnight(shifted(date.fromisoformat(text), days), zone)
    except (ValueError, OverflowError) as error:
        raise Refused("A day is written as year, month and day: 2026-11-17.") from error
    return min(last_seq(begins - 1), NEWEST) if begins > 0 else 0
