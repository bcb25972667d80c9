"""Rules of single functions that no page and no story comes to, each on both sides of its border."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from adapters.lms.lti import platforms_view
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.scorm import attempts
from adapters.lms.scorm.attempts import KeptAttempt, last_attempt
from adapters.lms.scorm.cmi import Cmi
from lrs.access.oidc import documents
from lrs.access.oidc.providers import Provider
from lrs.cli import main
from lrs.competency import corrections
from lrs.kernel.names import name as id_of
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY, SECOND
from lrs.matching.consent import answers, consent, withdrawal
from lrs.matching.consent.consent import Grant, Subject
from lrs.pages.arrivals.asked import Wanted
from lrs.pages.arrivals.reading import refusals_within
from lrs.storage import first_seq
from lrs.tenancy.tenants import open_tenant
from lrs.web import kept_refusals
from lrs.web.refusals import Refusal
from tests.adapters.lms.cmi5.test_rules import OPEN
from tests.badges.made import NOON, tenant_in
from tests.told.story import Story, inline, tree, tried

LONG_AGO, LONG_AFTER = 946_728_000_000_000, 4_102_488_000_000_000
"""2000 and 2100, in microseconds: a command has the clock of the machine."""


def test_consents_as_a_list(tmp_path: Path, told: Any, draws: Any) -> None:
    assert draws
    tenant = open_tenant(Settings(data=tmp_path), clock=lambda: LONG_AGO)

    def decide(tx: Any) -> None:
        ends = {"for-ever": None, "to-2100": LONG_AFTER, "over": LONG_AGO + DAY, "withdrawn": LONG_AFTER}
        for person, expires in ends.items():
            whose = Subject(person=person)
            grant = Grant(whose, "careers", ("profiles:read",), "To find a job", "operator", "test", expires=expires)
            consent.give(tx, grant)
        withdrawal.withdraw(tx, subjects=(Subject(person="withdrawn"),), by="test")

    tenant.store.write(decide).result()
    tenant.store.close()
    env = {"LRS_DATA": str(tmp_path)}
    said = "".join(CliRunner().invoke(main, ["consent", "list", *words], env=env).output for words in ((), ("--json",)))
    told(re.sub(r"\b9467280000000\d\d\b", "<2000>", said))


def test_refusals_between_two_moments(tmp_path: Path, told: Any) -> None:
    tenant, story = tenant_in(tmp_path), Story()
    for source, seconds in (("vle", (0, 1, 2)), ("centre", (1,)), ("other", (1,))):
        times = [datetime.fromtimestamp(NOON / SECOND + one, UTC).isoformat() for one in seconds]
        some = [Refusal(at, source, error=f"{source} {at[17:19]}") for at in times]
        tenant.store.write(lambda tx, source=source, some=some: kept_refusals.add(tx, source, some)).result()
    first, last = first_seq(NOON), first_seq(NOON + 2 * SECOND)
    for name, wanted in {
        "all": Wanted({}),
        "after the first": Wanted({}, after=first),
        "from the first on": Wanted({}, after=first - 1),
        "up to the last": Wanted({}, until=last),
        "before the last": Wanted({}, until=last - 1),
        "a page before the last": Wanted({}, before=last - 1),
        "a page after the first, oldest first": Wanted({}, before=first, oldest_first=True),
        "of vle": Wanted({}, source="vle"),
        "of other": Wanted({}, source="other"),
        "about an activity": Wanted({}, activity="https://a.example"),
        "about a verb": Wanted({}, verb="https://v.example"),
        "about somebody": Wanted({}, agent="mailto:a@b.example"),
    }.items():
        for sources in (None, {"vle", "centre"}, set[str]()):
            found = [one.error for _, one in refusals_within(tenant.store, wanted, sources)]
            reach = "all" if sources is None else sorted(sources)
            story.say(f"{name}, who sees {reach}: {found}")
    told(str(story))


def test_which_attempt_of_scorm_goes_on(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    own = f"{OPEN.activity}?attemptId={id_of('scorm-attempt', OPEN.id)}"
    ends = {
        "not ended": KeptAttempt(Cmi("passed"), ended=False),
        "ended with a result": KeptAttempt(Cmi("passed"), ended=True),
        "ended without a result": KeptAttempt(Cmi("incomplete"), ended=True),
        "suspended with a result": KeptAttempt(Cmi("passed", left="suspend"), ended=True),
        "nothing is kept": None,
    }
    for attempts_there in ([], ["a", "b"], ["a", own], [own, "b"]):
        for end, kept in ends.items():
            monkeypatch.setattr(attempts, "_attempts", lambda *_, found=attempts_there: found)
            monkeypatch.setattr(attempts, "_kept", lambda _r, _s, id, kept=kept: kept if id != "a" else None)
            for mode in ("Normal", "Review", "Browse"):
                session = replace(OPEN, mode=mode, format="scorm")
                id, goes_on = last_attempt(None, session)  # type: ignore[arg-type]  # nothing is read
                shown = [one.replace(own, "own") for one in attempts_there]
                story.say(
                    f"{shown} {end}, {mode}: {id.replace(own, 'own')} {'with it' if goes_on else 'from the start'}"
                )
    told(str(story))


def test_results_that_a_platform_is_told(told: Any) -> None:
    frameworks, counts = [("https://a.example", "A"), ("https://b.example", "")], {"users": 3, "unknown": 2, "told": 1}
    platform = LtiPlatform("p", "Moodle", "https://vle.example", "1", "a", "t", "j", 0, "approved", ("1",))
    for part, results in (("none", ()), ("one", ("https://b.example",))):
        told(tree(platforms_view.told(replace(platform, results=results), frameworks, counts)), part)


def test_what_a_sign_in_provider_answers(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story, provider = Story(), Provider("uni", "University", "https://uni.example", "engraft", NOON)
    answers: dict[str, Any] = {
        "an object": b'{"a": 1}',
        "a list": b"[]",
        "a number": b"1",
        "a key twice": b'{"a": 1, "a": 2}',
        "no JSON": b"<p>",
        "nothing": b"",
        "it is blocked": Blocked("10.0.0.1 is not public"),
        "it is away": Unreachable("no answer"),
    }

    def given(answer: Any) -> bytes:
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)

    for case, answer in answers.items():
        monkeypatch.setattr(documents.outbound, "fetch", lambda *_, answer=answer: given(answer))
        ask = lambda: documents._json("https://uni.example/keys", Settings(), provider)  # noqa: SLF001 (what all documents go through)
        story.say(f"{case}: {tried(ask)}")
    keys = [{"kty": "RSA", "n": "1"}, {"kty": "oct"}, "x", {"kty": "EC"}, {"kty": "OKP"}]
    for case, found in {
        "keys": keys,
        "none": [],
        "no list": {},
        "many": keys[:1] * 100,
        "one more": keys[:1] * 101,
    }.items():
        said = tried(lambda found=found: len(documents._keys_in(provider, {"keys": found})))  # noqa: SLF001 (as above)
        story.say(f"{case}: {said}")
    told(str(story))


def test_statements_that_are_corrected(told: Any) -> None:
    story = Story()
    changes: dict[str, dict[str, Any]] = {
        "nothing": {},
        "passed": {"success": True},
        "failed": {"success": False},
        "points": {"score": 90.0},
        "another day": {"timestamp": "2026-11-20T12:00:00Z"},
        "all": {"success": True, "score": 90.0, "timestamp": "2026-11-20T12:00:00Z"},
    }
    for verb in ("passed", "failed", "completed"):
        for case, changed in changes.items():
            said = {
                "id": "1",
                "stored": "2026-11-21T12:00:00Z",
                "timestamp": "2026-11-21T12:00:00Z",
                "authority": {"mbox": "mailto:a@b.example"},
                "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en": verb}},
                "result": {"success": verb == "passed", "score": {"raw": 7}, "duration": "PT1M"},
                "context": {"platform": "VLE", "extensions": {"https://a.example": 1}},
            }
            story.say(f"{verb}, {case}: {inline(corrections._corrected(said, 'old', 'It was right', changed))}")  # noqa: SLF001 (one of several lines that are stored)
    bare = {"verb": {"id": "http://adlnet.gov/expapi/verbs/completed"}}
    story.say(f"bare: {inline(corrections._corrected(bare, 'old', 'It was right', {}))}")  # noqa: SLF001 (as above)
    told(str(story))


def test_a_guardian_who_is_the_learner(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    tenant: Any = SimpleNamespace(
        clock=lambda: NOON, store=SimpleNamespace(write=lambda decide: SimpleNamespace(result=lambda: decide(None)))
    )
    monkeypatch.setattr(answers, "_named", lambda *_: ("link", "nonce"))
    monkeypatch.setattr(answers.links, "found", lambda *_: ("link", None))
    monkeypatch.setattr(answers.links, "subjects_of", lambda *_: ())
    monkeypatch.setattr(answers, "_of_guardian", lambda *_, agree, by: f"stored {agree} by {by}")
    for state in (answers.WAITING, "agreed"):
        for address in ("me@home.example", ""):
            for own in (True, False):
                link = SimpleNamespace(state=state, id="link")
                guardian = SimpleNamespace(address=address, person="p")
                monkeypatch.setattr(answers, "_for_guardian", lambda *_, found=(link, guardian, None): found)
                monkeypatch.setattr(answers.own_address, "is_learners", lambda *_, own=own: own)
                for agree in (True, False):
                    said = tried(lambda agree=agree: answers.decide_as_guardian(tenant, "text", agree=agree), str)
                    story.say(
                        f"{state}, address {address!r}, own {own}, agrees {agree}: {said.partition('namespace')[0] or 'as it was'}"
                    )
    told(str(story))
