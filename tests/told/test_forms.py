"""What forms of the told network lead to: right, and with each field wrong or missing; what is said, and what was done."""

from __future__ import annotations

import json
import re
from typing import Any

from lrs.storage import NEWEST, Walk, newest_place, walked
from tests.outline import page
from tests.pages.conftest import Browser, forms_of
from tests.told.network import Network

Sent = tuple[str, dict[str, Any]]
ONE = "/staff/learners/{Much Held}"
GOWN, OTHER = "{Exactly Eighty, 1}", "{Both Levels, 1}"
ASKED = "/staff/questions/{question of exactly-eighty 1}"
LEARNERS: list[Sent] = [
    *(("/staff/learners", {"who": who}) for who in ("", "much", "apprentice", "1000000108", "zoe", "nobody", "exactly-eighty@example.org", "guest", "https://vle.example|joined-by-row")),
    (f"{ONE}/withdraw", {"service": "career-converter", "scope": "gap:read"}),
    (f"{ONE}/withdraw", {"service": "career-converter", "scope": "gap:read"}),
    (f"{ONE}/withdraw", {"service": "job-board"}),
    (f"{ONE}/withdraw", {"service": "nothing"}),
    (f"{ONE}/withdraw", {}),
    ("/staff/learners/nobody/withdraw", {"service": "job-board"}),
    (f"{ONE}/invite", {"email": ""}),
    (f"{ONE}/invite", {"email": "much@home.example"}),
    (f"{ONE}/invite", {"email": "no address"}),
    ("/staff/learners/{Both Levels}/invite", {"email": "much-held@example.org"}),
    ("/staff/learners/nobody/invite", {"email": ""}),
    (f"{ONE}/ask", {"service": "career-converter"}),
    (f"{ONE}/ask", {"service": "old-service"}),
    (f"{ONE}/ask", {"service": "cell-works"}),
    (f"{ONE}/ask", {"service": ""}),
    (f"{ONE}/ask", {"service": "nothing"}),
    (f"{ONE}/name", {"act": "confirm", "name": "Mia Held", "how": "Passport", "sure": "yes"}),
    (f"{ONE}/name", {"act": "confirm", "name": "Mia Held", "how": "Passport"}),
    (f"{ONE}/name", {"act": "confirm", "name": "", "how": "Passport", "sure": "yes"}),
    (f"{ONE}/name", {"act": "confirm", "name": "Mia", "how": "", "sure": "yes"}),
    (f"{ONE}/name", {"act": "confirm", "name": "M" * 101, "how": "Passport", "sure": "yes"}),
    (f"{ONE}/name", {"act": "withdraw"}),
    (f"{ONE}/name", {"act": "withdraw"}),
    ("/staff/learners/{Both Levels}/route", {"route": "reskilled", "sector": "", "district": "SG1"}),
    ("/staff/learners/{Both Levels}/route", {"route": "reskilled", "sector": "Retail", "district": "sg1", "centre": "north"}),
    ("/staff/learners/{Both Levels}/route", {"route": "king", "district": ""}),
    ("/staff/learners/{Both Levels}/route", {"route": "", "district": "1"}),
    ("/staff/learners/{Both Levels}/route", {"route": "", "sector": "", "district": ""}),
]  # fmt: skip
CORRECTING: list[Sent] = [
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": "", "why": "so"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "", "score": "90"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "x" * 501, "score": "90"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "so", "score": "101"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "so", "score": "-1"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "so", "day": "21.11.2026"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": OTHER, "why": "so", "score": "90"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": "nothing", "why": "so"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "  It was  better ", "score": "79.5 %", "day": "2026-11-12", "success": "yes", "new": "yes"}),
    ("/staff/learners/{Exactly Eighty}/correct", {"statement": GOWN, "why": "again", "score": "90"}),
    ("/staff/learners/{Said Success}/correct", {"statement": "{Said Success, 1}", "why": "it failed", "success": "no"}),
    ("/staff/learners/{Seen By Ray}/correct", {"statement": "{Seen By Ray, 1}", "why": "never was", "new": "no"}),
    ("/staff/learners/{Voided One}/correct", {"statement": "{Voided One, 1}", "why": "again"}),
    (ASKED, {"text": ""}),
    (ASKED, {"text": "x" * 2001}),
    (ASKED, {"text": "It is right", "statement": GOWN, "why": ""}),
    (ASKED, {"text": "It is right"}),
    (ASKED, {"text": "It is right still"}),
    ("/staff/questions/{question of joined-by-row 1}", {"text": "Put right", "statement": "{Both Levels, 1}", "why": "so"}),
    ("/staff/questions/nothing", {"text": "Yes"}),
]  # fmt: skip
TWO = "/staff/same-person/{Only Suggested}/{Only Suggested at vle}"
CONFLICT = "/staff/same-person/{Conflicting}/{1000000124}"
PERSONS: list[Sent] = [
    ("/staff/same-person", {"one": "much-held@example.org", "other": "both-levels@example.org"}),
    ("/staff/same-person", {"one": "much-held@example.org", "other": ""}),
    ("/staff/same-person", {"one": "apprentice", "other": "much held"}),
    ("/staff/same-person", {"one": "joined-by-row@example.org", "other": "1000000108"}),
    (TWO, {"act": "apart"}),
    (TWO, {"act": "apart"}),
    (TWO, {"act": "back"}),
    (TWO, {"act": "nothing"}),
    (TWO, {"act": "join"}),
    (TWO, {"act": "join"}),
    (TWO, {"act": "part", "members": "somebody"}),
    ("/staff/same-person/{Merged By Hand}/{Merged By Hand at vle}", {"act": "part", "members": "{Merged By Hand} {Merged By Hand at vle}"}),
    (CONFLICT, {"act": "join"}),
    (CONFLICT, {"act": "join", "despite": "yes"}),
    ("/staff/same-person/{Much Held}/nobody", {"act": "join"}),
]  # fmt: skip
NEW = {
    "name": "New Service",
    "purpose": "To suggest work",
    "scopes": ["profiles:read", "gap:read"],
    "webhook": "",
    "contact": "help@new.example",
    "privacy_notice": "https://new.example/privacy",
    "who": "service",
}
SERVICES: list[Sent] = [
    ("/staff/services", NEW),
    ("/staff/services", NEW),
    ("/staff/services", NEW | {"name": ""}),
    ("/staff/services", NEW | {"name": "Other", "purpose": ""}),
    ("/staff/services", NEW | {"name": "Other", "scopes": []}),
    ("/staff/services", NEW | {"name": "Other", "scopes": ["everything"]}),
    ("/staff/services", NEW | {"name": "Other", "webhook": "http://10.0.0.1/hook"}),
    ("/staff/services", NEW | {"name": "Other", "webhook": "no address"}),
    ("/staff/services", NEW | {"name": "Other", "contact": "nothing"}),
    ("/staff/services", NEW | {"name": "Other", "privacy_notice": "http://"}),
    ("/staff/services", {"who": "employer", "name": "New Works", "employer_contact": "hr@new.example", "employer_notice": ""}),
    ("/staff/services/career-converter/test", {}),
    ("/staff/services/job-board/test", {}),
    ("/staff/services/old-service/test", {}),
    ("/staff/services/nothing/test", {}),
    ("/staff/services/career-converter/rotate", {"overlap": "24"}),
    ("/staff/services/career-converter/rotate", {"overlap": "169"}),
    ("/staff/services/career-converter/rotate", {"overlap": "x"}),
    ("/staff/services/cell-works/rotate", {"overlap": "0"}),
    ("/staff/services/career-converter/state", {"state": "disabled"}),
    ("/staff/services/career-converter/state", {"state": "wrong"}),
    ("/staff/services/old-service/state", {"state": "active"}),
    ("/staff/consents/{receipt of waiting}", {"act": "agreed"}),
    ("/staff/consents/{receipt of waiting}", {"act": "agreed", "sure": "no"}),
    ("/staff/consents/{receipt of waiting}", {"act": "renew", "email": "waiting-link@example.org"}),
    ("/staff/consents/{receipt of waiting}", {"act": "renew", "email": "other@home.example"}),
    ("/staff/consents/{receipt of waiting}", {"act": "agreed", "sure": "yes"}),
    ("/staff/consents/{receipt of waiting}", {"act": "refused", "sure": "yes"}),
    ("/staff/consents/{receipt of agreed}", {"act": "agreed", "sure": "yes"}),
]  # fmt: skip
PEOPLE: list[Sent] = [
    ("/staff/invitations", {"list": "much-held@example.org\n1000000108, new@home.example\nnobody@example.org\nbad, worse\n"}),
    ("/staff/invitations", {"list": ""}),
    ("/staff/members", {"email": "tom@centre.example", "role": "trainer", "of": "north"}),
    ("/staff/members", {"email": "tom@centre.example", "role": "trainer", "of": ""}),
    ("/staff/members", {"email": "tom@centre.example", "role": "king"}),
    ("/staff/members", {"email": "no address", "role": "steward"}),
    ("/staff/members", {"email": "sam-steward@centre.example", "role": "auditor"}),
    ("/staff/members", {"email": "dev@centre.example", "role": "developer", "of": "nothing"}),
    ("/staff/members", {"email": "dev@centre.example", "role": "developer", "of": "Job Board"}),
    ("/staff/members/{member Sam Steward}/roles", {"role": "planner"}),
    ("/staff/members/{member Sam Steward}/roles", {"role": ""}),
    ("/staff/members/{member Ada Admin}/roles", {"role": "planner"}),
    ("/staff/members/{member Ada Admin}/state", {"state": "disabled"}),
    ("/staff/members/{member Otto Auditor}/state", {"state": "disabled"}),
    ("/staff/members/{member Otto Auditor}/state", {"state": "wrong"}),
    ("/staff/members/nobody/state", {"state": "disabled"}),
    ("/staff/members/{member Tess Trainer}/recovery", {"without": "yes"}),
    ("/account/name", {"name": "Ada B. Admin"}),
    ("/account/name", {"name": ""}),
    ("/account/password", {"present": "wrong", "password": "four words in row", "again": "four words in row"}),
    ("/account/password", {"present": "wrong", "password": "four words in row", "again": ""}),
    ("/connect/moodle", {"source": "New platform"}),
    ("/connect/moodle", {"source": ""}),
    ("/connect/moodle", {"source": "engraft"}),
    ("/connect/sources/vle", {"deduplicate": "yes"}),
    ("/connect/sources/vle/name", {"shown": "The VLE"}),
    ("/connect/sources/vle/name", {"shown": "centre"}),
    ("/connect/keys/{key of stranger}/revoke", {}),
    ("/connect/keys/{key of stranger}/revoke", {}),
    ("/arrivals", {"who": "exactly-eighty@example.org"}),
    ("/arrivals", {"who": "nobody"}),
    ("/pages/work/resend", {"to": "career-converter", "back": "/console"}),
    ("/pages/work/retry", {"step": "issue", "kind": "award", "id": "nothing"}),
]  # fmt: skip
OFFERED = {
    "id": "new",
    "title": "New course",
    "sort": "Course",
    "gives": "GOWN, 2\nASEP",
    "needs": "RECO, 1",
    "hours": "6,5",
    "cost": "£1,250.50",
    "enrol_at": "https://new.example/",
    "online": "yes",
}
PLANS: list[Sent] = [
    ("/staff/catalogue", OFFERED),
    ("/staff/catalogue", OFFERED | {"id": "no blanks"}),
    ("/staff/catalogue", OFFERED | {"title": ""}),
    ("/staff/catalogue", OFFERED | {"gives": "GOWN, two"}),
    ("/staff/catalogue", OFFERED | {"needs": "GOWN, 2"}),
    ("/staff/catalogue", OFFERED | {"needs": "GOWN, 1"}),
    ("/staff/catalogue", OFFERED | {"hours": "six"}),
    ("/staff/catalogue", OFFERED | {"cost": "much"}),
    ("/staff/catalogue", OFFERED | {"enrol_at": "http://new.example/"}),
    ("/staff/catalogue", {"act": "remove", "id": "first"}),
    ("/planning/smallest", {"k": "4"}),
    ("/planning/smallest", {"k": "51"}),
    ("/planning/smallest", {"k": "6"}),
    ("/planning", {}),
    ("/staff/rules/restore", {"version": "2"}),
    ("/staff/rules/restore", {"version": "9"}),
    ("/staff/badge/{badge of much-held 1}", {"act": "suspend", "reason": "", "sure": "yes"}),
    ("/staff/badge/{badge of much-held 1}", {"act": "suspend", "reason": "It was asked for"}),
    ("/staff/badge/{badge of much-held 1}", {"act": "suspend", "reason": "It was asked for", "sure": "yes"}),
    ("/staff/badge/{badge of much-held 1}", {"act": "resume", "sure": "yes"}),
    ("/staff/event-codes", {"title": "Open day", "activity": "https://vle.example/open-day", "until": "2026-11-30", "most": "5"}),
    ("/staff/event-codes", {"title": "Open day", "activity": "no address", "until": "2026-11-30", "most": "5"}),
    ("/staff/event-codes", {"title": "Open day", "activity": "https://vle.example/open-day", "until": "2026-11-20", "most": "5"}),
    ("/staff/event-codes", {"title": "Open day", "activity": "https://vle.example/open-day", "until": "2026-11-30", "most": "0"}),
    ("/staff/issuers", {"id": "did:web:college.example", "name": "College", "url": ""}),
    ("/staff/issuers", {"id": "college", "name": "College", "url": ""}),
]  # fmt: skip
EMPLOYER: list[Sent] = [
    ("/employer", {"employer": "cell-works", "called": "New One", "address": "new@home.example"}),
    ("/employer", {"employer": "cell-works", "called": "New One", "address": "new@home.example"}),
    ("/employer", {"employer": "", "called": "New One", "address": "new@home.example"}),
    ("/employer", {"employer": "career-converter", "called": "New One", "address": "new@home.example"}),
    ("/employer", {"employer": "bio-works", "called": "", "address": "new@home.example"}),
    ("/employer", {"employer": "bio-works", "called": "x" * 201, "address": "new@home.example"}),
    ("/employer", {"employer": "bio-works", "called": "New One", "address": "nowhere"}),
]
RECORD = "{item GOWN}"
LEARNER: list[Sent] = [
    ("/me/questions", {"about": "{item ASEP}", "text": "Again"}),
    ("/me/questions", {"about": RECORD, "text": ""}),
    ("/me/questions", {"about": RECORD, "text": "x" * 2001}),
    ("/me/questions", {"about": "nothing", "text": "What is it?"}),
    ("/me/questions", {"about": "record", "text": "Is this all?"}),
    ("/me/questions", {"about": "record", "text": "Is this all?"}),
    ("/me/sharing/stop", {"service": "career-converter", "scope": "gap:read"}),
    ("/me/sharing/stop", {"service": "career-converter", "scope": "gap:read"}),
    ("/me/sharing/stop", {"service": "cell-works"}),
    ("/me/sharing/stop", {"service": "nothing"}),
    ("/me/sharing/stop", {}),
    ("/me/occupation", {"act": "keep", "occupation": "https://esco.example/brewer", "skill": ["https://esco.example/taste"]}),
    ("/me/occupation", {"act": "keep", "occupation": "https://esco.example/brewer", "skill": ["https://esco.example/fly"]}),
    ("/me/occupation", {"act": "keep", "occupation": "nothing"}),
    ("/me/occupation", {"act": "remove"}),
    ("/me/occupation", {"act": "remove"}),
    ("/me/plan", {"act": "book", "session": "{session A1}"}),
    ("/me/plan", {"act": "book", "session": "{session A1}"}),
    ("/me/plan", {"act": "book", "session": "nothing"}),
    ("/me/plan", {"act": "give-back", "session": "{session A1}"}),
    ("/me/plan", {"act": "give-back", "session": "{session A1}"}),
    ("/me/plan", {"act": "book", "session": "{session A0}"}),
    ("/me/plan", {"act": "book", "session": "{session F1}"}),
    ("/me/plan", {"act": "calendar"}),
    ("/me/plan", {"act": "calendar"}),
    ("/me/plan", {"act": "wrong"}),
    ("/me/code", {"code": "WRONG-CODE"}),
    ("/me/badges/{badge of much-held 2}/take", {"act": "share"}),
    ("/me/badges/{badge of much-held 2}/take", {"act": "stop"}),
    ("/me/badges/{badge of both-levels 1}/take", {"act": "share"}),
    ("/account/address", {"email": "no address"}),
    ("/account/address", {"email": "both-levels@example.org"}),
    ("/account/address", {"email": "new@home.example"}),
    ("/account/address", {"code": "000000"}),
    ("/account/close", {}),
]  # fmt: skip
SENT = {
    "learners": ("Ada Admin", LEARNERS),
    "correcting": ("Sam Steward", CORRECTING),
    "persons": ("Sam Steward", PERSONS),
    "services": ("Ada Admin", SERVICES),
    "people": ("Ada Admin", PEOPLE),
    "plans": ("Ada Admin", PLANS),
    "employer": ("Emma Employer", EMPLOYER),
}
NARROW: list[tuple[str, list[Sent]]] = [
    ("Asa Assessor", [("/staff/learners", {"who": "other source"}), ("/staff/learners", {"who": "much-held@example.org"}), ("/staff/learners", {"who": "joined"}), ("/staff/learners/{Much Held}/correct", {"statement": "{Much Held, 1}", "why": "so"}), ("/staff/learners/{Other Source}/correct", {"statement": "{Other Source, 1}", "why": "so", "score": "70"}), ("/staff/learners/{Other Source}/correct", {"statement": "{Other Source, 2}", "why": "so", "score": "70"}), ("/staff/questions/{question of joined-by-row 1}", {"text": "No"}), ("/staff/same-person", {"one": "a", "other": "b"})]),
    ("Mona Many", [("/staff/questions/{question of joined-by-row 1}", {"text": "Yes"}), ("/staff/questions/{question of exactly-eighty 1}", {"text": "Yes"})]),
    ("Dev Loper", [("/staff/services/career-converter/test", {}), ("/staff/services/job-board/test", {}), ("/staff/services/career-converter/state", {"state": "active"}), ("/staff/services", NEW)]),
    ("Arthur Author", [("/connect/sources/vle", {}), ("/connect/sources/moodle", {}), ("/connect/moodle", {"source": "vle"}), ("/connect/moodle", {"source": "moodle"}), ("/connect/keys/{key of moodle}/revoke", {}), ("/arrivals", {"who": "half-scaled@example.org"})]),
    ("Otto Auditor", [("/pages/work/resend", {"to": "career-converter"}), ("/staff/members", {"email": "a@b.example", "role": "auditor"})]),
]  # fmt: skip
FLAGS = re.compile(r"^\w+ (note|error)\b")


def said(text: str) -> list[str]:
    """What a page says of what was done: its title, notes, and what is wrong with a field."""
    lines = page(text).splitlines()
    found, within = lines[:1], False
    for line in lines[1:]:
        bare = line.strip()
        within = bool(FLAGS.match(bare)) or (within and line.startswith("  ") and not bare.startswith("["))
        if within or "aria-invalid" in line:
            found.append(f"  {short(bare)}")
    return found


def short(value: Any) -> Any:
    """*value*, cut if it is a text that is only to be long."""
    return f"{value[:20]}… ({len(value)})" if isinstance(value, str) and "x" * 100 in value else value


def acts(network: Network, before: int) -> list[str]:
    """What the record of actions says was done since."""
    found = walked(network.tenant.store, Walk("audit", after=before, until=NEWEST, limit=100))
    told = [json.loads(record.body) for record in found]
    return [f"  done: {one['action']} by {one['by']} {json.dumps(one['about'], sort_keys=True)}" for one in told]


def sent(network: Network, browser: Browser, form: str, path: str, fields: dict[str, Any]) -> str:
    """What came of one form; a redirect is followed."""

    def named(text: str) -> str:
        return re.sub(r"\{([^}]+)\}", lambda found: network.called(found[1]), text)

    before = newest_place(network.tenant.store, "audit")
    data = {
        name: [named(one) for one in value] if isinstance(value, list) else named(value)
        for name, value in fields.items()
    }
    answer = browser.ask("POST", named(path), data={"form": form, **data})
    location = answer.headers.get("location", "")
    lines = [f"=== {path} {json.dumps({name: short(value) for name, value in fields.items()})}"]
    lines.append(f"{answer.status_code} {location}")
    if answer.status_code == 303:
        lines += said(browser.get(location).text)
    elif answer.headers.get("content-type", "").startswith("text/html"):
        lines += said(answer.text)
    else:
        lines.append(answer.text[:500])
    return "\n".join([*lines, *acts(network, before)])


def all_sent(network: Network, browser: Browser, first: str, forms: list[Sent]) -> str:
    (form,) = {one["fields"]["form"] for one in forms_of(browser.get(first).text) if "form" in one["fields"]}
    return "\n".join(sent(network, browser, form, path, fields) for path, fields in forms)


def test_what_forms_of_staff_lead_to(fresh: Network, told: Any) -> None:
    """One after another: what was done before stays."""
    told.names = fresh.names
    for room, (who, forms) in SENT.items():
        told(all_sent(fresh, fresh.staff(who), "/account", forms), room)


def test_what_forms_of_those_with_narrow_rights_lead_to(fresh: Network, told: Any) -> None:
    told.names = fresh.names
    found = [f"##### {who}\n{all_sent(fresh, fresh.staff(who), '/account', forms)}" for who, forms in NARROW]
    told("\n".join(found))


def test_what_forms_of_a_learner_lead_to(fresh: Network, told: Any) -> None:
    told.names = fresh.names
    told(all_sent(fresh, fresh.learner("Much Held"), "/me", LEARNER))


GUARDIAN: list[tuple[str, str, dict[str, Any]]] = [
    ("/links/{link open}", "/links/{link open}", {"answer": ""}),
    ("/links/{link open}", "/links/{link open}", {"answer": "agree", "guardian": "yes", "learner": "", "email": "parent@home.example"}),
    ("/links/{link open}", "/links/{link open}", {"answer": "agree", "scope": ["gap:read"]}),
    ("/links/{link open}", "/links/{link open}", {"answer": "refuse"}),
    ("/links/{link old}", "/links/{link old}", {"answer": "agree"}),
    ("/links/{link employer}", "/links/{link employer}", {"answer": "refuse"}),
    ("/guardian/{guardian}", "/guardian/{guardian}", {"answer": "agree"}),
    ("/guardian/{guardian}", "/guardian/{guardian}", {"answer": "refuse"}),
]  # fmt: skip


def test_what_links_of_learners_and_guardians_lead_to(fresh: Network, told: Any) -> None:
    told.names = fresh.names
    browser, lines = fresh.browser(), []
    for first, path, fields in GUARDIAN:
        shown = browser.get(re.sub(r"\{([^}]+)\}", lambda found: fresh.called(found[1]), first))
        forms = [one["fields"]["form"] for one in forms_of(shown.text) if "form" in one["fields"]]
        lines.append(sent(fresh, browser, next(iter(forms), ""), path, fields))
    told("\n".join(lines))
