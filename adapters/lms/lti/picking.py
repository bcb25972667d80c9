"""Deep linking: what a teacher can put into a course, and the signed answer with what was chosen.

What is asked is kept in the form itself, hidden, for an hour: nothing is stored until a link is opened. Pure but for
what there is to choose, and the signature. Source: LTI Deep Linking 2.0.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from adapters.lms.courses import courses as own_courses
from adapters.lms.courses.structure import shown_title, units_of
from adapters.lms.lti import tool_keys, words
from adapters.lms.lti.enrolments import COURSE
from adapters.lms.lti.launch import BADGES, CODE, OPENS, SKILLS, LaunchMessage
from adapters.lms.lti.launch_token import object_in, text, texts
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.lti.skill_grades import SKILL
from lrs.competency.rules import rulesets
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.kernel.times import HOUR, SECOND
from lrs.storage import Reader
from lrs.tenancy.tenants import Tenant

LASTS = HOUR
ANSWER_LASTS = 300
"""Seconds for which the answer holds."""
MOST = 200
"""Courses that are offered, the last changed first."""
MOST_SKILLS = 500
SORTS = {
    "skills": "For each learner",
    "courses": "A course, with its grade",
    "units": "One unit of a course, with its grade",
    "skill": "One skill, with its grade",
}
"""The groups of choices, in their order, and what they are called."""


class Picking(msgspec.Struct, frozen=True):
    """What a platform asks for: where the answer goes, what goes back with it, and what it takes."""

    platform: str
    deployment: str
    address: str
    data: str | None
    several: bool
    graded: bool
    until: int


class LinkChoice(msgspec.Struct, frozen=True):
    """Something that a link can open. *graded*: it has a result that can go into a gradebook. *sort* groups choices."""

    opens: str
    title: str
    text: str
    sort: str
    graded: bool = False


def asked(message: LaunchMessage, now: int) -> Picking:
    """What *message*, which is believed, asks for. Raises ``Refused`` (400) if it takes no links."""
    told = object_in(message.claims, words.DEEP_LINKING)
    if "ltiResourceLink" not in texts(told.get("accept_types")):
        raise Refused("The platform does not take links to this tool at this place (accept_types).")
    address = text(told.get("deep_link_return_url"))
    try:
        web_address(address)
    except ValueError as error:
        raise Refused(f"The platform's return address is none: {error}.") from error
    data = told.get("data")
    several, graded = told.get("accept_multiple"), told.get("accept_lineitem", True)
    return Picking(
        message.platform.id,
        message.deployment,
        address,
        data if isinstance(data, str) else None,
        several in {True, "true"},
        graded not in {False, "false"},
        now + LASTS,
    )


def choices(reader: Reader) -> list[LinkChoice]:
    """What there is to choose from."""
    skills = LinkChoice(SKILLS, "My skills", "Each learner sees their own skills and badges.", "skills")
    badges = LinkChoice(BADGES, "My badges", "Each learner takes the badges that they have earned with them.", "skills")
    code = LinkChoice(
        CODE, "The code of an event", "Learners type the code that they were given at an event.", "skills"
    )
    return [skills, badges, code, *_courses(reader), *_skills(reader)]


def kept(tenant: Tenant, picking: Picking) -> str:
    """*picking* as the form has it."""
    return hide(tenant.secret("lti-picking"), picking)


def shown_again(tenant: Tenant, form: str) -> Picking:
    """What the form was shown for. Raises ``Refused`` (403)."""
    try:
        found = reveal(tenant.secret("lti-picking"), form, Picking)
    except NotOurs:
        found = None
    if found is None or found.until <= tenant.clock():
        message = "This choice was shown over an hour ago, or not here. Begin again in your learning platform."
        raise Refused(message, status=403, error="bad_form")
    return found


def chosen(reader: Reader, picking: Picking, wanted: Sequence[str]) -> list[LinkChoice]:
    """The choices with these names. Raises ``Refused`` (400): none, several where one is taken, or one that is not."""
    found = {one.opens: one for one in choices(reader)}
    names = list(dict.fromkeys(wanted))
    if not names:
        raise Refused("Choose what the link shall open.")
    if len(names) > 1 and not picking.several:
        raise Refused("Your learning platform takes one link at a time here: choose one.")
    if any(name not in found for name in names):
        raise Refused("What you chose is not there any more. Choose again.")
    return [found[name] for name in names]


def answer(tenant: Tenant, platform: LtiPlatform, picking: Picking, found: Sequence[LinkChoice], target: str) -> str:
    """The signed answer to the platform, with a link for each choice; *target* is the launch address."""
    now = tenant.clock() // SECOND
    claims: dict[str, Any] = {
        "iss": platform.client_id,
        "aud": [platform.issuer],
        "iat": now,
        "exp": now + ANSWER_LASTS,
        "nonce": secrets.token_urlsafe(24),
        words.MESSAGE_TYPE: "LtiDeepLinkingResponse",
        words.VERSION: "1.3.0",
        words.DEPLOYMENT: picking.deployment,
        _CLAIM + "content_items": [item(one, picking, target) for one in found],
    }
    if picking.data is not None:
        claims[_CLAIM + "data"] = picking.data
    return tool_keys.sign(tenant, claims)


def item(one: LinkChoice, picking: Picking, target: str) -> Mapping[str, Any]:
    """The link for a choice, with a column in the gradebook if it has a result and the platform takes one."""
    told: dict[str, Any] = {
        "type": "ltiResourceLink",
        "title": one.title,
        "text": one.text,
        "url": target,
        "custom": {OPENS: one.opens},
    }
    if one.graded and picking.graded:
        told["lineItem"] = {"label": one.title, "scoreMaximum": 100, "resourceId": one.opens, "tag": one.sort}
    return told


_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def _courses(reader: Reader) -> Iterator[LinkChoice]:
    for course in own_courses.newest(reader, MOST):
        if course.withdrawn or course.client:  # a client that sent one alone sees it
            continue
        opens, title = f"{COURSE}{course.id}", shown_title(course.title)
        yield LinkChoice(opens, title, "The whole course.", "courses", graded=True)
        units = units_of(own_courses.version_in(reader, course.id, course.version).structure)
        for index, unit in enumerate(units) if len(units) > 1 else ():
            yield LinkChoice(
                f"{opens}#{index}", f"{title}: {shown_title(unit.title)}", "One unit.", "units", graded=True
            )


def _skills(reader: Reader) -> Iterator[LinkChoice]:
    for one in rulesets.current(reader).competencies[:MOST_SKILLS]:
        told = f"Learners see their skills; {one.label} goes into the gradebook once somebody holds it."
        yield LinkChoice(f"{SKILL}{one.id}", one.label, told, "skill", graded=True)
