"""The lines of the table of rights for learning platforms (LTI): their messages, their pages, and who connects them."""

from __future__ import annotations

from lrs.access import ALL, LAUNCH, OWN_COURSE, SELF, SESSION
from lrs.access.policy.lines import PUBLIC, PolicyLine, PolicyTable, listed

_PAGE = PolicyLine(PUBLIC, pages="lti")
_MESSAGE = PolicyLine(PUBLIC, pages="lti", foreign_forms=True)
_CONNECT = PolicyLine("lms.connect", (SESSION,), frozenset({ALL}), pages="staff")
_APPROVE = PolicyLine("lms.approve", (SESSION,), frozenset({ALL}), pages="staff")


def _launched(right: str, reach: str) -> PolicyLine:
    return PolicyLine(right, (LAUNCH,), frozenset({reach}), pages="lti")


LTI_TABLE: PolicyTable = {
    # what platforms ask for, and the pages that they show
    ("GET", "/t/{tenant}/lti/jwks"): PolicyLine(PUBLIC),
    ("GET", "/t/{tenant}/lti/register/{invite}"): _PAGE,
    ("POST", "/t/{tenant}/lti/register/{invite}"): _PAGE,
    ("GET", "/t/{tenant}/lti/login"): _PAGE,
    ("POST", "/t/{tenant}/lti/login"): _MESSAGE,
    ("POST", "/t/{tenant}/lti/launch"): _MESSAGE,
    ("GET", "/t/{tenant}/lti/closed"): _PAGE,
    ("POST", "/t/{tenant}/lti/pick"): _PAGE,
    ("GET", "/t/{tenant}/lti/me"): _launched("own-record.read", SELF),
    ("POST", "/t/{tenant}/lti/me/questions"): _launched("own-questions.ask", SELF),
    ("GET", "/t/{tenant}/lti/me/roles"): _launched("own-record.read", SELF),
    ("GET", "/t/{tenant}/lti/me/badges/{id}"): _launched("own-record.read", SELF),
    ("GET", "/t/{tenant}/lti/me/badges/{id}/take"): _launched("own-record.read", SELF),
    ("POST", "/t/{tenant}/lti/me/badges/{id}/take"): _launched("own-badges.share", SELF),
    ("GET", "/t/{tenant}/lti/me/code"): _launched("own-record.read", SELF),
    ("POST", "/t/{tenant}/lti/me/code"): _launched("own-record.read", SELF),
    ("GET", "/t/{tenant}/lti/learn/{link}"): _launched("own-record.read", SELF),
    ("POST", "/t/{tenant}/lti/learn/{link}/{index}"): _launched("own-record.read", SELF),
    ("GET", "/t/{tenant}/lti/courses/{course}"): _launched("course.read", OWN_COURSE),
    ("POST", "/t/{tenant}/lti/courses/{course}/try/{link}/{index}"): _launched("course.read", OWN_COURSE),
    # staff
    **listed("/staff/lms", _CONNECT),
    ("POST", "/staff/lms"): _CONNECT,
    ("POST", "/staff/lms/withdraw"): _CONNECT,
    ("GET", "/staff/lms/new"): _CONNECT,
    ("POST", "/staff/lms/new"): _CONNECT,
    ("GET", "/staff/lms/canvas.json"): _CONNECT,
    ("GET", "/staff/lms/platforms/{id}"): _CONNECT,
    ("POST", "/staff/lms/platforms/{id}/state"): _APPROVE,
    ("POST", "/staff/lms/platforms/{id}/deployments"): _APPROVE,
    ("POST", "/staff/lms/platforms/{id}/remove"): _APPROVE,
    ("GET", "/staff/lms/platforms/{id}/results"): _CONNECT,
    ("POST", "/staff/lms/platforms/{id}/results"): _APPROVE,
}
"""Lines of ``policy.TABLE``."""
