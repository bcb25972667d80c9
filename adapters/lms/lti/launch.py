"""A launch: the state that is used up, the token that is checked, and what both teach the store, in one commit.

Nothing is asked of the platform here but its keys, and those seldom. Pages are made by the routes. Each launch that is
refused after its state was ours leaves an entry in the record of actions, unless one platform makes too many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from adapters.lms.lti import courses, login, platforms, rosters, skill_grades, users, words
from adapters.lms.lti.courses import LtiCourse, LtiLink, LtiMember, Part
from adapters.lms.lti.launch_token import Rejected, full_name, kid_of, object_in, text, texts, verified
from adapters.lms.lti.login import LtiLogin
from adapters.lms.lti.parts import part_of
from adapters.lms.lti.platform_keys import PlatformKeys
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.lti.users import LtiUser, SeenUser
from lrs.access.throttle import Throttle
from lrs.kernel.addresses import origin
from lrs.kernel.times import HOUR, SECOND
from lrs.storage import ROWS, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

SKILLS = "skills"
"""What a link opens that is about the learner's own skills."""
BADGES, CODE = "badges", "code"
"""What a link opens that is about the learner's badges, or about the code of an event."""
OPENS = "engraft_opens"
"""The parameter of a link that says what it opens; ours, but anybody who edits the link can change it."""
USERNAME = "engraft_username"
"""The parameter in which a registration asks for the user name; whoever edits a link can write another one."""
AUDITED = (100, 3_600.0)
"""Refused launches of one platform that are put into the record of actions, in so many seconds."""
_LONGEST = 500
_log = structlog.get_logger()
_audited = Throttle(*AUDITED)


class OtherBrowser(Exception):
    """The browser shows nothing of the login: it keeps no cookie, or another browser began. Nothing was used up."""

    def __init__(self, platform: LtiPlatform, begun: LtiLogin) -> None:
        super().__init__()
        self.platform, self.begun = platform, begun


class LaunchMessage(msgspec.Struct, frozen=True):
    """A message of a platform that is believed: who sent it, and what it says."""

    platform: LtiPlatform
    claims: Mapping[str, Any]

    @property
    def is_deep_linking(self) -> bool:
        """Whether somebody chooses what a link of theirs shall open."""
        return self.claims.get(words.MESSAGE_TYPE) == words.DEEP_LINKING_REQUEST

    @property
    def deployment(self) -> str:
        """The deployment that it came from."""
        return text(self.claims.get(words.DEPLOYMENT))

    @property
    def way_back(self) -> str:
        """Where who comes goes back to, as the platform says; empty if it says nothing."""
        return text(object_in(self.claims, words.PRESENTATION).get("return_url"))

    @property
    def part(self) -> Part:
        """What who comes is in the course."""
        return part_of(texts(self.claims.get(words.ROLES)))


class Arrived(msgspec.Struct, frozen=True):
    """What a launch came to: the *user*, if the platform says who it is, in which course, and what the link opens."""

    message: LaunchMessage
    user: LtiUser | None
    course: str
    opens: str
    link: str


def receive(tenant: Tenant, keys: PlatformKeys, form: Mapping[str, str], proof: str | None) -> LaunchMessage:
    """The message in a *form* that came to the launch address, if it is to be believed. Uses its state up.

    *proof* is what the browser shows of the login. Raises ``Refused`` and ``OtherBrowser``.
    """
    state = form.get("state", "")
    begun = login.look(tenant, state)
    platform = platforms.platform(tenant.store, begun.platform)
    if platform is None:
        raise Rejected("unknown_platform", "its platform is not registered any more", status=404)
    if not login.is_same_browser(tenant, state, proof):
        raise OtherBrowser(platform, begun)
    used = tenant.store.write(lambda tx: login.use(tx, state, tenant.clock())).result()
    try:
        return _believed(tenant, keys, platform, used, form)
    except Rejected as rejected:
        _note(tenant, platform, rejected)
        raise


def take_in(tx: Tx, tenant: Tenant, message: LaunchMessage) -> Arrived:
    """Puts down what *message* says of who comes, of the course and of the link."""
    platform, claims = message.platform, message.claims
    platforms.note_origins(tx, platform.id, _origins(message))
    known = users.learn(tx, tenant, platform, _seen(claims)) if text(claims.get("sub")) else None
    course = _course(tx, message)
    opens, link = text(object_in(claims, words.CUSTOM).get(OPENS))[:_LONGEST], ""
    if not message.is_deep_linking:
        link = _link(tx, message, course, opens)
    if known is not None and course:
        now, opened = tenant.clock(), skill_grades.opened(link, opens)
        user, hour = users.user_id(platform.id, known.sub), now - now % HOUR
        courses.put_member(tx, LtiMember(course, user, known.person, message.part, launched=hour, opened=opened))
        rosters.owe(tx, course, is_teacher=message.part == "teacher", now=now)
        if link:  # who opens a link to a skill may hold it already
            skill_grades.owe_in(tx, known.person, now)
    return Arrived(message, known, course, opens or SKILLS, link)


WEIGHT = 4 * ROWS
"""Rows that ``take_in`` writes, in plain statements."""


def _believed(
    tenant: Tenant, keys: PlatformKeys, platform: LtiPlatform, begun: LtiLogin, form: Mapping[str, str]
) -> LaunchMessage:
    login.check_approved(platform)
    if form.get("error"):
        why = form.get("error_description") or form["error"]
        raise Rejected("platform_error", f"the platform says “{why[:200]}”")
    token = form.get("id_token", "")
    found = keys.find(tenant, platform, kid_of(token))
    claims = verified(token, found, platform, begun.nonce, tenant.clock() // SECOND)
    deployment = text(claims.get(words.DEPLOYMENT))
    if deployment not in platform.deployments:
        tenant.store.write(lambda tx: platforms.note_deployment(tx, platform.id, deployment)).result()
        why = "its deployment is new here, and waits until an administrator accepts it under Learning platforms"
        raise Rejected("token_deployment", why)
    message = LaunchMessage(platform, claims)
    if not message.is_deep_linking and not text(claims.get("sub")):
        raise Rejected("anonymous", "the platform does not say who you are, so there is no record to show")
    return message


def _note(tenant: Tenant, platform: LtiPlatform, rejected: Rejected) -> None:
    _log.warning("a launch was refused", tenant=tenant.id, platform=platform.id, why=rejected.error)
    if not _audited.is_over(tenant.id, platform.id):
        _audited.note(tenant.id, platform.id)
        told = {"platform": platform.id, "why": rejected.error}
        tenant.store.write(lambda tx: audit.append(tx, f"lti {platform.id}", "lti.launch-refused", told)).result()


def _seen(claims: Mapping[str, Any]) -> SeenUser:
    custom, ext = object_in(claims, words.CUSTOM), object_in(claims, words.EXT)
    asked = text(custom.get(USERNAME))
    return SeenUser(
        text(claims.get("sub")),
        full_name(claims),
        text(claims.get("email")),
        text(ext.get("user_username")),
        # A platform that does not know the variable sends it back as it is.
        "" if asked.startswith("$") else asked,
        users.home_of(text(object_in(claims, words.PLATFORM).get("url"))),
        words.TEST_USER in texts(claims.get(words.ROLES)),
        text(object_in(claims, words.LIS).get("person_sourcedid")),
    )


def _course(tx: Tx, message: LaunchMessage) -> str:
    """The id of the course, which is put down; empty for a launch from outside of one."""
    claims = message.claims
    context = object_in(claims, words.CONTEXT)
    id = text(context.get("id"))
    if not id:
        return ""
    members, grades = object_in(claims, words.MEMBERSHIPS), object_in(claims, words.GRADES)
    scopes = set(texts(grades.get("scope"))) & set(words.SCOPES)
    address = text(members.get("context_memberships_url"))
    if address:
        scopes.add(words.READ_MEMBERS)
    seen = LtiCourse(
        message.platform.id,
        message.deployment,
        id[:_LONGEST],
        (text(context.get("title")) or text(context.get("label")))[:_LONGEST],
        address,
        text(grades.get("lineitems")),
        tuple(sorted(scopes)),
    )
    return courses.put_course(tx, seen)


def _link(tx: Tx, message: LaunchMessage, course: str, opens: str) -> str:
    found = object_in(message.claims, words.LINK)
    resource = text(found.get("id"))
    id = courses.link_id(message.platform.id, message.deployment, resource)
    item = text(object_in(message.claims, words.GRADES).get("lineitem"))
    courses.put_link(tx, id, LtiLink(course, resource, text(found.get("title"))[:_LONGEST], opens or SKILLS, item))
    return id


def _origins(message: LaunchMessage) -> list[str]:
    """From where the platform may show our pages, as it says itself."""
    claims = message.claims
    told = (
        message.way_back,
        text(object_in(claims, words.PLATFORM).get("url")),
        text(object_in(claims, words.DEEP_LINKING).get("deep_link_return_url")),
    )
    return [found for one in told if (found := origin(one))]
