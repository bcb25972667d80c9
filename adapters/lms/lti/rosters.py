"""The roster of a course, read from its platform by a worker (Names and Role Provisioning Services 2.0).

A course owes the step ``lti-roster``: soon after a teacher opened it, and each day after that. Every page is one commit
or a few; who is not in the roster any more is marked when all of it was read, and never before. Platforms let people
in whom no roster names, such as their administrators, and a roster may be late; so whoever came by a launch and was
never in the roster stays for a day after the last one, and is back with the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec
import structlog

from adapters.lms.lti import courses, enrolments, platforms, users, words
from adapters.lms.lti.courses import COURSE, LtiCourse, LtiMember
from adapters.lms.lti.launch_token import full_name, text, texts
from adapters.lms.lti.parts import part_of
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.lti.services import ServiceAccess, ServiceFailed, access_to, call, next_page, words_of
from adapters.lms.lti.users import SeenUser
from lrs.kernel import strict_json
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY, MINUTE
from lrs.storage import ROWS, Claim, Owed, Tx
from lrs.tenancy.tenants import Tenant

STEP = "lti-roster"
EVERY, SOON = DAY, 10 * MINUTE
"""Microseconds: how often a roster is read, and how old it is before a teacher's visit has it read again."""
MOST_PAGES = 200
_AT_ONCE = 50
_WEIGHT = 5 * ROWS
_LASTING = frozenset({400, 403, 404, 405, 410})
"""Answers after which it is not asked again before somebody opens the course."""
_HEADERS = {"accept": "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"}
_log = structlog.get_logger()


class RosterRead(msgspec.Struct, frozen=True):
    """What reading a roster came to: how many are in it, and how many are not any more."""

    members: int
    gone: int


def owe(tx: Tx, id: str, *, is_teacher: bool, now: int) -> None:
    """Owes the roster of a course that was just opened: soon for a teacher, else as it is owed already."""
    course = courses.course(tx, id)
    if course is not None and course.members and words.READ_MEMBERS in course.scopes:
        is_old = now - course.synced >= SOON
        tx.owe(COURSE, id, Owed(STEP, due=now if is_teacher and is_old else now + EVERY))


def read_rosters(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step. Raises ``ServiceFailed`` for what may work later, and says it on the page of the course."""
    for claim in claims:
        id, again = claim.record.id, True
        try:
            read(tenant, id)
        except ServiceFailed as failed:
            if failed.status not in _LASTING:
                raise
            again = False
        settle = partial(_owe_again, id=id, due=tenant.clock() + EVERY) if again else _nothing
        tenant.store.settle([claim], settle, weight=ROWS).result()


def _owe_again(tx: Tx, id: str, due: int) -> None:
    if tx.get(COURSE, id) is not None:
        tx.owe(COURSE, id, Owed(STEP, due=due))


def _nothing(_: Tx) -> None:
    """Owes nothing more, until somebody opens the course."""


def read(tenant: Tenant, id: str) -> RosterRead:
    """Reads the whole roster of a course now. Raises ``ServiceFailed``, after it was put down why."""
    course = courses.course(tenant.store, id)
    platform = platforms.platform(tenant.store, course.platform) if course else None
    if course is None or platform is None or platform.state != "approved" or not course.members:
        return RosterRead(0, 0)
    began = tenant.clock()
    try:
        seen = _read_pages(tenant, id, course, platform)
    except ServiceFailed as failed:
        _log.warning("a roster was not read", tenant=tenant.id, course=id, status=failed.status)
        _write_course(tenant, id, problem=f"the platform: {failed.why}"[:300])
        raise
    gone = _mark_gone(tenant, id, seen, began)
    _write_course(tenant, id, problem="", synced=tenant.clock())
    return RosterRead(len(seen), gone)


def _read_pages(tenant: Tenant, id: str, course: LtiCourse, platform: LtiPlatform) -> set[str]:
    """Takes in each page. Gives the ids of all who are in the course."""
    try:
        access = access_to(tenant, platform, (words.READ_MEMBERS,))
    except Refused as refused:
        raise ServiceFailed(refused.message) from refused
    seen: set[str] = set()
    url, home = course.members, origin(course.members)
    for _ in range(MOST_PAGES):
        members, following = _page(tenant, access, url)
        for some in _batches(members):
            take = partial(_take, tenant=tenant, platform=platform, course=id, some=some)
            tenant.store.write(take, weight=_WEIGHT * len(some)).result()
        seen |= {users.user_id(platform.id, one.sub) for one, known in members if known.active}
        if len(seen) > courses.MOST_MEMBERS:
            raise ServiceFailed(f"the roster has over {courses.MOST_MEMBERS} members, which are not read")
        if not following:
            return seen
        if origin(following) != home:
            raise ServiceFailed("the next page of the roster is on another host, which gets no token")
        url = following
    raise ServiceFailed(f"the roster has over {MOST_PAGES} pages")


class _Listed(msgspec.Struct, frozen=True):
    active: bool
    roles: tuple[str, ...]


_Member = tuple[SeenUser, _Listed]


def _page(tenant: Tenant, access: ServiceAccess, url: str) -> tuple[list[_Member], str]:
    answer = call(access, tenant.settings, url, _HEADERS)
    if answer.status != 200:
        raise ServiceFailed(words_of(answer), answer.status, answer.headers.get("retry-after"))
    try:
        told = strict_json.parse(answer.body)
    except Refused as error:
        raise ServiceFailed("its roster is no JSON") from error
    members = told.get("members") if isinstance(told, dict) else None
    if not isinstance(members, list):
        raise ServiceFailed("its roster has no members")
    return [found for one in members if isinstance(one, dict) and (found := _member(one))], next_page(answer.headers)


def _member(told: Mapping[str, Any]) -> _Member | None:
    sub = told.get("user_id")
    if not isinstance(sub, str) or not 0 < len(sub) <= platforms.LONGEST:
        return None
    roles = texts(told.get("roles"))
    seen = SeenUser(
        sub,
        full_name(told),
        text(told.get("email")),
        text(told.get("ext_user_username")),
        test=words.TEST_USER in roles,
        number=text(told.get("lis_person_sourcedid")),
    )
    return seen, _Listed(told.get("status", "Active") == "Active", roles)


def _take(tx: Tx, tenant: Tenant, platform: LtiPlatform, course: str, some: Sequence[_Member]) -> None:
    for seen, listed in some:
        known = users.learn(tx, tenant, platform, seen)
        user = users.user_id(platform.id, seen.sub)
        member = LtiMember(course, user, known.person, part_of(listed.roles), listed.active, listed=True)
        courses.put_member(tx, member)
        if not member.active:
            enrolments.leave(tx, member, tenant.clock())


def _mark_gone(tenant: Tenant, id: str, seen: set[str], began: int) -> int:
    """Marks who is not in the roster, which was read from *began* on, and was, or was not launched for a day."""
    gone = [
        one.user for one in courses.members_of_course(tenant.store, id) if one.user not in seen and _is_gone(one, began)
    ]
    left = 0
    for some in _batches(gone):
        decide = partial(_leave, course=id, some=some, began=began, now=tenant.clock())
        left += tenant.store.write(decide, weight=ROWS * len(some)).result()
    return left


def _is_gone(member: LtiMember, began: int) -> bool:
    """Whether somebody who is not in the roster has left."""
    return member.active and (member.listed or 0 < member.launched < began - DAY)


def _leave(tx: Tx, course: str, some: Sequence[str], began: int, now: int) -> int:
    """Marks those of *some* users who have left still: one may have been launched meanwhile. Gives how many."""
    members = [one for user in some if (one := courses.member(tx, course, user)) and _is_gone(one, began)]
    for one in members:
        courses.put_member(tx, msgspec.structs.replace(one, active=False))
        enrolments.leave(tx, one, now)
    return len(members)


def _write_course(tenant: Tenant, id: str, *, problem: str, synced: int = 0) -> None:
    def decide(tx: Tx) -> None:
        course = courses.course(tx, id)
        if course is not None:
            courses.write_course(
                tx, id, msgspec.structs.replace(course, problem=problem, synced=synced or course.synced)
            )

    tenant.store.write(decide).result()


def _batches(found: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(found)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
