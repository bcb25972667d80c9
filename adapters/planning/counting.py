"""The step that counts, once a day and when somebody asks: one walk over each kind, never for a request.

Whoever meets all essentials of a role holds it; whoever meets at least half of them is on track. Pure but for reading;
what of it is shown is worked out at once (``figures.shown``), and only that is kept.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from adapters.planning import figures
from adapters.planning.counts import HELD, ON_TRACK, SUPPLY, Count, Counted, at
from adapters.planning.crowd import Alike
from adapters.planning.demand import everything, regions_of
from adapters.planning.families import asked_of
from adapters.planning.families import families as related
from adapters.planning.figures import UNKNOWN, Planning, ShownPlanning
from adapters.planning.protect import TOTAL
from adapters.planning.together import Family
from adapters.reading.vocabulary import ASSESSMENT, COMPLETED, EXTENSIONS, PASSED, REGISTERED, STANDARD, TIMETABLED
from adapters.training_centre import attendees, centre_sessions, learner_routes
from lrs.competency.dates import day_of
from lrs.competency.frameworks.frameworks import published
from lrs.competency.shapes import Award, Profile
from lrs.kernel.times import DAY, SECOND
from lrs.matching import outcomes
from lrs.matching.roles import roles
from lrs.matching.roles.gap import COUNTS, MET, Role, outcome
from lrs.people.ids import ids_of
from lrs.storage import Claim, Owed, Reader, Tx, Walk, walked
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import identifier_of
from lrs.xapi.statements.keys import verb_key

EVERY = DAY
WINDOWS = ((30, "within 30 days"), (60, "in 31 to 60 days"), (90, "in 61 to 90 days"))
MOST_SESSIONS = 1_000
APPRENTICESHIP = "Apprenticeship"


def plan(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step."""
    for claim in claims:
        found = figures.shown(count(tenant))

        def settle(tx: Tx, found: ShownPlanning = found) -> None:
            figures.put(tx, found)
            tx.owe(figures.KIND, figures.ID, Owed(figures.STEP, due=found.at + EVERY))

        tenant.store.settle([claim], settle).result()


@dataclass(slots=True)
class _People:
    """What is known of people: who holds whose record, where they learn, how they came."""

    tenant: Tenant
    holders: dict[str, str] = field(default_factory=dict)
    districts: dict[str, str] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)

    def of(self, agent: Mapping[str, Any]) -> str:
        """Who *agent* is; empty if nobody here."""
        known = identifier_of(agent)
        record = self.tenant.store.get("identifier", ids_of(self.tenant)(known.id)) if known else None
        return self.holders.get(record.meta["person"], "") if record else ""


def count(tenant: Tenant) -> Planning:
    """All counts, as they are now, with the smallest number that may be shown."""
    people = _people(tenant)
    supply = _supply(tenant, people)
    found = [*supply.counts.items(), *_path(tenant, people), *_ending(tenant), *_seats(tenant)]
    counts = tuple(Counted(what, number) for what, number in sorted(found))
    return Planning(figures.smallest(tenant.store), tenant.clock(), counts, supply.families)


def _people(tenant: Tenant) -> _People:
    people, reader = _People(tenant), tenant.store
    for record in walked(reader, Walk("person", limit=500, bare=True)):
        people.holders[record.id] = record.meta["into"] or record.id
    homes: dict[str, str] = {}
    routes = (learner_routes.route_in(record) for record in walked(reader, Walk(learner_routes.KIND, limit=500)))
    for one in sorted(routes, key=lambda route: route.at):  # several centres may have told one: the newest counts
        if who := people.of(one.who.agent().as_version()):
            people.routes[who] = learner_routes.said(one) or people.routes.get(who, UNKNOWN)
            homes[who] = one.district or homes.get(who, "")
    for told in _told(reader, REGISTERED, STANDARD):
        if who := people.of(told["actor"]):
            people.started.add(who)
            people.districts[who] = _district(told, "delivery-district") or people.districts.get(who, "")
    for told in _told(reader, REGISTERED, TIMETABLED):  # where somebody lives counts more than where they learn
        if (lives := _district(told, "home-district")) and (who := people.of(told["actor"])):
            people.districts[who] = lives
    people.districts |= {who: lives for who, lives in homes.items() if lives}
    for verb, type in ((COMPLETED, STANDARD), (PASSED, ASSESSMENT)):
        people.completed |= {who for told in _told(reader, verb, type) if (who := people.of(told["actor"]))}
    return people


def _told(reader: Reader, verb: str, type: str) -> Iterator[dict[str, Any]]:
    """The statements with *verb* about an activity of *type* that nobody voided."""
    for record in walked(reader, Walk("statement", (verb_key(verb),), limit=200)):
        told = json.loads(record.body) if "voided" not in record.meta else {}
        if told.get("verb", {}).get("id") == verb and told["object"].get("definition", {}).get("type") == type:
            yield told


def _district(told: Mapping[str, Any], name: str) -> str:
    value = told.get("context", {}).get("extensions", {}).get(f"{EXTENSIONS}{name}", "")
    return value if isinstance(value, str) else ""


class _Supply(msgspec.Struct, frozen=True):
    counts: Counter[Count]
    families: tuple[Family, ...]


def _supply(tenant: Tenant, people: _People) -> _Supply:
    """Who holds each role and who is on track: in all, by region, by route, by funding stream, now and in later years.

    Roles that will have effect count as those that have it. A role that has ended is no supply.
    """
    reader, today = tenant.store, day_of(tenant.clock(), tenant.settings.zone)
    asked, regions = [one for one in roles.everyone(reader) if not one.has_ended(today)], regions_of(reader)
    years = _years(reader, today, 2 * len(asked) * (len({*regions.values()}) + len(learner_routes.ROUTES) + 5))
    each = [
        Count(SUPPLY, one.id, measure, year=year)
        for one in asked
        for measure in (HELD, ON_TRACK)
        for year in ("", *map(str, years))
    ]
    found = Counter(dict.fromkeys(each, 0))
    codes = {item.id: item.code for framework in published(reader) for item in framework.items if item.code}
    families: dict[frozenset[str], Counter[Alike]] = {ids: Counter() for ids in related(asked, codes)}
    for record in walked(reader, Walk("profile", limit=200)):
        profile = msgspec.json.decode(record.body, type=Profile)
        if profile.merged_into is None and people.holders.get(record.id) == record.id:
            tables = [table for role in asked for table in _tables(role, profile, years)]
            cells = tuple(sorted(_splits(record.id, people, regions).items()))
            found.update(at(table, cell, table.year) for table in tables for cell in (TOTAL, *cells))
            for ids, crowd in families.items():
                if own := tuple(table for table in tables if table.of in ids):
                    crowd[Alike(own, cells)] += 1
    return _Supply(found, tuple(Family(ids, crowd) for ids, crowd in families.items()))


def _tables(role: Role, profile: Profile, years: Sequence[int]) -> Iterator[Count]:
    """The tables of *role* that count whom *profile* is about: today's, and those of years in which it is still so."""
    if measure := _stands(role, profile):
        yield Count(SUPPLY, role.id, measure)
        for year in years:
            if _stands(role, profile, date(year, 12, 31)) == measure:
                yield Count(SUPPLY, role.id, measure, year=str(year))


def _years(reader: Reader, today: date, each: int) -> list[int]:
    """The years to come, and this one, for which somebody is wanted; fewer where the counts of *each* are too many."""
    known = sorted({one.year for one in everything(reader) if one.year >= today.year})
    return known[: min(figures.MOST_YEARS, max(0, figures.MOST_COUNTS // max(1, each) - 1))]


def _splits(who: str, people: _People, regions: Mapping[str, str]) -> dict[str, str]:
    return {
        "region": regions.get(people.districts.get(who, ""), UNKNOWN),
        "route": people.routes.get(who, UNKNOWN),
        "funding": APPRENTICESHIP if who in people.started else UNKNOWN,
    }


def _stands(role: Role, profile: Profile, on: date | None = None) -> str:
    """``held``, ``on track``, or nothing: now, or with what is still valid *on* a day to come."""
    counting = (one for one in profile.competencies if one.state in COUNTS)
    held = [one for one in counting if not (on and one.valid_until) or one.valid_until >= on]
    asked = asked_of(role)
    met = sum(outcome(one, held).result in MET for one in asked) if held else 0
    return HELD if asked and met == len(asked) else ON_TRACK if met and 2 * met >= len(asked) else ""


def _path(tenant: Tenant, people: _People) -> Iterator[tuple[Count, int]]:
    """From a start to a job. Each person counts once for each."""
    credentials = walked(tenant.store, Walk("credential", limit=500, bare=True))
    badged = {people.holders.get(str(record.meta.get("person")), "") for record in credentials} - {""}
    hired = {people.holders.get(one.person, "") for one in outcomes.hired(tenant)} - {""}
    stages = (people.started, people.completed, badged, hired)
    for measure, who in zip(figures.PATH, stages, strict=True):
        yield Count("path", "", measure), len(who)


def _ending(tenant: Tenant) -> Iterator[tuple[Count, int]]:
    """Qualifications that are held and end soon, by the source that proved them last: a training centre, a platform."""
    today = day_of(tenant.clock(), tenant.settings.zone)
    found: Counter[Count] = Counter()
    for record in walked(tenant.store, Walk("award", limit=200)):
        one = msgspec.json.decode(record.body, type=Award)
        words = window(one.valid_until, today) if one.state == "held" else ""
        if words:
            source = max(one.evidence, key=lambda proof: proof.timestamp).source if one.evidence else UNKNOWN
            found[Count("ending", source, "qualifications that end")] += 1
            found[Count("ending", source, "qualifications that end", "when", words)] += 1
    yield from found.items()


def window(ends: date | None, today: date) -> str:
    """The one of ``WINDOWS`` in which *ends* is, the last day on which something holds; empty for none."""
    days = (ends - today).days if ends else -1
    return next((words for most, words in WINDOWS if 0 <= days <= most), "")


def _seats(tenant: Tenant) -> Iterator[tuple[Count, int]]:
    """Seats of open sessions to come, and how many are taken, by training centre."""
    seats: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in centre_sessions.opened(tenant.store, MOST_SESSIONS):
        if one.seats and one.starts > tenant.clock():
            seats[one.centre][0] += one.seats
            seats[one.centre][1] += tenant.store.count(attendees.KIND, [attendees.expected_key(one.id)])
    for centre, (offered, taken) in seats.items():
        yield Count("seats", centre, figures.SEATS), offered
        yield Count("seats", centre, "bookings"), taken


PLANNED = EVERY // SECOND
"""How far ahead the step is owed, in seconds."""
