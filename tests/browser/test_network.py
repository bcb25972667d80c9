"""The pages that join learners, employers and matching services, on a phone, a tablet and at a desk.

With ``LRS_TEST_PICTURES`` set to a folder, pictures are put there, to be looked at.
"""

import json
from contextlib import closing
from datetime import date

import pytest

from lrs.access import learners, sessions, staff
from lrs.access.roles import Granted
from lrs.access.sessions import open_session
from lrs.access.staff import ACTIVE, Member
from lrs.matching import employers, occupations, outcomes, registry, services
from lrs.matching.consent import consent, links
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.occupations import Occupation, OccupationSkill
from lrs.matching.outcomes import WhatCameOfIt
from lrs.matching.registry import EMPLOYERS_PURPOSE, AboutService
from lrs.web.origins import session_cookie
from tests.browser.chromium import Chromium, found
from tests.browser.test_sessions import Day
from tests.matching.world import PURPOSE, held, put_person, put_profile, put_service, run_sync
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
SKILLS = (
    "Gowning for grade B rooms",
    "Aseptic technique",
    "Batch records",
    "Environmental monitoring",
    "Cleaning",
    "GMP",
    "Isolators",
)
PEOPLE = ("Amira Adeyemi", "Ben Birch", "Cleo Cadwallader-Featherstonehaugh")


def entry(place, state="held"):
    told = held(f"skill-{place}", 2, state)
    return told | {"competency": told["competency"] | {"label": SKILLS[place]}}


def live(tenant):
    """Three of a works' staff who agreed, with many skills; the first one's job and former occupation."""
    made = registry.add_employer(tenant, "Cell Works", AboutService("hr@works.example"), by="test")
    put_service(tenant, scopes=("profiles:read", "outcomes:write"))
    people = []
    for number, called in enumerate(PEOPLE):
        person = put_person(tenant, f"mailto:person{number}@example.org")
        put_profile(
            tenant, person, *(entry(place, "expiring" if place == 2 else "held") for place in range(7 - number))
        )
        for service, scopes, purpose in (
            (made.id, ("profiles:read",), EMPLOYERS_PURPOSE),
            ("career-converter", ("profiles:read", "outcomes:write"), PURPOSE),
        ):
            grant = Grant(Subject(person=person), service, scopes, purpose, "operator", "test", called)
            tenant.store.write(lambda tx, grant=grant: consent.give(tx, grant)).result()
        people.append(person)
    run_sync(tenant)
    subject = services.pairwise(tenant, "career-converter", people[0])
    outcomes.tell(tenant, "career-converter", "one", subject, WhatCameOfIt("hired", date(2026, 11, 3)))
    skills = [OccupationSkill(f"s{n}", f"operate brewing equipment number {n}", n < 4) for n in range(9)]
    known = Occupation("https://esco.example/brewer", "brewer", ("beer maker",), tuple(skills))
    occupations.keep_all(tenant.store, [known], "test")
    return made, people[0]


def test_learner_employer_and_administrator_read_their_pages_at_each_width(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("network"), outbound_allow=("127.0.0.0/8",)) as lrs,
        closing(Chromium(found(), tmp_path_factory.mktemp("profile"))) as browser,
    ):
        day, tenant = Day(lrs, browser), lrs.tenant
        works, person = live(tenant)

        def look(path, name, widths=(390, 768, 1280)):
            for width in widths:
                day.at(width)
                day.open(path, name)

        day.write(lambda tx: learners.open_account(tx, person, by="test"))
        token = open_session(tenant, learners.SUBJECT + person, sessions.SigningIn("link", "Firefox"))
        day.cookie(session_cookie(tenant), token)
        look("/me", "network-skills", (390, 1280))
        look("/me/sharing", "network-sharing", (390, 1280))
        look("/me/occupation?q=beer", "network-occupation-search", (390,))
        look("/me/occupation?occupation=https://esco.example/brewer", "network-occupation")
        asked = employers.ask(tenant, works, "person0@example.org", "Amira", by="test")
        look(links.address(tenant, asked, ""), "network-asked", (390, 1280))
        for role, of, name in (("employer", works.id, "boss"), ("administrator", "", "chief")):
            member = Member(f"{name}@works.example", tenant.clock(), name.title(), (Granted(role, of),), state=ACTIVE)
            day.write(lambda tx, name=name, member=member: staff.put(tx, name, member))
        day.cookie(session_cookie(tenant), open_session(tenant, f"{staff.SUBJECT}boss"))
        look("/employer", "network-employer")
        look("/employer?skills=5", "network-employer-further", (1280,))
        day.cookie(session_cookie(tenant), open_session(tenant, f"{staff.SUBJECT}chief"))
        look("/staff/new-service", "network-new-service", (390,))
        look(f"/staff/services/{works.id}", "network-employer-service", (390, 1280))
        assert json.loads(browser.run("JSON.stringify(document.title)")).startswith("Cell Works")
