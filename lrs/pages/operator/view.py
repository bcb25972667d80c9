"""The data of the operator's pages: from facts to what a person reads. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrs.access.staff import Member
from lrs.kernel.plain_text import capital, counted
from lrs.kernel.printing import time_of
from lrs.kernel.settings import MIB, Settings
from lrs.kernel.times import SECOND
from lrs.pages.operator.facts import ALIVE, FAILING, LITTLE_ROOM, OLD_BACKUP, InstallationFacts, OrganisationFacts
from lrs.pages.states import MEMBER_STATES
from lrs.pages.words import lasting
from lrs.pages.work_view import LATE
from lrs.tenancy.backups import BackupTaken
from lrs.tenancy.record import TenantRecord
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

STATES = {"open": "Open", "suspended": "Suspended", "closing": "To be deleted", "deleted": "Deleted"}
MOODS = {"open": "good", "suspended": "warn", "closing": "bad", "deleted": "soft"}
ORGANISATION_COLUMNS = (
    ListColumn("name", "Organisation"),
    ListColumn("id", "Short name"),
    ListColumn("state", "State", facet=True),
    ListColumn("since", "Since"),
    ListColumn("stored", "Stored", figure=True),
)
NONE = "-"
"""Where a store was not looked at."""
KEY_COLUMNS = ("Name", "Key", "State", "Change")


def organisation_rows(found: Mapping[str, TenantRecord], root: str, zone: str) -> list[ListRow]:
    """The organisations; sizes sort as numbers."""
    return [
        ListRow(
            {
                "name": one.name or id,
                "id": id,
                "state": one.state,
                "since": time_of(one.since or one.created),
                "stored": one.stored,
            },
            {
                "state": STATES[one.state],
                "since": written_moment(one.since or one.created, zone),
                "stored": size(one.stored),
            },
            links={} if one.state == "deleted" else {"name": f"{root}/organisations/{id}"},
            moods={"state": MOODS[one.state]},
        )
        for id, one in found.items()
    ]


def size(count: int) -> str:
    """Bytes as people write them."""
    return f"{count / MIB:,.1f} MiB" if count else "Not measured yet"


def organisation(id: str, record: TenantRecord, counted: Mapping[str, int], zone: str) -> dict[str, Any]:
    """One organisation: names and values."""
    state = STATES[record.state]
    day = f", on {written_moment(record.delete_at, zone)}" if record.delete_at else ""
    facts = [
        ("Short name, in its addresses", id),
        ("State", f"{state}{day}"),
        ("Since", written_moment(record.since or record.created, zone)),
        *((capital(name), f"{count:,}") for name, count in counted.items()),
        ("Stored", size(record.stored)),
    ]
    if record.storage_limit is not None:
        facts.append(("May store", size(record.storage_limit)))
    return {"id": id, "name": record.name or id, "state": record.state, "facts": facts}


def needs(found: InstallationFacts, settings: Settings, now: int, zone: str) -> list[dict[str, str]]:
    """What needs the operator, the worst first: a mood, a text, what to do, and where."""
    return [
        *_of_organisations(found.organisations),
        *_of_workers(found, settings, now, zone),
        *_of_room(found),
        *_of_backups(found.backups, now, zone),
        *_of_settings(settings),
    ]


def _need(mood: str, text: str, to_do: str = "", place: str = "") -> dict[str, str]:
    return {"mood": mood, "text": text, "to_do": to_do, "place": place}


def _of_organisations(found: Iterable[OrganisationFacts]) -> Iterable[dict[str, str]]:
    for one in found:
        name = one.record.name or one.id
        if one.unusable:
            yield _need("problem", f"{name} cannot be opened: {one.unusable}", "lrs doctor")
        if one.lag > LATE:
            yield _need("problem", f"The work of {name} is {lasting(one.lag)} behind.", "lrs doctor")
        if one.parked:
            things = "thing was" if one.parked == 1 else "things were"
            yield _need("problem", f"{name}: {one.parked:,} {things} given up on. Its console says which.")
        if one.stopped:
            places = "destination" if one.stopped == 1 else "destinations"
            yield _need("problem", f"{name}: nothing is sent to {one.stopped} {places}. Its console says why.")
        if one.failing:
            things = "thing fails and is" if one.failing == 1 else "things fail and are"
            said = f"{_counted(one.failing)} {things} tried again without you"
            yield _need("warn", f"{name}: {said}. Its console says which, and why.")


def _counted(count: int) -> str:
    return f"at least {count:,}" if count >= FAILING else f"{count:,}"


def _of_workers(found: InstallationFacts, settings: Settings, now: int, zone: str) -> Iterable[dict[str, str]]:
    for one in found.deaths:
        yield _need(
            "problem",
            f"A worker died {counted(one['count'], 'time')} in a row, last on {written_moment(one['at'], zone)}:"
            f" {one['reason']}",
            "lrs doctor",
        )
    if not found.workers and not settings.celery_broker and now - found.since >= ALIVE:
        yield _need("problem", "No worker runs: statements are stored, and nothing follows from them.", "lrs work")


def _of_room(found: InstallationFacts) -> Iterable[dict[str, str]]:
    if found.free is not None and found.free < LITTLE_ROOM:
        yield _need("problem", f"Only {found.free // MIB:,} MiB are free on the disk of the store.")


def _of_backups(taken: Sequence[BackupTaken], now: int, zone: str) -> Iterable[dict[str, str]]:
    command = "lrs backup FILE --passphrase-file FILE"
    if not taken:
        yield _need("warn", "No backup was taken of this store yet.", command, "/system#backups")
    elif now - taken[0].at > OLD_BACKUP:
        yield _need("warn", f"The last backup is of {written_moment(taken[0].at, zone)}.", command, "/system#backups")


def _of_settings(settings: Settings) -> Iterable[dict[str, str]]:
    if not (settings.public_url or "").startswith("https:"):
        text = "This server has no public https address, so badges can be looked up by nobody else."
        yield _need("", text, "LRS_PUBLIC_URL", "/begin?step=address")
    if settings.smtp_url is None:
        text = "No mail server is set: mails wait with their links in the console of each organisation."
        yield _need("", text, "LRS_SMTP_URL", "/begin?step=mail")


def work_rows(found: Iterable[OrganisationFacts]) -> list[dict[str, Any]]:
    """How the work of each organisation goes, as text."""
    return [
        {
            "id": one.id,
            "name": one.record.name or one.id,
            "state": STATES[one.record.state],
            "mood": "bad" if one.unusable else MOODS[one.record.state],
            "waiting": f"{one.waiting:,}" if one.seen else NONE,
            "lag": (f"{lasting(one.lag)} behind" if one.lag >= SECOND else "Not behind") if one.seen else NONE,
            "parked": f"{one.parked:,}" if one.seen else NONE,
            "parked_mood": "bad" if one.parked else "",
        }
        for one in found
        if one.record.state != "deleted"
    ]


def backup_rows(taken: Iterable[BackupTaken], zone: str) -> list[dict[str, str]]:
    """The backups that are remembered."""
    return [
        {
            "at": written_moment(one.at, zone),
            "size": size(one.bytes),
            "key": "In it, sealed" if one.sealed else "Not in it: keep a copy elsewhere",
            "missing": f"{one.missing:,} missing" if one.missing else "Whole",
            "mood": "bad" if one.missing else "good",
        }
        for one in taken
    ]


def room(found: InstallationFacts) -> list[tuple[str, str]]:
    """The disk, and what runs."""
    disk = [] if found.free is None else [("Free on the disk of the store", f"{found.free // MIB:,} MiB")]
    if found.total is not None:
        disk.append(("Size of that disk", f"{found.total // MIB:,} MiB"))
    return [*disk, ("Workers that run", str(found.workers))]


def person(id: str, one: Member, own: str) -> dict[str, Any]:
    """An operator, for the list of them; *own* is the id of who looks."""
    return {
        "id": id,
        "name": one.name or one.email or "Somebody who has not come yet",
        "email": one.email or "None yet",
        "state": MEMBER_STATES[one.state],
        "mood": {"active": "good", "disabled": "bad"}.get(one.state, "warn"),
        "is_disabled": one.state == "disabled",
        "is_invited": one.state == "invited",
        "is_withdrawn": one.state == "withdrawn",
        "is_me": id == own,
        "factor": one.factor is not None,
    }
