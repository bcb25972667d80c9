"""What people of the told network did, chosen so that each rule of competency has a case on each side of its boundary.

A learner is called by what is tried with them. "Today" is 21 November 2026, a Saturday.
"""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ATMP, GMP = "https://example.org/frameworks/atmp", "https://example.org/frameworks/gmp"
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1
,,,,Judges the gowning of others,GOWN-2,2
,,,,Writes how gowning is done,GOWN-3,3
,,Aseptic technique,ASEP,Works in a laminar flow cabinet,ASEP-1,1
,,,,Validates a cabinet,ASEP-2,2
Records,D2,Batch records,RECO,Writes a batch record that others can follow,RECO-1,1
,,Cell counting,CELL,Counts cells by hand,CELL-1,1
,,Documents,DOCS,Finds the document in force,DOCS-1,1
"""
GMP_SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Hygiene,H,Gowning for GMP,GOWN,Gowns as Annex 1 asks,GOWN-A,3
,,Quality,QUAL,Reports what went wrong,QUAL-1,2
"""
PRACTICAL = "https://vle.example/types/practical"
HEAD = "activity,match,verb,competency,framework,level,threshold,valid for,requalify within,trusted source,scaled range"
FIRST_RULES = f"""{HEAD}
https://vle.example/gowning,,passed,GOWN,{ATMP},1,80,,,vle,
https://vle.example/gowning-2,,passed,GOWN,{ATMP},2,80,P12M,P30D,vle|centre,
https://vle.example/refresher,,passed,GOWN,{ATMP},2,,P1M,,vle,
https://vle.example/gowning-3,,passed,GOWN,{ATMP},3,,P1M,,vle,
https://vle.example/aseptic,,passed|completed,ASEP,,2,,P12M,,vle|centre|moodle,
https://vle.example/cabinet,,completed,ASEP,,1,,,,moodle,
{PRACTICAL},type,passed,RECO,,1,,,,vle,
https://vle.example/records,,passed,RECO,,1,,,,vle,
https://vle.example/course,parent,completed,CELL,,1,,,,vle,
https://vle.example/programme,grouping,completed,CELL,,2,,,,vle,
https://vle.example/profile,category,completed,CELL,,3,,,,vle,
https://vle.example/quiz,,scored,DOCS,,1,50,,,moodle,-1..1
https://vle.example/annex-1,,passed,GOWN,{GMP},3,,,,vle,
https://vle.example/quality,,passed,QUAL,,2,,P2Y,P3M,vle,
https://vle.example/gone,,passed,DOCS,,2,,,,vle,
https://vle.example/reviewed,,passed,DOCS,,3,80,P24M,,vle|centre,
https://vle.example/tightened,,passed,QUAL,,1,70,,,vle|centre,
https://vle.example/untrusted,,passed,QUAL,,3,,,,,
"""
SECOND_RULES = "".join(row for row in FIRST_RULES.splitlines(keepends=True) if "/gone" not in row)
"""In force for a week: what only the rule that is gone gave is over."""
THIRD_RULES = (
    SECOND_RULES.replace("DOCS,,3,80,P24M,,vle|centre", "DOCS,,3,90,P12M,,vle")
    .replace("QUAL,,1,70,,,vle|centre", "QUAL,,1,75,,,vle")
    .replace("https://vle.example/gowning-3,,passed,GOWN", "https://vle.example/gowning-3,,mastered,GOWN")
)
"""In force since today: what it takes away is in review until tomorrow."""

VERB = "http://adlnet.gov/expapi/verbs/"
UNCOMPLETED = "http://id.tincanapi.com/verb/uncompleted"
NEW_UNCOMPLETED = "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted"
SAME_PERSON = "https://w3id.org/engraft/extensions/identifiers"
NAMES = {
    "gowning": "Gowning, practical",
    "gowning-2": "Gowning of others",
    "aseptic": "Aseptic technique",
    "records": "Batch records",
    "quiz": "Where is the document?",
}


def slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def mailbox(name: str) -> dict[str, str]:
    return {"mbox": f"mailto:{slug(name)}@example.org"}


def account(name: str, page: str = "https://vle.example") -> dict[str, Any]:
    return {"account": {"homePage": page, "name": slug(name)}}


def uln(number: str) -> dict[str, Any]:
    return {"account": {"homePage": "https://www.gov.uk/uln", "name": number}}


def hashed(name: str) -> dict[str, str]:
    return {"mbox_sha1sum": hashlib.sha1(f"mailto:{slug(name)}@example.org".encode()).hexdigest()}


class Did(dict[str, Any]):
    """A statement, and who sends it (``source``) with which marks of a launch (``meta``)."""

    source: str = "vle"
    meta: dict[str, Any]


def did(thing: str, when: str = "2026-11-10", score: Any = 90, **more: Any) -> Did:
    """Somebody did *thing* on a day, at ten o'clock in London, or at a time; with *score* of 100, or as it stands."""
    at = when if "T" in when else f"{when}T10:00:00Z"
    verb = more.pop("verb", "passed")
    target = {"id": thing if "://" in thing else f"https://vle.example/{thing}"}
    if thing in NAMES:
        target["definition"] = {"name": {"en": NAMES[thing]}}
    result = dict(more.pop("result", {}))
    if score is not None:
        result["score"] = score if isinstance(score, dict) else {"raw": score, "min": 0, "max": 100}
    made = Did(timestamp=at, verb={"id": verb if "://" in verb else VERB + verb}, object=target)
    if result:
        made["result"] = result
    made.source, made.meta = more.pop("source", "vle"), more.pop("meta", {})
    made.update(more)
    return made


def parent(role: str, activity: str) -> dict[str, Any]:
    return {"context": {"contextActivities": {role: [{"id": f"https://vle.example/{activity}"}]}}}


def seen_by(*who: dict[str, Any]) -> dict[str, Any]:
    """Observed by somebody, or by a group."""
    one = who[0] if len(who) == 1 else {"objectType": "Group", "name": "Assessors", "member": list(who)}
    return {"context": {"instructor": one}}


RAY = {"name": "Ray Brown", "mbox": "mailto:ray@centre.example"}
SUE = {"name": "Sue Green", "mbox": "mailto:sue@centre.example"}
MOODLE = {"source": "moodle"}
CABINET = {"verb": "completed", "score": None, "source": "moodle"}
OFF = {"verb": UNCOMPLETED, "score": None, "source": "moodle"}

THRESHOLDS = {
    "Exactly Eighty": [did("gowning", score=80)],
    "Below Eighty": [did("gowning", score=79.99)],
    "Nearly Eighty": [did("gowning", score=79.999)],
    "Scaled Eighty": [did("gowning", score={"scaled": 0.8})],
    "Scaled Less": [did("gowning", score={"scaled": 0.79})],
    "Eight Of Ten": [did("gowning", score={"raw": 8, "min": 0, "max": 10})],
    "From Fifty": [did("gowning", score={"raw": 90, "min": 50, "max": 100})],
    "Under Fifty": [did("gowning", score={"raw": 89, "min": 50, "max": 100})],
    "No Range": [did("gowning", score={"raw": 85})],
    "No Width": [did("gowning", score={"raw": 5, "min": 5, "max": 5, "scaled": 0.9}, meta={"version": "2.0.0"})],
    "Other Way Round": [did("gowning", score={"raw": 5, "min": 9, "max": 1, "scaled": 0.1}, meta={"version": "2.0.0"})],
    "Raw Only": [did("aseptic", score={"raw": 85})],
    "Scaled Only": [did("aseptic", score={"scaled": 0.5})],
    "Flat Range": [did("gowning", score={"raw": 5, "min": 5, "max": 5.5, "scaled": 0.2})],
    "No Score": [did("gowning", score=None), did("gowning-3", score=None)],
    "Half Scaled": [did("quiz", score={"scaled": 0.0}, verb="scored", **MOODLE)],
    "Less Than Half": [did("quiz", score={"scaled": -0.01}, verb="scored", **MOODLE)],
    "Failed Pass": [did("gowning", result={"success": False})],
    "Said Success": [did("gowning", result={"success": True, "completion": True})],
    "Not Complete": [did("gowning", result={"completion": False})],
    "Other Verb": [did("gowning", verb="completed")],
    "Other Source": [did("gowning", source="stranger"), did("gowning-2", "2026-11-11", source="centre")],
    "Within A Day": [did("gowning", "2026-11-17T11:59:00Z")],
    "After A Day": [did("gowning", "2026-11-17T12:01:00Z")],
    "Untrusted Rule": [did("untrusted")],
    "Tried Only": [did("gowning", meta={"trial": "Browse"})],
    "Tried By Staff": [did("gowning", meta={"trial": "staff"})],
    "Outside": [did("gowning", meta={"outside": ["https://vle.example/gowning"]})],
}
PLACES = {
    "By Type": [did("bench", object={"id": "https://vle.example/bench", "definition": {"type": PRACTICAL}})],
    "By Other Type": [did("bench", object={"id": "https://vle.example/b", "definition": {"type": PRACTICAL + "s"}})],
    "By Both": [did("records", object={"id": "https://vle.example/records", "definition": {"type": PRACTICAL}})],
    "By Parent": [did("part", verb="completed", score=None, **parent("parent", "course"))],
    "By Grouping": [did("part", verb="completed", score=None, **parent("grouping", "programme"))],
    "By Category": [did("part", verb="completed", score=None, **parent("category", "profile"))],
    "By Wrong Place": [did("part", verb="completed", score=None, **parent("other", "course"))],
    "Meant Only": [
        did(
            "gowning",
            score=None,
            object={
                "objectType": "SubStatement",
                "actor": RAY,
                "verb": {"id": VERB + "passed"},
                "object": {"id": "https://vle.example/gowning"},
            },
        )
    ],
}
OBSERVED = {
    "Seen By Ray": [did("gowning", **seen_by(RAY))],
    "Seen By Two": [did("gowning", **seen_by(RAY, SUE))],
    "Seen By Self": [did("gowning", **seen_by(mailbox("Seen By Self")))],
    "Seen Among": [did("gowning", **seen_by(RAY, mailbox("Seen Among")))],
    "Seen By Alias": [did("gowning", **seen_by(account("Seen By Alias")))],
}
LASTING = {
    "Ended Yesterday": [did("gowning-2", "2025-11-20")],
    "Ends Today": [did("gowning-2", "2025-11-21")],
    "Ends Tomorrow": [did("gowning-2", "2025-11-22")],
    "Warned Today": [did("gowning-2", "2025-12-21")],
    "Not Warned Yet": [did("gowning-2", "2025-12-22")],
    "Touching": [did("gowning-2", "2025-03-01"), did("gowning-2", "2026-03-02")],
    "A Day Apart": [did("gowning-2", "2025-03-01"), did("gowning-2", "2026-03-03")],
    "In The Window": [did("gowning-2", "2025-01-31"), did("gowning-2", "2026-01-01")],
    "Before The Window": [did("gowning-2", "2025-01-31"), did("gowning-2", "2025-12-31")],
    "On The Last Day": [did("gowning-2", "2025-06-01"), did("gowning-2", "2026-06-01")],
    "After The Last Day": [did("gowning-2", "2025-06-01"), did("gowning-2", "2026-06-02")],
    "Short After Long": [did("gowning-2", "2026-06-01"), did("refresher", "2026-06-20")],
    "Long After Short": [did("refresher", "2026-06-01"), did("gowning-2", "2026-06-20")],
    "Last Of October": [did("refresher", "2026-10-31")],
    "Leap Day": [did("gowning-2", "2024-02-29")],
    "Late Evening": [did("gowning-2", "2026-06-30T23:30:00Z")],
    "Winter Evening": [did("gowning-2", "2026-01-31T23:30:00Z")],
    "Twice A Day": [did("gowning-2", "2026-05-01"), did("gowning-2", "2026-05-01T15:00:00Z")],
    "Three Months": [did("quality", "2025-01-15"), did("quality", "2026-10-15"), did("quality", "2026-11-01")],
    "Twenty Times": [did("gowning", f"2026-10-{day:02}") for day in range(1, 21)],
    "Twenty-one Times": [did("gowning", f"2026-10-{day:02}") for day in range(1, 22)],
}
MARKS = {
    "Mark Kept": [did("cabinet", "2026-11-02", **CABINET)],
    "Mark Off": [did("cabinet", "2026-11-02", **CABINET), did("cabinet", "2026-11-03", **OFF)],
    "Mark Off Before": [did("cabinet", "2026-11-03", **CABINET), did("cabinet", "2026-11-02", **OFF)],
    "Mark Off Newer": [
        did("cabinet", "2026-11-02", **CABINET),
        did("cabinet", "2026-11-03", **OFF | {"verb": NEW_UNCOMPLETED}),
    ],
    "Mark Again": [
        did("cabinet", "2026-11-02", **CABINET),
        did("cabinet", "2026-11-03", **OFF),
        did("cabinet", "2026-11-04", **CABINET),
    ],
    "Mark Off Twice": [
        did("cabinet", "2026-11-02", **CABINET),
        did("cabinet", "2026-11-01", **OFF),
        did("cabinet", "2026-11-03", **OFF),
    ],
    "Mark Off At Once": [did("cabinet", "2026-11-02", **CABINET), did("cabinet", "2026-11-02", **OFF)],
    "Mark On At Once": [did("cabinet", "2026-11-02", **OFF), did("cabinet", "2026-11-02", **CABINET)],
    "Mark Elsewhere": [did("cabinet", "2026-11-02", **CABINET), did("aseptic", "2026-11-03", **OFF)],
    "Mark By Others": [
        did("cabinet", "2026-11-02", **CABINET),
        did("cabinet", "2026-11-03", **OFF | {"source": "centre"}),
    ],
    "Pass Stays": [
        did("aseptic", "2026-11-02", source="moodle"),
        did("aseptic", "2026-11-02T11:00:00Z", **CABINET),
        did("aseptic", "2026-11-03", **OFF),
    ],
}
LEVELS = {
    "Higher Ended": [did("gowning", "2025-01-10"), did("gowning-2", "2025-01-10")],
    "Both Levels": [did("gowning"), did("gowning-2")],
    "Three Levels": [did("gowning"), did("gowning-2"), did("gowning-3", score=None)],
    "Two Frameworks": [did("gowning"), did("annex-1")],
    "Much Held": [did(one) for one in ("gowning-2", "aseptic", "records", "annex-1", "quality")],
    "All Ended": [did("gowning-2", "2024-01-10"), did("aseptic", "2024-01-10")],
}
TEAM = {"objectType": "Group", "name": "Team"}
GROUPS = {
    "Group Member": [
        did(
            "gowning",
            actor={**TEAM, "member": [mailbox("Group Member"), {"name": "Second Member", **mailbox("second-member")}]},
        ),
        did("records", "2026-11-11"),
    ],
    "Team Member": [
        did("gowning", actor={**TEAM, "mbox": "mailto:team@example.org", "member": [mailbox("Team Member")]})
    ],
}
VOIDED = {
    "Voided": [did("gowning")],
    "Voided One": [did("gowning", "2026-11-01"), did("gowning", "2026-11-02")],
}
"""The first statement of each is voided."""
REVIEWED = {
    "Rule Gone": [did("gone")],
    "In Review": [did("reviewed", score=85)],
    "Review Of Trust": [did("reviewed", score=95, source="centre")],
    "Shorter By Rule": [did("reviewed", "2026-03-01", score=95)],
    "Ended By Rule": [did("reviewed", "2025-03-01", score=95)],
    "Tightened": [did("tightened", score=70)],
    "Not Tightened": [did("tightened", score=75)],
    "Mastered": [did("gowning-3", "2026-11-10", score=None)],
    "Mastered Anew": [did("gowning-3", "2026-11-10", score=None, verb="mastered")],
}
DID = THRESHOLDS | PLACES | OBSERVED | LASTING | MARKS | LEVELS | GROUPS | VOIDED | REVIEWED


def statements_of(
    name: str, things: list[Did], who: dict[str, Any] | None = None, called: str | None = None
) -> list[Did]:
    """The statements about *things*, by *who* (by default whoever has the mailbox of this *name*), *called* so."""
    found = []
    shown = name if called is None else called
    for number, one in enumerate(things):
        actor = one.get("actor") or {**({"name": shown} if shown else {}), **(who or mailbox(name))}
        made = Did(one, id=str(uuid5(NAMESPACE_URL, f"{name} {number}")), actor=actor)
        made.source, made.meta = one.source, one.meta
        found.append(made)
    return found
