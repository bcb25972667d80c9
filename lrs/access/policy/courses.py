"""The lines of the table of rights for courses: content that was launched, programs that launch it, who makes it."""

from __future__ import annotations

from lrs.access import ALL, CONTENT, COURSE_CLIENT, KEY, OWN, SELF, SESSION
from lrs.access.policy.lines import PUBLIC, PolicyLine, PolicyTable, listed

_CONTENT = PolicyLine("launch.run", (CONTENT,), frozenset({SELF}))
_FETCH = PolicyLine(PUBLIC, any_origin=True)
_KEYS = PolicyLine("course-clients.manage", (KEY,), frozenset({ALL}))
_CLIENT = PolicyLine("courses.launch", (COURSE_CLIENT,), frozenset({OWN}))
_READ, _OPEN, _AUTHORS = (
    PolicyLine(right, (SESSION,), frozenset({OWN, ALL}), pages="staff")
    for right in ("courses.read", "courses.open", "courses.manage")
)
_RULES = PolicyLine("rules.change", (SESSION,), frozenset({ALL}), pages="staff")
_OWN = PolicyLine("own-record.read", (SESSION,), frozenset({SELF}), pages="me")
_DOCUMENTS = ("activities/state", "activities/profile", "agents/profile")
API = "/cmi5/api/v1"
"""The addresses of ADL's CATAPULT player."""

COURSE_TABLE: PolicyTable = {
    # the xAPI endpoint of launched content, which narrows all to its session
    **{("GET", f"/cmi5/xapi/{resource}"): _CONTENT for resource in (*_DOCUMENTS, "statements", "activities", "agents")},
    **{(method, f"/cmi5/xapi/{resource}"): _CONTENT for resource in _DOCUMENTS for method in ("PUT", "POST", "DELETE")},
    **{(method, "/cmi5/xapi/statements"): _CONTENT for method in ("PUT", "POST")},
    ("GET", "/cmi5/xapi/about"): PolicyLine(PUBLIC),
    ("POST", "/cmi5/fetch/{token}"): _FETCH,
    ("OPTIONS", "/cmi5/fetch/{token}"): _FETCH,
    ("GET", "/content/{package}/{path:path}"): PolicyLine(PUBLIC),
    # the player of SCORM content: the token in the address is that of a launch
    ("GET", "/scorm/{token}"): PolicyLine(PUBLIC, pages="content"),
    ("GET", "/scorm/{token}/run-time.js"): PolicyLine(PUBLIC),
    ("GET", "/scorm/{token}/attempt"): PolicyLine(PUBLIC),
    ("POST", "/scorm/{token}/attempt"): PolicyLine(PUBLIC),
    # programs that launch courses
    ("POST", f"{API}/tenant"): _KEYS,
    ("DELETE", f"{API}/tenant/{{id}}"): _KEYS,
    ("POST", f"{API}/auth"): _KEYS,
    ("GET", f"{API}/ping"): _CLIENT,
    ("GET", f"{API}/about"): _CLIENT,
    ("POST", f"{API}/course"): _CLIENT,
    ("GET", f"{API}/course/{{id}}"): _CLIENT,
    ("DELETE", f"{API}/course/{{id}}"): _CLIENT,
    ("POST", f"{API}/course/{{id}}/launch-url/{{index}}"): _CLIENT,
    ("POST", f"{API}/registration"): _CLIENT,
    ("GET", f"{API}/registration/{{id}}"): _CLIENT,
    ("DELETE", f"{API}/registration/{{id}}"): _CLIENT,
    ("POST", f"{API}/registration/{{id}}/waive-au/{{index}}"): _CLIENT,
    ("GET", f"{API}/registration/{{id}}/learner-prefs"): _CLIENT,
    ("POST", f"{API}/registration/{{id}}/learner-prefs"): _CLIENT,
    ("DELETE", f"{API}/registration/{{id}}/learner-prefs"): _CLIENT,
    ("GET", f"{API}/session/{{id}}"): _CLIENT,
    ("POST", f"{API}/session/{{id}}/abandon"): _CLIENT,
    # learners
    ("GET", "/me/courses"): _OWN,
    ("POST", "/me/courses/{id}"): _OWN,
    # who sees courses, opens them to learners, and makes rules of them
    **listed("/staff/courses", _READ),
    ("GET", "/staff/courses/{id}"): _READ,
    ("GET", "/staff/courses/{id}/rules.csv"): _READ,
    ("POST", "/staff/courses/{id}/rules"): _RULES,
    ("POST", "/staff/courses/{id}/open"): _OPEN,
    ("GET", "/staff/courses/{id}/chosen"): _OPEN,
    ("POST", "/staff/courses/{id}/chosen"): _OPEN,
    # authors
    ("POST", "/staff/courses"): _AUTHORS,
    ("POST", "/staff/courses/{id}/withdraw"): _AUTHORS,
    ("POST", "/staff/courses/{id}/catalogue"): _AUTHORS,
    ("POST", "/staff/courses/{id}/try"): _AUTHORS,
    **listed("/staff/courses/{id}/learners", _AUTHORS),
    ("GET", "/staff/courses/{id}/learners/{registration}"): _AUTHORS,
    ("POST", "/staff/courses/{id}/learners/{registration}/launch"): _AUTHORS,
    ("POST", "/staff/courses/{id}/learners/{registration}/waive"): _AUTHORS,
    ("POST", "/staff/courses/{id}/learners/{registration}/end"): _AUTHORS,
}
"""Lines of ``policy.TABLE``."""
