"""What a return says of an apprenticeship, and its xAPI statements. Pure; knows no columns.

A return has no times of day: the time of a statement is the start of the day in the provider's zone.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from tincan import Activity, ActivityDefinition, Context, Extensions, Result, Statement, Verb

from adapters.apprenticeship.facts import Standard
from adapters.reading.people import Ifi
from adapters.reading.vocabulary import COMPLETED, EXTENSIONS, REGISTERED, STANDARD


class Apprenticeship(msgspec.Struct, frozen=True):
    """A learner started on a standard. *planned_end* is an ISO date; hours are off the job, and may be unknown.

    *lars* is the standard's code in the register of learning aims, *district* the postcode district of delivery.
    """

    who: Ifi
    standard: Standard
    starts: datetime
    planned_end: str
    lars: str
    planned_hours: int | None
    district: str


class Learnt(msgspec.Struct, frozen=True):
    """The learning of an apprenticeship is complete; its assessment may be to come."""

    who: Ifi
    standard: Standard
    at: datetime
    actual_hours: int | None


def statement_of(content: Apprenticeship | Learnt) -> Statement:
    """The statement for one of the structs above."""
    return _started(content) if isinstance(content, Apprenticeship) else _learnt(content)


def _started(fact: Apprenticeship) -> Statement:
    """``registered`` on the standard."""
    told = {
        "planned-end": fact.planned_end,
        "lars-code": fact.lars,
        "planned-off-the-job-hours": fact.planned_hours,
        "delivery-district": fact.district,
    }
    made = _statement(fact.who, REGISTERED, fact.standard, fact.starts)
    made.context = Context(extensions=_extensions(told))
    return made


def _learnt(fact: Learnt) -> Statement:
    """``completed`` on the standard, without success: that is for the assessment."""
    made = _statement(fact.who, COMPLETED, fact.standard, fact.at)
    made.result = Result(completion=True)
    if fact.actual_hours is not None:
        made.context = Context(extensions=_extensions({"actual-off-the-job-hours": fact.actual_hours}))
    return made


def _statement(who: Ifi, verb: str, standard: Standard, at: datetime) -> Statement:
    name = f"{standard.ref} {standard.version}".strip()
    activity = Activity(id=standard.iri(), definition=ActivityDefinition(name={"en": name}, type=STANDARD))
    display = {"en": verb.rpartition("/")[2]}
    return Statement(actor=who.agent(), verb=Verb(id=verb, display=display), object=activity, timestamp=at)


def _extensions(told: dict[str, str | int | None]) -> Extensions:
    return Extensions({EXTENSIONS + name: value for name, value in told.items() if value not in {"", None}})
