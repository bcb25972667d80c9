"""Grades that go to the gradebook of a platform: the channel ``lti`` (Assignment and Grade Services 2.0).

A grade is kept as a record ``lti-grade`` (id: from link and user), always the newest; one delivery belongs to it and is
owed again whenever it changes. What is sent is put together when it is sent. A gradebook takes no score that is older
than what it has, by whole seconds (409 in Moodle): then its own result is read back, and if it is not ours, somebody
has graded there since, and theirs stays.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from adapters.lms.lti import courses, platforms, users, words
from adapters.lms.lti.courses import LtiLink
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.lti.services import NO_REASON, ServiceAccess, ServiceFailed, access_to, below, call, words_of
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.outbound import Response
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND, timestamp_of_micros
from lrs.outbox import deliveries
from lrs.outbox.channel import (
    ACTIVE,
    PAUSED,
    Channel,
    Destination,
    End,
    Message,
    Outcome,
    Undeliverable,
    name_of,
    outcome_of,
    with_name,
)
from lrs.outbox.deliveries import Delivery
from lrs.storage import Reader, Record, Tx
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy.tenants import Tenant

KIND = "lti-grade"
CHANNEL_NAME = "lti"
NEWER = 409
"""The status under which a delivery is kept whose grade was not taken, because the gradebook has a newer one."""
LONGEST = 60
"""Seconds that a call takes at most: a token, a score, and a look at what is there."""
_SCORE = {"content-type": "application/vnd.ims.lis.v1.score+json", "accept": "application/json"}
_RESULTS = {"accept": "application/vnd.ims.lis.v2.resultcontainer+json"}
_CLOSE = 1e-6
_OFTEN = "Often the learner is not enrolled there any more, or the activity takes no grade."
_STOPPED = {"pending": "it waits for approval", "suspended": "it was suspended"}
_FINAL = frozenset({400, 403, 404, 405, 410, 422})


class LtiGrade(msgspec.Struct, frozen=True):
    """The newest grade of a user for a link: *given* of *most* points, reached *at* (microseconds UTC)."""

    platform: str
    link: str
    user: str
    person: str
    given: float
    most: float
    at: int
    activity: Literal["InProgress", "Completed"] = "Completed"
    comment: str = ""
    v: int = 1


class Reached(msgspec.Struct, frozen=True):
    """What somebody reached, of how many points, when (microseconds UTC), and whether they are done."""

    given: float
    most: float
    at: int
    is_done: bool = True
    comment: str = ""


_decoder = msgspec.json.Decoder(LtiGrade)


def grade_id(link: str, user: str) -> str:
    """The id of the grade of a user (by the id of its record) for a link."""
    return name(KIND, link, user)


def delivery_id(grade: str) -> str:
    """The id of the delivery of a grade."""
    return name(deliveries.KIND, CHANNEL_NAME, grade)


def grade(reader: Reader, link: str, user: str) -> LtiGrade | None:
    """The newest grade of a user for a link."""
    record = reader.get(KIND, grade_id(link, user))
    return _decoder.decode(record.body) if record else None


def owe(tx: Tx, link: str, user: str, reached: Reached, now: int) -> bool:
    """Owes the platform a grade, in the transaction of the fact it follows from. ``False`` if it has it already.

    It does nothing for a link without a column in the gradebook, and for a test user.
    """
    there, who = courses.link(tx, link), users.user(tx, user)
    if there is None or who is None or not there.item or who.test:
        return False
    before = grade(tx, link, user)
    activity: Literal["InProgress", "Completed"] = "Completed" if reached.is_done else "InProgress"
    if before and _told(before) == (reached.given, reached.most, activity, reached.comment):
        return False
    at = max(reached.at, before.at + SECOND) if before else reached.at
    now_is = LtiGrade(who.platform, link, user, who.person, reached.given, reached.most, at, activity, reached.comment)
    id = grade_id(link, user)
    tx.put(Record(KIND, id, msgspec.json.encode(now_is), keys=(key("lti.grade-person", who.person),)))
    if tx.get(deliveries.KIND, delivery_id(id)) is None:
        content = msgspec.json.encode({"grade": id, "person": who.person})
        owed = Delivery(delivery_id(id), CHANNEL_NAME, who.platform, content, what="grade")
        deliveries.queue(tx, owed, now)
    else:
        deliveries.again(tx, delivery_id(id))
    return True


def _told(one: LtiGrade) -> tuple[float, float, str, str]:
    return one.given, one.most, one.activity, one.comment


def compose(tenant: Tenant, record: Record, destination: Destination) -> Message:
    """The call that puts the newest grade into the gradebook. See ``Channel``."""
    id = msgspec.json.decode(record.body, type=dict[str, str])["grade"]
    found = tenant.store.get(KIND, id)
    platform = platforms.platform(tenant.store, destination.id)
    if found is None or platform is None:
        raise Undeliverable("the grade, or its platform, is not there any more")
    one = _decoder.decode(found.body)
    link, who = courses.link(tenant.store, one.link), users.user(tenant.store, one.user)
    if link is None or who is None or not link.item:
        raise Undeliverable("the link has no column in the gradebook any more: open it once in the platform")
    course = courses.course(tenant.store, link.course)
    scopes = [scope for scope in (words.WRITE_SCORE, words.READ_RESULT) if course and scope in course.scopes]
    if words.WRITE_SCORE not in scopes:
        raise Undeliverable("the platform does not let this tool write grades: allow it there, and open the link once")
    try:
        access = access_to(tenant, platform, scopes)
    except Refused as refused:
        raise Undeliverable(refused.message) from refused
    score = _score(one, who.sub)
    return Message(functools.partial(_send, access, link, score), longest=LONGEST)


class _Platforms:
    """The platforms, as destinations: one that is not approved gets nothing, until it is approved and told anew."""

    def find(self, tenant: Tenant, id: str) -> Destination | None:
        """See ``Destinations.find``."""
        found = platforms.platform(tenant.store, id)
        return _destination(found) if found else None

    def everyone(self, tenant: Tenant) -> Iterator[Destination]:
        """See ``Destinations.everyone``."""
        return map(_destination, platforms.everyone(tenant.store))

    def stop(self, tx: Tx, id: str, state: str, reason: str) -> None:  # noqa: ARG002 (whoever stops it says so)
        """See ``Destinations.stop``: nothing that a gradebook answers stops its platform. Never called by ``_send``."""
        platforms.set_state(tx, id, "suspended", f"outbox: {reason}")


def _destination(one: LtiPlatform) -> Destination:
    named = with_name(one.name)
    if one.state == "approved":
        return Destination(CHANNEL_NAME, one.id, one.token, ACTIVE, options=named)
    return Destination(CHANNEL_NAME, one.id, one.token, PAUSED, _STOPPED[one.state], options=named)


def _score(one: LtiGrade, sub: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "userId": sub,
        "scoreGiven": one.given,
        "scoreMaximum": one.most,
        "activityProgress": one.activity,
        "gradingProgress": "FullyGraded",
        "timestamp": timestamp_of_micros(one.at),
    }
    return told | ({"comment": one.comment} if one.comment else {})


def _send(access: ServiceAccess, link: LtiLink, score: dict[str, Any], settings: Settings) -> Outcome:
    try:
        answer = call(access, settings, below(link.item, "scores"), _SCORE, msgspec.json.encode(score))
        if answer.status == NEWER:
            return _newer(access, link, score, settings)
    except ServiceFailed as failed:
        return Outcome(End.LATER, failed.why, failed.status or None, failed.retry_after)
    return _outcome(answer)


def _outcome(answer: Response) -> Outcome:
    if answer.status in _FINAL:
        said = words_of(answer)
        guess = f". {_OFTEN}" if said.endswith(NO_REASON) else ""
        return Outcome(End.REFUSED, f"the platform {said}{guess}", answer.status)
    if 200 <= answer.status < 300:
        return outcome_of(answer)
    return Outcome(End.LATER, f"the platform {words_of(answer)}", answer.status, answer.headers.get("retry-after"))


def _newer(access: ServiceAccess, link: LtiLink, score: dict[str, Any], settings: Settings) -> Outcome:
    """After 409: what is there is newer, or it is this very grade, which arrived before and was not answered."""
    if words.READ_RESULT in access.scopes.split():
        answer = call(access, settings, below(link.item, "results", user_id=score["userId"]), _RESULTS)
        if answer.status == 200 and is_there(answer.body, score):
            return Outcome(End.DELIVERED, "it was there already", 200)
    return Outcome(End.DELIVERED, "the gradebook has a newer grade", NEWER)


def is_there(body: bytes, score: dict[str, Any]) -> bool:
    """Whether the results in *body* have just this score for its user."""
    try:
        told = strict_json.parse(body)
    except Refused:
        return False
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and str(one.get("userId")) == score["userId"]:
            given, most = one.get("resultScore"), one.get("resultMaximum", score["scoreMaximum"])
            if isinstance(given, int | float) and isinstance(most, int | float) and most > 0:
                return bool(abs(given / most - score["scoreGiven"] / score["scoreMaximum"]) < _CLOSE)
    return False


def about(record: Record) -> dict[str, Any]:
    """What the list of deliveries shows."""
    return {"to": record.meta.get("to", "?"), "what": record.meta.get("what", "grade")}


CHANNEL = Channel(
    CHANNEL_NAME,
    compose,
    about,
    own=_Platforms(),
    resume="lrs lms approve {id}",
    called=name_of,
    page="/staff/lms/platforms/{id}",
)


def those_of(reader: Reader, links: Sequence[str], user: str) -> list[LtiGrade]:
    """The grades of a user for these links."""
    ids = [grade_id(link, user) for link in links]
    found = reader.get_many(KIND, ids) if ids else {}
    return [_decoder.decode(found[id].body) for id in ids if id in found]


KINDS = (
    Kind(
        KIND,
        "effect",
        LtiGrade,
        1,
        subjects=of_person(_decoder.decode),
        retention="evidence",
        exported=True,
        find=by_person(KIND, "lti.grade-person"),
    ),
)
