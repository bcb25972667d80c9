"""The facts in rows of an e-portfolio, and their xAPI statements. Pure; knows no columns.

An e-portfolio has no times of day: the time of a statement is the start of the day in the provider's zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from tincan import Activity, ActivityDefinition, Context, ContextActivities, Extensions, Result, Statement, Verb

from adapters.reading.people import Ifi
from adapters.reading.vocabulary import (
    ASSESSMENT,
    COMPETENCY,
    DEMONSTRATED,
    EXITED,
    EXPERIENCED,
    EXTENSIONS,
    FAILED,
    GATEWAY,
    OFF_THE_JOB,
    PASSED,
    PROGRESSED,
    REGISTERED,
    STANDARD,
    SUSPENDED,
    iri,
)


class Standard(msgspec.Struct, frozen=True):
    """An apprenticeship standard in one version, such as ST1406 1.0. The version may be unknown."""

    ref: str
    version: str = ""

    def iri(self, *below: str) -> str:
        """The standard's activity, or one below it."""
        return iri("standards", self.ref, *([self.version] if self.version else []), *below)


class Enrolled(msgspec.Struct, frozen=True):
    """A learner started on a standard. *planned_end* is an ISO date."""

    who: Ifi
    standard: Standard
    starts: datetime
    planned_end: str = ""
    option: str = ""


class Interruption(msgspec.Struct, frozen=True):
    """A break in learning, or a withdrawal; *at* is its time if the file has it."""

    who: Ifi
    standard: Standard
    kind: Literal["break", "withdrawn"]
    at: datetime | None


class Evidenced(msgspec.Struct, frozen=True):
    """Evidence that an assessor accepted for one KSB."""

    who: Ifi
    standard: Standard
    code: str
    guid: str
    evidence: str
    title: str
    at: datetime
    assessor: Ifi | None
    grade: str = ""


class OffTheJob(msgspec.Struct, frozen=True):
    """Time in off-the-job training on one day."""

    who: Ifi
    standard: Standard
    at: datetime
    minutes: int
    category: str
    countable: bool


class Gateway(msgspec.Struct, frozen=True):
    """A learner went through the gateway to the apprenticeship assessment."""

    who: Ifi
    standard: Standard
    at: datetime


class Assessed(msgspec.Struct, frozen=True):
    """The outcome of the apprenticeship assessment."""

    who: Ifi
    standard: Standard
    at: datetime
    passed: bool
    grade: str
    resit: int


def statement_of(content: msgspec.Struct | None) -> Statement:
    """The statement for any of the structs above."""
    match content:
        case Enrolled():
            return enrolled(content)
        case Interruption():
            return interrupted(content)
        case Evidenced():
            return evidenced(content)
        case OffTheJob():
            return off_the_job(content)
        case Gateway():
            return gateway(content)
        case Assessed():
            return assessed(content)
    raise TypeError(type(content))


def enrolled(fact: Enrolled) -> Statement:
    """``registered`` on the standard."""
    made = _statement(fact.who, REGISTERED, _standard(fact.standard), fact.starts)
    if fact.planned_end or fact.option:
        made.context = _context({"planned-end": fact.planned_end, "standard-option": fact.option})
    return made


def interrupted(fact: Interruption) -> Statement:
    """``suspended`` for a break, ``exited`` for a withdrawal."""
    return _statement(fact.who, SUSPENDED if fact.kind == "break" else EXITED, _standard(fact.standard), fact.at)


def evidenced(fact: Evidenced) -> Statement:
    """``demonstrated`` on the KSB of this version of the standard; the assessor is the instructor."""
    name = f"{_name(fact.standard)} {fact.code}"
    ksb = _activity(fact.standard.iri("ksb", fact.code), COMPETENCY, name, {"ksb-guid": fact.guid})
    made = _statement(fact.who, DEMONSTRATED, ksb, fact.at)
    made.result = Result(success=True, extensions=_extensions({"grade": fact.grade}))
    made.context = _context({"evidence-id": fact.evidence, "evidence-title": fact.title}, fact.standard)
    if fact.assessor:
        made.context.instructor = fact.assessor.agent()
    return made


def off_the_job(fact: OffTheJob) -> Statement:
    """``experienced`` with its duration."""
    training = _activity(fact.standard.iri("off-the-job"), OFF_THE_JOB, f"{_name(fact.standard)} off-the-job training")
    made = _statement(fact.who, EXPERIENCED, training, fact.at)
    told = {"otj-category": fact.category, "otj-countable": fact.countable}
    made.result = Result(duration=timedelta(minutes=fact.minutes), extensions=_extensions(told))
    made.context = _context({}, fact.standard)
    return made


def gateway(fact: Gateway) -> Statement:
    """``progressed`` to the gateway."""
    made = _statement(
        fact.who,
        PROGRESSED,
        _activity(fact.standard.iri("gateway"), GATEWAY, f"{_name(fact.standard)} gateway"),
        fact.at,
    )
    made.context = _context({}, fact.standard)
    return made


def assessed(fact: Assessed) -> Statement:
    """``passed`` or ``failed`` on the standard's assessment, with the grade."""
    exam = _activity(fact.standard.iri("assessment"), ASSESSMENT, f"{_name(fact.standard)} assessment")
    made = _statement(fact.who, PASSED if fact.passed else FAILED, exam, fact.at)
    told = {"grade": fact.grade, "resit": fact.resit}
    made.result = Result(success=fact.passed, completion=True, extensions=_extensions(told))
    made.context = _context({}, fact.standard)
    return made


def _statement(who: Ifi, verb: str, activity: Activity, at: datetime | None) -> Statement:
    display = {"en": verb.rpartition("/")[2]}
    made = Statement(actor=who.agent(), verb=Verb(id=verb, display=display), object=activity)
    if at is not None:
        made.timestamp = at
    return made


def _standard(standard: Standard) -> Activity:
    return _activity(standard.iri(), STANDARD, _name(standard))


def _name(standard: Standard) -> str:
    return f"{standard.ref} {standard.version}".strip()


def _activity(id: str, type: str, name: str, told: dict[str, Any] | None = None) -> Activity:
    definition = ActivityDefinition(name={"en": name}, type=type)
    if extensions := _extensions(told or {}):
        definition.extensions = extensions
    return Activity(id=id, definition=definition)


def _context(told: dict[str, Any], parent: Standard | None = None) -> Context:
    about = Context(extensions=_extensions(told))
    if parent:
        about.context_activities = ContextActivities(parent=[_standard(parent)])
    return about


def _extensions(told: dict[str, Any]) -> Extensions | None:
    kept = {EXTENSIONS + name: value for name, value in told.items() if value != ""}
    return Extensions(kept) if kept else None
