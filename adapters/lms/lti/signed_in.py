"""Who came by a launch: a session of its own, in a cookie of its own, never that of staff or of a learner's account.

A learner's session is for that person's own skills alone; a teacher's for the roster and the grades of one course. What
its platform, its person or its course is now is looked up at every request. Knows no page.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from adapters.lms.lti import courses, platforms, users
from adapters.lms.lti.courses import LtiCourse
from adapters.lms.lti.platforms import LtiPlatform
from lrs.access import LAUNCH, OWN_COURSE, SELF, Caller, sessions
from lrs.access.sessions import SigningIn
from lrs.access.signed_in import SignedIn
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.kernel.times import SECOND
from lrs.people.persons import members_of
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange
from lrs.web.language import set_framed_cookie

LEARNER, TEACHER = "lti-learner", "lti-teacher"
ME = "me"
"""The cookie of a learner; that of a teacher has the id of its course."""
OWN = dict.fromkeys(("own-record.read", "own-questions.ask", "own-badges.share"), SELF)
READ_COURSE = "course.read"
BEHIND = "/t/{tenant}/lti"
"""The path in front of the pages behind a launch."""
LASTS = sessions.LASTS // SECOND
AGAIN = "Open this again in your learning platform: what you had open here has ended."


class Launched(SignedIn, frozen=True, kw_only=True):
    """Who is here by a launch, from which *platform*; a teacher for which *course*."""

    platform: LtiPlatform
    course: LtiCourse | None = None
    course_id: str = ""


def open_learner(tx: Tx, platform: str, person: str, now: int, way: SigningIn) -> str:
    """Signs the learner *person* in with this commit. Gives the token."""
    return sessions.open_in(tx, f"{LEARNER} {person} {platform}", now, way)


def open_teacher(tx: Tx, user: str, course: str, now: int, way: SigningIn) -> str:
    """Signs a teacher of *course* in with this commit. Gives the token."""
    return sessions.open_in(tx, f"{TEACHER} {user} {course}", now, way)


def by_launch(exchange: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """Who is here by a launch; leaves ``Launched`` behind. Raises ``Refused`` (401)."""
    of = exchange.place.named.get("course", ME).partition(".")[0]  # the list as a file has an ending
    token = HTTPConnection(scope).cookies.get(cookie_name(tenant, of))
    found = sessions.find_session(tenant, token) if token else None
    root = f"{scope.get('root_path', '')}{BEHIND.format(tenant=tenant.id)}"
    who = _launched(tenant, found.subject, (found.id, root)) if found else None
    if who is None or (who.course_id or ME) != of:
        raise Refused(AGAIN, status=401, error="launch_again")
    exchange.behind = who
    return who.caller


def _launched(tenant: Tenant, subject: str, session: tuple[str, str]) -> Launched | None:
    sort, _, rest = subject.partition(" ")
    one, _, other = rest.partition(" ")
    if sort == LEARNER:
        return _learner(tenant, one, other, session)
    return _teacher(tenant, one, other, session) if sort == TEACHER else None


def _learner(tenant: Tenant, person: str, platform: str, session: tuple[str, str]) -> Launched | None:
    found = platforms.platform(tenant.store, platform)
    if found is None or found.state != "approved" or not members_of(tenant.store, person):
        return None
    own = dict.fromkeys(OWN, frozenset({person}))
    caller = Caller(f"learner {person}", "", b"", OWN, tenant.id, LAUNCH, person=person, own=own)
    return Launched(caller, *session, platform=found)


def _teacher(tenant: Tenant, user: str, course: str, session: tuple[str, str]) -> Launched | None:
    store = tenant.store
    there, known, who = courses.course(store, course), courses.member(store, course, user), users.user(store, user)
    found = platforms.platform(store, there.platform) if there else None
    if not (there and known and who and found) or found.state != "approved":
        return None
    if not known.active or known.part != "teacher":
        return None
    own = {READ_COURSE: frozenset({course})}
    subject = f"lti-user {user}"
    caller = Caller(subject, "", b"", {READ_COURSE: OWN_COURSE}, tenant.id, LAUNCH, name=who.name, own=own)
    return Launched(caller, *session, platform=found, course=there, course_id=course)


# -- cookies --------------------------------------------------------------------------------------------------------


LONGEST_BACK = 2_000
"""Characters of the longest address of a platform that is kept as the way back."""
_BACK = "back"


def keep_way_back(answer: Response, tenant: Tenant, platform: LtiPlatform, address: str) -> None:
    """Keeps *address*, to which the platform leads on; it may hold what only that browser is to know (Moodle: sesskey).

    One that is no address of the *platform* is not kept, and then there is none, also no former one.
    """
    kept = quote(address, safe="") if _is_of(platform, address) and len(address) <= LONGEST_BACK else ""
    set_framed_cookie(answer, cookie_name(tenant, _BACK), kept, LASTS if kept else 0)


def way_back(request: HTTPConnection, tenant: Tenant, platform: LtiPlatform) -> str:
    """The address of the *platform* to which the learner goes back from their own pages; empty if there is none."""
    address = unquote(request.cookies.get(cookie_name(tenant, _BACK), ""))
    return address if _is_of(platform, address) else ""


def _is_of(platform: LtiPlatform, address: str) -> bool:
    return origin(address) in platform.framing


def cookie_name(tenant: Tenant, of: str) -> str:
    """The name of a cookie of ours in a frame: no other host can set it."""
    return f"__Host-engraft.{tenant.id}.lti.{of}"
