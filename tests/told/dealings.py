"""What the told network deals in: who is one person, who may see what, roles, what leads there, what is planned."""

# ruff: noqa: B008 (a value of a loop is bound as a default; rows of tables are read as rows)

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.catalogue import offerings
from adapters.catalogue.scales import scales_of
from adapters.catalogue.table import read_catalogue
from adapters.planning import demand, figures
from adapters.planning.demand import read_demand
from adapters.reading.people import Ifi
from adapters.training_centre import acts, learner_routes
from badges.held import shares, stops
from lrs.access import learners, source_names, staff, staff_acts
from lrs.access.roles import granted
from lrs.access.staff import ACTIVE, Member
from lrs.competency.frameworks.frameworks import published
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY, HOUR
from lrs.matching import declared, disclosures, occupations, outcomes, registry, services
from lrs.matching.consent import answers, consent, links
from lrs.matching.consent.answers import ConsentAnswer, GuardianWanted, Posted
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.consent.links import Wish
from lrs.matching.occupations import Occupation, OccupationSkill
from lrs.matching.outcomes import WhatCameOfIt
from lrs.matching.registry import AboutService
from lrs.matching.roles import roles
from lrs.people import confirmed_names, joins, minors, nobody, parting, questions, told_names
from lrs.people.confirmed_names import ConfirmedName
from lrs.people.ids import identified, ids_of
from lrs.people.questions import Matter
from lrs.people.told_names import Called
from lrs.storage import each
from lrs.web import kept_refusals
from lrs.web.refusals import Refusals, refusal_of
from tests.adapters.training_centre.made import Centre
from tests.told.learning import ATMP, GMP, SAME_PERSON, Did, account, did, hashed, mailbox, slug, uln

if TYPE_CHECKING:
    from tests.told.network import Network, Sending

SECRETS = "secrets.json"
"""The file with the secrets of services."""
CENTRE = {"source": "centre"}
STAFF = {
    "Ada Admin": ("administrator",),
    "Sam Steward": ("steward",),
    "Tess Trainer": ("trainer:north",),
    "Asa Assessor": ("assessor:centre",),
    "Pru Provider": ("provider:centre",),
    "Arthur Author": ("author:vle",),
    "Dev Loper": ("developer:career-converter",),
    "Petra Planner": ("planner",),
    "Emma Employer": ("employer:cell-works", "employer:bio-works"),
    "Otto Auditor": ("auditor",),
    "Mona Many": ("trainer:moodle", "provider:vle"),
}


def member_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


ADA, SAM, PETRA = (f"staff {member_id(name)}" for name in ("Ada Admin", "Sam Steward", "Petra Planner"))


def _row(*others: dict[str, Any]) -> dict[str, Any]:
    """A row that carries further identifiers of its learner."""
    return {"context": {"extensions": {SAME_PERSON: list(others)}}}


PEOPLE: list[tuple[str, dict[str, Any] | None, list[Did]]] = [
    ("Seen By Alias", None, [did("records", **CENTRE, **_row(account("Seen By Alias")))]),
    (
        "Joined By Row",
        None,
        [did("gowning"), did("records", **CENTRE, **_row(account("Joined By Row"), uln("1000000108")))],
    ),
    ("Joined By Row", account("Joined By Row"), [did("aseptic"), did("gowning-2")]),
    ("Only Suggested", None, [did("gowning", **_row(account("Only Suggested")))]),
    ("Merged By Hand", None, [did("records", "2026-11-09", **_row(account("Merged By Hand")))]),
    ("Dismissed", None, [did("gowning", **_row(account("Dismissed")))]),
    ("Conflicting", uln("1000000116"), [did("gowning")]),
    ("Conflicting", mailbox("Conflicting"), [did("records", **CENTRE, **_row(uln("1000000116")))]),
    ("Conflicting Other", uln("1000000124"), [did("gowning")]),
    ("Conflicting Other", uln("1000000124"), [did("records", "2026-11-12", **CENTRE, **_row(mailbox("Conflicting")))]),
    ("Case Mail", {"mbox": "mailto:Case.Mail@example.org"}, [did("gowning")]),
    ("Case Mail", {"mbox": "mailto:case.mail@example.org"}, [did("aseptic")]),
    ("Merged By Hand", None, [did("gowning")]),
    ("Merged By Hand", account("Merged By Hand"), [did("aseptic")]),
    ("Parted", None, [did("gowning")]),
    ("Parted", account("Parted"), [did("aseptic")]),
    ("Hashed First", hashed("Hashed First"), [did("gowning", "2026-11-01")]),
    ("Hashed First", None, [did("gowning", "2026-11-02")]),
    ("Guest User", account("guest"), [did("gowning")]),
    ("Visitor", account("visitor"), [did("aseptic", **CENTRE), did("cabinet", verb="completed", source="moodle")]),
    ("Temporary", uln("9999999999"), [did("gowning")]),
    ("Wrong Digit", uln("1000000109"), [did("gowning")]),
    ("Old Name", mailbox("renamed"), [did("gowning", "2026-11-01")]),
    ("New Name", mailbox("renamed"), [did("gowning", "2026-11-02")]),
    ("Other Name", mailbox("renamed"), [did("aseptic", "2026-11-03", **CENTRE)]),
    ("Legal Name", None, [did("gowning")]),
    ("", mailbox("nameless"), [did("gowning")]),
    (
        "Zoë O'Brien-Łukasz",
        mailbox("zoe"),
        [did("gowning", "2026-11-05"), did("aseptic", "2026-11-06", verb="completed")],
    ),
    *((f"Apprentice {number}", None, [did("gowning"), did("aseptic")]) for number in range(1, 8)),
]
"""Names, identifiers (by default the mailbox of the name), and what they did; in the order in which it came."""
AGAIN: list[tuple[str, dict[str, Any] | None, list[Did]]] = [
    ("Parted", None, [did("records", "2026-11-15", **CENTRE, **_row(account("Parted")))]),
    ("Dismissed", None, [did("records", "2026-11-15", **_row(account("Dismissed")))]),
]
"""Rows that come once more after staff decided."""
FILED = {"Twice A Day": "Filed Later", "Leap Day": ""}
"""Names that a file told later than statements did."""
MINORS = {
    "Minor Unknown": None,
    "Minor Until Tomorrow": date(2026, 11, 22),
    "Of Age Today": date(2026, 11, 21),
    "Of Age Yesterday": date(2026, 11, 20),
}
EVERYTHING, SOME = services.SCOPES, (services.PROFILES, services.GAP)
FIND, HIRE = "To find roles that fit you", "To offer you work"
LINKED = "link"
AGREED = [
    # who, to whom, to what, for what, called what, how, days until it ends (None: never), withdrawn
    ("Much Held", "career-converter", services.CONSENTED, FIND, "M-1", "operator", None, False),
    ("Both Levels", "career-converter", (services.PROFILES,), FIND, "B-2", LINKED, 30, False),
    ("Three Levels", "career-converter", SOME, FIND, None, LINKED, None, False),
    ("Two Frameworks", "career-converter", SOME, HIRE, None, "operator", None, False),
    ("Warned Today", "career-converter", SOME, FIND, None, LINKED, 1, False),
    ("Ended Yesterday", "career-converter", SOME, FIND, None, LINKED, 0, False),
    ("Ends Today", "career-converter", SOME, FIND, None, LINKED, None, True),
    ("All Ended", "career-converter", (services.PROFILES, services.EVIDENCE), FIND, None, LINKED, None, False),
    ("In Review", "career-converter", SOME, FIND, None, LINKED, None, False),
    ("Minor Unknown", "career-converter", SOME, FIND, None, LINKED, None, False),
    ("Minor Until Tomorrow", "career-converter", SOME, FIND, None, LINKED, None, False),
    ("Of Age Today", "career-converter", SOME, FIND, None, LINKED, None, False),
    ("Of Age Yesterday", "career-converter", SOME, FIND, None, "guardian", None, False),
    ("Minor Unknown", "job-board", (services.PROFILES,), HIRE, None, "guardian", None, False),
    ("Much Held", "job-board", (services.PROFILES,), HIRE, "m", LINKED, None, False),
    ("Joined By Row", "job-board", SOME, HIRE, None, LINKED, None, False),
    ("Much Held", "old-service", (services.PROFILES,), HIRE, None, LINKED, None, False),
    ("Much Held", "cell-works", (services.PROFILES,), registry.EMPLOYERS_PURPOSE, "Mia Held", LINKED, None, False),
    ("Ends Tomorrow", "cell-works", (services.PROFILES,), registry.EMPLOYERS_PURPOSE, "Ed", LINKED, None, False),
    ("Both Levels", "cell-works", (services.PROFILES,), registry.EMPLOYERS_PURPOSE, None, LINKED, None, False),
    ("No Score", "cell-works", (services.PROFILES,), registry.EMPLOYERS_PURPOSE, "ann of nothing", LINKED, 2, False),
    ("Three Levels", "bio-works", (services.PROFILES,), registry.EMPLOYERS_PURPOSE, "Theo", LINKED, None, False),
]
ROLES = f"""role,role_label,competency,label,framework,level,importance,weight,source,valid_from,valid_until
operator,Aseptic operator,GOWN,,{ATMP},2,,2,Skills council,2026-01-01,
operator,Aseptic operator,ASEP,,{ATMP},2,,1,Skills council,2026-01-01,
operator,Aseptic operator,RECO,,{ATMP},,optional,0.5,Skills council,2026-01-01,
gowner,Gowning lead,GOWN,Gowning,{ATMP},3,,1,,,
counter,Cell counter,CELL,,{ATMP},3,,1,,,2026-11-21
counter,Cell counter,GOWN,,{ATMP},1,,1,,,2026-11-21
former,Former role,GOWN,,{ATMP},1,,1,,,2026-11-20
starting,Role of today,GOWN,,{ATMP},1,,1,,2026-11-21,
coming,Role of tomorrow,GOWN,,{ATMP},1,,1,,2026-11-22,
quality,Quality officer,GOWN,,{GMP},3,,1,,,
quality,Quality officer,QUAL,,{GMP},4,,1,,,
quality,Quality officer,https://example.org/none,Something unknown,,1,optional,1,,,
thirds,Three thirds,GOWN,,{ATMP},1,,1,,,
thirds,Three thirds,ASEP,,{ATMP},1,optional,1,,,
thirds,Three thirds,CELL,,{ATMP},1,,1,,,
unclear,A code without a framework,GOWN,,,1,,1,,,
wishes,Nothing essential,RECO,,{ATMP},1,optional,1,,,
"""
CATALOGUE = """offering,title,kind,provider,description,competency,level,needs,needs_level,hours,place,online,language,cost,enrol_at,centre,session_id,date,starts,ends,seats
gown-2,Gowning of others,Course,North Centre,How to judge it.,GOWN,2,GOWN,1,6,Leeds,,English,120,https://north.example/gown,,,,,,
gown-3,Gowning lead,Course,North Centre,,GOWN,3,GOWN,2,12.5,Leeds,,English,249.99,,,,,,,
asep,Aseptic technique,Workshop,North Centre,Two days in the cabinet.,ASEP,2,,,16,Leeds,,English,free,,north,A1,2026-12-01,09:00,17:00,8
asep,Aseptic technique,Workshop,North Centre,,ASEP,2,,,16,Leeds,,English,free,,north,A0,2026-11-20,09:00,17:00,8
asep-fast,Aseptic technique in a day,Workshop,South Centre,,ASEP,2,,,7,York,,English,,,south,F1,2026-11-21,18:00,20:00,1
cells,Counting cells,Online course,,,CELL,3,,,,,yes,Welsh,0,,,,,,,
records,Batch records,Course,,,RECO,1,CELL,2,3,,yes,English,,,,,,,,
first,First steps,Course,,,GOWN,1,,,1,,yes,English,,,,,,,,
"""
DISTRICTS = {"SG1": "East", "SG2": "East", "LS1": "North", "CF10": "Wales"}
DEMAND = """role,region,year,headcount,source
operator,East,2026,10,Survey
operator,East,2027,25,Survey
operator,North,2026,4,Survey
gowner,North,2028,3,
counter,Wales,2026,0,Plan
former,East,2026,5,Plan
"""
ROUTES = {
    **{f"Apprentice {number}": {"route": "apprentice", "district": "SG1"} for number in range(1, 6)},
    "Apprentice 6": {"route": "graduate", "district": "SG2"},
    "Apprentice 7": {"route": "reskilled", "sector": "Retail", "district": "LS1"},
    "Both Levels": {"route": "placement", "district": "CF10"},
    "Three Levels": {"district": "XX9"},
    "Much Held": {"route": "graduate"},
}
BREWER = Occupation(
    "https://esco.example/brewer",
    "Brewer",
    ("Beer maker",),
    (
        OccupationSkill("https://esco.example/clean", "Keeps things clean", essential=True),
        OccupationSkill("https://esco.example/records", "Batch records", essential=True),
        OccupationSkill("https://esco.example/taste", "Tastes beer", essential=False),
    ),
)
BAKER = Occupation("https://esco.example/baker", "Baker", (), ())
ASKED = [
    # who, about what, text, answer (None: open), corrected
    ("Much Held", "RECO", "I did this twice, and once is shown", "Both count; the page shows the newest", False),
    ("Much Held", "ASEP", "This was in October", None, False),
    ("Both Levels", "GOWN", "My score was higher", "You are right: it is put right", True),
    ("Exactly Eighty", "", "My name is spelt wrong", None, False),
    ("Joined By Row", "ASEP", "Was this me?", None, False),
]
OUTCOMES = [
    # service, its name for it, who, what, day, role
    ("career-converter", "job-1", "Much Held", "shortlisted", date(2026, 11, 2), "operator"),
    ("career-converter", "job-2", "Much Held", "hired", date(2026, 11, 20), "operator"),
    ("career-converter", "job-3", "Much Held", "hired", date(2026, 11, 21), None),
    ("career-converter", "job-4", "Much Held", "shortlisted", date(2026, 11, 18), "operator"),
    ("career-converter", "job-5", "Much Held", "shortlisted", date(2026, 11, 17), None),
]


def staff_of(made: Network) -> None:
    """Who works here; one was invited, one works here no more."""
    for name, given in STAFF.items():
        told = Member(
            f"{slug(name)}@centre.example", made.tenant.clock(), name, tuple(map(granted, given)), state=ACTIVE
        )
        made.write(lambda tx, id=member_id(name), told=told: staff.put(tx, id, told))
    former = Member(
        "former@centre.example", made.tenant.clock(), "Former Member", (granted("steward"),), state="disabled"
    )
    made.write(lambda tx: staff.put(tx, member_id("Former Member"), former))
    staff_acts.invite(
        made.tenant, "new@centre.example", [granted("auditor")], by=ADA, root="https://skills.example.org"
    )


def names_of_learners(made: Network, sending: Sending) -> None:
    """Who is one person, and who is nobody."""
    made.write(lambda tx: joins.trust(tx, "centre", SAM))
    made.write(lambda tx: nobody.put_names(tx, "centre", ["visitor"], SAM))
    made.write(lambda tx: nobody.put_names(tx, "moodle", ["admin"], SAM))
    made.write(lambda tx: source_names.put_name(tx, "vle", "Virtual Learning", by=SAM))
    for place, (name, who, things) in enumerate(PEOPLE):
        sending.send(f"{name} {place}", things, who or mailbox(name), called=name)
    for name in MINORS:
        sending.send(name, [did("gowning"), did("aseptic")])
    made.work()


def one_or_two(made: Network) -> None:
    """What staff decided about who is whom."""
    person = made.person
    by = SAM
    for name in ("merged-by-hand", "parted"):
        one, other = person(name), person(f"{name} at vle")
        made.write(lambda tx, one=one, other=other: joins.merge(tx, one, other, by))
    made.work()
    one, other = person("parted"), person("parted at vle")
    seen = frozenset(joins.members_of(made.tenant.store, one))
    made.write(lambda tx: parting.part(tx, one, other, by, seen=seen))
    made.write(lambda tx: joins.dismiss(tx, person("dismissed"), person("dismissed at vle"), by))
    for name, until in MINORS.items():
        made.write(lambda tx, who=person(name), until=until: minors.note(tx, who, until, by=by))
    confirmed = ConfirmedName("Lena Legal", "Passport, at the centre", made.tenant.clock(), by)
    made.write(lambda tx: confirmed_names.confirm(tx, person("Legal Name"), confirmed))
    made.work()


def told_again(made: Network, sending: Sending) -> None:
    """What comes after staff decided who is whom, and names of files."""
    for place, (name, who, things) in enumerate(AGAIN):
        sending.send(f"{name} again {place}", things, who or mailbox(name), called=name)
    found = [(identified(mailbox(name), ids_of(made.tenant)), text) for name, text in FILED.items()]
    called = [Called(one, text) for one, text in found if one and text]
    made.write(lambda tx: told_names.keep(tx, "centre", called))
    sending.send("Named Anew", [did("gowning", "2026-11-15")], mailbox("Named Anew"), called="Before The File")
    made.work()


def agreements(made: Network) -> None:
    """Services and employers, and what learners agreed to."""
    hook, by = "http://127.0.0.1:9/hook", ADA
    about = AboutService(
        "help@converter.example", "https://converter.example/privacy", ("https://converter.example/back",)
    )
    tenant = made.tenant
    known = [
        registry.register(tenant, "Career Converter", webhook=hook, scopes=EVERYTHING, purpose=FIND, by=by, told=about)
    ]
    others = ("Job Board", "Old Service")
    known += [registry.register(tenant, name, webhook=None, scopes=SOME, purpose=HIRE, by=by) for name in others]
    (made.folder / SECRETS).write_text(json.dumps({one.service.id: one.client_secret for one in known}))
    for name in ("Cell Works", "Bio Works"):
        registry.add_employer(tenant, name, AboutService(), by=by)
    for who, service, scopes, purpose, called, how, days, gone in AGREED:
        expires = None if days is None else tenant.clock() + days * DAY + HOUR
        subject = Subject(person=made.person(who))
        grant = Grant(subject, service, scopes, purpose, how, by, called, expires, f"receipt {who}")
        made.write(lambda tx, grant=grant: consent.give(tx, grant))
        if gone:
            made.write(lambda tx, subject=subject: consent.withdraw(tx, [subject], by=by))
    made.write(lambda tx: services.change(tx, "old-service", _disabled))
    made.work()
    _links(made)


def _disabled(service: services.Service) -> services.Service:
    return msgspec.structs.replace(service, state="disabled", reason="nobody looks after it")


LINKS = ("open", "old", "refused", "agreed", "waiting", "employer")


def _links(made: Network) -> None:
    tenant, service = made.tenant, services.wanted(made.tenant.store, "career-converter")
    for place, name in enumerate(LINKS):
        who = {"mbox": f"mailto:{name}-link@example.org"}
        found = identified(who, ids_of(tenant))
        assert found
        to = services.wanted(tenant.store, "cell-works") if name == "employer" else service
        wish = Wish(
            Subject(identifier=found.id),
            (services.PROFILES,) if name == "employer" else SOME,
            f"ref-{name}",
            None if name == "employer" else 30 + place,
            mailbox=who["mbox"],
        )
        link = links.mint(tenant, to, wish, id=f"link {name}", by=f"service {to.id}")
        token = links.address(tenant, link, "").rpartition("/")[2]
        posted = Posted("https://skills.example.org", "en")
        if name == "old":
            made.write(lambda tx, link=link: links.put(tx, msgspec.structs.replace(link, expires=tenant.clock())))
        if name == "refused":
            answers.decide(tenant, token, ConsentAnswer(agree=False), posted)
        if name == "agreed":
            answers.decide(tenant, token, ConsentAnswer(agree=True, scopes=(services.GAP,)), posted)
        if name == "waiting":
            wanted = ConsentAnswer(agree=True, guardian=GuardianWanted("Wanda", "parent@example.org"))
            answers.decide(tenant, token, wanted, posted)


def plans(made: Network) -> None:
    """Roles, what leads there, where people live, and how many are wanted."""
    by, tenant = PETRA, made.tenant
    found, faults = roles.read_roles(ROLES.encode())
    assert faults == []
    made.write(lambda tx: [roles.keep(tx, one) for one in found])
    read = read_catalogue(CATALOGUE.encode(), "Europe/London", by, tenant.clock(), scales_of(published(tenant.store)))
    assert read.faults == []
    made.write(lambda tx: [offerings.keep(tx, one, by) for one in read.offerings.values()])
    day = Centre(tenant).day("tess", frozenset({"north", "south"}))
    for session in read.sessions:
        acts.make(day, session)
    for name, told in ROUTES.items():
        ifi = Ifi("", mailbox(name)["mbox"])
        made.write(lambda tx, ifi=ifi, told=told: learner_routes.keep(tx, "north", ifi, told, tenant.clock(), by))
    made.write(lambda tx: demand.keep_regions(tx, DISTRICTS, by))
    wanted, lost = read_demand(DEMAND.encode(), {one.id: one.id for one in found}, set(DISTRICTS.values()))
    assert lost == []
    made.write(lambda tx: demand.keep(tx, wanted, by))
    made.write(lambda tx: figures.ask(tx, by))
    drain(tenant, (figures.STEP,))


def said(made: Network) -> None:
    """What learners asked, declared and were told."""
    tenant = made.tenant
    occupations.keep_all(tenant.store, [BREWER, BAKER], SAM)
    for who, ticked in (("Much Held", BREWER.skills), ("Exactly Eighty", BREWER.skills[:1])):
        ids = [one.id for one in ticked]
        told = (made.person(who), BREWER, ids, tenant.clock())
        made.write(lambda tx, told=told: declared.declare(tx, *told, by="a learner"))
    for who, code, text, answer, corrected in ASKED:
        about = _matter(made, who, code)
        asked = made.write(lambda tx, told=(made.person(who), about, text): questions.ask(tx, *told, by="a learner"))
        if answer:
            made.write(
                lambda tx, id=asked.id, text=answer, put=corrected: questions.answer(
                    tx, id, text, by=SAM, corrected=put
                )
            )
    for service, name, who, what, day, role in OUTCOMES:
        subject = services.pairwise(tenant, service, made.person(who))
        outcomes.tell(tenant, service, name, subject, WhatCameOfIt(what, day, role))  # type: ignore[arg-type]
    for name in ("job-4", "job-5"):
        outcomes.correct(tenant, "career-converter", name, WhatCameOfIt("hired", date(2026, 11, 19), None))
    for name in ("job-3", "job-5"):
        outcomes.withdraw(tenant, "career-converter", name, by="service career-converter")
    disclosures.note(tenant, "career-converter", [made.person("Much Held")], "gap")
    _badges(made)
    made.work()


def _matter(made: Network, who: str, code: str) -> Matter:
    if not code:
        return Matter("whole", "My record as a whole")
    record = made.tenant.store.get("profile", made.person(who))
    assert record
    held = msgspec.json.decode(record.body)["competencies"]
    one = next(each["competency"] for each in held if each["competency"]["code"] == code)
    return Matter(one["id"], f"{one['label']}: asked", ("vle",))


STOPPED = {"Twenty Times": "suspended", "Twenty-one Times": "revoked"}


def _badges(made: Network) -> None:
    """Badges that are stopped, and one that is shared."""
    tenant = made.tenant
    of: dict[str, list[Any]] = {}
    for record in each(tenant.store, "credential"):
        of.setdefault(str(record.meta["person"]), []).append(record)
    for who, state in STOPPED.items():
        ids = [one.id for one in of[made.person(who)]]
        stops.stop(tenant, ids, state, reason=f"{state} to be told", by=SAM)  # type: ignore[arg-type]
    first = of[made.person("Much Held")][0]
    made.write(lambda tx: shares.share(tx, tenant, first, with_name=False, by="a learner"))
    for who in ("Much Held", "Both Levels", "Exactly Eighty"):
        address = f"{mailbox(who)['mbox'].removeprefix('mailto:')}"
        made.write(lambda tx, who=made.person(who), at=address: learners.open_account(tx, who, address=at, by="test"))


REFUSED = (
    ("vle", Refused("no mailbox", pointer="/actor/mbox", rule="xAPI 1.0.3 Data 2.4.2.1")),
    ("vle", Refused("no mailbox", pointer="/actor/mbox", rule="xAPI 1.0.3 Data 2.4.2.1")),
    ("vle", Refused("no such verb", pointer="/verb/id", rule="xAPI 1.0.3 Data 2.4.3", index=2)),
    (
        "moodle",
        Refused("another statement has this id", status=409, error="conflict"),
    ),
)


def refused(made: Network) -> None:
    """What was refused to sources."""
    noted = Refusals(made.folder)
    for source, fault in REFUSED:
        about = {"source": source, "method": "POST", "resource": "statements", "request": "r"}
        one = refusal_of(fault, tenant="default", **about)
        made.write(lambda tx, source=source, one=one: kept_refusals.add(tx, source, [one]))
        noted.note(one)
    noted.close()
