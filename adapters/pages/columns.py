"""What a form says about the columns of a file: which each header means, what stands in none, how dates are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from adapters.imports.job import Job
from adapters.imports.mappings import SavedProfile, saved_for
from adapters.imports.sources import SOURCES
from adapters.pages import acts, view
from adapters.reading.profile import MappingProfile
from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import fold
from lrs.kernel.tables.heads import MOST_HEADERS
from lrs.tenancy.tenants import Tenant

MOST_FIELDS = MOST_HEADERS + 60


def corrected(
    tenant: Tenant, before: Job, form: Mapping[str, str], pairs: Iterable[tuple[str, str]], by: str
) -> tuple[Job, SavedProfile | None]:
    """The dry run that *form* asks for, and the profile to keep, if it names one. Raises ``Refused`` (400, 410)."""
    adapter = form.get("kind", before.adapter)
    if adapter not in SOURCES:
        raise Refused("Say what sort of file it is.", error="unknown_adapter")
    if chosen := form.get("saved", ""):
        saved = next((one for one in saved_for(tenant.store, [before.provider]) if one.name == chosen), None)
        if saved is None:
            raise Refused("There are no columns under that name any more.", error="bad_profile")
        return acts.corrected(tenant, before, by, saved.adapter, saved.profile, saved.name), None
    if adapter != before.adapter:
        return acts.corrected(tenant, before, by, adapter, None), None
    profile, name = profile_in(before, form, pairs), " ".join(form.get("name", "").split())
    save = SavedProfile(name, before.provider, adapter, profile, tenant.clock(), by) if name else None
    return acts.corrected(tenant, before, by, adapter, profile, name), save


def profile_in(job: Job, form: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> MappingProfile:
    """The mapping profile that *form* says. Raises ``Refused`` (400) where two headers would mean one column."""
    headers: dict[str, list[str]] = {}
    meant: dict[str, str] = {}
    for at, header in enumerate(job.look.headers if job.look else ()):
        column = form.get(f"c{at}", "")
        if not column:
            continue
        if column in meant:
            message = f"“{meant[column]}” and “{header}” cannot both be “{view.label(column)}”: choose one of them."
            raise Refused(message, error="bad_profile")
        meant[column] = header
        if fold(header) != fold(column):
            headers[column] = [header]
    return replace(
        job.profile,
        headers=headers,
        constants=_constants(pairs),
        dates=_dates(job, form),
        hours=form.get("hours", ""),
    )


def _dates(job: Job, form: Mapping[str, str]) -> tuple[str, ...]:
    """How the dates are written: by the answer to what the page asks of them, or else as somebody chose."""
    if job.asks and form.get("order") == "other":
        return job.asks.formats
    if job.asks and form.get("order") == "same":
        return job.asks.kept or job.profile.dates
    dates = form.get("dates", "")
    if dates == view.date_of(job):
        return job.profile.dates
    return (dates,) if dates else MappingProfile().dates


def _constants(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What stands in columns that the file has not: each ``constant`` with the ``value`` behind it."""
    found: dict[str, str] = {}
    column = ""
    for name, value in pairs:
        if name == "constant":
            column = value
        elif name == "value" and column and value.strip():
            found[column] = value.strip()
    return found
