"""What staff see of the told network: each page, with its filters, sorting, parts and files, by those who may see it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lrs.pages.arrivals import routes as arrivals
from lrs.web import listing
from tests.telling import answer
from tests.told.network import Network

LIST = "/staff/learners"
ONE = LIST + "/{Much Held}"
ADMIN = "Ada Admin"
PAGES: dict[str, list[str]] = {
    "home": ["/staff", "/console", "/console/sources", "/console/sources.csv", "/console/keys", "/console/keys.json", "/console/mails"],
    "learners": [LIST, LIST + "?page=2", LIST + ".csv", LIST + ".json?skill=ASEP+Aseptic+technique&level=1+Awareness"],
    "learner_much_held": [ONE],
    "learner_review": [LIST + "/{In Review}", LIST + "/{No Score}"],
    "learner_joined": [LIST + "/{Joined By Row}", LIST + "/{Merged By Hand at vle}", LIST + "/{Conflicting}"],
    "learner_named": [LIST + "/{Legal Name}", LIST + "/{nameless}", LIST + "/{Minor Unknown}"],
    "learner_without": [LIST + "/{Other Verb}", LIST + "/{Below Eighty}", LIST + "/{Rule Gone}", LIST + "/{All Ended}"],
    "learner_stopped": [LIST + "/{Twenty-one Times}", LIST + "/{Twenty Times}"],
    "learner_parts": [ONE + "/apprenticeship", ONE + "/prior", ONE + "/correct", ONE + "/correct?statement=nothing", ONE + "/route", LIST + "/{Both Levels}/route"],
    "learner_unknown": [LIST + "/nobody", LIST + "/nobody/correct", LIST + "/exactly-eighty@example.org"],
    "questions": ["/staff/questions", "/staff/questions?state=open", "/staff/questions?sort=-asked", "/staff/questions.csv", "/staff/questions.json"],
    "one_question": ["/staff/questions/{question of much-held 1}", "/staff/questions/{question of both-levels 1}", "/staff/questions/nothing"],
    "same_person": ["/staff/same-person", "/staff/same-person?kept=apart", "/staff/same-person?sort=one&against=none", "/staff/same-person.csv", "/staff/same-person.json"],
    "two_persons": [
        "/staff/same-person/{Only Suggested}/{Only Suggested at vle}",
        "/staff/same-person/{Dismissed}/{Dismissed at vle}",
        "/staff/same-person/{Conflicting}/{1000000124}",
        "/staff/same-person/{Merged By Hand}/{Merged By Hand at vle}",
        "/staff/same-person/{Parted}/{Parted at vle}",
        "/staff/same-person/{Joined By Row}/{1000000108}",
        "/staff/same-person/{Much Held}/{Both Levels}",
        "/staff/same-person/nobody/{Both Levels}",
    ],
    "services": ["/staff/services", "/staff/services?who=Employer", "/staff/services?sort=-name", "/staff/services.csv", "/staff/services.json", "/staff/new-service"],
    "one_service": ["/staff/services/career-converter", "/staff/services/old-service", "/staff/services/cell-works", "/staff/services/nothing"],
    "deliveries": ["/staff/services/career-converter/deliveries", "/staff/services/career-converter/deliveries.csv", "/staff/services/career-converter/deliveries?sort=what&state=waiting"],
    "consents": ["/staff/consents/{receipt of waiting}", "/staff/consents/{receipt of agreed}", "/staff/consents/AAAA-AAAA"],
    "invitations": ["/staff/invitations"],
    "members": ["/staff/members"],
    "rules": ["/staff/rules", "/staff/rules?sort=version", "/staff/rules.csv", "/staff/rules.json", "/staff/rules/ready.csv"],
    "rules_of_a_version": ["/staff/rules/versions/3/rules", "/staff/rules/versions/1/rules.csv", "/staff/rules/versions/2/rules.json", "/staff/rules/versions/3/rules?competency=GOWN@1", "/staff/rules/versions/9/rules"],
    "drafts": ["/staff/rules/drafts/nothing/changes"],
    "audit": ["/console/audit.csv", "/console/audit?action=persons.merged", "/console/audit?sort=action&page=2"],
    "arrivals": ["/arrivals", "/arrivals?source=moodle", "/arrivals?source=centre", "/arrivals?verb=http%3A%2F%2Fadlnet.gov%2Fexpapi%2Fverbs%2Fscored", "/arrivals?activity=https%3A%2F%2Fvle.example%2Fgone", "/arrivals?person=exactly-eighty%40example.org", "/arrivals?person=nobody%40example.org", "/arrivals?from=2026-11-17&to=2026-11-18", "/arrivals?from=2026-11-12&to=2026-11-16&sort=stored", "/arrivals?from=wrong", "/arrivals?refused=yes", "/arrivals.csv?source=stranger", "/arrivals.json?source=stranger"],
    "one_statement": ["/arrivals/statements/{Exactly Eighty, 1}", "/arrivals/statements/{Seen By Two, 1}", "/arrivals/statements/{Voided, 1}", "/arrivals/statements/{Failed Pass, 1}", "/arrivals/statements/{Not Complete, 1}", "/arrivals/statements/{In Review, 1}", "/arrivals/statements/{Mark Off, 2}", "/arrivals/statements/{Meant Only, 1}", "/arrivals/statements/nothing"],
    "courses_of_arrivals": ["/arrivals/course", "/arrivals/course?activity=https%3A%2F%2Fvle.example%2Fgowning", "/arrivals/course.csv?activity=https%3A%2F%2Fvle.example%2Fgowning", "/arrivals/course?activity=https%3A%2F%2Fvle.example%2Fcabinet"],
    "connect": ["/connect", "/connect.csv", "/connect/moodle", "/connect/nothing", "/connect/moodle/rules.csv", "/connect/sources/vle", "/connect/sources/nothing", "/connect/keys/{key of vle}", "/connect/keys/nothing"],
    "work": ["/pages/work"],
    "badges": ["/staff/badges", "/staff/badges.csv", "/staff/badges.json", "/staff/badge-keys", "/staff/badge-keys.csv", "/staff/event-codes", "/staff/issuers", "/staff/revoke-badges"],
    "sessions": ["/staff/sessions", "/staff/sessions?when=To+come", "/staff/sessions?sort=-starts&centre=north", "/staff/sessions.csv", "/staff/sessions.json", "/staff/checklists", "/staff/new-session"],
    "catalogue": ["/catalogue", "/catalogue?sort=-title", "/catalogue?q=gown", "/catalogue?where=Online", "/catalogue.csv", "/catalogue.json", "/staff/catalogue", "/staff/catalogue.csv", "/staff/catalogue/gown-2", "/staff/catalogue/nothing"],
    "catalogue_entries": [f"/catalogue/{one}" for one in ("gown-2", "gown-3", "asep", "asep-fast", "cells", "records", "first", "nothing")],
    "roles": ["/roles", "/roles?on=2026-11-22", "/roles?on=2026-11-20", "/roles?on=wrong", "/roles?q=lead&sort=-role", "/roles.csv", "/roles.json"],
    "one_role": [f"/roles/one?role={one}" for one in ("operator", "gowner", "counter", "former", "coming", "quality", "wishes", "nothing")] + ["/roles/one", "/roles/one?role=coming&on=2026-11-22", "/roles/embed?role=operator"],
    "planning": ["/planning", "/planning?region=East", "/planning.csv?year=2027"],
    "imports": ["/staff/imports", "/staff/columns", "/staff/missing-learners", "/staff/imports.csv"],
    "learning": ["/staff/courses", "/staff/lms", "/staff/lms/canvas.json"],
    "account": ["/account", "/account/second-factor"],
    "public": ["/", "/pages", "/sign-in", "/sign-in/learner", "/sign-in/link/nothing", "/invitation/nothing", "/verify", "/links/nothing", "/guardian/nothing", "/claim/nothing", "/calendar/nothing", "/sign-off/nothing", "/developers", "/developers/pull.py", "/health", "/.well-known/issuer-registry.json"],
    "consent_links": [*(f"/links/{{link {one}}}" for one in ("open", "old", "refused", "agreed", "waiting", "employer")), "/guardian/{guardian}"],
    "learners_sorted": [LIST + "?sort=-name", LIST + "?sort=until", LIST + "?sort=-until&page=2", LIST + "?page=99"],
    "learners_chosen": [
        LIST + "?skill=GOWN+Gowning&level=2+Practitioner",
        LIST + "?ends=Within+30+days",
        LIST + "?ends=Over+already",
        LIST + "?ends=Within+90+days",
        LIST + "?ends=Within+a+year",
        LIST + "?ends=Holds+nothing",
        LIST + "?provider=centre",
        LIST + "?lacks=GOWN+Gowning%2C+2+Practitioner",
    ],
    "audit_parts": ["/console/audit?sort=number&page=3", "/console/audit?page=999"],
}  # fmt: skip
OTHERS = {
    "Sam Steward": ["/staff", ONE, "/staff/questions", "/staff/courses", "/staff/members", "/console/audit"],
    "Tess Trainer": ["/staff", LIST, LIST + "/{Much Held}", "/staff/sessions", "/staff/questions", "/arrivals", "/staff/checklists", "/staff/rules"],
    "Asa Assessor": ["/staff", LIST, LIST + "?sort=-until", LIST + "/{Joined By Row}", LIST + "/{Other Source}", LIST + "/{Much Held}", "/staff/questions", "/staff/sessions"],
    "Pru Provider": ["/staff", LIST, LIST + "/{Joined By Row}", "/provider", "/provider/apprentices", "/staff/imports", "/staff/missing-learners"],
    "Arthur Author": ["/staff", "/arrivals", "/arrivals/statements/{Exactly Eighty, 1}", "/arrivals/statements/{Half Scaled, 1}", "/connect", "/connect/sources/vle", "/connect/sources/moodle", "/staff/courses", "/staff/lms"],
    "Dev Loper": ["/staff", "/staff/services", "/staff/services/career-converter", "/staff/services/job-board", "/staff/services/career-converter/deliveries"],
    "Petra Planner": ["/staff", "/planning", "/planning.json?part=Supply", LIST],
    "Emma Employer": ["/staff", "/employer", "/employer?skills=2", "/employer?employer=Bio+Works&sort=-called", "/employer.csv", "/employer.json", LIST],
    "Otto Auditor": ["/staff", "/console", "/console/audit?action=consent.given", "/pages/work"],
    "Mona Many": ["/staff", LIST + ".csv", LIST + "/{Half Scaled}", LIST + "/{Mark Off}", "/staff/questions", "/arrivals", "/staff/sessions"],
}  # fmt: skip
"""What those see whose rights are narrower."""


def asked(network: Network, browser: Any, path: str, *, bar: bool = False) -> str:
    """One answer, with who asked for what."""
    found = re.sub(r"\{([^}]+)\}", lambda named: network.called(named[1]), path)
    return f"=== {path}\n{answer(browser.get(found), bar=bar)}"


def all_asked(network: Network, who: str, paths: list[str]) -> str:
    browser = network.staff(who)
    return "\n".join(asked(network, browser, path, bar=path == "/staff") for path in paths)


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists have few rows on each part, so that there are parts and a page can be read."""
    monkeypatch.setattr(listing, "SIZE", 12)
    monkeypatch.setattr(arrivals, "SIZE", 12)


def test_what_an_administrator_sees(still: Network, told: Any) -> None:
    told.names = still.names
    for room, paths in PAGES.items():
        told(all_asked(still, ADMIN, paths), room)


def test_what_an_administrator_sees_of_the_system(still: Network, told: Any) -> None:
    """But for versions and sizes, which are those of the machine."""
    text = all_asked(still, ADMIN, ["/console/system"]).replace(str(still.folder), "<folder>")
    told(re.sub(r"\b[\d,]+ MiB|(?<=  )\d+\.\d+\.\d+\S*", "<of the machine>", text))


def test_what_others_see(still: Network, told: Any) -> None:
    told.names = still.names
    for who, paths in OTHERS.items():
        told(all_asked(still, who, paths), who.lower().replace(" ", "_"))
