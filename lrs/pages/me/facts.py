"""The data of a learner's own pages, read from the store, with bounds. Formats nothing.

Only the evidence that an award names is read (``decide.CITED``), and of that the newest.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lrs.access import MADE_HERE, is_of_content, is_own, learners
from lrs.competency import listed
from lrs.competency.ending import Ending, ending_of
from lrs.competency.frameworks.frameworks import published
from lrs.competency.rules.rulesets import in_force
from lrs.competency.shapes import Award, ProfileEntry, Proof
from lrs.competency.witnessed import Witnessed, witnessed
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.times import DAY
from lrs.matching import disclosures, notices, outcomes, services, view
from lrs.matching.consent import consent, withdrawal
from lrs.matching.consent.consent import Consent
from lrs.matching.consent.links import ConsentLink
from lrs.matching.consent.under_age import is_under_age
from lrs.matching.outcomes import JobOutcome
from lrs.matching.preview import Seen, gets, in_words
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Role
from lrs.matching.services import Service
from lrs.outbox import deliveries
from lrs.pages.facts import subjects
from lrs.pages.me import badges
from lrs.pages.me.badges import OwnBadge
from lrs.people import questions
from lrs.people.persons import identifiers_in, members_of
from lrs.people.questions import Question
from lrs.people.search import somebody
from lrs.storage import Reader, Walk, each, first_seq, micros_of
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.web.language import ENGLISH

SKILLS = 200
PROOFS = 3
"""How many pieces of evidence are shown for one skill (the newest), and how many statements are read in all."""
STATEMENTS = 150
ROLES = 500
LISTED = 200
READ_HERE = 20
"""Records of each kind that the page about all data shows; the file has all of them."""
YEAR = 365 * DAY


class Own(msgspec.Struct, frozen=True):
    """The signed-in learner: the *person*, the joined persons (holder first), and the known name."""

    person: str
    members: tuple[str, ...]
    name: str


class Skill(msgspec.Struct, frozen=True):
    """A competency that is or was held, its award, its newest proofs by id, and why it ends on its day."""

    entry: ProfileEntry
    award: Award | None
    proofs: tuple[Proof, ...]
    seen: Mapping[str, Witnessed]
    ending: Ending | None = None


class OwnSkills(msgspec.Struct, frozen=True):
    """The data of the first page. *more* is how many skills are left out.

    *comes_back* says whether the learner has an address or a sign-in provider to sign in again.
    """

    own: Own
    skills: tuple[Skill, ...]
    more: int
    badges: tuple[OwnBadge, ...]
    asked: tuple[Question, ...]
    comes_back: bool


class Sharing(msgspec.Struct, frozen=True):
    """The consents for one *service*, newest first, and what it sees now; ``None`` for nothing.

    *waiting* are links that a guardian must agree to. If the learner is *under_age*, not all consents hold.
    """

    service: Service
    consents: tuple[Consent, ...]
    seen: Seen | None
    waiting: tuple[ConsentLink, ...] = ()
    under_age: bool = False


class OutcomeSeen(msgspec.Struct, frozen=True):
    """What a service told became of the learner, the name of the *service* and the label of the *role*."""

    outcome: JobOutcome
    service: str
    role: str


class ServiceTold(msgspec.Struct, frozen=True):
    """*service* got *what* at a time (microseconds UTC): it was *sent*, or the service asked."""

    service: str
    at: int
    what: str
    sent: bool


def own(tenant: Tenant, person: str) -> Own:
    """The learner *person*. Raises ``Refused`` (410) if the record does not exist any more."""
    members = members_of(tenant.store, person)
    if not members:
        raise Refused("There is no such record any more. Ask your training provider.", status=410, error="gone")
    return Own(person, members, somebody(tenant.store, members[0]).name or "")


def skills(tenant: Tenant, who: Own) -> OwnSkills:
    """The skills that *who* holds and held, with reasons; badges and questions."""
    reader, account = tenant.store, learners.account_of(tenant.store, who.person)
    entries = held(reader, who)
    shown = entries[:SKILLS]
    awards = _awards(reader, shown)
    proofs = {one.award: _newest(awards.get(one.award)) for one in shown}
    looked_at = [proof.statement for found in proofs.values() for proof in found][:STATEMENTS]
    seen = witnessed(reader, looked_at)
    rules, zone = in_force(reader), tenant.settings.zone
    endings = {id: ending_of(awards[id], rules, zone) for id in proofs.keys() & awards.keys()}
    return OwnSkills(
        own=who,
        skills=tuple(
            Skill(one, awards.get(one.award), proofs[one.award], seen, endings.get(one.award)) for one in shown
        ),
        more=len(entries) - len(shown),
        badges=badges.of_members(reader, who.members),
        asked=tuple(questions.of_group(reader, who.members)),
        comes_back=account is not None and account.comes_back,
    )


def held(reader: Reader, who: Own) -> tuple[ProfileEntry, ...]:
    """The competencies in the profile of *who*."""
    record = reader.get("profile", who.members[0])
    return view.read_profile(record).competencies if record else ()


def all_roles(reader: Reader) -> list[Role]:
    """The first ``ROLES`` roles, ordered by name."""
    found = reader.find(Walk("role", limit=ROLES)).records
    return sorted(
        (msgspec.json.decode(record.body, type=Role) for record in found), key=lambda one: one.label.casefold()
    )


def level_words(reader: Reader, role: Role) -> dict[str, dict[int, str]]:
    """The names of the levels that *role* asks for, by competency and ordinal."""
    known = published(reader)
    by_uri = {one.id: one.scale for one in known}
    by_item = {item.id: one.scale for one in known for item in one.items}
    scales = {
        asked.competency: by_uri.get(asked.framework or "") or by_item.get(asked.competency)
        for asked in role.requirements
    }
    return {
        competency: {level.ordinal: level.label for level in scale.levels}
        for competency, scale in scales.items()
        if scale
    }


def sharing(tenant: Tenant, who: Own, language: str = ENGLISH) -> list[Sharing]:
    """The services to which *who* ever gave a consent; those that see something come first."""
    reader, mine = tenant.store, own_subjects(tenant.store, who)
    under_age = is_under_age(tenant, reader, who.members, tenant.clock())
    given = [one for subject in mine for one in consent.of_subject(reader, subject)]
    waiting = withdrawal.waiting_of(reader, mine)
    purposes = {link.service: link.purpose for link in waiting}
    purposes |= {one.service: one.purpose for one in sorted(given, key=lambda one: one.given)}
    found = []
    for id, purpose in purposes.items():
        agreed = sorted((one for one in given if one.service == id), key=lambda one: -one.given)
        known = services.get(reader, id) or Service(id, id, purpose, (), "", "", state="removed")
        asked = tuple(one for one in waiting if one.service == id)
        found.append(Sharing(known, tuple(agreed), _seen(tenant, who, known, language), asked, under_age))
    return sorted(found, key=lambda one: (one.seen is None, one.service.name.casefold()))


def senders(reader: Reader, who: Own) -> tuple[str, ...]:
    """The sources that told of *who*, without those of content and of this product: the people there see it, too."""
    record = reader.get(listed.KIND, who.members[0])
    told = listed.read(record).sources if record else frozenset[str]()
    return tuple(sorted(one for one in told if not (one in MADE_HERE or is_of_content(one) or is_own(one))))


def own_subjects(reader: Reader, who: Own) -> list[consent.Subject]:
    """The subjects under which consents of *who* may be stored."""
    return subjects({member: identifiers_in(reader, [member]) for member in who.members})


def told(reader: Reader, who: Own, now: int) -> list[ServiceTold]:
    """What services got about *who* in the last year, newest first; at most ``LISTED`` of each sort."""
    after = now - YEAR
    sent = [one for member in who.members for one in _sent(reader, member, after)]
    asked = [
        ServiceTold(one.service, one.first, what, sent=False)
        for member in who.members
        for one in disclosures.of_person(reader, member, after, LISTED)
        for what in one.what
    ]
    return sorted((*sent, *asked), key=lambda one: -one.at)


def came_of(reader: Reader, who: Own) -> list[OutcomeSeen]:
    """What services told became of *who*, the newest day first; at most ``LISTED``."""
    found = [one for member in who.members for one in outcomes.of_person(reader, member)]
    found = sorted(found, key=lambda one: (one.what.day, one.told), reverse=True)[:LISTED]
    names = {id: known.name for id, known in services.named(reader, {one.service for one in found}).items()}
    asked = {one.what.role for one in found if one.what.role}
    labels = {one.id: one.label for one in roles.some(reader, asked)}
    return [
        OutcomeSeen(one, names.get(one.service, one.service), labels.get(one.what.role or "", one.what.role or ""))
        for one in found
    ]


def sign_ins(reader: Reader, who: Own, now: int) -> list[int]:
    """When *who* signed in during the last year (microseconds UTC), newest first; at most ``LISTED``."""
    found = [
        entry.at
        for member in who.members
        for entry in audit.of_person(reader, member, "session.opened", now - YEAR, LISTED)
    ]
    return sorted(found, reverse=True)[:LISTED]


def lower_awards(reader: Reader, who: Own, found: OwnSkills) -> list[str]:
    """The awards of *who* for a lower level of a competency than the one that is held."""
    held = {one.entry.competency.id: one.entry.level.ordinal for one in found.skills if one.entry.state != "expired"}
    awards = {
        record.id: msgspec.json.decode(record.body, type=Award)
        for member in who.members
        for record in each(reader, "award", key("award", member))
    }
    return [id for id, one in awards.items() if one.level.ordinal < held.get(one.competency.id, 0)]


def _awards(reader: Reader, shown: tuple[ProfileEntry, ...]) -> dict[str, Award]:
    found = reader.get_many("award", [one.award for one in shown]) if shown else {}
    return {id: msgspec.json.decode(record.body, type=Award) for id, record in found.items()}


def _newest(award: Award | None) -> tuple[Proof, ...]:
    found = sorted(award.evidence, key=lambda one: one.timestamp, reverse=True) if award else ()
    return tuple(found[:PROOFS])


def _seen(tenant: Tenant, who: Own, service: Service, language: str) -> Seen | None:
    found = (gets(tenant, service, member) for member in who.members)
    return next((in_words(one, language) for one in found if one is not None), None)


def _sent(reader: Reader, person: str, after: int) -> list[ServiceTold]:
    walk = Walk(deliveries.KIND, [key("person", person)], after=first_seq(after) - 1, newest_first=True, limit=LISTED)
    return [
        ServiceTold(str(record.meta["to"]), micros_of(record.seq), notices.read(record).event, sent=True)
        for record in reader.find(walk).records
        if deliveries.channel_of(record) == notices.CHANNEL and record.meta["state"] == deliveries.DELIVERED
    ]
