"""The story of the demonstration, step by step: from evidence to a level, a badge, and a delivered profile."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from badges.forms import FORMS
from lrs.kernel.plain_text import counted
from lrs.ops.demo import course
from lrs.ops.demo.processes import MatchingService
from lrs.ops.demo.sample import FILES

SERVICE = "Demo Career Converter"
LEARNER = "amara@learner.engraft-demo.example"
FRAMEWORK = "https://engraft-demo.example/frameworks/advanced-therapies"
ROLE = "aseptic-operator"
ORGANISATION = (
    *("--name", "Sample skills network", "--contact", "skills@network.engraft-demo.example"),
    *("--privacy-notice", "https://network.engraft-demo.example/privacy"),
)
"""What learners are told of who keeps the record."""
CENTRE, PROVIDER = "training-centre", "apprenticeship-provider"
OFFERED = (
    ("standards", "import", "standard.json"),
    ("checklists", "import", "checklists.csv", "--centre", CENTRE),
    ("catalogue", "import", "catalogue.csv"),
    ("demand", "regions", "districts.csv"),
    ("demand", "import", "demand.csv"),
)
"""What is learnt from, and what is planned with: a standard, checklists, a catalogue, regions, demand."""
PATIENCE = 60.0
REFERENCE = "applicant-17"


class Stage(msgspec.Struct, frozen=True):
    """What the story needs. *lrs* runs a command and gives what it printed, *say* prints a line for the reader.

    *sample* is the folder with the files of the sample programme.
    """

    base: str
    data: Path
    out: Path
    sample: Path
    lrs: Callable[..., str]
    say: Callable[[str], None]
    service: MatchingService


def tell(stage: Stage) -> dict[str, Any]:
    """Runs all steps. Writes the badge in each form, status-list, verify, profile and gap to ``out``; gives a summary.

    It can be run again on a store where it ran before, to the end or not. gap.json is written last.
    """
    keys = _set_up(stage)
    _evidence(stage, keys)
    _settle(stage)
    badge, verdict = _badges(stage)
    subject = _consent(stage)
    profile = _received(stage)
    gap = _gap(stage, subject)
    return {
        "out": str(stage.out),
        "badge": badge["id"],
        "verified": verdict["valid"],
        "competencies": len(profile["competencies"]),
        "match": gap["match"],
    }


def _set_up(stage: Stage) -> dict[str, dict[str, str]]:
    stage.say("1. A framework, rules, roles, and the sources that may be believed")
    told = _command(stage, "framework", "import", "framework.csv", "--id", FRAMEWORK, "--title", "Advanced therapies")
    stage.say(_indent(told.splitlines()[0]))
    stage.say(_indent(stage.lrs("framework", "publish", FRAMEWORK)))
    keys = {
        source: json.loads(stage.lrs("keys", "create", "--name", source, *scopes, "--json"))
        for source, scopes in {
            "online-platform": ("--scope", "statements/write", "--scope", "define"),
            CENTRE: ("--scope", "statements/write", "--scope", "profile"),
            PROVIDER: ("--scope", "statements/write", "--scope", "profile"),
        }.items()
    }
    for source in ("online-platform", PROVIDER):
        stage.lrs("persons", "trust", source)
    stage.lrs("tenants", "set", "default", *ORGANISATION)
    stage.lrs("badges", "issuer", *ORGANISATION[:2])
    stage.say(_indent(_command(stage, "rules", "apply", "rules.csv")))
    stage.say(_indent(_command(stage, "roles", "import", "roles.csv")))
    for words in OFFERED:
        _command(stage, *words)
    stage.lrs("occupations", "import", str(stage.sample))
    stage.say("   a standard, checklists, a catalogue, occupations and demand, all made up for this sample")
    made = stage.lrs(
        *("services", "add", _service_name(stage), "--webhook", f"{stage.service.address}/webhook"),
        *("--scopes", "profiles:read,roles:read,gap:read", "--purpose", "To find roles that fit you"),
        *("--contact", "help@career-converter.example", "--privacy-notice", "https://career-converter.example/privacy"),
        "--json",
    )
    stage.service.introduce({**json.loads(made), "base": stage.base})
    return keys


def _evidence(stage: Stage, keys: dict[str, dict[str, str]]) -> None:
    stage.say("2. Evidence comes in, through three doors, about people with three kinds of names")
    key = keys["online-platform"]
    count = course.send(f"{stage.base}/xapi", key["key"], key["secret"])
    stage.say(f"   the online platform sent {counted(count, 'statement')}")
    for source, adapter, file, more in (
        (CENTRE, "training-centre", "training-centre.csv", ()),
        (PROVIDER, "eportfolio", "portfolio.csv", ("--profile", "portfolio-profile.json")),
    ):
        key = keys[source]
        door = ("--endpoint", f"{stage.base}/xapi", "--key", key["key"], "--secret", key["secret"])
        told = _command(stage, "adapter", "run", adapter, file, "--provider", source, *more, *door, data=False)
        stage.say(_indent(told))


def _settle(stage: Stage) -> None:
    stage.say("3. The worker evaluates, issues badges, brings profiles up to date")
    _until(lambda: not _due(stage), "the work to be done")
    stage.say(_indent(stage.lrs("rules", "explain", LEARNER)))


def _badges(stage: Stage) -> tuple[dict[str, Any], dict[str, Any]]:
    stage.say("4. A signed badge, and what a verifier says of it")
    held = json.loads(stage.lrs("badges", "list", "--holder", LEARNER, "--json"))
    chosen = max((one for one in held if one["state"] == "issued"), key=lambda one: one["name"])
    badge = json.loads(stage.lrs("badges", "show", chosen["id"]))
    files = stage.out / "badge.json", stage.out / "status-list.json"
    files[0].write_text(json.dumps(badge, indent=2), "utf-8")
    files[1].write_text(stage.lrs("badges", "status-list", chosen["id"]), "utf-8")
    for form in FORMS[1:]:
        file = str(stage.out / f"badge{form.ending}")
        stage.lrs("badges", "show", chosen["id"], "--form", form.name, "--out", file)
    verdict = json.loads(stage.lrs("badges", "verify", str(files[0]), "--status-list", str(files[1]), "--json"))
    (stage.out / "verify.json").write_text(json.dumps(verdict, indent=2), "utf-8")
    state = "valid" if verdict["valid"] else "NOT VALID"
    stage.say(f"   {counted(len(held), 'badge')} for {LEARNER}; {chosen['name']}: {state}")
    return badge, verdict


def _consent(stage: Stage) -> str:
    stage.say("5. A matching service asks; the learner reads who wants what, and agrees")
    wish = {"learner": {"mbox": f"mailto:{LEARNER}"}, "scopes": ["profiles:read", "gap:read"], "reference": REFERENCE}
    with httpx2.Client(timeout=10, trust_env=False) as browser:
        link = browser.post(f"{stage.service.address}/link", json=wish).json()["link"]
        # LRS_PUBLIC_URL may lead elsewhere yet, and its cookies go back by https only: this browser is on the machine.
        here = f"{stage.base}{urlsplit(link).path}"
        page = browser.get(here).raise_for_status()
        form = re.search(r'name="form" value="([^"]+)"', page.text)
        if form is None:
            raise RuntimeError("the consent page has no form")
        cookie = {"Cookie": page.headers["set-cookie"].partition(";")[0]}
        sent = browser.post(
            here, data={"form": html.unescape(form[1]), "answer": "agree", "scope": "gap:read"}, headers=cookie
        )
        if sent.status_code != 303:
            raise RuntimeError(f"the consent page answered {sent.status_code}")
    given = _event(stage, "consent.given")
    stage.say(f"   the service got consent.given for its {given['reference']}, who is {given['subject']} to it alone")
    return str(given["subject"])


def _received(stage: Stage) -> dict[str, Any]:
    stage.say("6. The profile is delivered: signed, small, consented")
    profile = _event(stage, "profile.updated")
    (stage.out / "profile.json").write_text(json.dumps(profile, indent=2), "utf-8")
    for held in profile["competencies"]:
        level, until = held["level"]["label"], f"until {held['validUntil']}" if held.get("validUntil") else "no end"
        stage.say(f"   {held['competency']['code']:3} {held['competency']['label']}: {level} ({until})")
    return profile


def _gap(stage: Stage, subject: str) -> dict[str, Any]:
    stage.say(f"7. What is missing for the role {ROLE}")
    path = f"/api/profiles/{subject}/gap?role={ROLE}"
    gap: dict[str, Any] = httpx2.post(f"{stage.service.address}/ask", json={"path": path}, trust_env=False).json()
    (stage.out / "gap.json").write_text(json.dumps(gap, indent=2), "utf-8")
    for one in gap["requirements"]:
        needed = f"level {one['required']}, {'essential' if one['essential'] else 'optional'}"
        stage.say(f"   {one['competency']:3} {one['label'] or ''} ({needed}): {one['result']}")
    stage.say(f"   match {gap['match']} %")
    return gap


# -- how it is done -------------------------------------------------------------------------------------------------


def _command(stage: Stage, *words: str, data: bool = True) -> str:
    """Runs a command. Words that are names of sample files become their paths."""
    named = [str(stage.sample / word) if word in FILES else word for word in words]
    return stage.lrs(*named, data=data)


def _due(stage: Stage) -> bool:
    now = stage.lrs("work", "status", "--json")
    return any(step["due"] for step in json.loads(now)["steps"])


def _service_name(stage: Stage) -> str:
    """A name that no service in the store has. The secret of a service from an earlier run is not known any more."""
    taken = {one["name"] for one in json.loads(stage.lrs("services", "list", "--json"))}
    later = (f"{SERVICE} {number}" for number in count(2))
    return next(name for name in chain([SERVICE], later) if name not in taken)


def _event(stage: Stage, kind: str) -> dict[str, Any]:
    file = stage.out / "received" / f"{kind}.json"
    _until(file.exists, f"the event {kind}")
    data: dict[str, Any] = json.loads(file.read_text("utf-8"))["data"]
    return data


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {PATIENCE:.0f} s for {what}: lrs work status says what is the matter")
        time.sleep(0.2)


def _indent(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.strip().splitlines())
